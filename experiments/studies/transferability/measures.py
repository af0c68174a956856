"""What the curves say: the gain over scratch, whether a pair is symmetric, and whether tasks or networks decide.

    gain(s → t, l) = 100 (scratch(t) − error(s → t, l)) / scratch(t)       percent of the errors from scratch avoided

Relative, because targets differ in how far errors can fall; within a seed, because source and scratch share their
target's examples, order of batches and head. Below zero, holding these layers is worse than having none. Beside
"random" in place of "scratch" it is the errors with as many layers of the untrained network held that are avoided: what
the source's layers have over random ones, however well or badly the target does on these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Literal

import numpy as np

from experiments.frame.long_form import Findings
from experiments.frame.statistics import Paired, paired
from experiments.studies.transferability.design import UNTRAINED, Group, freezing_label, pair_setting

__all__ = ["Beside", "Shares", "Symmetry", "asymmetry", "gains", "shares", "symmetry"]

Beside = Literal["scratch", "random"]

Gains = Mapping[tuple[str, str], dict[int, float]]
"""{(source, target): {seed: percent}}."""


def gains(found: Findings, group: Group, hidden: tuple[int, ...], layers: int, beside: Beside = "scratch") -> Gains:
    """Return the gain of every pair of a group, and from an untrained network, that has been measured."""
    all_gains = {}
    for source, target in product(group.sources, group.tasks):
        errors = found.values(pair_setting(source, target, hidden), freezing_label(layers))
        known = found.values(
            pair_setting(UNTRAINED, target, hidden), freezing_label(0 if beside == "scratch" else layers)
        )
        both = sorted(errors.keys() & known.keys())
        all_gains[source, target] = {seed: 100 * (1 - errors[seed] / known[seed]) for seed in both if known[seed]}
    return all_gains


def asymmetry(of: Gains, tasks: Sequence[str]) -> dict[tuple[str, str], Paired]:
    """Return gain(a → b) − gain(b → a) of every two tasks, with its interval over the seeds."""
    return {(a, b): paired(of[a, b], of[b, a]) for a, b in combinations(tasks, 2)}


@dataclass(frozen=True)
class Symmetry:
    """A test of "every pair is symmetric": F with its degrees of freedom, and its p; nan where it cannot be made."""

    F: float
    between: int
    within: int
    p: float


def symmetry(of: Gains, tasks: Sequence[str]) -> Symmetry:
    """Test whether gain(a → b) equals gain(b → a) in all pairs at once.

    With d_ps the difference of pair p in seed s, for m pairs and n seeds: were every pair symmetric, its mean over the
    seeds would be zero but for what seeds differ by, and F = (n Σ_p d̄_p² / m) / (Σ_ps (d_ps − d̄_p)² / (m (n − 1)))
    would have Fisher's distribution with m and m (n − 1) degrees of freedom.
    """
    from scipy import stats  # a second BLAS library: not in the workers

    pairs = list(combinations(tasks, 2))
    seeds = sorted(set.intersection(*(of[p].keys() & of[p[::-1]].keys() for p in pairs))) if pairs else []
    m, n = len(pairs), len(seeds)
    if n < 2:
        return Symmetry(float("nan"), m, m * max(n - 1, 0), float("nan"))
    d = np.array([[of[a, b][seed] - of[b, a][seed] for seed in seeds] for a, b in pairs])  # (m, n)
    centres = d.mean(1, keepdims=True)
    spread = ((d - centres) ** 2).sum() / (m * (n - 1))
    F = float(n * (centres**2).sum() / m / spread) if spread else float("inf")
    return Symmetry(F, m, m * (n - 1), float(stats.f.sf(F, m, m * (n - 1))))


@dataclass(frozen=True)
class Shares:
    """Parts of the variance of gains, which sum to one: by pair of tasks, network, both together, seed."""

    pair: float
    network: float
    together: float
    seed: float


def shares(per_network: Sequence[Gains], pairs: Sequence[tuple[str, str]]) -> Shares | None:
    """Divide the variance of the gains of some pairs over networks and seeds (two-way analysis of variance, η²).

    None where a seed is not there in every network and pair, or there are fewer than two networks or pairs.
    """
    seeds = set.intersection(*(set(of[pair]) for of in per_network for pair in pairs)) if per_network and pairs else ()
    if len(per_network) < 2 or len(pairs) < 2 or not seeds:
        return None
    g = np.array([[[of[pair][seed] for seed in sorted(seeds)] for of in per_network] for pair in pairs])
    g = g - g.mean()  # (pairs, networks, seeds)
    total = float((g**2).mean())
    by_pair, by_network = g.mean((1, 2)), g.mean((0, 2))
    cell = g.mean(2)
    rest = cell - by_pair[:, None] - by_network
    parts = [float((x**2).mean()) / total for x in (by_pair, by_network, rest, g - cell[..., None])]
    return Shares(*parts)
