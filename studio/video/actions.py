"""What the Video tab does, without its page: plain values in, named plain values out."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contracts import MAX_VIDEO_FRAMES, VideoRequest, check_number
from models.registry.registry import Registry
from models.video.scene_spec import CAMERAS, COLOURS, DIRECTIONS, FRAMES_PER_SECOND, SPEEDS
from studio.io.recipes import Recipe, read_recipe, write_recipe
from studio.page import film, html, jobs, model_card
from studio.page.fields import whole
from studio.page.loading import for_page, load_for_page, or_shipped
from studio.video import exports, soundtrack

Pixels = NDArray[np.uint8]
Update = dict[str, Any]

TASK = "video"
ANY = "any"
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "motion": (ANY, "little", "some", "much"),
    "speed": (ANY, *SPEEDS),
    "camera": (ANY, *CAMERAS),
    "colour": (ANY, *COLOURS),
    "direction": (ANY, *DIRECTIONS[1:]),
}
SMOOTH, NATIVE = "256", "64"
SIZES = (SMOOTH, NATIVE)
NATIVE_SIDE = 64
SMOOTH_RATE = 24
ENLARGE_AT_ONCE = 12  # frames between two looks at Stop
LEAST_S, MOST_S = 0.5, MAX_VIDEO_FRAMES / FRAMES_PER_SECOND
DEFAULT_STEPS, DEFAULT_GUIDANCE, DEFAULT_SEED = 16, 1.5, 7
VIEW_EVERY_S = 0.3
OWN_IMAGE = "own file"
FILES = ("file", "gif", "webp", "sheet", "sprites")
SETTINGS = (
    "prompt", "negative_prompt", "length_s", "loop", "sound", "motion", "speed", "camera", "colour", "size", "steps",
    "guidance", "direction",
)  # fmt: skip
NOTHING: Update = {"result": None, "film": "", "strip": "", "plot": "", "notes": "", **dict.fromkeys(FILES)}


@dataclass(frozen=True)
class Wish:
    """What a person asks of the tab: a request to the model, and what becomes of its frames."""

    request: VideoRequest
    sound: str
    size: str
    notes: tuple[str, ...] = ()


@dataclass
class Take:
    """A clip as it arrives."""

    pieces: list[Pixels] = field(default_factory=list)
    middles: list[Pixels] = field(default_factory=list)
    changes: list[float] = field(default_factory=list)
    preview: Pixels | None = None
    rate: float = FRAMES_PER_SECOND
    done: int = 0
    total: int = 1
    step: int = 0
    steps: int = 1
    last: bool = False
    notes: tuple[str, ...] = ()

    def add(self, chunk: Any) -> None:
        """Take in the next chunk; steps are watched on the first stretch."""
        first = not self.pieces
        if first and len(chunk.preview) and chunk.done != self.done:
            if self.preview is not None and self.preview.shape == chunk.preview.shape:
                self.changes.append(film.change(self.preview, chunk.preview))
            self.middles.append(chunk.preview[len(chunk.preview) // 2])
        self.preview = chunk.preview
        if len(chunk.frames):
            self.pieces.append(chunk.frames)
        self.rate, self.done, self.total, self.last = chunk.frames_per_second, chunk.done, chunk.total, chunk.last
        self.step, self.steps, self.notes = chunk.step, chunk.steps, chunk.notes

    def frames(self) -> Pixels:
        """All finished frames."""
        return np.concatenate(self.pieces)

    def so_far(self) -> Pixels:
        """Finished frames, then the preview of those in work."""
        parts = [*self.pieces] if self.preview is None or self.last else [*self.pieces, self.preview]
        return np.concatenate(parts) if parts else np.zeros((0, 1, 1, 3), np.uint8)


class VideoActions:
    """The actions of the tab and of the endpoint `/video`."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.stops = jobs.StopBoard()

    def generate(self, session: str, model: str, fields: Update, folder: str) -> Iterator[Update]:
        """Make a clip for the page; failures are a status, never an exception.

        Args:
            fields: the controls by name, see `build_wish`.
            folder: where files are written; the caller deletes it after the last update.

        Yields:
            values by name: status, film, strip, plot, notes, result (path of the clip), and the paths of FILES.
        """

        def work(should_stop: Callable[[], bool]) -> Iterator[Update]:
            yield {"status": html.status("Getting the model ready"), **NOTHING}
            yield from or_shipped(self.registry, model, lambda key: self.make(key, fields, folder, should_stop))

        yield from for_page(self.stops, session, work)

    def make(
        self, key: str, fields: Update, folder: str, should_stop: Callable[[], bool] | None = None
    ) -> Iterator[Update]:
        """Updates for the page; one has "file" and "report", those after it bring the other files. Raises failures."""
        should_stop = should_stop or _never
        wish = build_wish(**fields)
        began_s = time.monotonic()
        model = yield from load_for_page(self.registry, key, should_stop)
        yield {"shelf": model_card.line(self.registry, key)}
        take = yield from self._sample(model, wish, should_stop)
        native = take.frames()
        if not take.last:  # Stop was pressed: what is finished becomes a clip, whatever is pressed now
            should_stop = _never
        smooth, rate = yield from smoothed(native, take.rate, wish)
        sound, notes = yield from self._sound(wish, smooth, rate, should_stop)
        frames = yield from enlarged(getattr(model.model, "upscaler", None), smooth, wish, should_stop)
        yield {"status": html.status("Writing the clip", 1.0)}
        stem = Path(folder) / f"{file_stem(wish.request.prompt)}-{wish.request.seed}"
        file = exports.write_clip(stem.with_suffix(".mp4"), frames, rate, sound)
        recipe = self._recipe(key, fields, wish)
        write_recipe(file, recipe)
        took_s = time.monotonic() - began_s
        if not take.last:
            notes = (*notes, "You stopped it, so the clip is shorter than asked for.")
        yield {
            "result": str(file),
            "file": str(file),
            "film": film.contact_sheet(native),
            "strip": film.noise_strip(take.middles, take.steps),
            "plot": film.settling(take.changes),
            "notes": html.notes((*wish.notes, *take.notes, *notes)),
            "report": report_of(frames, rate, sound, recipe),
            "status": html.status("Packing GIF and WebP", 1.0),
        }
        yield from pack(stem, file, native, frames, take.rate, rate)
        said = f"made in {took_s:.1f} s · {wish.request.steps} steps · seed {wish.request.seed}"
        yield {"status": html.finished(f"{len(frames) / rate:.1f} s of video, {len(frames)} frames", said)}

    def _sample(self, model: Any, wish: Wish, should_stop: Callable[[], bool]) -> Generator[Update, None, Take]:
        """Let the model work; yields what it sees. Returns what was finished."""
        take, began_s, viewed_s = Take(), time.monotonic(), 0.0
        yield {"status": html.status("Denoising", 0.0)}
        with closing(model.stream(wish.request)) as chunks:
            for chunk in chunks:
                take.add(chunk)
                if should_stop():
                    break
                now_s = time.monotonic()
                if now_s - viewed_s >= VIEW_EVERY_S or take.last or take.done == 1:
                    viewed_s = now_s
                    yield live_views(take, now_s - began_s)
        if not take.pieces:
            raise jobs.Stopped
        return take

    def _sound(
        self, wish: Wish, frames: Pixels, rate: float, should_stop: Callable[[], bool]
    ) -> Generator[Update, None, tuple[Any, tuple[str, ...]]]:
        """The clip's sound (2, n) and what is to be said of it."""
        if wish.sound == soundtrack.OFF:
            return None, ()
        request, music = wish.request, wish.sound == soundtrack.MUSIC
        status = html.status("Composing the music" if music else "Making the sound")
        make = soundtrack.music_sound if music else soundtrack.scene_sound
        with closing(make(self.registry, request.prompt, frames, rate, request.seed, request.loop)) as work:
            while True:
                if should_stop():
                    raise jobs.Stopped
                yield {"status": status}
                try:
                    next(work)
                except StopIteration as end:
                    said = f"Music in the mood “{soundtrack.mood_of(request.prompt)}”, its beats laid where it moves."
                    return end.value, (said,) if music else ()

    def _recipe(self, key: str, fields: Update, wish: Wish) -> Recipe:
        settings = {name: fields[name] for name in SETTINGS if name in fields}
        if wish.request.image is not None:
            settings["start_image"] = OWN_IMAGE
        return Recipe(TASK, key, model_card.revision_of(self.registry, key), wish.request.seed, settings)

    def load_settings(self, path: str) -> tuple[Update, str]:
        """Controls from a result file: values by name, and a sentence; raises ValueError with a sentence."""
        recipe = read_recipe(path)
        if recipe.task != TASK:
            raise ValueError(f"This file was made by {recipe.task.replace('_', ' ')}, not by Video.")
        values: Update = {name: value for name, value in recipe.settings.items() if name in SETTINGS}
        values["seed"] = recipe.seed
        build_wish(**values)
        said = "The settings are back: the same settings and seed will give the same clip."
        if recipe.settings.get("start_image"):
            said = "The settings are back. Give the first picture again: it was your own."
        elif recipe.model not in [spec.key for spec in self.registry.specs(TASK)]:
            return values, f"The settings are back, but the model {recipe.model} is not on this shelf."
        elif model_card.revision_of(self.registry, recipe.model) != recipe.revision:
            said = "The settings are back. The model has changed since, so the clip may differ."
        if recipe.model in [spec.key for spec in self.registry.specs(TASK)]:
            values["model"] = recipe.model
        return values, said


