"""From the vector of a task to its outputs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import silu

from jointrec.batches import Candidates

from .precision import exact
from .table import gathered

TOWER = 32
"""The width of a task's own layer."""

CHOICE = 32
"""The width in which rows and candidates meet."""


class Head(nn.Module):
    """A small network of a task's own. Before training it gives the best constant answer.

    :param width: The width of the vector that the task is given.
    :param constant: The outputs that it starts from.
    """

    def __init__(self, width: int, constant: Sequence[float]) -> None:
        super().__init__()
        self.inner = nn.Linear(width, TOWER)
        self.outer = nn.Linear(TOWER, len(constant))
        with torch.no_grad():
            self.outer.weight.zero_()
            self.outer.bias.copy_(torch.tensor(constant))

    def forward(self, x: Float[Tensor, "rows width"]) -> Float[Tensor, "rows size"]:
        """The outputs of each row."""
        inner = silu(self.inner(x)).to(self.outer.weight.dtype)
        with exact(x.device.type):  # three digits would not do for a logit
            outputs: Tensor = self.outer(inner)
        return outputs


class ChoiceHead(nn.Module):
    """A score for every candidate: how well it fits the row, what it is, how often it was chosen.

    ``score = row · candidate / sqrt(d) + bias(candidate) + weights · log(1 + counts)``, where
    row and candidate are linear in the task's vector and in the candidate's fields. Before training
    only the counts of the longest window speak: the answer is what was popular lately.

    :param width: The width of the vector that the task is given.
    :param size: The width of the fields of a candidate.
    :param windows: In how many windows choices are counted, the longest last.
    """

    def __init__(self, width: int, size: int, windows: int) -> None:
        super().__init__()
        self.row = nn.Linear(width, CHOICE)
        self.candidate = nn.Linear(size, CHOICE)
        self.bias = nn.Linear(size, 1, bias=False)
        self.popularity = nn.Parameter(torch.zeros(windows))
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
    ) -> Float[Tensor, "rows candidates"]:
        """The scores of the candidates, corrected for the chance with which each is here."""
        with exact(x.device.type):  # candidates with equal digits could not be told apart
            return self._scores(x.to(self.row.weight.dtype), fields, candidates)

    def _scores(self, x: Tensor, fields: Tensor, candidates: Candidates) -> Tensor:
        own = gathered(fields, candidates.positions)
        fit = self.row(x) @ self.candidate(own).T / math.sqrt(CHOICE)
        bias = self.bias(own).squeeze(1)
        if candidates.versions is not None:  # one score for each version; each row sees its own
            fit = fit.gather(1, candidates.versions[candidates.days])
            bias = gathered(bias[:, None], candidates.versions).squeeze(2)
        prior = candidates.counts @ self.popularity + bias
        if candidates.log_q is not None:
            prior = prior - candidates.log_q
        scores: Tensor = fit + gathered(prior, candidates.days)
        return scores
