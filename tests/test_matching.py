"""Maps, their distances, gradients with respect to inputs, and layers shared over patches: by formula, and at zeros."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_training import blobs, same, states

from npnet.activations import Activation, identity
from npnet.arrays import generator, to_host
from npnet.check import check_gradient
from npnet.columns import growing, progressive
from npnet.data import Split
from npnet.fused import Product, dense, factored
from npnet.hyperparameters import Hyperparameters
from npnet.layers import Shared, linear
from npnet.losses import cross_entropy
from npnet.matching import attention_transfer, input_gradient, jacobian, jacobian_matching
from npnet.matching.jacobian_term import InputGradient
from npnet.matching.maps import attention, attention_map, unit, unit_distance
from npnet.matching.match import SupervisedLoss
from npnet.matching.several import SumOfTerms
from npnet.matching.terms import Batch
from npnet.methods import begin, probe
from npnet.network import Network
from npnet.perceptron import mlp
from npnet.populations import train_population
from npnet.populations.stack import stacked_form
from npnet.proofs.objectives import reading, value_and_gradients
from npnet.proofs.path_cases import arctan
from npnet.run import Run, TrainingJob
from npnet.schedules import constant
from npnet.smooth import tanh
from npnet.starting_point import fisher_information
from npnet.tasks.patches import in_patches, patch_order
from npnet.training import train
from npnet.trees import load_tree, save_tree

SETTINGS = Hyperparameters(rate=constant(0.1), max_epochs=4, patience=None)


def network(activation="relu", widths=(6, 8, 7), seed=0, heads=("a",), **options):
    heads = dict.fromkeys(heads, 3)
    return mlp(widths, heads, generator(seed, "matching"), activation=activation, dtype=np.float64, **options)


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "identity", arctan])
@pytest.mark.parametrize("widths", [(6, 5), (6, 5, 4), (6, 4, 5, 3)])
@pytest.mark.parametrize("patches", [1, 2])
def test_jacobians_are_the_derivatives_of_the_logits(activation, widths, patches, xp):
    net = network(activation, widths, patches=patches).to(xp)
    X = generator(1).standard_normal((4, 6))
    J = to_host(jacobian(net, "a", xp.asarray(X))).reshape(4, 3, 6)
    t = np.array([0, 2, 1, 2])
    dL = to_host(jacobian(net, "a", xp.asarray(X), "loss", xp.asarray(t)))
    one = to_host(jacobian(net, "a", xp.asarray(X), "logit", xp.asarray(t)))
    np.testing.assert_allclose(one, J[np.arange(4), t], rtol=1e-12, atol=1e-15)
    for d in range(6):
        step = np.zeros((4, 6), complex)
        step[:, d] = 1e-100j
        Z = to_host(net.logits(xp.asarray(X + step), "a"))
        np.testing.assert_allclose(J[:, :, d], Z.imag / 1e-100, rtol=1e-12, atol=1e-14)
        for n in range(4):
            value = cross_entropy(Z[n : n + 1], t[n : n + 1])[0]
            assert dL[n, d] == pytest.approx(value.imag / 1e-100, rel=1e-10, abs=1e-13)


@given(st.integers(1, 3), st.integers(0, 10**6), st.booleans())
def test_the_sweep_is_linear_in_what_it_starts_from(depth, seed, whole):
    rng = generator(seed)
    widths = rng.integers(1, 5, depth + 2)
    Ws = [rng.standard_normal(pair) for pair in pairwise(widths)]
    slopes = [rng.standard_normal((3, width)) for width in widths[1:-1]]
    lead = (4, 3) if whole else (3,)
    C, D = (rng.standard_normal((*lead, widths[-1])) for _ in range(2))
    J, back = input_gradient(Ws, slopes, C)
    np.testing.assert_allclose(
        input_gradient(Ws, slopes, C + 2 * D)[0], J + 2 * input_gradient(Ws, slopes, D)[0], atol=1e-10
    )
    dJ = rng.standard_normal(J.shape)
    full = back(dJ)
    for k in range(depth + 1):  # what is not asked for is None; what is, the same bits
        flags = [i == k for i in range(depth + 1)]
        dWs, dslopes, dC = back(dJ, flags, [False] * depth, False)
        assert [dW is not None for dW in dWs] == flags
        np.testing.assert_array_equal(dWs[k].A, full[0][k].A)
        np.testing.assert_array_equal(dWs[k].B, full[0][k].B)
        assert dC is None
        assert dslopes == [None] * depth
    for k in range(depth):
        flags = [i == k for i in range(depth)]
        _, dslopes, _ = back(dJ, [False] * (depth + 1), flags, False)
        np.testing.assert_array_equal(dslopes[k], full[1][k])


@given(st.integers(0, 10**6), st.floats(1e-3, 1e3), st.booleans())
def test_unit_distances_do_not_see_lengths(seed, factor, squared):
    rng = generator(seed)
    Q, U = rng.standard_normal((5, 4)), unit(rng.standard_normal((5, 4)))[0]
    value, dQ = unit_distance(Q, U, squared)
    other, dother = unit_distance(factor * Q, U, squared)
    assert value == pytest.approx(other, rel=1e-10)
    np.testing.assert_allclose(dother, dQ / factor, rtol=1e-8, atol=1e-12 / factor)
    np.testing.assert_allclose((dQ * Q).sum(1), 0, atol=1e-12)  # a longer map is no other map
    r = np.linalg.norm(Q / np.linalg.norm(Q, axis=1, keepdims=True) - U, axis=1)
    assert value == pytest.approx((r**2 if squared else r).mean(), rel=1e-10)
    assert 0 <= value <= (4 if squared else 2)


@pytest.mark.parametrize("squared", [False, True])
def test_maps_of_zeros_and_equal_ones_send_nothing_back(squared, xp):
    Q = xp.asarray(np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 0, 3]]))
    U = xp.asarray(np.array([[1.0, 0, 0], [1, 0, 0], [0, 0, 0], [0, 1, 0]]))
    value, dQ = unit_distance(Q, U, squared)
    each = [1, 0, 1, 2 if squared else 2**0.5]  # no direction beside one; the same; one beside none; at right angles
    assert float(value) == pytest.approx(sum(each) / 4)
    np.testing.assert_array_equal(to_host(dQ)[:3], 0)
    assert to_host(dQ)[3].any()
    tiny = xp.asarray(np.array([[3e-200, 4e-200]]))
    np.testing.assert_allclose(to_host(unit(tiny)[0]), [[0.6, 0.8]])


@given(st.sampled_from([1.0, 1.5, 2.0, 3.0]), st.integers(0, 10**6))
def test_attention_maps_by_formula(p, seed):
    A = generator(seed).integers(-2, 3, (4, 6)).astype(float)
    Q, back = attention_map(A, 3, p)
    np.testing.assert_allclose(Q, (abs(A).reshape(4, 3, 2) ** p).sum(-1))
    assert (back(np.ones((4, 3)))[A == 0] == 0).all()
    V = unit(generator(seed, 1).random((4, 3)))[0]
    value, _ = attention(3, p)(A, V)
    assert value == pytest.approx(unit_distance(Q, V)[0])
    with pytest.raises(ValueError, match="positions is 4; expected a number that divides 6"):
        attention_map(A, 4)
    with pytest.raises(ValueError, match="U has shape"):
        unit_distance(Q, A)


def joint(net, term, X, t, mask=(1.0, 1.0, 1.0), with_labels=False):
    terms = [*([SupervisedLoss("a", cross_entropy)] if with_labels else []), term]
    step = SumOfTerms(net, terms, mask, reading(X, lambda rows: Batch(rows, {"a": t[rows]})))
    return value_and_gradients(step, np.arange(len(X)))


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", arctan])
@pytest.mark.parametrize("of", ["largest", "label", "all"])
def test_a_student_that_is_its_teacher_has_nothing_to_learn(activation, of):
    net, task = network(activation), blobs("a")
    _, settings = begin(jacobian_matching(net, of), net, task, generator(0), SETTINGS)
    X, t = task.train.inputs[:] / 255, task.train.labels
    value, gradients = joint(net.copy(), settings.objective.terms[0], X, t)
    assert 0 <= value < 1e-28
    assert gradients.keys() == {"hidden layer 1", "hidden layer 2", "head 'a'"}
    assert all(abs(w).max() < 1e-14 for g in gradients.values() for w in g.values())
    other = network(activation, seed=1)
    value, gradients = joint(other, settings.objective.terms[0], X, t)
    J, theirs = (jacobian(n, "a", X).reshape(70, 3, 6) for n in (other, net))
    if of != "all":
        classes = net.logits(X, "a").argmax(1) if of == "largest" else t
        J, theirs = (j[np.arange(70), classes] for j in (J, theirs))
    q, u = (j.reshape(70, -1) / np.linalg.norm(j.reshape(70, -1), axis=1)[:, None] for j in (J, theirs))
    assert value == pytest.approx(((q - u) ** 2).sum(1).mean(), rel=1e-12)


def test_a_network_whose_units_are_all_off_has_no_jacobian_and_learns_nothing_of_it():
    net, task = network(), blobs("a")
    _, settings = begin(jacobian_matching(network(seed=3)), net, task, generator(0), SETTINGS)
    net.trunk[1]["b"][...] = -100.0
    X, t = task.train.inputs[:] / 255, task.train.labels
    value, gradients = joint(net, settings.objective.terms[0], X, t)
    assert value == 1.0
    assert gradients.keys() == {"hidden layer 1", "hidden layer 2", "head 'a'"}
    assert not any(w.any() for g in gradients.values() for w in g.values())


@pytest.mark.parametrize("squared", [False, True])
def test_input_attention_by_formula(squared):
    student, teacher, task = network(), network(seed=2), blobs("a")
    method = attention_transfer(teacher, "input", beta=3.0, squared=squared)
    _, settings = begin(method, student, task, generator(0), SETTINGS)
    X, t = task.train.inputs[:] / 255, task.train.labels
    value, _ = joint(student, settings.objective.terms[0], X, t)
    maps = [abs(jacobian(n, "a", X, "loss", t)) for n in (student, teacher)]
    q, u = (Q / np.linalg.norm(Q, axis=1, keepdims=True) for Q in maps)
    r = np.linalg.norm(q - u, axis=1)
    assert value == pytest.approx(1.5 * (r**2 if squared else r).mean(), rel=1e-12)


def test_second_order_terms_compute_nothing_for_frozen_weights(monkeypatch):
    import npnet.matching.jacobian_term as module

    flags = []
    original = module.input_gradient

    def spy(*arguments):
        J, back = original(*arguments)
        return J, lambda *asked: flags.append(asked[1:]) or back(*asked)

    task = blobs("a")
    X, t = task.train.inputs[:] / 255, task.train.labels
    for activation, gates in (("relu", [False, False]), ("tanh", [False, True])):
        net = network(activation)
        _, settings = begin(jacobian_matching(network(seed=3)), net, task, generator(0), SETTINGS)
        monkeypatch.setattr(module, "input_gradient", spy)
        _, gradients = joint(net, settings.objective.terms[0], X, t, mask=(0.0, 1.0, 1.0))
        monkeypatch.setattr(module, "input_gradient", original)
        assert flags.pop() == ((False, True, True), gates, False)
        assert gradients.keys() == {"hidden layer 2", "head 'a'"}


def jacobian_term(teacher, task):
    """Return the term that matches a teacher's Jacobians on a task."""
    return begin(jacobian_matching(teacher), teacher, task, generator(0), SETTINGS)[1].objective.terms[0]


