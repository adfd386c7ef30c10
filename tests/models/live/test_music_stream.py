"""Live music: same seed and same turns give the same session, a turn changes only what follows, nothing grows."""

from __future__ import annotations

import threading
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.live.audio_features import MusicFeatureTracker
from models.live.bar_generator import (
    HISTORY_BARS,
    BarGenerator,
)
from models.live.controls import LiveControls
from models.live.music_stream import BUFFER, ExtraNote, LiveChunk, MusicStream, ThreadSafeVoiceBank
from models.live.recording import SessionRecording, to_int16
from models.music.soundfont_renderer import MAX_CACHE_BYTES
from tests.models.live.in_pages import in_a_map

FAST = LiveControls(tempo=180.0, density=1.0, instruments=(0, 33), drums=True)
BAR_CHUNKS = 15  # a bar of 1.33 s at 180 has fewer chunks of 4 buffers than this


def music(bar_generator: BarGenerator, **options: object) -> MusicStream:
    settled: dict[str, object] = {"controls": FAST, "seed": 3} | options
    return MusicStream(bar_generator, bar_generator.composer.bank, **settled)  # type: ignore[arg-type]


def play(stream: MusicStream, chunks: int) -> list[LiveChunk]:
    return [*(stream.render_chunk() for _ in range(chunks)), stream.finish()]


def joined(chunks: list[LiveChunk]) -> np.ndarray:
    return np.concatenate([chunk.samples for chunk in chunks], axis=1)


def bars_of(chunks: list[LiveChunk]) -> dict[int, object]:
    return {bar.index: bar.notes for chunk in chunks for _, bar in chunk.bars}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_music_and_chunks_follow_each_other(bar_generator: BarGenerator) -> None:
    first, second = play(music(bar_generator), 20), play(music(bar_generator), 20)
    assert np.array_equal(joined(first), joined(second))
    assert [chunk.start for chunk in first] == [0, *np.cumsum([c.samples.shape[1] for c in first])[:-1]]
    assert bars_of(first) != bars_of(play(music(bar_generator, seed=4), 20))
    assert np.abs(joined(first)).max() <= 0.892
    assert np.abs(joined(first)).max() > 0.01


@pytest.mark.slow
def test_the_size_of_a_chunk_changes_nothing(bar_generator: BarGenerator) -> None:
    large = joined(play(music(bar_generator, chunk_buffers=12), 4))
    small = joined(play(music(bar_generator, chunk_buffers=1), 48))
    count = 44 * BUFFER
    assert np.abs(large[:, :count] - small[:, :count]).max() < 2e-4
    with pytest.raises(ValueError, match="chunk_buffers is 0"):
        music(bar_generator, chunk_buffers=0)


@pytest.mark.slow
def test_a_turn_acts_at_the_next_bar_and_changes_only_what_follows(bar_generator: BarGenerator) -> None:
    plain = music(bar_generator)
    turned = music(bar_generator)
    quiet = replace(FAST, intensity=0.0, tonic="A", mode="minor", instruments=(73,), drums=False)
    without = [plain.render_chunk() for _ in range(3 * BAR_CHUNKS)]
    with_turn = [turned.render_chunk() for _ in range(BAR_CHUNKS)]
    turned.turn(quiet)
    playing = max(bars_of(with_turn))
    with_turn += [turned.render_chunk() for _ in range(2 * BAR_CHUNKS)]
    begins = next(mark for chunk in with_turn for mark, _ in chunk.bars if mark.turned)
    assert begins.index == playing + 1
    assert turned.timeline == {0: (FAST, 1), begins.index: (quiet, 1)}
    before = int(begins.start_s * turned.sample_rate) - 2 * BUFFER
    assert np.array_equal(joined(without)[:, :before], joined(with_turn)[:, :before])
    assert not np.array_equal(joined(without)[:, before:], joined(with_turn)[:, before:])
    for chunk in with_turn:
        for mark, bar in chunk.bars:
            assert bar.controls == (quiet if mark.index >= begins.index else FAST)
            if mark.index >= begins.index:
                assert {(note.program, note.is_drum) for note in bar.notes} <= {(73, False)}


@pytest.mark.slow
def test_a_session_played_with_a_thread_can_be_played_again(bar_generator: BarGenerator) -> None:
    live = music(bar_generator)
    live.start()
    chunks = []
    for index in range(4 * BAR_CHUNKS):
        if index == BAR_CHUNKS:
            live.turn(replace(FAST, tempo=150.0, tonic="D"))
        if index == 2 * BAR_CHUNKS:
            live.turn(replace(FAST, density=4.0, drums=False), effort=0)
        chunks.append(live.render_chunk())
    chunks.append(live.finish())
    live.close()
    assert not live.is_writing
    again = play(music(bar_generator, timeline=live.timeline), 4 * BAR_CHUNKS)
    assert bars_of(again) == bars_of(chunks)
    assert np.array_equal(joined(again), joined(chunks))


