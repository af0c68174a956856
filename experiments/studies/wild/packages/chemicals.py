"""chemicals and thermo: derivatives of vapour pressures, equations of state, virial sums and activity models."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from chemicals import air, iapws, vapor_pressure, virial
from thermo import PR, RK, SRK, TWUSRK, VDW
from thermo.nrtl import NRTL
from thermo.unifac import UNIFAC
from thermo.uniquac import UNIQUAC
from thermo.wilson import Wilson

from experiments.studies.wild.case import Case, draw, elementwise, gradient, jacobian

__all__ = ["cases"]

T = np.array([290.0, 320.0, 351.5])
TAU, DELTA = np.array([1.2, 1.7]), np.array([0.6, 1.3])
FRACTIONS = np.array([0.2, 0.5, 0.3])
PSAT: dict[str, tuple[Any, ...]] = {
    "Antoine": (8.95894, 510.595, -15.95),
    "Arrhenius_extrapolation": (300.0, 1e5, -4000.0),
    "TRC_Antoine_extended": (562.0, 273.15, 9.0, 1200.0, -50.0, 2.4, -3.0, 20.0),
    "Wagner": (470.0, 4599000.0, -6.0, 1.26, -0.57, -1.3),
    "Wagner_original": (470.0, 4599000.0, -6.0, 1.26, -0.57, -1.3),
    "Yaws_Psat": (28.588, -2469, -7.351, 2.8025e-10, 2.7361e-6),
}
HELMHOLTZ = (  # module, function, derivative, and by which of τ and δ
    (iapws, "iapws95_A0", "iapws95_dA0_dtau", 0),
    (iapws, "iapws95_Ar", "iapws95_dAr_ddelta", 1),
    (iapws, "iapws95_Ar", "iapws95_dAr_dtau", 0),
    (iapws, "iapws95_dAr_ddelta", "iapws95_d2Ar_ddelta2", 1),
    (iapws, "iapws95_dAr_dtau", "iapws95_d2Ar_dtau2", 0),
    (iapws, "iapws95_dAr_dtau", "iapws95_d2Ar_ddeltadtau", 1),
    (iapws, "iapws95_d2Ar_ddelta2", "iapws95_d3Ar_ddelta3", 1),
    (iapws, "iapws97_A_region3", "iapws97_dA_ddelta_region3", 1),
    (iapws, "iapws97_A_region3", "iapws97_dA_dtau_region3", 0),
    (iapws, "iapws97_dA_dtau_region3", "iapws97_d2A_ddeltadtau_region3", 1),
    (iapws, "iapws97_Gr_region5", "iapws97_dGr_dpi_region5", 1),
    (iapws, "iapws97_Gr_region5", "iapws97_dGr_dtau_region5", 0),
    (air, "lemmon2000_air_A0", "lemmon2000_air_dA0_dtau", 0),
    (air, "lemmon2000_air_Ar", "lemmon2000_air_dAr_dtau", 0),
    (air, "lemmon2000_air_Ar", "lemmon2000_air_dAr_ddelta", 1),
    (air, "lemmon2000_air_dAr_ddelta", "lemmon2000_air_d2Ar_ddeltadtau", 0),
)
FLUID = {"Tc": 507.6, "Pc": 3025000.0}


def _each(f: Callable[..., Any], *fixed: Any) -> Callable[[Any], Any]:
    return lambda x: np.array([f(float(v), *fixed) for v in x])


def _of_two(module: Any, name: str, by: str, which: int) -> Case:
    """Return the case of a function of τ and δ, and its derivative by one of them."""
    f, slope = getattr(module, name), getattr(module, by)

    def at(g: Callable[[float, float], Any]) -> Callable[[Any], Any]:
        pairs = (lambda x: zip(TAU, x, strict=True)) if which else (lambda x: zip(x, DELTA, strict=True))
        return lambda x: np.array([g(float(a), float(b)) for a, b in pairs(x)])

    return elementwise(by, at(f), at(slope), DELTA if which else TAU)


def models() -> Iterator[tuple[str, Any]]:
    """Yield activity models as functions of temperature and mole fractions."""
    a, b, c = 0.5 * draw(3, 3, seed=2), 50 * draw(3, 3, seed=3), 0.1 * abs(draw(3, 3, seed=4)) + 0.2
    for matrix in (a, b):
        np.fill_diagonal(matrix, 0)
    both = {"as": a.tolist(), "bs": b.tolist()}
    taus, lambdas = ({f"{kind}_{key}": m for key, m in both.items()} for kind in ("tau", "lambda"))
    yield "NRTL", lambda T, x: NRTL(T=T, xs=x, alpha_cs=c.tolist(), **taus)
    yield "Wilson", lambda T, x: Wilson(T=T, xs=x, **lambdas)
    yield "UNIQUAC", lambda T, x: UNIQUAC(T=T, xs=x, rs=[2.1, 1.4, 0.92], qs=[1.97, 1.43, 1.4], **taus)
    groups = [{1: 2, 2: 4}, {1: 1, 2: 1, 18: 1}, {1: 1, 2: 1, 14: 1}]
    yield "UNIFAC", lambda T, x: UNIFAC.from_subgroups(T=T, xs=x, chemgroups=groups)


def _states(equation: Any) -> Iterator[Case]:
    """Yield derivatives of an equation of state."""
    constants = FLUID if equation in (RK, VDW) else {**FLUID, "omega": 0.2975}
    for value, slope, moved, x in (
        ("a_alpha", "da_alpha_dT", "T", 420.0),
        ("V_g", "dV_dP_g", "P", 1e5),
        ("V_g", "dV_dT_g", "T", 420.0),
        ("S_dep_g", "dS_dep_dT_g", "T", 420.0),
        ("H_dep_g", "dH_dep_dT_g", "T", 420.0),
        ("H_dep_g", "dH_dep_dP_g", "P", 1e5),
        ("fugacity_g", "dfugacity_dP_g", "P", 1e5),
        ("fugacity_g", "dfugacity_dT_g", "T", 420.0),
    ):

        def read(what: str, moved: str = moved) -> Callable[[float], Any]:
            return lambda v: getattr(equation(**{"T": 420.0, "P": 1e5, **constants, moved: v}), what)

        yield elementwise(f"{equation.__name__}.{slope}", _each(read(value)), _each(read(slope)), np.array([x]))


def cases() -> Iterator[Case]:
    """Yield them."""
    for name, constants in PSAT.items():
        f, first, second = (getattr(vapor_pressure, each.format(name)) for each in ("{}", "d{}_dT", "d2{}_dT2"))
        yield elementwise(f"d{name}_dT", _each(f, *constants), _each(first, *constants), T)
        yield elementwise(f"d2{name}_dT2", _each(first, *constants), _each(second, *constants), T)
    yield elementwise("dPsat_IAPWS_dT", _each(vapor_pressure.Psat_IAPWS), _each(vapor_pressure.dPsat_IAPWS_dT), T)
    for each in HELMHOLTZ:
        yield _of_two(*each)
    for name in ("BVirial_Pitzer_Curl", "BVirial_Abbott", "BVirial_Tsonopoulos"):
        fast = getattr(virial, f"{name}_fast")
        for i in (1, 2, 3):
            reads = [lambda t, fast=fast, j=j: fast(t, 510.0, 38e5, 0.1)[j] for j in (i - 1, i)]
            yield elementwise(f"{name}_fast, derivative {i}", *map(_each, reads), T)
    B = draw(3, 3, seed=1)
    slopes = virial.dBVirial_mixture_dzs
    yield gradient(
        "dBVirial_mixture_dzs",
        lambda z: virial.BVirial_mixture(z, B + B.T),
        lambda z: np.array(slopes(z, B + B.T)),
        FRACTIONS,
    )
    for name, model in models():
        for value, slope in (("GE", "dGE_dT"), ("dGE_dT", "d2GE_dT2")):
            reads = [
                lambda t, model=model, what=what: getattr(model(t, FRACTIONS.tolist()), what)()
                for what in (value, slope)
            ]
            yield elementwise(f"{name}.{slope}", *map(_each, reads), T)
        at = lambda what, model=model: lambda x: np.asarray(getattr(model(320.0, x.tolist()), what)())  # noqa: E731
        yield gradient(f"{name}.dGE_dxs", at("GE"), at("dGE_dxs"), FRACTIONS)
        yield gradient(f"{name}.d2GE_dTdxs", at("dGE_dT"), at("d2GE_dTdxs"), FRACTIONS)
        yield jacobian(f"{name}.d2GE_dxixjs", at("dGE_dxs"), at("d2GE_dxixjs"), FRACTIONS)
    for equation in (PR, SRK, RK, VDW, TWUSRK):
        yield from _states(equation)
