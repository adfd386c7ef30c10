"""Sound files: written for download and streaming, read from uploads with limits and plain errors.

Uploads are decoded here (libsndfile first, ffmpeg for what it does not know) and not by the page's components, so that
a broken file is a sentence and not a traceback.
"""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.media import command as media
from models.media.program import MediaError

MAX_UPLOAD_BYTES = 100 * 2**20
MAX_UPLOAD_S = 15 * 60.0
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


def read_audio(path: str | Path, max_s: float = MAX_UPLOAD_S) -> tuple[FloatArray, int]:
    """Read an uploaded sound or the sound of a video.

    Returns:
        float32 (channels, n) in [-1, 1] and the sample rate.

    Raises:
        MediaError: the file is missing, too large, too long, empty, or holds no sound that can be read.
    """
    path = Path(path)
    if not path.is_file():
        raise MediaError("The file is gone; upload it again.")
    size = path.stat().st_size
    if size == 0:
        raise MediaError(f"{path.name} is empty.")
    if size > MAX_UPLOAD_BYTES:
        raise MediaError(
            f"{path.name} has {size / 2**20:.0f} MB; files of up to {MAX_UPLOAD_BYTES // 2**20} MB can be read."
        )
    found = _read_with_libsndfile(path, max_s) or _read_with_ffmpeg(path, max_s)
    if found is None:
        raise MediaError(f"{path.name} holds no sound that can be read; WAV, MP3, FLAC and OGG always can.")
    samples, rate = found
    if samples.shape[-1] == 0:
        raise MediaError(f"{path.name} holds no sound.")
    return np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0).clip(-1.0, 1.0), rate


def _read_with_libsndfile(path: Path, max_s: float) -> tuple[FloatArray, int] | None:
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as file:
            if file.frames > max_s * file.samplerate:
                raise _too_long(path, max_s)
            most = int(max_s * file.samplerate) + 1
            samples = file.read(frames=most, dtype="float32", always_2d=True)
            if len(samples) == most:
                raise _too_long(path, max_s)
            return np.ascontiguousarray(samples.T), int(file.samplerate)
    except (soundfile.LibsndfileError, RuntimeError, MemoryError):
        return None


def _read_with_ffmpeg(path: Path, max_s: float, rate: int = 44_100) -> tuple[FloatArray, int] | None:
    if media.sniff(path) is None:
        return None
    command = media.input_of(path)
    command += ["-vn", "-t", f"{max_s + 1:.3f}", "-f", "f32le", "-ac", "2", "-ar", str(rate), "pipe:1"]
    code, made, _ = media.run(command)
    if code != 0 or not made:
        return None
    samples = np.frombuffer(made[: len(made) // 8 * 8], dtype=np.float32).reshape(-1, 2).T
    if samples.shape[-1] > max_s * rate:
        raise _too_long(path, max_s)
    return np.ascontiguousarray(samples), rate


def _too_long(path: Path, max_s: float) -> MediaError:
    return MediaError(f"{path.name} is longer than {max_s / 60:g} minutes.")
