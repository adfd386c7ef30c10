"""What the Music tab does, without its page: checked values in, events out."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

from models.contracts import Task
from models.music.contracts import IDEAS, NEEDS_PIECE, REWRITES, SEVERAL, MusicRequest, check_piece
from models.music.instrument_order import sort_by_role
from models.music.score import Piece
from models.registry.registry import Registry
from studio.io import recipes, temp_folders
from studio.io.recipes import Recipe
from studio.music import piano_roll
from studio.music.controls import FIELDS, NEW, OWN
from studio.music.history import History
from studio.music.take import DRUMS_ASKED, FILES, SOUND, MusicTake, recipe_of, save_take
from studio.music.views import draw_small_roll, mark_chosen, show_take, whole_sound
from studio.page import html, jobs, model_card
from studio.page.events import Event, Events, Files, Kept, Pictures, Problem, Report, Sound, Status
from studio.page.instruments import name_of
from studio.page.stream_pacing import Pace

RECENT_BARS = 16  # of the roll, while it grows
SILENT = "No note was written for {}. Another seed may give some."
IDEA_BARS = 8  # of each of four ideas, at most
IDEA_NAMES = tuple(f"idea_{number}" for number in range(1, IDEAS + 1))
ROLL_NAMES = tuple(f"roll_{number}" for number in range(1, IDEAS + 1))  # the small rolls of the ideas
NOTHING: Events = (
    Status(html.status("Getting the composer ready")),
    Pictures({"roll": "", "notes": "", "chosen": ""}),
    Files(dict.fromkeys((SOUND, *FILES, *IDEA_NAMES))),
)
DOING = {
    "compose": "Composing",
    "continue": "Writing on",
    "rewrite": "Writing bars anew",
    "ideas": "Composing four ideas",
    "harmonise": "Harmonising",
    "perform": "Playing",
    "vary": "Varying bars",
    "versions": "Writing bars anew, four times",
}


class MusicActions:
    """Make music for the tab and for the endpoint `/music`."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.stops = jobs.StopBoard()

    def run(
        self, session: str, key: str, values: Mapping[str, Any], current: MusicTake | None = None
    ) -> Generator[Events]:
        """Make music for the page; failures are events, never exceptions.

        Args:
            current: the piece on the page, to go on from where no MIDI file is given.
        """
        shows_probability = bool(values.get("probability"))
        yield from jobs.run_on_page(
            self.registry,
            self.stops,
            session,
            key,
            NOTHING,
            lambda: build_request(values, current),
            lambda used, model, request, stop: self._make(
                used, model, request, temp_folders.held, stop, True, shows_probability, current
            ),
            "Stopped before the first bar",
        )

    def run_program(
        self, key: str, values: Mapping[str, Any], folder: str, should_stop: Callable[[], bool] = lambda: False
    ) -> Generator[Events]:
        """Make music for a program; the last events are the files and the report. Raises failures."""
        yield from jobs.run_with_model(
            self.registry,
            key,
            build_request(values),
            lambda used, model, request, stop: self._make(
                used, model, request, lambda: nullcontext(folder), stop, is_watched=False
            ),
            should_stop,
        )

    def _make(
        self,
        key: str,
        model: Any,
        request: MusicRequest,
        hold_folder: Callable[[], AbstractContextManager[str]],
        should_stop: Callable[[], bool],
        is_watched: bool,
        shows_probability: bool = False,
        current: MusicTake | None = None,
    ) -> Generator[Events]:
        """Yield the events of one piece, or of four ideas; a program gets the first of them.

        Args:
            hold_folder: for the files, once there is something to write.
            is_watched: whether somebody gets sound and pictures while it grows.
            current: what undoing gives back.
        """
        has_past = current is not None and current.piece is not None
        history = current.history.push(current.version) if current is not None and has_past else History()
        several = request.action in SEVERAL
        takes = [MusicTake(desk=request.desk, history=history) for _ in range(IDEAS if several else 1)]
        heard, pace, card = takes[0], Pace(), is_watched
        with closing(model.stream(request)) as chunks:
            for chunk in chunks:
                if card:
                    yield self._card(key, request.action)
                    card = False
                takes[chunk.idea].add(chunk)
                if should_stop():
                    break
                events: list[Event] = []
                if is_watched and pace.sound_due(heard):
                    events.append(Sound(pace.next_sound(heard)))
                if pace.view_due():
                    events += _live_views(takes, pace, request, shows_probability) if is_watched else ()
                    yield tuple(events)
                elif events:
                    yield tuple(events)
        made = [take if take.finished else take.stop(request) for take in takes]
        finished = [take for take in made if take is not None]
        is_stopped = not all(take.finished for take in takes)
        if not finished and heard.samples_count:
            yield (Status(html.finished(f"Stopped after {html.duration(heard.duration_s)} of sound")),)
            return
        if not finished:
            raise jobs.Stopped
        took_s, first = time.monotonic() - pace.began_s, finished[0]
        if is_watched:
            is_tail = not is_stopped and first.samples_count > pace.sent_samples
            tail = (Sound(pace.next_sound(first)),) if is_tail else ()
            small = (*_small_rolls(finished, request), mark_chosen(0)) if several else ()
            yield (*tail, Status(html.status("Writing the files", 1.0)), show_take(first, shows_probability), *small)
        with hold_folder() as folder:
            files = self._save(key, model, request, finished if is_watched else finished[:1], folder)
            yield (
                _stopped_line(first, heard) if is_stopped else _closing_line(first, took_s, request.seed),
                files,
                Kept({"takes": finished, "current": first}),
                _report(first),
            )

    def _card(self, key: str, action: str) -> Events:
        card = model_card.line(self.registry, key)
        return Status(html.status(DOING[action])), Pictures({"shelf": card})

    def _save(self, key: str, model: Any, request: MusicRequest, takes: list[MusicTake], folder: str) -> Files:
        """Write the files of the first take, and a WAV file of each where there are several."""
        recipe = recipe_of(request, key, model_card.revision_of(self.registry, key))
        several = len(takes) > 1
        made = []
        for number, take in enumerate(takes, 1):
            take.recipe = recipe if len(take.parts) or not take.piece else _tell_stopped(recipe, take)
            sound = whole_sound(model, take)
            made.append(
                save_take(take, sound, take.recipe, folder, f"-{number}" if several else "", with_mp3=number == 1)
            )
        ideas = zip(IDEA_NAMES, made, strict=False) if several else ()
        return Files(made[0] | {name: files["wav"] for name, files in ideas})

    def choose(self, takes: list[MusicTake] | None, number: int, shows_probability: bool) -> Generator[Events]:
        """Put idea `number` (from 0) in the place of the first, with its files."""
        take = takes[number] if takes and number < len(takes) else None
        if take is None or take.recipe is None:
            yield (Problem("There is no such idea any more; compose four ideas again."),)
            return
        with temp_folders.held() as folder:
            files = save_take(take, take.sound(), take.recipe, folder, f"-{number + 1}")
            what = "Version" if take.recipe.settings.get("action") == "versions" else "Idea"
            yield (
                Status(html.finished(f"{what} {number + 1} is on the table", "continue it, or rewrite its bars")),
                show_take(take, shows_probability),
                mark_chosen(number),
                Files(files),
                Kept({"current": take}),
            )

    def load_settings(self, path: str) -> tuple[dict[str, Any], str]:
        """Return the controls of a result file by name, and a sentence.

        Raises:
            ValueError: the file holds no settings of this tab, or some that cannot be used.
        """
        recipe = recipes.read_recipe(path)
        if recipe.task != Task.MUSIC:
            raise ValueError(f"This file was made by the {recipe.task} tab, not by Music.")
        try:
            values = FIELDS.restore(recipe.settings, recipe.seed)
            values.pop("action", None)  # the buttons say what to do
            build_request(values)
        except ValueError as error:
            raise ValueError(f"The settings in this file cannot be used: {error}") from error
        if recipe.model not in [spec.key for spec in self.registry.specs(Task.MUSIC)]:
            return values, f"Settings restored, but the model {recipe.model} is not on this shelf."
        values["model"] = recipe.model
        if model_card.revision_of(self.registry, recipe.model) != recipe.revision:
            return values, "Settings restored. The model has changed since, so the music may differ."
        if recipe.settings.get("edited") or recipe.settings.get("stopped"):
            return values, "Settings restored; what was done by hand since is in the MIDI file alone."
        return values, "Settings restored: the same settings and seed will give the same music."


