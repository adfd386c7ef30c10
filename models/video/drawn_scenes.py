"""Scenes drawn by rule: the renderer of the video model's world, asked by words.

What a prompt says is read as for the model (`models.video.prompt_reader`), and the scene is drawn at the size and in
the shape that are wanted, stretch after stretch, 24 frames a second. No network draws: it is sharp, and it knows 37
kinds of scenes. Named things are laid over as over the model's scenes.

Letters: F frames of R x S pixels.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from models.contracts import VideoChunk, VideoRequest
from models.hub.spec import ModelSpec
from models.video.composition import find_view
from models.video.prompt_parsing import ParsedPrompt
from models.video.prompt_reader import load_reader
from models.video.scene_spec import CAMERAS, COLOURS, DIRECTIONS, FRAMES_PER_SECOND, SPEEDS, SceneSpec
from models.video.scene_words import KIND_TITLES, NATURAL_COLOURS, SCENE_BY_RULE
from models.video.scenes import KINDS, SceneView, film
from models.video.shapes import measure_shape
from models.video.staged_clip import StagedClip
from models.workers.order import work_in_order

RATE = 3 * FRAMES_PER_SECOND
PIXELS_AT_ONCE = 4 * 512 * 512  # of the frames that are drawn together: keeps the memory small
THREADS = min(2, os.cpu_count() or 1)  # stretches that are drawn side by side
JOIN_S = 0.75  # in which the end of a loop fades into its beginning
UNNAMED = "clouds"  # what is drawn where a prompt names no scene
USUAL_COLOURS = {
    "city": "gold", "snow": "orange", "fireworks": "gold", "starfield": "blue", "galaxy": "purple", "flowers": "white",
}  # fmt: skip
FAIR_TIMES = ("day", "dusk", "dawn")
NO_PICTURE = "Drawn scenes begin with no picture of yours. Take it out, or choose another model."


class SceneDrawer(StagedClip):
    """Text to video without a network that draws."""

    takes_turns: ClassVar[bool] = False

    def stream(self, request: VideoRequest) -> Iterator[VideoChunk]:
        """Yield stretch after stretch; closing the iterator stops the work.

        Raises:
            ValueError: a first picture was given.
        """
        if request.image is not None:
            raise ValueError(NO_PICTURE)
        spec, notes = self.describe(request), self.list_notes(request)
        shape = measure_shape(request.aspect, request.pixels)
        count = round(request.frames * RATE / FRAMES_PER_SECOND)
        join = min(round(JOIN_S * RATE), count // 3) if request.loop else 0
        at_once = max(1, PIXELS_AT_ONCE // (shape[0] * shape[1]))
        starts, without = range(0, count, at_once), self._find_laid_over(request)

        def draw(first: int) -> NDArray[np.uint8]:
            frames = draw_frames(spec, shape, range(first, min(first + at_once, count)), count + join, without)
            if first >= join:
                return frames
            held = range(first, min(first + at_once, join))  # begins a loop: comes out of what would follow its end
            after = draw_frames(spec, shape, range(held.start + count, held.stop + count), count + join, without)
            return np.concatenate([fade(after, frames[: len(held)], held, join), frames[len(held) :]])

        with closing(work_in_order(starts, draw, THREADS)) as stretches:
            for number, frames in enumerate(stretches, start=1):
                yield VideoChunk(
                    frames=frames, preview=frames[:0], frames_per_second=RATE, step=1, steps=1,
                    done=number, total=len(starts), last=number == len(starts), notes=notes,
                )  # fmt: skip

    def describe(self, request: VideoRequest) -> SceneSpec:
        """Return the scene that a request asks for; what it leaves open follows from the seed.

        Controls come before words, and words before what is usual, each where the kind of scene has it.
        """
        _, parsed = self.understand(request.prompt)
        read = parsed if isinstance(parsed, ParsedPrompt) else ParsedPrompt(UNNAMED, "", "", "", "", "", 0.0)
        rng = np.random.default_rng(request.seed)
        kind = KINDS[read.kind or UNNAMED]

        def choose(wanted: Iterable[str], allowed: tuple[str, ...]) -> str:
            fitting = [each for each in wanted if each in allowed]
            return fitting[0] if fitting else allowed[int(rng.integers(len(allowed)))]

        colour = list(COLOURS)[request.colour - 1] if request.colour else ""
        usual = NATURAL_COLOURS.get(kind.name, USUAL_COLOURS.get(kind.name, ""))
        fair = [FAIR_TIMES[int(rng.integers(len(FAIR_TIMES)))], *FAIR_TIMES]
        camera = CAMERAS[request.camera - 1] if request.camera else ""
        direction = DIRECTIONS[request.direction] if request.direction else ""
        return SceneSpec(
            kind=kind.name,
            colour=choose((colour, read.colour, usual), kind.colours),
            time_of_day=choose((read.time, *fair), kind.times),
            direction=choose((direction, read.direction), kind.directions),
            speed=list(SPEEDS)[request.speed - 1] if request.speed else read.speed or "normal",
            camera="still" if request.loop else choose((camera, read.camera, "still"), kind.cameras),
            seed=request.seed % 2**31,
        )

    def _find_laid_over(self, request: VideoRequest) -> frozenset[str]:
        """Find what a scene leaves out for the things that are laid over it."""
        staging = self._stage(request)
        if staging is None:
            return frozenset()
        moons = {"moon"}.intersection((staging.things.thing, staging.things.other))
        return frozenset({"subject", *moons})

    def list_laid(self, request: VideoRequest) -> tuple[str, ...]:
        """List what is drawn by rule: the scene, then the things over it."""
        kind = self.describe(request).kind
        return (f"{SCENE_BY_RULE}{KIND_TITLES.get(kind, kind)}", *super().list_laid(request))


def draw_frames(
    spec: SceneSpec, shape: tuple[int, int], numbers: range, whole: int, without: frozenset[str] = frozenset()
) -> NDArray[np.uint8]:
    """Draw frames of a clip by their numbers, uint8 (F, R, S, 3); the camera moves as things do that are laid over.

    `without` is what the scene leaves to them.
    """
    times = np.asarray(numbers, np.float32) / np.float32(RATE)
    zooms, pans = find_view(spec.camera, times, whole / RATE)
    plain = SceneView(len(numbers), shape, RATE, numbers.start, whole, fine=True, without=without)
    return film(spec, replace(plain, camera=(zooms, pans * np.float32(plain.halves[1])))).frames


def fade(first: NDArray[np.uint8], second: NDArray[np.uint8], numbers: range, length: int) -> NDArray[np.uint8]:
    """Mix frames uint8 (F, R, S, 3) of two stretches, the later their number the more of the second."""
    share = ((np.asarray(numbers, np.float32) + 1) / (length + 1))[:, None, None, None]
    return np.asarray((1 - share) * first + share * second + 0.5, np.float32).astype(np.uint8)


def load_bundled(files: Mapping[str, Path], spec: ModelSpec) -> SceneDrawer:
    """Load what reads prompts.

    Raises:
        ModelError: a file is missing, damaged or of another version.
    """
    return SceneDrawer(load_reader(frozenset(files.values())))
