"""Shots of a music video on two workers: the same file, in order, and nothing is lost with one of them."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from models.media.clip_info import probe
from models.music_video.contracts import MusicVideoRequest, VideoFinish
from models.music_video.generator import MusicVideoGenerator
from models.music_video.plan import plan_video
from models.music_video.shot_crew import ShotCrew
from models.music_video.shot_drawer import DRAWER, ShotRequest
from models.music_video.storyboard import Storyboard, StoryShot
from models.workers.host import HostSettings
from models.workers.processes import LocalProcesses, read_slots
from tests.models.music_video.debug_video import BlobVideo, request_for, steady_track

pytestmark = pytest.mark.slow
BPM, SHOTS = 300.0, 20


@pytest.fixture(scope="module")
def home() -> Iterator[LocalProcesses]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", str(torch.get_num_threads()))  # as many as other tests have left here
        made = LocalProcesses(read_slots("cpu:2"), HostSettings(1000.0))
        yield made
        made.close()


class CountingDrawer:
    """What stands for the drawer on workers; counts how often each shot is asked for."""

    def __init__(self, home: LocalProcesses) -> None:
        self.model: Any = home.build(DRAWER, {})
        self.asked: Counter[int] = Counter()

    def stream(self, request: ShotRequest) -> Iterator[Any]:
        self.asked[request.number] += 1
        chunks: Iterator[Any] = self.model.stream(request)
        return chunks


def request_of_shots(folder: Path, count: int = SHOTS, **fields: Any) -> MusicVideoRequest:
    """Return a request for a video of so many shots of a beat each: photos, what a model draws, transitions, words."""
    media = []
    for colour in ("red", "lime"):
        Image.new("RGB", (96, 64), colour).save(folder / f"{colour}.png")
        media.append(folder / f"{colour}.png")
    seconds = count * 60 / BPM
    sources = ("red.png", "", "", "lime.png")
    shots = tuple(StoryShot(1, sources[number % 4], seed=number) for number in range(count))
    values = {
        "aspect": "1:1",
        "media": tuple(media),
        "storyboard": Storyboard(shots),
        "template": "dreamy",
        "title": "T",
    }
    return request_for(folder, seconds, steady_track(seconds, BPM, 0.0), **(values | fields))


def test_a_worker_killed_in_the_middle_of_a_music_video_loses_no_finished_shot(
    home: LocalProcesses, tmp_path: Path
) -> None:
    request = request_of_shots(tmp_path)
    assert sum(shot.start < request.frame_count for shot in plan_video(request).shots) >= SHOTS - 1
    *_, here = MusicVideoGenerator(BlobVideo()).stream(request)
    alone = request.out.read_bytes()
    drawer = CountingDrawer(home)
    maker = MusicVideoGenerator(BlobVideo(), crew=ShotCrew(drawer, 2))
    killed = 0
    for chunk in maker.stream(request):
        if not killed and chunk.stage == "frames" and 0 < chunk.frames < request.frame_count / 2:
            killed = home.workers[0].pid or 0
            os.kill(killed, signal.SIGKILL)
    assert killed and [each.losses for each in home.list_workers()] == [1, 0]
    assert request.out.read_bytes() == alone
    assert chunk.last and chunk.frames == here.frames == request.frame_count == probe(request.out).frames
    assert chunk.storyboard == here.storyboard and all(each is not None for each in chunk.pictures)
    assert set(drawer.asked.values()) == {1} and len(drawer.asked) == len(chunk.pictures)  # what is there stays there


def test_what_a_worker_draws_by_rule_and_writes_over_it_is_the_same(home: LocalProcesses, tmp_path: Path) -> None:
    finish = VideoFinish(end_text="The end", fade_in_s=0.4, watermark=tmp_path / "red.png")
    request = request_of_shots(tmp_path, 5, scene="spectrum", finish=finish)
    list(MusicVideoGenerator(None).stream(request))
    alone = request.out.read_bytes()
    list(MusicVideoGenerator(None, crew=ShotCrew(CountingDrawer(home), 2)).stream(request))
    assert request.out.read_bytes() == alone


def test_a_video_that_is_stopped_ends_with_a_whole_shot_and_goes_on_from_there(
    home: LocalProcesses, tmp_path: Path
) -> None:
    request, drawer = request_of_shots(tmp_path, 10), CountingDrawer(home)
    maker = MusicVideoGenerator(BlobVideo(), crew=ShotCrew(drawer, 2))
    *_, last = maker.stream(request, lambda: True)
    ends = [shot.end for shot in plan_video(request).shots]
    assert last.last and last.frames in ends and last.frames == probe(request.out).frames < request.frame_count
    *_, last = maker.stream(request)
    assert last.frames == request.frame_count and set(drawer.asked.values()) <= {1, 2}
    *_, last = maker.stream(replace(request, storyboard=last.storyboard))
    assert sum(drawer.asked.values()) <= 10 + 4  # those that were cut off, and none of what was kept


def test_a_closed_video_begins_no_more_shots_and_leaves_its_workers_free(home: LocalProcesses, tmp_path: Path) -> None:
    request, drawer = request_of_shots(tmp_path, 10), CountingDrawer(home)
    maker = MusicVideoGenerator(BlobVideo(), crew=ShotCrew(drawer, 2))
    drawing = maker.stream(request)
    next(chunk for chunk in drawing if chunk.stage == "frames")
    drawing.close()  # type: ignore[attr-defined]
    assert [each.running for each in home.list_workers()] == [0, 0]
    assert not request.out.exists() and len(drawer.asked) < 10
