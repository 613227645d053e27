"""Names that could be taken for what is computed, for a path or for a command are refused."""

from __future__ import annotations

import pytest

import jointrec as jr
from jointrec import features as f
from jointrec import tasks as t
from jointrec.errors import ProjectError
from jointrec.plan import plan


def told(entity: str = "user", column: str = "age") -> str:
    shop = jr.Project(
        entity={entity: jr.Entity("users.csv", key="id", features={column: f.Number()})},
        tasks={"loyal": t.Binary(f"{entity}.loyal")},
    )
    with pytest.raises(ProjectError) as caught:
        plan(shop)
    return str(caught.value)


@pytest.mark.parametrize(
    "name", ["../../x", "a/b", "a\\b", "@key", "", "a\x1b[31m", "a\0", "\u202ea"]
)
def test_a_table_is_named_so_that_a_file_can_be_named_after_it(name: str) -> None:
    assert "Rename it." in told(entity=name)


@pytest.mark.parametrize("name", ["@key", "@time", "*", "^.*$", "a\0", "\u202eage"])
def test_a_column_is_named_so_that_it_cannot_be_taken_for_another(name: str) -> None:
    assert "cannot be told from what is computed" in told(column=name)


def test_names_of_all_languages_are_fine() -> None:
    for name in ("价格　元", "größe (cm)", "a.b", "x*y", "naïve?"):
        plan(
            jr.Project(
                entity={"user": jr.Entity("u.csv", key="id", features={name: f.Number()})},
                tasks={"loyal": t.Binary("user.loyal")},
            )
        )
