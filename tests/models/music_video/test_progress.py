"""How far the making of a music video is, and how long the rest will take."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from models.music_video import generator
from models.music_video.generator import WorkCost, _Progress


def test_what_is_done_and_what_is_left_make_the_whole() -> None:
    progress = _Progress(WorkCost(clip_s=2.0, prepare_s=0.5, frame_s=0.1), clips=3, shots=4, frames=50, notes=("a",))
    chunk = progress.make_chunk("clips")
    assert (chunk.done, chunk.left_s, chunk.total) == (0.0, 13.0, 13.0)  # 3 * 2 + 4 * 0.5 + 50 * 0.1
    progress.clip_share = 0.5
    chunk = progress.make_chunk("clips")
    assert (chunk.done, chunk.left_s, chunk.total) == (1.0, 12.0, 13.0)
    progress.finish_clip(4.0)  # slower than thought: the other two will be, too
    chunk = progress.make_chunk("clips")
    assert (chunk.done, chunk.left_s, chunk.total) == (4.0, 15.0, 19.0)
    progress.finish_clip(2.0)
    assert progress.make_chunk("clips").left_s == 10.0  # one of 3 s, 4 * 0.5 and 50 * 0.1
    assert progress.make_last_chunk().left_s == 0.0
    assert chunk.stage == "clips" and chunk.notes == ("a",)


def test_frames_are_timed_after_the_first_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now_s=100.0)
    clock.perf_counter = lambda: clock.now_s
    monkeypatch.setattr(generator, "time", clock)
    progress = _Progress(WorkCost(clip_s=0.0, prepare_s=1.0, frame_s=0.5), clips=0, shots=2, frames=50, notes=())
    assert progress.make_chunk("frames").left_s == 27.0
    for _ in range(24):
        progress.finish_frames(1)
        clock.now_s += 0.25
    chunk = progress.make_chunk("frames")
    assert (chunk.done, chunk.left_s, chunk.frames) == (12.0, 15.0, 24)
    progress.finish_frames(1)  # 24 frames took 6 s, changes of clip among them
    assert progress.make_chunk("frames").left_s == pytest.approx(0.25 * 25)
    for _ in range(30):
        progress.finish_frames(1)
    assert progress.make_chunk("frames").left_s == 0.0, "never less than nothing"


def test_frames_that_several_workers_tell_of_at_once_are_timed_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now_s=100.0)
    clock.perf_counter = lambda: clock.now_s
    monkeypatch.setattr(generator, "time", clock)
    progress = _Progress(WorkCost(clip_s=0.0, prepare_s=0.0, frame_s=0.5), clips=0, shots=2, frames=100, notes=())
    progress.finish_frames(20)  # what came before is not known to have begun at a time
    clock.now_s += 4.0
    progress.finish_frames(20)
    assert progress.make_chunk("frames").left_s == pytest.approx(0.2 * 60)
