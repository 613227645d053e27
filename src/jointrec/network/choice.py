"""From the vector of a task and the past of the row to a score for every candidate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from jointrec.batches import Candidates, HistoryBatch

from .precision import exact
from .table import gathered

CHOICE = 32
"""The width in which rows and candidates meet."""
PLACES = 8
"""Buckets of how many newer events there are; each is twice as wide as the one before."""
BOLD = 10.0
"""How much faster than others those weights move that say whether what was had comes again: from
zero they may have to reach never."""


@dataclass(frozen=True)
class Had:
    """What the past of the rows says of the candidates.

    :param vector: The history of each row.
    :param about: What an event about each of the things adds to a step of the history.
    :param values: What each of the things is by its categories, as numbers that are equal where the
        values are; the first thing, which is the unknown one, has those for no value.
    :param rows, things, kinds, places: The events of all rows one after another: whose it is, about
        which thing, of which kind, and in which bucket of newer events.
    """

    vector: Float[Tensor, "rows past"]
    about: Float[Tensor, "things past"]
    values: Int[Tensor, "things categories"]
    rows: Int[Tensor, "events"]
    things: Int[Tensor, "events"]
    kinds: Int[Tensor, "events"]
    places: Int[Tensor, "events"]

    @classmethod
    def of(
        cls,
        entity: str,
        history: HistoryBatch,
        at: Int[Tensor, "rows"],
        vector: Float[Tensor, "rows past"],
        about: Float[Tensor, "things past"],
        values: Int[Tensor, "things categories"],
    ) -> Had:
        """The events of a history that are about an entity, row by row.

        :param at: The moment of each row.
        """
        run, back = at, torch.zeros_like(at)
        if history.reads is not None:
            run, back = history.reads.run[at], history.reads.back[at]
        some = torch.nonzero(run >= 0).squeeze(1)
        run, back = run[some], back[some]
        steps = history.there.shape[1]
        newer = steps - 1 - torch.arange(steps) - back[:, None]
        row, step = torch.nonzero(history.there[run] & (newer >= 0), as_tuple=True)
        places = torch.log2(newer[row, step] + 1.0).long().clamp(max=PLACES - 1)
        kinds, things = history.kinds[run[row], step], history.objects[entity][run[row], step]
        return cls(vector, about, values, some[row], things, kinds, places)


class ChoiceHead(nn.Module):
    r"""A score for every candidate: how well it fits the row, what it is, how often it was chosen.

    .. math::
        s_{rc} = \frac{x_r \cdot c_c}{\sqrt{d}} + h_r \cdot e_c + b_c + \sum_{i \in r,\, i = c} w_i
            + \sum_f a_f \log(1 + m_{rcf}) + \sum_w p_w \log(1 + n_{cw})

    Row and candidate, :math:`x` and :math:`c`, are linear in the task's vector and in the
    candidate's fields, and so is what it is, :math:`b`. The history :math:`h` meets the candidate
    as it would stand in it, :math:`e`: what reads the past says what comes next, as in SASRec (Kang
    & McAuley, 2018). What was had already is more or less likely to come again, by the kind of
    event and how many came since: :math:`w`, summed over the events of the row that are about the
    candidate. What is like it counts too: :math:`m` is how many events of the row are about things
    with its value of category f (its brand, its kind), each counted by its kind of event. A vector
    could say the same, but has to be found first; one number a category is known from a few hundred
    rows. Before training only the counts of the longest window speak, and a whisper of the history:
    the answer is what was popular lately.

    :param width: The width of the vector that the task is given.
    :param size: The width of the fields of a candidate.
    :param windows: In how many windows choices are counted, the longest last.
    :param kinds: How many kinds of event a past has that may be about candidates; 0 for no past.
    :param categories: How many categories candidates have.
    """

    def __init__(
        self, width: int, size: int, windows: int, kinds: int = 0, categories: int = 0
    ) -> None:
        super().__init__()
        self.row = nn.Linear(width, CHOICE)
        self.candidate = nn.Linear(size, CHOICE)
        self.bias = nn.Linear(size, 1, bias=False)
        self.popularity = nn.Parameter(torch.zeros(windows))
        if kinds:
            self.kind = nn.Parameter(torch.zeros(kinds))
            self.place = nn.Parameter(torch.zeros(PLACES))
        self.alike = nn.Parameter(torch.zeros(categories)) if kinds and categories else None
        if self.alike is not None:
            self.loud = nn.Parameter(torch.zeros(kinds))
        with torch.no_grad():
            self.row.weight.zero_()
            self.row.bias.zero_()
            self.bias.weight.zero_()
            self.popularity[-1] = 1.0

    def forward(
        self,
        x: Float[Tensor, "rows width"],
        fields: Float[Tensor, "things size"],
        candidates: Candidates,
        had: Had | None = None,
    ) -> Float[Tensor, "rows candidates"]:
        """The scores of the candidates, corrected for the chance with which each is here."""
        with exact(x.device.type):  # candidates with equal digits could not be told apart
            return self._scores(x.to(self.row.weight.dtype), fields, candidates, had)

    def _scores(self, x: Tensor, fields: Tensor, candidates: Candidates, had: Had | None) -> Tensor:
        own = gathered(fields, candidates.positions)
        rows, things = self.row(x) / math.sqrt(CHOICE), self.candidate(own)
        if had is not None:
            about = gathered(had.about.to(rows.dtype), candidates.positions)
            rows = torch.cat([rows, had.vector.to(rows.dtype)], dim=1)
            things = torch.cat([things, about], dim=1)
        fit = rows @ things.T
        if had is not None:
            fit = self._again(fit, candidates.positions, had)
            fit = self._like_those(fit, candidates.positions, had)
        bias = self.bias(own).squeeze(1)
        if candidates.versions is not None:  # one score for each version; each row sees its own
            fit = fit.gather(1, candidates.versions[candidates.days])
            bias = gathered(bias[:, None], candidates.versions).squeeze(2)
        prior = candidates.counts @ self.popularity + bias
        if candidates.log_q is not None:
            prior = prior - candidates.log_q
        scores: Tensor = fit + gathered(prior, candidates.days)
        return scores

    def _again(
        self, fit: Float[Tensor, "rows positions"], positions: Int[Tensor, "positions"], had: Had
    ) -> Float[Tensor, "rows positions"]:
        """Adds what having had a candidate says. Another version of it is not it."""
        column = torch.full((len(had.about),), -1)
        column[positions] = torch.arange(len(positions))
        to = column[had.things]
        here = torch.nonzero((to >= 0) & (had.things > 0)).squeeze(1)
        weights = BOLD * (
            gathered(self.kind[:, None], had.kinds[here])
            + gathered(self.place[:, None], had.places[here])
        )
        at = had.rows[here] * fit.shape[1] + to[here]
        return fit.flatten().index_add(0, at, weights.squeeze(1)).view(fit.shape)

    def _like_those(
        self, fit: Float[Tensor, "rows positions"], positions: Int[Tensor, "positions"], had: Had
    ) -> Float[Tensor, "rows positions"]:
        """Adds what having had things with the same value of a category says."""
        if self.alike is None:
            return fit
        counts = gathered(self.loud.exp()[:, None], had.kinds).squeeze(1)
        for weight, values in zip(self.alike, had.values.T, strict=True):
            offered, column = torch.unique(values[positions], return_inverse=True)
            event = values[had.things]
            at = torch.searchsorted(offered, event).clamp(max=len(offered) - 1)
            here = torch.nonzero((offered[at] == event) & (event != values[0])).squeeze(1)
            cell = had.rows[here] * len(offered) + at[here]
            same = counts.new_zeros(len(fit) * len(offered)).index_add(0, cell, counts[here])
            said = BOLD * weight * torch.log1p(same).view(len(fit), len(offered))
            fit = fit + said.index_select(1, column)
        return fit
