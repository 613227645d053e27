"""What training reads, lent to other processes of the same run: numbers in files that they map.

Unlike what is handed over (`jointrec.prepare.delivery`) it is read only while the run lasts, by the
version that wrote it, and only by those who train: keys and words stay behind.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from jointrec.features import Bags
from jointrec.plan import Plan

from .preparation import layout_from_json, layout_to_json
from .prepared import Asked, Fields, Moments, Past, Popularity, Prepared, Things
from .timeline import Timeline
from .versions import Versions

ABOUT = "prepared.json"
Arrays = Mapping[str, np.ndarray]


def lend(folder: Path, prepared: Prepared) -> None:
    """Writes what training reads to a folder, which takes as many bytes as the arrays.

    :raises OSError: where there is no room for it.
    """
    files = _Files(folder)
    things = {
        name: {
            "rows": len(own.keys),
            "fields": files.fields(own.fields),
            "versions": None if own.versions is None else files.versions(own.versions),
        }
        for name, own in prepared.things.items()
    }
    past = {name: files.plain(own) for name, own in prepared.past.items()}
    popularity = {
        task: {"first_day": own.first_day, "counts": files.add(own.counts)}
        for task, own in prepared.popularity.items()
    }
    about = {
        "layout": layout_to_json(prepared.layout),
        "things": things,
        "past": past,
        "popularity": popularity,
        "asked": {name: files.asked(own) for name, own in prepared.asked.items()},
    }
    (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")


def borrow(folder: Path, plan: Plan) -> Prepared:
    """What :func:`lend` wrote, as arrays that are mapped. Keys are unknown, and there are no words.

    :param plan: That of the project that was prepared.
    """
    about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    files = _Files(folder)
    grains = {grain.name: grain for grain in plan.grains}
    return Prepared(
        layout=layout_from_json(about["layout"]),
        things={
            name: Things(
                pl.Series("key", [None], pl.String).new_from_index(0, own["rows"]),
                files.fields_at(own["fields"]),
                {},
                None if own["versions"] is None else files.versions_at(own["versions"]),
            )
            for name, own in about["things"].items()
        },
        past={name: Past(**files.plain_at(own)) for name, own in about["past"].items()},
        popularity={
            task: Popularity(own["first_day"], files.at(own["counts"]))
            for task, own in about["popularity"].items()
        },
        asked={
            name: Asked(grain=grains[name], **files.asked_at(own))
            for name, own in about["asked"].items()
        },
    )


class _Files:
    """A file for each array, and names for what is made of several."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0

    def add(self, array: np.ndarray) -> int:
        self._count += 1
        np.save(self._folder / f"{self._count}.npy", array)
        return self._count

    def at(self, number: int) -> np.ndarray:
        path = self._folder / f"{number}.npy"
        try:
            # Not `np.memmap` any longer: a plain array, whose slices are plain as well.
            return np.asarray(np.load(path, mmap_mode="r"))
        except ValueError:  # nothing of no size can be mapped
            whole: np.ndarray = np.load(path)
            return whole

    def plain(self, of: Any) -> dict[str, Any]:
        """An object of nothing but arrays, one array more or less, and arrays by name."""
        return {field.name: self._any(getattr(of, field.name)) for field in fields_of(of)}

    def plain_at(self, told: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._any_at(one) for name, one in told.items()}

    def fields(self, fields: Fields) -> dict[str, Any]:
        bags = [self.plain(bag) for bag in fields.bags]
        return {"ids": self.add(fields.ids), "bags": bags, "numbers": self.add(fields.numbers)}

    def fields_at(self, told: Mapping[str, Any]) -> Fields:
        bags = tuple(Bags(**self.plain_at(bag)) for bag in told["bags"])
        return Fields(self.at(told["ids"]), bags, self.at(told["numbers"]))

    def versions(self, versions: Versions) -> dict[str, Any]:
        line = {
            name: getattr(versions.line, name) for name in ("keys", "offsets", "times", "order")
        }
        return {"codes": self.add(versions.codes), "line": self._any(line)}

    def versions_at(self, told: Mapping[str, Any]) -> Versions:
        line = Timeline(**self.plain_at(told["line"]), sums={})
        return Versions(self.at(told["codes"]), line)

    def asked(self, asked: Asked) -> dict[str, Any]:
        apart = {"grain", "moments", "context", "pairs", "matches"}
        plain = {f.name: getattr(asked, f.name) for f in fields_of(asked) if f.name not in apart}
        return {
            "plain": {name: self._any(one) for name, one in plain.items()},
            "moments": {name: self.plain(own) for name, own in asked.moments.items()},
            "context": self.fields(asked.context),
            "pairs": [[*pair, self.add(own)] for pair, own in asked.pairs.items()],
            "matches": [[*pair, self.add(own)] for pair, own in asked.matches.items()],
        }

    def asked_at(self, told: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **self.plain_at(told["plain"]),
            "moments": {
                name: Moments(**self.plain_at(own)) for name, own in told["moments"].items()
            },
            "context": self.fields_at(told["context"]),
            "pairs": {(one, other): self.at(own) for one, other, own in told["pairs"]},
            "matches": {(one, other): self.at(own) for one, other, own in told["matches"]},
        }

    def _any(self, of: np.ndarray | Arrays | None) -> Any:
        if of is None:
            return None
        if isinstance(of, Mapping):
            return {name: self.add(array) for name, array in of.items()}
        return self.add(of)

    def _any_at(self, told: Any) -> Any:
        if told is None:
            return None
        if isinstance(told, Mapping):
            return {name: self.at(number) for name, number in told.items()}
        return self.at(told)