def test_what_an_activation_must_tell():
    """Jacobians need its slope, as training does; gradients of Jacobians its curvature too, where it is not 0."""
    bent = replace(arctan, name="bent", curvature=None)
    task, X = blobs("a"), blobs("a").train.inputs[:5] / 255
    for known, words in (
        (bent, r"activation is Activation\(name='bent'.*expected an Activation with a curvature, 0 or a function"),
        (lambda p, X, rng=None: identity(p, X), "expected an Activation with a curvature"),
    ):
        net = network(known)
        assert jacobian(net, "a", X).shape == (5, 18)
        with pytest.raises(ValueError, match=words):
            joint(net, jacobian_term(net, task), X, None)
    straight, net = Activation("straight", lambda X: 2 * X, lambda X, Y: 0 * X + 2, 0.0), network(seed=3)
    value, _ = joint(network(straight), jacobian_term(net, task), X, task.train.labels)  # 0.0 is 0 too
    assert value > 0
    own = Activation("tanh again", tanh.value, tanh.slope, tanh.curvature)
    t, ends = task.train.labels[:5], []
    for activation in ("tanh", own):  # to the same bits
        ends.append(joint(network(activation), jacobian_term(network(seed=3), task), X, t))
    assert ends[0][0] == ends[1][0]
    for name, p in ends[0][1].items():
        for key, w in p.items():
            np.testing.assert_array_equal(w, ends[1][1][name][key])