@pytest.mark.slow
def test_bars_are_written_ahead_and_written_anew_when_a_knob_is_turned(bar_generator: BarGenerator) -> None:
    live = music(bar_generator)
    live.start()
    live.render_chunk()
    limit_s = time.monotonic() + 20
    while live.ahead_s < 4.0 and time.monotonic() < limit_s:
        time.sleep(0.02)
    assert live.ahead_s >= 4.0
    slow = replace(FAST, tempo=60.0)
    live.turn(slow)
    while live.ahead_s < 4.0 + FAST.bar_s + 0.1 and time.monotonic() < limit_s:
        time.sleep(0.02)  # one bar is playing, those ahead become longer
        if all(bar.controls == slow for index, (bar, _) in live._bars.items() if index > 0):
            break
    found = [live.render_chunk() for _ in range(BAR_CHUNKS)]
    live.close()
    assert next(mark for chunk in found for mark, _ in chunk.bars).controls == slow
    assert not any(chunk.waited for chunk in found)


def test_closing_while_a_bar_is_awaited_ends_with_a_sentence(bar_generator: BarGenerator) -> None:
    live = music(bar_generator)
    live.start()
    live.render_chunk()
    live.close()
    with pytest.raises(RuntimeError, match="closed"):
        for _ in range(200):
            live.render_chunk()


@pytest.mark.slow
def test_notes_beside_the_bars_sound_where_they_should(bar_generator: BarGenerator) -> None:
    silent = replace(FAST, intensity=0.0, density=0.5, drums=False)
    plain, extra = music(bar_generator, controls=silent), music(bar_generator, controls=silent)
    extra.add([ExtraNote(0.8, 0.3, 72, 120, 0), ExtraNote(30.0, 0.3, 72, 120, 0)])
    extra.drop_extras()
    assert np.array_equal(joined(play(plain, 4)), joined(play(extra, 4)))
    plain, extra = music(bar_generator, controls=silent), music(bar_generator, controls=silent)
    extra.add([ExtraNote(0.8, 0.3, 72, 120, 0)])
    difference = np.abs(joined(play(plain, 14)) - joined(play(extra, 14))).max(axis=0)
    first = int(np.flatnonzero(difference > 1e-3)[0])
    assert 0.8 * 44_100 - 2 * BUFFER <= first <= 0.83 * 44_100


def test_nothing_grows_over_an_hour_of_a_simulated_clock(
    bar_generator: BarGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sound is left out: an hour of bars, of which the session keeps as many as at the start."""
    stream = music(bar_generator, controls=replace(FAST, tempo=50.0))
    first = bar_generator.generate(0, [], FAST, 0)
    lengths: list[int] = []

    def remembered(index: int, history: list[object], controls: LiveControls, *rest: object) -> object:
        lengths.append(len(history))
        return replace(first, index=index, controls=controls)

    monkeypatch.setattr(stream.bar_generator, "generate", remembered)
    for _ in range(int(3600 / stream.wanted[0].bar_s)):
        stream._begin_bar()
        stream._pending.clear()
    assert stream._marks[-1].end_s > 3590
    assert len(stream._marks) <= 65
    assert len(stream._bars) <= HISTORY_BARS + 2
    assert max(lengths) == HISTORY_BARS


@pytest.mark.slow
def test_sound_and_recording_leave_memory_as_it_was(
    bar_generator: BarGenerator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One bar again and again: when the buffers are full only the list of notes grows; the sound goes to disk."""
    stream, features = music(bar_generator), MusicFeatureTracker()
    recording = SessionRecording(tmp_path, stream.sample_rate)
    first = bar_generator.generate(0, [], FAST, 0)
    monkeypatch.setattr(stream.bar_generator, "generate", lambda index, *rest: replace(first, index=index))
    held: list[int] = []
    tracemalloc.start()
    try:
        for end_s in (14, 22):
            while stream.rendered_s < end_s:
                chunk = stream.render_chunk()
                pcm = to_int16(chunk.samples)
                recording.add(chunk, pcm)
                features.add(chunk)
            held.append(tracemalloc.get_traced_memory()[0])
            assert recording.wav_path.stat().st_size > 4 * (recording.samples - stream.sample_rate)
    finally:
        tracemalloc.stop()
        recording.close()
    assert held[1] - held[0] < 2**17  # of three megabytes of sound, as it is rendered
    assert stream.bank._cache.currsize <= MAX_CACHE_BYTES


def test_notes_that_are_kept_live_in_pages_of_their_own(bar_generator: BarGenerator) -> None:
    """Else they leave holes in the heap when they are forgotten, and the process grows."""
    bank = ThreadSafeVoiceBank(bar_generator.composer.bank)
    assert in_a_map(bank.render_note(0, False, 60, 90, 4_000))
    assert in_a_map(bank._cache.popitem()[1])


@pytest.mark.slow
def test_two_sessions_share_a_writer_and_nothing_else(bar_generator: BarGenerator) -> None:
    alone = [joined(play(music(bar_generator, seed=seed), 12)) for seed in (1, 2)]
    together: dict[int, np.ndarray] = {}

    def run(seed: int) -> None:
        together[seed] = joined(play(music(bar_generator, seed=seed), 12))

    threads = [threading.Thread(target=run, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.array_equal(alone[0], together[1])
    assert np.array_equal(alone[1], together[2])
