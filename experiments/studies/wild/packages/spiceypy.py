"""SpiceyPy, the CSPICE toolkit: Jacobians of coordinates, derivatives of vectors in motion, and of interpolations."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import spiceypy as spice

from experiments.studies.wild.case import Case, elementwise, jacobian

__all__ = ["cases"]

POINT = np.array([1.2, 0.7, -0.5])
ONE, OTHER = np.array([1.2, 0.7, -0.5, 0.3, 0.9, -0.4]), np.array([0.2, -0.7, 1.5, 0.1, 0.4, 0.8])
SPHEROID = 1.0, 0.3  # radius, flattening


def _moving(name: str, f: Callable[..., Any], rate: Callable[..., Any]) -> Case:
    """Return the case of a function of two vectors that move, and of its derivative by time."""

    def states(t: Any) -> tuple[Any, Any]:
        return tuple(np.r_[s[:3] + t[0] * s[3:], s[3:]] for s in (ONE, OTHER))

    return jacobian(
        name, lambda t: f(*(s[:3] for s in states(t))), lambda t: np.asarray(rate(*states(t))), np.array([0.2])
    )


def _interpolated(name: str, f: Callable[[float], Any], x: list[float]) -> Case:
    return elementwise(
        name, lambda t: np.array([f(v)[0] for v in t]), lambda t: np.array([f(v)[1] for v in t]), np.array(x)
    )


def cases() -> Iterator[Case]:
    """Yield them."""
    for name, to, by in (
        ("dcyldr", spice.reccyl, lambda v: spice.dcyldr(*v)),
        ("dlatdr", spice.reclat, lambda v: spice.dlatdr(*v)),
        ("dsphdr", spice.recsph, lambda v: spice.dsphdr(*v)),
        ("dgeodr", lambda v: spice.recgeo(v, *SPHEROID), lambda v: spice.dgeodr(*v, *SPHEROID)),
        ("dazldr", lambda v: spice.recazl(v, True, True), lambda v: spice.dazldr(*v, True, True)),
        ("drdcyl", lambda q: spice.cylrec(*q), lambda q: spice.drdcyl(*q)),
        ("drdlat", lambda q: spice.latrec(*q), lambda q: spice.drdlat(*q)),
        ("drdsph", lambda q: spice.sphrec(*q), lambda q: spice.drdsph(*q)),
        ("drdgeo", lambda q: spice.georec(*q, *SPHEROID), lambda q: spice.drdgeo(*q, *SPHEROID)),
        ("drdazl", lambda q: spice.azlrec(*q, True, True), lambda q: spice.drdazl(*q, True, True)),
    ):
        yield jacobian(name, to, by, POINT)
    yield _moving("dvdot", spice.vdot, spice.dvdot)
    yield _moving("dvhat", lambda a, b: spice.vhat(a), lambda a, b: spice.dvhat(a)[3:])
    yield _moving("dvnorm", lambda a, b: spice.vnorm(a), lambda a, b: spice.dvnorm(a))
    yield _moving("dvcrss", spice.vcrss, lambda a, b: spice.dvcrss(a, b)[3:])
    yield _moving("ducrss", spice.ucrss, lambda a, b: spice.ducrss(a, b)[3:])
    yield _moving("dvsep", spice.vsep, spice.dvsep)
    chebyshev, places = [1.0, 3.0, 0.5, 1.0, 0.5, -1.0, 1.0], [-1.0, 0.0, 1.0, 3.0]
    yield _interpolated("chbint", lambda v: spice.chbint(chebyshev, 6, [0.5, 3.0], v), [1.0, 2.2])
    yield _interpolated("lgrind", lambda v: spice.lgrind(places, [-2.0, -7.0, -8.0, 26.0], v), [0.5, 2.0])
    values = [6.0, 3.0, 5.0, 0.0, 2210.0, 5115.0, 78180.0, 109395.0]
    yield _interpolated("hrmint", lambda v: spice.hrmint([-1.0, 0.0, 3.0, 5.0], values, v), [2.0, 4.0])
    yield _interpolated("polyds", lambda v: spice.polyds(chebyshev[:6], 5, 1, v), [1.0, -0.7])
