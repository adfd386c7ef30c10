"""The speech generator: text front end, Tacotron 2 and a vocoder joined into one stream of chunks.

Each utterance goes through three stages that all work piece by piece: the decoder makes coarse mel frames, the postnet
refines those whose surroundings are known, the vocoder turns them into sound. What can be heard is yielded at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from models.audio import MelConfig
from models.contracts import ModelInfo, SpeechChunk, SpeechRequest, WordTiming
from models.errors import ModelError
from models.hub.spec import ModelSpec
from models.speech.alignment import judge_alignment, time_words
from models.speech.attributes import compute_attributes, compute_symbol_attributes
from models.speech.fastspeech2 import FastSpeech2
from models.speech.mel_correction import CorrectedStream
from models.speech.mel_emphasis import MelDetail, MelEmphasis, parse_details
from models.speech.sentence_decoder import Attributes, DecodingLimits, SentenceDecoder
from models.speech.streaming_inference import StreamingInference
from models.speech.symbols import BETWEEN_WORDS, encode
from models.speech.tacotron2 import Tacotron2, Tacotron2Config
from models.speech.text import Utterance, iter_utterances
from models.speech.vocoder import SourceFilterVocoder, VocoderConfig
from models.speech.vocoder_streams import GriffinLimStream, SourceFilterStream, VocoderStream
from models.weights_io import load_metadata, load_network, parse_metadata

FIRST_CHUNK_FRAMES, CHUNK_FRAMES = 12, 48
"""Coarse frames gathered before the later stages run: few at first, for an early start."""
CORRECTIONS = 2
"""How often the vocoder's sound is compared with the mel frames that it was made from, if their detail is raised."""
NO_MIXING = "This model cannot mix two voices; the first one speaks alone."
NO_CONTROLS = "This model has no control of speed, pitch or energy; it speaks in its own way."


@dataclass(frozen=True)
class MelScale:
    """The scale of the acoustic model, which works on (log mel - mean) / std."""

    mean: float = 0.0
    std: float = 1.0


@dataclass
class SpeechProgress:
    """How far the whole text is: samples out, words heard, notes, characters done."""

    samples: int = 0
    words: tuple[WordTiming, ...] = ()
    notes: tuple[str, ...] = ()
    characters: int = 0


