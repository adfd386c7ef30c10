"""What the Style Transfer tab does, without its page: plain values in, named plain values out."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np

from models.clips import probe
from models.contracts import AudioStyleRequest, Task
from models.registry.registry import Registry
from models.style.video_contracts import StyleMove, VideoStyleRequest
from studio.io import audio_files, video_files
from studio.io.recipes import Recipe, read_recipe, write_recipe
from studio.page import curves, html, jobs, model_card
from studio.page.fields import whole
from studio.page.loading import for_page, load_for_page, or_shipped
from studio.style import gallery

VIDEO_TASK, AUDIO_TASK = Task.STYLE_VIDEO, Task.STYLE_AUDIO
MP4_RECIPE = "style_transfer"
OWN_STYLE = "own file"
FIRST_VOICE = ("The model's first voice", "first")  # before it is loaded, nobody knows its voices

Update = dict[str, Any]


class StyleActions:
    """The actions of both halves and of the endpoints `/video_style` and `/audio_style`."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.stops = jobs.StopBoard()

    def generate(self, session: str, half: str, fields: dict[str, Any], folder: str) -> Iterator[Update]:
        """Restyle for the page; failures are a status, never an exception.

        Args:
            half: "video" or "audio".
            fields: the controls by name.
            folder: where files are written; the caller deletes it after the last update.

        """

        def work(should_stop: Callable[[], bool]) -> Iterator[Update]:
            key = str(
                fields.get("model") or self.registry.require_default(VIDEO_TASK if half == "video" else AUDIO_TASK).key
            )

            def restyle(key: str) -> Iterator[Update]:
                return self.restyle(half, {**fields, "model": key}, folder, should_stop)

            if half == "audio" and self.registry.get(key).backend:  # its voices or words mean nothing to another model
                yield from restyle(key)
            else:
                yield from or_shipped(self.registry, key, restyle)

        yield from for_page(self.stops, session + half, work)

    def restyle(
        self, half: str, fields: dict[str, Any], folder: str, should_stop: Callable[[], bool] = lambda: False
    ) -> Iterator[Update]:
        """Updates for the page; the last one has "file". Raises what fails."""
        work = self._video if half == "video" else self._audio
        yield from work(fields, Path(folder), should_stop)

    def _video(  # noqa: PLR0915
        self, fields: dict[str, Any], folder: Path, should_stop: Callable[[], bool]
    ) -> Iterator[Update]:
        request = video_request(fields)
        yield {"status": html.status("Getting the model ready")}
        key = str(fields.get("model") or self.registry.require_default(VIDEO_TASK).key)
        model = yield from load_for_page(self.registry, key, should_stop)
        info = probe(request.path)
        began_s = time.monotonic()
        silent, silent_source = folder / "silent.mp4", folder / "source.mp4"
        middle: tuple[Any, Any] | None = None
        move: StyleMove | None = None
        notes: tuple[str, ...] = ()
        frames = 0
        with ExitStack() as open_files:
            writers: list[video_files.ClipWriter] = []
            chunks = open_files.enter_context(closing(model.stream(request)))
            for chunk in chunks:
                if should_stop():
                    break
                if not len(chunk.frames):
                    yield {"status": _painting(chunk, began_s)}
                    continue
                frames += len(chunk.frames)
                move, notes = chunk.move or move, chunk.notes
                if middle is None or chunk.number <= info.frames // 2:
                    middle = chunk.source[0], chunk.frames[0]
                if not info.is_picture:
                    if not writers:
                        height, width = chunk.frames.shape[1:3]
                        paths = (silent, silent_source)
                        writers = [
                            open_files.enter_context(video_files.ClipWriter(path, width, height, chunk.rate))
                            for path in paths
                        ]
                    writers[0].write(chunk.frames)
                    writers[1].write(chunk.source)
                yield {"status": _painting(chunk, began_s)}
        if middle is None or move is None:
            raise jobs.Stopped
        made = {"slider": middle, "plot": _moves(move), "notes": html.notes(notes)}
        stem = f"styled-{style_name(fields)}"
        recipe = self._recipe(VIDEO_TASK, key, fields, 0)
        if info.is_picture:
            file = video_files.write_picture(folder / f"{stem}.png", middle[1])
            yield {**made, "file": str(file), "original": None, "result": None}
        else:
            original, file = folder / "original.mp4", folder / f"{stem}.mp4"
            if info.sound:
                notes = (*notes, video_files.with_sound_of(silent, request.path, info, file))
                video_files.with_sound_of(silent_source, request.path, info, original)
            else:
                silent.replace(file)
                silent_source.replace(original)
            write_recipe(file, recipe)
            made["notes"] = html.notes(notes)
            yield {**made, "file": str(file), "original": str(original), "result": str(file)}
        took_s = time.monotonic() - began_s
        what = "Picture painted" if info.is_picture else f"{frames:,} frames painted"
        yield {"status": html.finished(what, f"in {took_s:.1f} s · strength {request.strength:g}")}

    def _audio(self, fields: dict[str, Any], folder: Path, should_stop: Callable[[], bool]) -> Iterator[Update]:
        key = str(fields.get("model") or self.registry.require_default(AUDIO_TASK).key)
        request = audio_request(fields, self.registry.get(key).backend)
        yield {"status": html.status("Getting the model ready")}
        model = yield from load_for_page(self.registry, key, should_stop)
        yield {"line": model_card.line(self.registry, key, request.preset, "Chosen sound")}
        if self.registry.get(key).backend and self.registry.voices(key):  # known now that it is loaded
            yield {"voices": (model_card.voices(self.registry, key), request.preset)}
        began_s = time.monotonic()
        pieces: list[Any] = []
        last: Any = None
        with closing(model.stream(request)) as chunks:
            for chunk in chunks:
                if should_stop():
                    break
                pieces.append(chunk.samples)
                last = chunk
                stage = "Listening" if chunk.stage == "listening" else "Restyling"
                yield {"status": html.status(stage, chunk.done / max(chunk.total, 1))}
        if last is None or not sum(map(len, pieces)):
            raise jobs.Stopped
        samples = np.concatenate(pieces)
        file = audio_files.write_wav(folder / f"styled-{style_name(fields)}.wav", samples, last.sample_rate)
        write_recipe(file, self._recipe(AUDIO_TASK, key, fields, request.seed))
        took_s, lasts_s = time.monotonic() - began_s, len(samples) / last.sample_rate
        yield {
            "file": str(file),
            "original": str(request.content),
            "result": str(file),
            "plot": _bands(last.statistics) if last.statistics is not None else "",
            "notes": html.notes(last.notes),
            "status": html.finished(
                f"{lasts_s:.1f} s of sound", f"made in {took_s:.1f} s · strength {request.strength:g}"
            ),
        }

    def _recipe(self, task: Task, key: str, fields: dict[str, Any], seed: int) -> Recipe:
        settings = {
            name: value
            for name, value in fields.items()
            if name not in {"content", "style_file", "seed", "model"} and isinstance(value, (str, int, float, bool))
        }
        if fields.get("style_file"):
            settings["style"] = OWN_STYLE
        return Recipe(task, key, model_card.revision_of(self.registry, key), seed, settings)

    def load_settings(self, path: str, half: str, names: tuple[str, ...]) -> tuple[Update, str]:
        """Controls from a result file and a sentence; raises ValueError with one."""
        recipe = read_recipe(path)
        task = VIDEO_TASK if half == "video" else AUDIO_TASK
        if recipe.task != task:
            raise ValueError(f"This file was made by {recipe.task.replace('_', ' ')}, not here.")
        build = video_request if half == "video" else _checked
        values = {name: recipe.settings[name] for name in names if name in recipe.settings}
        if "seed" in names:
            values["seed"] = recipe.seed
        own = values.get("style") == OWN_STYLE
        if own:
            del values["style"]
        build({"content": "content", **values})  # whatever is impossible is refused here
        said = "The settings are back." + (" Give the style file again: it was your own." if own else "")
        on_shelf = recipe.model in {spec.key for spec in self.registry.specs(task)}
        if on_shelf and "model" in names:
            values["model"] = recipe.model
        if not on_shelf:
            said += f" The model {recipe.model} is not on this shelf."
        return values, said


