"""Speaking a book to disk: stopped, killed, gone on with, and nothing lost or spoken twice."""

from __future__ import annotations

import contextlib
import gc
import subprocess
import sys
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from models.books.narrator import NOTHING_SAID, find_doubtful, narrate
from models.books.read import read_pasted
from models.books.script import BookScript, Reading
from models.books.sentence_store import SentenceFacts, SentenceStore
from models.books.timeline import iter_sound, lay_out
from models.contracts import SpeechChunk, SpeechRequest, WordTiming
from models.errors import ModelError
from tests.models.books.files import TALE
from tests.models.books.narrate_debug import SENTENCES, main, make_script
from tests.studio.debug_speech import RATE, DebugSpeech

SLOW = "asked Anna. The dog in the yard barked twice."
ROOT = Path(__file__).resolve().parents[3]
SCRIPT = BookScript(read_pasted(TALE), Reading("speech/debug", "1", "low", {"Anna": "high"}, (0, 1)))


class Listener:
    """Speaks as the debug generator does, and remembers what it was asked."""

    def __init__(self, verdicts: dict[str, str] | None = None) -> None:
        self.asked: list[SpeechRequest] = []
        self.verdicts = verdicts or {}

    def __call__(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        self.asked.append(request)
        return self._speak(request)

    def _speak(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        for chunk in DebugSpeech().stream(request):
            verdict = self.verdicts.get(request.text, chunk.verdict) if chunk.verdict else ""
            yield replace(chunk, verdict=verdict)


def test_every_sentence_is_spoken_once_with_its_voice_and_never_again(tmp_path: Path) -> None:
    store, first, second = SentenceStore(tmp_path), Listener(), Listener()
    steps = list(narrate(SCRIPT, store, first))
    assert all(each.is_new for each in steps) and len(first.asked) == len(steps)
    assert {each.voice for each in first.asked} == {"low", "high"}
    assert steps[-1].seconds_left(steps[-1].done) == 0.0
    again = list(narrate(SCRIPT, store, second))
    assert second.asked == [] and [each.facts for each in again] == [each.facts for each in steps]


def test_a_stop_keeps_what_is_spoken_and_nothing_half(tmp_path: Path) -> None:
    store, told, listener = SentenceStore(tmp_path), [], Listener()

    def stop() -> bool:
        return len(listener.asked) >= 4

    told = list(narrate(SCRIPT, store, listener, stop))
    assert len(told) == 3 and len(store.keys()) == 3
    assert not list(tmp_path.rglob("*.part"))
    rest = Listener()
    assert len(list(narrate(SCRIPT, store, rest))) == len(list(SCRIPT.iter_passages()))
    assert listener.asked[3] == rest.asked[0]


def test_words_are_timed_from_the_beginning_of_what_is_heard(tmp_path: Path) -> None:
    def speak(request: SpeechRequest) -> Iterator[SpeechChunk]:
        for chunk in DebugSpeech().stream(request):
            sound = (
                np.concatenate([np.zeros(RATE // 2, np.float32), chunk.samples]) if not chunk.done else chunk.samples
            )
            words = tuple(WordTiming(w.text, w.start_s + 0.5, w.end_s + 0.5) for w in chunk.words)
            yield SpeechChunk(
                sound, RATE, chunk.mel, chunk.alignment, chunk.symbols, 0, 1, words, chunk.verdict, last=chunk.last
            )

    script = BookScript(read_pasted("It rained all day."), Reading(chapters=(0,)))
    step = next(iter(narrate(script, SentenceStore(tmp_path), speak)))
    assert step.facts.words[0].start_s == pytest.approx(0.03, abs=0.02)
    assert step.facts.words[-1].end_s <= step.facts.duration_s


def test_a_sentence_without_a_word_is_told_and_the_book_goes_on(tmp_path: Path) -> None:
    def speak(request: SpeechRequest) -> Iterator[SpeechChunk]:
        if "7" in request.text:
            raise ValueError("There is no word in the text that can be spoken.")
        yield from DebugSpeech().stream(request)

    store = SentenceStore(tmp_path)
    steps = list(narrate(SCRIPT, store, speak))
    silent = [each for each in steps if not each.facts.samples]
    assert len(silent) == 1 and silent[0].facts.verdict == NOTHING_SAID
    assert [each.why for each in find_doubtful(SCRIPT, store)] == [NOTHING_SAID]
    assert len(lay_out(SCRIPT, store).passages) == len(steps) - 1


def test_a_model_that_fails_loses_nothing(tmp_path: Path) -> None:
    listener = Listener()

    def speak(request: SpeechRequest) -> Iterator[SpeechChunk]:
        if len(listener.asked) == 2:
            raise ModelError("The model is busy.", "busy")
        yield from listener(request)

    store = SentenceStore(tmp_path)
    with pytest.raises(ModelError, match="busy"):
        list(narrate(SCRIPT, store, speak))
    assert len(store.keys()) == 2


def test_doubts_come_from_the_verdict_and_from_the_pace(tmp_path: Path) -> None:
    texts = [each.text for each in SCRIPT.iter_passages()]
    store = SentenceStore(tmp_path)
    list(narrate(SCRIPT, store, Listener({texts[1]: "The model may have skipped “gate”."})))
    slow = next(each for each in SCRIPT.iter_passages() if each.text == SLOW)
    facts = store.facts(slow.key)
    assert facts is not None
    long = np.full(facts.samples * 4, 0.1, np.float32)
    store.save(slow.key, long, SentenceFacts(long.size, RATE, facts.words, facts.verdict))
    found = {each.passage.text: each.why for each in find_doubtful(SCRIPT, store)}
    assert found[texts[1]] == "The model may have skipped “gate”."
    assert "much slower" in found[SLOW] and len(found) == 2


def test_a_damaged_sentence_is_spoken_anew(tmp_path: Path) -> None:
    store = SentenceStore(tmp_path)
    list(narrate(SCRIPT, store, Listener()))
    keys = sorted(store.keys())
    store.path(keys[0]).write_bytes(b"no sound")
    store.path(keys[1]).with_suffix(".json").write_text("{")
    with pytest.raises(ModelError, match="Go on"):
        store.sound(keys[0])
    listener = Listener()
    list(narrate(SCRIPT, store, listener))
    assert len(listener.asked) == 2 and store.keys() == set(keys)


def test_joins_have_no_step_and_silences_are_as_asked(tmp_path: Path) -> None:
    store = SentenceStore(tmp_path)
    list(narrate(SCRIPT, store, Listener()))
    timeline = lay_out(SCRIPT, store)
    sound = np.concatenate(list(iter_sound(timeline, store)))
    assert sound.size == timeline.chapters[-1].end == round(timeline.duration_s * RATE)
    for before, after in pairwise(timeline.passages):
        assert np.abs(sound[before.end : after.start]).max(initial=0.0) == 0.0
        assert (after.start - before.end) / RATE == pytest.approx(before.passage.pause_s, abs=1e-3)
        near = np.abs(np.diff(sound[before.end - 8 : before.end + 8]))
        assert near.max() < 0.01
    words = timeline.words()
    assert all(a.end_s <= b.start_s + 1e-6 for a, b in pairwise(words))


@pytest.mark.slow
def test_killed_and_resumed_nothing_is_lost_or_spoken_twice(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    main(whole, 0.0)
    command = [sys.executable, "-m", "tests.models.books.narrate_debug", str(killed), "0.003"]
    process = subprocess.Popen(command, cwd=ROOT)
    done = killed / "done"
    while process.poll() is None and (not done.exists() or len(done.read_text().splitlines()) < 9):
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (killed / "ended").exists()
    main(killed, 0.0)
    script = make_script()
    asked = Counter((killed / "asked").read_text().splitlines())
    assert set(asked) == {each.text for each in script.iter_passages()} and len(asked) == SENTENCES + 1
    assert sum(asked.values()) - len(asked) <= 1  # the sentence in work at the kill, of which nothing was kept
    made = Counter(line[2:] for line in (killed / "done").read_text().splitlines() if line.startswith("1"))
    assert set(made.values()) == {1}
    one, other = SentenceStore(whole / "sentences"), SentenceStore(killed / "sentences")
    keys = one.keys()
    assert keys == other.keys()
    assert all(one.path(key).read_bytes() == other.path(key).read_bytes() for key in keys)


@pytest.mark.slow
def test_memory_stays_flat_while_a_book_is_spoken(tmp_path: Path) -> None:
    tale = "\n\n".join(f"It rained on day {at} of the summer, and nobody at all knew why." for at in range(140))
    script = BookScript(read_pasted(tale), Reading(chapters=(0,)))
    sound, nothing = np.full(4_000, 0.1, np.float32), np.zeros((0, 0), np.float32)

    def speak(request: SpeechRequest) -> Iterator[SpeechChunk]:
        yield SpeechChunk(sound, RATE, nothing, nothing, (), 0, 1, verdict="A clear diagonal.", last=True)

    steps, held = narrate(script, SentenceStore(tmp_path), speak), []
    for _ in range(20):  # until all that is loaded once is loaded
        next(steps)
    tracemalloc.start()
    try:
        for at, _ in enumerate(steps, 20):
            if at in (40, 139):
                gc.collect()
                held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert held[1] - held[0] < 100 * sound.nbytes / 4  # a quarter of the sound that was spoken in between


def test_sentences_spoken_side_by_side_come_in_order_and_are_those_spoken_one_by_one(tmp_path: Path) -> None:
    together = threading.Barrier(3)

    def speak(request: SpeechRequest) -> Iterator[SpeechChunk]:
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(0.2)
        yield from DebugSpeech().stream(request)

    one, several = SentenceStore(tmp_path / "one"), SentenceStore(tmp_path / "several")
    alone = list(narrate(SCRIPT, one, DebugSpeech().stream))
    beside = list(narrate(SCRIPT, several, speak, places=3))
    assert [each.passage.key for each in beside] == [each.passage.key for each in alone]
    assert [each.done for each in beside] == [each.done for each in alone]
    assert one.keys() == several.keys()
    assert all((one.sound(key) == several.sound(key)).all() for key in one.keys())  # noqa: SIM118
    stopped = narrate(SCRIPT, SentenceStore(tmp_path / "stopped"), DebugSpeech().stream, places=3)
    assert next(stopped).passage.key == alone[0].passage.key
    stopped.close()  # type: ignore[attr-defined]