def test_shared_layers_are_dense_ones_with_equal_blocks(xp):
    rng = generator(0)
    W, b, X = rng.standard_normal((3, 2)), rng.standard_normal(2), rng.standard_normal((5, 12))
    blocks = {"W": np.kron(np.eye(4), W), "b": np.tile(b, 4)}
    mine = {"W": xp.asarray(W), "b": xp.asarray(b)}
    Y, back = Shared(4)(mine, xp.asarray(X))
    Z, back_dense = linear(blocks, X)
    np.testing.assert_allclose(to_host(Y), Z, rtol=1e-12)
    dY = rng.standard_normal((5, 8))
    dX, dp = back(xp.asarray(dY))
    eX, ep = back_dense(dY)
    np.testing.assert_allclose(to_host(dX), eX, rtol=1e-12)
    parts = ep["W"].reshape(4, 3, 4, 2)
    np.testing.assert_allclose(to_host(dp["W"]), sum(parts[j, :, j] for j in range(4)), rtol=1e-12)
    np.testing.assert_allclose(to_host(dp["b"]), ep["b"].reshape(4, 2).sum(0), rtol=1e-12)
    ((lowest, _),) = factored([(Shared(4), mine)])
    none, factors = lowest(mine, xp.asarray(X))[1](xp.asarray(dY))
    assert none is None
    assert isinstance(factors["W"], Product)
    np.testing.assert_array_equal(to_host(dense(factors["W"])), to_host(dp["W"]))
    np.testing.assert_array_equal(to_host(factors["b"]), to_host(dp["b"]))
    stack = {"W": xp.asarray(np.stack([W, 2 * W])), "b": xp.asarray(np.stack([b, b]))}
    ((many, _),) = stacked_form([(Shared(4), stack)], 0)
    own = to_host(many(stack, xp.asarray(np.stack([X, 3 * X])))[0])  # each replicate's own inputs
    np.testing.assert_allclose(own[0], Z, rtol=1e-12)
    np.testing.assert_allclose(own[1], 6 * (Z - np.tile(b, 4)) + np.tile(b, 4), rtol=1e-12)
    assert check_gradient(lambda X, p: Shared(4)(p, X), X, {"W": W, "b": b})
    with pytest.raises(ValueError, match="4 patches of 3 values"):
        Shared(4)(mine, xp.asarray(X[:, :9]))


