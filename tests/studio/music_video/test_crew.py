"""Who draws the shots of the Music Video tab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.hub.spec import ModelSpec
from models.music_video.shot_crew import ShotCrew
from models.music_video.shot_drawer import DRAWER
from models.registry.loading import SameProcess
from studio.music_video.actions import MusicVideoActions
from tests.studio.debug_beats import music_video_registry


class TwoPlaces(SameProcess):
    """A home with room for two."""

    places = 2

    def build(self, spec: ModelSpec, files: Any) -> Any:
        return spec.key


def test_several_workers_draw_the_shots_and_one_place_draws_them_here(tmp_path: Path) -> None:
    registry = music_video_registry(tmp_path)
    own = MusicVideoActions(registry)
    key = own.video_key()
    assert own._maker(key, None).crew is None
    registry.home = TwoPlaces()
    spread = MusicVideoActions(registry)
    assert spread._maker(key, None).crew == ShotCrew(DRAWER.key, 2, registry.get(key))
    assert spread._maker("", None).crew == ShotCrew(DRAWER.key, 2)
