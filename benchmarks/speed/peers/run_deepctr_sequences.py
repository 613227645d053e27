"""DeepCTR-Torch on the sequence workload: its DIN, one task, with `fit`.

Its models for many tasks read no past. DIN asks the past of every row by the item of the row:
another model than JointRec's, so its speed is told for context.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from deepctr_torch.inputs import SparseFeat, VarLenSparseFeat
from deepctr_torch.models import DIN
from din import ASKED, TOP, columns, measure
from sequences import ITEMS, KINDS, LAST, SEQUENCE_BATCH, USERS

WIDTH = 16


def build() -> DIN:
    """The model, compiled."""
    own = [
        SparseFeat("user", USERS, WIDTH),
        SparseFeat("item", ITEMS + 1, WIDTH),
        SparseFeat("kind", KINDS + 1, WIDTH),
    ]
    past = [
        VarLenSparseFeat(
            SparseFeat(f"hist_{name}", size + 1, WIDTH, embedding_name=name), LAST,
            length_name="length",
        )
        for name, size in (("item", ITEMS), ("kind", KINDS))
    ]  # fmt: skip
    model = DIN([*own, *past], ["item", "kind"], dnn_hidden_units=TOP, att_hidden_size=ASKED)
    model.compile("adam", "binary_crossentropy")
    return model


def train(model: DIN, x: dict[str, np.ndarray], y: np.ndarray) -> Any:
    """One pass over these rows."""
    model.fit(x, y, batch_size=SEQUENCE_BATCH, epochs=1, verbose=0)


if __name__ == "__main__":
    measure(build, train, lambda *given: columns(*given, length=True), ("deepctr-torch", "torch"))
