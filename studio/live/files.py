"""What a live session leaves behind, and how a key of the keyboard sounds."""

from __future__ import annotations

import contextlib
import json
import threading
from functools import lru_cache
from pathlib import Path

import numpy as np

from models.audio import resample
from models.live.music_stream import ThreadSafeVoiceBank
from models.live.recording import write_mp3
from models.live.session import LiveSession
from models.live.voice_session import VoiceSession
from models.music.soundfont import load_general_midi
from models.music.soundfont_renderer import SoundFontRenderer
from models.registry.registry import Registry
from studio.io import audio_files
from studio.io.marking import mark_result
from studio.io.recipes import MAX_TEXT_CHARACTERS, Recipe, RecipeError, read_recipe, write_recipe
from studio.page import model_card

WAV, MP3, MIDI = "session.wav", "session.mp3", "session.mid"
FILE_TYPES = {WAV: "audio/wav", MP3: "audio/mpeg", MIDI: "audio/midi"}
KEY_RATE, KEY_HELD_S, KEY_VELOCITY = 22_050, 1.6, 100

_encoding = threading.Lock()


def finished_files(session: LiveSession | VoiceSession, folder: Path, registry: Registry, model: str) -> list[str]:
    """Write what remains to be written of an ended session; returns the names of its files."""
    if session.recording.samples == 0:
        return []
    names = [WAV, MP3]
    if isinstance(session, LiveSession):
        session.recording.write_midi(folder / MIDI)
        recipe = recipe_of(session, registry, model)
        for name in (WAV, MIDI):
            write_recipe(folder / name, recipe)
        mark_result(folder / WAV)
        names.append(MIDI)
    return names


def recipe_of(session: LiveSession, registry: Registry, model: str) -> Recipe:
    """Return the seed and every turn of the knobs with its bar: the same session can be played again."""
    turns = {
        bar: [turn[0].__dict__ | {"instruments": list(turn[0].instruments)}, turn[1]]
        for bar, turn in session.music.timeline.items()
    }
    timeline = json.dumps(turns, separators=(",", ":"))
    settings: dict[str, str | int | float | bool] = {"answers": session.answers}
    if len(timeline) <= MAX_TEXT_CHARACTERS:
        settings["timeline"] = timeline
    return Recipe("live", model, model_card.revision_of(registry, model), session.music.seed, settings)


def recording_file(folder: Path, name: str) -> Path:
    """Return a file of an ended session; the MP3 is made when it is first asked for.

    Raises:
        ValueError: there is no such file, or it cannot be made.
    """
    if name not in FILE_TYPES:
        raise ValueError("There is no such file.")
    path = folder / name
    with _encoding:
        if name == MP3 and not path.is_file():
            import soundfile

            part = folder / "part.mp3"
            try:
                write_mp3(folder / WAV, part)
                with contextlib.suppress(RecipeError):  # a recording of a microphone has none
                    write_recipe(part, read_recipe(folder / WAV))
                    mark_result(part)
            except (soundfile.LibsndfileError, ValueError) as error:
                raise ValueError("This machine's libsndfile cannot write MP3; take the WAV file.") from error
            part.replace(path)
    if not path.is_file():
        raise ValueError("There is no such file of this session.")
    return path


@lru_cache(maxsize=1)
def _bank() -> SoundFontRenderer:
    return ThreadSafeVoiceBank(SoundFontRenderer(load_general_midi()))


@lru_cache(maxsize=256)
def key_sound(program: int, pitch: int) -> bytes:
    """Return a key held for KEY_HELD_S, one channel, as a WAV file.

    Raises:
        ValueError: there is no such instrument or pitch.
    """
    if not 0 <= program < 128 or not 0 <= pitch < 128:
        raise ValueError("An instrument and a pitch are numbers from 0 to 127.")
    bank = _bank()
    stereo = bank.render_note(program, False, pitch, KEY_VELOCITY, round(KEY_HELD_S * bank.sample_rate))
    mono = resample(stereo.mean(axis=0), bank.sample_rate, KEY_RATE)
    peak = float(np.abs(mono).max()) if mono.size else 0.0
    return audio_files.wav_bytes(mono * np.float32(0.5 / max(peak, 0.05)), KEY_RATE)
