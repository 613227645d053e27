"""DeepCTR-Torch: its MMOE, with `fit` and `predict`."""

from __future__ import annotations

import numpy as np
from deepctr_torch.inputs import DenseFeat, SparseFeat
from deepctr_torch.models import MMOE
from job import BATCH, EXPERTS, SCORED, TOWER, WIDTH, WIDTHS, Job, known_or_zero, main
from workload import CATEGORIES, NUMERICS, TASKS


class DeepCTR:
    """Its ids travel as float32, and its whole tables are regularised in every step."""

    packages = ("deepctr-torch", "torch", "numpy")

    def __init__(self, job: Job) -> None:
        features = [
            SparseFeat(c, n, embedding_dim=WIDTH)
            for c, n in zip(CATEGORIES, job.sizes(), strict=True)
        ]
        features += [DenseFeat(name, 1) for name in NUMERICS]
        self.model = MMOE(
            features,
            num_experts=EXPERTS,
            expert_dnn_hidden_units=WIDTHS,
            gate_dnn_hidden_units=(),
            tower_dnn_hidden_units=(TOWER,),
            task_types=["binary"] * 3 + ["regression"],
            task_names=list(TASKS),
        )
        self.model.compile("adam", loss=["binary_crossentropy"] * 3 + ["mse"])

    def train(self, ids: np.ndarray, numbers: np.ndarray, labels: np.ndarray) -> None:
        y = known_or_zero(labels)
        self.model.fit(columns(ids, numbers), y, batch_size=BATCH, epochs=1, verbose=0)

    def score(self, ids: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        return self.model.predict(columns(ids, numbers), batch_size=SCORED)


def columns(ids: np.ndarray, numbers: np.ndarray) -> dict[str, np.ndarray]:
    """A column for each feature, as the library reads them."""
    found = {name: ids[:, n] for n, name in enumerate(CATEGORIES)}
    return found | {name: numbers[:, n] for n, name in enumerate(NUMERICS)}


if __name__ == "__main__":
    main(DeepCTR)
