"""The page is light: how much of it Gradio's script touches at every step, and how much of it is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.app import build_studio
from studio.library.store import Library
from tests.studio.debug_studio import whole_registry


@pytest.mark.slow
def test_work_that_shows_no_progress_touches_one_part_of_the_page(tmp_path: Path) -> None:
    config = build_studio(whole_registry(tmp_path), Library(tmp_path / "library")).config
    first = config["layout"]["children"][0]["id"]
    quiet = [each for each in config["dependencies"] if each["show_progress"] == "hidden"]
    assert len(quiet) > 100
    assert all(each["show_progress_on"] for each in quiet)
    assert sum(each["show_progress_on"] == [first] for each in quiet) > 100
    host = next(each for each in config["components"] if each["id"] == first)
    assert host["props"]["visible"] is False
    touched = {part for each in config["dependencies"] if each["backend_fn"] for part in each["show_progress_on"] or []}
    assert len(touched) < 30, "each of them costs a walk through the page at every step of any work"
