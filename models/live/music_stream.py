"""Music without end as a stream of small chunks; knobs act at the next bar.

Bars are written ahead by AHEAD_S at least, in a thread of the session's own; the sound is rendered in portions of some
buffers of BUFFER samples each, shortly before it is heard. When a knob is turned, the bars that have not begun are
written anew. The old ones stay until the new ones are there, so that a turn never costs sound; what was turned too
shortly before the end of a bar acts one bar later. `timeline` says in which bar each turn acted: played again with it,
a session gives the same notes and the same sound.

Letters: N samples, always of two channels.
"""

from __future__ import annotations

import bisect
import copy
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.live.bar_generator import FULL_EFFORT, HISTORY_BARS, BarGenerator, GenerationCancelled, LiveBar, LiveNote
from models.live.controls import LiveControls
from models.music.rendering import NoteEvent, StreamRenderer
from models.music.soundfont_renderer import SoundFontRenderer, make_note_cache
from models.threads import limit_to_single_thread, use_single_thread

FloatArray = NDArray[np.float32]
BUFFER = 1024
CHUNK_BUFFERS = 4
AHEAD_S = 4.0
MAX_WAIT_S = 30.0  # for a bar that is not written yet
KEPT_MARKS = 64

Turn = tuple[LiveControls, int]  # the knobs, and how much effort goes into a bar
Timeline = Mapping[int, Turn]


class ThreadSafeVoiceBank(SoundFontRenderer):
    """A voice bank with a cache of its own that two threads may use; the recordings are shared."""

    def __init__(self, bank: SoundFontRenderer) -> None:
        self.__dict__.update(copy.copy(bank).__dict__)
        self._cache = make_note_cache()
        self._lock = threading.Lock()

    def render_note(self, program: int, is_drum: bool, key: int, velocity: int, held: int) -> FloatArray:
        """Render a note as `SoundFontRenderer.render_note` does."""
        with self._lock:
            return super().render_note(program, is_drum, key, velocity, held)


@dataclass(frozen=True)
class BarMark:
    """The place of a bar in the stream: seconds from its start, its tempo, whether a turn of the knobs acts in it."""

    index: int
    start_s: float
    end_s: float
    controls: LiveControls
    turned: bool

    def locate_s(self, position: float) -> float:
        """Return the time of a grid position of the bar."""
        return self.start_s + position * self.controls.second_a_position


@dataclass(frozen=True, eq=False)
class LiveChunk:
    """A portion of the stream; the session is the sum of its chunks.

    Attributes:
        samples: float32 (2, N) in [-1, 1].
        start: number of its first sample in the stream.
        bars: the bars that begin in it, with their notes.
        took_s: how long rendering took, waiting for a bar included; wrote_s: what writing its bars took before.
        waited: whether a bar was not written in time.
        last: whether this chunk closes the stream.
    """

    samples: FloatArray
    start: int
    sample_rate: int
    bars: tuple[tuple[BarMark, LiveBar], ...] = ()
    took_s: float = 0.0
    wrote_s: float = 0.0
    waited: bool = False
    last: bool = False

    @property
    def lasts_s(self) -> float:
        """Return how long it sounds."""
        return self.samples.shape[1] / self.sample_rate


@dataclass(frozen=True)
class ExtraNote:
    """A note beside the bars: an answer to the person's phrase, in seconds from the start of the stream."""

    start_s: float
    length_s: float
    pitch: int
    velocity: int
    program: int


