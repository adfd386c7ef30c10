"""What the Style Transfer tab does, without its page: checked values in, events out."""

from __future__ import annotations

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from models.contracts import AudioStyleRequest, Task
from models.hub.formats import takes_words
from models.media.clip_info import ClipInfo, probe
from models.media.write import VideoWriter, add_sound_of, write_picture
from models.registry.registry import Registry
from models.style.video_contracts import StyledPart, StyleMove, VideoStyleRequest
from studio.io import audio_files, temp_folders
from studio.io.recipes import Recipe, read_recipe, write_recipe
from studio.library.naming import stem_of
from studio.page import curves, html, jobs, model_card
from studio.page import style_gallery as gallery
from studio.page.events import Compared, Events, Files, Kept, Offers, Pictures, Report, Status
from studio.page.fields import FieldList
from studio.style.controls import AUDIO_FIELDS, VIDEO_FIELDS

OWN_STYLE = "own file"
FIRST_VOICE = ("The model's first voice", "first")  # before it is loaded, nobody knows its voices
NOTHING: Events = (Status(html.status("Getting the model ready")),)
Stop = Callable[[], bool]
Values = Mapping[str, Any]


@dataclass(frozen=True)
class StyleRequest:
    """A request to the model, and the checked values of the form that it was made of."""

    request: Any
    values: Values


class StyleActions(ABC):
    """Restyle for one half of the tab and for its endpoint.

    Attributes:
        task: of its models.
        fields: its controls.
        falls_back: whether the model that ships stands in where a lent GPU is not granted.
    """

    task: ClassVar[Task]
    fields: ClassVar[FieldList]
    falls_back: ClassVar[bool] = True

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.stops = jobs.StopBoard()

    def run(self, session: str, key: str, values: Values) -> Generator[Events]:
        """Restyle for the page; failures are events, never exceptions."""
        with temp_folders.held() as folder:
            yield from jobs.run_on_page(
                self.registry,
                self.stops,
                session,
                key,
                NOTHING,
                lambda: self._prepare(key, values),
                lambda used, model, wanted, stop: self._make(used, model, wanted, Path(folder), stop),
                falls_back=self.falls_back,
            )

    def run_program(self, key: str, values: Values, folder: str) -> Generator[Events]:
        """Restyle for a program; the last events are the files and the report. Raises failures."""
        yield from jobs.run_with_model(
            self.registry,
            key,
            self._prepare(key, values),
            lambda used, model, wanted, stop: self._make(used, model, wanted, Path(folder), stop),
        )

    @abstractmethod
    def build_request(self, key: str, values: Values) -> Any:
        """Return the request of checked values to a model.

        Raises:
            ValueError: says what is missing, or names the control and what it takes.
        """

    @abstractmethod
    def _make(self, key: str, model: Any, wanted: StyleRequest, folder: Path, should_stop: Stop) -> Generator[Events]:
        """Yield the events of one result; the last have the files and the report."""

    def _prepare(self, key: str, values: Values) -> StyleRequest:
        checked = self.fields.read(values)
        return StyleRequest(self.build_request(key, checked), checked)

    def _finish(self, key: str, wanted: StyleRequest, file: Path, **others: Path | None) -> Events:
        """Write the recipe into a finished file that can hold one, and tell of it."""
        values = wanted.values
        settings = self.fields.settings(values) | ({"style": OWN_STYLE} if values["style_file"] else {})
        if file.suffix != ".png":
            revision = model_card.revision_of(self.registry, key)
            write_recipe(file, Recipe(self.task, key, revision, values.get("seed", 0), settings))
        report = {"strength": values["strength"], "style": settings["style"]}
        return Files({"file": file, **others}), Kept({"made": True}), Report(report)

    def load_settings(self, path: str) -> tuple[dict[str, Any], str]:
        """Return the controls of a result file by name, and a sentence.

        Raises:
            ValueError: the file holds no settings of this half, or some that cannot be used.
        """
        recipe = read_recipe(path)
        if recipe.task != self.task:
            raise ValueError(f"This file was made by {recipe.task.replace('_', ' ')}, not here.")
        settings = dict(recipe.settings)
        is_own = settings.get("style") == OWN_STYLE
        if is_own:
            del settings["style"]
        try:
            values = self.fields.restore(settings, recipe.seed)
        except ValueError as error:
            raise ValueError(f"The settings in this file cannot be used: {error}") from error
        said = "Settings restored." + (" Give the style file again: it was your own." if is_own else "")
        if recipe.model in [spec.key for spec in self.registry.specs(self.task)]:
            values["model"] = recipe.model
        else:
            said += f" The model {recipe.model} is not on this shelf."
        return values, said


