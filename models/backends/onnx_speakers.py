"""How each kind of ONNX voice says an utterance: Kokoro, hibari and Piper, a class each.

They read the studio's own symbols, each in its own alphabet. Letters: L symbols, K letters of an alphabet, N samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.backends.library import read_json
from models.backends.onnx_session import OnnxModel, require_inputs
from models.contracts import SpeechRequest, Voice
from models.errors import ModelError
from models.hub.onnx_layout import (
    HIBARI,
    KOKORO,
    PIPER,
    OnnxLayout,
    find_english,
    list_hibari_voices,
    name_piper_voices,
)
from models.hub.voice_names import is_british, make_kokoro_voices
from models.speech.espeak_alphabet import spell_espeak
from models.speech.hibari_synthesis import RATE as HIBARI_RATE
from models.speech.hibari_synthesis import synthesize_spectra
from models.speech.kokoro_alphabet import spell

FloatArray = NDArray[np.float32]
MOST_LETTERS = 510
STYLE_SIZE = 256
KOKORO_RATE = 24_000
KOKORO_DURATIONS, PIPER_DURATIONS = ("Clip", "Round"), ("Ceil", "")


@dataclass(frozen=True)
class SpokenUtterance:
    """One utterance as sound.

    Attributes:
        samples: float32 (N,).
        durations: float (L,), samples of each symbol, which sum up to N; None where the graph does not tell. Those of
            BOS and EOS are the silence around it.
    """

    samples: FloatArray
    durations: NDArray[np.float64] | None


class OnnxSpeaker(Protocol):
    """What the generator needs of a kind."""

    sample_rate: int
    voices: tuple[Voice, ...]
    mixes_voices: bool
    size_mb: float

    def say(self, symbols: Sequence[str], request: SpeechRequest, seed: int, options: Any) -> SpokenUtterance:
        """Speak symbols (L,) of an utterance; onnxruntime's `options` can end it."""
        ...


def share_durations(units: NDArray[Any] | None, counts: Sequence[int], samples: int) -> NDArray[np.float64] | None:
    """Return how many samples belong to each symbol.

    Args:
        units: (K + 2,), lengths of the letters with what stands before and after them.
        counts: (L,), letters of each symbol; the first and last symbol own what stands before and after.
        samples: in all.
    """
    if units is None or len(units) != sum(counts) + 2 or units.sum() <= 0:
        return None
    shares = np.zeros(len(counts))
    np.add.at(shares, np.repeat(np.arange(len(counts)), counts), units[1:-1].astype(np.float64))
    shares[0] += float(units[0])
    shares[-1] += float(units[-1])
    return shares * (samples / shares.sum())


class KokoroSpeaker:
    """Kokoro-82M (hexgrad 2025), a StyleTTS 2 with a vocoder of inverse Fourier transforms: a style vector is a voice.

    The style depends on how many letters are said; two of them mix as their weighted mean.
    """

    sample_rate = KOKORO_RATE
    mixes_voices = True

    def __init__(self, folder: Path, layout: OnnxLayout, title: str) -> None:
        self.model = OnnxModel(folder / layout.graphs[0], title, KOKORO_DURATIONS)
        self.size_mb = self.model.parameters_mb
        self.letters = "tokens" if "tokens" in self.model.inputs else "input_ids"
        require_inputs(self.model, (self.letters, "style", "speed"), title)
        for each in self.model.session.get_inputs():
            if each.name == "speed" and "int" in each.type:
                raise ModelError(f"The speed of {title} is a whole number; choose a newer export.", "format")
        self.vocabulary = read_vocabulary([folder / path for path in layout.plain])
        self.paths = {Path(path).stem: folder / path for path in layout.voices}
        self.voices = make_kokoro_voices(list(self.paths))
        self.title = title
        self._styles: dict[str, FloatArray] = {}

    def say(self, symbols: Sequence[str], request: SpeechRequest, seed: int, options: Any) -> SpokenUtterance:
        """Say an utterance in the request's voice, or in a mean of its two voices, with the first one's accent."""
        voice = request.voice or self.voices[0].key
        letters, counts = spell_known(*spell(symbols, british=is_british(voice)), self.vocabulary)
        style = self._read_style(voice, len(letters))
        if request.second_voice:
            style = (1 - request.blend) * style + request.blend * self._read_style(request.second_voice, len(letters))
        values = {
            self.letters: np.array([[0, *(self.vocabulary[letter] for letter in letters), 0]], np.int64),
            "style": style.astype(np.float32),
            "speed": np.array([request.speed], np.float32),
        }
        (samples, *_), units = self.model.run(values, seed, options)
        samples = np.asarray(samples, np.float32).reshape(-1)
        return SpokenUtterance(samples, share_durations(units, counts, len(samples)))

    def _read_style(self, key: str, letters: int) -> FloatArray:
        """Return a voice's style (1, 256) for so many letters."""
        if key not in self._styles:
            table = np.fromfile(self.paths[key], "<f4")
            if not table.size or table.size % STYLE_SIZE:
                raise ModelError(
                    f"The voice {key} of {self.title} is damaged. Delete the model and get it again.", "weights"
                )
            self._styles[key] = table.reshape(-1, STYLE_SIZE)
        table = self._styles[key]
        return table[max(0, min(letters, len(table)) - 1)][None]


