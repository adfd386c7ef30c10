"""Read and write the figures of the benchmarks: one JSON file a benchmark in `benchmarks/results/`.

The documentation is made of these files, so no figure is typed twice. A file is one object:

    benchmark   name of the file and of the module that measures: "speech" for `benchmarks.speech`
    title       heading of its section
    intro       Markdown above the figures; paths of pictures are relative to docs/
    command     what measures it, with FOLDER and FILE in the place of paths
    rows        list of figures, in the order of the page, each an object:
        key       name under which the benchmark yields it; dots lead into nested objects; unique in the file
        what      one sentence: what is measured, with its unit
        value     number, or null where it was not measured
        unit      "s", "ms", "MB", "%" (of a share), "x" (times), "points", or "" for a bare number
        format    Python format of the value: "{:.2f}"
        shown     the value as people read it: made of value and format
        wanted    the bar in words: "at most 4", "reported", "for comparison"
        bar       the bar in numbers: {"at_most": 4}, with at_least, above, below or equals; or null
        reached   true or false, or null where there is no bar
        verdict   words in the place of "reached" and "not reached": "flat within 14"; "" without them
        date      day of the measurement
        machine   cores and processor that measured
    tables      list of further tables, below the rows; usually empty
        title, intro    Markdown; both may be ""
        columns         list of headings
        rows            list of lists of cells: a string, or {"key", "value", "format", "shown"} as above
    notes       Markdown below everything; may be ""

`python -m benchmarks.NAME --json` measures, prints the figures and writes them here: value, shown, reached, date and
machine of every figure that it measured. A row without a numeric bar has `reached` set to null then: somebody judges.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results")
# In the order of the page.
BENCHMARKS = ("speech", "video", "style", "style_audio", "beats", "music_video", "live", "music", "library", "page")


def read_results(name: str, folder: Path = RESULTS) -> dict[str, Any]:
    """Read the file of a benchmark. Raise FileNotFoundError for one that has none."""
    return dict(json.loads((folder / f"{name}.json").read_text(encoding="utf-8")))


def write_results(results: Mapping[str, Any], file: Path) -> None:
    """Write the object of a benchmark, so that a changed figure is a changed line."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def show(value: float | None, template: str) -> str:
    """Write a value as people read it; a percent sign stands apart from its number."""
    return "" if value is None else template.format(value).replace("%", " %")


def judge(value: float | None, bar: Mapping[str, float] | None) -> bool | None:
    """Compare a value with its bar; None without a value or a bar. Raise KeyError for an unknown kind of bar."""
    if value is None or not bar:
        return None
    compare = {
        "at_most": lambda limit: value <= limit,
        "at_least": lambda limit: value >= limit,
        "above": lambda limit: value > limit,
        "below": lambda limit: value < limit,
        "equals": lambda limit: value == limit,
    }
    return all(compare[kind](limit) for kind, limit in bar.items())


def describe_machine() -> str:
    """Name the cores and the processor of this machine."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        processor = models[0].split(":", 1)[1].strip() if models else processor
    return f"{os.cpu_count()} cores, {processor}"


def record_figures(results: dict[str, Any], figures: Mapping[str, Any]) -> list[str]:
    """Put measured figures into an object of `read_results`, in place.

    Return the keys of the rows that somebody has to judge, for want of a bar in numbers.
    """
    flat = dict(_flatten(figures))
    day, machine = datetime.datetime.now(tz=datetime.UTC).date().isoformat(), describe_machine()
    unjudged = []
    for row in results["rows"]:
        if row["key"] in flat:
            _put(row, flat[row["key"]])
            row |= {"reached": judge(row["value"], row["bar"]), "verdict": "", "date": day, "machine": machine}
            if row["reached"] is None and row["wanted"] not in {"reported", "for comparison"}:
                unjudged.append(row["key"])
    for table in results["tables"]:
        for cell in (cell for row in table["rows"] for cell in row if isinstance(cell, dict)):
            if cell["key"] in flat:
                _put(cell, flat[cell["key"]])
    return unjudged


def add_json_option(parser: argparse.ArgumentParser, name: str) -> None:
    """Add `--json [FILE]`: print JSON, and write the figures into the benchmark's file or another."""
    parser.add_argument(
        "--json",
        nargs="?",
        type=Path,
        const=RESULTS / f"{name}.json",
        metavar="FILE",
        help=f"print one JSON object and write the figures into FILE (benchmarks/results/{name}.json)",
    )


def report_figures(name: str, figures: Mapping[str, Any], file: Path) -> None:
    """Print the figures as one line of JSON and write them into the file that `--json` names."""
    print(json.dumps(figures))
    results = read_results(file.stem, file.parent) if file.exists() else read_results(name)
    for key in record_figures(results, figures):
        print(f"{key}: judge it by hand, its bar has no number", file=sys.stderr)
    write_results(results, file)


def _put(entry: dict[str, Any], value: float | None) -> None:
    entry |= {"value": value, "shown": show(value, entry["format"])}


def _flatten(figures: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in figures.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value
