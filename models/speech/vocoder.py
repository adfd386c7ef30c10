"""The shipped vocoder: from mel frames to sound by shaping a pitch pulse train and noise in the STFT domain.

A source-filter model with networks in the place of rules, after the ultra-lightweight differentiable DSP vocoder of
Agrawal et al. 2024 ("Ultra-lightweight Neural Differential DSP Vocoder ...") and the inverse-STFT head of Vocos
(Siuzdak 2023, section 3). One network reads F0 off the mel frames; another gives every frame its filters (pulse
magnitude, pulse phase, noise magnitude); both sources pass through them bin by bin. The pulse filter is minimum phase
plus a learned rest. All is local in time, so that a stream equals the whole.

Letters: B batch, T frames, M mel bands, C channels, F = n_fft / 2 + 1 frequency bins, N samples.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.audio import MelConfig, hann_window, mel_filterbank


@dataclass(frozen=True)
class VocoderConfig:
    """Sizes of the vocoder.

    `free_phase` adds a third part, whose bins have magnitudes and phases of their own. With `steady_noise` the noise
    has random phases alone: its bins are equally strong, where those of white noise come and go.
    """

    mel: MelConfig = field(default_factory=MelConfig)
    channels: int = 256
    hidden: int = 640
    layers: int = 6
    kernel: int = 7
    pitch_channels: int = 128
    pitch_layers: int = 3
    pitch_bins: int = 120
    pitch_low_hz: float = 55.0
    pitch_high_hz: float = 560.0
    free_phase: bool = False
    steady_noise: bool = False

    @classmethod
    def debug(cls) -> VocoderConfig:
        """Return a tiny network for tests."""
        return cls(channels=16, hidden=24, layers=2, pitch_channels=12, pitch_layers=1, pitch_bins=20)

    def to_dict(self) -> dict[str, object]:
        """Return plain values for a weight file's metadata."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, object]) -> VocoderConfig:
        """Build from what `to_dict` returned."""
        mel = MelConfig(**values["mel"])  # type: ignore[arg-type]
        return cls(**{**values, "mel": mel})  # type: ignore[arg-type]


class ConvNeXtBlock(nn.Module):
    """Depthwise convolution over time, layer norm, a widening and a narrowing layer, residual (Liu et al. 2022)."""

    def __init__(self, channels: int, hidden: int, kernel: int, scale: float) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.widen = nn.Linear(channels, hidden)
        self.narrow = nn.Linear(hidden, channels)
        self.scale = nn.Parameter(torch.full((channels,), scale))

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, T, C) to (B, T, C)."""
        y = self.depthwise(x.transpose(1, 2)).transpose(1, 2)
        return x + self.scale * self.narrow(F.gelu(self.widen(self.norm(y))))


class Backbone(nn.Module):
    """Convolution, ConvNeXt blocks, layer norm; `context_frames` is how far it sees to either side."""

    def __init__(self, channels_in: int, channels: int, hidden: int, layers: int, kernel: int) -> None:
        super().__init__()
        self.input = nn.Conv1d(channels_in, channels, kernel, padding=kernel // 2)
        self.blocks = nn.ModuleList(ConvNeXtBlock(channels, hidden, kernel, 1.0 / layers) for _ in range(layers))
        self.norm = nn.LayerNorm(channels)
        self.context_frames = (layers + 1) * (kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, T, channels_in) to (B, T, C)."""
        x = self.input(x.transpose(1, 2)).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