def test_patches_are_pieces_of_the_image():
    image = np.arange(36).reshape(1, 6, 6)
    pieces = image.reshape(1, 36)[:, patch_order(6, 2)].reshape(9, 2, 2)
    for k in range(9):
        row, column = divmod(k, 3)
        np.testing.assert_array_equal(pieces[k], image[0, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2])
    with pytest.raises(ValueError, match="size is 4; expected a number that divides 6"):
        patch_order(6, 4)
    task = in_patches(blobs(), 1, 1, channels=6)
    np.testing.assert_array_equal(task.train.inputs, blobs().train.inputs)
    with pytest.raises(ValueError, match="expected 4"):
        in_patches(blobs(), 2, 1)


def test_networks_with_patches_train_stop_go_on_and_carry_attention(tmp_path, xp):
    teacher = network("tanh", (6, 3, 5), seed=4, patches=2).to(xp)
    student, task = network(widths=(6, 4, 5), heads=("old",), patches=2, dropout=(0.2, 0.2)), blobs("a", xp=xp)
    method = attention_transfer(teacher, "channels", 2.0)
    whole, settings = begin(method, student.to(xp), task, generator(1), SETTINGS)
    records = list(train(whole, {"a": task}, settings))
    again, _ = begin(method, student.to(xp), task, generator(1), SETTINGS)
    next(train(again, {"a": task}, settings))
    save_tree(tmp_path / "run.npz", to_host(again.tree()))
    tree = load_tree(tmp_path / "run.npz")
    if xp is np:
        again = Run.from_tree(tree)
    list(train(again, {"a": task}, settings))
    assert same(states(whole), states(again))
    assert records[-1]["objective"] < records[0]["objective"]
    assert Network.from_tree(tree["network"]).layers == (Shared(2), linear)
    assert whole.network.units == (8, 5)
    assert whole.network.inputs == 6
    A = teacher.hidden_outputs(xp.asarray(task.test.inputs[:4] / 255.0))[0]
    np.testing.assert_allclose(to_host(attention_map(A, 2)[0]), (to_host(A).reshape(4, 2, 3) ** 2).sum(-1), rtol=1e-12)


