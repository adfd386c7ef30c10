"""Workers: what two gain over one, what the way to a worker costs, and whether one that is killed costs a result.

python -m benchmarks.workers [--parts book film] [--sentences 24] [--shots 60] [--repeats 5] [--json FILE]

Figures are ratios of one run, each part measured in turn with its counterpart. Every process computes on one thread
(`OMP_NUM_THREADS=1`), so that two workers on two cores have one each; those that draw shots are held to one core each.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported, here and in the workers

import numpy as np
from PIL import Image

from models.beats.detector import BeatTrack
from models.books.narrator import narrate
from models.books.read import read_pasted
from models.books.script import BookScript, Reading
from models.books.sentence_store import SentenceStore
from models.contracts import SpeechRequest, Task
from models.music_video import features
from models.music_video.contracts import MusicVideoRequest
from models.music_video.generator import MusicVideoGenerator
from models.music_video.key_clips import open_key_clips
from models.music_video.shot_crew import ShotCrew
from models.music_video.shot_drawer import DRAWER
from models.music_video.storyboard import Storyboard, StoryShot
from models.registry.catalog import CATALOG, DRAWN_SCENES
from models.registry.registry import Registry
from models.workers.homes import settle
from studio.io.audio_files import write_wav

SENTENCE = "Number {} went down to the harbour, and nobody on the quay had seen so calm a sea."
SPOKEN = SpeechRequest("A short sentence, to hear how soon it begins.", seed=1)
KEY = next(spec.key for spec in CATALOG if spec.task == Task.SPEECH and not spec.is_remote)


@contextmanager
def open_shelf(workers: str = "") -> Iterator[Registry]:
    """Give a registry with so many workers, each of which has spoken once."""
    registry = Registry(CATALOG)
    settle(registry, workers)
    try:
        model = registry.load(KEY)
        streams = [model.stream(SPOKEN) for _ in range(registry.home.places)]
        for each in streams:
            next(each)
        for each in streams:
            list(each)
        yield registry
    finally:
        registry.home.close()


def time_book(registry: Registry, sentences: int) -> float:
    """Return the seconds that a book of so many sentences takes."""
    text = " ".join(SENTENCE.format(number) for number in range(sentences))
    script, model = BookScript(read_pasted(text), Reading(model=KEY, chapters=(0,))), registry.load(KEY)
    with tempfile.TemporaryDirectory() as folder:
        began_s = time.perf_counter()
        steps = list(narrate(script, SentenceStore(Path(folder)), model.stream, places=registry.home.places))
        took_s = time.perf_counter() - began_s
    assert len(steps) >= sentences
    return took_s


def time_first_sound(registry: Registry) -> float:
    """Return the seconds until the first sound of a short sentence."""
    began_s = time.perf_counter()
    chunks = registry.load(KEY).stream(SPOKEN)
    next(chunk for chunk in chunks if chunk.samples.size)
    took_s = time.perf_counter() - began_s
    list(chunks)
    return took_s


def make_film(folder: Path, shots: int) -> MusicVideoRequest:
    """Return a request for a video of so many shots of half a second each, every second one a photo."""
    seconds, rate = shots / 2, 22_050
    beats_s = np.arange(0.0, seconds, 0.5)
    sound = (0.1 * np.sin(2 * np.pi * 220 * np.arange(round(seconds * rate)) / rate)).astype(np.float32)
    song = write_wav(folder / "song.wav", sound, rate)
    photo = folder / "photo.png"
    pixels = np.random.default_rng(1).integers(0, 256, (27, 48, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((1920, 1080)).save(photo)
    cards = tuple(StoryShot(1, photo.name if number % 2 else "", seed=number) for number in range(shots))
    track = BeatTrack(beats_s, np.arange(len(beats_s)) % 4 + 1)
    return MusicVideoRequest(
        song, seconds, track, features.measure(sound, rate, beats_s, beats_s[::4]), ("a sunset over the sea",),
        folder / "film.mp4", key_clips=3, media=(photo,), storyboard=Storyboard(cards),
    )  # fmt: skip


def time_film(request: MusicVideoRequest, workers: int, kill: bool = False) -> tuple[float, bytes]:
    """Return the seconds from the first shot to the end, and the file; each worker has one core of its own.

    Args:
        kill: end one worker in the middle.
    """
    registry = Registry(CATALOG)
    spec = registry.require_default(Task.VIDEO, DRAWN_SCENES)
    settle(registry, f"cpu:{workers}")
    home: Any = registry.home
    try:
        model, drawer = registry.load(spec.key), home.build(DRAWER, {})
        clips = open_key_clips(model)
        crew = ShotCrew(drawer, workers, spec)
        maker = MusicVideoGenerator(model, clips.upscale, drawer=clips.drawer, crew=crew)
        for core, worker in enumerate(home.workers):
            worker.load(DRAWER)
            os.sched_setaffinity(worker.pid, {sorted(os.sched_getaffinity(0))[core]})
        began_s = None
        for chunk in maker.stream(request):
            if chunk.stage == "frames" and began_s is None:
                began_s = time.perf_counter()
            if kill and chunk.frames > request.frame_count / 2 and not chunk.last:
                os.kill(home.workers[0].pid, signal.SIGKILL)
                kill = False
        assert began_s is not None and not kill
        return time.perf_counter() - began_s, request.out.read_bytes()
    finally:
        home.close()


def measure_film(shots: int) -> dict[str, float]:
    """Return what two workers gain on a music video, and whether one that is killed changes the file."""
    with tempfile.TemporaryDirectory() as folder:
        request = make_film(Path(folder), shots)
        runs = [[time_film(request, workers) for workers in (1, 2)] for _ in range(2)]
        killed_s, killed = time_film(request, 2, kill=True)
    ratios = [one[0] / two[0] for one, two in runs]
    same = {made for run in runs for _, made in run} == {killed}
    return {
        "film.two_against_one": round(statistics.median(ratios), 3),
        "film.killed_against_two": round(killed_s / statistics.median(two[0] for _, two in runs), 3),
        "film.same_bytes": float(same),
    }


def measure_book(sentences: int, repeats: int) -> dict[str, float]:
    """Return what two workers gain on a book, and how much later a sound begins."""
    with open_shelf() as here, open_shelf("cpu:1") as one, open_shelf("cpu:2") as two:
        books = [[time_book(shelf, sentences) for shelf in (here, one, two)] for _ in range(2)]
        firsts = [(time_first_sound(here), time_first_sound(one)) for _ in range(repeats)]
    local_s, remote_s = (statistics.median(each) for each in zip(*firsts, strict=True))
    return {
        "book.two_against_one": round(statistics.median(one / two for _, one, two in books), 3),
        "book.one_against_page": round(statistics.median(page / one for page, one, _ in books), 3),
        "first_sound.worker_against_page": round(remote_s / local_s, 3),
        "first_sound.later_ms": round(1000 * (remote_s - local_s), 1),
    }


def main() -> None:
    """Measure, print, and write the figures where they are wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=("book", "film"), default=("book", "film"))
    parser.add_argument("--sentences", type=int, default=24)
    parser.add_argument("--shots", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    figures = {"load_average": round(os.getloadavg()[0], 1)}
    if "book" in options.parts:
        figures |= measure_book(options.sentences, options.repeats)
    if "film" in options.parts:
        figures |= measure_film(options.shots)
    print(json.dumps(figures, indent=1))
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
