"""scikit-learn: losses, linear models, kernels of Gaussian processes, neighbourhood components, t-SNE, perceptrons."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn._loss import loss as losses
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor, kernels
from sklearn.linear_model import _huber
from sklearn.linear_model._linear_loss import LinearModelLoss
from sklearn.manifold import _t_sne
from sklearn.neighbors import NeighborhoodComponentsAnalysis
from sklearn.neural_network import MLPClassifier, MLPRegressor, _base

from experiments.studies.wild.case import Case, draw, elementwise, gradient, jacobian

__all__ = ["cases"]

X = draw(12, 3)
NOISE = draw(12, seed=1)
BINARY = (NOISE > 0) * 1.0
WEIGHTS = abs(draw(12, seed=2)) + 0.1
CLASSES = np.arange(12) % 3
COUNTS = np.floor(3 * abs(NOISE))


def cases() -> Iterator[Case]:
    """Yield them all."""
    yield from pointwise()
    yield from linear()
    yield from gaussian_processes()
    yield from embeddings()
    yield from perceptrons()


def _losses() -> Iterator[tuple[str, Any, Any]]:
    yield "HalfSquaredError", losses.HalfSquaredError(), NOISE
    yield "AbsoluteError", losses.AbsoluteError(), NOISE
    yield "PinballLoss", losses.PinballLoss(quantile=0.3), NOISE
    yield "HuberLoss", losses.HuberLoss(delta=0.7), NOISE
    yield "HalfPoissonLoss", losses.HalfPoissonLoss(), COUNTS
    yield "HalfGammaLoss", losses.HalfGammaLoss(), abs(NOISE) + 0.1
    yield "HalfTweedieLoss", losses.HalfTweedieLoss(power=1.5), COUNTS
    yield "HalfTweedieLoss, power 3", losses.HalfTweedieLoss(power=3.0), COUNTS + 0.5
    yield "HalfBinomialLoss", losses.HalfBinomialLoss(), BINARY
    yield "ExponentialLoss", losses.ExponentialLoss(), BINARY
    yield "HalfTweedieLossIdentity", losses.HalfTweedieLossIdentity(power=1.5), COUNTS + 0.5


def pointwise() -> Iterator[Case]:
    """Yield gradients and Hessians of losses in the raw predictions."""
    raw = draw(12, seed=3)
    for name, of, y in _losses():
        z = abs(raw) + 0.2 if "Identity" in name else raw
        for how, weights in (("", None), (", weights", WEIGHTS)):
            options: dict[str, Any] = {"y_true": y, "sample_weight": weights}
            yield elementwise(
                f"{name}.gradient{how}",
                lambda z, f=of, o=options: f.loss(raw_prediction=z, **o),
                lambda z, f=of, o=options: f.gradient(raw_prediction=z, **o),
                z,
            )
            if "Absolute" not in name and "Pinball" not in name and "Huber" not in name:
                yield elementwise(
                    f"{name}.gradient_hessian{how}",
                    lambda z, f=of, o=options: f.gradient(raw_prediction=z, **o),
                    lambda z, f=of, o=options: f.gradient_hessian(raw_prediction=z, **o)[1],
                    z,
                )
    many = losses.HalfMultinomialLoss(n_classes=3)
    target = CLASSES.astype(float)
    yield gradient(
        "HalfMultinomialLoss.gradient",
        lambda Z: many.loss(y_true=target, raw_prediction=Z),
        lambda Z: many.gradient(y_true=target, raw_prediction=Z),
        draw(12, 3, seed=4),
    )


def linear() -> Iterator[Case]:
    """Yield losses of linear models with penalties, in the coefficients, and products with their Hessians."""
    for name, of, y in _losses():
        if name in ("AbsoluteError", "PinballLoss", "HuberLoss", "ExponentialLoss", "HalfTweedieLossIdentity"):
            continue
        whole = LinearModelLoss(base_loss=of, fit_intercept=True)
        options: dict[str, Any] = {"X": X, "y": y, "sample_weight": WEIGHTS, "l2_reg_strength": 0.3}
        w = draw(4, seed=5) / 2
        yield gradient(
            f"LinearModelLoss {name}.gradient",
            lambda w, f=whole, o=options: f.loss(w, **o),
            lambda w, f=whole, o=options: f.gradient(w, **o),
            w,
        )
        yield jacobian(
            f"LinearModelLoss {name}.gradient_hessian",
            lambda w, f=whole, o=options: f.gradient(w, **o),
            lambda w, f=whole, o=options: f.gradient_hessian(w, **o)[1],
            w,
            fault="takes the magnitude of negative curvatures, for Newton's method" if "power 3" in name else "",
        )
        yield jacobian(
            f"LinearModelLoss {name}.gradient_hessian_product",
            lambda w, f=whole, o=options: f.gradient(w, **o),
            lambda w, f=whole, o=options: np.array([f.gradient_hessian_product(w, **o)[1](e) for e in np.eye(w.size)]),
            w,
        )
    many = LinearModelLoss(base_loss=losses.HalfMultinomialLoss(n_classes=3), fit_intercept=True)
    options = {"X": X, "y": CLASSES.astype(float), "l2_reg_strength": 0.3}
    flat = draw(12, seed=6)
    yield gradient(
        "LinearModelLoss HalfMultinomialLoss.gradient",
        lambda w: many.loss(w, **options),
        lambda w: many.gradient(w, **options),
        flat,
    )
    yield gradient(
        "_huber_loss_and_gradient",
        lambda w: _huber._huber_loss_and_gradient(w, X, NOISE, 1.35, 0.1, WEIGHTS)[0],
        lambda w: _huber._huber_loss_and_gradient(w, X, NOISE, 1.35, 0.1, WEIGHTS)[1],
        np.array([0.3, -0.2, 0.5, 0.1, 0.8]),
    )


def _kernels() -> Iterator[tuple[str, Any]]:
    k = kernels
    yield "RBF", k.RBF(1.3)
    yield "RBF, anisotropic", k.RBF([0.7, 1.3, 2.1])
    yield "Matern 1/2", k.Matern(1.3, nu=0.5)
    yield "Matern 3/2", k.Matern([0.7, 1.3, 2.1], nu=1.5)
    yield "Matern 5/2", k.Matern(1.3, nu=2.5)
    yield "Matern 0.8", k.Matern(1.3, nu=0.8)
    yield "Matern inf", k.Matern(1.3, nu=np.inf)
    yield "RationalQuadratic", k.RationalQuadratic(1.3, 0.8)
    yield "ExpSineSquared", k.ExpSineSquared(1.3, 2.1)
    yield "DotProduct", k.DotProduct(1.3)
    yield "ConstantKernel", k.ConstantKernel(1.3)
    yield "WhiteKernel", k.WhiteKernel(0.4)
    yield "Sum", k.RBF(1.3) + k.WhiteKernel(0.4)
    yield "Product", k.ConstantKernel(1.3) * k.RBF(0.9)
    yield "Exponentiation", k.RBF(1.3) ** 2


def gaussian_processes() -> Iterator[Case]:
    """Yield kernels in their log parameters, and marginal likelihoods."""
    for name, kernel in _kernels():

        def at(theta: Any, k: Any = kernel) -> Any:
            return k.clone_with_theta(theta)

        fault = "by one-sided differences of 1e-5, for this ν" if "0.8" in name else ""
        yield jacobian(
            f"{name}, eval_gradient",
            lambda t, a=at: a(t)(X),
            lambda t, a=at: a(t)(X, eval_gradient=True)[1],
            kernel.theta,
            fault=fault,
        )
    regression = GaussianProcessRegressor(
        kernels.ConstantKernel(1.3) * kernels.RBF(0.9) + kernels.WhiteKernel(0.3), optimizer=None
    )
    regression.fit(X, NOISE)
    yield _likelihood("GaussianProcessRegressor", regression, regression.kernel_.theta)
    classes = GaussianProcessClassifier(kernels.ConstantKernel(1.3) * kernels.RBF(0.9), optimizer=None).fit(X, BINARY)
    yield _likelihood("GaussianProcessClassifier, Laplace", classes, classes.kernel_.theta)


def _likelihood(name: str, of: Any, theta: Any) -> Case:
    return gradient(
        f"{name}.log_marginal_likelihood",
        lambda t: of.log_marginal_likelihood(t),
        lambda t: of.log_marginal_likelihood(t, eval_gradient=True)[1],
        theta,
    )


def embeddings() -> Iterator[Case]:
    """Yield neighbourhood components and the divergences of t-SNE."""
    nca = NeighborhoodComponentsAnalysis()
    nca.n_iter_, nca.verbose = 0, 0
    same = CLASSES[:, None] == CLASSES
    yield gradient(
        "NeighborhoodComponentsAnalysis._loss_grad_lbfgs",
        lambda A: nca._loss_grad_lbfgs(A, X, same, 1.0)[0],
        lambda A: nca._loss_grad_lbfgs(A, X, same, 1.0)[1],
        draw(6, seed=7),
    )
    distances = ((X[:, None] - X) ** 2).sum(-1).astype(np.float32)
    P = _t_sne._joint_probabilities(distances, 4.0, False)
    for freedom in (1.0, 2.0):
        yield gradient(
            f"_kl_divergence, {freedom:.0f} degrees of freedom",
            lambda y, n=freedom: _t_sne._kl_divergence(y, P, n, 12, 2)[0],
            lambda y, n=freedom: _t_sne._kl_divergence(y, P, n, 12, 2)[1],
            draw(24, seed=8),
            fault="the power of the distances in the slope, for other degrees of freedom than 1" if freedom > 1 else "",
        )


def perceptrons() -> Iterator[Case]:
    """Yield perceptrons with each activation, and the derivatives of activations."""
    for kind, y in ((MLPRegressor, NOISE), (MLPClassifier, CLASSES), (MLPClassifier, BINARY)):
        for activation in ("identity", "logistic", "tanh", "relu"):
            net = kind(
                hidden_layer_sizes=(5,), activation=activation, alpha=0.1, max_iter=1, solver="sgd", random_state=0
            )
            net.partial_fit(X, y, **({} if kind is MLPRegressor else {"classes": np.unique(y)}))
            outputs = f"{len(np.unique(y))} classes" if kind is MLPClassifier else "numbers"
            yield gradient(f"MLP, {activation}, {outputs}", *_backprop(net, y), _packed(net))
    for name in ("identity", "logistic", "tanh", "relu"):
        yield Case(f"inplace_{name}_derivative", _activation(name), (draw(4, 3, seed=9),))


def _packed(net: Any) -> Any:
    return np.concatenate([a.ravel() for a in (*net.coefs_, *net.intercepts_)])


def _backprop(net: Any, y: Any) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    target = y.reshape(-1, 1) if net.n_outputs_ == 1 else (y[:, None] == np.arange(3)) * 1.0
    units = [net.n_features_in_, *net.hidden_layer_sizes, net.n_outputs_]

    shapes = [a.shape for a in (*net.coefs_, *net.intercepts_)]
    sizes = [int(np.prod(s)) for s in shapes]
    bounds = np.cumsum([0, *sizes])
    count = len(net.coefs_)
    net._coef_indptr = [(bounds[i], bounds[i + 1], shapes[i]) for i in range(count)]
    net._intercept_indptr = [(bounds[count + i], bounds[count + i + 1]) for i in range(len(shapes) - count)]

    def run(w: Any) -> Any:
        net._unpack(w.copy())
        activations = [X, *([None] * (len(units) - 1))]
        deltas: list[Any] = [None] * (len(activations) - 1)
        coefs = [np.empty(s) for s in pairwise(units)]
        intercepts = [np.empty(s) for s in units[1:]]
        activations = net._forward_pass(activations)
        value, dW, db = net._backprop(X, target, None, activations, deltas, coefs, intercepts)
        return value, np.concatenate([a.ravel() for a in (*dW, *db)])

    return (lambda w: run(w)[0]), (lambda w: run(w)[1])


def _activation(name: str) -> Callable[[Any], Any]:
    act, slope = _base.ACTIVATIONS[name], _base.DERIVATIVES[name]

    def f(X: Any) -> Any:
        Z = X.copy()
        act(Z)

        def back(dY: Any) -> Any:
            delta = dY.copy()
            slope(Z, delta)
            return delta

        return Z, back

    return f
