"""Metrics: one number that says how good answers are, each by the same rule.

``metric(labels, answers, *, weights=None, groups=None) -> float``, in float64:

- ``labels [rows]``: what was seen; nan is unknown, and the row does not count.
- ``answers [rows]`` or ``[rows classes]``: what was said. One nan among those that count makes the
  metric nan, and so does an answer that cannot be one (a chance above 1 in a log loss).
- ``weights [rows]``: how often each row counts, 0 or more; None is once each. A row of weight zero
  is as if it were not there.
- ``groups [rows]``: whole numbers that say who a row belongs to. Only metrics within groups
  look at them: :func:`gauc` and :func:`ndcg_within`.

What is not defined (one class only, nothing known) is nan. Labels that cannot be labels of the
metric, negative weights and unequal lengths raise :class:`~jointrec.errors.DataError`. Rows may
come in any order and the result does not depend on it; rows already sorted by answer are faster,
which is how the bootstrap uses them.
"""

from .amount import bias, gini, mae, poisson_deviance, rmse, spearman, wape
from .grades import grade_mae, grade_spearman, kappa, ndcg_within, ranked_probability
from .probability import (
    accuracy,
    choice_log_loss,
    ece,
    log_loss,
    normalized_entropy,
    pcoc,
)
from .quantiles import coverage, middle_wape, over_coverage, pinball
from .ranking import auc, gauc, gauc_groups, macro_auc, pr_auc
from .retrieval import mrr, ndcg_at, pessimistic_rank, recall_at
from .sets import first_right, label_auc, label_ece, label_pcoc, multi_log_loss
from .shown import catalogue_coverage, novelty
from .steps import (
    sequence_auc,
    sequence_ece,
    sequence_log_loss,
    sequence_pcoc,
    step_auc,
    step_log_loss,
)
from .survival import c_index, incidence_ratio, integrated_brier

WITHIN_GROUPS = (gauc, ndcg_within)
"""The metrics that look at groups: faster where rows come group by group, then by answer."""
__all__ = [
    "accuracy",
    "auc",
    "bias",
    "c_index",
    "catalogue_coverage",
    "choice_log_loss",
    "coverage",
    "ece",
    "first_right",
    "gauc",
    "gauc_groups",
    "gini",
    "grade_mae",
    "grade_spearman",
    "incidence_ratio",
    "integrated_brier",
    "kappa",
    "label_auc",
    "label_ece",
    "label_pcoc",
    "log_loss",
    "macro_auc",
    "mae",
    "middle_wape",
    "mrr",
    "multi_log_loss",
    "ndcg_at",
    "ndcg_within",
    "normalized_entropy",
    "novelty",
    "over_coverage",
    "pcoc",
    "pessimistic_rank",
    "pinball",
    "poisson_deviance",
    "pr_auc",
    "ranked_probability",
    "recall_at",
    "rmse",
    "sequence_auc",
    "sequence_ece",
    "sequence_log_loss",
    "sequence_pcoc",
    "spearman",
    "step_auc",
    "step_log_loss",
    "wape",
]
