"""What the Speech tab does, without its page: plain values in, named plain values out."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

from models.contracts import SpeechRequest
from models.registry.registry import Registry
from studio.io import recipes
from studio.page import html, jobs, model_card
from studio.page.loading import for_page, load_for_page, or_shipped, silently
from studio.page.stream_pacing import Pace
from studio.speech.take import SpeechFiles, SpeechTake, recipe_of, request_of, save_take

TASK = "speech"
RECENT_S = 15.0  # of the spectrogram, while it grows

Update = dict[str, Any]
EMPTY_VIEWS: Update = {"words": "", "verdict": "", "alignment": "", "mel": "", "notes": ""}
NO_FILES: Update = {"wav": None, "mp3": None, "srt": None, "vtt": None}


class SpeechActions:
    """The actions of the tab and of the endpoint `/speech`."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.stops = jobs.StopBoard()

    def voice_shown(self, model: str, voice: str | None) -> str | None:
        """The voice that the page shows, or is about to: someone may press Generate before it follows a new model."""
        if model not in {spec.key for spec in self.registry.specs(TASK)}:
            return voice
        known = [known.key for known in self.registry.voices(model)]
        return voice if voice in known or not known else known[0]

    def generate(self, session: str, model: str, fields: dict[str, Any]) -> Iterator[Update]:
        """Speak for the page.

        Yields:
            values by name: status, sound (WAV bytes of the next piece), words, verdict, alignment, mel, notes, shelf,
            and at the end the files wav, mp3, srt, vtt. Failures are a status, never an exception.
        """

        def work(should_stop: Callable[[], bool]) -> Iterator[Update]:
            request = build_request(**fields)
            yield {"status": html.status("Getting the voice ready"), **EMPTY_VIEWS, **NO_FILES}

            def speak(key: str) -> Iterator[Update]:
                voice = self.voice_shown(key, request.voice) or ""
                return self._speak_to_page(key, replace(request, voice=voice), should_stop)

            yield from or_shipped(self.registry, model, speak)

        yield from for_page(self.stops, session, work, "Stopped before the first word")

    def _speak_to_page(self, model: str, request: SpeechRequest, should_stop: Callable[[], bool]) -> Iterator[Update]:
        shared = yield from load_for_page(self.registry, model, should_stop)
        yield {"status": html.status("Reading the text"), "shelf": model_card.line(self.registry, model, request.voice)}
        voices = model_card.voices(self.registry, model)
        if voices and not self.registry.get(model).voices:  # a model of the Hub knows its voices once it is loaded
            yield {"voices": voices}
        take, pace = SpeechTake(), Pace()
        with closing(shared.stream(request)) as chunks:
            for chunk in chunks:
                take.add(chunk)
                if should_stop():
                    break
                update: Update = {"sound": pace.next_sound(take)} if pace.sound_due(take) else {}
                if pace.view_due(len(take.words)):
                    update |= _live_views(take, pace)
                if update:
                    yield update
        if not take.samples_count:
            if should_stop():
                raise jobs.Stopped
            notes = " ".join(take.notes) or "Nothing in this text could be spoken."
            yield {"status": html.problem(notes)}
            return
        yield from self._close_take(take, pace, request, model)

    def _close_take(self, take: SpeechTake, pace: Pace, request: SpeechRequest, model: str) -> Iterator[Update]:
        took_s = time.monotonic() - pace.began_s
        take.close()
        last: Update = {"sound": pace.next_sound(take)} if take.samples_count > pace.sent_samples else {}
        yield last | _final_views(take)
        with tempfile.TemporaryDirectory(prefix="auralume-") as folder:
            revision = model_card.revision_of(self.registry, model)
            files = save_take(take, recipe_of(request, model, revision), folder)
            yield {
                "status": _closing_line(take, took_s, request.seed),
                "wav": str(files.wav),
                "mp3": str(files.mp3) if files.mp3 else None,
                "srt": str(files.srt),
                "vtt": str(files.vtt),
                "take": take,
            }

    def speak(self, model: str, fields: dict[str, Any], folder: str) -> Iterator[SpeechFiles | Update | None]:
        """Speak for a program: yields None while it works, then the files, then the report; raises its failures."""
        request = build_request(**fields)
        shared = yield from silently(load_for_page(self.registry, model))
        take, pace = SpeechTake(), Pace()
        with closing(shared.stream(request)) as chunks:
            for chunk in chunks:
                take.add(chunk)
                if pace.view_due():  # a caller who leaves is noticed at a yield
                    yield None
        if not take.samples_count:
            raise ValueError(" ".join(take.notes) or "Nothing in this text could be spoken.")
        recipe = recipe_of(request, model, model_card.revision_of(self.registry, model))
        yield save_take(take, recipe, folder)
        yield {
            "duration_s": round(take.duration_s, 3),
            "sample_rate": take.sample_rate,
            "model": model,
            "revision": recipe.revision,
            "seed": request.seed,
            "words": [{"text": w.text, "start_s": round(w.start_s, 3), "end_s": round(w.end_s, 3)} for w in take.words],
            "verdicts": take.verdicts,
            "notes": list(take.notes),
        }

    def load_settings(self, path: str) -> tuple[Update, str]:
        """Controls from a result file: values by name, and a sentence; raises ValueError with a sentence."""
        recipe = recipes.read_recipe(path)
        request = request_of(recipe)
        values: Update = {
            "text": request.text,
            "speed": request.speed,
            "pitch": request.pitch_semitones,
            "energy": request.energy_db,
            "vocoder": request.vocoder,
            "seed": request.seed,
        }
        keys = [spec.key for spec in self.registry.specs(TASK)]
        if recipe.model not in keys:
            return values, f"The settings are back, but the model {recipe.model} is not on this shelf."
        values["model"] = recipe.model
        known = [voice.key for voice in self.registry.get(recipe.model).voices]
        values["voice"] = request.voice if request.voice in known else (known[0] if known else "")
        if model_card.revision_of(self.registry, recipe.model) != recipe.revision:
            return values, "The settings are back. The model has changed since, so the sound may differ a little."
        return values, "The settings are back: the same words, voice and seed will give the same sound."