def _painting(chunk: Any, began_s: float) -> str:
    """How far it is, in the model's own unit, and how long it will take."""
    left = html.duration((time.monotonic() - began_s) * (chunk.total - chunk.done) / max(chunk.done, 1))
    said = f"Painting {chunk.unit} {chunk.done:,} of {chunk.total:,}"
    return html.status(said, chunk.done / max(chunk.total, 1), f"{left} left")


def video_request(fields: dict[str, Any]) -> VideoStyleRequest:
    """The request of a form; raises ValueError naming the field, the value and what is allowed."""
    content = fields.get("content")
    if not content:
        raise ValueError("Choose a clip or a picture first.")
    style = fields.get("style_file") or str(gallery.picture(str(fields.get("style", "great_wave"))).path)
    return VideoStyleRequest(
        path=str(content),
        style=str(style),
        strength=fields.get("strength", 1.0),
        keep_colours=bool(fields.get("keep_colours", False)),
        size=int(fields.get("size", 384)),
        steadiness=fields.get("steadiness", 0.7),
    )


def audio_request(fields: dict[str, Any], backend: str = "") -> AudioStyleRequest:
    """The request of a form; raises ValueError naming the field, the value and what is allowed.

    Args:
        backend: of the model; those of the Hub take either words or one of their own voices.

    """
    from models.hub.formats import takes_words

    content = fields.get("content")
    if not content:
        raise ValueError("Record or choose a sound first.")
    own = fields.get("style_file") if not backend else None
    words = str(fields.get("words") or "").strip() if takes_words(backend) else ""
    if takes_words(backend) and not words:
        raise ValueError("This model takes the style in words: write what the sound should become.")
    preset = str(fields.get("style") or "")
    return AudioStyleRequest(
        content=str(content),
        style=str(own) if own else None,
        preset="" if own or words else preset or (FIRST_VOICE[1] if backend else ""),
        strength=fields.get("strength", 0.8),
        move_pitch=bool(fields.get("move_pitch", True)),
        seed=whole(fields.get("seed") or 0),
        words=words,
    )