def build_request(values: Mapping[str, Any], current: MusicTake | None = None) -> MusicRequest:
    """Return the request of a form's values, with the piece that its action goes on from.

    Args:
        current: the piece on the page; a MIDI file among the values comes before it.

    Raises:
        ValueError: names the control and what it takes, or says what is wrong with the piece.
    """
    return FIELDS.build(partial(_make_request, current), values)


def _make_request(
    current: MusicTake | None,
    *,
    action: str,
    key: str,
    meter: str,
    bars: int,
    instruments: list[int],
    drums: str,
    density: float,
    register: float,
    midi_file: str | None,
    melody: str | None,
    mix: str,
    **more: Any,
) -> MusicRequest:
    piece, scale = None, 1.0
    if action in NEEDS_PIECE:
        if midi_file:
            piece = open_piece(midi_file)
        elif melody:
            piece = hear_piece(melody, more["tempo"])
        elif current is not None and current.piece is not None:
            piece, scale, mix = current.piece, current.tempo_scale, str(current.desk)
    own = dict.fromkeys(NEW, "") if action in NEEDS_PIECE else NEW
    return MusicRequest(
        action=action,
        key=own["key"] if key == OWN else key,
        meter=own["meter"] if meter == OWN else meter,
        bars=min(bars, IDEA_BARS) if action == "ideas" else bars,
        programs=sort_by_role(instruments),
        drums=DRUMS_ASKED[drums],
        density=density or 0.0,
        register=register or 0.0,
        piece=piece,
        tempo_scale=scale,
        mix=mix,
        **more,
    )