def test_networks_with_patches_elsewhere():
    net, task = network(widths=(6, 4, 5), patches=2), blobs("b")
    plain = Run(net.copy(), generator(0))
    list(train(plain, {"a": blobs("a")}, SETTINGS))
    member = TrainingJob(Run(net.copy(), generator(0)), {"a": blobs("a")}, SETTINGS)
    for _ in train_population([member]):
        pass
    np.testing.assert_allclose(member.run.network.trunk[0]["W"], plain.network.trunk[0]["W"], rtol=1e-9)
    X = task.test.inputs[:] / 255
    for method in (probe(1), progressive()):
        run, settings = begin(method, net, task, generator(0), SETTINGS)
        list(train(run, {"b": task}, settings))
        assert run.network.logits(X, "b").shape == (40, 3)
    assert run.network.inputs == 6
    for f, words in (
        (lambda: fisher_information(net, "a", Split(X, task.test.labels)), "expected linear ones alone"),
        (
            lambda: begin(growing(wider=2), net, task, generator(0)),
            r"network has hidden layers \(Shared\(patches=2\).*expected linear ones alone",
        ),
        (lambda: mlp((6, 4), {"a": 2}, generator(0), patches=4), "patches is 4; expected a number that divides 6"),
        (lambda: replace(net, layers=(Shared(3), linear)), "expected each as wide"),
        (lambda: jacobian(run.network, "b", X), "expected linear ones alone"),
        (lambda: jacobian(net, "a", X, "logit"), "classes is None"),
        (lambda: jacobian(net, "a", X, "loses"), "of is 'loses'; expected one of 'logit', 'logits', 'loss'"),
        (lambda: jacobian(net, "a", X, "logit", np.full(40, 3)), "expected 40 whole numbers from 0 to 2"),
        (lambda: jacobian(net, "a", X, "logit", np.full(40, -1)), "expected 40 whole numbers from 0 to 2"),
        (lambda: jacobian(net, "a", X, "logit", np.full(40, 0.5)), "expected 40 whole numbers from 0 to 2"),
        (lambda: jacobian(net, "a", X, "logit", np.zeros(1, int)), "expected 40 whole numbers from 0 to 2"),
        (lambda: InputGradient("j", "a", "a", "logit", unit_distance, X, -1.0), "weight is -1.0"),
    ):
        with pytest.raises(ValueError, match=words):
            f()


def test_a_branch_answers_for_the_teacher():
    task, teacher = blobs(), network(seed=3, heads=("old",))
    student = replace(teacher.copy(), heads=dict(teacher.copy().heads))
    method = jacobian_matching(teacher, head="old", branch="old")
    run, settings = begin(replace(method, name="branch"), student, replace(task, name="new"), generator(0), SETTINGS)
    (term,) = settings.objective.terms
    assert (term.task, term.head) == ("new", "old")
    rows = np.arange(5)
    read = reading(task.train.inputs[:], lambda rows: Batch(rows, {}))
    value, _ = value_and_gradients(SumOfTerms(run.network, [term], (1.0, 1.0, 1.0), read), rows)
    assert value == pytest.approx(0, abs=1e-28)  # it says already what the teacher says
    with pytest.raises(ValueError, match="branch is 'other'"):
        begin(jacobian_matching(teacher, head="old", branch="other"), student, task, generator(0), SETTINGS)