class MusicStream:
    """The music of one person. `next_chunk` is to be called from one thread; everything else from any.

    Args:
        writer: may be shared; bank: is copied without its cache.
        timeline: turns of the knobs by bar that act by themselves, as `timeline` of an earlier session tells them.
        chunk_buffers: buffers of BUFFER samples in a chunk.
    """

    def __init__(
        self,
        bar_generator: BarGenerator,
        bank: SoundFontRenderer,
        controls: LiveControls,
        seed: int = 0,
        timeline: Timeline | None = None,
        chunk_buffers: int = CHUNK_BUFFERS,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        if chunk_buffers < 1:
            raise ValueError(f"chunk_buffers is {chunk_buffers}; it must be at least 1.")
        self.bar_generator, self.seed, self.clock = bar_generator, seed, clock
        self.bank = ThreadSafeVoiceBank(bank)
        self.sample_rate = bank.sample_rate
        self.chunk_samples = chunk_buffers * BUFFER
        self.timeline: dict[int, Turn] = {}
        self._planned = dict(timeline or {})
        self._renderer = StreamRenderer(self.bank)
        self._changed = threading.Condition()
        self._wanted: Turn = (controls, FULL_EFFORT)
        self._bars: dict[int, tuple[LiveBar, Turn]] = {}  # some of the past, and those ahead
        self._playing = -1
        self._marks: list[BarMark] = []
        self._pending: list[NoteEvent] = []
        self._extras: list[ExtraNote] = []
        self._emitted = 0
        self._thread: threading.Thread | None = None
        self._closed = False
        self._failure: BaseException | None = None

    # ---- the person's side

    def turn(self, controls: LiveControls, effort: int | None = None) -> None:
        """Set the knobs; they act at the next bar that can still be written anew."""
        with self._changed:
            self._wanted = (controls, self._wanted[1] if effort is None else effort)
            self._changed.notify_all()

    @property
    def wanted(self) -> Turn:
        """Return the knobs as they were set last."""
        with self._changed:
            return self._wanted

    @property
    def rendered_s(self) -> float:
        """Return how much of the stream is rendered."""
        return self._renderer.rendered / self.sample_rate

    @property
    def ahead_s(self) -> float:
        """Return how much music is written beyond what is rendered."""
        with self._changed:
            end_s = self._marks[-1].end_s if self._marks else 0.0
            index = self._playing + 1
            while index in self._bars:
                end_s += self._bars[index][0].controls.bar_s
                index += 1
            return max(0.0, end_s - self.rendered_s)

    def find_mark(self, time_s: float) -> BarMark | None:
        """Find the bar that sounds at a time of the stream, among the last KEPT_MARKS; the last one later on."""
        with self._changed:
            at = bisect.bisect_right([mark.start_s for mark in self._marks], time_s) - 1
            return self._marks[max(at, 0)] if self._marks else None

    def add(self, notes: Sequence[ExtraNote]) -> None:
        """Play notes beside the bars; one that should have begun already begins with the next portion."""
        for note in notes:
            self.bank.render_note(note.program, False, note.pitch, note.velocity, self._count_samples(note.length_s))
        with self._changed:
            self._extras += notes

    def drop_extras(self) -> None:
        """Forget the notes beside the bars that have not begun."""
        with self._changed:
            self._extras.clear()

    # ---- writing ahead

    def start(self) -> None:
        """Write ahead in a thread of its own; without it `next_chunk` writes each bar when it comes to it."""
        self._thread = threading.Thread(target=self._write_on, name="auralume-live-writer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread, within the time of one bar's writing."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=10.0)

    @property
    def is_writing(self) -> bool:
        """Return whether the thread is alive."""
        return self._thread is not None and self._thread.is_alive()

    def _write_on(self) -> None:
        use_single_thread()
        try:
            while True:
                with self._changed:
                    while not self._closed and self._find_target() is None:
                        self._changed.wait()
                    if self._closed:
                        return
                self._write_one()
        except BaseException as error:
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _find_target(self) -> int | None:
        """Find the first bar ahead that is missing or was written for other knobs; None where enough is ahead."""
        ahead_s, index = 0.0, self._playing + 1
        while ahead_s < AHEAD_S or index <= self._playing + 1:
            found = self._bars.get(index)
            if found is None or found[1] != self._find_turn(index):
                return index
            ahead_s += found[0].controls.bar_s
            index += 1
        return None

    def _find_turn(self, index: int) -> Turn:
        """Find the knobs for a bar: what was planned for it or the last planned before, else what is wanted now."""
        planned = [bar for bar in self._planned if bar <= index]
        return self._planned[max(planned)] if planned else self._wanted

    def _write_one(self) -> None:
        """Write the next target and put it in its place, unless that has begun meanwhile."""
        with self._changed:
            index = self._find_target()
            if index is None:
                return
            turn = self._find_turn(index)
            first = max(0, index - HISTORY_BARS)
            history = [self._bars[at][0] for at in range(first, index)]
        began = time.perf_counter()

        def is_wanted() -> bool:
            """Return False when the knobs were turned, unless there would be nothing to play meanwhile."""
            is_new = self._find_turn(index) == turn or self._playing + 1 not in self._bars
            return is_new and not self._closed

        try:
            with limit_to_single_thread():  # a bar must not depend on the threads that add up its sums
                bar = self.bar_generator.generate(index, history, turn[0], self.seed, turn[1], is_wanted)
        except GenerationCancelled:
            return
        object.__setattr__(bar, "took_s", time.perf_counter() - began)
        if self._thread is not None:
            self._warm(bar)
        with self._changed:
            before = self._bars.get(index - 1)
            if index > self._playing and (not history or (before is not None and before[0] is history[-1])):
                self._bars[index] = (bar, turn)
                for later in [at for at in self._bars if at > index]:
                    del self._bars[later]
            self._changed.notify_all()

    def _warm(self, bar: LiveBar) -> None:
        """Render the notes of a bar into the cache, so that the sound thread finds them there."""
        for note in bar.notes:
            if self._closed:
                return
            held = self._count_samples(note.duration * bar.controls.second_a_position)
            self.bank.render_note(note.program, note.is_drum, note.pitch, note.velocity, held)

    def _count_samples(self, length_s: float) -> int:
        return max(1, round(length_s * self.sample_rate))

    # ---- the sound

    def render_chunk(self) -> LiveChunk:
        """Render the next portion of the stream.

        Raises:
            RuntimeError: no bar came for MAX_WAIT_S, or the stream is closed; whatever writing raised.
        """
        began = self.clock()
        end_s = (self._renderer.rendered + self.chunk_samples) / self.sample_rate
        begun: list[tuple[BarMark, LiveBar]] = []
        waited = False
        while not self._marks or self._marks[-1].end_s < end_s:
            mark, bar, was_late = self._begin_bar()
            waited = waited or was_late
            begun.append((mark, bar))
        samples = self._renderer.push(self._take_due(end_s), end_s)
        return self._make_chunk(samples, begun, began, waited)

    def finish(self) -> LiveChunk:
        """Render what still sounds, dying away, and close the stream."""
        began = self.clock()
        samples = self._renderer.finish()
        return self._make_chunk(samples, [], began, waited=False, last=True)

    def _make_chunk(
        self,
        samples: FloatArray,
        begun: list[tuple[BarMark, LiveBar]],
        began: float,
        waited: bool,
        last: bool = False,
    ) -> LiveChunk:
        start, self._emitted = self._emitted, self._emitted + samples.shape[1]
        wrote_s = sum(bar.took_s for _, bar in begun)
        return LiveChunk(samples, start, self.sample_rate, tuple(begun), self.clock() - began, wrote_s, waited, last)

    def _take_due(self, end_s: float) -> list[NoteEvent]:
        """Take out the notes that begin before a time."""
        due = [note for note in self._pending if note.start_s < end_s]
        self._pending = [note for note in self._pending if note.start_s >= end_s]
        now_s = self.rendered_s
        with self._changed:
            extras = [note for note in self._extras if note.start_s < end_s]
            self._extras = [note for note in self._extras if note.start_s >= end_s]
        due += [
            NoteEvent(max(note.start_s, now_s), note.length_s, note.pitch, note.velocity, note.program, False)
            for note in extras
        ]
        return due

    def _begin_bar(self) -> tuple[BarMark, LiveBar, bool]:
        """Take the next bar up: from now on nothing changes it."""
        index = self._playing + 1
        was_late = False
        if self._thread is None:
            while not self._closed and ((found := self._bars.get(index)) is None or found[1] != self._find_turn(index)):
                self._write_one()
        with self._changed:
            was_late = index not in self._bars
            self._changed.wait_for(lambda: index in self._bars or self._failure or self._closed, MAX_WAIT_S)
            if self._failure is not None:
                raise self._failure
            if index not in self._bars:
                raise RuntimeError(
                    "The stream is closed." if self._closed else f"Bar {index + 1} was not written in {MAX_WAIT_S} s."
                )
            bar, turn = self._bars[index]
            before = self._bars.get(index - 1)
            turned = before is not None and before[1] != turn
            if before is None or turned:
                self.timeline[index] = turn
            self._playing = index
            start_s = self._marks[-1].end_s if self._marks else 0.0
            mark = BarMark(index, start_s, start_s + bar.controls.bar_s, bar.controls, turned)
            self._marks = [*self._marks[-KEPT_MARKS:], mark]
            for old in [at for at in self._bars if at <= index - HISTORY_BARS]:
                del self._bars[old]
            self._changed.notify_all()
        self._pending += [_make_sounding(note, mark) for note in bar.notes]
        return mark, bar, was_late


def _make_sounding(note: LiveNote, mark: BarMark) -> NoteEvent:
    return NoteEvent(
        mark.locate_s(note.start),
        note.duration * mark.controls.second_a_position,
        note.pitch,
        note.velocity,
        note.program,
        note.is_drum,
    )
