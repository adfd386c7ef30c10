"""What the Music tab does, without its page: plain values in, named plain values out."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np

from models.music.contracts import IDEAS, NEEDS_PIECE, MusicRequest, check_piece
from models.music.instrument_order import sort_by_role
from models.music.score import Piece
from models.music.vocabulary import TEMPI
from models.registry.registry import Registry
from studio.io import recipes
from studio.music import piano_roll
from studio.music.take import MusicFiles, MusicTake, joined, recipe_of, save_take, semitones_to, transposed
from studio.page import html, jobs, model_card
from studio.page.fields import whole
from studio.page.loading import for_page, load_for_page, or_shipped, silently
from studio.page.stream_pacing import Pace

TASK = "music"
RECENT_BARS = 16  # of the roll, while it grows
IDEA_BARS = 8  # of each of four ideas, at most
Update = dict[str, Any]
FILES = ("wav", "midi", "mp3")
IDEA_NAMES = tuple(f"idea_{number}" for number in range(1, IDEAS + 1))
NOTHING: Update = {"roll": "", "notes": "", **dict.fromkeys(FILES), **dict.fromkeys(IDEA_NAMES)}
DOING = {
    "compose": "Composing",
    "continue": "Writing on",
    "rewrite": "Writing bars anew",
    "ideas": "Composing four ideas",
    "harmonise": "Harmonising",
    "perform": "Playing",
}


class MusicActions:
    """The actions of the tab and of the endpoint `/music`."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.stops = jobs.StopBoard()

    def generate(
        self, session: str, model: str, action: str, fields: Update, upload: str | None, current: MusicTake | None
    ) -> Iterator[Update]:
        """Make music for the page.

        Args:
            fields: the controls, see `build_request`.
            upload: path of a MIDI file to go on from; before `current`, the piece on the page.

        Yields:
            values by name: status, sound (WAV bytes of the next piece), roll, notes, shelf, and at the end the files
            wav, midi, mp3, the takes, and the ideas' sound files. Failures are a status, never an exception.
        """

        def work(should_stop: Callable[[], bool]) -> Iterator[Update]:
            request = self._request(action, fields, upload, current)
            yield {"status": html.status("Getting the composer ready"), **NOTHING}
            with_probability = bool(fields.get("probability"))
            yield from or_shipped(
                self.registry, model, lambda key: self._to_page(key, request, with_probability, should_stop)
            )

        yield from for_page(self.stops, session, work, "Stopped before the first bar")

    def _request(self, action: str, fields: Update, upload: str | None, current: MusicTake | None) -> MusicRequest:
        piece, scale = None, 1.0
        if action in NEEDS_PIECE:
            if upload:
                piece = open_piece(upload)
            elif current is not None and current.piece is not None:
                piece, scale = current.piece, current.tempo_scale
        request = build_request(action="compose", **fields)
        if action == "ideas":
            request = replace(request, bars=min(request.bars, IDEA_BARS))
        if action == "perform" and piece is not None:
            piece = transposed(piece, semitones_to(piece, request.key))
            scale = request.tempo / TEMPI[piece.bars[0].tempo]
        return replace(request, action=action, piece=piece, tempo_scale=scale)

    def _to_page(
        self, model: str, request: MusicRequest, probability: bool, should_stop: Callable[[], bool]
    ) -> Iterator[Update]:
        composer = yield from load_for_page(self.registry, model, should_stop)
        yield {"status": html.status(DOING[request.action]), "shelf": model_card.line(self.registry, model)}
        takes = [MusicTake() for _ in range(IDEAS if request.action == "ideas" else 1)]
        pace = Pace()
        with closing(composer.stream(request)) as chunks:
            for chunk in chunks:
                takes[chunk.idea].add(chunk)
                if should_stop():
                    break
                heard = takes[0]
                update: Update = {"sound": pace.next_sound(heard)} if pace.sound_due(heard) else {}
                if pace.view_due():
                    update |= _live_views(takes, pace, request, probability)
                if update:
                    yield update
        heard = takes[0]
        takes = [take for take in takes if take.finished]
        if not takes and heard.samples_count:
            yield {"status": html.finished(f"Stopped after {html.duration(heard.duration_s)} of sound")}
            return
        if not takes:
            raise jobs.Stopped
        yield from self._close(composer, takes, pace, request, model, probability)

    def _close(
        self,
        composer: Any,
        takes: list[MusicTake],
        pace: Pace,
        request: MusicRequest,
        model: str,
        probability: bool,
    ) -> Iterator[Update]:
        took_s = time.monotonic() - pace.began_s
        first = takes[0]
        last: Update = {"sound": pace.next_sound(first)} if first.samples_count > pace.sent_samples else {}
        yield last | {"status": html.status("Writing the files", 1.0)} | show(first, probability)
        recipe = recipe_of(request, model, model_card.revision_of(self.registry, model))
        for take in takes:
            take.recipe = recipe
        with tempfile.TemporaryDirectory(prefix="auralume-") as folder:
            files = [
                save_take(
                    take,
                    whole_sound(composer, take),
                    recipe,
                    folder,
                    f"-{number}" if len(takes) > 1 else "",
                    with_mp3=number == 1,
                )
                for number, take in enumerate(takes, 1)
            ]
            ideas = {name: str(made.wav) for name, made in zip(IDEA_NAMES, files, strict=False)}
            yield {
                "status": closing_line(first, took_s, request.seed),
                **_paths(files[0]),
                "takes": takes,
                **(ideas if len(takes) > 1 else {}),
            }

    def choose(self, takes: list[MusicTake] | None, number: int, probability: bool) -> Iterator[Update]:
        """Put idea `number` (from 0) in the place of the first, with its files."""
        take = takes[number] if takes and number < len(takes) else None
        if take is None or take.recipe is None:
            yield {"status": html.problem("There is no such idea any more; compose four ideas again.")}
            return
        with tempfile.TemporaryDirectory(prefix="auralume-") as folder:
            files = save_take(take, take.sound(), take.recipe, folder, f"-{number + 1}")
            yield {
                "status": html.finished(f"Idea {number + 1} is on the table", "continue it, or rewrite its bars"),
                **show(take, probability),
                **_paths(files),
                "current": take,
            }

    def compose(self, model: str, action: str, fields: Update, upload: str | None, folder: str) -> Iterator[Any]:
        """Make music for a program: yields None while it works, then the files, then the report; raises failures."""
        request = self._request(action, fields, upload, None)
        composer = yield from silently(load_for_page(self.registry, model))
        take, pace = MusicTake(), Pace()
        with closing(composer.stream(request)) as chunks:
            for chunk in chunks:
                if chunk.idea == 0:
                    take.add(chunk)
                if pace.view_due():
                    yield None
        recipe = recipe_of(request, model, model_card.revision_of(self.registry, model))
        yield save_take(take, whole_sound(composer, take), recipe, folder)
        yield {
            "duration_s": round(take.length_s or take.duration_s, 3),
            "bars": len(take.bars),
            "notes": take.piece.note_count if take.piece is not None else 0,
            "instruments": [[program, is_drum] for program, is_drum in take.tracks],
            "model": model,
            "revision": recipe.revision,
            "seed": request.seed,
            "remarks": list(take.remarks),
        }

    def load_settings(self, path: str) -> tuple[Update, str]:
        """Controls from a result file: values by name, and a sentence; raises ValueError with a sentence."""
        recipe = recipes.read_recipe(path)
        if recipe.task != TASK:
            raise ValueError(f"This file was made by the {recipe.task} tab, not by Music.")
        settings: dict[str, Any] = dict(recipe.settings)
        settings.pop("action", None)
        try:
            settings["instruments"] = [int(each) for each in str(settings.get("instruments", "")).split()]
            build_request(**settings, seed=recipe.seed)
        except (TypeError, ValueError) as error:
            raise ValueError(f"The settings in this file cannot be used: {error}") from error
        values: Update = {**settings, "seed": recipe.seed}
        if recipe.model in [spec.key for spec in self.registry.specs(TASK)]:
            values["model"] = recipe.model
            if model_card.revision_of(self.registry, recipe.model) == recipe.revision:
                return values, "The settings are back: the same settings and seed will give the same music."
            return values, "The settings are back. The model has changed since, so the music may differ."
        return values, f"The settings are back, but the model {recipe.model} is not on this shelf."


