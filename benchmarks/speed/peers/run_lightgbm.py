"""LightGBM, for context: one model of trees for each task, of its known labels.

It has no steps and no passes; what is timed is all of its training, the reading of its table too.
"""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
from job import Job, main

TREES, LEAVES, PATIENCE, VALID = 300, 63, 20, 50
"""At most so many trees of so many leaves; none more after 20 without a gain on the last 1/50."""


class Trees:
    """Ids are native categories; the amount is learned as its logarithm."""

    packages = ("lightgbm", "numpy")

    def __init__(self, job: Job) -> None:
        self.models: list[lgb.Booster] = []

    def train(self, ids: np.ndarray, numbers: np.ndarray, labels: np.ndarray) -> None:
        x = np.concatenate([ids, numbers], axis=1, dtype=np.float32)
        self.models = []
        for task in range(labels.shape[1]):
            y = np.log1p(labels[:, task]) if task == 3 else labels[:, task]
            known = ~np.isnan(y)
            own, labelled = x[known], y[known]
            cut = len(own) - len(own) // VALID
            kinds = list(range(ids.shape[1]))
            rows = lgb.Dataset(own[:cut], labelled[:cut], categorical_feature=kinds)
            valid = lgb.Dataset(own[cut:], labelled[cut:], reference=rows)
            settings = {
                "objective": "regression" if task == 3 else "binary",
                "num_leaves": LEAVES, "num_threads": 1, "verbosity": -1, "seed": 0,
            }  # fmt: skip
            stop = lgb.early_stopping(PATIENCE, verbose=False)
            model = lgb.train(settings, rows, TREES, valid_sets=[valid], callbacks=[stop])
            self.models.append(model)

    def score(self, ids: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        x = np.concatenate([ids, numbers], axis=1, dtype=np.float32)
        return np.stack([model.predict(x, num_threads=1) for model in self.models], axis=1)


if __name__ == "__main__":
    main(Trees)
