"""What a person gives as content or style, as mono sound at the model's rate; wrong input is one sentence."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.audio import resample, rms_db

FloatArray = NDArray[np.float32]

MAX_CONTENT_S, MAX_STYLE_S = 30 * 60.0, 10 * 60.0
MIN_CONTENT_S, MIN_STYLE_S = 0.05, 0.5
SILENCE_DB = -65.0


def prepare_mono(sound: FloatArray | str | Path, rate: int, target_rate: int, what: str) -> FloatArray:
    """Return content or style as float32 (n,) at `target_rate`, n = ceil(frames * target_rate / rate).

    Args:
        sound: float32 (n,) or (channels, n), or the path of a file that libsndfile reads.
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
    if samples.ndim == 2:
        samples = samples.mean(axis=0)
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
    import soundfile

    if not path.is_file():
        raise ValueError(f"The {what} file {path.name} does not exist.")
    try:
        with soundfile.SoundFile(str(path)) as file:
            rate = int(file.samplerate)
            if file.frames > longest_s * rate:
                minutes = file.frames / rate / 60
                raise ValueError(f"The {what} is {minutes:.0f} minutes long; at most {longest_s / 60:g} can be used.")
            samples = file.read(dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, MemoryError) as error:
        raise ValueError(f"The {what} file {path.name} holds no sound that can be read.") from error
    return np.ascontiguousarray(samples.mean(axis=1)), rate
