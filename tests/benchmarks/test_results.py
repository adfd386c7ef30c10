from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.results import (
    BENCHMARKS,
    RESULTS,
    add_json_option,
    judge,
    read_results,
    record_figures,
    report_figures,
    show,
    write_results,
)

ROW = {
    "key": "clip_s",
    "what": "A clip",
    "value": 1.0,
    "unit": "s",
    "format": "{:.2f}",
    "shown": "1.00",
    "wanted": "at most 4",
    "bar": {"at_most": 4},
    "reached": True,
    "verdict": "reached, barely",
    "date": "2020-01-01",
    "machine": "one core",
}
CELL = {"key": "sets.clicks.f", "value": 0.5, "format": "{:.1%}", "shown": "50.0 %"}


def results(**changes: Any) -> dict[str, Any]:
    return {
        "benchmark": "video",
        "title": "Video",
        "intro": "",
        "command": "python -m benchmarks.video --json",
        "rows": [ROW | changes],
        "tables": [{"title": "", "intro": "", "columns": ["what", "f"], "rows": [["clicks", dict(CELL)]]}],
        "notes": "",
    }


def cells(results: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for table in results["tables"] for row in table["rows"] for cell in row if isinstance(cell, dict)]


def test_every_benchmark_has_a_file_and_no_file_is_without_one() -> None:
    assert sorted(path.stem for path in RESULTS.glob("*.json")) == sorted(BENCHMARKS)
    for name in BENCHMARKS:
        assert (RESULTS.parent / f"{name}.py").exists()


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_file_is_of_the_shape_and_agrees_with_itself(name: str) -> None:
    found = read_results(name)
    assert set(found) == set(results()) and found["benchmark"] == name
    assert found["command"].startswith(f"python -m benchmarks.{name} --json")
    keys = [row["key"] for row in found["rows"]]
    assert len(set(keys)) == len(keys)
    for row in found["rows"]:
        assert set(row) == set(ROW)
        assert row["shown"] == show(row["value"], row["format"])
        assert row["what"] and row["wanted"] and re.fullmatch(r"\d{4}-\d\d-\d\d", row["date"])
        if row["bar"]:
            assert row["reached"] is judge(row["value"], row["bar"])
            for limit in row["bar"].values():
                words = row["wanted"].replace(",", "")
                assert f"{limit:g}" in words or f"{100 * limit:g} %" in words or row["wanted"] == "at most a frame"
    for table in found["tables"]:
        assert all(len(row) == len(table["columns"]) for row in table["rows"])
    for cell in cells(found):
        assert set(cell) == set(CELL) and cell["shown"] == show(cell["value"], cell["format"])


@pytest.mark.parametrize(
    ("value", "bar", "wanted"),
    [
        (4, {"at_most": 4}, True),
        (4.1, {"at_most": 4}, False),
        (4, {"at_least": 4}, True),
        (3.9, {"at_least": 4}, False),
        (4, {"above": 4}, False),
        (4, {"below": 4}, False),
        (3, {"below": 4, "at_least": 3}, True),
        (2, {"below": 4, "at_least": 3}, False),
        (0, {"equals": 0}, True),
        (1, {"equals": 0}, False),
        (None, {"at_most": 4}, None),
        (4, None, None),
    ],
)
def test_a_bar_judges_its_value(value: float | None, bar: dict[str, float] | None, wanted: bool | None) -> None:
    assert judge(value, bar) is wanted


def test_an_unknown_bar_is_an_error() -> None:
    with pytest.raises(KeyError):
        judge(1, {"nearly": 2})


def test_measured_figures_replace_value_judgement_and_date() -> None:
    found = results()
    assert record_figures(found, {"clip_s": 5.0, "sets": {"clicks": {"f": 0.25}}, "other": 1}) == []
    row = found["rows"][0]
    assert (row["value"], row["shown"], row["reached"], row["verdict"]) == (5.0, "5.00", False, "")
    assert row["date"] > ROW["date"] and row["machine"] != ROW["machine"]
    assert cells(found)[0]["shown"] == "25.0 %"


def test_what_was_not_measured_stays_as_it_is() -> None:
    found = results()
    record_figures(found, {"other": 1.0})
    assert found == results()


def test_a_bar_in_words_alone_is_left_to_a_person() -> None:
    found = results(bar=None, wanted="clearly less")
    assert record_figures(found, {"clip_s": 0.1}) == ["clip_s"]
    assert found["rows"][0]["reached"] is None
    assert record_figures(results(bar=None, wanted="reported"), {"clip_s": 0.1}) == []


def test_json_prints_the_figures_and_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_json_option(parser, "video")
    assert parser.parse_args([]).json is None
    assert parser.parse_args(["--json"]).json == RESULTS / "video.json"
    file = parser.parse_args(["--json", str(tmp_path / "video.json")]).json
    write_results(results(), file)
    report_figures("video", {"clip_s": 2.5}, file)
    assert json.loads(capsys.readouterr().out) == {"clip_s": 2.5}
    assert read_results("video", tmp_path)["rows"][0]["shown"] == "2.50"


def test_another_file_begins_as_a_copy_of_the_benchmarks_own(tmp_path: Path) -> None:
    report_figures("video", {"clip_s": 2.5}, tmp_path / "mine.json")
    mine, own = read_results("mine", tmp_path), read_results("video")
    assert mine["rows"][0]["value"] == 2.5 and mine["rows"][1:] == own["rows"][1:]
