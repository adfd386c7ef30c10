"""Sentences for failures, and one work of a session after another."""

from __future__ import annotations

import threading

import pytest

from models.errors import ModelError
from studio.page import jobs


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("tempo is 7.", "Tempo is 7."),
        ("facebook/mms-tts-eng is not here.", "facebook/mms-tts-eng is not here."),
        ("tts-1 is not here.", "tts-1 is not here."),
        ("config.json is damaged.", "config.json is damaged."),
        ("nothing, at all.", "Nothing, at all."),
        ("everybody's taken.", "Everybody's taken."),
        ("iPhones are phones.", "iPhones are phones."),
    ],
)
def test_a_sentence_begins_with_a_capital_and_an_id_stays_as_it_is(message: str, said: str) -> None:
    assert jobs.sentence(ValueError(message)) == said
    assert jobs.sentence(ModelError(message, "busy")) == said


def test_work_of_a_session_waits_for_the_work_before_it() -> None:
    stops = jobs.StopBoard()
    first = stops.begin("me")
    began: list[threading.Event] = []
    second = threading.Thread(target=lambda: began.append(stops.begin("me")))
    second.start()
    assert stops.begin("you") is not first and not began
    assert stops.ask("me") and first.is_set()
    stops.end("me")
    second.join(60)
    assert not began[0].is_set() and stops.ask("me") and began[0].is_set()


def test_work_that_is_expected_is_stopped_before_it_listens() -> None:
    stops = jobs.StopBoard()
    assert not stops.ask("me")
    stops.expect("me")
    assert stops.ask("me") and stops.begin("me").is_set()
    stops.end("me")
    assert not stops.ask("me") and not stops.begin("me").is_set()


def test_forms_have_queues_of_their_own() -> None:
    ids = {jobs.queue_of(form)["concurrency_id"] for form in ("speech", "music", "video")}
    assert len(ids) == 3
