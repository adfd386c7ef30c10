"""What a job of a program takes."""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from models.registry.registry import Registry
from studio.music_video.controls import FIELDS
from studio.page.events import Events
from studio.page.given_files import NOT_OURS
from studio.page.places import Places, Program
from studio.page.runs import RunBoard
from studio.programs.tool_jobs import ToolDesk
from tests.loops import run_coroutine


@pytest.mark.parametrize("name", ["song", "media"])
def test_a_file_of_the_server_that_nobody_gave_to_the_studio_is_refused(tmp_path: Path, name: str) -> None:
    own = tmp_path / "own.png"
    own.write_bytes(b"a photo")

    def work(*_given: Any) -> Generator[Events]:
        yield ()

    places = Places(programs={"film": Program(FIELDS, work, ())})
    desk = ToolDesk(Registry((), tmp_path / "cache"), places, RunBoard(), None)
    given = [str(own)] if name == "media" else str(own)
    with pytest.raises(ValueError, match=re.escape(NOT_OURS.format(str(own)))):
        run_coroutine(desk.begin({}, "film", {name: given}))
