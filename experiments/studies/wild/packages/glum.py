"""glum: links and distributions of generalised linear models."""

from collections.abc import Iterator
from functools import partial

import numpy as np
from glum import _distribution as dist
from glum import _link as links

from experiments.studies.wild.case import Case, elementwise

__all__ = ["cases"]

Z = np.array([-1.3, -0.4, 0.3, 1.1])
P = np.array([0.13, 0.37, 0.62, 0.88])
ABOVE = np.array([0.4, 0.9, 1.7, 3.1])
Y = np.array([1.0, 2.0, 0.5, 3.0])


def cases() -> Iterator[Case]:
    """Yield derivatives of links and their inverses, of variances and deviances."""
    for link, mu, z in (
        (links.IdentityLink(), ABOVE, Z),
        (links.LogLink(), ABOVE, Z),
        (links.LogitLink(), P, Z),
        (links.CloglogLink(), P, Z),
        (links.TweedieLink(1.5), ABOVE, ABOVE),
    ):
        name = type(link).__name__
        yield elementwise(f"{name}.derivative", link.link, lambda m, f=link: f.derivative(m) * np.ones(m.shape), mu)
        yield elementwise(f"{name}.inverse_derivative", link.inverse, link.inverse_derivative, z)
        yield elementwise(f"{name}.inverse_derivative2", link.inverse_derivative, link.inverse_derivative2, z)
    for family, mu, y in (
        (dist.NormalDistribution(), ABOVE, Y),
        (dist.PoissonDistribution(), ABOVE, Y),
        (dist.GammaDistribution(), ABOVE, Y),
        (dist.InverseGaussianDistribution(), ABOVE, Y),
        (dist.TweedieDistribution(1.5), ABOVE, Y),
        (dist.BinomialDistribution(), P, np.array([0.0, 1.0, 1.0, 0.0])),
        (dist.NegativeBinomialDistribution(0.7), ABOVE, Y),
        (dist.GeneralizedHyperbolicSecant(), ABOVE, Y),
    ):
        name = type(family).__name__
        yield elementwise(f"{name}.unit_variance_derivative", family.unit_variance, family.unit_variance_derivative, mu)
        yield elementwise(
            f"{name}.unit_deviance_derivative",
            partial(family.unit_deviance, y),
            partial(family.unit_deviance_derivative, y),
            mu,
            fault="θ is a single-precision number, and 1/θ is rounded to that again" if "NegativeB" in name else "",
            reason="type(θ) is numpy.float32: an error of 4e-9" if "NegativeB" in name else "",
        )
