"""Other people's gradient checks, run as they ship: each with its own step, its own tolerances, its own verdict.

A rule takes a function of ours (value and gradient, or value and way back) with its arguments, and says whether it
raises an alarm. None of them is told more than its own interface asks for, and every one works in float64.
"""

import contextlib
import io
import logging
from collections.abc import Callable
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np

from npnet.trees import Tree, leaves, map_tree

__all__ = ["ANCHORS", "MISSING", "Rule", "available"]

Rule = Callable[[Callable[..., Any], tuple[Tree, ...]], bool]
"""(function, arguments) -> whether it raises an alarm."""


class _Flat:
    """A function of ours as one of a flat list of arrays, which autograd systems like better than trees."""

    def __init__(self, f: Callable[..., Any], arguments: tuple[Tree, ...]) -> None:
        self.f, self.arguments = f, list(arguments)
        self.arrays = [np.array(leaf) for _, leaf in leaves(self.arguments)]

    def __call__(self, *arrays: Any) -> tuple[Any, Callable[[Any], list[Any]]]:
        """Return the value and the way back, a list of gradients."""
        following = iter([np.asarray(a) for a in arrays])  # not copied: a fault may well write to them
        value, gradients = self.f(*[map_tree(lambda _: next(following), tree) for tree in self.arguments])

        def back(dY: Any) -> list[Any]:
            of = gradients(np.asarray(dY)) if callable(gradients) else map_tree(lambda g: dY * g, gradients)
            return [np.asarray(leaf) for _, leaf in leaves([of] if len(self.arguments) == 1 else of)]

        return np.asarray(value), back

    def scalar(self, x: Any) -> tuple[float, Any]:
        """Return ⟨c, value⟩, with one drawn c, and its gradient, as a function of one long vector."""
        cuts = np.cumsum([a.size for a in self.arrays])[:-1]
        parts = [part.reshape(a.shape) for part, a in zip(np.split(x, cuts), self.arrays, strict=True)]
        value, back = self(*parts)
        c = np.random.default_rng(0).standard_normal(value.shape) if value.shape else np.asarray(1.0)
        return float((c * value).sum()), np.concatenate([g.reshape(-1) for g in back(c)])

    @property
    def vector(self) -> Any:
        """The arguments as one long vector."""
        return np.concatenate([a.reshape(-1) for a in self.arrays])


def torch_gradcheck(f: Callable[..., Any], arguments: tuple[Tree, ...]) -> bool:
    """torch.autograd.gradcheck: every entry by central differences, eps 1e-6, atol 1e-5, rtol 1e-3."""
    import torch

    flat = _Flat(f, arguments)

    class Bridge(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *tensors: Any) -> Any:
            value, ctx.back = flat(*[t.detach().numpy() for t in tensors])
            return torch.tensor(value)

        @staticmethod
        def backward(ctx: Any, dY: Any) -> Any:
            return tuple(torch.tensor(g) for g in ctx.back(dY.numpy()))

    tensors = tuple(torch.tensor(a, requires_grad=True) for a in flat.arrays)
    return not torch.autograd.gradcheck(Bridge.apply, tensors, raise_exception=False)


def jax_check_vjp(f: Callable[..., Any], arguments: tuple[Tree, ...]) -> bool:
    """jax.test_util.check_vjp, what check_grads does in reverse mode: one direction, eps 1e-4, atol and rtol 1e-5."""
    import jax
    from jax.test_util import check_vjp

    flat = _Flat(f, arguments)
    jax.config.update("jax_enable_x64", True)

    def vjp(*arrays: Any) -> Any:
        value, back = flat(*arrays)
        return value, lambda dY: tuple(back(dY))

    return _raises(lambda: check_vjp(lambda *arrays: flat(*arrays)[0], vjp, tuple(flat.arrays)), AssertionError)


def autograd_check_grads(f: Callable[..., Any], arguments: tuple[Tree, ...]) -> bool:
    """autograd.test_util.check_grads in reverse mode: one direction, eps 1e-6, atol and rtol 1e-6."""
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    flat = _Flat(f, arguments)
    bridge = primitive(lambda *arrays: flat(*arrays)[0])
    ways = [lambda ans, *arrays, i=i: lambda dY: flat(*arrays)[1](dY)[i] for i in range(len(flat.arrays))]
    defvjp(bridge, *ways)
    check = check_grads(bridge, tuple(range(len(flat.arrays))), modes=["rev"], order=1)
    return _raises(lambda: check(*flat.arrays), AssertionError)


def numdifftools_gradient(f: Callable[..., Any], arguments: tuple[Tree, ...]) -> bool:
    """numdifftools.Gradient with its own choice of steps, compared by np.allclose at its defaults."""
    import numdifftools

    flat = _Flat(f, arguments)
    found = numdifftools.Gradient(lambda x: flat.scalar(x)[0])(flat.vector)
    return not np.allclose(flat.scalar(flat.vector)[1], found)


