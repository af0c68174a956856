"""astropy.modeling: the derivatives of models by their parameters, which the fitters use."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from astropy.modeling import models

from experiments.studies.wild.case import Case, draw

__all__ = ["cases"]

X, Y = np.array([0.4, 1.1, 1.9, 2.6, 3.7]), np.array([0.3, -0.5, 1.2, 0.8, -1.1])
MODELS: dict[str, tuple[float, ...]] = {
    "ArcCosine1D": (5.0, 0.4, 0.1),
    "ArcSine1D": (5.0, 0.4, 0.1),
    "ArcTangent1D": (5.0, 0.4, 0.1),
    "BrokenPowerLaw1D": (1.5, 1.5, 0.7, 1.4),
    "Const1D": (1.5,),
    "Cosine1D": (1.5, 0.4, 0.1),
    "Drude1D": (1.5, 1.2, 0.7),
    "Exponential1D": (1.5, 0.7),
    "ExponentialCutoffPowerLaw1D": (1.5, 1.2, 0.7, 2.0),
    "Gaussian1D": (1.5, 1.2, 0.7),
    "Gaussian2D": (1.5, 1.2, 0.3, 0.7, 1.1, 0.4),
    "KingProjectedAnalytic1D": (1.5, 0.7, 5.0),
    "Linear1D": (1.5, 0.3),
    "LogParabola1D": (1.5, 1.2, 0.7, 0.3),
    "Logarithmic1D": (1.5, 0.7),
    "Lorentz1D": (1.5, 1.2, 0.7),
    "Lorentz2D": (1.5, 1.2, 0.3, 0.7),
    "Moffat1D": (1.5, 1.2, 0.7, 1.6),
    "Moffat2D": (1.5, 1.2, 0.3, 0.7, 1.6),
    "Multiply": (1.5,),
    "Planar2D": (1.0, 2.0, 3.0),
    "Plummer1D": (1.5, 0.7),
    "PowerLaw1D": (1.5, 1.2, 0.7),
    "RedshiftScaleFactor": (0.3,),
    "Scale": (1.5,),
    "Schechter1D": (1.5, -20.0, -1.9),
    "Shift": (0.5,),
    "Sine1D": (1.5, 0.4, 0.1),
    "SmoothlyBrokenPowerLaw1D": (1.5, 1.5, 0.7, 1.4, 0.3),
    "Tangent1D": (1.5, 0.1, 0.05),
    "Voigt1D": (1.2, 1.5, 0.7, 0.5),
}
POLYNOMIALS: dict[str, tuple[int, ...]] = {
    "Chebyshev1D": (3,),
    "Chebyshev2D": (2, 2),
    "Hermite1D": (3,),
    "Hermite2D": (2, 2),
    "Legendre1D": (3,),
    "Legendre2D": (2, 2),
    "Polynomial1D": (3,),
    "Polynomial2D": (2,),
}
FAULTS = {
    "Drude1D": "the derivative by x_0 has x / x_0 for x / x_0², and twice a term",
    "Hermite2D": "the value has wrong polynomials in y from the second degree on",
}


def _model(name: str, point: tuple[float, ...]) -> Case:
    """Return the case of a model as a function of its parameters."""
    model = getattr(models, name)(*point)
    x = (X, Y) if model.n_inputs == 2 else (0.4 * X - 20.5 if name == "Schechter1D" else X,)

    def f(*p: Any) -> Any:
        value = np.asarray(model.evaluate(*x, *p), float)
        slopes = [np.broadcast_to(np.asarray(d, float), value.shape) for d in model.fit_deriv(*x, *p)]

        def back(dY: Any) -> Any:
            each = tuple(np.asarray((dY * d).sum()) for d in slopes)
            return each if len(each) > 1 else each[0]

        return value, back

    return Case(f"{name}.fit_deriv", f, tuple(np.asarray(v) for v in point), FAULTS.get(name, ""))


def _polynomial(name: str, degrees: tuple[int, ...]) -> Case:
    """Return the case of a polynomial as a function of its coefficients."""
    kind = getattr(models, name)
    names = kind(*degrees).param_names
    x = (X, Y) if name.endswith("2D") else (X,)

    def f(c: Any) -> Any:
        model = kind(*degrees, **dict(zip(names, c, strict=True)))
        slopes = np.asarray(model.fit_deriv(*x, *c))
        slopes = slopes if len(slopes) == X.size else slopes.T
        return np.asarray(model(*x), float), lambda dY: dY @ slopes

    return Case(f"{name}.fit_deriv", f, (draw(len(names)),), FAULTS.get(name, ""))


def cases() -> Iterator[Case]:
    """Yield the models that have derivatives."""
    for name, point in MODELS.items():
        yield _model(name, point)
    for name, degrees in POLYNOMIALS.items():
        yield _polynomial(name, degrees)
