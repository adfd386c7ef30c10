"""Synchronisation of sound and picture: the check, and its repair.

`SyncChecker.check` says by how much the sound of any clip comes late or early, and how sure that is.
`SyncChecker.align` moves the sound, and bends its time gently where single events still miss theirs.

Letters: F frames, R x S pixels, N samples, T moments at 96 a second, O offsets.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from models.audio import MelConfig, log_mel, resample
from models.video.sync_network import MOMENT_RATE, SUBFRAMES, VIDEO_RATE, SyncConfig, SyncNetwork
from models.video.upscaler import check_frames
from models.weights_io import load_network

SYNC_WEIGHTS = "video_sync.safetensors"
SOUND_RATE = 24_000
MEL_MEAN, MEL_SPREAD = -6.0, 2.5
LEAST_S, WINDOW_S, HOP_S = 0.75, 4.0, 2.0
MAX_WINDOWS = 24  # a long clip is heard in so many places
SILENCE = 1e-4  # peak below which a sound is none
MOST_WARP_S = 0.08
MOST_STRETCH = 0.06

Frames = NDArray[np.uint8]
FloatArray = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SyncReport:
    """The result of a check.

    Attributes:
        offset_s: by how much the sound comes late; negative where it comes early.
        confidence: 0 to 1, how sure it is that sound and picture belong together and differ by this much.
        attention: float32 (moments of the picture, moments of the sound), both at 24 a second, of the first stretch;
            a bright diagonal shows what belongs together.
        offsets_s: float32 (O,), from -0.5 to 0.5, and probabilities: float32 (O,), how likely each is.
        events_s: moments at which something was seen to happen.
        event_x: float32, where in the picture each of them is, -1 left to 1 right.
    """

    offset_s: float
    confidence: float
    attention: FloatArray
    offsets_s: FloatArray
    probabilities: FloatArray
    events_s: FloatArray
    event_x: FloatArray


def build_mel_config(mels: int) -> MelConfig:
    """Describe mel frames of which there are 96 a second."""
    return MelConfig(SOUND_RATE, 512, round(SOUND_RATE / MOMENT_RATE), mels, 60.0, 11_000.0)


def compute_mel(samples: Tensor, mels: int, moments: int) -> Tensor:
    """Compute (B, T, 2 * mels) of float32 (B, 2, N) at SOUND_RATE, normalised, cut or padded to T moments."""
    mel = log_mel(samples.flatten(0, 1), build_mel_config(mels))[:, :moments]
    mel = F.pad(mel, (0, 0, 0, moments - mel.shape[1]), value=float(np.log(1e-5)))
    mel = (mel - MEL_MEAN) / MEL_SPREAD
    return mel.unflatten(0, (-1, 2)).permute(0, 2, 1, 3).flatten(2)


def to_stereo(samples: NDArray[np.floating]) -> FloatArray:
    """Convert sound of any layout with samples first, (N,) or (N, channels), to float32 (N, 2).

    Raises:
        ValueError: this is no sound, or it holds values that are no numbers.
    """
    sound = np.asarray(samples)
    if sound.ndim not in {1, 2} or not np.issubdtype(sound.dtype, np.floating):
        raise ValueError(
            f"samples are {sound.dtype} {sound.shape}; they must be floating point, (n,) or (n, channels)."
        )
    if sound.size and not np.isfinite(sound).all():
        raise ValueError("The sound holds values that are not numbers.")
    sound = sound.astype(np.float32)
    if sound.ndim == 1 or sound.shape[1] == 1:
        return np.repeat(sound.reshape(-1, 1), 2, axis=1)
    return np.ascontiguousarray(sound[:, :2])


def shrink_frames(frames: Frames, frames_per_second: float, size: int) -> Tensor:
    """Convert frames of any size and rate to float32 (F', 3, size, size) in [-1, 1] at VIDEO_RATE."""
    import cv2

    count = max(1, round(len(frames) / frames_per_second * VIDEO_RATE))
    places = np.arange(count) / VIDEO_RATE * frames_per_second
    wanted = np.minimum(np.floor(places + 1e-6).astype(int), len(frames) - 1)
    needed, back = np.unique(wanted, return_inverse=True)
    small = np.stack(
        [cv2.resize(np.ascontiguousarray(frames[at]), (size, size), interpolation=cv2.INTER_AREA) for at in needed]
    )
    return torch.from_numpy(small[back]).permute(0, 3, 1, 2).float() / 127.5 - 1


class SyncChecker:
    """A check of the timing of sound, and its repair."""

    def __init__(self, network: SyncNetwork) -> None:
        self.network = network.eval().requires_grad_(False)
        self._lock = threading.Lock()

    def check(
        self, frames: Frames, frames_per_second: float, samples: NDArray[np.floating], sample_rate: int
    ) -> SyncReport:
        """Compare the sound of a clip with its picture; long clips are looked at in MAX_WINDOWS places.

        Args:
            frames: uint8 (F, R, S, 3) of any size and rate.
            samples: floating point, (N,) or (N, channels), from the same moment on.

        Raises:
            ValueError: a sentence: no clip, too short, silent.
        """
        picture, sound = self._prepare(frames, frames_per_second, samples, sample_rate)
        return self._report(*self._compare(picture, sound))

    def align(
        self,
        frames: Frames,
        frames_per_second: float,
        samples: NDArray[np.floating],
        sample_rate: int,
        warp: bool = True,
        least_confidence: float = 0.0,
    ) -> tuple[FloatArray, SyncReport]:
        """Move the sound by its offset and, with `warp`, bend its time by at most MOST_WARP_S towards single events.

        Returns:
            The sound, float32 (N, 2) at its own rate and length (silent where there was nothing), and what the check
            had found before. Below `least_confidence` the sound is given back as it was.

        Raises:
            ValueError: as `check`.
        """
        picture, sound = self._prepare(frames, frames_per_second, samples, sample_rate)
        pieces = self._compare(picture, sound)
        report = self._report(*pieces)
        original = to_stereo(samples)
        if report.confidence < least_confidence:
            return original, report
        moments, missed = self._find_local_offsets(pieces, report) if warp else (np.zeros(0), np.zeros(0))
        return bend_time(original, sample_rate, report.offset_s, moments, missed), report

    def detect_events(self, frames: Frames, frames_per_second: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Detect what the picture alone shows: moments in seconds, strengths from 0 to 1, places from -1 to 1.

        Raises:
            ValueError: no clip.
        """
        _check_clip(frames, frames_per_second)
        picture = shrink_frames(frames, frames_per_second, self.network.config.size)
        with self._lock, torch.inference_mode():
            video = self.network.video_norm(self.network.video(picture[None]))
            event, x, _ = self.network.video_says(video)[0].unbind(-1)
        return _pick_peaks(event.sigmoid().numpy(), x.tanh().numpy())

    def _prepare(
        self, frames: Frames, frames_per_second: float, samples: NDArray[np.floating], sample_rate: int
    ) -> tuple[Tensor, Tensor]:
        """Bring a clip to (F, 3, S, S) at VIDEO_RATE and (2, N) at SOUND_RATE."""
        _check_clip(frames, frames_per_second)
        sound = to_stereo(samples)
        if not isinstance(sample_rate, (int, np.integer)) or not 4_000 <= sample_rate <= 384_000:
            raise ValueError(f"sample_rate is {sample_rate!r}; it must be from 4,000 to 384,000.")
        if not sound.size or np.abs(sound).max() < SILENCE:
            raise ValueError("The clip has no sound that could be heard.")
        picture = shrink_frames(frames, frames_per_second, self.network.config.size)
        wanted = round(len(picture) / VIDEO_RATE * sample_rate)
        sound = sound[: wanted + sample_rate]
        heard = np.ascontiguousarray(resample(np.ascontiguousarray(sound.T), int(sample_rate), SOUND_RATE))
        peak = float(np.abs(heard).max())
        return picture, torch.from_numpy(heard * np.float32(0.7 / peak))

    def _compare(self, picture: Tensor, sound: Tensor) -> tuple[list[float], Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Run the network over windows.

        Returns:
            Where windows begin in seconds; then, one row a window: profiles (W, T, O), event logits (W, T), places
            (W, T), matched logits (W,) and attention (T, T) of the first window.
        """
        window = min(len(picture), round(WINDOW_S * VIDEO_RATE))
        last = len(picture) - window
        count = min(MAX_WINDOWS, 1 + -(-last // round(HOP_S * VIDEO_RATE)))
        starts = sorted({round(at) for at in np.linspace(0, last, count)})
        mels = self.network.config.mels
        mel = compute_mel(sound[None], mels, SUBFRAMES * len(picture))[0]
        found = []
        with self._lock, torch.inference_mode():
            for start in starts:
                moments = slice(SUBFRAMES * start, SUBFRAMES * (start + window))
                found.append(self.network(picture[None, start : start + window], mel[None, moments]))
        return (
            [start / VIDEO_RATE for start in starts],
            torch.cat([each.profile for each in found]),
            torch.cat([each.video_events for each in found]),
            torch.cat([each.video_x for each in found]),
            torch.cat([each.matched for each in found]),
            found[0].attention[0],
        )

    def _report(
        self, starts: list[float], profiles: Tensor, events: Tensor, places: Tensor, matched: Tensor, attention: Tensor
    ) -> SyncReport:
        reach = self.network.config.reach
        likelihood = profiles.sum(dim=(0, 1)) / max(1.0, len(starts) / 2)  # windows overlap by half
        probabilities = likelihood.softmax(dim=0)
        offset = refine_peak(likelihood.numpy()) - reach
        best = int(likelihood.argmax())
        near = float(probabilities[max(0, best - 4) : best + 5].sum())  # within a frame
        confidence = near * float(matched.sigmoid().mean())
        moments, _, x = _pick_peaks(events[0].sigmoid().numpy(), places[0].numpy())
        side = attention.shape[0] // SUBFRAMES * SUBFRAMES
        coarse = attention[:side, :side].unflatten(1, (-1, SUBFRAMES)).sum(dim=2).unflatten(0, (-1, SUBFRAMES)).mean(1)
        return SyncReport(
            offset_s=float(offset / MOMENT_RATE),
            confidence=float(np.clip(confidence, 0, 1)),
            attention=coarse.numpy(),
            offsets_s=(np.arange(-reach, reach + 1) / MOMENT_RATE).astype(np.float32),
            probabilities=probabilities.numpy(),
            events_s=moments,
            event_x=x,
        )

    def _find_local_offsets(
        self, pieces: tuple[list[float], Tensor, Tensor, Tensor, Tensor, Tensor], report: SyncReport
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Find the moments of single events, and by how much the sound there misses them beside the offset of all."""
        starts, profiles, events, places, _, _ = pieces
        reach = self.network.config.reach
        middle = reach + round(report.offset_s * MOMENT_RATE)
        spread = round(MOST_WARP_S * MOMENT_RATE)
        low, high = max(0, middle - spread), min(2 * reach + 1, middle + spread + 1)
        moments, missed = [], []
        for row, start in enumerate(starts):
            found, _, _ = _pick_peaks(events[row].sigmoid().numpy(), places[row].numpy())
            for moment in found:
                at = round(float(moment) * MOMENT_RATE)
                around = slice(max(0, at - 6), at + 7)
                own = profiles[row, around, low:high].sum(dim=0).softmax(dim=0)
                if high - low < 3 or float(own.max()) < 0.25:  # this event alone does not say enough
                    continue
                moments.append(start + float(moment))
                missed.append((low + refine_peak(own.log().numpy()) - reach) / MOMENT_RATE - report.offset_s)
        order = np.argsort(moments)
        return np.asarray(moments)[order], np.asarray(missed)[order]


def refine_peak(likelihood: NDArray[np.floating]) -> float:
    """Find the place of the greatest log-likelihood, between bins: the mean of what lies around it."""
    best = int(np.argmax(likelihood))
    low, high = max(0, best - 3), min(len(likelihood), best + 4)
    weights = np.exp(likelihood[low:high] - likelihood[best])
    return float((weights * np.arange(low, high)).sum() / weights.sum())


def _pick_peaks(chance: NDArray[np.floating], x: NDArray[np.floating]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Pick local greatest chances above a half, 80 ms apart at least: moments in s, strengths, places."""
    apart = round(0.08 * MOMENT_RATE)
    found = [
        at for at in np.flatnonzero(chance > 0.4) if chance[at] >= chance[max(0, at - apart) : at + apart + 1].max()
    ]
    kept = [at for index, at in enumerate(found) if not index or at - found[index - 1] > 1]
    places = np.asarray(kept, dtype=int)
    return (places / MOMENT_RATE).astype(np.float32), chance[places].astype(np.float32), x[places].astype(np.float32)


def bend_time(
    samples: FloatArray,
    sample_rate: int,
    offset_s: float,
    moments_s: NDArray[np.floating],
    missed_s: NDArray[np.floating],
) -> FloatArray:
    """Move sound (N, 2) earlier by `offset_s`, and by `missed_s` more around each of `moments_s`; the length is kept.

    Single amounts are bounded by MOST_WARP_S, and smoothed so that time runs at most MOST_STRETCH faster or slower.
    """
    count = len(samples)
    step = max(1, sample_rate // 200)
    clock = np.arange(0, count + step, step) / sample_rate
    extra = np.zeros(len(clock))
    if len(moments_s):
        extra = np.interp(clock, moments_s, np.clip(missed_s, -MOST_WARP_S, MOST_WARP_S))
        most = MOST_STRETCH * step / sample_rate
        for _ in range(2):  # forwards, then backwards: no steeper than allowed
            for at in range(1, len(extra)):
                extra[at] = np.clip(extra[at], extra[at - 1] - most, extra[at - 1] + most)
            extra = extra[::-1]
    axis = np.arange(count)
    places: NDArray[np.floating] = axis + (offset_s + np.interp(axis / sample_rate, clock, extra)) * sample_rate
    if not len(moments_s):  # a plain shift keeps every sample as it is
        places = axis + float(round(offset_s * sample_rate))
    moved = [np.interp(places, axis, samples[:, channel], left=0.0, right=0.0) for channel in range(samples.shape[1])]
    return np.stack(moved, axis=1).astype(np.float32)


def _check_clip(frames: Frames, frames_per_second: float) -> None:
    check_frames(frames)
    if not np.isfinite(frames_per_second) or not 1 <= frames_per_second <= 240:
        raise ValueError(f"frames_per_second is {frames_per_second}; it must be from 1 to 240.")
    if len(frames) / frames_per_second < LEAST_S:
        raise ValueError(f"The clip is shorter than {LEAST_S:g} s; that is too little to compare.")


def load_sync(path: Path) -> SyncChecker:
    """Load the shipped network.

    Raises:
        ModelError: the file is missing, damaged or of another version.
    """
    network = load_network(
        path, lambda values: SyncNetwork(SyncConfig.from_dict(values)), "the synchronisation network"
    )
    return SyncChecker(network)
