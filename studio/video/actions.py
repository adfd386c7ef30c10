"""What the Video tab does, without its page: checked values in, events out."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contracts import Task, VideoRequest
from models.media.write import write_gif
from models.registry.registry import Registry
from models.video.scene_spec import FRAMES_PER_SECOND
from models.video.shapes import cut_to, fit_shorter_side, resize_frames
from studio.io import temp_folders
from studio.io.recipes import Recipe, read_recipe, write_recipe
from studio.page import film, html, jobs, model_card
from studio.page.events import Event, Events, Files, Pictures, Report, Status
from studio.video import exports, soundtrack
from studio.video.controls import ATTRIBUTES, FIELDS, NATIVE, SIDES
from studio.video.take import ClipTake

Pixels = NDArray[np.uint8]
Dresser = Callable[[Pixels, float], Pixels]  # may write into the frames that it is given

NATIVE_SIDE = 64
SMOOTH_RATE = 24
ENLARGE_AT_ONCE = 12  # frames between two looks at Stop
VIEW_EVERY_S = 0.3
OWN_IMAGE = "own file"
FILES = ("file", "gif", "webp", "sheet", "sprites")
NOTHING: Events = (
    Status(html.status("Getting the model ready")),
    Pictures({"film": "", "strip": "", "plot": "", "notes": ""}),
    Files({"result": None, **dict.fromkeys(FILES)}),
)
SHORTENED = "You stopped it, so the clip is shorter than asked for."
SILENCED = "You stopped it before its sound was made, so the clip is silent."
OWN_SOUND = "The model made the sound with the frames."
NO_EFFECT = "With guidance 1 the words to avoid have no effect; give it a higher guidance."


@dataclass(frozen=True)
class ClipRequest:
    """A request to the model, and what becomes of its frames."""

    request: VideoRequest
    sound: str
    size: str
    notes: tuple[str, ...] = ()

    @property
    def is_native(self) -> bool:
        """Tell whether frames are delivered as the model drew them."""
        return self.size == NATIVE


class VideoActions:
    """Make clips for the tab and for the endpoint `/video`."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.stops = jobs.StopBoard()

    def run(self, session: str, key: str, values: Mapping[str, Any]) -> Generator[Events]:
        """Make a clip for the page; failures are events, never exceptions."""
        with temp_folders.held() as folder:
            yield from jobs.run_on_page(
                self.registry,
                self.stops,
                session,
                key,
                NOTHING,
                lambda: build_request(values),
                lambda used, model, request, stop: self._make(used, model, request, values, folder, stop),
            )

    def run_program(self, key: str, values: Mapping[str, Any], folder: str) -> Generator[Events]:
        """Make a clip for a program: its files, then the report. Raises failures."""
        yield from jobs.run_with_model(
            self.registry,
            key,
            build_request(values),
            lambda used, model, request, stop: self._make(used, model, request, values, folder, stop),
        )

    def _make(
        self,
        key: str,
        model: Any,
        wanted: ClipRequest,
        values: Mapping[str, Any],
        folder: str,
        should_stop: Callable[[], bool],
    ) -> Generator[Events]:
        """Yield the events of one clip: MP4 and report first, then the other files."""
        began_s = time.monotonic()
        take = yield from self._sample(key, model, wanted, should_stop)
        native = take.take_frames()
        if not take.last:  # Stop was pressed: what is finished becomes a clip, whatever is pressed now
            should_stop = _never
        large = yield from _enlarge(model.model, native, wanted, should_stop)
        is_whole = take.last and len(large) == len(native)
        if not is_whole:
            native, should_stop = native if len(large) == len(native) else native[: len(large)], _never
        is_drawn_large = large is native
        if wanted.request.aspect:
            native = cut_to(native, wanted.request.aspect)
            large = native if is_drawn_large else cut_to(large, wanted.request.aspect)
        frames, rate = yield from _interpolate(large, take.rate, wanted)
        frames = frames if wanted.is_native else fit_shorter_side(frames, wanted.request.pixels)
        dress = _find_dresser(model.model, wanted)
        is_as_drawn = frames is native  # then it is dressed once
        frames = dress(frames, rate)
        native = frames if is_as_drawn else dress(native, take.rate)
        if take.sound is not None and wanted.sound == soundtrack.SCENE:
            notes: tuple[str, ...] = (OWN_SOUND,)
            sound = soundtrack.own_sound(take.sound, take.sound_rate, len(frames) / rate)
        else:
            sound, notes = yield from self._sound(wanted, _reduce(frames), rate, should_stop)
        yield (Status(html.status("Writing the clip", 1.0)),)
        stem = Path(folder) / f"{file_stem(wanted.request.prompt)}-{wanted.request.seed}"
        file = exports.write_clip(stem.with_suffix(".mp4"), frames, rate, sound)
        recipe = self._recipe(key, values, wanted, _list_laid(model.model, wanted))
        write_recipe(file, recipe)
        took_s = time.monotonic() - began_s
        notes = (*wanted.notes, *take.notes, *notes, *(() if is_whole else (SHORTENED,)))
        pictures = {
            "film": film.contact_sheet(native),
            "strip": film.noise_strip(take.middles, take.steps),
            "plot": film.settling(take.changes),
            "notes": html.notes(notes),
        }
        packing = Status(html.status("Packing GIF and WebP", 1.0))
        report = _report(frames, rate, sound, recipe)
        yield packing, Files({"result": file, "file": file}), Pictures(pictures), report
        yield from pack(stem, file, native, frames, take.rate, rate)
        steps = f"{wanted.request.steps} steps · " if take.steps > 1 else ""
        said = f"made in {took_s:.1f} s · {steps}seed {wanted.request.seed}"
        yield (Status(html.finished(f"{len(frames) / rate:.1f} s of video, {len(frames)} frames", said)),)

    def _sample(
        self, key: str, model: Any, wanted: ClipRequest, should_stop: Callable[[], bool]
    ) -> Generator[Events, None, ClipTake]:
        """Let the model work, yield what it sees, and return what was finished."""
        take, began_s, viewed_s, dress = ClipTake(), time.monotonic(), 0.0, _find_dresser(model.model, wanted)
        with closing(model.stream(wanted.request)) as chunks:
            for chunk in chunks:
                card: tuple[Event, ...] = ()
                if not take.done:
                    told = html.notes((*wanted.notes, *chunk.notes))
                    card = (Pictures({"shelf": model_card.line(self.registry, key), "notes": told}),)
                take.add(chunk)
                if should_stop():
                    break
                now_s = time.monotonic()
                if now_s - viewed_s >= VIEW_EVERY_S or take.last or take.done == 1:
                    viewed_s = now_s
                    yield (*card, *live_views(take, now_s - began_s, dress))
        if not take.pieces:
            raise jobs.Stopped
        return take

    def _sound(
        self, wanted: ClipRequest, frames: Pixels, rate: float, should_stop: Callable[[], bool]
    ) -> Generator[Events, None, tuple[Any, tuple[str, ...]]]:
        """Return the clip's sound (2, n) and what is to be said of it."""
        if wanted.sound == soundtrack.OFF:
            return None, ()
        request, music = wanted.request, wanted.sound == soundtrack.MUSIC
        status = Status(html.status("Composing the music" if music else "Making the sound"))
        make = soundtrack.music_sound if music else soundtrack.scene_sound
        with closing(make(self.registry, request.prompt, frames, rate, request.seed, request.loop)) as work:
            while True:
                yield (status,)
                if should_stop():
                    return None, (SILENCED,)
                try:
                    next(work)
                except StopIteration as end:
                    mood = soundtrack.mood_of(request.prompt)
                    said = f"Music in the mood “{mood}”, its beats laid where it moves."
                    return end.value, (said,) if music else ()

    def _recipe(self, key: str, values: Mapping[str, Any], wanted: ClipRequest, laid: str) -> Recipe:
        settings = FIELDS.settings({name: value for name, value in values.items() if name in FIELDS})
        if wanted.request.image is not None:
            settings["start_image"] = OWN_IMAGE
        if laid:
            settings["drawn_by_rule"] = laid
        revision = model_card.revision_of(self.registry, key)
        return Recipe(Task.VIDEO, key, revision, wanted.request.seed, settings)

    def load_settings(self, path: str) -> tuple[dict[str, Any], str]:
        """Return the controls of a result file by name, and a sentence.

        Raises:
            ValueError: the file holds no settings of this tab, or some that cannot be used.
        """
        recipe = read_recipe(path)
        if recipe.task != Task.VIDEO:
            raise ValueError(f"This file was made by {recipe.task.replace('_', ' ')}, not by Video.")
        values = FIELDS.restore(recipe.settings, recipe.seed)
        build_request(values)
        said = "Settings restored: the same settings and seed will give the same clip."
        is_here = recipe.model in [spec.key for spec in self.registry.specs(Task.VIDEO)]
        if recipe.settings.get("start_image"):
            said = "Settings restored. Give the first picture again: it was your own."
        elif not is_here:
            return values, f"Settings restored, but the model {recipe.model} is not on this shelf."
        elif model_card.revision_of(self.registry, recipe.model) != recipe.revision:
            said = "Settings restored. The model has changed since, so the clip may differ."
        if is_here:
            values["model"] = recipe.model
        return values, said


