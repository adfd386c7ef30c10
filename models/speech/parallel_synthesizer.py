"""The speech generator over a parallel acoustic model: durations first, then mel frames and sound piece by piece."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from models.contracts import FloatArray, SpeechChunk, SpeechRequest
from models.errors import ModelError
from models.hub.spec import ModelSpec
from models.speech.alignment import find_hurried_words, find_soundless_words, name_words, time_words
from models.speech.attributes import DB_PER_UNIT, SEMITONES_PER_UNIT, compute_attributes, compute_symbol_attributes
from models.speech.fastspeech2 import FastSpeech2, FastSpeech2Config, Variances
from models.speech.mel_correction import CorrectedStream
from models.speech.mel_emphasis import MelEmphasis
from models.speech.streaming_inference import StreamingInference
from models.speech.synthesizer import (
    CORRECTIONS,
    MelScale,
    SpeechProgress,
    SpeechSynthesizer,
    load_details,
    load_vocoder,
    read_function_word_stress,
)
from models.speech.text import Utterance, iter_utterances
from models.speech.vocoder_streams import GriffinLimStream, SourceFilterStream, VocoderStream
from models.weights_io import load_network, parse_metadata

PIECE_FRAMES = 48
"""Expanded frames that are decoded at a time."""
PLANNED = "Every word has its time: this model plans how long each sound lasts before it speaks."


class ParallelSpeechSynthesizer(SpeechSynthesizer):
    """The generator of speech from a FastSpeech 2 and a neural vocoder."""

    mixes_voices: ClassVar[bool] = True
    model: FastSpeech2

    def __init__(self, *parts: Any, **more: Any) -> None:
        """Take what `SpeechSynthesizer` takes; voices whose detail is not known are raised alike."""
        super().__init__(*parts, **more)
        unknown = [voice for voice in self.voices if voice not in self.emphases]
        self.emphases |= {voice: MelEmphasis(self.mel.n_mels) for voice in unknown}

    def _speak(
        self, request: SpeechRequest, utterance: Utterance, index: int, voice: int | None, progress: SpeechProgress
    ) -> Iterator[SpeechChunk]:
        """Yield the chunks of one utterance."""
        seed = int(np.random.SeedSequence([request.seed, index]).generate_state(1)[0])
        wished = self._spread_attributes(request, utterance)
        symbols = torch.tensor([self.symbol_ids(utterance.symbols)])
        encoded = self.model.encode(symbols, torch.tensor([symbols.shape[1]]), self._mix_voices(request, voice or 0))
        durations = plan_durations(self.model.predict_durations(encoded)[0], wished[:, 0])
        owner = torch.repeat_interleave(torch.arange(len(durations)), durations)
        expanded, _ = self.model.expand(encoded, durations[None])
        frames = torch.cat([expanded[0], wished[owner][:, 1:]], dim=1)  # (T, C + 2)
        refine = StreamingInference(self._decode, self.model.context_frames)
        run = GriffinLimStream(self.mel, seed) if request.vocoder == "griffin-lim" else self.neural(seed)
        path = owner.numpy()
        alignment = np.eye(len(durations), dtype=np.float32)[path]
        before, starts_at = progress.words, progress.samples / self.mel.sample_rate
        frame_s = self.mel.hop_length / self.mel.sample_rate
        raise_detail = self._choose_emphasis(request, voice or 0)
        done = 0
        for start in range(0, len(frames), PIECE_FRAMES):
            ended = start + PIECE_FRAMES >= len(frames)
            normal = refine.push(frames[start : start + PIECE_FRAMES], last=ended)
            if normal is None:
                continue
            mel = raise_detail(normal * self.scale.std + self.scale.mean)
            done += len(mel)
            heard = time_words(utterance.words, path[:done].tolist(), frame_s, starts_at, ended)
            progress.words = before + heard
            share = done / len(frames)
            yield self._make_chunk(
                request,
                progress,
                index,
                samples=run.push(mel, last=ended),
                mel=mel.numpy(),
                alignment=alignment[:done],
                symbols=utterance.symbols,
                verdict=judge_plan(utterance, alignment) if ended else "",
                done=min(len(request.text), progress.characters + round(share * len(utterance.text))),
            )

    def _mix_voices(self, request: SpeechRequest, voice: int) -> Tensor:
        """Return the number of the voice (1,), or the shares of all voices (1, V) where a second one is mixed in."""
        second = self._find_voice(request.second_voice)
        if not request.second_voice or second in (None, voice) or not request.blend:
            return torch.tensor([voice])
        shares = torch.zeros(1, len(self.voices))
        shares[0, voice], shares[0, second] = 1.0 - request.blend, request.blend
        return shares

    def _choose_emphasis(self, request: SpeechRequest, voice: int) -> Callable[[Tensor], Tensor]:
        """Return what makes mel frames (T, M) of the request's voice distinct, or of what is mixed."""
        shares = self._mix_voices(request, voice)
        if len(shares.shape) == 1:
            return self.emphases[self.voices[voice]].apply
        parts = [(float(share), self.emphases[key]) for share, key in zip(shares[0], self.voices, strict=True) if share]
        return lambda mel: sum((share * part.apply(mel) for share, part in parts), torch.zeros_like(mel))

    def _spread_attributes(self, request: SpeechRequest, utterance: Utterance) -> Tensor:
        """Return what is asked of each symbol (L, 3): octaves of speed, log F0, normalised energy."""
        values: Sequence[tuple[float, ...]] = [compute_attributes(request)] * len(utterance.symbols)
        if utterance.turns:
            values = compute_symbol_attributes(request, utterance)
        speed, pitch, energy = torch.tensor(values).unbind(dim=1)
        log_pitch = pitch * SEMITONES_PER_UNIT * math.log(2) / 12
        level = energy * DB_PER_UNIT * math.log(10) / 20 / self.scale.std
        return torch.stack([speed, log_pitch, level], dim=1)

    def _decode(self, frames: Tensor) -> Tensor:
        """Decode expanded frames with wishes (1, T, C + 2) to normalised mel (1, T, M)."""
        expanded, log_pitch, level = frames[..., :-2], frames[..., -2], frames[..., -1]
        own = self.model.predict_variances(expanded)
        return self.model.decode(expanded, Variances(own.log_pitch + log_pitch, own.voicing, own.energy + level))


