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
from models.live.load_monitor import LEAST_WORK, LEVEL_SAYS, STOPPED, LoadMonitor
from models.live.music_stream import LiveChunk
from models.live.phrase import PAUSE_S, Phrase, measure_grid_s, place_on_grid, snap_to_grid, write_answer
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


def chunk(took_s: float = 0.01, waited: bool = False) -> LiveChunk:
    return LiveChunk(np.zeros((2, 4410), np.float32), 0, 44_100, took_s=took_s, waited=waited)


def test_the_meter_counts_and_steps_down_before_sound_is_lost_and_up_again() -> None:
    meter = LoadMonitor()
    now = 0.0
    for _ in range(40):
        meter.count(chunk(), 0.3)
        assert meter.govern(now, 0.4, 0.45) == 0
        now += 0.1
    assert meter.share == pytest.approx(0.1)
    seen = [0]
    for _ in range(200):
        meter.count(chunk(), 0.05)
        seen.append(meter.govern(now, 0.1, 0.45))
        now += 0.1
    assert sorted(set(seen)) == list(range(LEAST_WORK + 1))  # one after another, pictures first
    assert seen == sorted(seen)
    assert meter.late == 0
    meter.count(chunk(), -0.01)
    assert meter.late == 1
    assert meter.report(0.1, 2.0).says == LEVEL_SAYS[LEAST_WORK]
    for _ in range(160):
        meter.count(chunk(), 0.3)
        meter.govern(now, 0.45, 0.45)
        now += 0.1
    assert meter.level == STOPPED
    assert len(LEVEL_SAYS) == LEAST_WORK + 1


def test_a_bar_that_was_not_written_in_time_costs_quality_at_once() -> None:
    meter = LoadMonitor(has_pictures=False)
    meter.count(chunk(took_s=9.0, waited=True), 0.2)  # the first bar: nobody hears that it took long
    assert meter.govern(10.0, 0.45, 0.45) == 0
    meter.count(chunk(waited=True), 0.2)
    assert meter.govern(20.0, 0.45, 0.45) == LEAST_WORK
    assert "half the work" in meter.report(0.4, 1.0).says


def a_phrase() -> Phrase:
    phrase = Phrase()
    for index, pitch in enumerate((60, 62, 64)):
        phrase.press(pitch, 90, 0.5 * index)
        phrase.release(pitch, 0.5 * index + 0.4, now=float(index))
    return phrase


def test_a_phrase_becomes_a_piece_that_ends_at_a_bar_line() -> None:
    phrase = a_phrase()
    assert not phrase.is_open
    controls = LiveControls(tempo=120.0)
    piece, bars = place_on_grid(phrase.notes, controls, 11)
    assert bars == 1
    assert [(note.start, note.pitch) for note in piece.tracks[0].notes] == [(24, 60), (48, 62), (72, 64)]
    assert phrase.take()
    assert not phrase.notes
    phrase.press(60, 90, 1.0)
    assert phrase.is_open
    assert phrase.release(61, 1.1, 0.0) is None


def test_the_same_phrase_gets_the_same_answer_of_its_length(bar_generator: BarGenerator) -> None:
    notes, controls = a_phrase().notes, LiveControls(tempo=120.0)
    first, second = (write_answer(bar_generator, notes, controls, 11, seed=3, number=0) for _ in range(2))
    assert first == second
    assert first
    assert min(note.start for note in first) < 24
    assert max(note.start for note in first) < controls.bar.positions
    assert write_answer(bar_generator, notes, controls, 11, seed=3, number=1) != first


@pytest.mark.parametrize("tempo", [50.0, 90.0, 120.0, 180.0])
def test_an_answer_begins_on_the_grid_soon(bar_generator: BarGenerator, tempo: float) -> None:
    controls = LiveControls(tempo=tempo)
    step_s = measure_grid_s(controls)
    assert step_s <= 0.31
    from models.live.music_stream import BarMark

    mark = BarMark(3, 10.0, 10.0 + controls.bar_s, controls, False)
    start_s = snap_to_grid(mark, 10.4)
    assert 10.4 <= start_s + 1e-9 <= 10.4 + step_s + 1e-9
    assert PAUSE_S + step_s < 0.6
