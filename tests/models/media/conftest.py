"""Each test of media runs with every ffmpeg of the machine: the system's and the one that imageio-ffmpeg brings."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import imageio_ffmpeg
import pytest

BROUGHT = imageio_ffmpeg.get_ffmpeg_exe()
SYSTEM = os.environ.get("AURALUME_TEST_FFMPEG") or shutil.which("ffmpeg")
PROGRAMS = {"brought": BROUGHT} | ({"system": SYSTEM} if SYSTEM and Path(SYSTEM).resolve() != Path(BROUGHT) else {})


@pytest.fixture(scope="session")
def maker() -> str:
    """Return the ffmpeg that makes the files, which knows every encoder."""
    return BROUGHT


@pytest.fixture(params=list(PROGRAMS.values()), ids=list(PROGRAMS))
def program(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Put the ffmpeg that reads on PATH; return it."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "ffmpeg").symlink_to(request.param)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return str(request.param)
