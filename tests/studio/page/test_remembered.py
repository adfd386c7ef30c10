"""A few ended runs of each place are remembered, and not too many of all people together."""

from __future__ import annotations

import pytest

from studio.library.jobs import Job
from studio.page import remembered
from studio.page.runs import new_job


def job(browser: str = "browser", place: str = "speech") -> Job:
    return new_job("local", browser, place, 0, "", {})


def test_the_newest_of_a_place_and_the_few_before_it_stay() -> None:
    known = [job() for _ in range(remembered.REMEMBERED_RUNS + 1)]
    others = [job(place="music"), job("another")]
    assert remembered.find_old([*known, *others], job()) == {known[0].id, known[1].id}


def test_programs_without_a_browser_keep_only_the_newest() -> None:
    first = job("")
    assert remembered.find_old([first], job("")) == {first.id}


def test_of_all_people_the_oldest_earlier_results_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "REMEMBERED_BEFORE", 2)
    people = [job(each) for each in ("a", "a", "b", "b", "c", "c")]
    assert remembered.find_old(people, job("c")) == {people[0].id, people[2].id}
