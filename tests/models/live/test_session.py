"""A session in real time: what is sent equals the recording, keys are answered, closing ends every thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
import soundfile

from models.live import messages
from models.live.bar_generator import BarGenerator
from models.live.controls import LiveControls
from models.live.frame_stream import FrameGenerator, FrameStream
from models.live.load_monitor import LoadMonitor
from models.live.recording import write_mp3
from models.live.session import LiveSession
from models.video.generator import VideoGenerator

FAST = LiveControls(tempo=180.0, density=1.0, instruments=(0,), drums=False)


class Page:
    """Takes the messages of a session."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.data = bytearray()

    def send(self, message: bytes) -> None:
        with self.lock:
            self.data += message

    def found(self, kind: str) -> list[tuple[int, Any]]:
        with self.lock:
            data = bytes(self.data)
        return [(place, load) for letter, place, load in messages.unpack(data) if letter == kind]

    def news(self, name: str) -> list[Any]:
        return [load[name] for _, load in self.found("J") if load.get(name) is not None]


def wait_for(what: Callable[[], object], limit_s: float = 30.0) -> None:
    end = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.mark.slow
def test_what_is_sent_equals_the_recording_and_nothing_is_left_running(
    bar_generator: BarGenerator, generator: VideoGenerator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LoadMonitor, "govern", lambda *_: 0)  # a busy machine would take the pictures away
    page = Page()
    frames = FrameStream(FrameGenerator(generator, "a red fire", size=32), None)
    session = LiveSession(bar_generator, FAST, 5, frames, tmp_path, page.send, program=11)
    session.start()
    wait_for(lambda: len(page.found("A")) > 12 and len(page.found("V")) > 3)
    session.turn(replace(FAST, tempo=120.0))
    session.take_key(64, 90, True)
    time.sleep(0.1)
    session.take_key(64, 64, False)
    session.take_key(67, 90, True)
    time.sleep(0.1)
    session.take_key(67, 64, False)
    wait_for(lambda: page.news("answer"))
    session.lead_to("a blue fire", 1.0)
    with pytest.raises(ValueError, match="prompt is empty"):
        session.lead_to(" ", 1.0)
    time.sleep(0.4)
    session.close()
    assert not session.is_working
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("auralume-live-")]

    sounds = page.found("A")
    sent = np.concatenate([load for _, load in sounds])  # type: ignore[arg-type]
    assert [place for place, _ in sounds] == [0, *np.cumsum([len(load) for _, load in sounds])[:-1]]  # type: ignore[arg-type]
    recorded, rate = soundfile.read(tmp_path / "session.wav", dtype="int16")
    assert rate == 44_100
    assert np.array_equal(recorded[: len(sent)], sent)
    assert len(recorded) > len(sent)  # the last notes die away
    (answer,) = page.news("answer")
    assert 0 < answer["after_s"] < 5  # type: ignore[index]
    assert answer["notes"]  # type: ignore[index]
    assert all(load.startswith(b"\xff\xd8") for _, load in page.found("V"))  # type: ignore[attr-defined]

    song = mido.MidiFile(session.recording.write_midi(tmp_path / "session.mid"))
    names = [message.name for track in song.tracks for message in track if message.type == "track_name"]
    assert names == ["You"]
    you = next(track for track in song.tracks if any(message.type == "track_name" for message in track))
    assert [message.note for message in you if message.type == "note_on"] == [64, 67]
    tempi = [round(mido.tempo2bpm(m.tempo)) for track in song.tracks for m in track if m.type == "set_tempo"]
    assert tempi[0] == 180
    write_mp3(tmp_path / "session.wav", tmp_path / "session.mp3")
    assert soundfile.info(tmp_path / "session.mp3").duration == pytest.approx(len(recorded) / rate, abs=0.2)
