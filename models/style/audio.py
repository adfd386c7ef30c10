"""The audio style generator: content and style in, the content in the style's timbre and texture out, as a stream.

Content and style go through one encoder (`models.style.audio_network`); adaptive instance normalisation gives the
content's features the statistics of the style as far as the strength says; the decoded change of the mel frames and the
content's own sound go through a vocoder (`models.style.content_vocoder`). A voice's pitch is moved before
(`models.style.pitch`).
Where content and style are both voices, their sounds are matched frame by frame instead (`models.style.voice`).
What was heard of a sound is kept, so that another strength starts at the decoder.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from cachetools import LRUCache
from numpy.typing import NDArray
from torch import Tensor

from models.audio import MelConfig, mel_filterbank
from models.contracts import AudioStyleChunk, AudioStyleRequest, AudioStyleStatistics, ModelInfo
from models.style.analysis import RunningStatistics, SoundAnalysis, analyse, analyse_whole, find_active_frames
from models.style.audio_network import MEL_MEAN, MEL_STD, AudioStatistics, AudioStyleConfig, AudioStyleNetwork
from models.style.content_vocoder import ContentVocoder, ContentVocoderConfig
from models.style.live import LiveStyler
from models.style.matching import MatchingConfig, MatchingNetwork
from models.style.pitch import holds_notes
from models.style.rendering import AudioStyleRenderer, round_off
from models.style.sound_input import prepare_mono
from models.style.voice import VoiceAnalysis, VoiceMatcher, VoiceMatchingSet

FloatArray = NDArray[np.float32]

REFERENCE_DB = -23.0
"""Level that sounds are brought to before they are analysed; the result comes back at the content's own level."""
CHUNK_FRAMES = (24, 48, 128)
LOW_LATENCY_FRAMES = 16
KEPT_CONTENTS, KEPT_STYLES = 3, 12
NEPER_DB = 8.685889638
MOST_PITCH_RATIO = 2.0


@dataclass(frozen=True)
class AudioStyle:
    """What the model knows of a style: statistics of each level, its pitch or 0, and the sounds of a voice."""

    statistics: AudioStatistics
    pitch_hz: float = 0.0
    matching_set: VoiceMatchingSet | None = None
    name: str = ""


