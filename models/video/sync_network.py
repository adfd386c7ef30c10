"""The synchronisation network: picture and sound attend to each other and tell by how much they differ.

An audio encoder over log-mel frames and a video encoder over small frames and their changes (after Chung and Zisserman
2016, "Out of Time: Automated Lip Sync in the Wild"), joined by cross-modal attention both ways (Chen et al. 2021,
"Audio-Visual Synchronisation in the wild"): every moment of the picture looks for its sound within half a second before
and after, and every moment of the sound for its picture. Attention logits along a diagonal belong to one offset; summed
over all moments, each weighted by how much happens there, they are the log-likelihood of that offset. What attention
brings back says whether the two belong together at all: the confidence.

Both encoders work at 96 moments a second: four for each of 24 frames, so that an offset is found within a frame.

Letters: B batch, F frames, T moments (4 F), S pixels a side, M mel bands (both channels), D width, O offsets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SUBFRAMES = 4
VIDEO_RATE = 24.0
MOMENT_RATE = VIDEO_RATE * SUBFRAMES
FAR = -1e4  # attention logit of what lies outside


@dataclass(frozen=True)
class SyncConfig:
    """Sizes of the network.

    Attributes:
        size: rows and columns of a frame; patch: of pixels that become one place, of which there is an even number.
        mels: bands of each channel of the sound.
        reach: moments that an offset may have to either side.
    """

    size: int = 40
    patch: int = 4
    mels: int = 32
    width: int = 64
    channels: tuple[int, int] = (32, 64)
    video_layers: int = 2
    audio_layers: int = 3
    reach: int = 48

    @classmethod
    def debug(cls) -> SyncConfig:
        """Return the sizes of a tiny network for tests."""
        return cls(size=16, mels=8, width=16, channels=(8, 8), video_layers=1, audio_layers=1)

    def to_dict(self) -> dict[str, object]:
        """Return plain values for a weight file's metadata."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> SyncConfig:
        """Undo to_dict, also after JSON made lists of tuples; TypeError names an unknown field."""
        tuples = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        return cls(**tuples)  # type: ignore[arg-type]


@dataclass
class SyncOutput:
    """The network's output for B clips.

    Attributes:
        offsets: (B, O) log-likelihoods, the middle one for no offset, the first for sound that comes `reach` moments
            early.
        profile: (B, T, O), what each moment of the picture adds to it.
        matched: (B,) logit that sound and picture belong together.
        video_events, audio_events: (B, T) logits that something happens at a moment.
        video_x, audio_x: (B, T), where it happens, -1 left to 1 right.
        attention: (B, T, T), of the picture's moments (rows) to the sound's.
    """

    offsets: Tensor
    profile: Tensor
    matched: Tensor
    video_events: Tensor
    audio_events: Tensor
    video_x: Tensor
    audio_x: Tensor
    attention: Tensor


class TemporalResidual(nn.Module):
    """A convolution over time, added to its input."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, width)
        self.conv = nn.Conv1d(width, width, 5, padding=2 * dilation, dilation=dilation)
        self.out = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, D, T) to the same shape."""
        return x + self.out(F.gelu(self.conv(self.norm(x))))


