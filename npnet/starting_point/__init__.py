"""Towards the starting point: what mattered to old tasks, and the penalties that keep shared weights near it."""

from npnet.starting_point.fisher import fisher_information, remember
from npnet.starting_point.method import starting_point
from npnet.starting_point.path_integral import PathIntegral, path_importance
from npnet.starting_point.recipes import CONVENTIONS, RECIPES, Recipe

__all__ = [
    "CONVENTIONS",
    "RECIPES",
    "PathIntegral",
    "Recipe",
    "fisher_information",
    "path_importance",
    "remember",
    "starting_point",
]