def build_wish(
    prompt: str,
    negative_prompt: str | None = "",
    length_s: float = 2.0,
    loop: bool = False,
    sound: str = soundtrack.SCENE,
    start_image: str | None = None,
    motion: str = ANY,
    speed: str = ANY,
    camera: str = ANY,
    colour: str = ANY,
    size: str = SMOOTH,
    steps: float = DEFAULT_STEPS,
    guidance: float = DEFAULT_GUIDANCE,
    seed: float | None = DEFAULT_SEED,
    direction: str = ANY,
) -> Wish:
    """The wish of a form; raises ValueError naming the field, the value and what is allowed."""
    check_number("length_s", length_s, LEAST_S, MOST_S)
    _one_of("sound", sound, soundtrack.KINDS)
    _one_of("size", size, SIZES)
    values = {"motion": motion, "speed": speed, "camera": camera, "colour": colour, "direction": direction}
    for name, value in values.items():
        _one_of(name, value, ATTRIBUTES[name])
    frames = round(length_s * FRAMES_PER_SECOND)
    request = VideoRequest(
        prompt=prompt,
        negative_prompt=negative_prompt or "",
        frames=frames + frames % 2 if loop else frames,
        size=NATIVE_SIDE,
        steps=whole(steps),
        guidance=guidance,
        seed=whole(seed),
        image=open_image(start_image) if start_image else None,
        loop=bool(loop),
        picture_path=start_image or "",
        **{name: ATTRIBUTES[name].index(value) for name, value in values.items()},
    )
    notes = []
    if request.guidance == 1 and request.negative_prompt.strip():
        notes.append("With guidance 1 the words to avoid have no effect; give it a higher guidance.")
    return Wish(request, sound, size, tuple(notes))


