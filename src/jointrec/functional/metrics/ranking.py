"""Metrics of order: do the rows that happened stand above the rows that did not."""

import numpy as np
from numpy.typing import NDArray

from .rows import (
    NAN,
    Codes,
    Column,
    Floats,
    Table,
    ascending,
    chance_above,
    classes,
    first_of_ties,
    known,
    yes_or_no,
)


def auc(
    labels: Column, answers: Column, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    r"""The chance that a row that happened is answered higher than one that did not.

    .. math:: P(a_+ > a_-) + \tfrac12 P(a_+ = a_-)

    The area under the ROC curve (Hanley and McNeil 1982). From 0 to 1; 0.5 is guessing, 1 is best.
    Nan where only one class is known.

    :param labels: 1 happened, 0 did not, nan unknown.
    :param answers: Anything that orders rows: chances or logits.

    >>> auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))  # 3 of 4 pairs are right
    0.75
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    happened = rows.weights * yes_or_no(rows, "auc").labels
    return chance_above(rows.answers, happened, rows.weights - happened)


def gauc(
    labels: Column, answers: Column, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    r"""The AUC inside each group (user), averaged: does the order that one person sees hold.

    .. math:: \sum_g W_g \, \mathrm{AUC}_g \Big/ \sum_g W_g

    over the groups in which both classes are known, with :math:`W_g` the weight of the group's
    rows; Zhu et al. (2017), https://arxiv.org/abs/1703.02091. From 0 to 1; 0.5 is guessing. Say
    beside it how many groups it is about: :func:`gauc_groups`. Nan where no group has both classes
    or no groups are given.

    :param labels: 1 happened, 0 did not, nan unknown.
    :param groups: Any whole numbers; rows with the same one belong together.

    >>> user = np.array([7, 7, 8, 8, 9])  # right for 7, wrong for 8, one class only for 9
    >>> gauc(np.array([0, 1, 0, 1, 1]), np.array([0.1, 0.2, 0.9, 0.8, 0.7]), groups=user)
    0.5
    """
    rows = known(labels, answers, weights, groups)
    if rows is None or rows.groups is None:
        return NAN
    happened = rows.weights * yes_or_no(rows, "gauc").labels
    order = _within_groups(rows.groups, rows.answers)
    member, answer = rows.groups[order], rows.answers[order]

    ties = first_of_ties(member, answer)
    yes = np.add.reduceat(happened[order], ties)
    no = np.add.reduceat((rows.weights - happened)[order], ties)
    first = first_of_ties(member[ties])
    below = np.cumsum(no) - no / 2
    # The running sum goes over all groups: take off what stood before the group began.
    below -= np.repeat(below[first] - no[first] / 2, np.diff(first, append=len(ties)))

    group_yes, group_no = np.add.reduceat(yes, first), np.add.reduceat(no, first)
    pairs = group_yes * group_no
    both = pairs > 0
    if not both.any():
        return NAN
    areas = np.add.reduceat(yes * below, first)[both] / pairs[both]
    return float(np.average(areas, weights=(group_yes + group_no)[both]))


def _within_groups(groups: NDArray[np.integer], answers: Floats) -> NDArray[np.int64]:
    """An order by group, and by answer inside a group.

    Sorting one packed whole number per row is several times faster than ``lexsort``, and the
    bootstrap asks for it hundreds of times.
    """
    rows = len(groups)
    later, same = groups[1:] > groups[:-1], groups[1:] == groups[:-1]
    if (later | (same & (answers[1:] >= answers[:-1]))).all():
        return np.arange(rows)
    order: NDArray[np.int64] = np.arange(rows)[ascending(answers)]
    codes = groups.astype(np.int64)[order]
    low, high = int(codes.min()), int(codes.max())
    if high - low >= 2**62 // rows:
        codes, low = np.unique(codes, return_inverse=True)[1], 0
    packed = (codes - low) * rows + np.arange(rows)
    packed.sort()
    sorted_order: NDArray[np.int64] = order[packed % rows]
    return sorted_order


def gauc_groups(labels: Column, groups: Codes) -> tuple[int, int]:
    """How many groups :func:`gauc` is about, and how many there are: those with both classes, all.

    Only rows with a known label are looked at.

    >>> gauc_groups(np.array([0, 1, 1, np.nan]), np.array([7, 7, 8, 9]))
    (1, 2)
    """
    rows = known(labels, np.zeros(len(labels)), None, groups)
    if rows is None or rows.groups is None:
        return 0, 0
    happened = yes_or_no(rows, "gauc_groups").labels
    codes = np.unique(rows.groups, return_inverse=True)[1]
    size, yes = np.bincount(codes), np.bincount(codes, weights=happened)
    return int(((yes > 0) & (yes < size)).sum()), len(size)


def pr_auc(
    labels: Column, answers: Column, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    r"""How pure the top of the order is, for things that are rare: average precision.

    .. math:: \sum_k (R_k - R_{k-1}) P_k

    over the distinct answers from the highest down, with recall R and precision P of all rows at or
    above them (Davis and Goadrich 2006; no interpolation). From 0 to 1; the base rate is guessing.
    Nan where only one class is known.

    :param labels: 1 happened, 0 did not, nan unknown.

    >>> round(pr_auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])), 4)  # (1 + 2/3) / 2
    0.8333
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    happened = rows.weights * yes_or_no(rows, "pr_auc").labels
    if not 0 < rows.labels.mean() < 1:
        return NAN
    order = ascending(rows.answers)
    ties = first_of_ties(rows.answers[order])
    yes = np.add.reduceat(happened[order], ties)[::-1]
    all_rows = np.add.reduceat(rows.weights[order], ties)[::-1]
    precision = np.cumsum(yes) / np.cumsum(all_rows)
    return float(np.dot(yes, precision) / yes.sum())


def macro_auc(
    labels: Column, answers: Table, *, weights: Column | None = None, groups: Codes | None = None
) -> float:
    r"""The AUC of each class against all others, averaged: every class counts the same.

    .. math:: \frac{1}{|C|} \sum_{c \in C} \mathrm{AUC}([y = c], a_c)

    over the classes C that some known row has and some has not. From 0 to 1; 0.5 is guessing. Nan
    where only one class is known.

    :param labels: The number of the class, from 0; nan unknown.
    :param answers: A chance or logit for each class.

    >>> macro_auc(np.array([0, 1, 2]), np.array([[.8, .1, .1], [.2, .7, .1], [.6, .3, .1]]))
    0.8333333333333334
    """
    rows = known(labels, answers, weights, groups)
    if rows is None:
        return NAN
    codes = classes(rows, "macro_auc")
    seen = np.unique(codes)
    if len(seen) < 2:
        return NAN
    areas = []
    for code in seen:
        happened = rows.weights * (codes == code)
        areas.append(chance_above(rows.answers[:, code], happened, rows.weights - happened))
    return float(np.mean(areas))
