"""pyGAM: links of generalised additive models."""

from collections.abc import Iterator

import numpy as np
from pygam import distributions, links

from experiments.studies.wild.case import Case, elementwise

__all__ = ["cases"]


def cases() -> Iterator[Case]:
    """Yield the slope of each link."""
    above, share = np.array([0.4, 0.9, 1.7, 3.1]), np.array([0.3, 1.2, 2.1, 2.8])
    normal, binomial = distributions.NormalDist(), distributions.BinomialDist(levels=3)
    for link, mu, dist in (
        (links.IdentityLink(), above, normal),
        (links.LogitLink(), share, binomial),
        (links.LogLink(), above, normal),
        (links.InverseLink(), above, normal),
        (links.InvSquaredLink(), above, normal),
    ):
        yield elementwise(
            f"{type(link).__name__}.gradient",
            lambda m, f=link, d=dist: f.link(m, d),
            lambda m, f=link, d=dist: f.gradient(m, d),
            mu,
        )
