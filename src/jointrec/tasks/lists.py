"""The order within a list, learned beside each answer by itself."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float, Int
from torch import Tensor

from jointrec.errors import ProjectError, nearest
from jointrec.functional import losses

ListLoss = Literal["softmax", "pairs"]
LIST_LOSSES = {"softmax": losses.softmax_in_lists, "pairs": losses.pairs_in_lists}


def check_list_loss(listwise: float, list_loss: str) -> None:
    """Refuses a share that is none, and a loss that there is not.

    :raises ProjectError: saying what is allowed.
    """
    if not 0 <= listwise < 1:
        raise ProjectError(f"`listwise` should be 0 or more and below 1. Found `{listwise}`.")
    if list_loss not in LIST_LOSSES:
        raise ProjectError(
            f"`list_loss` should be one of {', '.join(LIST_LOSSES)}. Found `{list_loss}`."
            f"{nearest(str(list_loss), LIST_LOSSES)}"
        )


def list_loss_of(
    name: str,
    scores: Float[Tensor, "rows"],
    gains: Float[Tensor, "rows"],
    lists: Int[Tensor, "rows"],
) -> Float[Tensor, "rows"]:
    """The loss of that name."""
    return LIST_LOSSES[name](scores, gains, lists)
