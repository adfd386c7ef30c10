"""Clips filmed ahead and shown in turn: order, fades, another prompt, rest while the machine is busy, failures."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from models.backends.worker_thread import Channel, run_in_thread
from models.contracts import Progress, VideoChunk, VideoRequest
from models.errors import ModelError
from models.live import clip_stream
from models.live.audio_features import AudioFeatures
from models.live.clip_stream import (
    FADE_FRAMES,
    KEPT,
    ClipGenerator,
    ClipPlaylist,
    ClipStream,
    ShownClip,
    prepare_frames,
)
from models.live.frame_stream import SHOWN_SIZE, FrameGenerator
from models.video.generator import VideoGenerator

NOTHING = np.zeros((0, 1, 1, 3), np.uint8)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_stream, "STEPS", 3)


def clip(first: int, prompt: str = "sea", count: int = 30) -> ShownClip:
    """Return a clip whose frames count on from `first` in brightness, at fifteen a second."""
    levels = np.arange(first, first + count, dtype=np.uint8)[:, None, None, None]
    return ShownClip(np.broadcast_to(levels, (count, 4, 4, 3)).copy(), 15.0, prompt)


def levels(frames: np.ndarray) -> list[int]:
    return [int(frame[0, 0, 0]) for frame in frames]


def test_one_clip_goes_there_and_back_and_several_follow_one_another() -> None:
    playlist = ClipPlaylist()
    playlist.add(clip(0))
    assert levels(playlist.take(59, 15.0)) == [*range(30), *range(28, -1, -1)]
    playlist.add(clip(100))
    seen = levels(playlist.take(60, 15.0))
    melted = seen[1 : 1 + FADE_FRAMES]
    assert melted == sorted(melted) and 0 < melted[0] < 50, "one melts into the other"
    assert seen[1 + FADE_FRAMES : 30] == list(range(101 + FADE_FRAMES, 130)), "then it is the other alone"
    assert seen[-1] < 100, "and the first comes again"


def test_the_first_clip_of_another_prompt_takes_over_and_old_ones_go() -> None:
    playlist = ClipPlaylist()
    for number in range(KEPT + 2):
        playlist.add(clip(10 * number))
    assert len(playlist) == KEPT and levels(playlist.take(1, 15.0))[0] >= 20
    playlist.add(clip(200, "fire"))
    assert len(playlist) == 1 and playlist.count("sea") == 0 and playlist.count("fire") == 1
    assert levels(playlist.take(FADE_FRAMES + 1, 15.0))[-1] == 200 + FADE_FRAMES


def test_clips_of_any_size_and_rate_are_fitted() -> None:
    made = prepare_frames(np.random.default_rng(0).integers(0, 255, (9, 20, 32, 3), dtype=np.uint8), 8.0, "sea")
    assert made.frames.shape == (17, SHOWN_SIZE, SHOWN_SIZE, 3) and made.rate == 16.0
    assert made.length_s == pytest.approx(1.0)
    wide = np.zeros((3, 400, 600, 3), np.uint8)
    wide[:, :, 100:500] = 200
    assert (prepare_frames(wide, 24.0, "sea").frames == 200).all(), "the middle square alone"


class Steps:
    """A model that counts how often it was asked to go on."""

    def __init__(self, fails: Exception | None = None) -> None:
        self.fails, self.asked = fails, 0
        self.prompts: list[str] = []

    def stream(self, request: VideoRequest) -> Iterator[VideoChunk]:
        self.prompts.append(request.prompt)
        if self.fails is not None:
            raise self.fails
        for step in range(1, request.steps + 1):
            self.asked += 1
            last = step == request.steps
            frames = np.full((4, 8, 8, 3), 50, np.uint8) if last else NOTHING
            yield VideoChunk(frames, NOTHING, 16.0, step, request.steps, step, request.steps, last)


class Work:
    """A film at work in a thread."""

    def __init__(self, clip_generator: ClipGenerator) -> None:
        self.busy, self.closing = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=clip_generator.work, args=(self.closing, self.busy.is_set))

    def __enter__(self) -> Work:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.thread.join(timeout=20)
        assert not self.thread.is_alive()


def wait_for(what: Callable[[], object], limit_s: float = 30.0) -> None:
    end = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_a_film_stops_at_enough_clips_and_begins_again_for_another_prompt() -> None:
    model = Steps()

    def load(told: Callable[[Progress], None]) -> Any:
        told(Progress("downloading", 1, 2))
        return model

    clip_generator = ClipGenerator(load, "Big model", "sea")
    assert "shipped model draws meanwhile" in clip_generator.says
    with Work(clip_generator):
        wait_for(lambda: "all are filmed" in clip_generator.says)
        assert len(clip_generator.playlist) == KEPT and len(model.prompts) == KEPT and clip_generator.share == 1.0
        clip_generator.lead_to("fire")
        wait_for(lambda: clip_generator.playlist.count("fire") == KEPT)
    assert model.prompts == ["sea"] * KEPT + ["fire"] * KEPT


def test_named_things_are_laid_over_what_a_model_of_the_studio_films() -> None:
    class Laying(Steps):
        """Makes all lighter."""

        def compose(self, request: VideoRequest, frames: Any, rate: float) -> Any:
            assert (request.prompt, rate) == ("a cat", 16.0)
            return frames + np.uint8(100)

    clip_generator = ClipGenerator(lambda told: Laying(), "Drawn scenes", "a cat")
    with Work(clip_generator):
        wait_for(lambda: len(clip_generator.playlist) == KEPT)
    assert (clip_generator.playlist.take(8, 8.0) == 150).all()


def test_a_film_rests_while_the_machine_is_busy() -> None:
    model, clip_generator = Steps(), None
    clip_generator = ClipGenerator(lambda told: model, "Big model", "sea")
    work = Work(clip_generator)
    work.busy.set()
    with work:
        wait_for(lambda: clip_generator.rests)
        assert "rests, so that the sound goes on" in clip_generator.says and model.asked == 0
        work.busy.clear()
        wait_for(lambda: len(clip_generator.playlist) == KEPT)
        assert not clip_generator.rests


def test_in_the_middle_of_a_clip_too_it_asks_for_no_further_step() -> None:
    work: Work

    class Noticing(Steps):
        def stream(self, request: VideoRequest) -> Iterator[VideoChunk]:
            for chunk in super().stream(request):
                work.busy.set()  # the first step troubles the sound
                yield chunk

    model = Noticing()
    clip_generator = ClipGenerator(lambda told: model, "Big model", "sea")
    with (work := Work(clip_generator)):
        wait_for(lambda: clip_generator.rests)
        assert model.asked == 1 and "rests" in clip_generator.says
        work.busy.clear()
        wait_for(lambda: model.asked == 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "says"), [(ModelError("no GPU is lent just now.", "quota"), "No GPU is lent"), (OSError("x"), "mistake")]
)
def test_what_fails_is_told_and_the_shipped_model_goes_on(
    generator: VideoGenerator, error: Exception, says: str
) -> None:
    clip_generator = ClipGenerator(lambda told: Steps(error), "Big model", "a red fire")
    with Work(clip_generator) as work:
        work.thread.join(timeout=20)
    assert says in clip_generator.says and "The shipped model draws meanwhile" in clip_generator.says
    stream = ClipStream(clip_generator, FrameGenerator(generator, "a red fire", size=32), None)
    stream.paint(0.0, 0.5)
    assert stream.render_frame(0.0, AudioFeatures()) is not None and stream.describe(0.0)["says"] == clip_generator.says


def test_a_stream_shows_clips_as_soon_as_there_are_any(generator: VideoGenerator) -> None:
    clip_generator = ClipGenerator(lambda told: Steps(), "Big model", "a red fire")
    alone = ClipStream(clip_generator, None, None)
    assert not alone.wants_more() and alone.render_frame(0.0, AudioFeatures()) is None
    stream = ClipStream(clip_generator, FrameGenerator(generator, "a red fire", size=32), None)
    stream.paint(0.0, 0.5)
    while stream.ready_s:
        shipped = stream.render_frame(0.0, AudioFeatures())
    assert shipped is not None and shipped.pixels.shape == (128, 128, 3)
    clip_generator.playlist.add(prepare_frames(np.full((30, 16, 16, 3), 90, np.uint8), 15.0, "a red fire"))
    stream.paint(1.0, 0.5)
    found = stream.render_frame(1.0, AudioFeatures())
    assert found is not None and found.pixels.shape == (SHOWN_SIZE, SHOWN_SIZE, 3)
    assert alone.wants_more()
    stream.lead_to("a blue fire", 0.0, 1.0)
    facts = stream.describe(2.0)
    assert facts["prompt"] == "a blue fire" and facts["morph"] == 0 and facts["clips"] == 1
    with pytest.raises(ValueError, match="prompt is empty"):
        stream.lead_to(" ", 0.0, 1.0)


def test_a_backend_waits_where_nobody_takes_its_items() -> None:
    put: list[int] = []

    def work(channel: Channel[int | None]) -> None:
        for number in range(100):
            channel.put(number)
            put.append(number)

    items: Any = run_in_thread(work, ahead=1)
    assert next(items) == 0
    wait_for(lambda: len(put) >= 2)
    time.sleep(0.3)
    assert len(put) == 2, "one waits to be taken, and the next is not begun"
    assert [next(items) for _ in range(3)] == [1, 2, 3]
    items.close()
    assert len(put) < 10
    assert list(run_in_thread(work, ahead=1)) == list(range(100))


def test_who_gives_way_has_the_backend_give_way_too() -> None:
    import torch

    from models.threads import use_single_thread

    found: list[int] = []

    def caller() -> None:
        use_single_thread()
        list(run_in_thread(lambda channel: found.append(torch.get_num_threads())))

    before = torch.get_num_threads()
    thread = threading.Thread(target=caller)
    thread.start()
    thread.join()
    assert found == [1] and torch.get_num_threads() == before
