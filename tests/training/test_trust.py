"""A vector counts by how often training met its id, in training and when it answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from shop_prepared import START, USERS, prepared, project

from jointrec.batches import Assembler
from jointrec.budget import Budget
from jointrec.errors import ProjectError
from jointrec.project import Table
from jointrec.splits import TRAIN
from jointrec.training import train
from jointrec.training.run import Run
from jointrec.training.trust import trust_in

K = 20.0


def test_an_id_counts_by_its_training_rows() -> None:
    _, planned, arrays = prepared()
    trust = trust_in(planned, arrays, K).numpy()
    met = np.zeros(USERS + 1)
    for grain in planned.grains:  # the slow way: row by row
        asked = arrays.asked[grain.name]
        if "user" not in grain.sees:
            continue
        for row in range(len(asked)):
            trains = any(
                asked.parts[task][row] == TRAIN and not np.isnan(asked.labels[task][row])
                for task in grain.tasks
            )
            met[asked.moments["user"].things[asked.at["user"][row]]] += trains
    users = trust[START["user"] : START["user"] + USERS + 1]
    np.testing.assert_allclose(users[1:], (met / (met + K))[1:], rtol=1e-6)
    assert users[0] == 1.0  # the vector that all strangers share
    assert (trust[START["tags"] : START["tags"] + 7] == 1.0).all()
    assert (trust[START["device"] :] == 1.0).all()


def test_a_thing_that_training_never_met_counts_nothing() -> None:
    shop, planned, arrays = prepared(project(table=Table(rare=K)))
    run = Run(shop, planned, arrays)
    rows = arrays.asked["impression"]
    batch = Assembler(arrays, planned, 3)([(rows, np.arange(40))])
    run.network.eval()
    with torch.no_grad():  # heads begin at 0
        for weight in run.network.parameters():
            weight += 0.3 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(0))
    told = run.network(batch)["click"].detach()
    run.network.table.weight[START["user"] + 1 : START["user"] + USERS + 1] += 1.0
    assert not torch.allclose(run.network(batch)["click"], told)
    run.network.table.weight[START["user"] + 1 : START["user"] + USERS + 1] -= 1.0
    run.network.trust[START["user"] + 1 : START["user"] + USERS + 1] = 0.0
    without = run.network(batch)["click"].detach()
    run.network.table.weight[START["user"] + 1 : START["user"] + USERS + 1] += 1.0
    torch.testing.assert_close(run.network(batch)["click"].detach(), without)


def test_trust_is_served_as_it_was_trained() -> None:
    shop, planned, arrays = prepared(project(table=Table(rare=K), budget=Budget(epochs=1)))
    network = train(shop, planned, arrays).networks["click"]
    torch.testing.assert_close(network.trust, trust_in(planned, arrays, K))
    assert "trust" in network.weights()
    plain = train(*prepared(project(budget=Budget(epochs=1)))).networks["click"]
    assert plain.trust is None
    assert "trust" not in plain.weights()


def test_a_k_below_zero_is_refused() -> None:
    with pytest.raises(ProjectError, match="rare"):
        replace(Table(), rare=-1.0)
