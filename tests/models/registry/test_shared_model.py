"""A loaded model that users share: one stream or one chunk at a time, given back however a stream ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from models.contracts import SpeechRequest
from models.registry.catalog import CATALOG
from models.registry.registry import Registry
from models.registry.turns import Ticket
from tests.models.registry.counting_models import WAIT_S, MakeRegistry, kind_of, make_spec, wait_until


def test_one_stream_at_a_time_and_closing_lets_the_next_in(make_registry: MakeRegistry) -> None:
    shared = make_registry(make_spec("a")).load("speech/a")
    first = shared.stream(5)
    assert next(first) == 0
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(lambda: list(shared.stream(2)))
        wait_until(lambda: shared.users == 2)
        assert shared.model.running == 1
        assert not second.done()
        first.close()  # type: ignore[attr-defined]
        assert second.result(WAIT_S) == [0, 1]
    assert shared.model.most_running == 1
    assert shared.model.closed == 2
    assert shared.users == 0


def test_stream_may_move_from_thread_to_thread(make_registry: MakeRegistry) -> None:
    shared = make_registry(make_spec("a")).load("speech/a")
    stream = shared.stream(2)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as two:
        assert one.submit(next, stream).result(WAIT_S) == 0
        assert two.submit(next, stream).result(WAIT_S) == 1
        assert two.submit(next, stream, None).result(WAIT_S) is None
    assert list(shared.stream(1)) == [0]


def test_stream_that_fails_or_is_dropped_gives_the_model_back(make_registry: MakeRegistry) -> None:
    shared = make_registry(make_spec("a")).load("speech/a")
    with pytest.raises(TypeError):
        list(shared.stream("three"))
    dropped = shared.stream(3)
    next(dropped)
    del dropped
    assert shared.users == 0
    assert list(shared.stream(1)) == [0]


def test_waiting_has_an_end(make_registry: MakeRegistry) -> None:
    shared = make_registry(make_spec("a"), busy_timeout_s=0.01).load("speech/a")
    first = shared.stream(2)
    next(first)
    assert kind_of(lambda: list(shared.stream(1))) == "busy"
    assert list(first) == [1]
    assert list(shared.stream(1)) == [0]


def test_streams_of_a_model_that_takes_turns_go_on_together(make_registry: MakeRegistry) -> None:
    shared = make_registry(make_spec("a")).load("speech/a")
    shared.model.takes_turns = True
    first, second = shared.stream(3), shared.stream(2)
    assert [next(first), next(second), next(second), next(first)] == [0, 0, 1, 1]
    assert shared.users == 2 and shared.model.running == 2
    first.close()  # type: ignore[attr-defined]
    assert list(second) == [] and shared.users == 0 and shared.model.closed == 2


def test_a_turn_ends_with_its_chunk_whoever_takes_it(make_registry: MakeRegistry) -> None:
    shared = make_registry(make_spec("a"), busy_timeout_s=0.01).load("speech/a")
    shared.model.takes_turns = True
    never_read_on = shared.stream(5)
    next(never_read_on)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: list(shared.stream(3))).result(WAIT_S) == [0, 1, 2]
    with shared._turns.take(Ticket(), 1.0):
        assert kind_of(lambda: list(shared.stream(1))) == "busy"
    with pytest.raises(TypeError):
        list(shared.stream("three"))
    assert list(shared.stream(1)) == [0]


@pytest.mark.slow
def test_speech_that_takes_turns_sounds_as_it_does_alone() -> None:
    shared = Registry(CATALOG, offline=True).load("speech/tacotron2")
    requests = [SpeechRequest("Good morning.", seed=3), SpeechRequest("It rains in the hills today.", seed=4)]
    alone = [b"".join(chunk.samples.tobytes() for chunk in shared.stream(request)) for request in requests]
    streams = [shared.stream(request) for request in requests]
    together = [b"", b""]
    for _ in range(200):
        for number, stream in enumerate(streams):
            chunk = next(stream, None)
            together[number] += chunk.samples.tobytes() if chunk is not None else b""
    assert together == alone