def open_piece(path: str) -> Piece:
    """An uploaded MIDI file as a piece; raises ValueError with a sentence for what cannot be used."""
    from models.music.midi_io import quantise, read_midi

    piece = quantise(read_midi(path))
    check_piece(piece)
    return piece


def build_request(
    action: str = "compose",
    style: str | None = "",
    key: str | None = "",
    tempo: float = 100.0,
    meter: str | None = "",
    bars: float = 16,
    instruments: list[int] | None = None,
    drums: str = "any",
    density: float = 0.0,
    register: float = 0.0,
    temperature: float = 1.0,
    top_p: float = 0.96,
    repetition: float = 0.0,
    seed: float | None = 0,
    first_bar: float = 1,
    last_bar: float = 1,
    probability: bool = False,
    prompt: str | None = "",
) -> MusicRequest:
    """The request of a form; raises ValueError naming the field, the value and what is allowed."""
    del probability  # of the picture alone
    if drums not in ("any", "yes", "no"):
        raise ValueError(f"drums is {drums!r}; it must be 'any', 'yes' or 'no'.")
    return MusicRequest(
        action=action,
        style=style or "",
        key=key or "",
        tempo=tempo,
        meter=meter or "",
        density=density or 0.0,
        register=register or 0.0,
        bars=whole(bars),
        programs=sort_by_role([whole(each) for each in instruments or []]),
        drums={"any": None, "yes": True, "no": False}[drums],
        temperature=temperature,
        top_p=top_p,
        repetition=repetition,
        seed=whole(seed),
        first_bar=whole(first_bar),
        last_bar=whole(last_bar),
        prompt=prompt or "",
    )