def _checked(fields: dict[str, Any]) -> AudioStyleRequest:
    """The request of settings that are put back; the model that takes words may not be here."""
    return audio_request({"style": FIRST_VOICE[1], **fields})


def style_name(fields: dict[str, Any]) -> str:
    """For file names: the style's key, or "own"."""
    if fields.get("style_file"):
        return "own"
    return re.sub(r"[^\w.-]+", "-", str(fields.get("style") or "style"))[:40]


def _moves(move: StyleMove) -> str:
    """How far each number was from the style before and after; the style itself is the straight line."""
    parts = []
    for name, title in (("colours", "Colours"), ("level 3", "Features")):
        gap = move.content[name] - move.style[name]
        order = np.argsort(gap)
        lines = {"style": 0 * gap, "content": gap[order], "result": (move.result[name] - move.style[name])[order]}
        said = "means and spreads of red, green, blue" if name == "colours" else "means and spreads of all channels"
        parts.append(curves.curves(title, said, lines, ("less than the style", "more than the style")))
    return "".join(parts)


def _bands(statistics: Any) -> str:
    lines = {name: getattr(statistics, f"{name}_mean_db") for name in ("content", "style", "result")}
    return curves.curves("Timbre", "mean level of every mel band", lines, ("low tones", "high tones"))
