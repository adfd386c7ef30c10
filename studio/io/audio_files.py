"""Sound files written for download and streaming."""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.media.program import MediaError

MP3_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)

FloatArray = NDArray[np.float32]


def to_int16(samples: FloatArray) -> NDArray[np.int16]:
    """float32 in [-1, 1] to int16, clipped; NaN becomes silence."""
    clean = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
    return np.round(np.clip(clean, -1.0, 1.0) * 32767.0).astype(np.int16)


def wav_bytes(samples: FloatArray, sample_rate: int) -> bytes:
    """Sound (n,) or (channels, n) as a whole 16-bit WAV file in memory: what a streaming player takes as one chunk."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else len(samples))
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(to_int16(samples).T.tobytes())
    return buffer.getvalue()


def join_wavs(pieces: Sequence[bytes]) -> bytes:
    """Return whole WAV files of one form as one, in their order."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as joined:
        for number, piece in enumerate(pieces):
            with wave.open(io.BytesIO(piece)) as part:
                if not number:
                    joined.setparams(part.getparams())
                joined.writeframes(part.readframes(part.getnframes()))
    return buffer.getvalue()


def write_wav(path: str | Path, samples: FloatArray, sample_rate: int) -> Path:
    """Write float32 (n,) or (channels, n) in [-1, 1] as 16-bit WAV; returns the path."""
    Path(path).write_bytes(wav_bytes(samples, sample_rate))
    return Path(path)


def write_mp3(path: str | Path, samples: FloatArray, sample_rate: int) -> Path:
    """Write float32 (n,) or (channels, n) in [-1, 1] as MP3, about 100 kbit/s for one channel; returns the path.

    Raises:
        MediaError: where the rate does not exist in MP3 or libsndfile was built without an encoder.
    """
    if sample_rate not in MP3_RATES:
        raise MediaError(f"MP3 has no sample rate of {sample_rate:,} Hz.")
    import soundfile

    try:
        with soundfile.SoundFile(
            str(path),
            "w",
            sample_rate,
            1 if samples.ndim == 1 else len(samples),
            "MPEG_LAYER_III",
            format="MP3",
            compression_level=0.2,
            bitrate_mode="VARIABLE",
        ) as file:
            file.write(to_int16(samples).T)
    except (soundfile.LibsndfileError, ValueError) as error:
        raise MediaError("This machine's libsndfile cannot write MP3.") from error
    return Path(path)
