"""The sounds that the audio style recipe trains on: tracks by name, and sentences that several voices speak.

A track is one voice, instrument, ambience or family of samples, all at the model's rate and at the reference level.
Sentences that more than one voice speaks are aligned by dynamic time warping (Sakoe and Chiba 1978), so that the
network can be shown how the same words sound in another voice.

Letters: N samples, T frames, M mel bands.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray

from models.audio import MelConfig, resample
from models.style.analysis import compute_mel_frames
from models.style.audio import compute_reference_gain

FloatArray = NDArray[np.float32]

GAP_S = 0.05
SHORTEST_TRACK_S = 2.0


@dataclass
class SoundClip:
    """A stretch of sound; its log mel (T, M) is made when first asked for."""

    name: str
    samples: NDArray[np.int16]

    @property
    def sound(self) -> FloatArray:
        """Return the samples as float32 (N,)."""
        return self.samples.astype(np.float32) / 32767.0

    @cached_property
    def mel(self) -> NDArray[np.float16]:
        """Return the log mel frames (T, M)."""
        frames = 1 + len(self.samples) // MelConfig().hop_length
        return compute_mel_frames(self.sound, 0, frames, MelConfig())[0].numpy().astype(np.float16)


@dataclass
class CorpusTrack:
    """Clips of one source; `kind` is voice, instrument or sound."""

    name: str
    kind: str
    clips: list[SoundClip] = field(default_factory=list)


def read_sound(path: Path) -> FloatArray:
    """Read a file as mono at the model's rate, at the reference level."""
    samples, rate = soundfile.read(str(path), dtype="float32", always_2d=True)
    mono = resample(np.ascontiguousarray(samples.mean(axis=1)), rate, MelConfig().sample_rate)
    return mono * np.float32(compute_reference_gain(mono, MelConfig()))


def make_sound_clip(name: str, samples: FloatArray) -> SoundClip:
    """Make a clip of 16-bit samples."""
    return SoundClip(name, np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16))


def read_voice_track(name: str, folder: Path, hold_out: tuple[str, ...]) -> CorpusTrack:
    """Read a folder of sentences, one file each; their names are those of the texts."""
    files = sorted([*folder.glob("*.wav"), *folder.glob("*.flac"), *folder.glob("flac/*.flac")])
    used = [path for path in files if not path.stem.startswith(hold_out)]
    return CorpusTrack(name, "voice", [make_sound_clip(path.stem, read_sound(path)) for path in used])


def join_files(name: str, kind: str, files: Iterable[Path]) -> CorpusTrack:
    """Join files one after the other to one clip."""
    gap = np.zeros(int(GAP_S * MelConfig().sample_rate), np.float32)
    pieces = [piece for path in files for piece in (read_sound(path), gap)]
    return CorpusTrack(name, kind, [make_sound_clip(name, np.concatenate(pieces))])


def read_sound_tracks(sounds: Path, hold_out: tuple[str, ...]) -> list[CorpusTrack]:
    """Read instruments (each a track), ambience (each a track), and samples by the first part of their names."""
    tracks = [
        join_files(folder.name, "instrument", sorted(folder.glob("*.ogg")))
        for folder in sorted((sounds / "instruments").iterdir())
        if folder.is_dir() and folder.name not in hold_out
    ]
    ambience = [path for path in sorted((sounds / "ambience").glob("*.ogg")) if path.stem not in hold_out]
    tracks += [join_files(path.stem, "sound", [path]) for path in ambience]
    families: dict[str, list[Path]] = {}
    for path in sorted((sounds / "samples_cc0").glob("*.flac")):
        alone = path.stem.startswith(("ambi", "loop"))
        families.setdefault(path.stem if alone else path.stem.split("_")[0], []).append(path)
    tracks += [join_files(name, "sound", files) for name, files in families.items()]
    return [t for t in tracks if len(t.clips[0].samples) >= SHORTEST_TRACK_S * MelConfig().sample_rate]


def save(path: Path, tracks: list[CorpusTrack]) -> None:
    """Write tracks to one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    flat = [
        {"name": t.name, "kind": t.kind, "clips": [(c.name, torch.from_numpy(c.samples)) for c in t.clips]}
        for t in tracks
    ]
    torch.save(flat, path)


def load(path: Path) -> list[CorpusTrack]:
    """Read what `save` wrote."""
    flat = torch.load(path, weights_only=True)
    return [
        CorpusTrack(t["name"], t["kind"], [SoundClip(name, samples.numpy()) for name, samples in t["clips"]])
        for t in flat
    ]


def align_by_warping(content: FloatArray, target: FloatArray) -> NDArray[np.int64]:
    """Find for each frame of `content` (T, M) the frame of `target` that corresponds, by dynamic time warping.

    Distances are between log mel frames that have, band by band, mean 0 and deviation 1.
    """
    a, b = ((x - x.mean(axis=0)) / (x.std(axis=0) + 0.1) for x in (content, target))
    cost = np.sqrt(np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T, 0.0))
    rows, columns = cost.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0.0
    for diagonal in range(2, rows + columns + 1):  # all cells of an anti-diagonal at once
        i = np.arange(max(1, diagonal - columns), min(rows, diagonal - 1) + 1)
        j = diagonal - i
        before = np.minimum(total[i - 1, j - 1], np.minimum(total[i - 1, j], total[i, j - 1]))
        total[i, j] = cost[i - 1, j - 1] + before
    match = np.zeros(rows, np.int64)
    i, j = rows, columns
    while i > 0 and j > 0:
        match[i - 1] = j - 1
        steps = (total[i - 1, j - 1], total[i - 1, j], total[i, j - 1])
        step = int(np.argmin(steps))
        i, j = (i - (step < 2), j - (step != 1))
    return match