def whole_sound(composer: Any, take: MusicTake) -> np.ndarray:
    """The sound of the whole piece, also where only the new part was played."""
    if take.sound_start_s <= 0 and take.duration_s >= take.length_s - 0.1:
        return take.sound()
    again = MusicRequest(action="perform", piece=take.piece, tempo_scale=take.tempo_scale)
    return joined(composer.stream(again))


def show(take: MusicTake, probability: bool) -> Update:
    """Roll and remarks of a finished take; of sound without notes, its spectrogram in the roll's place."""
    if not take.bars:
        return {"roll": _spectrogram(take), "notes": html.notes(take.remarks)}
    return {
        "roll": piano_roll.roll(take.notes, take.bars, take.tracks, take.sound_start_s, probability),
        "notes": html.notes(take.remarks),
    }


def _spectrogram(take: MusicTake) -> str:
    """The sound as a picture."""
    if not take.samples_count:
        return ""
    import torch

    from models.audio import MelConfig, log_mel, resample

    config = MelConfig()
    mono = resample(take.sound().mean(axis=0), take.sample_rate, config.sample_rate)
    return html.mel(log_mel(torch.from_numpy(mono), config).numpy(), 0.0, take.duration_s)


def closing_line(take: MusicTake, took_s: float, seed: int) -> str:
    """What was made, how long it is, how long it took."""
    bars = f"{len(take.bars)} bars, " if take.bars else ""
    what = f"{bars}{html.duration(take.length_s or take.duration_s)} of music"
    return html.finished(what, f"made in {took_s:.1f} s · seed {seed}")


def _live_views(takes: list[MusicTake], pace: Pace, request: MusicRequest, probability: bool) -> Update:
    first = takes[0]
    done, total = sum(take.done for take in takes), max(1, sum(take.total for take in takes))
    left_s = pace.seconds_left(first)
    left = f"{html.duration(left_s)} left" if left_s is not None else ""
    if not first.bars:  # sound without notes
        return {"status": html.status("Making sound", done / total, left), "notes": html.notes(first.remarks)}
    notes, bars = first.recent(RECENT_BARS)
    return {
        "status": html.status(f"{DOING[request.action]}: bar {done} of {total}", done / total, left),
        "roll": piano_roll.roll(notes, bars, first.tracks, first.sound_start_s, probability, growing=True),
        "notes": html.notes(first.remarks),
    }


def _paths(files: MusicFiles) -> Update:
    midi = str(files.midi) if files.midi else None
    return {"wav": str(files.wav), "midi": midi, "mp3": str(files.mp3) if files.mp3 else None}