class PitchEstimator(nn.Module):
    """F0 and voicing of mel frames: a distribution over logarithmic bins, read around its peak."""

    log_hz: Tensor

    def __init__(self, config: VocoderConfig) -> None:
        super().__init__()
        self.backbone = Backbone(
            config.mel.n_mels, config.pitch_channels, 2 * config.pitch_channels, config.pitch_layers, config.kernel
        )
        self.output = nn.Linear(config.pitch_channels, config.pitch_bins + 1)
        bins = torch.linspace(math.log(config.pitch_low_hz), math.log(config.pitch_high_hz), config.pitch_bins)
        self.register_buffer("log_hz", bins, persistent=False)

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Map normalised mel (B, T, M) to bin logits (B, T, bins) and a voicing logit (B, T)."""
        output = self.output(self.backbone(mel))
        return output[..., :-1], output[..., -1]

    def decode(self, logits: Tensor) -> Tensor:
        """Return F0 in Hz (B, T): the mean of the bins within two of the most likely one, in log frequency."""
        index = torch.arange(logits.shape[-1], device=logits.device)
        near = (index - logits.argmax(dim=-1, keepdim=True)).abs() <= 2
        weights = F.softmax(logits.masked_fill(~near, -torch.inf), dim=-1)
        return torch.exp((weights * self.log_hz).sum(dim=-1))


@dataclass
class SourceFilters:
    """What the networks say of each frame: F0 (B, T) in Hz, three filters (B, T, F), perhaps a part of free phase."""

    f0: Tensor
    pulse_log_magnitude: Tensor
    pulse_phase: Tensor
    noise_log_magnitude: Tensor
    free_log_magnitude: Tensor | None = None
    free_phase: Tensor | None = None


class SourceFilterVocoder(nn.Module):
    """Mel frames to sound: whole clips in `forward` (training, tests), piece by piece in `SourceFilterStream`."""

    envelope: Tensor
    band_level: Tensor
    MEL_MEAN, MEL_STD = -5.0, 2.0
    LOG_LIMIT = 6.0

    def __init__(self, config: VocoderConfig) -> None:
        super().__init__()
        self.config = config
        bins = config.mel.n_fft // 2 + 1
        self.pitch = PitchEstimator(config)
        self.backbone = Backbone(config.mel.n_mels + 2, config.channels, config.hidden, config.layers, config.kernel)
        self.output = nn.Linear(config.channels, (5 if config.free_phase else 3) * bins)
        nn.init.normal_(self.output.weight, std=0.01)
        nn.init.zeros_(self.output.bias)
        self.register_buffer("envelope", build_mel_interpolation(config.mel), persistent=False)
        self.register_buffer("band_level", mel_filterbank(config.mel).sum(dim=0).log(), persistent=False)
        self.context_frames = self.pitch.backbone.context_frames + self.backbone.context_frames

    def predict_filters(self, mel: Tensor, f0: Tensor | None = None) -> SourceFilters:
        """Predict the filters of each frame from log mel (B, T, M) and, in training, the true F0 (B, T) in Hz."""
        normal = (mel - self.MEL_MEAN) / self.MEL_STD
        logits, voicing = self.pitch(normal)
        if f0 is None:
            f0 = self.pitch.decode(logits)
        hints = torch.stack([torch.log(f0 / 180.0) * 2.0, torch.sigmoid(voicing) * 2.0 - 1.0], dim=-1)
        features = self.backbone(torch.cat([normal, hints.detach()], dim=-1))
        pulse, phase, noise, *free = self.output(features).chunk(5 if self.config.free_phase else 3, dim=-1)
        base = (mel - self.band_level) @ self.envelope  # (B, T, F), the mel's own smooth spectrum
        level = base - 0.5 * math.log(0.375 * self.config.mel.n_fft)  # of a source with unit power
        limit = self.LOG_LIMIT
        return SourceFilters(
            f0=f0,
            pulse_log_magnitude=level + limit * torch.tanh(pulse / limit),
            pulse_phase=phase,
            noise_log_magnitude=level - 1.5 + 1.5 * limit * torch.tanh(noise / limit),
            free_log_magnitude=base - 3.0 + limit * torch.tanh(free[0] / limit) if free else None,
            free_phase=free[1] if free else None,
        )

    def forward(self, mel: Tensor, noise: Tensor, f0: Tensor | None = None, cycles: Tensor | None = None) -> Tensor:
        """Turn whole clips into sound.

        Args:
            mel: log mel frames (B, T, M), T >= 1.
            noise: standard normal (B, (T - 1) * hop + n_fft), the noise source from n_fft / 2 samples before time zero.
            f0: true F0 (B, T) in Hz in training, else None.
            cycles: in training, the share of a period that has truly passed at each frame (B, T), nan where unknown.

        Returns:
            float32 (B, (T - 1) * hop_length); frame t is centred on sample t * hop_length.
        """
        filters = self.predict_filters(mel, f0)
        n_fft, hop = self.config.mel.n_fft, self.config.mel.hop_length
        pulses = self._make_pulses(filters.f0, cycles)
        spectra = self.apply_filters(frame_signal(pulses, n_fft, hop), frame_signal(noise, n_fft, hop), filters)
        sound, weight = overlap_add(spectra, n_fft, hop)
        length = (mel.shape[1] - 1) * hop
        return (sound / weight)[:, n_fft // 2 : n_fft // 2 + length]

    def _make_pulses(self, f0: Tensor, known: Tensor | None) -> Tensor:
        """Make pulses (B, (T - 1) * hop + n_fft) from half a window before frame 0 to half a window after the last."""
        hop, half = self.config.mel.hop_length, self.config.mel.n_fft // 2
        ramp = torch.arange(hop, device=f0.device, dtype=f0.dtype) / hop
        between = f0[:, :-1, None] * (1 - ramp) + f0[:, 1:, None] * ramp  # (B, T - 1, hop)
        edges = (f0[:, :1].expand(-1, half), between.flatten(1), f0[:, -1:].expand(-1, half))
        hz = torch.cat(edges, dim=1).double()
        cycles = torch.cumsum(hz / self.config.mel.sample_rate, dim=1)
        if known is not None:
            starts = half + hop * torch.arange(f0.shape[1] - 1, device=f0.device)
            offsets = known[:, :-1] - cycles[:, starts]  # (B, T - 1), added to all samples of a frame
            offsets = offsets.where(~known[:, :-1].isnan(), torch.zeros_like(offsets)).repeat_interleave(hop, dim=1)
            cycles = cycles + torch.cat(
                [offsets[:, :1].expand(-1, half), offsets, offsets[:, -1:].expand(-1, half)], dim=1
            )
        return make_pulse_train(cycles, hz, self.config.mel.sample_rate)

    def apply_filters(self, pulse_frames: Tensor, noise_frames: Tensor, filters: SourceFilters) -> Tensor:
        """Filter frames of both sources (B, T, n_fft); return windowed frames (B, T, n_fft)."""
        window = hann_window(self.config.mel.n_fft, pulse_frames.device)
        pulse = torch.fft.rfft(pulse_frames * window)
        noise = torch.fft.rfft(noise_frames * window)
        if self.config.steady_noise:
            noise = noise / noise.abs().clamp_min(1e-3) * math.sqrt(0.375 * self.config.mel.n_fft)
        magnitude = filters.pulse_log_magnitude
        phase = compute_minimum_phase(magnitude) + filters.pulse_phase
        shaped = pulse * torch.polar(magnitude.exp(), phase) + noise * filters.noise_log_magnitude.exp()
        if filters.free_log_magnitude is not None and filters.free_phase is not None:
            shaped = shaped + torch.polar(filters.free_log_magnitude.exp(), filters.free_phase)
        return torch.fft.irfft(shaped, n=self.config.mel.n_fft) * window


def frame_signal(signal: Tensor, size: int, hop: int) -> Tensor:
    """Cut (B, N) into overlapping frames (B, 1 + (N - size) // hop, size)."""
    return signal.unfold(1, size, hop)


def overlap_add(frames: Tensor, size: int, hop: int) -> tuple[Tensor, Tensor]:
    """Sum windowed frames (B, T, size) at their places.

    Returns:
        the sum (B, (T - 1) * hop + size) and the squared windows' sum (1, same) to divide by.
    """
    length = (frames.shape[1] - 1) * hop + size

    def fold(columns: Tensor) -> Tensor:
        return F.fold(columns, (1, length), (1, size), stride=(1, hop))[:, 0, 0]

    squared = (hann_window(size, frames.device) ** 2)[None, :, None].expand(1, size, frames.shape[1])
    return fold(frames.transpose(1, 2)), fold(squared).clamp_min(1e-8)


def make_pulse_train(cycles: Tensor, hz: Tensor, sample_rate: int) -> Tensor:
    """Sum all harmonics up to the Nyquist frequency with equal strength and unit power.

    Args:
        cycles: float64 (B, N), how many periods have passed; hz: float64 (B, N), F0.

    Returns:
        float32 (B, N): sum over k of sqrt(2 / K) cos(2 pi k cycles), by its closed form (the Dirichlet kernel).
    """
    harmonics = torch.floor(0.5 * sample_rate / hz) - 1
    phase = math.pi * (cycles - torch.round(cycles))
    divisor = torch.sin(phase)
    near_pulse = divisor.abs() < 1e-6
    ratio = torch.sin((2 * harmonics + 1) * phase) / torch.where(near_pulse, torch.ones_like(divisor), divisor)
    kernel = 0.5 * torch.where(near_pulse, 2 * harmonics + 1, ratio) - 0.5
    return (kernel * torch.sqrt(2 / harmonics)).float()


def compute_minimum_phase(log_magnitude: Tensor) -> Tensor:
    """Return the phase (B, T, F) of the minimum-phase filter with this log magnitude, by the folded cepstrum.

    Oppenheim and Schafer, "Discrete-Time Signal Processing", on the complex cepstrum of minimum-phase sequences.
    """
    bins = log_magnitude.shape[-1]
    cepstrum = torch.fft.irfft(log_magnitude, n=2 * (bins - 1))
    fold = torch.zeros(2 * (bins - 1), device=log_magnitude.device)
    fold[0] = fold[bins - 1] = 1.0
    fold[1 : bins - 1] = 2.0
    return torch.fft.rfft(cepstrum * fold).imag


def build_mel_interpolation(config: MelConfig) -> Tensor:
    """Build the matrix (M, F) that interpolates log mel values, read at the bands' centres, over frequency bins."""
    bank = mel_filterbank(config)  # (F, M)
    frequencies = torch.arange(bank.shape[0], dtype=torch.float32)
    centres = (bank * frequencies[:, None]).sum(dim=0) / bank.sum(dim=0)  # (M,)
    position = torch.searchsorted(centres, frequencies).clamp(1, config.n_mels - 1)  # the band to the right
    left, right = centres[position - 1], centres[position]
    share = ((frequencies - left) / (right - left)).clamp(0, 1)
    matrix = torch.zeros(config.n_mels, bank.shape[0])
    matrix[position - 1, torch.arange(bank.shape[0])] = 1 - share
    matrix[position, torch.arange(bank.shape[0])] += share
    return matrix
