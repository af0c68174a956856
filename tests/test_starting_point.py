"""The penalties around the starting point: all twelve by formula, composed with policies and proximal steps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npnet import (
    SGD,
    FineTuning,
    GradualTuning,
    Hyperparameters,
    ProximalSGD,
    Split,
    Task,
    begin,
    constant,
    fisher_information,
    generator,
    growing,
    mlp,
    modular,
    progressive,
    remember,
    starting_point,
    train,
)
from npnet.check import check_gradient
from npnet.losses import cross_entropy
from npnet.objective import loss_at_head
from npnet.penalties import group_lasso, l1, l2, smoothed
from npnet.proofs.objectives import reading, value_and_gradients
from npnet.starting_point import CONVENTIONS, RECIPES


def split(N=40, seed=0):
    rng = np.random.default_rng(seed)
    return Split(rng.normal(size=(N, 5)), rng.integers(0, 3, N))


TASK = Task("new", 3, split(60, 1), split(20, 2), split(20, 3))


def network(dropout=(), memories=1):
    net = mlp((5, 4, 6), {"old": 2}, generator(0), dropout=dropout, dtype=np.float64)
    old = Split(split().inputs, split().labels % 2)
    for k in range(memories):
        net = remember(net, f"old {k}", fisher_information(net, "old", old, "empirical" if k else "exact"))
        for p in net.trunk if k < memories - 1 else ():
            p["W"] += 0.1
    return net


def omega(form, delta, F):
    """Ω of one weight matrix, from the table of the sources, with loops."""
    if form == "l2":
        return sum(f * d**2 for d, f in zip(delta.flat, F.flat, strict=True)) / 2
    if form == "l1":
        return sum(f * abs(d) for d, f in zip(delta.flat, F.flat, strict=True))
    columns = range(delta.shape[1])
    return sum(np.sqrt(len(delta)) * np.sqrt((F[:, g] * delta[:, g] ** 2).sum()) for g in columns)


def objective(run, regularizers=()):
    """Return value and gradients of the loss on the new task and of penalties, everything training."""
    X, labels = TASK.train.inputs, TASK.train.labels
    mask = (1.0,) * (run.network.depth + 1)
    loss = loss_at_head(run.network, "new", cross_entropy, mask, reading(X, lambda rows: labels[rows]))
    return value_and_gradients(loss, np.arange(len(X)), None, regularizers)


@pytest.mark.parametrize("memories", [1, 2])
@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_by_its_formula(name, memories):
    source, form = network(memories=memories), name.split("_")[0]
    run, settings = begin(starting_point(name, 0.3, 0.7), source, TASK, generator(1))
    rng = np.random.default_rng(5)
    for p in [*run.network.trunk, run.network.heads["new"]]:
        for w in p.values():
            w += rng.normal(size=w.shape)
    penalty = objective(run, settings.regularizers)[0] - objective(run)[0]
    terms = list(source.memories.values()) if "fisher" in name else [{"anchor": source.trunk, "fisher": None}]
    expected = 0.7 / 2 * (run.network.heads["new"]["W"] ** 2).sum()
    for term in terms:
        for i, p in enumerate(run.network.trunk):
            around = term["anchor"][i]["W"] if "_sp" in name else 0.0
            scale = term["fisher"][i]["W"] if term["fisher"] else np.ones(p["W"].shape)
            expected += 0.3 * omega(form, p["W"] - around, scale)
    assert penalty == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", [name for name in RECIPES if "_sp" in name])
def test_at_the_starting_point_nothing_is_pulled_and_nothing_is_nan(name):
    run, settings = begin(starting_point(name, 5.0), network(), TASK, generator(1))
    value, gradients = objective(run, settings.regularizers)
    plain, without = objective(run)
    assert value == plain
    assert gradients.keys() == without.keys() == {"hidden layer 1", "hidden layer 2", "head 'new'"}
    for name, theirs in without.items():
        for key in theirs:
            assert np.array_equal(gradients[name][key], theirs[key])


@pytest.mark.parametrize("policy", [FineTuning(), GradualTuning(tolerance=100.0)], ids=["fine", "gradual"])
@pytest.mark.parametrize("optimizer", [SGD(), ProximalSGD()], ids=["subgradient", "proximal"])
@pytest.mark.parametrize("name", RECIPES)
def test_recipes_compose_with_policies_dropout_and_proximal_steps(name, optimizer, policy):
    source = network(dropout=(0.2, 0.5))
    given = Hyperparameters(optimizer=optimizer, max_epochs=6, patience=None, rate=constant(0.05), keep="last")
    run, settings = begin(starting_point(name, 0.5, 0.1, policy), source, TASK, generator(1), given)
    for _ in train(run, {"new": TASK}, settings):
        pass
    assert np.array_equal(run.network.heads["old"]["W"], source.heads["old"]["W"])
    moved = [not np.array_equal(a["W"], b["W"]) for a, b in zip(run.network.trunk, source.trunk, strict=True)]
    biases = [not np.array_equal(a["b"], b["b"]) for a, b in zip(run.network.trunk, source.trunk, strict=True)]
    assert all(np.isfinite(p["W"]).all() for p in run.network.trunk)
    assert all(biases)
    held = optimizer.proximal and name in ("l1_sp", "gl_sp")
    assert moved == [not held] * 2  # so strong a penalty holds all weights exactly where they were


def test_proximal_steps_hold_weights_exactly_and_subgradients_do_not():
    exact = {}
    for optimizer in (SGD(), ProximalSGD()):
        given = Hyperparameters(optimizer=optimizer, max_epochs=10, patience=None, rate=constant(0.05), keep="last")
        source = network()
        run, settings = begin(starting_point("l1_sp", 0.03), source, TASK, generator(1), given)
        for _ in train(run, {"new": TASK}, settings):
            pass
        exact[optimizer.proximal] = sum(
            int((a["W"] == b["W"]).sum()) for a, b in zip(run.network.trunk, source.trunk, strict=True)
        )
    assert exact[False] <= 1
    assert 4 < exact[True] < 44


def test_conventions_are_their_sources():
    found = {name: (each.half, each.biases, each.mode) for name, each in CONVENTIONS.items()}
    assert found == {
        "paper": (True, False, "exact"),
        "ewc": (True, True, "sampled"),
        "tllib": (True, True, "exact"),
        "avalanche": (False, True, "batched"),
    }


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_conventions_scale_strengths_and_count_biases(convention):
    source, row = network(), CONVENTIONS[convention]
    run, settings = begin(starting_point("l2_sp", 0.3, 0.7, convention=convention), source, TASK, generator(1))
    for p in [*run.network.trunk, run.network.heads["new"]]:
        p["W"] += 1.0
        p["b"] += 1.0
    penalty = objective(run, settings.regularizers)[0] - objective(run)[0]
    shared = 5 * 4 + 4 * 6 + (4 + 6 if row.biases else 0)
    head = run.network.heads["new"]
    new = (head["W"] ** 2).sum() + ((head["b"] ** 2).sum() if row.biases else 0)
    assert penalty == pytest.approx((0.3 * shared + 0.7 * new) * (0.5 if row.half else 1), rel=1e-12)
    only_l2 = begin(starting_point("l1_sp", 0.3, convention=convention), source, TASK, generator(1))[1].regularizers[0]
    assert only_l2.strength == 0.3


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.floats(0.01, 10), st.integers(0, 1000))
def test_l2_sp_lies_between_the_two_optima_along_each_eigenvector(n, alpha, seed):
    """Appendix A: the optimum of ½(w−w*)ᵀH(w−w*) + (α/2)‖w−w0‖² is (H + αI)⁻¹(H w* + α w0)."""
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(n, n))
    H, best, start = A @ A.T, rng.normal(size=(n, 1)), rng.normal(size=(n, 1))
    w, rate = start.copy(), 1 / (np.linalg.eigvalsh(H).max() + alpha)
    for _ in range(int(30 / (alpha * rate)) + 10):
        dw = H @ (w - best)
        l2.add(dw, alpha, w, start)
        SGD().update(w, dw, {}, rate)
    expected = np.linalg.solve(H + alpha * np.eye(n), H @ best + alpha * start)
    np.testing.assert_allclose(w, expected, rtol=1e-9, atol=1e-9)
    values, vectors = np.linalg.eigh(H)
    share = values / (values + alpha)  # how far along each eigenvector the optimum has gone from w0 to w*
    np.testing.assert_allclose(vectors.T @ (w - start), share[:, None] * (vectors.T @ (best - start)), atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.floats(0.05, 1.0), st.integers(0, 1000))
def test_the_weighted_block_threshold_against_a_generic_optimizer(p, groups, step, seed):
    from scipy.optimize import minimize

    rng = np.random.default_rng(seed)
    w, anchor, scale = rng.normal(size=(p, groups)), rng.normal(size=(p, groups)), rng.uniform(0.1, 2, (p, groups))

    found = group_lasso.prox(w, step, anchor, scale)
    for g in range(groups):  # groups do not know of each other, and few variables at a time are what Nelder-Mead is for
        of = (slice(None), slice(g, g + 1))

        def objective(v, of=of):
            v = v.reshape(p, 1)
            return ((v - w[of]) ** 2).sum() / 2 + step * group_lasso(v, anchor[of], scale[of])[0]

        starts = (w[of].ravel(), anchor[of].ravel() + 1e-3, (w + anchor)[of].ravel() / 2)
        options = {"xatol": 1e-9, "fatol": 1e-13, "maxiter": 4000}
        others = [minimize(objective, start, method="Nelder-Mead", options=options).fun for start in starts]
        assert objective(found[of]) <= min(others) + 1e-10
        assert objective(found[of]) == pytest.approx(min(others), abs=1e-3)


@given(st.sampled_from([l1, group_lasso]), st.sampled_from([1e-3, 0.1, 2.0]), st.integers(0, 1000))
def test_smoothed_penalties(penalty, epsilon, seed):
    rng = np.random.default_rng(seed)
    w, anchor = rng.integers(-2, 3, (2, 4, 3)).astype(float), rng.integers(-2, 3, (2, 4, 3)).astype(float)
    scale, smooth = rng.uniform(0, 2, (2, 4, 3)), smoothed(penalty, epsilon)
    assert check_gradient(lambda w: smooth(w, anchor, scale), w)
    value, _ = smooth(w, anchor, scale)
    sharp = penalty(w, anchor, scale)[0]
    bound = epsilon * (scale.sum((-2, -1)) if penalty is l1 else 3 * 4**0.5)
    assert (value >= sharp - 1e-12).all()
    assert (value <= sharp + bound + 1e-12).all()
    assert not smooth(anchor, anchor, scale)[1].any()


@pytest.mark.parametrize("name", ["l2", "l2_sp", "l1_sp"])
def test_layers_that_are_new_have_beta_and_the_others_alpha(name):
    source, grow = network(memories=0), growing(deeper=4, normalised=False)
    run, settings = begin(grow + starting_point(name, 0.7, 0.1), source, TASK, generator(1))
    assert run.network.depth == source.depth + 1
    plain, (value, gradients) = objective(run), objective(run, settings.regularizers)
    new = [run.network.trunk[-1]["W"], run.network.heads["new"]["W"]]
    expected = 0.1 / 2 * sum((W**2).sum() for W in new)
    if name == "l2":
        expected += 0.7 / 2 * sum((p["W"] ** 2).sum() for p in source.trunk)
    assert value - plain[0] == pytest.approx(expected, rel=1e-12)
    for name, W in (("hidden layer 3", new[0]), ("head 'new'", new[1])):
        np.testing.assert_allclose(gradients[name]["W"] - plain[1][name]["W"], 0.1 * W, atol=1e-15)


@pytest.mark.parametrize(
    ("surgery", "message"),
    [
        (
            progressive(),
            r"'progressive \+ l2_sp' makes hidden layer 1 \{.*\} of \{.*\}, or draws it again; expected a lay",
        ),
        (modular(), r"makes hidden layer 1 \{.*\} of \{.*\}, or draws it again"),
        (growing(deeper=3, trained=0), r"makes hidden layer 1 \{.*\} of \{.*\}, or draws it again"),
        (growing(wider=3), r"makes hidden layer 2 \{.*\} of \{.*\}, or draws it again; expected a layer as it was"),
    ],
)
def test_a_penalty_on_layers_that_are_not_there_any_more_is_refused(surgery, message):
    with pytest.raises(ValueError, match=message):
        begin(surgery + starting_point("l2_sp", 0.7, 0.1), network(), TASK, generator(1))


def test_proximal_steps_take_one_memory_of_a_penalty_with_a_kink():
    proximal = Hyperparameters(optimizer=ProximalSGD())
    for name in ("l1_sp_fisher", "gl_fisher"):
        begin(starting_point(name, 1.0), network(memories=1), TASK, generator(1), proximal)
        with pytest.raises(ValueError, match="expected a sum that has a proximal step"):
            begin(starting_point(name, 1.0), network(memories=2), TASK, generator(1), proximal)
    begin(starting_point("l2_sp_fisher", 1.0), network(memories=2), TASK, generator(1), proximal)


def test_what_was_wrong():
    for arguments, message in (
        (("l3", 1.0), "name is 'l3'; expected one of l2, l1"),
        (("l2", -1.0), "alpha is -1"),
        (("l2", -1.0, 0.0, None, 0.0, "avalanche"), "alpha is -1"),
        (("l2", 1.0, -2.0), "beta is -2"),
        (("l2", 1.0, 0.0, None, 0.0, "mine"), "convention is 'mine'; expected one of paper"),
        (("l2", 1.0, 0.0, None, 0.1), "penalty is l2; expected l1 or group_lasso"),
        (("l1", 1.0, 0.0, None, -0.1), "smoothing is -0.1"),
    ):
        with pytest.raises(ValueError, match=message):
            starting_point(*arguments)
    with pytest.raises(ValueError, match="network has no memories; expected the Fisher information"):
        begin(starting_point("l2_sp_fisher", 1.0), network(memories=0), TASK, generator(1))
    with pytest.raises(ValueError, match="smoothed; expected one without smoothing"):
        smoothed(l1, 0.1).prox(np.ones(3), 0.1)
