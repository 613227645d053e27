"""The databases that tests of sources read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import servers


@pytest.fixture(scope="session")
def postgresql() -> Iterator[servers.Server]:
    with servers.postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[servers.Server]:
    with servers.mariadb() as server:
        yield server


@pytest.fixture(params=["postgresql", "mariadb"])
def server(request: pytest.FixtureRequest) -> servers.Server:
    """Each of the two servers."""
    found: servers.Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["postgresql", "mariadb", "sqlite", "duckdb"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> servers.Server:
    """Each of the four kinds of database; relative paths start from `tmp_path`."""
    if request.param in ("sqlite", "duckdb"):
        return getattr(servers, request.param)(tmp_path)
    found: servers.Server = request.getfixturevalue(request.param)
    return found