def open_image(path: str) -> Pixels:
    """The middle square of a picture, or of a clip's first frame, at the model's size, uint8 (64, 64, 3)."""
    from PIL import Image

    from models.clips import read_picture

    pixels = read_picture(path, NATIVE_SIDE, NATIVE_SIDE)
    side = min(pixels.shape[:2])
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    square = Image.fromarray(np.ascontiguousarray(pixels[top : top + side, left : left + side]))
    return np.asarray(square.resize((NATIVE_SIDE, NATIVE_SIDE), Image.Resampling.LANCZOS))


def smoothed(frames: Pixels, rate: float, wish: Wish) -> Generator[Update, None, tuple[Pixels, float]]:
    """Frames between the frames, where that was asked for, and the rate."""
    if wish.size == NATIVE:
        return frames, rate
    from models.video.interpolation import interpolate

    yield {"status": html.status("Smoothing the motion")}
    factor = max(1, round(SMOOTH_RATE / rate))
    return interpolate(frames, factor, wish.request.loop), rate * factor


def enlarged(
    upscaler: Any, frames: Pixels, wish: Wish, should_stop: Callable[[], bool]
) -> Generator[Update, None, Pixels]:
    """Larger frames, where that was asked for and the model's are small."""
    if wish.size == NATIVE or upscaler is None or max(frames.shape[1:3]) > NATIVE_SIDE:
        return frames
    large: list[Pixels] = []
    for at in range(0, len(frames), ENLARGE_AT_ONCE):
        if should_stop():
            raise jobs.Stopped
        yield {"status": html.status(f"Enlarging frame {at + 1} of {len(frames)}", at / len(frames))}
        large.append(upscaler.enlarge(frames[at : at + ENLARGE_AT_ONCE]))
    return np.concatenate(large)


