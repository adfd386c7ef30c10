"""Clips of the teachers as flat tensors that stay on the training's device, with batches drawn there.

Letters: B batch, L symbols, T frames, M mel bands, N samples; a flat tensor holds all clips one after another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.audio import LOG_FLOOR, MelConfig, hann_window, mel_filterbank
from training.speech.retiming import retime_clip
from training.speech.teacher_corpus import SpokenClip, load_clips

TEACHER_MEL = MelConfig(sample_rate=24_000, n_fft=1_200, hop_length=300, n_mels=100, f_min=0.0, f_max=12_000.0)
MEL_MEAN, MEL_STD = -5.0, 2.0
SILENT = math.log(LOG_FLOOR)
LEVEL_DB = -21.0  # RMS that every voice is brought to
F0_UNIT_HZ = 180.0
STRETCH = 12_000  # frames that are computed at once
HELD_OUT_EVERY = 150


@dataclass
class TeacherBatch:
    """Padded tensors: symbols, durations (B, L); normalised mel (B, T, M); facts of frames (B, T) and of clips (B,)."""

    symbols: Tensor
    lengths: Tensor
    durations: Tensor
    mel: Tensor
    frames: Tensor
    log_pitch: Tensor
    voiced: Tensor
    energy: Tensor
    voice: Tensor
    speed: Tensor
    semitones: Tensor
    gain: Tensor


class ResidentCorpus:
    """Clips on a device: batches of like length, every voice with its share, and pieces of sound.

    Args:
        clips: of all voices.
        shares: of the voices in a batch, by their number.
        seed: of what is drawn.
    """

    def __init__(
        self,
        clips: Sequence[SpokenClip],
        shares: Sequence[float],
        device: torch.device,
        config: MelConfig = TEACHER_MEL,
        seed: int = 1,
    ) -> None:
        self.device, self.config = device, config
        self.rng = np.random.default_rng(seed)
        counts = np.array([[len(c.f0), len(c.symbols)] for c in clips])
        self.frame_ends, self.symbol_ends = counts.cumsum(axis=0).T
        self.frame_starts, self.symbol_starts = self.frame_ends - counts[:, 0], self.symbol_ends - counts[:, 1]
        self.clip_frames, self.clip_symbols = counts.T
        self.voice = np.array([c.voice for c in clips])
        self.asked = torch.tensor([[math.log2(c.speed), c.semitones] for c in clips], device=device)
        self.samples = torch.from_numpy(np.concatenate([c.samples for c in clips])).to(device)
        self.durations = torch.from_numpy(np.concatenate([c.durations for c in clips])).to(device)
        self.symbols = torch.from_numpy(np.concatenate([c.symbols for c in clips]).astype(np.int64)).to(device)
        self.gains = self._measure_gains(len(shares))
        self.mel = self._compute_mel()
        f0 = centre_f0(np.concatenate([c.f0 for c in clips]).astype(np.float32))
        self.voiced = torch.from_numpy(f0 > 0).to(device)
        self.log_pitch = torch.from_numpy(bridge_log_pitch(f0)).to(device)
        self.cycles = torch.from_numpy(np.concatenate([c.cycles for c in clips]).astype(np.float32)).to(device)
        held_out = np.zeros(len(clips), bool)
        for voice in range(len(shares)):
            own = np.flatnonzero(self.voice == voice)
            held_out[own[:: max(2, min(HELD_OUT_EVERY, len(own) // 8))]] = True
        self.held_out = np.flatnonzero(held_out)
        self.pools = [self._sort_pool(np.flatnonzero((self.voice == v) & ~held_out)) for v in range(len(shares))]
        present = np.array([share if len(pool) else 0.0 for share, pool in zip(shares, self.pools, strict=True)])
        self.shares = present / present.sum()

    def _sort_pool(self, pool: np.ndarray) -> np.ndarray:
        return pool[np.argsort(self.clip_frames[pool], kind="stable")]

    def _measure_gains(self, voices: int) -> np.ndarray:
        """Return what the samples of each voice are to be multiplied with."""
        gains = []
        for voice in range(voices):
            clips = np.flatnonzero(self.voice == voice)[:300]
            hop = self.config.hop_length
            pieces = [self.samples[self.frame_starts[c] * hop : self.frame_ends[c] * hop] for c in clips]
            power = float(torch.cat(pieces).float().div(32768).square().mean()) if pieces else 1.0
            gains.append(10 ** (LEVEL_DB / 20) / math.sqrt(max(power, 1e-9)))
        return np.array(gains)

    def _compute_mel(self) -> Tensor:
        """Compute log mel of all clips (T, M), float16: frame t of the flat sound is centred on sample t * hop."""
        config, half = self.config, self.config.n_fft // 2
        window, bank = hann_window(config.n_fft, self.device), mel_filterbank(config, self.device)
        gains = torch.tensor(np.log(self.gains[self.voice]), device=self.device, dtype=torch.float32)
        level = gains.repeat_interleave(torch.from_numpy(self.clip_frames).to(self.device))
        mel = torch.empty(
            len(self.samples) // config.hop_length, config.n_mels, dtype=torch.float16, device=self.device
        )
        padded = torch.nn.functional.pad(self.samples, (half, half))
        stretch = STRETCH * config.hop_length
        for start in range(0, len(self.samples), stretch):
            piece = padded[start : start + stretch + 2 * half].float() / 32768
            spectrum = torch.stft(
                piece, config.n_fft, config.hop_length, window=window, center=False, return_complex=True
            )
            first = start // config.hop_length
            count = min(STRETCH, len(mel) - first)
            magnitude = spectrum.abs()[:, :count].T @ bank
            louder = magnitude.clamp_min(1e-8).log() + level[first : first + count, None]
            mel[first : first + count] = louder.clamp_min(SILENT).half()
        return mel

    def choose(self, frames_budget: int, limits: tuple[int, int]) -> np.ndarray:
        """Choose clips of like length, of which about so many frames make a batch."""
        pool = self.pools[int(self.rng.choice(len(self.pools), p=self.shares))]
        wanted = int(self.clip_frames[pool[self.rng.integers(len(pool))]])
        count = min(max(frames_budget // wanted, limits[0]), limits[1])
        voices = self.rng.choice(len(self.pools), size=count, p=self.shares)
        chosen = []
        for voice in voices:
            pool = self.pools[voice]
            middle = int(np.searchsorted(self.clip_frames[pool], wanted))
            reach = max(6, len(pool) // 40)
            chosen.append(pool[int(np.clip(middle + self.rng.integers(-reach, reach + 1), 0, len(pool) - 1))])
        return np.array(chosen)

    def collate(self, clips: np.ndarray, gain_db: np.ndarray | None = None, multiple: int = 1) -> TeacherBatch:
        """Pad clips, louder by `gain_db` (B,), to the longest; frames to a multiple."""
        device = self.device
        frames = torch.from_numpy(self.clip_frames[clips]).to(device, non_blocking=True)
        lengths = torch.from_numpy(self.clip_symbols[clips]).to(device, non_blocking=True)
        size = -(-int(self.clip_frames[clips].max()) // multiple) * multiple
        at = torch.arange(size, device=device)[None]
        place = torch.from_numpy(self.frame_starts[clips]).to(device, non_blocking=True)[:, None] + torch.minimum(
            at, frames[:, None] - 1
        )
        inside = at < frames[:, None]
        gain = torch.zeros(len(clips), device=device)
        if gain_db is not None:
            gain = torch.from_numpy(gain_db.astype(np.float32)).to(device)
        mel = self.mel[place].float() + (gain * math.log(10) / 20)[:, None, None]
        mel = mel.clamp_min(SILENT).masked_fill(~inside[..., None], SILENT)
        mel = (mel - MEL_MEAN) / MEL_STD
        spot = torch.arange(int(self.clip_symbols[clips].max()), device=device)[None]
        here = torch.from_numpy(self.symbol_starts[clips]).to(device, non_blocking=True)[:, None] + torch.minimum(
            spot, lengths[:, None] - 1
        )
        is_symbol = spot < lengths[:, None]
        asked = self.asked[torch.from_numpy(clips).to(device, non_blocking=True)]
        return TeacherBatch(
            symbols=self.symbols[here] * is_symbol,
            lengths=lengths,
            durations=self.durations[here] * is_symbol,
            mel=mel,
            frames=frames,
            log_pitch=self.log_pitch[place],
            voiced=self.voiced[place] & inside,
            energy=mel.mean(dim=-1),
            voice=torch.from_numpy(self.voice[clips]).to(device, non_blocking=True),
            speed=asked[:, 0],
            semitones=asked[:, 1],
            gain=gain,
        )

    def draw_pieces(self, count: int, frames: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Draw pieces of clips at random; see `take_pieces`."""
        clips = []
        for voice in self.rng.choice(len(self.pools), size=count, p=self.shares):
            pool = self.pools[voice]
            long_enough = int(np.searchsorted(self.clip_frames[pool], frames))
            clips.append(pool[self.rng.integers(min(long_enough, len(pool) - 1), len(pool))])
        chosen = np.array(clips)
        start = self.frame_starts[chosen] + (self.rng.random(count) * (self.clip_frames[chosen] - frames)).astype(int)
        return self.take_pieces(chosen, np.maximum(start, 0), frames)

    def take_pieces(self, clips: np.ndarray, start: np.ndarray, frames: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the flat places of frames (B, T) from `start` on, log F0, voicing, and samples (B, (T - 1) * hop)."""
        first = torch.from_numpy(start).to(self.device, non_blocking=True)[:, None]
        place = (first + torch.arange(frames, device=self.device)).clamp_max(len(self.mel) - 1)
        hop = self.config.hop_length
        spot = (first * hop + torch.arange((frames - 1) * hop, device=self.device)).clamp_max(len(self.samples) - 1)
        gain = torch.from_numpy(self.gains[self.voice[clips]].astype(np.float32)).to(self.device, non_blocking=True)[
            :, None
        ]
        samples = self.samples[spot].float() / 32768 * gain
        return place, self.log_pitch[place], self.voiced[place], samples


def centre_f0(f0: np.ndarray) -> np.ndarray:
    """Move F0 (T,), 0 where unvoiced, from the middles of frames to their beginnings, where mel frames are centred."""
    before = np.concatenate([f0[:1], f0[:-1]])
    both = (f0 > 0) & (before > 0)
    return np.where(both, 0.5 * (f0 + before), np.maximum(f0, before) * (f0 > 0)).astype(np.float32)


def bridge_log_pitch(f0: np.ndarray) -> np.ndarray:
    """Return log(F0 / 180 Hz) (T,), with straight lines over unvoiced gaps."""
    voiced = np.flatnonzero(f0 > 0)
    if not len(voiced):
        return np.zeros(len(f0), np.float32)
    return np.interp(np.arange(len(f0)), voiced, np.log(f0[voiced] / F0_UNIT_HZ)).astype(np.float32)


def load_corpus(
    shards: Path,
    shares: Sequence[float],
    device: torch.device,
    limit: int | None = None,
    config: MelConfig = TEACHER_MEL,
) -> ResidentCorpus:
    """Load all shards of a folder, or the first clips up to a limit from each, in a mel convention."""
    clips = [clip for path in sorted(shards.glob("*.npz")) for clip in load_clips(path)[:limit]]
    return ResidentCorpus([retime_clip(clip, config) for clip in clips], shares, device, config)