def build_request(values: Mapping[str, Any]) -> ClipRequest:
    """Return the request of a form's values.

    Raises:
        ValueError: names the control and what it takes.
    """
    row = FIELDS.read(values)
    frames = round(row["length_s"] * FRAMES_PER_SECOND)
    request = VideoRequest(
        prompt=row["prompt"],
        negative_prompt=row["negative_prompt"],
        frames=frames + frames % 2 if row["loop"] else frames,
        size=NATIVE_SIDE,
        steps=row["steps"],
        guidance=row["guidance"],
        seed=row["seed"],
        image=open_image(row["start_image"]) if row["start_image"] else None,
        loop=row["loop"],
        picture_path=row["start_image"] or "",
        aspect=row["aspect"],
        pixels=SIDES.get(row["size"], 256),
        **{name: values.index(row[name]) for name, values in ATTRIBUTES.items()},
    )
    in_vain = request.guidance == 1 and bool(request.negative_prompt.strip())
    return ClipRequest(request, row["sound"], row["size"], (NO_EFFECT,) if in_vain else ())


def open_image(path: str, size: int = NATIVE_SIDE) -> Pixels:
    """Return the middle square of a picture, or of a clip's first frame, uint8 (size, size, 3)."""
    from PIL import Image

    from models.media.clip_reader import read_picture

    pixels = read_picture(path, size, size)
    side = min(pixels.shape[:2])
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    square = Image.fromarray(np.ascontiguousarray(pixels[top : top + side, left : left + side]))
    return np.asarray(square.resize((size, size), Image.Resampling.LANCZOS))