def pack(stem: Path, file: Path, native: Pixels, frames: Pixels, native_rate: float, rate: float) -> Iterator[Update]:
    """The other files, one after the other; of a character on paper also what is cut out."""
    from models.video.cutout import cut_out, find_paper

    ground = find_paper(native)
    if ground is not None:
        cut = cut_out(native, ground)
        sheet = exports.write_sheet(stem.with_name(f"{stem.name}-sheet.png"), cut)
        sprites = exports.write_sprite_gif(stem.with_name(f"{stem.name}-cut.gif"), cut, native_rate)
        yield {"sheet": str(sheet), "sprites": str(sprites)}
    yield {"gif": str(exports.write_gif(stem.with_suffix(".gif"), file))}
    stride = 2 if rate > 16 else 1
    webp = exports.write_webp(stem.with_suffix(".webp"), frames[::stride], rate / stride)
    yield {"webp": str(webp)}


def live_views(take: Take, elapsed_s: float) -> Update:
    """What the page shows while the sampler works."""
    left = ""
    if elapsed_s > 0.7 and take.done:
        left = f"{html.duration(elapsed_s * (take.total - take.done) / take.done)} left"
    stretch = f", stretch {len(take.pieces) + 1} of {take.total // take.steps}" if take.total > take.steps else ""
    said = f"step {take.step} of {take.steps}"
    return {
        "status": html.status(f"Denoising: {said}{stretch}", take.done / take.total, left),
        "film": film.moving(take.so_far(), take.rate, "The clip as the model sees it", said),
        "strip": film.noise_strip(take.middles, take.steps),
        "plot": film.settling(take.changes),
    }


def report_of(frames: Pixels, rate: float, sound: Any, recipe: Recipe) -> Update:
    """What a program is told of a clip."""
    return {
        "duration_s": round(len(frames) / rate, 3),
        "frames": len(frames),
        "frames_per_second": rate,
        "width": frames.shape[2],
        "height": frames.shape[1],
        "sound_s": 0.0 if sound is None else round(sound.shape[1] / soundtrack.SAMPLE_RATE, 3),
        "model": recipe.model,
        "revision": recipe.revision,
        "seed": recipe.seed,
    }


def _never() -> bool:
    return False


def file_stem(prompt: str) -> str:
    """A short name for files."""
    return "-".join(re.findall(r"[a-z0-9]+", prompt.lower())[:6])[:48] or "clip"


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(allowed)}.")
