"""A person's voice, live: sound from a microphone in, restyled sound and pictures that follow it out."""

from __future__ import annotations

import logging
import queue
import threading
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.contracts import check_number
from models.live import messages
from models.live.audio_features import MicrophoneFeatureTracker
from models.live.frame_stream import FrameStream
from models.live.messages import Send
from models.live.music_stream import LiveChunk
from models.live.recording import SessionRecording, to_int16
from models.live.resampling import StreamResampler
from models.live.session import NEWS_EVERY_S, PictureWorker
from models.threads import use_single_thread

log = logging.getLogger(__name__)

MAX_WAITING_S = 3.0  # of sound that came in and is not worked on: what is more is dropped, and said so
MIN_RATE, MAX_RATE = 8_000, 96_000


class VoiceSession:
    """A session that listens until it is closed.

    Args:
        styler: an `AudioStyler`, or None: then no sound comes back, and the pictures alone follow.
        style: key of one of its presets.
        rate: samples a second of what comes in.
        ears: told of all that comes in.
    """

    kind: Literal["voice"] = "voice"

    def __init__(
        self,
        styler: Any,
        style: str,
        strength: float,
        rate: int,
        features: MicrophoneFeatureTracker,
        frames: FrameStream | None,
        folder: Path,
        send: Send,
    ) -> None:
        check_number("rate", rate, MIN_RATE, MAX_RATE)
        check_number("strength", strength, 0.0, 1.0)
        self.live = styler.open_live(preset=style, strength=strength) if styler is not None else None
        self.rate, self.features, self.send = rate, features, send
        self.recording = SessionRecording(folder, rate)
        self.pictures = PictureWorker(frames, features, self.get_time_s, send) if frames is not None else None
        inside = styler.sample_rate if styler is not None else rate
        self._to_model, self._from_model = StreamResampler(rate, inside), StreamResampler(inside, rate)
        self._blocks: queue.Queue[NDArray[np.float32] | None] = queue.Queue()
        self._waiting = 0  # samples in the queue
        self._received = self._emitted = self._dropped = 0
        self._took_s = self._lasted_s = 0.0
        self._last_news = -1e9
        self._began = 0.0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="auralume-live-voice", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._began = time.monotonic()
        self._thread.start()
        if self.pictures is not None:
            self.pictures.start()
        self.send(messages.pack_json(voice={"rate": self.rate, "sound": self.live is not None}))

    def close(self) -> None:
        """End everything."""
        self._closing.set()
        self._blocks.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout=10.0)
        if self.pictures is not None:
            self.pictures.close()
        self.recording.close()

    @property
    def is_working(self) -> bool:
        """Return whether any of its threads is alive."""
        return self._thread.is_alive() or (self.pictures is not None and self.pictures.is_working)

    def get_time_s(self) -> float:
        """Return the stream's time: how much has come in."""
        return self._received / self.rate

    def lead_to(self, prompt: str, over_s: float) -> None:
        """Lead the pictures to another prompt, as `LiveSession.lead_to` does."""
        if self.pictures is None:
            raise ValueError("There are no pictures in this session.")
        self.pictures.frames.lead_to(prompt, self.get_time_s(), over_s)

    def hear(self, samples: NDArray[np.float32]) -> None:
        """Take in float32 (N,) from the microphone; too much at once is dropped, and counted.

        Raises:
            ValueError: it is not one row of finite numbers.
        """
        if samples.ndim != 1 or not np.isfinite(samples).all():
            raise ValueError("The microphone's sound must be one row of finite numbers.")
        self._received += len(samples)
        if self._waiting > MAX_WAITING_S * self.rate:
            self._dropped += len(samples)
            return
        self._waiting += len(samples)
        self._blocks.put(samples)

    def _run(self) -> None:
        use_single_thread()
        try:
            while not self._closing.is_set():
                block = self._blocks.get()
                if block is None:
                    return
                self._waiting -= len(block)
                self._take(block)
        except Exception:
            log.exception("A voice session ended")
            self.send(messages.pack_json(problem="Listening ended by a mistake of the studio; try again.", end=1))

    def _take(self, block: NDArray[np.float32]) -> None:
        began = time.perf_counter()
        self.features.add(block)
        if self.live is not None:
            made = self._from_model.push(self.live.push(self._to_model.push(block)))
            if len(made):
                chunk = LiveChunk(np.stack([made, made]), self._emitted, self.rate)
                pcm = to_int16(chunk.samples)
                self._emitted += len(made)
                self.send(messages.pack_sound(chunk.start, pcm))
                self.recording.add(chunk, pcm)
        took_s, lasts_s = time.perf_counter() - began, len(block) / self.rate
        self._took_s, self._lasted_s = 0.9 * self._took_s + took_s, 0.9 * self._lasted_s + lasts_s
        if time.monotonic() - self._last_news >= NEWS_EVERY_S:
            self._last_news = time.monotonic()
            self._tell(took_s, lasts_s)

    def _tell(self, took_s: float, lasts_s: float) -> None:
        share = self._took_s / self._lasted_s
        level = 0 if share < 0.6 else 2 if share < 0.85 else 4
        if self.pictures is not None:
            self.pictures.set_level(level)
        says = "Everything at full quality." if not level else "Fewer pictures are drawn, so that the sound goes on."
        facts = {
            "share": round(share, 3),
            "took_ms": round(1000 * took_s, 1),
            "lasts_ms": round(1000 * lasts_s, 1),
            "dropped_s": round(self._dropped / self.rate, 2),
            "level": level,
            "says": says,
            "recorded_s": round(self.recording.duration_s, 1),
        }
        self.send(messages.pack_json(meter=facts, pictures=self.pictures.describe() if self.pictures else None))