class AudioStyler:
    """The generator of restyled sound; `stream` is its contract, `open_live` is for sound that is still being made.

    Args:
        network, vocoder: in eval mode, with the same mel convention.
        presets: styles by key.
        average: statistics of ordinary speech, what `open_live` starts from.
        matching: in eval mode; without it voices are restyled by their statistics alone, as all other sounds.
    """

    takes_turns: ClassVar[bool] = True

    def __init__(
        self,
        network: AudioStyleNetwork,
        vocoder: ContentVocoder,
        presets: Mapping[str, AudioStyle],
        average: AudioStatistics,
        matching: MatchingNetwork | None = None,
    ) -> None:
        self.network, self.vocoder, self.presets, self.average = network, vocoder, dict(presets), average
        self.voices = VoiceMatcher(matching, KEPT_CONTENTS) if matching else None
        self.mel: MelConfig = network.config.mel
        self.sample_rate = self.mel.sample_rate
        self.encodings = 0  # sounds that went through the encoder so far
        self._contents: LRUCache[str, SoundAnalysis] = LRUCache(KEPT_CONTENTS)
        self._styles: LRUCache[str, AudioStyle] = LRUCache(KEPT_STYLES)
        self._lock = threading.Lock()

    @classmethod
    def debug(cls) -> AudioStyler:
        """Return a tiny network with random weights and two presets, for tests of everything around it."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            network = AudioStyleNetwork(AudioStyleConfig.debug()).eval()
            vocoder = ContentVocoder(ContentVocoderConfig.debug()).eval()
            matching = MatchingNetwork(MatchingConfig.debug()).eval()
        time = np.arange(22_050, dtype=np.float32) / 22_050
        hum = (0.2 * np.sin(2 * np.pi * 110 * time) * (1 + np.sin(2 * np.pi * 3 * time))).astype(np.float32)
        hiss = (0.1 * np.random.default_rng(0).standard_normal(22_050)).astype(np.float32)
        with torch.inference_mode():
            hummed, hissed = (analyse_whole(network, x) for x in (hum, hiss))
        presets = {"hum": AudioStyle(hummed.statistics, 110.0), "hiss": AudioStyle(hissed.statistics)}
        return cls(network, vocoder, presets, hummed.statistics, matching)

    @property
    def info(self) -> ModelInfo:
        """Return facts for the person."""
        modules = [self.network, self.vocoder, *([self.voices.network] if self.voices else [])]
        count = sum(p.numel() for module in modules for p in module.parameters())
        latency = f"{1000 * self.low_latency_s:.0f} ms"
        return ModelInfo(count, self.sample_rate, {"low-latency chunk and look-ahead": latency})

    @property
    def look_ahead_frames(self) -> int:
        """Count the frames after a frame that its sound depends on, without the window's half."""
        return self.network.encoder_ahead + self.network.decoder_ahead + self.vocoder.ahead_frames

    @property
    def low_latency_s(self) -> float:
        """Return the seconds from a sample to its sound at the same pitch: one chunk, look-ahead and window."""
        frames = LOW_LATENCY_FRAMES + self.look_ahead_frames
        return (frames * self.mel.hop_length + self.mel.n_fft) / self.sample_rate

    @torch.inference_mode()
    def stream(self, request: AudioStyleRequest) -> Iterator[AudioStyleChunk]:
        """Restyle a request; the last chunk has `last` set, and all samples together are as many as the content's.

        Raises:
            ValueError: content or style cannot be used, or there is no such preset; one sentence.
        """
        rate = self.sample_rate
        style = self._find_style(request)
        samples = prepare_mono(request.content, request.content_rate, rate, "content")
        gain = compute_reference_gain(samples, self.mel)
        content = None
        for heard in self._analyse_content(samples, gain):
            if isinstance(heard, SoundAnalysis):
                content = heard
            else:
                yield self._report_listening(min(heard * self.mel.hop_length, len(samples)), len(samples))
        assert content is not None
        if self.voices is not None and style.matching_set is not None and not request.low_latency:
            for known in self.voices.hear(hash_samples(content.samples), content):
                if isinstance(known, VoiceAnalysis):
                    yield from self._convert_voice(content, known, style, request, gain)
                    return
                yield self._report_listening(min(known * self.mel.hop_length, len(samples)), len(samples))
        ratio = self._compute_pitch_ratio(content, style.pitch_hz, request)
        wanted = content.statistics.interpolate(style.statistics, request.strength)
        own = content.statistics
        pitched = style.pitch_hz > 0
        renderer = AudioStyleRenderer(
            self.network, self.vocoder, own, wanted, ratio, request.seed, ratio != 1.0, pitched
        )
        notes = self._make_notes(content, style, request)
        total, frames, fed, first = len(samples), content.frames, 0, 0
        plan = (LOW_LATENCY_FRAMES,) if request.low_latency else CHUNK_FRAMES
        index = 0
        while first < frames:
            stop = min(frames, first + plan[min(index, len(plan) - 1)])
            need = min(frames, stop + self.vocoder.ahead_frames)
            while fed < frames and renderer.count_ready_frames() < need:
                piece = min(frames, fed + LOW_LATENCY_FRAMES)
                start, end = fed * self.mel.hop_length, piece * self.mel.hop_length
                renderer.feed(content.samples[start:end], content.f0[fed:piece], last=piece == frames)
                fed = piece
            made = renderer.render(first, stop, content.encode, frames, total if stop == frames else None)
            yield AudioStyleChunk(
                samples=round_off(made / gain),
                sample_rate=rate,
                stage="restyling",
                done=renderer.emitted,
                total=total,
                statistics=self._collect_statistics(content, style, wanted, renderer.result, ratio, gain),
                notes=notes,
                last=stop == frames,
            )
            first, index = stop, index + 1

    def _convert_voice(
        self, content: SoundAnalysis, voice: VoiceAnalysis, style: AudioStyle, request: AudioStyleRequest, gain: float
    ) -> Iterator[AudioStyleChunk]:
        """Give the style's voice to a voice (`models.style.voice`)."""
        assert self.voices is not None and style.matching_set is not None
        name, bands = (hash_samples(content.samples), style.name), style.statistics.means[0]
        renderer = self.voices.make_renderer(
            name, content, voice, style.matching_set, bands, request.strength, request.move_pitch
        )
        wanted = content.statistics.interpolate(style.statistics, request.strength)
        notes = self._make_notes(content, style, request)
        stop, index, frames = 0, 0, content.frames
        while stop < frames:
            stop = min(frames, stop + CHUNK_FRAMES[min(index, len(CHUNK_FRAMES) - 1)])
            made, index = renderer.render(stop), index + 1
            yield AudioStyleChunk(
                samples=round_off(made / gain),
                sample_rate=self.sample_rate,
                stage="restyling",
                done=renderer.emitted,
                total=len(content.samples),
                statistics=self._collect_statistics(
                    content, style, wanted, renderer.result, renderer.pitch_ratio, gain
                ),
                notes=notes,
                last=stop == frames,
            )

    def open_live(
        self,
        style: FloatArray | str | Path | None = None,
        preset: str = "",
        style_rate: int = 22_050,
        strength: float = 0.8,
        move_pitch: bool = False,
        seed: int = 0,
    ) -> LiveStyler:
        """Open a stream for sound that is still being made (`LiveStyler`); arguments as in `AudioStyleRequest`."""
        request = AudioStyleRequest(
            np.zeros(1, np.float32),
            style,
            preset,
            style_rate=style_rate,
            strength=strength,
            move_pitch=move_pitch,
            seed=seed,
        )
        with torch.inference_mode():
            found = self._find_style(request)
        return LiveStyler(
            self.network,
            self.vocoder,
            self.average,
            found.statistics,
            found.pitch_hz,
            strength,
            move_pitch,
            seed,
            LOW_LATENCY_FRAMES,
        )

    def _find_style(self, request: AudioStyleRequest) -> AudioStyle:
        if request.style is None:
            if request.words:
                raise ValueError("This model takes a sound or one of its presets as style, and no words.")
            if request.preset not in self.presets:
                raise ValueError(f"preset is {request.preset!r}; this model has {', '.join(self.presets)}.")
            return self.presets[request.preset]
        samples = prepare_mono(request.style, request.style_rate, self.sample_rate, "style")
        key = hash_samples(samples)
        with self._lock:
            if key in self._styles:
                return self._styles[key]
        analysis = analyse_whole(self.network, samples * compute_reference_gain(samples, self.mel))
        matching_set = self.voices.build_matching_set(analysis) if self.voices else None
        style = AudioStyle(analysis.statistics, analysis.pitch_hz, matching_set, key)
        with self._lock:
            self.encodings += 1
            self._styles[key] = style
        return style

    def _analyse_content(self, samples: FloatArray, gain: float) -> Iterator[SoundAnalysis | int]:
        key = hash_samples(samples)
        with self._lock:
            found = self._contents.get(key)
        if found is not None:
            yield found
            return
        for heard in analyse(self.network, samples * np.float32(gain), keep=True):
            if isinstance(heard, SoundAnalysis):
                with self._lock:
                    self.encodings += 1
                    self._contents[key] = heard
            yield heard

    @staticmethod
    def _compute_pitch_ratio(content: SoundAnalysis, style_hz: float, request: AudioStyleRequest) -> float:
        if not request.move_pitch or not content.pitch_hz or not style_hz or request.strength == 0:
            return 1.0
        if holds_notes(content.f0):  # a tune in another key is another tune
            return 1.0
        ratio = float((style_hz / content.pitch_hz) ** request.strength)
        return min(MOST_PITCH_RATIO, max(1 / MOST_PITCH_RATIO, ratio))

    @staticmethod
    def _make_notes(content: SoundAnalysis, style: AudioStyle, request: AudioStyleRequest) -> tuple[str, ...]:
        if not np.any(content.samples):
            return ("The content is silent.",)
        if request.move_pitch and style.pitch_hz and holds_notes(content.f0):
            return ("The content plays notes, so its pitch stays where it is.",)
        far = (
            content.pitch_hz
            and style.pitch_hz
            and max(style.pitch_hz, content.pitch_hz) > MOST_PITCH_RATIO * min(style.pitch_hz, content.pitch_hz)
        )
        if far and request.move_pitch and request.strength > 0:
            return ("The pitch of the style is more than an octave away; the voice is moved by at most one octave.",)
        return ()

    def _report_listening(self, done: int, total: int) -> AudioStyleChunk:
        return AudioStyleChunk(np.zeros(0, np.float32), self.sample_rate, "listening", done, total)

    def _collect_statistics(
        self,
        content: SoundAnalysis,
        style: AudioStyle,
        wanted: AudioStatistics,
        heard: RunningStatistics,
        ratio: float,
        gain: float,
    ) -> AudioStyleStatistics:
        result = heard.compute()
        level_db = 20 * float(np.log10(gain))

        def mean_db(values: Tensor) -> FloatArray:
            return ((values * MEL_STD + MEL_MEAN) * NEPER_DB - level_db).numpy().astype(np.float32)

        def std_db(values: Tensor) -> FloatArray:
            return (values * MEL_STD * NEPER_DB).numpy().astype(np.float32)

        sets = {"content": content.statistics, "style": style.statistics, "wanted": wanted, "result": result}
        arrays = {f"{name}_mean_db": mean_db(s.means[0]) for name, s in sets.items()}
        arrays |= {f"{name}_std_db": std_db(s.stds[0]) for name, s in sets.items()}
        return AudioStyleStatistics(
            band_hz=compute_band_centres_hz(self.mel),
            content_pitch_hz=content.pitch_hz,
            style_pitch_hz=style.pitch_hz,
            result_pitch_hz=content.pitch_hz * ratio,
            **arrays,
        )


def compute_band_centres_hz(config: MelConfig) -> FloatArray:
    """Return the centres of the mel bands in Hz, (M,)."""
    bank = mel_filterbank(config)
    bins = torch.arange(bank.shape[0], dtype=torch.float32) * config.sample_rate / config.n_fft
    return ((bank * bins[:, None]).sum(dim=0) / bank.sum(dim=0)).numpy()


def compute_reference_gain(samples: FloatArray, config: MelConfig) -> float:
    """Return the factor that brings the sound's active frames to REFERENCE_DB; 1 for silence, at most 60 dB."""
    frames = 1 + len(samples) // config.hop_length
    active = np.repeat(find_active_frames(samples, frames, config), config.hop_length)[: len(samples)]
    power = float(np.mean(samples[active] ** 2, dtype=np.float64)) if active.any() else 0.0
    return float(min(1000.0, 10 ** (REFERENCE_DB / 20) / np.sqrt(power))) if power > 1e-12 else 1.0


def hash_samples(samples: FloatArray) -> str:
    """Name a sound by its content."""
    return hashlib.sha256(np.ascontiguousarray(samples).tobytes()).hexdigest()