class _Control(np.ndarray):
    """A vector with the three operations that pyadjoint asks of a control."""

    def _ad_mul(self, other: float) -> Any:
        return (self * other).view(_Control)

    def _ad_add(self, other: Any) -> Any:
        return (self + other).view(_Control)

    def _ad_dot(self, other: Any) -> float:
        return float(np.dot(np.asarray(self), np.asarray(other)))


def pyadjoint_taylor_test(f: Callable[..., Any], arguments: tuple[Tree, ...]) -> bool:
    """pyadjoint.taylor_test along one drawn direction: alarm where the remainder's rate is 1.9 or less."""
    from pyadjoint import taylor_test

    flat = _Flat(f, arguments)

    class Functional:
        def __call__(self, m: Any) -> float:
            return flat.scalar(np.asarray(m))[0]

        def derivative(self) -> Any:
            return flat.scalar(flat.vector)[1]

    direction = np.random.default_rng(1).standard_normal(flat.vector.shape).view(_Control)
    return not taylor_test(Functional(), flat.vector.view(_Control), direction) > 1.9


def tesseract_check_gradients(f: Callable[..., Any], arguments: tuple[Tree, ...]) -> bool:
    """tesseract_core's check_gradients of a vector-Jacobian product: every entry, eps 1e-4, rtol 0.1, atol 1e-8."""
    from pydantic import create_model
    from tesseract_core.runtime import Array, Differentiable, Float64
    from tesseract_core.runtime.testing.finite_differences import check_gradients

    flat = _Flat(f, arguments)
    names = [f"x{i}" for i in range(len(flat.arrays))]

    def schema(name: str, arrays: dict[str, Any]) -> Any:
        kinds: dict[str, Any] = {key: (Differentiable[Array[a.shape, Float64]], ...) for key, a in arrays.items()}
        return create_model(name, **kinds)

    InputSchema = schema("InputSchema", dict(zip(names, flat.arrays, strict=True)))
    OutputSchema = schema("OutputSchema", {"y": _Flat(f, arguments)(*flat.arrays)[0]})

    def called(inputs: Any) -> tuple[Any, Any]:
        return flat(*(np.array(getattr(inputs, name)) for name in names))

    def apply(inputs: Any) -> Any:
        return OutputSchema(y=called(inputs)[0])

    def vector_jacobian_product(inputs: Any, vjp_inputs: Any, vjp_outputs: Any, cotangent_vector: Any) -> Any:
        found = dict(zip(names, called(inputs)[1](np.asarray(cotangent_vector["y"])), strict=True))
        return {name: found[name] for name in vjp_inputs}

    apply.__annotations__ = {"inputs": InputSchema, "return": OutputSchema}
    vector_jacobian_product.__annotations__ = {
        "inputs": InputSchema,
        "vjp_inputs": set[str],
        "vjp_outputs": set[str],
        "cotangent_vector": dict[str, Any],
    }
    module: Any = ModuleType("tesseract_api")
    module.InputSchema, module.OutputSchema, module.apply = InputSchema, OutputSchema, apply
    module.vector_jacobian_product = vector_jacobian_product
    inputs = dict(zip(names, flat.arrays, strict=True))
    return any(failures for _, failures, _ in check_gradients(module, {"inputs": inputs}, show_progress=False, seed=0))


def _raises(check: Callable[[], Any], kind: type[BaseException]) -> bool:
    try:
        check()
    except kind:
        return True
    return False


ANCHORS: dict[str, tuple[str, Rule]] = {
    "torch.autograd.gradcheck": ("torch", torch_gradcheck),
    "jax.test_util.check_vjp": ("jax", jax_check_vjp),
    "autograd.test_util.check_grads": ("autograd", autograd_check_grads),
    "numdifftools.Gradient": ("numdifftools", numdifftools_gradient),
    "pyadjoint.taylor_test": ("pyadjoint", pyadjoint_taylor_test),
    "tesseract_core.check_gradients": ("tesseract_core", tesseract_check_gradients),
}
"""The rules by name, with the module that each needs."""

MISSING = {
    "chainer.gradient_check": "not run: its last release, 7.8.1, is older than NumPy 2",
    "MyGrad's tests": "not run: the rule is in MyGrad's test folder, which its package leaves out",
}
"""Rules that cannot be run with NumPy 2, and why."""


def available() -> dict[str, Rule]:
    """Return the rules whose packages are installed, made to keep their output and their warnings to themselves."""
    return {name: _quiet(rule) for name, (module, rule) in ANCHORS.items() if find_spec(module) is not None}


def _quiet(rule: Rule) -> Rule:
    def run(f: Callable[..., Any], arguments: tuple[Tree, ...]) -> bool:
        import warnings

        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            logging.disable(logging.WARNING)
            try:
                return rule(f, arguments)
            finally:
                logging.disable(logging.NOTSET)

    return run
