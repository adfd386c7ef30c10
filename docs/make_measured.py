"""Make docs/measured.md of the JSON files in benchmarks/results: `python -m docs.make_measured`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.results import BENCHMARKS, read_results

PAGE = Path(__file__).with_name("measured.md")
HEAD = """\
# What is measured

Every figure on this page comes from a file in `benchmarks/results`, which the benchmark that is named above the figures
writes. Each benchmark can be run by anyone; its first lines say what its folders and files are. What does not reach its
bar is said so. `python -m docs.make_measured` makes the page: change nothing here by hand.
"""


def make_page(results: Iterable[Mapping[str, Any]]) -> str:
    """Return the page of the benchmarks' objects, whose form `benchmarks/results.py` describes."""
    sections = [HEAD, *("\n\n".join(_section(each)) + "\n" for each in results)]
    return "\n".join(sections)


def _section(result: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {result['title']}"
    if result["intro"]:
        yield result["intro"].strip()
    yield f"By `{result['command']}`. {_circumstances(result['rows'])}"
    yield _table(["what", "key", "measured", "wanted", ""], (_cells(row) for row in result["rows"]))
    for table in result["tables"]:
        if table["title"]:
            yield f"### {table['title']}"
        if table["intro"]:
            yield table["intro"].strip()
        yield _table(table["columns"], ([_shown(cell) for cell in row] for row in table["rows"]))
    if result["notes"]:
        yield result["notes"].strip()


def _circumstances(rows: Iterable[Mapping[str, Any]]) -> str:
    """Say when and where the figures were measured; the keys are listed where not all are of one day and machine."""

    def place(row: Mapping[str, Any]) -> tuple[str, str]:
        return row["date"], row["machine"]

    found = {each: [row["key"] for row in group] for each, group in groupby(sorted(rows, key=place), key=place)}
    most = max(found, key=lambda each: len(found[each]))
    said = [f"Measured on {most[0]} ({most[1]})"]
    for (day, machine), keys in found.items():
        if (day, machine) != most:
            said.append(f"on {day} ({machine}): {', '.join(f'`{key}`' for key in keys)}")
    return "; ".join(said) + "."


def _cells(row: Mapping[str, Any]) -> list[str]:
    return [row["what"], f"`{row['key']}`", row["shown"] or "not measured", row["wanted"], _verdict(row)]


def _verdict(row: Mapping[str, Any]) -> str:
    if row["verdict"]:
        return f"**{row['verdict']}**" if row["reached"] is False else row["verdict"]
    return {True: "reached", False: "**not reached**", None: ""}[row["reached"]]


def _shown(cell: str | Mapping[str, Any]) -> str:
    return cell if isinstance(cell, str) else cell["shown"] or "not measured"


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(columns)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', '/') for cell in line)} |".replace("|  |", "| |") for line in lines
    )


if __name__ == "__main__":
    PAGE.write_text(make_page(read_results(name) for name in BENCHMARKS), encoding="utf-8")
