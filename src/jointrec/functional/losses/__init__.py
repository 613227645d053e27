"""Losses: how far the network's outputs are from what was seen, one number per row.

Every loss is a negative log likelihood in nats, not reduced, and of known labels: the caller picks
the known rows first, as a nan would travel into the gradient of every parameter.
"""

from .amounts import huber_log, lognormal, tweedie, zero_inflated_lognormal
from .chances import binary, binary_in_training, choice, members, multi
from .counts import negative_binomial, poisson
from .funnels import inverse_propensity
from .grades import log_odds_above, ordinal
from .lists import pairs_in_lists, softmax_in_lists
from .quantiles import pinball
from .scales import (
    DISPERSION_FLOOR,
    EXPONENT_LIMIT,
    GAP_FLOOR,
    SCALE_FLOOR,
    bounded_exp,
    dispersion,
    lognormal_scale,
    raw_of,
)
from .steps import digits, sequence
from .survival import survival

__all__ = [
    "DISPERSION_FLOOR",
    "EXPONENT_LIMIT",
    "GAP_FLOOR",
    "SCALE_FLOOR",
    "binary",
    "binary_in_training",
    "bounded_exp",
    "choice",
    "digits",
    "dispersion",
    "huber_log",
    "inverse_propensity",
    "log_odds_above",
    "lognormal",
    "lognormal_scale",
    "members",
    "multi",
    "negative_binomial",
    "ordinal",
    "pairs_in_lists",
    "pinball",
    "poisson",
    "raw_of",
    "sequence",
    "softmax_in_lists",
    "survival",
    "tweedie",
    "zero_inflated_lognormal",
]
