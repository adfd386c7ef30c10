"""What `/live_music` and `/live_video` do, without a page: chunks as files, one after another."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from models.contracts import check_number
from models.live.audio_features import MusicFeatureTracker
from models.live.controls import LiveControls
from models.live.frame_stream import QUALITIES, SHOWN_RATE
from models.live.load_monitor import LoadMonitor
from models.live.music_stream import MusicStream
from models.registry.registry import Registry
from studio.io import audio_files
from studio.io.video_files import ClipWriter
from studio.live.opening import frames, writer

CHUNK_S = 2.0
MAX_S = 600.0


def music(registry: Registry, controls: LiveControls, seed: int, length_s: float, folder: str) -> Iterator[Any]:
    """Yield (path of a WAV file of about CHUNK_S, report) until `length_s` are made; the files joined are the music.

    Raises:
        ValueError: `length_s` is out of range.
    """
    check_number("length_s", length_s, 1.0, MAX_S)
    with contextlib.ExitStack() as hold:
        shared = writer(registry, hold)
        stream = MusicStream(shared, shared.composer.bank, controls, seed)
        meter = LoadMonitor(has_pictures=False)
        stream.start()
        hold.callback(stream.close)
        made_s = 0.0
        for number in itertools.count():
            sounds: list[np.ndarray] = []
            bars: list[int] = []
            while sum(s.shape[1] for s in sounds) < CHUNK_S * stream.sample_rate:
                chunk = stream.next_chunk()
                meter.count(chunk, 0.0)
                sounds.append(chunk.samples)
                bars += [mark.index for mark, _ in chunk.bars]
            joined = np.concatenate(sounds, axis=1)
            made_s += joined.shape[1] / stream.sample_rate
            path = audio_files.write_wav(Path(folder) / f"live-{number:04d}.wav", joined, stream.sample_rate)
            yield str(path), {"chunk": number, "made_s": round(made_s, 3), "bars": bars, "share": round(meter.share, 3)}
            if made_s >= length_s:
                return


def video(
    registry: Registry, prompt: str, controls: LiveControls, seed: int, length_s: float, folder: str
) -> Iterator[Any]:
    """Yield (path of an MP4 file of CHUNK_S, report): pictures that follow music of these controls and this seed.

    Raises:
        ValueError: a wish that is not possible, or there is no video model.
    """
    check_number("length_s", length_s, 1.0, MAX_S)
    with contextlib.ExitStack() as hold:
        made = frames(registry, {"pictures": True, "prompt": prompt, "seed": seed}, hold)
        if made is None:
            raise ValueError("There is no video model on the shelf that this machine can run.")
        shared = writer(registry, hold)
        stream, features = MusicStream(shared, shared.composer.bank, controls, seed), MusicFeatureTracker()
        chunks = math.ceil(length_s / CHUNK_S)
        for number in range(chunks):
            pictures = []
            for index in range(round(CHUNK_S * SHOWN_RATE)):
                time_s = number * CHUNK_S + index / SHOWN_RATE
                while stream.rendered_s < time_s + 0.2:
                    features.add(stream.next_chunk())
                while made.ready_s <= 0:
                    made.paint(time_s, features.read_at(time_s).energy)
                frame = made.render_frame(time_s, features.read_at(time_s))
                assert frame is not None
                pictures.append(frame.pixels)
                if index % SHOWN_RATE == 0:
                    yield None, None  # a caller who leaves is noticed here
            path = Path(folder) / f"live-{number:04d}.mp4"
            with ClipWriter(path, pictures[0].shape[1], pictures[0].shape[0], Fraction(SHOWN_RATE)) as clip:
                clip.write(np.stack(pictures))
            yield (
                str(path),
                {
                    "chunk": number,
                    "made_s": round((number + 1) * CHUNK_S, 3),
                    "drawn_frames": made.drawn_frames,
                    "shown_frames": made.shown_frames,
                    "quality": asdict(QUALITIES[0]),
                },
            )
