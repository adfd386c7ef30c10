"""The work of the Music Video tab over debug models."""

from __future__ import annotations

import pytest

from studio.music_video.actions import MusicVideoActions
from tests.studio.debug_beats import music_video_registry


@pytest.fixture(scope="module")
def actions(tmp_path_factory: pytest.TempPathFactory) -> MusicVideoActions:
    """Return the tab's actions."""
    return MusicVideoActions(music_video_registry(tmp_path_factory.mktemp("weights")))
