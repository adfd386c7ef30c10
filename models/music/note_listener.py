"""The network that hears notes: sound to how likely each of 88 pitches sounds, and begins, at every moment.

"A Lightweight Instrument-Agnostic Model for Polyphonic Note Transcription and Multipitch Estimation" (Bittner, Bosch,
Rubinstein, Meseguer-Brocal and Ewert, ICASSP 2022). The weights are those of Spotify's `basic-pitch`, under the Apache
License 2.0; `training.music.import_listener` brings them into this form.

Letters: B windows of WINDOW samples, T frames a window, 309 and 264 bins of a third of a semitone, 88 pitches.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

FloatArray = NDArray[np.float32]

LISTENER_FILE = "note_listener.safetensors"
SAMPLE_RATE = 22_050
HOP = 256
WINDOW = 43_844
FRAMES = 172
EDGE = 15  # frames at either end of a window that hear too little of what is around them
OCTAVES, BINS_A_SEMITONE, KERNEL = 9, 3, 256
CQT_BINS, CONTOUR_BINS, PITCHES = 309, 264, 88
LOWEST_PITCH = 21
HARMONIC_SHIFTS = (-36, 0, 36, 57, 72, 84, 93, 101)  # bins from a tone to its half, itself, and overtones 2 to 7
BATCH = 8


class ConstantQ(nn.Module):
    """The constant-Q transform, octave by octave, each at half the rate of the one above; in decibels, from 0 to 1."""

    def __init__(self) -> None:
        super().__init__()
        self.real = nn.Parameter(torch.zeros(12 * BINS_A_SEMITONE, 1, KERNEL))
        self.imaginary = nn.Parameter(torch.zeros(12 * BINS_A_SEMITONE, 1, KERNEL))
        self.low_pass = nn.Parameter(torch.zeros(1, 1, KERNEL))
        self.scale = nn.Parameter(torch.ones(CQT_BINS))

    def forward(self, samples: Tensor) -> Tensor:
        """Transform sound (B, WINDOW) to (B, T, 309)."""
        sound, hop = samples[:, None], HOP
        octaves: list[Tensor] = []
        for octave in range(OCTAVES):
            if octave:
                sound = functional.conv1d(functional.pad(sound, (127, 127)), self.low_pass, stride=2)
                hop //= 2
            padded = functional.pad(sound, (KERNEL // 2, KERNEL // 2), mode="reflect")
            parts = (functional.conv1d(padded, kernel, stride=hop) for kernel in (self.real, self.imaginary))
            octaves.insert(0, torch.stack([part[..., :FRAMES] for part in parts]))
        power = (torch.cat(octaves, dim=2)[:, :, -CQT_BINS:] * self.scale[:, None]).square().sum(dim=0)
        level = 10.0 * torch.log10(power + 1e-10).transpose(1, 2)
        level = level - level.amin(dim=(1, 2), keepdim=True)
        return level / level.amax(dim=(1, 2), keepdim=True).clamp_min(1e-12)


class NoteListener(nn.Module):
    """Sound to notes."""

    def __init__(self) -> None:
        super().__init__()
        self.transform = ConstantQ()
        self.gain, self.offset = nn.Parameter(torch.ones(())), nn.Parameter(torch.zeros(()))
        self.contour_hidden = nn.Conv2d(len(HARMONIC_SHIFTS), 8, (3, 39), padding=(1, 19))
        self.contour = nn.Conv2d(8, 1, 5, padding=2)
        self.note_hidden = nn.Conv2d(1, 32, 7, stride=(1, 3), padding=(3, 2))
        self.note = nn.Conv2d(32, 1, (7, 3), padding=(3, 1))
        self.onset_hidden = nn.Conv2d(len(HARMONIC_SHIFTS), 32, 5, stride=(1, 3), padding=(2, 1))
        self.onset = nn.Conv2d(33, 1, 3, padding=1)

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Hear sound (B, WINDOW): how likely pitches sound and begin, (B, T, 88) each in [0, 1]."""
        level = self.transform(samples) * self.gain + self.offset
        stacked = torch.stack([_shift(level, bins) for bins in HARMONIC_SHIFTS], dim=1)[..., :CONTOUR_BINS]
        contour = torch.sigmoid(self.contour(torch.relu(self.contour_hidden(stacked))))
        notes = torch.sigmoid(self.note(torch.relu(self.note_hidden(contour))))
        onsets = self.onset(torch.cat([notes, torch.relu(self.onset_hidden(stacked))], dim=1))
        return notes[:, 0], torch.sigmoid(onsets)[:, 0]

    @torch.inference_mode()
    def hear(self, samples: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Hear a whole sound (n,) at SAMPLE_RATE: two arrays (frames, 88), a frame every HOP samples."""
        kept = FRAMES - 2 * EDGE
        count = max(1, -(-len(samples) // (kept * HOP)))
        whole = np.zeros(EDGE * HOP + (count - 1) * kept * HOP + WINDOW, np.float32)
        whole[EDGE * HOP : EDGE * HOP + len(samples)] = samples
        windows = np.stack([whole[at : at + WINDOW] for at in range(0, count * kept * HOP, kept * HOP)])
        heard = [self(torch.from_numpy(windows[at : at + BATCH])) for at in range(0, count, BATCH)]
        notes, onsets = (
            torch.cat([each[part][:, EDGE : EDGE + kept] for each in heard]).reshape(-1, PITCHES).numpy()
            for part in (0, 1)
        )
        frames = -(-len(samples) // HOP)
        return notes[:frames], onsets[:frames]


def _shift(level: Tensor, bins: int) -> Tensor:
    """Move bins down by so many, zeros coming in."""
    if bins >= 0:
        return functional.pad(level[..., bins:], (0, bins))
    return functional.pad(level[..., :bins], (-bins, 0))


def load_listener(path: Path) -> NoteListener:
    """Load the listener, in eval mode."""
    listener = NoteListener()
    listener.load_state_dict(load_file(path))
    return listener.eval()
