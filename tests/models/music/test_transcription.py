"""Recordings heard as melodies: the network beside its original, notes, tempo, grid, and what holds no notes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray

from models.music.note_listener import SAMPLE_RATE, WINDOW
from models.music.transcription import HeardNote, estimate_tempo, get_listener, keep_melody, lay_on_grid, read_melody
from models.music.vocabulary import find_meter

RATE = 44_100
TUNE = ((60, 1), (62, 1), (64, 1), (65, 1), (67, 2), (67, 2), (69, 1), (67, 1), (65, 0.5), (64, 0.5), (62, 1), (60, 2))


def hum(tune: tuple[tuple[int, float], ...] = TUNE, beat_s: float = 0.6) -> NDArray[np.float32]:
    """Hum as people do: sliding into each note, with vibrato, breath and a little noise."""
    random, parts, phase = np.random.default_rng(1), [], 0.0
    for pitch, beats in tune:
        count = int(beats * beat_s * RATE)
        at = np.arange(count) / RATE
        bend = 0.3 * np.sin(2 * np.pi * 5.5 * at) * np.minimum(1, 3 * at) - 0.6 * np.exp(-at / 0.03)
        angle = phase + 2 * np.pi * np.cumsum(440 * 2 ** ((pitch - 69 + bend) / 12)) / RATE
        phase = float(angle[-1])
        swell = np.minimum(1, at / 0.04) * np.minimum(1, (count - np.arange(count)) / (0.06 * RATE))
        parts.append(0.25 * swell * sum(np.sin(k * angle) / k**1.7 for k in range(1, 7)))
    sound = np.concatenate(parts)
    return (sound + 0.003 * random.standard_normal(len(sound))).astype(np.float32)


def write(path: Path, sound: NDArray[np.float32]) -> Path:
    soundfile.write(path, sound, RATE)
    return path


def test_the_network_hears_what_its_original_hears() -> None:
    at = np.arange(WINDOW) / SAMPLE_RATE
    high = 0.4 * np.sin(2 * np.pi * 440 * at) * (at > 0.5) * (at < 1.5)
    low = 0.2 * np.sin(2 * np.pi * 261.6256 * at) * (at > 1.0)
    with torch.inference_mode():
        notes, onsets = get_listener()(torch.from_numpy((high + low).astype(np.float32))[None])
    frames = [20, 60, 100, 120, 150]  # the values beside them are those of basic-pitch 0.4.0's ONNX file
    assert notes[0, frames, 48].numpy() == pytest.approx([0.09828, 0.64814, 0.67176, 0.6444, 0.09961], abs=2e-4)
    assert notes[0, frames, 39].numpy() == pytest.approx([0.09858, 0.10154, 0.34579, 0.43415, 0.63306], abs=2e-4)
    assert onsets[0, [42, 44, 86], 48].numpy() == pytest.approx([0.65887, 0.27154, 0.4076], abs=2e-4)
    assert (float(notes.mean()), float(onsets.mean())) == pytest.approx((0.105285, 0.098654), abs=1e-4)


@pytest.mark.slow
def test_a_hummed_tune_is_written_down(tmp_path: Path) -> None:
    piece = read_melody(write(tmp_path / "hum.wav", hum()))
    heard = [(note.pitch, note.duration / 24) for note in piece.tracks[0].notes]
    assert heard == [(pitch, float(beats)) for pitch, beats in TUNE]
    assert piece.first_tempo == pytest.approx(100, abs=1.5)
    assert "12 notes were heard" in piece.remarks[0]


def test_the_tempo_that_is_given_counts(tmp_path: Path) -> None:
    path = write(tmp_path / "hum.wav", hum(TUNE[:5]))
    piece = read_melody(path, 200.0, find_meter(3, 4))
    assert piece.first_tempo == 200 and [note.start for note in piece.tracks[0].notes] == [0, 48, 96, 144, 192]
    assert all(bar.positions == 72 for bar in piece.bars)


@pytest.mark.parametrize("kind", ["silence", "noise"])
def test_what_holds_no_notes_is_a_sentence(tmp_path: Path, kind: str) -> None:
    sound = np.zeros(RATE, np.float32)
    if kind == "noise":
        sound += 0.1 * np.random.default_rng(2).standard_normal(RATE).astype(np.float32)
    with pytest.raises(ValueError, match="No notes were heard"):
        read_melody(write(tmp_path / "no.wav", sound))


def test_the_clearest_of_notes_that_sound_together_is_the_melody() -> None:
    chord = [HeardNote(0.0, 1.0, 48, 0.5), HeardNote(0.0, 1.0, 72, 0.9), HeardNote(0.9, 2.0, 74, 0.8)]
    assert keep_melody(chord) == [HeardNote(0.0, 0.9, 72, 0.9), HeardNote(0.9, 2.0, 74, 0.8)]


@pytest.mark.parametrize("tempo", [76.0, 92.0, 118.0])
def test_the_tempo_is_found_in_uneven_onsets(tempo: float) -> None:
    random = np.random.default_rng(3)
    beats = np.cumsum([0, 1, 1, 0.5, 0.5, 1, 2, 1, 0.5, 0.5, 1, 1, 2, 1, 1])
    onsets = list(beats * 60 / tempo + random.normal(0, 0.012, len(beats)))
    assert estimate_tempo(onsets) == pytest.approx(tempo, rel=0.02)


def test_a_melody_begins_with_the_first_bar() -> None:
    piece = lay_on_grid([HeardNote(3.2, 3.7, 60, 0.5), HeardNote(3.75, 5.0, 64, 0.9)], 120.0)
    assert [(note.start, note.pitch, note.duration) for note in piece.tracks[0].notes] == [(0, 60, 24), (24, 64, 60)]
    assert piece.tracks[0].notes[0].velocity < piece.tracks[0].notes[1].velocity
