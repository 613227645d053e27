"""JSON lines that are nested, broken or too clever."""

from __future__ import annotations

from hostile_case import TEXTS, Case, lines

from jointrec.sources import Cell

LISTS = {"id": Cell.ID, "x": Cell.LIST}
GOOD = '{"id": "a", "x": 1}\n'


def broken(name: str, content: str, told: str) -> Case:
    return lines(name, GOOD + content, error=f"line 2: {told}")


KINDS: dict[str, list[Case]] = {
    "nested JSON": [
        broken("an object", '{"id": "b", "x": {"y": 1}}', "`x` is nested. Values are text"),
        broken("a list of objects", '{"id": "b", "x": [{"y": 1}]}', "`x` is nested"),
        broken("a list of lists", '{"id": "b", "x": [[1]]}', "`x` is nested"),
        broken("an empty object", '{"id": "b", "x": {}}', "`x` is nested"),
        lines("where it is not wanted", '{"id": "a", "x": 1, "y": {"z": [1]}}', rows=[("a", 1.0)]),
        lines("a list for a number", '{"id": "a", "x": [1]}', error="should hold numbers, but"),
        lines("a list and a number", '{"id": "a", "x": [1]}\n{"id": "b", "x": 1}',
              error="holds lists in some lines and single values in others"),
        lines("lists of everything", '{"id": "a", "x": [1, "b", null, true, "", " c "]}',
              cells=LISTS, rows=[("a", ["1", "b", "true", "c"])]),
        lines("empty lists", '{"id": "a", "x": []}\n{"id": "b", "x": null}', cells=LISTS,
              rows=[("a", []), ("b", None)]),
        lines("JSON inside text", '{"id": "a", "x": "{\\"y\\": 1}"}', cells=TEXTS,
              rows=[("a", '{"y": 1}')]),
    ],
    "broken JSON": [
        broken("a key twice", '{"id": "b", "x": 1, "x": 2}', "is not a JSON object: a key occurs"),
        broken("garbage behind", '{"id": "b", "x": 1} x', "is not a JSON object: extra data"),
        broken("two in a line", '{"id": "b", "x": 1}{"id": "c", "x": 1}', "is not a JSON object"),
        broken("cut off", '{"id": "b", "x"', "is not a JSON object"),
        broken("a comma too many", '{"id": "b", "x": 1,}', "is not a JSON object"),
        broken("single quotes", "{'id': 'b'}", "is not a JSON object"),
        broken("a hundred thousand brackets", "[" * 100_000, "is nested too deeply"),
        broken("deep below a key", f'{{"id": "b", "x": {"[" * 500}1{"]" * 500}}}', "`x` is"),
        broken("a comment", "// none", "is not a JSON object"),
        lines("one object over many lines", '{\n"id": "a",\n"x": 1\n}', error="over many lines?"),
    ],
}  # fmt: skip
