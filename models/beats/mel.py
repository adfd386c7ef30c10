"""Log-mel frames of a song, block by block: what the beat network hears and what the features are measured on.

Frame t is centred on sample t * hop; before and after the song there is silence. However the sound is cut into blocks,
the frames are the same but for rounding, and no more than BLOCK_FRAMES of them are in work at once: their spectra take
forty times the memory of the sound.

Letters: N samples, T frames, M mel bands.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from models.audio import log_mel
from models.beats.network import BEAT_MEL

BLOCK_FRAMES = 500

Mono = NDArray[np.float32]


def compute_mel(samples: torch.Tensor) -> torch.Tensor:
    """Compute log-mel frames (T, M) whose windows lie wholly inside the samples (N,): frame t begins at sample t *
    hop.
    """
    return log_mel(samples, BEAT_MEL, centred=False)


def count_frames(samples: int) -> int:
    """Count the frames of so many samples at BEAT_MEL's rate."""
    return 1 + samples // BEAT_MEL.hop_length


def stream_mel(blocks: Iterable[Mono]) -> Iterator[NDArray[np.float32]]:
    """Yield the frames float32 (t, M), at most BLOCK_FRAMES at once, of sound at BEAT_MEL's rate that comes in blocks
    (n,).
    """
    hop, window = BEAT_MEL.hop_length, BEAT_MEL.n_fft
    silence = np.zeros(window // 2, np.float32)
    pending = silence
    for block in _append_end(blocks, silence):
        pending = np.concatenate([pending, block])
        at = 0
        while (count := min(BLOCK_FRAMES, (len(pending) - at - window) // hop + 1)) > 0:
            piece = pending[at : at + (count - 1) * hop + window]
            yield compute_mel(torch.from_numpy(piece)).numpy()
            at += count * hop
        pending = pending[at:]


def _append_end(blocks: Iterable[Mono], end: Mono) -> Iterator[Mono]:
    yield from blocks
    yield end


def allocate_mel(samples: int) -> NDArray[np.float32]:
    """Allocate room for the frames float32 (T, M) of a song of so many samples."""
    return np.empty((count_frames(samples), BEAT_MEL.n_mels), np.float32)


def fill_mel(mel: NDArray[np.float32], blocks: Iterable[Mono]) -> Generator[int, None, None]:
    """Put the frames of a song that comes in blocks into their room; yields how many are there."""
    filled = 0
    for part in stream_mel(blocks):
        mel[filled : filled + len(part)] = part
        filled += len(part)
        yield filled


def compute_whole_mel(mono: Mono) -> NDArray[np.float32]:
    """Compute the frames float32 (T, M) of sound (N,) at BEAT_MEL's rate."""
    mel = allocate_mel(len(mono))
    for _ in fill_mel(mel, [mono]):
        pass
    return mel