class HibariSpeaker:
    """hibari (Maureese Williams 2026), six million parameters learned from one voice of Kokoro: a graph is a voice."""

    sample_rate = HIBARI_RATE
    mixes_voices = False
    outputs = ("lh", "theta", "ln", "lr", "phi", "f0")

    def __init__(self, folder: Path, layout: OnnxLayout, title: str) -> None:
        self.vocabulary = read_vocabulary([folder / path for path in layout.plain])
        found = list_hibari_voices(layout.graphs)
        self.voices = tuple(voice for voice, _, _ in found)
        self._graphs = {voice.key: (folder / path, british) for voice, path, british in found}
        self._models: dict[str, OnnxModel] = {}
        self.title = title
        self.size_mb = self._open(self.voices[0].key).parameters_mb

    def _open(self, key: str) -> OnnxModel:
        if key not in self._models:
            model = OnnxModel(self._graphs[key][0], self.title, KOKORO_DURATIONS)
            require_inputs(model, ("ids", "speed"), self.title)
            if not set(self.outputs) <= set(model.outputs):
                raise ModelError(f"The ONNX graph of {self.title} is of another kind. Choose another model.", "format")
            self._models[key] = model
        return self._models[key]

    def say(self, symbols: Sequence[str], request: SpeechRequest, seed: int, options: Any) -> SpokenUtterance:
        """Say an utterance."""
        voice = request.voice or self.voices[0].key
        model = self._open(voice)
        letters, counts = spell_known(*spell(symbols, british=self._graphs[voice][1]), self.vocabulary)
        values = {
            "ids": np.array([[0, *(self.vocabulary[letter] for letter in letters), 0]], np.int64),
            "speed": np.array([request.speed], np.float32),
        }
        made, units = model.run(values, seed, options)
        parts = dict(zip(model.outputs, made, strict=True))
        pulse, phase, noise, rest, rest_phase, f0 = (parts[name][0] for name in self.outputs)
        random = np.random.default_rng(seed)
        samples = synthesize_spectra(pulse, phase, noise, rest, rest_phase, f0, random)
        return SpokenUtterance(samples, share_durations(units, counts, len(samples)))


class PiperSpeaker:
    """A voice of Piper (Hansen 2023), a VITS with letters of IPA, of one speaker or many."""

    mixes_voices = False

    def __init__(self, folder: Path, layout: OnnxLayout, title: str) -> None:
        config = read_json(folder / layout.plain[0])
        self.british = find_english(config, title) == "british"
        self.ids = {letter: [int(each) for each in ids] for letter, ids in config["phoneme_id_map"].items()}
        missing = [letter for letter in "_^$" if letter not in self.ids]
        if missing:
            raise ModelError(f"The configuration of {title} lacks the letters {', '.join(missing)}.", "weights")
        self.sample_rate = int(config.get("audio", {}).get("sample_rate", 22_050))
        inference = config.get("inference", {})
        self.scales = [float(inference.get(name, usual)) for name, usual in PIPER_SCALES]
        self.voices = name_piper_voices(config, Path(layout.graphs[0]).name)
        self.speakers = {str(key): int(number) for key, number in (config.get("speaker_id_map") or {}).items()}
        self.model = OnnxModel(folder / layout.graphs[0], title, PIPER_DURATIONS)
        require_inputs(self.model, ("input", "input_lengths", "scales"), title)
        self.size_mb = self.model.parameters_mb

    def say(self, symbols: Sequence[str], request: SpeechRequest, seed: int, options: Any) -> SpokenUtterance:
        """Say an utterance."""
        pad = self.ids["_"]
        ids, counts = [*self.ids["^"], *pad], []
        first = len(ids)
        for letters in spell_espeak(symbols, self.british):
            before = len(ids)
            for letter in letters:
                ids += [*self.ids[letter], *pad] if letter in self.ids else []
            counts.append(len(ids) - before)
        ids += self.ids["$"]
        noise, length, rhythm = self.scales
        values: dict[str, Any] = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array([noise, length / request.speed, rhythm], np.float32),
        }
        if "sid" in self.model.inputs:
            values["sid"] = np.array([self.speakers.get(request.voice, 0)], np.int64)
        (samples, *_), units = self.model.run(values, seed, options)
        samples = np.asarray(samples, np.float32).reshape(-1)
        if units is not None:  # what stands before the first letter is one
            units = np.concatenate([[units[:first].sum()], units[first:]])
        return SpokenUtterance(samples, share_durations(units, counts, len(samples)))


PIPER_SCALES = (("noise_scale", 0.667), ("length_scale", 1.0), ("noise_w", 0.8))

SPEAKERS: dict[str, Any] = {KOKORO: KokoroSpeaker, HIBARI: HibariSpeaker, PIPER: PiperSpeaker}


def spell_known(letters: str, counts: Sequence[int], vocabulary: dict[str, int]) -> tuple[str, list[int]]:
    """Leave out letters that a vocabulary lacks and those beyond MOST_LETTERS; return the rest and their counts."""
    known: list[str] = []
    kept: list[int] = []
    at = 0
    for count in counts:
        piece = [letter for letter in letters[at : at + count] if letter in vocabulary]
        piece = piece[: MOST_LETTERS - len(known)]
        at += count
        known += piece
        kept.append(len(piece))
    return "".join(known), kept


def read_vocabulary(paths: Sequence[Path]) -> dict[str, int]:
    """Return the number of each letter from `tokenizer.json`, `vocab.json` or `config.json`, the first that has any.

    Raises:
        ModelError: none of them has.
    """
    for path in sorted(paths, key=lambda path: ("tokenizer.json", "vocab.json").count(path.name), reverse=True):
        content = read_json(path)
        inner = content.get("model")
        table = content.get("vocab") or (inner.get("vocab") if isinstance(inner, dict) else None) or content
        if isinstance(table, dict) and table and all(isinstance(each, int) for each in table.values()):
            return {str(letter): int(number) for letter, number in table.items()}
    raise ModelError("No file of this model numbers its letters. Delete the model and get it again.", "weights")
