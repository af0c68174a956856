"""Matching a teacher or a former self: terms of an objective, and the methods made of them.

Reading order: targets, terms, match, several, objective; maps, jacobians, jacobian_term; then the methods.
"""

from npnet.matching.activation_matching import activation_matching
from npnet.matching.attention_transfer import attention_transfer
from npnet.matching.distillation import distillation
from npnet.matching.jacobian_matching import jacobian_matching
from npnet.matching.jacobians import input_gradient, jacobian
from npnet.matching.match import Match
from npnet.matching.objective import Terms, add_terms
from npnet.matching.without_forgetting import without_forgetting

__all__ = [
    "Match",
    "Terms",
    "activation_matching",
    "add_terms",
    "attention_transfer",
    "distillation",
    "input_gradient",
    "jacobian",
    "jacobian_matching",
    "without_forgetting",
]
