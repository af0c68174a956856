"""How weights begin: each initialiser draws the parameters of one linear layer."""

from collections.abc import Callable

import numpy as np

from npnet.layers import Parameters

__all__ = ["INITIALISERS", "Initialiser", "glorot", "he", "normal", "uniform_fan_in"]

Initialiser = Callable[[np.random.Generator, int, int], Parameters]


def glorot(rng: np.random.Generator, fan_in: int, fan_out: int) -> Parameters:
    """W uniform on ±√(6 / (fan_in + fan_out)), b zero. Source: Glorot and Bengio 2010, equation 16."""
    limit = (6 / (fan_in + fan_out)) ** 0.5
    return {"W": rng.uniform(-limit, limit, (fan_in, fan_out)), "b": np.zeros(fan_out)}


def he(rng: np.random.Generator, fan_in: int, fan_out: int) -> Parameters:
    """W normal with standard deviation √(2 / fan_in), b zero. Source: He et al. 2015, equation 10."""
    return {"W": rng.normal(0, (2 / fan_in) ** 0.5, (fan_in, fan_out)), "b": np.zeros(fan_out)}


def uniform_fan_in(rng: np.random.Generator, fan_in: int, fan_out: int) -> Parameters:
    """W and b uniform on ±1/√fan_in: LeCun's rule as Torch made it common, biases included."""
    limit = fan_in**-0.5
    return {"W": rng.uniform(-limit, limit, (fan_in, fan_out)), "b": rng.uniform(-limit, limit, fan_out)}


def normal(rng: np.random.Generator, fan_in: int, fan_out: int, deviation: float = 0.01) -> Parameters:
    """W normal with a fixed standard deviation, b zero."""
    return {"W": rng.normal(0, deviation, (fan_in, fan_out)), "b": np.zeros(fan_out)}


INITIALISERS: dict[str, Initialiser] = {"glorot": glorot, "he": he, "uniform_fan_in": uniform_fan_in, "normal": normal}
"""The initialisations by name."""
