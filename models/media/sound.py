"""Sound of uploads, read by ffmpeg whatever the file is: speech memos, songs, the sound of videos.

Letters: C channels (1 or 2), n samples.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.media import command
from models.media.limits import (
    MAX_SOUND_CHANNELS,
    MAX_SOUND_RATE,
    MAX_SOUND_S,
    MAX_SOUND_SAMPLES,
    MAX_UPLOAD_BYTES,
    MAX_UPLOAD_MB,
)
from models.media.program import MediaError

FloatArray = NDArray[np.float32]

SONG_RATE = 44_100
MODEST_RATE = 48_000  # of sound that would not fit into memory at its own rate
BLOCK_BYTES = 2**20
OPPOSITE = 0.15  # share of the energy that the middle keeps, under which the channels are taken for opposite in phase
BOUNDS = command.Bounds(deadline_s=300.0, processor_s=300.0)

_SOUND = re.compile(r"Stream #0:\d+.*?: Audio: (\w+).*?, (\d+) Hz, ([^,]+)")
_PEAK = re.compile(r"Peak level dB: (-?[\d.]+|-?inf)")
_COUNTED = re.compile(r"(\d+) channels")
_LAYOUTS = {"mono": 1, "stereo": 2, "2.1": 3, "3.0": 3, "quad": 4, "4.0": 4, "5.0": 5, "5.1": 6, "6.1": 7, "7.1": 8}


class SoundInfo(NamedTuple):
    """Codec, samples in a second and channels of the first sound of a file."""

    codec: str
    rate: int
    channels: int


def probe_sound(path: str | Path) -> SoundInfo:
    """Return what the first sound of a file is.

    Raises:
        MediaError: the file is missing, too large, of no kind that is read, or holds no sound.
    """
    path = Path(path)
    if path.is_file() and path.stat().st_size > MAX_UPLOAD_BYTES:
        size_mb = path.stat().st_size / 2**20
        raise MediaError(f"{path.name} has {size_mb:.0f} MB; files of up to {MAX_UPLOAD_MB} MB can be read.")
    try:
        arguments = command.input_of(path)
    except command.UnknownKindError as error:
        raise _no_sound(path) from error
    _, _, said = command.run(arguments, command.Bounds(30.0, 60.0), level=("-v", "info"))
    found = _SOUND.search(said)
    if found is None:
        raise _no_sound(path)
    codec, rate, layout = found.group(1), int(found.group(2)), found.group(3).strip()
    counted = _COUNTED.match(layout)
    channels = int(counted.group(1)) if counted else _LAYOUTS.get(layout.split("(")[0], 3)
    if channels > MAX_SOUND_CHANNELS or not 0 < rate <= MAX_SOUND_RATE:
        raise MediaError(f"{path.name} has {channels} channels of {rate:,} Hz, which cannot be read.")
    return SoundInfo(codec, rate, channels)


def read_sound(path: str | Path, max_s: float = MAX_SOUND_S) -> tuple[FloatArray, int]:
    """Read a sound or the sound of a video; more than two channels are mixed into two.

    Returns:
        float32 (C, n) in [-1, 1] and the sample rate.

    Raises:
        MediaError: the file is missing, too large, too long, or holds no sound that can be read.
    """
    info = probe_sound(path)
    channels = min(info.channels, 2)
    rate = info.rate if info.rate * channels * max_s <= MAX_SOUND_SAMPLES else MODEST_RATE
    with closing(_blocks(Path(path), info, rate, max_s)) as blocks:
        samples = np.nan_to_num(np.concatenate(list(blocks), axis=1), nan=0.0, posinf=1.0, neginf=-1.0)
    return _limit(samples, info.channels), rate


def read_mono(path: str | Path, max_s: float = MAX_SOUND_S) -> tuple[FloatArray, int]:
    """Read a sound as one channel: all channels together, and of two that are opposite in phase their difference.

    Of more than two channels the middle keeps its level (ITU-R BS.775).

    Returns:
        float32 (n,), as it is in the file: not limited to [-1, 1], perhaps not even finite; and the sample rate.

    Raises:
        MediaError: as `read_sound`.
    """
    info = probe_sound(path)
    rate = info.rate if info.rate * max_s <= MAX_SOUND_SAMPLES else MODEST_RATE
    middle, energies = _mix(path, info, rate, max_s, 1.0)
    if info.channels == 2 and is_opposite(*energies):
        middle, _ = _mix(path, info, rate, max_s, -1.0)
    if info.channels > 2:
        middle *= np.float32(np.sqrt(2.0))
    return middle, rate


def read_in_time(path: str | Path, duration_s: float, rate: int = SONG_RATE) -> FloatArray:
    """Read the sound of a clip from the beginning of the file on, in time with its frames; gaps are silent.

    Returns:
        float32 (n, 2) in [-1, 1], n = round(duration_s * rate).

    Raises:
        MediaError: it cannot be read.
    """
    path = Path(path)
    arguments = [*command.input_of(path), "-map", "0:a:0", "-af", "aresample=async=1:first_pts=0"]
    arguments += ["-t", f"{duration_s + 1:.3f}", "-f", "f32le", "-ac", "2", "-ar", str(rate), "pipe:1"]
    arguments += command.keep_time(path, "0:V:0?")
    count = round(duration_s * rate)
    blocks, size = [], 8 * count
    with command.PipeReader(arguments, BOUNDS) as reader:
        while size > 0 and (block := reader.read(min(size, BLOCK_BYTES))):
            blocks.append(block)
            size -= len(block)
    data = b"".join(blocks)
    samples = np.frombuffer(data[: len(data) // 8 * 8], np.float32).reshape(-1, 2)
    if not len(samples):
        raise MediaError(f"The sound of {path.name} cannot be read.")
    whole = np.pad(samples, ((0, count - len(samples)), (0, 0)))
    return np.nan_to_num(whole, nan=0.0, posinf=1.0, neginf=-1.0).clip(-1.0, 1.0)


def is_opposite(middle: float, whole: float) -> bool:
    """Tell whether two channels are opposite in phase.

    Args:
        middle: energy of half their sum.
        whole: mean of their energies.
    """
    return middle < OPPOSITE * whole


def mix_to_mono(samples: FloatArray) -> FloatArray:
    """Return one channel (n,) of sound (C, n) or (n,); of two that are opposite in phase their difference."""
    if samples.ndim == 1:
        return samples
    middle = samples.mean(axis=0, dtype=np.float32)
    if len(samples) == 2 and is_opposite(float(np.vdot(middle, middle)), float(np.vdot(samples, samples)) / 2):
        return np.asarray((samples[0] - samples[1]) * np.float32(0.5))
    return np.asarray(middle)


def unpack_song(
    source: Path, target: Path, start_s: float = 0.0, end_s: float | None = None, longest_s: float = 3600.0
) -> float:
    """Write the sound of a file, from start to end, as a WAV of SONG_RATE, two channels, 16 bits; returns its seconds.

    A pipe does the work, so a long song of many channels takes no memory.

    Raises:
        MediaError: a sentence: the file is missing or damaged, holds no sound, or none between the times.
    """
    if not source.is_file():
        raise MediaError("The song is gone; choose it again.")
    length_s = min(longest_s, (end_s if end_s is not None else start_s + longest_s) - start_s)
    if length_s <= 0:
        raise MediaError("The trim ends before it begins.")
    info = probe_sound(source)
    opening = command.input_of(source, *(("-ss", f"{start_s:.6f}") if start_s > 0 else ()))
    opening += ["-t", f"{length_s:.6f}", "-map", "0:a:0", "-vn"]
    writing = [*opening, *_downmix(opening, info), "-ac", "2", "-ar", str(SONG_RATE)]
    writing += ["-c:a", "pcm_s16le", "-map_metadata", "-1", "-f", "wav", f"file:{target}"]
    _, said = command.write(writing)
    samples = _wav_samples(target)
    if "No space" in said or not samples:
        target.unlink(missing_ok=True)
    if "No space" in said:
        raise MediaError("The song could not be unpacked: the disk is full.")
    if not samples:
        if start_s > 0 and "Invalid data" not in said:
            raise MediaError("Nothing of the song lies after the start of the trim.")
        raise _no_sound(source)
    return samples / SONG_RATE


def _downmix(opening: list[str], info: SoundInfo) -> list[str]:
    """Return the filter that mixes more than two channels into two at their level, as loud as no clipping allows."""
    if info.channels <= 2:
        return []
    mix = "aformat=sample_fmts=fltp:channel_layouts=stereo"
    measure = f"{mix},astats=measure_perchannel=none:measure_overall=Peak_level"
    _, _, said = command.run([*opening, "-af", measure, "-f", "null", "-"], command.WRITING, level=("-v", "info"))
    peak = _PEAK.search(said)
    over_db = float(peak.group(1)) if peak else 0.0
    return ["-af", f"{mix},volume={-over_db:.2f}dB" if 0.0 < over_db < 100.0 else mix]


def _mix(
    path: str | Path, info: SoundInfo, rate: int, max_s: float, sign: float
) -> tuple[FloatArray, tuple[float, float]]:
    """Return half of the first channel and `sign` times the second, and its energy and the mean of both."""
    mixed: list[FloatArray] = []
    middle = whole = 0.0
    with closing(_blocks(Path(path), info, rate, max_s)) as blocks:
        for block in blocks:
            if len(block) == 1:
                mixed.append(block[0].copy())
                continue
            mixed.append(np.asarray((block[0] + np.float32(sign) * block[1]) * np.float32(0.5)))
            middle += float(np.vdot(mixed[-1], mixed[-1]))
            whole += float(np.vdot(block, block)) / 2
    return np.concatenate(mixed), (middle, whole)


def _blocks(path: Path, info: SoundInfo, rate: int, max_s: float) -> Generator[FloatArray]:
    """Yield the sound (C, block).

    Raises:
        MediaError: it is too long, or holds nothing.
    """
    channels = min(info.channels, 2)
    arguments = [*command.input_of(path), "-map", "0:a:0", "-vn", "-t", f"{max_s + 1:.3f}", "-f", "f32le"]
    arguments += (["-ac", "2"] if info.channels > 2 else []) + (["-ar", str(rate)] if rate != info.rate else [])
    count = 0
    with command.PipeReader([*arguments, "pipe:1"], BOUNDS) as reader:
        while block := reader.read(BLOCK_BYTES):
            block = block[: len(block) // (4 * channels) * 4 * channels]
            samples = np.frombuffer(block, dtype=np.float32).reshape(-1, channels).T
            count += samples.shape[1]
            if count > max_s * rate:
                raise MediaError(f"{path.name} is longer than {max_s / 60:g} minutes.")
            yield samples
        if reader.stalled:
            raise MediaError(f"{path.name} took too long to read.")
    if not count:
        raise MediaError(f"{path.name} holds no sound.")


def _limit(samples: FloatArray, channels: int) -> FloatArray:
    """Return sound in [-1, 1]: a mix of many channels is made quieter, anything else is cut."""
    peak = float(np.abs(samples).max()) if samples.size else 0.0
    if channels > 2 and peak > 1.0:
        return np.asarray(samples / np.float32(peak))
    return np.clip(samples, -1.0, 1.0, out=samples)


def _no_sound(path: Path) -> MediaError:
    return MediaError(f"{path.name} holds no sound that can be read; WAV, MP3, FLAC, OGG, M4A and MP4 always can.")


def _wav_samples(path: Path) -> int:
    """Return the samples of a WAV file, 0 where it holds none or is not there."""
    import wave

    try:
        with wave.open(str(path)) as file:
            return file.getnframes()
    except (OSError, EOFError, wave.Error):
        return 0