def build_request(
    text: str,
    voice: str | None = "",
    speed: float = 1.0,
    pitch: float = 0.0,
    energy: float = 0.0,
    vocoder: str = "neural",
    seed: float | None = 0,
) -> SpeechRequest:
    """The request of a form; raises ValueError naming the field, the value and what is allowed."""
    checked: Any = int(seed) if isinstance(seed, float) and seed.is_integer() else seed
    return SpeechRequest(
        text=text or "",
        voice=voice or "",
        seed=checked,
        speed=speed,
        pitch_semitones=pitch,
        energy_db=energy,
        vocoder=vocoder,
    )


def _live_views(take: SpeechTake, pace: Pace) -> Update:
    left_s = pace.seconds_left(take)
    part = f"Speaking sentence {max(take.sentence, 0) + 1} of {take.sentences}" if take.sentences > 1 else "Speaking"
    left = f"{html.duration(left_s)} left" if left_s is not None else ""
    recent, start_s = take.recent_mel(RECENT_S)
    return {
        "status": html.status(part, take.done / max(take.total, 1), left),
        "words": html.words(take.words),
        "verdict": html.verdicts(take.verdicts),
        "alignment": html.alignment(take.panels[-1:], growing=True),
        "mel": html.mel(recent, start_s, take.duration_s),
        "notes": html.notes(take.notes),
    }


def _final_views(take: SpeechTake) -> Update:
    return {
        "status": html.status("Writing the files", 1.0),
        "words": html.words(take.words),
        "verdict": html.verdicts(take.verdicts),
        "alignment": html.alignment(take.panels),
        "mel": html.mel(take.mel(), 0.0, take.duration_s),
        "notes": html.notes(take.notes),
    }


def _closing_line(take: SpeechTake, took_s: float, seed: int) -> str:
    what = f"{take.duration_s:.1f} s of speech" + ("" if take.finished else ", stopped early")
    return html.finished(what, f"made in {took_s:.1f} s · seed {seed}")
