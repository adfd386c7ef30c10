"""A debug speech generator for tests: tones for words and a drawn diagonal, in the shape of the real contract."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from models.contracts import SpeechChunk, SpeechRequest, Task, Voice, WordTiming
from models.errors import ModelError
from models.hub.spec import Bundled, ModelSpec
from models.registry.registry import Registry

RATE = 22_050
HOP = 256
WORD_S = 0.32
PIECE_S = 0.16


class DebugSpeech:
    """Speaks each word as a tone of `WORD_S` seconds; `real_time_factor` says how slowly."""

    takes_turns = True

    def __init__(self, real_time_factor: float = 0.0) -> None:
        self.real_time_factor = real_time_factor
        self.open_streams = 0

    def stream(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        self.open_streams += 1
        try:
            yield from self._stream(request)
        finally:
            self.open_streams -= 1

    def _stream(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        speakable = [word for word in request.text.split() if any(c.isascii() and c.isalnum() for c in word)]
        notes = () if len(speakable) == len(request.text.split()) else ("Some of the text was left out.",)
        if not speakable:
            yield _chunk(np.zeros(0, np.float32), np.zeros((0, 0), np.float32), (), 0, 1, (), "", notes, 0, 1, True)
            return
        sentences = _split(speakable)
        rng = np.random.default_rng(request.seed)
        timings: list[WordTiming] = []
        now_s = 0.0
        total = sum(len(" ".join(words)) for words in sentences)
        done = 0
        for index, words in enumerate(sentences):
            symbols = tuple(" ".join(words))
            weights: list[np.ndarray] = []
            steps_in_all = round(len(words) * WORD_S / request.speed * RATE / HOP)
            for at, word in enumerate(words):
                length_s = WORD_S / request.speed
                pitch = 180 * 2 ** (request.pitch_semitones / 12) * rng.uniform(0.9, 1.2)
                for part in range(2):
                    samples = _tone(pitch, length_s / 2, part, request.energy_db)
                    for _ in range(round(len(samples) / HOP)):
                        centre = len(weights) / steps_in_all * len(symbols)
                        row = np.exp(-0.5 * ((np.arange(len(symbols)) + 0.5 - centre) / 1.1) ** 2)
                        weights.append((row / row.sum()).astype(np.float32))
                    now_s += len(samples) / RATE
                    if part == 1:
                        timings.append(WordTiming(word, now_s - length_s, now_s))
                        done += len(word) + 1
                    last_of_sentence = at == len(words) - 1 and part == 1
                    last = last_of_sentence and index == len(sentences) - 1
                    verdict = "A clear diagonal: every word was spoken." if last_of_sentence else ""
                    time.sleep(self.real_time_factor * len(samples) / RATE)
                    yield _chunk(
                        samples, np.array(weights), symbols, index, len(sentences), tuple(timings), verdict, notes,
                        min(done, total), total, last,
                    )  # fmt: skip


def _chunk(samples: np.ndarray, weights: np.ndarray, *more: Any) -> SpeechChunk:
    frames = round(len(samples) / HOP)
    bands = np.linspace(0, 1, 80, dtype=np.float32)
    wave = np.sin(np.linspace(0, 9, max(frames, 1)))[:frames, None]
    mel = (-8 + 5 * np.exp(-((bands[None] - 0.3 - 0.1 * wave) ** 2) * 40)).astype(np.float32)
    return SpeechChunk(samples, RATE, mel, weights, *more)


def _tone(pitch: float, length_s: float, part: int, energy_db: float) -> np.ndarray:
    count = round(length_s * RATE / HOP) * HOP
    at = np.arange(count) / RATE
    envelope = np.linspace(1.0, 0.6, count) if part == 0 else np.linspace(0.6, 0.0, count)
    return (0.2 * 10 ** (energy_db / 20) * envelope * np.sin(2 * np.pi * pitch * at)).astype(np.float32)


def _split(words: list[str]) -> list[list[str]]:
    sentences: list[list[str]] = [[]]
    for word in words:
        sentences[-1].append(word)
        if word[-1] in ".!?":
            sentences.append([])
    return [sentence for sentence in sentences if sentence]


def load_quick(files: dict[str, Path], spec: ModelSpec) -> DebugSpeech:
    """As fast as it can."""
    return DebugSpeech()


def load_slow(files: dict[str, Path], spec: ModelSpec) -> DebugSpeech:
    """Speak a little faster than it sounds, so that a browser can be watched while work goes on."""
    return DebugSpeech(real_time_factor=0.6)


def load_stuck(files: dict[str, Path], spec: ModelSpec) -> DebugSpeech:
    """Take a minute to load."""
    time.sleep(60)
    return DebugSpeech()


def load_corrupt(files: dict[str, Path], spec: ModelSpec) -> DebugSpeech:
    """Fail as a damaged weight file does."""
    raise ModelError("The file debug.bin of Debug is damaged. Get the studio's files again.", "weights")


def debug_entry(key: str, title: str, loader: str, **changes: object) -> ModelSpec:
    """Return a catalogue entry for tests; its one file is `debug.bin`. loader: within `tests.studio`."""
    values: dict[str, object] = {
        "key": key,
        "task": Task(key.split("/", maxsplit=1)[0]),
        "title": title,
        "summary": "For tests alone.",
        "licence": "MIT",
        "commercial_use": True,
        "credit": "Auralume contributors",
        "sources": (Bundled(("debug.bin",)),),
        "memory_mb": 1,
        "needs_gpu": False,
        "speed": "at once",
        "loader": f"tests.studio.{loader}",
    }
    return ModelSpec(**(values | changes))  # type: ignore[arg-type]


def debug_spec(name: str = "debug", loader: str = "load_quick", **changes: object) -> ModelSpec:
    """Return a catalogue entry of this generator."""
    values: dict[str, object] = {
        "summary": "Speaks in tones; for tests alone.",
        "voices": (Voice("low", "Low tones", "MIT"), Voice("high", "High tones", "MIT")),
    }
    return debug_entry(f"speech/{name}", f"Debug {name}", f"debug_speech:{loader}", **(values | changes))


def debug_registry(folder: Path, *specs: ModelSpec, memory_budget_mb: float = 100) -> Registry:
    """Return a registry of debug models whose one file lies in `folder`."""
    (folder / "debug.bin").write_bytes(b"debug")
    return Registry(specs or (debug_spec(),), memory_budget_mb=memory_budget_mb, weights_dir=folder)
