"""SciPy: test functions of optimize, losses of least squares, Bessel functions and others with written derivatives."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from scipy import optimize, special
from scipy.optimize._lsq.least_squares import arctan, cauchy, huber, soft_l1

from experiments.studies.wild.case import Case, draw, elementwise, gradient, jacobian

__all__ = ["cases"]

X = np.array([0.3, 0.9, 1.7, 3.1, 5.6])


def _row(rho: Callable[..., None], which: int, z: Any) -> Any:
    """Return ρ, ρ′ or ρ″ of a loss that fills the rows of an array."""
    out = np.empty((3, z.size))
    rho(z, out, False)
    return out[which]


def cases() -> Iterator[Case]:
    """Yield them."""
    x = draw(5)
    yield gradient("optimize.rosen_der", optimize.rosen, optimize.rosen_der, x)
    yield jacobian("optimize.rosen_hess", optimize.rosen_der, optimize.rosen_hess, x)
    yield jacobian(
        "optimize.rosen_hess_prod",
        optimize.rosen_der,
        lambda x: np.array([optimize.rosen_hess_prod(x, e) for e in np.eye(5)]),
        x,
    )
    for rho in (huber, soft_l1, cauchy, arctan):
        for order, what in ((1, "first"), (2, "second")):
            yield elementwise(
                f"least_squares {rho.__name__}, {what}", partial(_row, rho, order - 1), partial(_row, rho, order), X
            )
    for name in ("jv", "yv", "kv", "iv"):
        f, slope = getattr(special, name), getattr(special, f"{name}p")
        yield elementwise(f"special.{name}p", partial(f, 1.3), partial(slope, 1.3), X)
        yield elementwise(f"special.{name}p, n = 2", partial(slope, 1.3), lambda x, s=slope: s(1.3, x, 2), X)
    for name in ("spherical_jn", "spherical_yn", "spherical_in", "spherical_kn"):
        f = getattr(special, name)
        yield elementwise(f"special.{name}, derivative", partial(f, 2), partial(f, 2, derivative=True), X)
    for name, i in (("Ai", 0), ("Bi", 2)):
        yield elementwise(
            f"special.airy, {name}'", lambda x, i=i: special.airy(x)[i], lambda x, i=i: special.airy(x)[i + 1], X - 3
        )
    yield elementwise("special.digamma", special.gammaln, special.digamma, X)
    yield elementwise("special.polygamma 1", special.digamma, partial(special.polygamma, 1), X)
    yield elementwise("special.polygamma 2", partial(special.polygamma, 1), partial(special.polygamma, 2), X)
    for name, i in (("ber", special.ber), ("bei", special.bei), ("ker", special.ker), ("kei", special.kei)):
        yield elementwise(f"special.{name}p", i, getattr(special, f"{name}p"), X)
    yield elementwise(
        "special.pbdv, derivative", lambda x: special.pbdv(1.5, x)[0], lambda x: special.pbdv(1.5, x)[1], X
    )
    yield elementwise(
        "special.mathieu_cem, derivative",
        lambda x: special.mathieu_cem(2, 1.5, x)[0],
        lambda x: special.mathieu_cem(2, 1.5, x)[1],
        10 * X,
        fault="x is in degrees, and the derivative is that in radians",
    )
    yield elementwise(
        "special.obl_ang1, derivative",
        lambda x: special.obl_ang1(1, 2, 0.7, x)[0],
        lambda x: special.obl_ang1(1, 2, 0.7, x)[1],
        X / 7,
    )
    yield elementwise(
        "special.pro_ang1, derivative",
        lambda x: special.pro_ang1(1, 2, 0.7, x)[0],
        lambda x: special.pro_ang1(1, 2, 0.7, x)[1],
        X / 7,
    )
    for name in ("pro_rad1", "pro_rad2", "obl_rad1"):
        f = getattr(special, name)
        yield elementwise(
            f"special.{name}, derivative", lambda x, f=f: f(1, 2, 0.7, x)[0], lambda x, f=f: f(1, 2, 0.7, x)[1], X + 1.3
        )