class VideoStyleActions(StyleActions):
    """Paint clips and pictures for the tab and for the endpoint `/video_style`."""

    task = Task.STYLE_VIDEO
    fields = VIDEO_FIELDS

    def build_request(self, key: str, values: Values) -> VideoStyleRequest:
        """Return the request; a picture of one's own comes before that of the gallery."""
        if not values["content"]:
            raise ValueError("Choose a clip or a picture first.")
        content = str(values["content"])
        others = [(values[f"{which}_style"], values[f"{which}_share"]) for which in ("second", "third")]
        return VideoStyleRequest(
            path=content,
            style=str(values["style_file"] or gallery.find_picture(values["style"]).path),
            others=tuple((str(gallery.find_picture(key).path), share) for key, share in others if key),
            strength=values["strength"],
            brush=values["brush"],
            part=StyledPart(values["part"]),
            keep_colours=values["keep_colours"],
            size=values["size"] if probe(content).is_picture else min(values["size"], values["clip_size"]),
            steadiness=values["steadiness"],
        )

    def _make(self, key: str, model: Any, wanted: StyleRequest, folder: Path, should_stop: Stop) -> Generator[Events]:
        request: VideoStyleRequest = wanted.request
        info, began_s = probe(request.path), time.monotonic()
        silent, silent_source = folder / "silent.mp4", folder / "source.mp4"
        painted = Painted()
        with ExitStack() as open_files:
            writers: list[VideoWriter] = []
            chunks = open_files.enter_context(closing(model.stream(request)))
            for chunk in chunks:
                if should_stop():
                    break
                if chunk.is_preview:
                    yield Compared(chunk.source[0], chunk.frames[0]), _painting(chunk, began_s)
                    continue
                if len(chunk.frames):
                    painted.add(chunk, info.frames // 2)
                    if not info.is_picture:
                        if not writers:
                            height, width = chunk.frames.shape[1:3]
                            writers = [
                                open_files.enter_context(VideoWriter(path, width, height, chunk.rate))
                                for path in (silent, silent_source)
                            ]
                        writers[0].write(chunk.frames)
                        writers[1].write(chunk.source)
                yield (_painting(chunk, began_s),)
        if painted.middle is None or painted.move is None:
            raise jobs.Stopped
        stem, notes = file_stem(wanted.values, request.path), painted.notes
        if info.is_picture:
            file = write_picture(folder / f"{stem}.png", painted.middle[1])
            ready = self._finish(key, wanted, file, original=None, result=None)
            what = "Picture painted"
        else:
            original, file = folder / "original.mp4", folder / f"{stem}.mp4"
            notes += _add_sound(silent, silent_source, request.path, info, file, original)
            ready = self._finish(key, wanted, file, original=original, result=file)
            what = f"{painted.frames:,} frames painted"
        took_s = time.monotonic() - began_s
        yield (
            Compared(*painted.middle),
            Pictures({"plot": _draw_move(painted.move), "notes": html.notes(notes)}),
            *ready,
            Status(html.finished(what, f"in {took_s:.1f} s · strength {request.strength:g}")),
        )


class AudioStyleActions(StyleActions):
    """Restyle sound for the tab and for the endpoint `/audio_style`."""

    task = Task.STYLE_AUDIO
    fields = AUDIO_FIELDS
    falls_back = False  # the voices or words of another model mean nothing to the one that ships

    def build_request(self, key: str, values: Values) -> AudioStyleRequest:
        """Return the request; models of the Hub take either words or one of their own voices."""
        if not values["content"]:
            raise ValueError("Record or choose a sound first.")
        spec = self.registry.get(key)
        own = values["style_file"] if spec.is_native else None
        words = values["words"].strip() if takes_words(spec.backend) else ""
        if takes_words(spec.backend) and not words:
            raise ValueError("This model takes the style in words: write what the sound should become.")
        preset = values["style"] or ("" if spec.is_native else FIRST_VOICE[1])
        return AudioStyleRequest(
            content=str(values["content"]),
            style=str(own) if own else None,
            preset="" if own or words else preset,
            strength=values["strength"],
            move_pitch=values["move_pitch"],
            seed=values["seed"],
            words=words,
        )

    def _make(self, key: str, model: Any, wanted: StyleRequest, folder: Path, should_stop: Stop) -> Generator[Events]:
        request: AudioStyleRequest = wanted.request
        began_s = time.monotonic()
        pieces: list[Any] = []
        last: Any = None
        with closing(model.stream(request)) as chunks:
            for chunk in chunks:
                if last is None:
                    yield self._facts(key, request.preset)
                if should_stop():
                    break
                pieces.append(chunk.samples)
                last = chunk
                stage = "Listening" if chunk.stage == "listening" else "Restyling"
                yield (Status(html.status(stage, chunk.done / max(chunk.total, 1))),)
        if last is None or not sum(map(len, pieces)):
            raise jobs.Stopped
        samples = np.concatenate(pieces)
        stem = file_stem(wanted.values, request.content)
        file = audio_files.write_wav(folder / f"{stem}.wav", samples, last.sample_rate)
        ready = self._finish(key, wanted, file, original=Path(str(request.content)), result=file)
        plot = _draw_bands(last.statistics) if last.statistics is not None else ""
        took_s, lasts_s = time.monotonic() - began_s, len(samples) / last.sample_rate
        said = f"made in {took_s:.1f} s · strength {request.strength:g}"
        yield (
            Pictures({"plot": plot, "notes": html.notes(last.notes)}),
            *ready,
            Status(html.finished(f"{lasts_s:.1f} s of sound", said)),
        )

    def _facts(self, key: str, voice: str) -> Events:
        """Return the model's card, and the voices of a model of the Hub, which are known once it is loaded."""
        card = Pictures({"card": model_card.line(self.registry, key, voice, "Chosen sound")})
        voices = tuple(model_card.voices(self.registry, key))
        if self.registry.get(key).is_native or not voices:
            return (card,)
        used = voice if voice in [each for _, each in voices] else voices[0][1]
        return card, Offers("style", voices, used, shows_one=True)


@dataclass
class Painted:
    """What is kept of the frames while they are painted: those in the middle, and what the model said."""

    middle: tuple[Any, Any] | None = None
    move: StyleMove | None = None
    notes: tuple[str, ...] = ()
    frames: int = 0

    def add(self, chunk: Any, middle_number: int) -> None:
        """Take in the next frames."""
        self.frames += len(chunk.frames)
        self.move, self.notes = chunk.move or self.move, chunk.notes
        if self.middle is None or chunk.number <= middle_number:
            self.middle = chunk.source[0], chunk.frames[0]


def _add_sound(
    silent: Path, silent_source: Path, content: str, info: ClipInfo, file: Path, original: Path
) -> tuple[str, ...]:
    """Give the result and the original, as frames alone, the sound of the content; return what is to be said of it."""
    if not info.sound:
        silent.replace(file)
        silent_source.replace(original)
        return ()
    said = add_sound_of(silent, content, info, file)
    add_sound_of(silent_source, content, info, original)
    return (said,)


def _painting(chunk: Any, began_s: float) -> Status:
    """Say how far it is, in the model's own unit, and how long it will take."""
    if chunk.is_preview:
        return Status(html.status("A first look; painting the whole size", 0.0))
    left = html.duration((time.monotonic() - began_s) * (chunk.total - chunk.done) / max(chunk.done, 1))
    said = f"Painting {chunk.unit} {chunk.done:,} of {chunk.total:,}"
    return Status(html.status(said, chunk.done / max(chunk.total, 1), f"{left} left"))


def style_name(values: Values) -> str:
    """Return the style's key for file names, or "own"."""
    if values["style_file"]:
        return "own"
    return re.sub(r"[^\w.-]+", "-", str(values["style"] or "style"))[:40]


def file_stem(values: Values, content: Any) -> str:
    """Return a file name that says what was restyled and how: "my-clip-waves-70-percent"."""
    return stem_of(Path(str(content)).stem, style_name(values), f"{100 * float(values['strength']):g} percent")


MOVES = {  # title and explanation of each curve, by the first word of its name
    "colours": ("Colours", "means and spreads of red, green, blue"),
    "level": ("Features", "means and spreads of all channels"),
    "patches": ("Strokes", "means and spreads of the style's patches, by what tells them apart"),
}


def _draw_move(move: StyleMove) -> str:
    """Draw how far each number was from the style before and after; the style itself is the straight line."""
    parts = []
    for name in ("colours", list(move.style)[-1]):
        gap = move.content[name] - move.style[name]
        order = np.argsort(gap)
        lines = {"style": 0 * gap, "content": gap[order], "result": (move.result[name] - move.style[name])[order]}
        title, said = MOVES[name.partition(" ")[0]]
        parts.append(curves.curves(title, said, lines, ("less than the style", "more than the style")))
    return "".join(parts)


def _draw_bands(statistics: Any) -> str:
    lines = {name: getattr(statistics, f"{name}_mean_db") for name in ("content", "style", "result")}
    return curves.curves("Timbre", "mean level of every mel band", lines, ("low tones", "high tones"))
