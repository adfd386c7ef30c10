"""Files that the tests of media read: made by ffmpeg, never shipped."""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 22_050
WIDTH, HEIGHT = 160, 96


def run(program: str, *arguments: str | Path | float) -> None:
    """Run ffmpeg, overwriting."""
    subprocess.run([program, "-v", "error", "-y", *map(str, arguments)], check=True)


def write_frames(
    program: str, path: Path, frames: NDArray[np.uint8], rate: str, *options: str | Path, pixels: str = "rgb24"
) -> Path:
    """Write frames (N, H, W, C) with the options of the output."""
    size = f"{frames.shape[2]}x{frames.shape[1]}"
    command = [
        program,
        "-v",
        "error",
        "-y",
        "-f",
        "rawvideo",
        "-pix_fmt",
        pixels,
        "-s",
        size,
        "-r",
        rate,
        "-i",
        "pipe:0",
    ]
    subprocess.run([*command, *map(str, options), str(path)], input=frames.tobytes(), check=True)
    return path


def write_wav(path: Path, samples: NDArray[np.float32], rate: int = RATE) -> Path:
    """Write (n,) or (n, channels) as 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return path


def make_voice(seconds: float = 3.0, rate: int = RATE) -> NDArray[np.float32]:
    """Return a sound (n,) that changes: noise in syllables over a tone."""
    time_s = np.arange(round(seconds * rate)) / rate
    rng = np.random.default_rng(0)
    syllables = np.clip(np.sin(2 * np.pi * 3 * time_s), 0, 1)
    return (0.2 * syllables * (np.sin(2 * np.pi * 180 * time_s) + 0.3 * rng.standard_normal(len(time_s)))).astype(
        np.float32
    )


def make_flash(path: Path, program: str, flash_s: float = 2.0, seconds: float = 4.0, rate: int = 25) -> Path:
    """Write a clip with one white flash of a tenth of a second, and a beep with it."""
    frames = np.full((round(seconds * rate), HEIGHT, WIDTH, 3), 40, np.uint8)
    frames[:, 20:40, 20:40] = 120
    frames[round(flash_s * rate) : round((flash_s + 0.1) * rate)] = 250
    sound = np.zeros(round(seconds * 44_100), np.float32)
    beep = 0.8 * np.sin(2 * np.pi * 1000 * np.arange(4410) / 44_100)
    sound[round(flash_s * 44_100) : round(flash_s * 44_100) + 4410] = beep
    wav = write_wav(path.with_suffix(".flash.wav"), sound, 44_100)
    options = ("-i", wav, "-c:v", "libx264", "-preset", "veryfast", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac")
    return write_frames(program, path, frames, str(rate), *options)


def when_flashes(frames: NDArray[np.uint8], rate: float) -> float:
    """Return the time of the first bright frame."""
    bright = frames.reshape(len(frames), -1).mean(axis=1) > 180
    assert bright.any()
    return int(np.argmax(bright)) / rate


def when_beeps(samples: NDArray[np.float32], rate: int) -> float:
    """Return the time of the first loud sample of (n, channels) or (n,)."""
    loud = np.abs(samples if samples.ndim == 1 else samples.max(axis=1)) > 0.2
    assert loud.any()
    return int(np.argmax(loud)) / rate
