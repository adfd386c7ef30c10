"""What `/live_music` and `/live_video` do, without a page: chunks as files, one after another."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Generator, Mapping
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from models.live.audio_features import MusicFeatureTracker
from models.live.frame_stream import QUALITIES, SHOWN_RATE
from models.live.load_monitor import LoadMonitor
from models.live.music_stream import MusicStream
from models.media.write import VideoWriter
from models.registry.registry import Registry
from studio.io import audio_files
from studio.live.controls import MUSIC_FIELDS, VIDEO_FIELDS, read_controls
from studio.live.opening import frames, writer
from studio.page.events import Events, Files, Report

CHUNK_S = 2.0


def run_music(registry: Registry, values: Mapping[str, Any], folder: str) -> Generator[Events]:
    """Yield WAV files of about CHUNK_S, each with its report; joined they are the music.

    Raises:
        ValueError: names the control and what it takes.
    """
    row = MUSIC_FIELDS.read(values)
    controls, seed, length_s = read_controls(row), row["seed"], row["length_s"]
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
                chunk = stream.render_chunk()
                meter.count(chunk, 0.0)
                sounds.append(chunk.samples)
                bars += [mark.index for mark, _ in chunk.bars]
            joined = np.concatenate(sounds, axis=1)
            made_s += joined.shape[1] / stream.sample_rate
            path = audio_files.write_wav(Path(folder) / f"live-{number:04d}.wav", joined, stream.sample_rate)
            report = {"chunk": number, "made_s": round(made_s, 3), "bars": bars, "share": round(meter.share, 3)}
            yield Files({"chunk": path}), Report(report)
            if made_s >= length_s:
                return


def run_video(registry: Registry, values: Mapping[str, Any], folder: str) -> Generator[Events]:
    """Yield MP4 files of CHUNK_S, each with its report: pictures that follow music of this seed and tempo.

    Raises:
        ValueError: names the control and what it takes; or there is no video model.
    """
    row = VIDEO_FIELDS.read(values)
    prompt, seed, length_s = row["prompt"], row["seed"], row["length_s"]
    controls = read_controls({"tempo": row["tempo"]})
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
                    features.add(stream.render_chunk())
                while made.ready_s <= 0:
                    made.paint(time_s, features.read_at(time_s).energy)
                frame = made.render_frame(time_s, features.read_at(time_s))
                assert frame is not None
                pictures.append(frame.pixels)
                if index % SHOWN_RATE == 0:
                    yield ()  # a caller who leaves is noticed here
            path = Path(folder) / f"live-{number:04d}.mp4"
            with VideoWriter(path, pictures[0].shape[1], pictures[0].shape[0], Fraction(SHOWN_RATE)) as clip:
                clip.write(np.stack(pictures))
            report = {
                "chunk": number,
                "made_s": round((number + 1) * CHUNK_S, 3),
                "drawn_frames": made.drawn_frames,
                "shown_frames": made.shown_frames,
                "quality": asdict(QUALITIES[0]),
            }
            yield Files({"chunk": path}), Report(report)
