"""What is there for speed alone is held to the plain lines that it replaces, views and partial batches included."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npnet
from npnet import blas, losses
from npnet.arrays import generator
from npnet.compiled import compiler
from npnet.fused import Product, add_product, dense, descend, factored
from npnet.layers import backward, forward
from npnet.step import Penalise
from npnet.testing import seeds

DTYPES = [np.float32, np.float64]


def drawn(seed, *shape, dtype=np.float64):
    rng = generator(seed, "drawn", *shape)
    X = rng.standard_normal(shape)
    X[rng.random(shape) < 0.1] = 0
    return X.astype(dtype)


def close(found, exact, terms, size=None):
    """Assert that numbers are right to the rounding of sums of so many terms, each of them off by u."""
    u = np.finfo(np.asarray(found).dtype).eps / 2
    size = abs(exact) if size is None else size
    assert (abs(found - exact) <= 2 * (terms + 4) * u * size + np.finfo(np.asarray(found).dtype).tiny).all()


@pytest.mark.parametrize("dtype", DTYPES)
@given(st.integers(0, 9), st.integers(1, 40), st.integers(1, 40), seeds(), st.sampled_from([0.0, 1.0, 0.9, -2.0]))
def test_a_product_added_in_place_is_the_plain_line(dtype, N, D, K, seed, beta):
    X, dY, W = drawn(seed, N, D, dtype=dtype), drawn(seed + 1, N, K, dtype=dtype), drawn(seed + 2, D, K, dtype=dtype)
    exact = beta * W.astype(np.float64) - 0.3 * (X.astype(np.float64).T @ dY)
    size = abs(beta * W) + 0.3 * (abs(X).T @ abs(dY))
    before = X.copy(), dY.copy()
    add_product(W, Product(X.T, dY), -0.3, beta)
    close(W, exact, N + 2, size)
    assert np.array_equal(X, before[0])
    assert np.array_equal(dY, before[1])


@pytest.mark.parametrize("dtype", DTYPES)
@given(seeds(), st.sampled_from(["columns", "transposed", "rows", "reversed"]))
def test_views_get_the_plain_line(dtype, seed, view):
    X, dY, whole = drawn(seed, 5, 6, dtype=dtype), drawn(seed, 5, 7, dtype=dtype), drawn(seed, 14, 14, dtype=dtype)
    W = {"columns": whole[:6, ::2], "transposed": whole.T[:6, :7], "rows": whole[:6, :7], "reversed": whole[:6, 6::-1]}[
        view
    ]
    kept, exact = whole.copy(), W - X.T @ dY
    add_product(W, Product(X.T, dY), -1.0)
    np.testing.assert_allclose(W, exact, rtol=1e-5 if dtype is np.float32 else 1e-12, atol=1e-5)
    assert (whole != kept).sum() <= W.size  # nothing else was written


@pytest.mark.skipif(not blas.kernels(), reason="numpy brings no OpenBLAS of its own here: the plain lines run")
@pytest.mark.parametrize("dtype", DTYPES)
def test_numpys_own_blas_is_found_and_used(dtype):
    X, dY, W = np.ones((2, 3), dtype), np.ones((2, 4), dtype), np.zeros((3, 4), dtype)
    assert blas.add_product(W, X.T, dY, 0.5)
    assert (W == 1).all()
    assert not blas.add_product(W[:, :2], X.T, dY[:, :2], 0.5)  # a view is not for BLAS, and stays as it is
    assert not blas.add_product(W, X.T.astype(np.float16), dY, 0.5)
    assert (W == 1).all()


@given(st.integers(1, 30), st.integers(50, 2500), st.integers(1, 60), seeds())
def test_a_product_in_pieces_is_the_product(N, D, K, seed):
    X, W, Y = drawn(seed, N, D), drawn(seed + 1, D, K), np.full((N, K), np.nan)
    if blas.multiply(Y, X, W):
        close(Y, X @ W, D, abs(X) @ abs(W))
    else:
        assert np.isnan(Y).all()


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "identity"])
@given(
    st.lists(st.integers(1, 30), min_size=2, max_size=4), st.lists(st.integers(1, 9), min_size=1, max_size=5), seeds()
)
def test_a_path_in_arrays_that_are_kept_gives_what_the_path_gives(activation, widths, batches, seed):
    network = npnet.mlp(widths, {"a": 3}, generator(seed), activation=activation, dtype=np.float64)
    path = network.path("a")
    fast = factored(path, lowest=0)
    for n, N in enumerate(batches):  # batches of any sizes, one after the other, in the same arrays
        X, dZ = drawn(seed + n, N, widths[0]), drawn(seed + n, N, 3)
        given_, sent = X.copy(), dZ.copy()
        outputs, backs = forward(path, X)
        kept, fast_backs = forward(fast, X)
        np.testing.assert_allclose(kept[-1], outputs[-1], rtol=1e-12, atol=1e-13)
        down = list(backward(backs, {len(backs) - 1: dZ}))
        for (i, dX, dp), (_, fast_dX, fast_dp) in zip(down, backward(fast_backs, {len(backs) - 1: dZ}), strict=True):
            assert (fast_dX is None) == (i == 0)
            if i:
                np.testing.assert_allclose(fast_dX, dX, rtol=1e-11, atol=1e-12)
            for key in dp:
                np.testing.assert_allclose(dense(fast_dp[key]), dp[key], rtol=1e-11, atol=1e-12)
        assert np.array_equal(X, given_)
        assert np.array_equal(dZ, sent)


@pytest.mark.skipif(compiler() is None, reason="is about the compiled loop: pip install numba")
@pytest.mark.parametrize("dtype", DTYPES)
@given(st.integers(1, 20), st.integers(1, 12), st.sampled_from([1.0, 30.0, 1000.0]), seeds())
def test_the_loop_over_few_logits_is_the_cross_entropy(dtype, N, K, size, seed):
    Z, labels = (size * drawn(seed, N, K)).astype(dtype), generator(seed, "labels").integers(0, K, N)
    assert losses._few(Z, labels)
    value, dZ = npnet.cross_entropy(Z, labels)
    exact, gradient = npnet.cross_entropy(Z.astype(np.complex128), labels)  # complex numbers take the plain lines
    u = np.finfo(dtype).eps
    assert value.dtype == dZ.dtype == dtype
    assert abs(value - exact.real) <= 4 * u * (1 + abs(exact.real))
    np.testing.assert_allclose(dZ, gradient.real, rtol=8 * u, atol=8 * np.finfo(dtype).tiny + (K + 4) * 1e-16 / N)


def test_the_loop_refuses_the_labels_that_the_plain_lines_refuse():
    for bad in (np.array([0, 3]), np.array([-1, 0])):
        with pytest.raises(ValueError, match="labels run from"):
            npnet.cross_entropy(np.zeros((2, 3)), bad)
    value, dZ = npnet.cross_entropy(np.array([[np.nan, 0.0]]), np.array([1]))
    assert np.isnan(value)
    assert np.isnan(dZ).all()


@pytest.mark.parametrize("penalty", [npnet.l1, npnet.l2, npnet.group_lasso])
@given(seeds(), st.booleans(), st.sampled_from([1.0, 0.25]))
def test_a_penalty_that_pulls_at_the_weights_goes_where_its_gradient_goes(penalty, seed, anchored, share):
    p = {"W": drawn(seed, 6, 5), "b": drawn(seed, 5)}
    anchors = [{key: drawn(seed + 1, *w.shape) for key, w in p.items()}] if anchored else None
    regularizer = npnet.Regularizer(penalty, 0.1, "trunk", biases=True, anchors=anchors)
    X, dY, rate = drawn(seed, 4, 6), drawn(seed, 4, 5), 0.05
    ends, values = [], []
    for pull in (0.0, rate):
        own = {key: w.copy() for key, w in p.items()}
        group = npnet.objective.group_of("hidden layer 1", own, share, 0, 1)
        gradients = {"W": Product(X.T, dY), "b": dY.sum(0)}
        values.append(Penalise((regularizer,), pull=pull)(group, gradients))
        for key, w in own.items():
            descend(w, gradients[key], rate * share)
        ends.append(own)
    assert values[0] == pytest.approx(values[1], rel=1e-13)
    for key in p:
        np.testing.assert_allclose(ends[1][key], ends[0][key], rtol=1e-12, atol=1e-14)


LOOPS = [npnet.Adam(0.8, 0.95, 1e-6), npnet.Adam(0.8, 0.95, 1e-3, epsilon_hat=True), npnet.AdamW(weight_decay=0.1)]
LOOPS += [npnet.Momentum(0.8, nesterov, inside) for nesterov in (False, True) for inside in (False, True)]


@pytest.mark.parametrize("optimizer", LOOPS, ids=repr)
@given(seeds(), st.sampled_from(DTYPES), st.sampled_from([(), (1,), (3,)]), st.integers(1, 4))
def test_an_optimizer_in_one_pass_goes_where_its_formula_goes(optimizer, seed, dtype, lead, steps):
    """In memory of another order no loop walks the weights, and the plain lines move them."""
    shape = (*lead, 9, 7)
    w = [drawn(seed, *shape, dtype=dtype), np.asfortranarray(drawn(seed, *shape, dtype=dtype))]
    assert np.array_equal(*w)
    buffers = [optimizer.start(each) for each in w]
    for step in range(steps):
        dw = drawn(seed + step, *shape, dtype=dtype) * (drawn(seed, *shape) > -1)  # some have never moved
        for each, own in zip(w, buffers, strict=True):
            if "t" in own:
                own["t"][...] += step % 2  # counts as of a layer that joined before
            assert optimizer.update(each, np.array(dw, order="A"), own, 0.05 / (1 + step))
    close = {"rtol": 2**9 * np.finfo(dtype).eps, "atol": 2**5 * np.finfo(dtype).eps}
    for a, b in ((w[0], w[1]), *((buffers[0][key], buffers[1][key]) for key in buffers[0])):
        np.testing.assert_allclose(a, b, **close)
    dw[..., 0, 0] = np.nan
    assert not optimizer.update(w[0], dw.copy(), buffers[0], 0.05)


@pytest.mark.parametrize("dtype", DTYPES)
@given(st.integers(1, 5), st.integers(1, 9), st.booleans(), seeds())
def test_relu_in_one_pass_has_the_bits_of_relu(dtype, N, D, turned, seed):
    X, dY = drawn(seed, N, D, dtype=dtype), drawn(seed + 1, N, D, dtype=dtype)
    for array in (X, dY):
        array.flat[:: 2 + seed % 3] = generator(seed, "odd").choice(np.array([np.nan, np.inf, -np.inf, -0.0], dtype))
    dY = np.asfortranarray(dY) if turned else dY
    for form in (npnet.relu, factored([(npnet.relu, {})])[0][0]):
        with np.errstate(invalid="ignore"):
            Y, back = form({}, X)
            answers = Y, back(dY)[0]
        seen = [each.tobytes() for each in map(np.ascontiguousarray, map(np.nan_to_num, answers))]
        signs = [np.signbit(each[~np.isnan(each)]).tolist() for each in answers]
        nans = [np.isnan(each).tolist() for each in answers]
        if form is npnet.relu:
            expected = seen, signs, nans
    assert (seen, signs, nans) == expected


@given(seeds(), st.sampled_from([">f4", ">f8"]))
def test_numbers_in_the_other_byte_order_are_read_as_what_they_are(seed, dtype):
    X, W, dY = (drawn(seed, *shape).astype(dtype) for shape in ((20, 200), (200, 60), (20, 60)))
    native, foreign = W.astype(W.dtype.newbyteorder("=")), W.copy()
    assert not blas.multiply(np.zeros((20, 60), dtype), X, W)
    for w in (native, foreign):
        add_product(w, Product(X.T.astype(w.dtype), dY.astype(w.dtype)), -0.1)
        descend(w, np.full_like(w, 0.5), 0.1)
    np.testing.assert_allclose(foreign, native, rtol=1e-5)


def blobs():
    rng = generator(0, "blobs")
    labels = rng.integers(0, 3, 300)
    X = (2 * rng.standard_normal((3, 40))[labels] + rng.standard_normal((300, 40))).astype(np.float32)
    cuts = (slice(200), slice(200, 250), slice(250, 300))
    return {"t": npnet.Task("t", 3, *(npnet.Split(X[rows], labels[rows]) for rows in cuts))}


def learned(seed, epochs=4, **settings):
    run = npnet.Run(npnet.mlp((40, 60, 50), {"t": 3}, generator(seed)), generator(seed))
    for _ in npnet.train(run, blobs(), npnet.Hyperparameters(max_epochs=epochs, rate=npnet.constant(0.05), **settings)):
        pass
    return [w.copy() for p in (*run.network.trunk, run.network.heads["t"]) for w in p.values()]


def test_runs_in_two_threads_have_the_bits_of_each_alone():
    alone, found = [learned(seed) for seed in range(4)], {}
    threads = [threading.Thread(target=lambda seed=seed: found.update({seed: learned(seed)})) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, weights in enumerate(alone):
        assert all(np.array_equal(a, b) for a, b in zip(weights, found[seed], strict=True))


@pytest.mark.skipif(not blas.kernels(), reason="numpy brings no OpenBLAS of its own here")
def test_threads_are_put_back_as_they_were():
    get, set_ = blas._function("openblas_get_num_threads")[0], blas._function("openblas_set_num_threads")[0]
    before = get()
    try:
        set_(2)
        most = get()
        with blas.threads(1):
            assert get() == 1
            with blas.threads(1):
                pass
            assert get() == 1
        assert get() == most
        seen = []
        run = npnet.Run(npnet.mlp((40, 9), {"t": 3}, generator(0)), generator(0))
        settings = npnet.Hyperparameters(max_epochs=2, policy=lambda h, d: seen.append(get()) or (1.0,) * (d + 1))
        for _ in npnet.train(run, blobs(), settings):
            assert get() == most
        with pytest.raises(ZeroDivisionError), blas.threads(1):
            raise ZeroDivisionError
        assert get() == most
    finally:
        set_(before)


@pytest.mark.parametrize("optimizer", [npnet.SGD(), npnet.Momentum(), npnet.Adam()])
def test_numbers_that_are_not_finite_are_named_at_their_step(optimizer):
    """At the third epoch the rate is such that one step overflows; the run stands as after the second."""
    run = npnet.Run(npnet.mlp((40, 60, 50), {"t": 3}, generator(0)), generator(0))
    rates = {2: 1e38}
    settings = npnet.Hyperparameters(rate=lambda epoch: rates.get(epoch, 0.01), optimizer=optimizer, patience=None)
    epochs = npnet.train(run, blobs(), settings)
    next(epochs)
    next(epochs)
    before = [w.copy() for p in run.network.trunk for w in p.values()]
    with pytest.raises(npnet.NotFiniteError) as caught:
        next(epochs)
    assert caught.value.epoch == 3
    assert caught.value.step in (1, 2)
    assert "layer" in caught.value.layer or "head" in caught.value.layer
    assert len(run.history) == 2
    assert all(
        np.array_equal(a, b) for a, b in zip(before, (w for p in run.network.trunk for w in p.values()), strict=True)
    )