def hear_piece(path: str, tempo: float | None) -> Piece:
    """Hear the melody of a recording as a piece; a tempo of 0 is found in it.

    Raises:
        ValueError: it cannot be read, or no notes are heard.
    """
    from models.music.transcription import read_melody

    piece = read_melody(path, tempo or 0.0)
    check_piece(piece)
    return piece


def open_piece(path: str) -> Piece:
    """Read a MIDI file as a piece.

    Raises:
        ValueError: says what is wrong with the file.
    """
    from models.music.midi_io import read_piece

    piece = read_piece(path)
    check_piece(piece)
    return piece


def _closing_line(take: MusicTake, took_s: float, seed: int) -> Status:
    bars = f"{len(take.bars)} bars, " if take.bars else ""
    what = f"{bars}{html.duration(take.length_s or take.duration_s)} of music"
    return Status(html.finished(what, f"made in {took_s:.1f} s · seed {seed}"))


def _stopped_line(take: MusicTake, heard: MusicTake) -> Status:
    return Status(
        html.finished(f"Stopped after {html.duration(heard.duration_s)} of sound", f"{len(take.bars)} bars kept")
    )


def _tell_stopped(recipe: Recipe, take: MusicTake) -> Recipe:
    """Return the recipe of a piece that was stopped after so many bars."""
    return replace(recipe, settings=recipe.settings | {"stopped": len(take.bars)})


def _small_rolls(takes: list[MusicTake], request: MusicRequest) -> Events:
    """Draw what each of several takes has that is new."""
    bars = (request.first_bar, request.last_bar) if request.action in REWRITES else (0, 0)
    drawn = {name: draw_small_roll(take, *bars) for name, take in zip(ROLL_NAMES, takes, strict=False)}
    return (Pictures(dict.fromkeys(ROLL_NAMES, "") | drawn),)


def _live_views(takes: list[MusicTake], pace: Pace, request: MusicRequest, shows_probability: bool) -> Events:
    first = takes[0]
    done, total = sum(take.done for take in takes), max(1, sum(take.total for take in takes))
    left_s = pace.seconds_left(first)
    left = f"{html.duration(left_s)} left" if left_s is not None else ""
    notes = html.notes(first.remarks)
    if not first.bars:  # sound without notes
        return Status(html.status("Making sound", done / total, left)), Pictures({"notes": notes})
    recent, bars = first.recent(RECENT_BARS)
    drawn = piano_roll.draw_roll(recent, bars, first.tracks, first.sound_start_s, shows_probability, growing=True)
    return (
        Status(html.status(f"{DOING[request.action]}: bar {done} of {total}", done / total, left)),
        Pictures({"roll": drawn, "notes": notes}),
    )


def _report(take: MusicTake) -> Report:
    assert take.recipe is not None
    heard = take.heard_tracks
    silent = [name_of(*track) for track in take.tracks if track not in heard]
    return Report(
        {
            "duration_s": round(take.length_s or take.duration_s, 3),
            "bars": len(take.bars),
            "notes": take.piece.note_count if take.piece is not None else 0,
            "instruments": [[program, is_drum] for program, is_drum in heard],
            "model": take.recipe.model,
            "revision": take.recipe.revision,
            "seed": take.recipe.seed,
            "remarks": [*take.remarks, *([SILENT.format(", ".join(silent))] if silent else [])],
        }
    )