def _interpolate(frames: Pixels, rate: float, wanted: ClipRequest) -> Generator[Events, None, tuple[Pixels, float]]:
    """Draw frames between the frames, where that was asked for; return them and their rate."""
    factor = 1 if wanted.is_native else max(1, round(SMOOTH_RATE / rate))
    if factor == 1:
        return frames, rate
    from models.video.interpolation import interpolate

    yield (Status(html.status("Smoothing the motion")),)
    return interpolate(frames, factor, wanted.request.loop), rate * factor


def _enlarge(
    model: Any, frames: Pixels, wanted: ClipRequest, should_stop: Callable[[], bool]
) -> Generator[Events, None, Pixels]:
    """Enlarge frames, where that was asked for and the model's are small; after Stop no more than were begun."""
    upscaler = getattr(model, "upscaler", None)
    if wanted.is_native or upscaler is None or max(frames.shape[1:3]) > NATIVE_SIDE:
        return frames
    large: list[Pixels] = []
    for at in range(0, len(frames), ENLARGE_AT_ONCE):
        if large and should_stop():
            break
        yield (Status(html.status(f"Enlarging frame {at + 1} of {len(frames)}", at / len(frames))),)
        large.append(upscaler.enlarge(frames[at : at + ENLARGE_AT_ONCE]))
    made = np.concatenate(large)
    if not wanted.request.picture_path:
        return made
    from models.video.first_picture import carry_detail, move_picture

    yield (Status(html.status("Giving the frames your picture's detail")),)
    picture = open_image(wanted.request.picture_path, made.shape[1])
    return carry_detail(made, move_picture(picture, len(made), model.find_picture_camera(wanted.request)))