class SpeechSynthesizer:
    """The generator of speech from one acoustic model and one neural vocoder; `stream` is its contract.

    Args:
        model: in eval mode.
        neural: starts a run of the neural vocoder from a seed.
        scale: of the acoustic model's mel values.
        voices: keys, in the order of the model's voice embedding; a model without voices has one key.
        to_symbols: lazily turns a text into utterances, appending notes for the person to the list `notes`.
        symbol_ids: symbols of an utterance to ids.
        details: how flat the network draws each voice, where that is known: its mel frames are made distinct again.
    """

    takes_turns: ClassVar[bool] = True
    mixes_voices: ClassVar[bool] = False

    def __init__(
        self,
        model: Tacotron2 | FastSpeech2,
        neural: Callable[[int], VocoderStream],
        mel: MelConfig,
        scale: MelScale,
        voices: tuple[str, ...],
        to_symbols: Callable[..., Iterator[Utterance]] = iter_utterances,
        symbol_ids: Callable[[tuple[str, ...]], list[int]] = encode,
        limits: DecodingLimits = DecodingLimits(),  # noqa: B008  (frozen)
        details: Mapping[str, MelDetail] | None = None,
    ) -> None:
        self.model: Any = model
        self.neural, self.mel, self.scale, self.voices = neural, mel, scale, voices
        self.to_symbols, self.symbol_ids, self.limits = to_symbols, symbol_ids, limits
        self.emphases = {voice: MelEmphasis(mel.n_mels, detail) for voice, detail in (details or {}).items()}

    @property
    def info(self) -> ModelInfo:
        """Return facts for the person."""
        return ModelInfo(sum(p.numel() for p in self.model.parameters()), self.mel.sample_rate)

    @torch.inference_mode()
    def stream(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        """Speak a request; the last chunk has `last` set.

        Raises:
            ValueError: the text holds nothing that can be spoken, or a voice is not one of this model.
        """
        voice = self._find_voice(request.voice)
        self._find_voice(request.second_voice)
        progress = SpeechProgress()
        found_notes: list[str] = list(self._note_unheeded(request))
        pause_s = 0.0
        utterances = self.to_symbols(request.text, notes=found_notes, dictionary=request.dictionary)
        for index, utterance in enumerate(utterances):
            if utterance.turns and not self.model.config.attributes:
                found_notes.append(NO_CONTROLS)
            progress.notes = tuple(dict.fromkeys([*progress.notes, *found_notes]))
            if index or utterance.lead_s:
                yield self._make_pause(pause_s if index else utterance.lead_s, request, progress, index)
            for chunk in self._speak(request, utterance, index, voice, progress):
                progress.samples += len(chunk.samples)
                yield chunk
            progress.characters = min(len(request.text), progress.characters + len(utterance.text) + 1)
            pause_s = utterance.pause_s
        if utterance.pause_is_asked:
            yield self._make_pause(pause_s, request, progress, index)
        progress.notes = tuple(dict.fromkeys([*progress.notes, *found_notes]))
        progress.characters = len(request.text)
        yield self._make_chunk(request, progress, index, last=True)

    def _note_unheeded(self, request: SpeechRequest) -> Iterator[str]:
        """Say what the request asks that this model has no input for."""
        if any(compute_attributes(request)) and not self.model.config.attributes:
            yield NO_CONTROLS
        if request.second_voice and not self.mixes_voices:
            yield NO_MIXING

    def _make_pause(self, seconds: float, request: SpeechRequest, progress: SpeechProgress, index: int) -> SpeechChunk:
        """Return silence between two utterances."""
        silence = np.zeros(int(seconds * self.mel.sample_rate + 1e-6), np.float32)
        progress.samples += len(silence)
        return self._make_chunk(request, progress, index, samples=silence)

    def _find_voice(self, key: str) -> int | None:
        if key and key not in self.voices:
            raise ValueError(f"voice is {key!r}; this model has {', '.join(self.voices)}.")
        if not self.model.config.voices:
            return None
        return self.voices.index(key) if key else 0

    def _make_chunk(
        self, request: SpeechRequest, progress: SpeechProgress, index: int, **changes: object
    ) -> SpeechChunk:
        plain = SpeechChunk(
            samples=np.zeros(0, np.float32),
            sample_rate=self.mel.sample_rate,
            mel=np.zeros((0, self.mel.n_mels), np.float32),
            alignment=np.zeros((0, 0), np.float32),
            symbols=(),
            sentence=index,
            sentences=index + 1,
            words=progress.words,
            notes=progress.notes,
            done=progress.characters,
            total=len(request.text),
        )
        return replace(plain, **changes)  # type: ignore[arg-type]

    def _speak(
        self, request: SpeechRequest, utterance: Utterance, index: int, voice: int | None, progress: SpeechProgress
    ) -> Iterator[SpeechChunk]:
        """Yield the chunks of one utterance."""
        seed = int(np.random.SeedSequence([request.seed, index]).generate_state(1)[0])
        attributes: Attributes = ()
        if self.model.config.attributes:
            has_turns = bool(utterance.turns)
            attributes = compute_symbol_attributes(request, utterance) if has_turns else compute_attributes(request)
        decoder = SentenceDecoder(
            self.model,
            self.symbol_ids(utterance.symbols),
            pauses=[symbol in BETWEEN_WORDS for symbol in utterance.symbols],
            frame_s=self.mel.hop_length / self.mel.sample_rate,
            voice=voice,
            attributes=attributes,
            seed=seed,
            limits=self.limits,
        )
        run = GriffinLimStream(self.mel, seed) if request.vocoder == "griffin-lim" else self.neural(seed)
        before, starts_at = progress.words, progress.samples / self.mel.sample_rate
        emphasis = self.emphases.get(self.voices[voice or 0])
        for smooth, ended in self._refine_mel(decoder):
            mel = smooth if emphasis is None else emphasis.apply(smooth)
            trace = decoder.trace
            heard = time_words(utterance.words, trace.positions, decoder.step_s, starts_at, ended)
            progress.words = before + heard
            share = (trace.positions[-1] + 1) / len(utterance.symbols) if trace.positions else 0.0
            verdict = ""
            if ended:
                verdict = judge_alignment(utterance, trace)
                progress.notes += tuple(_describe_retries(utterance, trace.retries))
            yield self._make_chunk(
                request,
                progress,
                index,
                samples=run.push(mel, last=ended),
                mel=mel.numpy(),
                alignment=trace.stack_alignment(),
                symbols=utterance.symbols,
                verdict=verdict,
                done=min(len(request.text), progress.characters + round(share * len(utterance.text))),
            )

    def _refine_mel(self, decoder: SentenceDecoder) -> Iterator[tuple[Tensor, bool]]:
        """Yield refined log mel frames (n, M), and whether they are the utterance's last; n may be 0."""
        refine = StreamingInference(lambda x: x + self.model.postnet(x), self.model.postnet.context_frames)
        gathered: list[Tensor] = []
        wanted = FIRST_CHUNK_FRAMES
        for frames in decoder.decode_frames():
            gathered.append(frames)
            if sum(len(f) for f in gathered) >= wanted:
                yield self._denormalize(refine.push(torch.cat(gathered))), False
                gathered, wanted = [], CHUNK_FRAMES
        rest = torch.cat(gathered) if gathered else torch.zeros(0, self.mel.n_mels)
        yield self._denormalize(refine.push(rest, last=True)), True

    def _denormalize(self, mel: Tensor | None) -> Tensor:
        if mel is None:
            return torch.zeros(0, self.mel.n_mels)
        return mel * self.scale.std + self.scale.mean


def _describe_retries(utterance: Utterance, retries: list[int]) -> Iterator[str]:
    for position in dict.fromkeys(retries):
        word = next((w.text for w in utterance.words if w.start <= position <= w.end), utterance.text)
        yield f"The voice got stuck near “{word}” and was moved on."


def load_bundled(files: Mapping[str, Path], spec: ModelSpec) -> SpeechSynthesizer:
    """Load the shipped model from its two weight files.

    Raises:
        ModelError: a file is damaged, or belongs to another version.
    """
    acoustic_path = next(path for name, path in files.items() if "tacotron2" in name)
    vocoder_path = next(path for name, path in files.items() if "vocoder" in name)
    model, scale = load_acoustic(acoustic_path)
    vocoder = load_vocoder(vocoder_path)
    voices = model.config.voices
    unknown = [voice.key for voice in spec.voices if voice.key not in voices]
    if unknown:
        raise ModelError(f"The weights of {spec.title} have no voice {', '.join(unknown)}.", "weights")
    mel = vocoder.config.mel
    to_symbols = partial(iter_utterances, function_word_stress=read_function_word_stress(acoustic_path))
    details = load_details(acoustic_path, mel)

    def start(seed: int) -> VocoderStream:
        sound = SourceFilterStream(vocoder, seed)
        return CorrectedStream(sound, mel, CORRECTIONS) if details else sound

    return SpeechSynthesizer(model, start, mel, scale, voices, to_symbols, details=details)


def load_details(path: Path, mel: MelConfig) -> dict[str, MelDetail]:
    """Load how flat an acoustic model draws its voices, in the convention `mel`; {} where its file does not say."""
    return parse_metadata(path, lambda values: parse_details(values, mel.n_mels), [], ["mel_detail"])


def read_function_word_stress(path: Path) -> bool:
    """Tell whether an acoustic model learned "and", "in", "the" with stress: its metadata's `function_word_stress`.

    A file without that key did.
    """
    learned = load_metadata(path).get("function_word_stress", "true")
    return learned.strip().lower() not in {"false", "0", "no", "none"}


def load_acoustic(path: Path) -> tuple[Tacotron2, MelScale]:
    """Load a Tacotron 2 with the configuration written in its file."""
    scale = parse_metadata(path, lambda values: MelScale(**values), ["mel_scale"])
    return load_network(path, lambda values: Tacotron2(Tacotron2Config.from_dict(values)), "the acoustic model"), scale


def load_vocoder(path: Path) -> SourceFilterVocoder:
    """Load a source-filter vocoder with the configuration written in its file."""
    return load_network(path, lambda values: SourceFilterVocoder(VocoderConfig.from_dict(values)), "the vocoder")
