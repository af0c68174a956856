"""celerite2: the ways back of its semiseparable solvers, in C++."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from celerite2 import backprop

from experiments.studies.wild.case import Case, draw

__all__ = ["cases"]

N, J, K = 6, 2, 3
T, C = np.sort(abs(draw(N, seed=1)) * 3), abs(draw(J, seed=2)) + 0.2
U, V = draw(N, J, seed=4), draw(N, J, seed=5)


def _factor(t: Any, c: Any, a: Any, U: Any, V: Any) -> Any:
    d, W, S = np.zeros(N), np.zeros((N, J)), np.zeros((N, J, J))
    backprop.factor_fwd(t, c, a, U, V, d, W, S)

    def back(dY: Any) -> Any:
        out = [np.zeros_like(each) for each in (t, c, a, U, V)]
        backprop.factor_rev(t, c, a, U, V, d, W, S, dY[:, 0].copy(), dY[:, 1:].copy(), *out)
        return tuple(out)

    return np.c_[d, W], back


def _solver(name: str) -> Any:
    def f(t: Any, c: Any, U: Any, W: Any, Y: Any) -> Any:
        Z, F = np.zeros((N, K)), np.zeros((N, J, K))
        getattr(backprop, f"{name}_fwd")(t, c, U, W, Y, Z, F)

        def back(dZ: Any) -> Any:
            out = [np.zeros_like(each) for each in (t, c, U, W, Y)]
            getattr(backprop, f"{name}_rev")(t, c, U, W, Y, Z, F, dZ.copy(), *out)
            return tuple(out)

        return Z, back

    return f


def cases() -> Iterator[Case]:
    """Yield them."""
    yield Case("factor_rev", _factor, (T, C, abs(draw(N, seed=3)) + 6, U, V))
    for name in ("solve_lower", "solve_upper", "matmul_lower", "matmul_upper"):
        yield Case(f"{name}_rev", _solver(name), (T, C, U, draw(N, J, seed=7), draw(N, K, seed=6)))