def _find_dresser(model: Any, wanted: ClipRequest) -> Dresser:
    """Find what lays named things over a model's frames; frames of models that lay none stay as they are."""
    compose = getattr(model, "compose", None)
    if compose is None:
        return lambda frames, _rate: frames
    return lambda frames, rate: compose(wanted.request, frames, rate, frames) if len(frames) else frames


def _list_laid(model: Any, wanted: ClipRequest) -> str:
    """List what is drawn by rule, divided by commas."""
    found = getattr(model, "list_laid", None)
    return "" if found is None else ", ".join(found(wanted.request))


def _reduce(frames: Pixels) -> Pixels:
    """Bring frames down to the model's own size, at which they are listened to."""
    if max(frames.shape[1:3]) <= NATIVE_SIDE:
        return frames
    return resize_frames(frames, NATIVE_SIDE, NATIVE_SIDE)


def pack(stem: Path, file: Path, native: Pixels, frames: Pixels, native_rate: float, rate: float) -> Generator[Events]:
    """Write the other files, one after the other; of a character on paper also what is cut out."""
    from models.video.cutout import cut_out, find_paper

    ground = find_paper(native)
    if ground is not None:
        cut = cut_out(native, ground)
        sheet = exports.write_sheet(stem.with_name(f"{stem.name}-sheet.png"), cut)
        sprites = exports.write_sprite_gif(stem.with_name(f"{stem.name}-cut.gif"), cut, native_rate)
        yield (Files({"sheet": sheet, "sprites": sprites}),)
    yield (Files({"gif": write_gif(stem.with_suffix(".gif"), file)}),)
    stride = 2 if rate > 16 else 1
    yield (Files({"webp": exports.write_webp(stem.with_suffix(".webp"), frames[::stride], rate / stride)}),)


def live_views(take: ClipTake, elapsed_s: float, dress: Dresser = lambda frames, _rate: frames) -> Events:
    """Return what the page shows while the sampler works, things by rule laid over it."""
    left = ""
    if elapsed_s > 0.7 and take.done:
        left = f"{html.duration(elapsed_s * (take.total - take.done) / take.done)} left"
    stretch = f", stretch {len(take.pieces) + 1} of {take.total // take.steps}" if take.total > take.steps > 1 else ""
    said = f"step {take.step} of {take.steps}" if take.steps > 1 else f"part {take.done} of {take.total}"
    doing = f"{'Denoising' if take.steps > 1 else 'Drawing'}: {said}"
    frames, rate = film.thin_out(take.so_far(), take.rate)
    pictures = {
        "film": film.moving(dress(frames, rate), rate, "The clip as the model sees it", said),
        "strip": film.noise_strip(take.middles, take.steps),
        "plot": film.settling(take.changes),
    }
    return Status(html.status(f"{doing}{stretch}", take.done / take.total, left)), Pictures(pictures)


def _report(frames: Pixels, rate: float, sound: Any, recipe: Recipe) -> Report:
    return Report(
        {
            "duration_s": round(len(frames) / rate, 3),
            "frames": len(frames),
            "frames_per_second": rate,
            "width": frames.shape[2],
            "height": frames.shape[1],
            "sound_s": 0.0 if sound is None else round(sound.shape[1] / soundtrack.SAMPLE_RATE, 3),
            "model": recipe.model,
            "revision": recipe.revision,
            "seed": recipe.seed,
            "drawn_by_rule": recipe.settings.get("drawn_by_rule", ""),
        }
    )


def _never() -> bool:
    return False


def file_stem(prompt: str) -> str:
    """Return a short name for files."""
    return "-".join(re.findall(r"[a-z0-9]+", prompt.lower())[:6])[:48] or "clip"
