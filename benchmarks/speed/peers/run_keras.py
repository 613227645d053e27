"""Keras: a functional model, `model.fit` and `model.predict`, as its guides have them.

The MMoE of every system, or with ``--dense`` the first model of many a shop: an Embedding for each
column, Concatenate, Dense(128), a head for each yes-or-no label.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np
import tensorflow as tf
from job import BATCH, EXPERTS, RATE, SCORED, TOWER, WIDTH, WIDTHS, Job, main
from keras import layers
from workload import BINARY, CATEGORIES, NUMBERS, TASKS

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)


class Keras:
    """Unknown labels are left out by a weight of 0 for each output."""

    packages = ("keras", "tensorflow-cpu", "numpy")

    def __init__(self, job: Job, dense: bool) -> None:
        keras.utils.set_random_seed(0)
        self.tasks = BINARY if dense else TASKS
        ids = [keras.Input((), name=name, dtype="int32") for name in CATEGORIES]
        numbers = keras.Input((NUMBERS,), name="numbers")
        vectors = [
            layers.Embedding(size, WIDTH)(column)
            for size, column in zip(job.sizes(), ids, strict=True)
        ]
        x = layers.Concatenate()([*vectors, numbers])
        outputs = small(x, self.tasks) if dense else mmoe(x, self.tasks)
        self.model = keras.Model([*ids, numbers], outputs)
        losses = {task: "mse" if task == TASKS[3] else "binary_crossentropy" for task in self.tasks}
        self.model.compile(optimizer=keras.optimizers.Adam(RATE), loss=losses)

    def train(self, ids: np.ndarray, numbers: np.ndarray, labels: np.ndarray) -> None:
        known = ~np.isnan(labels)
        y = np.nan_to_num(labels, nan=0.0)
        y[:, 3] = np.log1p(y[:, 3])
        self.model.fit(
            columns(ids, numbers),
            {task: y[:, n] for n, task in enumerate(self.tasks)},
            sample_weight={
                task: known[:, n].astype(np.float32) for n, task in enumerate(self.tasks)
            },
            batch_size=BATCH,
            epochs=1,
            verbose=0,
        )

    def score(self, ids: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        found = self.model.predict(columns(ids, numbers), batch_size=SCORED, verbose=0)
        return np.concatenate([found[task] for task in self.tasks], axis=1)


def mmoe(x: keras.KerasTensor, tasks: tuple[str, ...]) -> dict[str, keras.KerasTensor]:
    """Experts for all, a gate and a tower for each task."""
    experts = []
    for _ in range(EXPERTS):
        h = layers.Dense(WIDTHS[0], activation="relu")(x)
        experts.append(layers.Dense(WIDTHS[1], activation="relu")(h))
    stacked = layers.Lambda(lambda given: keras.ops.stack(given, axis=1))(experts)
    outputs = {}
    for task in tasks:
        shares = layers.Dense(EXPERTS, activation="softmax")(x)
        mixed = layers.Dot(axes=(1, 1))([shares, stacked])
        tower = layers.Dense(TOWER, activation="relu")(mixed)
        last = None if task == TASKS[3] else "sigmoid"
        outputs[task] = layers.Dense(1, activation=last, name=task)(tower)
    return outputs


def small(x: keras.KerasTensor, tasks: tuple[str, ...]) -> dict[str, keras.KerasTensor]:
    """One layer for all, one more for each task."""
    h = layers.Dense(128, activation="relu")(x)
    return {task: layers.Dense(1, activation="sigmoid", name=task)(h) for task in tasks}


def columns(ids: np.ndarray, numbers: np.ndarray) -> list[np.ndarray]:
    """The inputs in their order."""
    return [*(np.ascontiguousarray(ids[:, n]) for n in range(ids.shape[1])), numbers]


if __name__ == "__main__":
    first = "--dense" in sys.argv
    sys.argv = [word for word in sys.argv if word != "--dense"]
    main(lambda job: Keras(job, first))
