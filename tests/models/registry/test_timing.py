"""How long requests take: measured, smoothed, kept on disk for this machine alone."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from models.contracts import AudioStyleRequest, SpeechRequest, VideoRequest
from models.music.contracts import MusicRequest
from models.registry.timing import FRAME_AND_STEP, RequestTimings, measure_work

LONG = SpeechRequest("a" * 100)


@pytest.mark.parametrize(
    ("request_", "work"),
    [
        (SpeechRequest("Hello"), ("character", 5.0)),
        (MusicRequest(bars=12), ("bar", 12.0)),
        (VideoRequest("a ball", frames=16, steps=20), (FRAME_AND_STEP, 320.0)),
        (VideoRequest("a ball", frames=16, steps=20, size=128), (FRAME_AND_STEP, 1280.0)),
        (SimpleNamespace(frames=4, steps=2), (FRAME_AND_STEP, 8.0)),
        (SimpleNamespace(frames=4, steps=2, size=0), (FRAME_AND_STEP, 8.0)),
        (AudioStyleRequest("a.wav", preset="lj"), ("request", 1.0)),
        (SimpleNamespace(text=""), ("character", 1.0)),
        (SimpleNamespace(bars=0, tempo=100), ("bar", 1.0)),
        (SimpleNamespace(bars=8), None),
        (SimpleNamespace(frames=4, steps=0), None),
        (SimpleNamespace(frames=0, steps=4), None),
        (object(), None),
    ],
)
def test_the_work_of_a_request(request_: Any, work: tuple[str, float] | None) -> None:
    assert measure_work(request_) == work


def test_a_measured_model_has_an_estimate() -> None:
    timings = RequestTimings()
    assert timings.get("speech/a") is None and timings.estimate_s("speech/a", LONG) is None
    timings.record("speech/a", LONG, 10.0)
    assert timings.get("speech/a") == ("character", 0.1)
    assert timings.estimate_s("speech/a", SpeechRequest("a" * 50)) == pytest.approx(5.0)
    assert timings.estimate_s("speech/b", LONG) is None
    assert timings.estimate_s("speech/a", MusicRequest(bars=4)) is None, "another unit tells nothing"
    assert timings.estimate_s("speech/a", object()) is None


def test_later_measurements_count_half() -> None:
    timings = RequestTimings()
    timings.record("speech/a", LONG, 10.0)
    timings.record("speech/a", LONG, 30.0)
    assert timings.get("speech/a") == ("character", pytest.approx(0.2))
    timings.record("speech/a", LONG, 10.0)
    assert timings.get("speech/a") == ("character", pytest.approx(0.15))
    timings.record("speech/a", MusicRequest(bars=4), 8.0)
    assert timings.get("speech/a") == ("bar", 2.0), "in another unit it begins anew"


def test_what_tells_little_is_not_recorded() -> None:
    timings = RequestTimings()
    timings.record("speech/a", SpeechRequest("a" * 19), 10.0)
    timings.record("speech/a", object(), 10.0)
    timings.record("speech/a", LONG, 0.0)
    timings.record("speech/a", LONG, -1.0)
    assert timings.get("speech/a") is None
    timings.record("speech/a", SpeechRequest("a" * 20), 10.0)
    assert timings.get("speech/a") == ("character", 0.5)
    timings.record("music/a", MusicRequest(bars=1), 0.5)
    assert timings.get("music/a") == ("bar", 0.5), "only short texts are left out"
    timings.record("video/a", VideoRequest("a ball", frames=2, steps=1, size=32), 1.0)
    assert timings.get("video/a") == ("frame and step at 64 pixels", 2.0)


def test_timings_are_kept_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "pace.json"
    RequestTimings(path).record("speech/a", LONG, 10.0)
    again = RequestTimings(path)
    assert again.get("speech/a") == ("character", 0.1)
    again.record("music/a", MusicRequest(bars=4), 8.0)
    assert RequestTimings(path).get("music/a") == ("bar", 2.0) and RequestTimings(path).get("speech/a")
    assert [each.name for each in path.parent.iterdir()] == ["pace.json"]


def test_timings_of_another_machine_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pace.json"
    RequestTimings(path).record("speech/a", LONG, 10.0)
    monkeypatch.setattr(os, "cpu_count", lambda: 1234)
    assert RequestTimings(path).get("speech/a") is None
    monkeypatch.undo()
    assert RequestTimings(path).get("speech/a")
    monkeypatch.setattr(platform, "machine", lambda: "another")
    assert RequestTimings(path).get("speech/a") is None


@pytest.mark.parametrize("value", [0, -1, "1", None, float("nan"), float("inf")], ids=repr)
def test_values_that_are_no_durations_are_left_out(tmp_path: Path, value: object) -> None:
    path = tmp_path / "pace.json"
    RequestTimings(path).record("speech/a", LONG, 10.0)
    stored = json.loads(path.read_text())
    stored["seconds"]["speech/b"] = ["character", value]
    path.write_text(json.dumps(stored))
    timings = RequestTimings(path)
    assert timings.get("speech/a") and timings.get("speech/b") is None


@pytest.mark.parametrize("content", ["", "{", "3", "[]", "{}", '{"seconds": {}}'])
def test_a_damaged_file_counts_as_empty(tmp_path: Path, content: str) -> None:
    path = tmp_path / "pace.json"
    path.write_text(content)
    timings = RequestTimings(path)
    assert timings.get("speech/a") is None
    timings.record("speech/a", LONG, 10.0)
    assert RequestTimings(path).get("speech/a")


@pytest.mark.parametrize("rows", ['{"speech/a": 3}', '{"speech/a": ["character"]}', "3"])
def test_damaged_rows_count_as_none(tmp_path: Path, rows: str) -> None:
    path = tmp_path / "pace.json"
    RequestTimings(path).record("speech/a", LONG, 10.0)
    stored = json.loads(path.read_text())
    path.write_text(json.dumps({**stored, "seconds": json.loads(rows)}))
    assert RequestTimings(path).get("speech/a") is None


def test_a_folder_that_cannot_be_written_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    timings = RequestTimings(tmp_path / "file" / "pace.json")
    timings.record("speech/a", LONG, 10.0)
    assert timings.get("speech/a") and "could not be written" in caplog.text