class VideoEncoder(nn.Module):
    """Frames (B, F, 3, S, S) to a vector for each moment."""

    def __init__(self, config: SyncConfig) -> None:
        super().__init__()
        first, second = config.channels
        self.patch = config.patch
        self.enter = nn.Conv2d(6 * config.patch**2, first, 1)
        self.around = nn.Conv2d(first, second, 3, stride=2, padding=1)
        side = config.size // config.patch // 2
        self.flat = nn.Linear(second * side * side, config.width)
        self.over_time = nn.ModuleList(
            TemporalResidual(config.width, 1 + layer % 2) for layer in range(config.video_layers)
        )
        self.subframes = nn.Conv1d(config.width, config.width * SUBFRAMES, 3, padding=1)
        self.fine = TemporalResidual(config.width, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """Map frames (B, F, 3, S, S) in [-1, 1] to (B, T, D)."""
        batch, count = frames.shape[:2]
        change = frames - torch.cat([frames[:, :1], frames[:, :-1]], dim=1)
        x = F.pixel_unshuffle(torch.cat([frames, 3 * change], dim=2).flatten(0, 1), self.patch)
        x = F.relu(self.around(F.relu(self.enter(x))))
        x = self.flat(x.flatten(1)).unflatten(0, (batch, count)).transpose(1, 2)  # (B, D, F)
        for layer in self.over_time:
            x = layer(x)
        x = self.subframes(x).unflatten(1, (-1, SUBFRAMES)).permute(0, 1, 3, 2).flatten(2)  # (B, D, T)
        return self.fine(x).transpose(1, 2)


class AudioEncoder(nn.Module):
    """Log-mel frames of both channels to a vector for each moment."""

    def __init__(self, config: SyncConfig) -> None:
        super().__init__()
        self.enter = nn.Conv1d(2 * config.mels, config.width, 5, padding=2)
        self.layers = nn.ModuleList(
            TemporalResidual(config.width, 2 ** (layer % 3)) for layer in range(config.audio_layers)
        )

    def forward(self, mel: Tensor) -> Tensor:
        """Map mel (B, T, M) to (B, T, D)."""
        x = self.enter(mel.transpose(1, 2))
        for layer in self.layers:
            x = layer(x)
        return x.transpose(1, 2)


class SyncNetwork(nn.Module):
    """Frames and sound to log-likelihoods of offsets."""

    def __init__(self, config: SyncConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.video, self.audio = VideoEncoder(config), AudioEncoder(config)
        self.video_norm, self.audio_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.video_query, self.video_key = nn.Linear(width, width), nn.Linear(width, width)
        self.audio_query, self.audio_key = nn.Linear(width, width), nn.Linear(width, width)
        self.video_value, self.audio_value = nn.Linear(width, width), nn.Linear(width, width)
        self.video_says, self.audio_says = nn.Linear(width, 3), nn.Linear(width, 3)  # event, x, weight
        self.match = nn.Sequential(nn.Linear(4 * width, width), nn.GELU(), nn.Linear(width, 1))

    def forward(self, frames: Tensor, mel: Tensor) -> SyncOutput:
        """Compare.

        Args:
            frames: (B, F, 3, S, S) in [-1, 1], 24 a second.
            mel: (B, T, M), T = 4 F moments of normalised log-mel, left bands, then right.

        Raises:
            ValueError: sound and picture are not equally long.
        """
        if mel.shape[1] != SUBFRAMES * frames.shape[1]:
            raise ValueError(f"{frames.shape[1]} frames need {SUBFRAMES * frames.shape[1]} mel frames.")
        video, audio = self.video_norm(self.video(frames)), self.audio_norm(self.audio(mel))
        scale = self.config.width**-0.5
        seeing = self.video_query(video) @ self.audio_key(audio).transpose(1, 2) * scale  # (B, T, T), rows: video
        hearing = self.audio_query(audio) @ self.video_key(video).transpose(1, 2) * scale  # rows: audio
        inside = self._mask_near(video.shape[1], video.device)
        to_audio = seeing.masked_fill(~inside, FAR).softmax(dim=-1)
        to_video = hearing.masked_fill(~inside, FAR).softmax(dim=-1)
        video_event, video_x, video_weight = self.video_says(video).unbind(-1)
        audio_event, audio_x, audio_weight = self.audio_says(audio).unbind(-1)
        seen = F.softplus(video_weight)[:, :, None] * seeing
        heard = (F.softplus(audio_weight)[:, :, None] * hearing).transpose(1, 2)
        profile = gather_diagonals(seen + heard, self.config.reach)
        return SyncOutput(
            offsets=profile.sum(dim=1),
            profile=profile,
            matched=self._match(video, audio, to_audio, to_video, video_event, audio_event),
            video_events=video_event,
            audio_events=audio_event,
            video_x=video_x.tanh(),
            audio_x=audio_x.tanh(),
            attention=to_audio,
        )

    def _mask_near(self, count: int, device: torch.device) -> Tensor:
        """Mark which moments are near enough, bool (T, T)."""
        places = torch.arange(count, device=device)
        return (places[None] - places[:, None]).abs() <= self.config.reach

    def _match(
        self, video: Tensor, audio: Tensor, to_audio: Tensor, to_video: Tensor, seen: Tensor, heard: Tensor
    ) -> Tensor:
        """Compute the logit (B,) that they belong together, from what attention brings back where something happens."""
        at_video = torch.cat([video, to_audio @ self.audio_value(audio)], dim=-1)
        at_audio = torch.cat([audio, to_video @ self.video_value(video)], dim=-1)
        pooled = [
            (F.softmax(events, dim=1)[:, :, None] * both).sum(dim=1)
            for events, both in ((seen, at_video), (heard, at_audio))
        ]
        return self.match(torch.cat(pooled, dim=-1)).squeeze(-1)


def gather_diagonals(square: Tensor, reach: int) -> Tensor:
    """Gather (B, T, T) into (B, T, 2 reach + 1): entry o of row i is column i + o - reach, 0 beyond the edges."""
    padded = F.pad(square, (reach, reach))
    count = square.shape[1]
    columns = torch.arange(count, device=square.device)[:, None] + torch.arange(2 * reach + 1, device=square.device)
    return padded.gather(2, columns.expand(len(square), -1, -1))
