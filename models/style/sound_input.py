"""What a person gives as content or style, as mono sound at the model's rate; wrong input is one sentence."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.audio import resample, rms_db
from models.media.program import MediaError
from models.media.sound import mix_to_mono, read_mono

FloatArray = NDArray[np.float32]

MAX_CONTENT_S, MAX_STYLE_S = 30 * 60.0, 10 * 60.0
MIN_CONTENT_S, MIN_STYLE_S = 0.05, 0.5
SILENCE_DB = -65.0


def prepare_mono(sound: FloatArray | str | Path, rate: int, target_rate: int, what: str) -> FloatArray:
    """Return content or style as float32 (n,) at `target_rate`, n = ceil(frames * target_rate / rate).

    Args:
        sound: float32 (n,) or (channels, n), or the path of a file with sound.
        rate: of an array; a file knows its own.
        what: "content" or "style", for the messages.

    Raises:
        ValueError: one sentence about what is wrong with the sound.
    """
    longest_s = MAX_CONTENT_S if what == "content" else MAX_STYLE_S
    shortest_s = MIN_CONTENT_S if what == "content" else MIN_STYLE_S
    if isinstance(sound, (str, Path)):
        samples, rate = _read(Path(sound), what, longest_s)
    else:
        samples = np.asarray(sound, dtype=np.float32)
    if samples.ndim == 2 and samples.size:
        samples = mix_to_mono(samples)
    if samples.ndim != 1 or samples.size == 0:
        raise ValueError(f"The {what} holds no sound.")
    if not np.isfinite(samples).all():
        raise ValueError(f"The {what} holds values that are not numbers; the file is damaged.")
    seconds = len(samples) / rate
    if seconds > longest_s:
        raise ValueError(f"The {what} is {seconds / 60:.0f} minutes long; at most {longest_s / 60:g} can be used.")
    if seconds < shortest_s:
        raise ValueError(f"The {what} is {seconds:.2f} s long; at least {shortest_s:g} s are needed.")
    if what == "style" and rms_db(samples) < SILENCE_DB:
        raise ValueError("The style is silent; choose a sound that can be heard, or a preset.")
    peak = float(np.abs(samples).max())
    if peak > 1.0:
        samples = samples / peak
    made = resample(np.ascontiguousarray(samples), rate, target_rate)
    assert len(made) == math.ceil(len(samples) * target_rate / rate)
    return np.asarray(made, dtype=np.float32)


def _read(path: Path, what: str, longest_s: float) -> tuple[FloatArray, int]:
    if not path.is_file():
        raise ValueError(f"The {what} file {path.name} does not exist.")
    if not path.stat().st_size:
        raise ValueError(f"The {what} file {path.name} holds no sound that can be read: it is empty.")
    try:
        return read_mono(path, longest_s)
    except MediaError as error:
        raise ValueError(f"The {what} cannot be used. {error}") from error
