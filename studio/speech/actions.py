"""What the Speech tab does, without its page: checked values in, events out."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

from models.contracts import SpeechRequest, Task
from models.registry.registry import Registry
from studio.io import temp_folders
from studio.io.recipes import Recipe, read_recipe
from studio.page import html, jobs, model_card
from studio.page.events import Event, Events, Files, Kept, Offers, Pictures, Report, Sound, Status
from studio.page.stream_pacing import Pace
from studio.speech.controls import FIELDS
from studio.speech.take import FILES, SpeechTake, save_take

PREVIEWED_CHARACTERS = 1_200
RECENT_S = 15.0  # of the spectrogram, while it grows
NOTHING: Events = (
    Status(html.status("Getting the voice ready")),
    Pictures({"words": "", "verdict": "", "alignment": "", "mel": "", "notes": ""}),
    Files(dict.fromkeys(FILES)),
)
MIXING = ("second_voice", "blend")
STOPPED = "Stopped before the first word"
NO_WORD = "Nothing in this text could be spoken."


class SpeechActions:
    """Speak for the tab and for the endpoint `/speech`."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.stops = jobs.StopBoard()

    def voice_shown(self, key: str, voice: str | None) -> str:
        """Return the voice that the page is about to show: Generate may be pressed before it follows a new model."""
        known = [each.key for each in self.registry.voices(key)]
        return (voice or "") if voice in known or not known else known[0]

    def second_voice_shown(self, key: str, voice: str) -> str:
        """Return the second voice that the page shows for a model; "" where it shows none."""
        return voice if voice in [each for _, each in model_card.second_voices(self.registry, key)] else ""

    def run(self, session: str, key: str, values: Mapping[str, Any]) -> Generator[Events]:
        """Speak for the page; failures are events, never exceptions."""

        def work(used: str, model: Any, request: SpeechRequest, should_stop: Callable[[], bool]) -> Generator[Events]:
            second = self.second_voice_shown(used, request.second_voice)
            asked = replace(request, voice=self.voice_shown(used, request.voice), second_voice=second)
            with temp_folders.held() as folder:
                yield from self._speak(used, model, asked, folder, should_stop)

        yield from jobs.run_on_page(
            self.registry,
            self.stops,
            session,
            key,
            NOTHING,
            lambda: build_request(values),
            work,
            "Stopped before the first word",
        )

    def run_program(
        self, key: str, values: Mapping[str, Any], folder: str, should_stop: Callable[[], bool] = lambda: False
    ) -> Generator[Events]:
        """Speak for a program; the last events are the files and the report. Raises failures."""
        yield from jobs.run_with_model(
            self.registry,
            key,
            build_request(values),
            lambda used, model, request, stop: self._speak(used, model, request, folder, stop, is_watched=False),
            should_stop,
        )

    def _speak(
        self,
        key: str,
        model: Any,
        request: SpeechRequest,
        folder: str,
        should_stop: Callable[[], bool],
        is_watched: bool = True,
    ) -> Generator[Events]:
        """Yield the events of one take; somebody who watches gets sound and pictures while it grows."""
        if request.second_voice and not self.registry.get(key).mixes_voices:
            raise ValueError(f"Second voice: {self.registry.get(key).title} cannot mix two voices; leave it empty.")
        take, pace = SpeechTake(), Pace()
        with closing(model.stream(request)) as chunks:
            for chunk in chunks:
                if is_watched and not take.sentences:
                    yield self._facts(key, request.voice)
                take.add(chunk)
                if should_stop():
                    break
                events: list[Event] = []
                if is_watched and pace.sound_due(take):
                    events.append(Sound(pace.next_sound(take)))
                if pace.view_due(len(take.words)):
                    events += _live_views(take, pace) if is_watched else ()
                    yield tuple(events)
                elif events:
                    yield tuple(events)
        if not take.samples_count:
            if should_stop():
                raise jobs.Stopped
            raise ValueError(" ".join(take.notes) or NO_WORD)
        took_s = time.monotonic() - pace.began_s
        take.close()
        if is_watched:
            tail = (Sound(pace.next_sound(take)),) if take.samples_count > pace.sent_samples else ()
            yield (*tail, *_final_views(take))
        recipe = self._recipe(key, request)
        files = save_take(take, recipe, folder)
        yield (_closing_line(take, took_s, request.seed), Files(files), Kept({"take": take}), _report(take, recipe))

    def _facts(self, key: str, voice: str) -> Events:
        """Return the model's card, and the voices of a model of the Hub, which are known once it is loaded."""
        card = Pictures({"shelf": model_card.line(self.registry, key, voice)})
        voices = tuple(model_card.voices(self.registry, key))
        if not voices or self.registry.get(key).voices:
            return (card,)
        return (
            card,
            Offers("voice", voices, voice if voice in [each for _, each in voices] else voices[0][1]),
        )

    def _recipe(self, key: str, request: SpeechRequest) -> Recipe:
        kept = {each.name: getattr(request, each.request or each.name) for each in FIELDS.fields if each.is_kept}
        if not request.second_voice:
            kept = {name: value for name, value in kept.items() if name not in MIXING}
        settings = FIELDS.settings(kept)
        return Recipe(Task.SPEECH, key, model_card.revision_of(self.registry, key), request.seed, settings)

    def load_settings(self, path: str) -> tuple[dict[str, Any], str]:
        """Return the controls of a result file by name, and a sentence.

        Raises:
            ValueError: the file holds no settings of this tab, or some that cannot be used.
        """
        recipe = read_recipe(path)
        if recipe.task != Task.SPEECH:
            raise ValueError(f"This file was made by the {recipe.task} tab, not by Speech.")
        try:
            values = FIELDS.restore(recipe.settings, recipe.seed)
            build_request(values)
        except ValueError as error:
            raise ValueError(f"The settings in this file cannot be used: {error}") from error
        if recipe.model not in [spec.key for spec in self.registry.specs(Task.SPEECH)]:
            values.pop("voice", None)
            return values, f"Settings restored, but the model {recipe.model} is not on this shelf."
        known = [voice.key for voice in self.registry.get(recipe.model).voices]
        voice = values.get("voice", "")
        values |= {"model": recipe.model, "voice": voice if voice in known else (known[0] if known else "")}
        values["second_voice"] = self.second_voice_shown(recipe.model, values.get("second_voice", ""))
        if model_card.revision_of(self.registry, recipe.model) != recipe.revision:
            return values, "Settings restored. The model has changed since, so the sound may differ a little."
        return values, "Settings restored: the same words, voice and seed will give the same sound."