def plan_durations(log_frames: Tensor, speed: Tensor) -> Tensor:
    """Round predicted durations (L,), log(1 + frames), to whole frames at a speed (L,) in octaves.

    What rounding takes from a symbol, the next one gets; each has at least one frame.
    """
    ends = (torch.expm1(log_frames).clamp_min(0.6) * torch.exp2(-speed)).cumsum(dim=0).round().long()
    durations = torch.diff(ends, prepend=ends.new_zeros(1))
    return durations.clamp_min(1)


def judge_plan(utterance: Utterance, alignment: FloatArray) -> str:
    """Say in one sentence how the sentence was planned: what is doubtful first, else that nothing is."""
    missing = find_soundless_words(utterance)
    if missing:
        return f"The model may have skipped {name_words(missing)}."
    hurried = find_hurried_words(utterance, alignment)
    if hurried:
        return f"The model may have swallowed {name_words(hurried)}: hardly any time was given to it."
    return PLANNED


def load_bundled(files: Mapping[str, Path], spec: ModelSpec) -> ParallelSpeechSynthesizer:
    """Load the shipped model from its two weight files.

    Raises:
        ModelError: a file is missing, damaged or of another kind, or lacks a voice of `spec`.
    """
    acoustic = next(path for name, path in files.items() if "vocoder" not in name)
    vocoder_path = next(path for name, path in files.items() if "vocoder" in name)
    scale = parse_metadata(acoustic, lambda values: MelScale(**values), ["mel_scale"])
    model = load_network(acoustic, lambda v: FastSpeech2(FastSpeech2Config.from_dict(v)), "the acoustic model")
    vocoder = load_vocoder(vocoder_path)
    voices = model.config.voices
    unknown = [voice.key for voice in spec.voices if voice.key not in voices]
    if unknown:
        raise ModelError(f"The weights of {spec.title} have no voice {', '.join(unknown)}.", "weights")
    to_symbols = partial(iter_utterances, function_word_stress=read_function_word_stress(acoustic))
    mel = vocoder.config.mel

    def start(seed: int) -> VocoderStream:
        return CorrectedStream(SourceFilterStream(vocoder, seed), mel, CORRECTIONS)

    details = load_details(acoustic, mel)
    return ParallelSpeechSynthesizer(model, start, mel, scale, voices, to_symbols, details=details)
