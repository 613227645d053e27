"""What `init` looks at is what training reads: delimiters, names, odd rows and odd values."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import jointrec as jr
from jointrec.errors import SourceError
from jointrec.init import propose

ROWS = [("user_id", "item_id", "price", "at")] + [
    (f"u{row % 7}", f"i{row % 5}", f"{row % 3}.5", f"2024-01-{row % 28 + 1:02}")
    for row in range(60)
]


def written(folder: Path, name: str, between: str, end: str = "\n") -> Path:
    (folder / name).write_bytes("".join(between.join(row) + end for row in ROWS).encode())
    return folder


@pytest.mark.parametrize("between", [";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_csv_file_is_split_where_training_splits_it(tmp_path: Path, between: str, end: str):
    (tmp_path / "commas").mkdir()
    wanted = propose(written(tmp_path / "commas", "buys.csv", ","))
    (tmp_path / "other").mkdir()
    assert propose(written(tmp_path / "other", "buys.csv", between, end)) == wanted


def test_a_file_of_tabs_is_found_by_its_ending(tmp_path: Path):
    assert 'source = "buys.tsv"' in propose(written(tmp_path, "buys.tsv", "\t"))


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path):
    file = written(tmp_path, "buys.csv", ";") / "buys.csv"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert jr.parse(propose(tmp_path)).entity["user"].key == "user_id"


def test_names_are_trimmed_and_a_column_without_one_is_not_proposed(tmp_path: Path):
    rows = [("", *ROWS[0]), *((str(number), *row) for number, row in enumerate(ROWS[1:]))]
    lines = [" , ".join(rows[0]), *(",".join(row) for row in rows[1:])]
    (tmp_path / "buys.csv").write_text("\n".join(lines))
    text = propose(tmp_path)
    assert '""' not in text
    assert jr.parse(text).entity["item"].key == "item_id"


def test_rows_that_training_sets_aside_are_no_reason_to_refuse(tmp_path: Path):
    file = written(tmp_path, "buys.csv", ",") / "buys.csv"
    file.write_text(file.read_text() + "u1,i1,1.5,2024-01-03,too,many\nu1\n")
    assert jr.parse(propose(tmp_path)).entity["user"].key == "user_id"


def test_json_lines_may_hold_nan(tmp_path: Path):
    lines = [
        f'{{"user_id": "{user}", "item_id": "{item}", "price": {price}, "at": "{at}"}}'
        for user, item, price, at in [(*ROWS[1][:2], "NaN", ROWS[1][3]), *ROWS[2:]]
    ]
    (tmp_path / "buys.jsonl").write_text("\n".join(lines))
    assert jr.parse(propose(tmp_path)).entity["user"].key == "user_id"


def test_what_cannot_be_read_is_told_as_training_tells_it(tmp_path: Path):
    (tmp_path / "buys.csv").write_bytes(b"user_id,item_id\nu\xe9,i1\n")
    with pytest.raises(SourceError) as caught:
        propose(tmp_path)
    assert str(caught.value) == (
        f"buys.csv: cannot be read: `{tmp_path / 'buys.csv'}`, line 2, byte 17: is not UTF-8 "
        "(found 0xe9). Convert it from the encoding it has, such as: iconv -f WINDOWS-1252 -t "
        "UTF-8."
    )


def test_kinds_of_events_that_differ_in_spelling_alone_are_one_event(tmp_path: Path):
    kinds = ["View", "view", "VIEW", "view", "AddToCart", "add_to_cart", "purchase"]
    rows = [",".join((*row, kinds[place % len(kinds)])) for place, row in enumerate(ROWS[1:])]
    (tmp_path / "log.csv").write_text("\n".join([",".join((*ROWS[0], "event_type")), *rows]))
    shop = jr.parse(propose(tmp_path))
    assert {name: event.where["event_type"] for name, event in shop.event.items()} == {
        "view": ("view", "VIEW", "View"),
        "add_to_cart": ("AddToCart", "add_to_cart"),
        "purchase": "purchase",
    }


def test_tables_of_one_name_are_told_apart(tmp_path: Path):
    users = "\n".join(["user_id,country", *[f"u{row},{'abc'[row % 3]}" for row in range(7)]])
    for name in ("users.csv", "users.tsv", "Users.csv"):
        (tmp_path / name).write_text(users.replace(",", "\t" if name.endswith("tsv") else ","))
    for name, between in (("buys.csv", ","), ("buys.tsv", "\t"), ("Buys.csv", ",")):
        written(tmp_path, name, between)
    shop = jr.parse(propose(tmp_path))
    assert {one.source for one in shop.entity.values()} >= {"users.csv", "users.tsv", "Users.csv"}
    assert [one.source for one in shop.event.values()] == ["Buys.csv", "buys.csv", "buys.tsv"]


def test_records_are_told_and_nothing_is_asked_of_them(tmp_path: Path):
    frame = pl.DataFrame(ROWS[1:], schema=ROWS[0], orient="row")
    nested = frame.with_columns(
        seller=pl.struct("user_id", "at"), photo=pl.lit(b"x"), lines=pl.concat_list(pl.struct("at"))
    )
    nested.write_parquet(tmp_path / "buys.parquet")
    lines = propose(tmp_path).splitlines()
    assert lines.pop(2) == (
        "# Left out: `seller`, `photo`, `lines` of buys.parquet hold records or bytes. Write each "
        "value that matters, such as the key of a user, into a column of its own."
    )
    frame.write_parquet(tmp_path / "buys.parquet")
    assert lines == propose(tmp_path).splitlines()


@pytest.mark.parametrize(
    ("name", "text"),
    [("log.jsonl", '{"id": {"a": 1}}\n{"id": {"a": 2}}\n'), ("log.csv", ",,\n1,2,3\n")],
)
def test_a_table_without_a_column_that_can_be_read(tmp_path: Path, name: str, text: str):
    (tmp_path / name).write_text(text)
    with pytest.raises(SourceError) as caught:
        propose(tmp_path)
    assert str(caught.value) == (
        f"{name}: cannot be read: all columns hold records or bytes, or have no name. Write each "
        "value into a column of its own."
    )


def test_a_row_that_stands_twice_takes_no_key_from_its_table(tmp_path: Path):
    written(tmp_path, "buys.csv", ",")
    users = ["user_id,country", *[f"u{row},{'abc'[row % 3]}" for row in range(50)]]
    (tmp_path / "users.csv").write_text("\n".join([*users, users[3], users[3]]))
    assert jr.parse(propose(tmp_path)).entity["user"].source == "users.csv"
    # One that says something else of a key is another matter.
    (tmp_path / "users.csv").write_text("\n".join([*users, "u3,other"]))
    assert jr.parse(propose(tmp_path)).entity["user"].source == "buys.csv"


def test_rows_with_lists_may_stand_twice(tmp_path: Path):
    written(tmp_path, "buys.csv", ",")
    users = pl.DataFrame({"user_id": [f"u{row}" for row in range(50)], "likes": [["a", "b"]] * 50})
    pl.concat([users, users[:2]]).write_parquet(tmp_path / "users.parquet")
    assert jr.parse(propose(tmp_path)).entity["user"].source == "users.parquet"


def test_numbers_with_a_decimal_comma_are_told(tmp_path: Path):
    rows = [";".join((user, item, price.replace(".", ","), at)) for user, item, price, at in ROWS]
    (tmp_path / "buys.csv").write_text("\n".join(rows).replace("2,5", "1.234,5"))
    assert (
        "# price: left out, holds numbers with a decimal comma; export them with a point."
        in propose(tmp_path).splitlines()
    )


def test_nan_and_infinity_are_missing(tmp_path: Path):
    draw = np.random.default_rng(0).integers(0, 5, (2, 400))
    frame = pl.DataFrame(
        {
            "user_id": [f"u{user}" for user in draw[0]],
            "item_id": [f"i{item}" for item in draw[1]],
            "at": [f"2024-01-{row % 28 + 1:02}" for row in range(400)],
            "price": [
                [math.nan, math.inf, 5.0 + item][min(row % 4, 2)]
                for row, item in enumerate(draw[1])
            ],
        }
    )
    frame.write_parquet(tmp_path / "buys.parquet")
    shop = jr.parse(propose(tmp_path))
    assert set(shop.entity["item"].features) == {"price"}