def build_request(values: Mapping[str, Any]) -> SpeechRequest:
    """Return the request of a form's values.

    Raises:
        ValueError: names the control and what it takes.
    """
    return FIELDS.build(SpeechRequest, values)


def preview_words(text: str, dictionary: tuple[tuple[str, str], ...]) -> str:
    """Return as HTML how the beginning of a text will be read, and what will be left out of it."""
    from models.speech.preview import read_aloud

    notes: list[str] = []
    try:
        words = read_aloud((text or "")[:PREVIEWED_CHARACTERS], tuple(dictionary), notes)
    except ValueError as error:
        return html.problem(jobs.sentence(error))
    more = " …" if len(text) > PREVIEWED_CHARACTERS else ""
    return html.preview(words + more) + html.notes(list(dict.fromkeys(notes)))


def _live_views(take: SpeechTake, pace: Pace) -> Events:
    left_s = pace.seconds_left(take)
    part = f"Speaking sentence {take.sentence + 1}" if take.sentence > 0 else "Speaking"
    left = f"{html.duration(left_s)} left" if left_s is not None else ""
    recent, start_s = take.recent_mel(RECENT_S)
    pictures = {
        "words": html.words(take.words),
        "verdict": html.verdicts(take.verdicts),
        "alignment": html.alignment(take.panels[-1:], growing=True),
        "mel": html.mel(recent, start_s, take.duration_s),
        "notes": html.notes(take.notes),
    }
    return Status(html.status(part, take.done / max(take.total, 1), left)), Pictures(pictures)


def _final_views(take: SpeechTake) -> Events:
    pictures = {
        "words": html.words(take.words),
        "verdict": html.verdicts(take.verdicts),
        "alignment": html.alignment(take.panels),
        "mel": html.mel(take.mel(), 0.0, take.duration_s),
        "notes": html.notes(take.notes),
    }
    return Status(html.status("Writing the files", 1.0)), Pictures(pictures)


def _closing_line(take: SpeechTake, took_s: float, seed: int) -> Status:
    what = f"{take.duration_s:.1f} s of speech" + ("" if take.finished else ", stopped early")
    return Status(html.finished(what, f"made in {took_s:.1f} s · seed {seed}"))


def _report(take: SpeechTake, recipe: Recipe) -> Report:
    words = [{"text": w.text, "start_s": round(w.start_s, 3), "end_s": round(w.end_s, 3)} for w in take.words]
    return Report(
        {
            "duration_s": round(take.duration_s, 3),
            "sample_rate": take.sample_rate,
            "model": recipe.model,
            "revision": recipe.revision,
            "seed": recipe.seed,
            "words": words,
            "verdicts": take.verdicts,
            "notes": list(take.notes),
        }
    )
