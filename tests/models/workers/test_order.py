"""Work over several places comes back in its order."""

from __future__ import annotations

import threading

import pytest

from models.workers.order import work_in_order

PATIENCE_S = 60.0


def test_results_come_in_order_while_several_are_worked_on() -> None:
    together = threading.Barrier(3)

    def work(item: int) -> int:
        together.wait(PATIENCE_S)  # breaks unless three are worked on at once
        return item * item

    assert list(work_in_order(range(9), work, 3)) == [each * each for each in range(9)]


def test_one_place_is_the_thread_of_the_caller_and_does_nothing_ahead() -> None:
    done: list[int] = []

    def work(item: int) -> str:
        done.append(item)
        return threading.current_thread().name

    results = work_in_order(range(5), work, 1)
    assert next(results) == threading.current_thread().name and done == [0]


def test_what_fails_is_raised_in_its_turn_and_ends_the_rest() -> None:
    ended = threading.Event()

    def work(item: int) -> int:
        if item == 1:
            raise ValueError("one is too many.")
        return item

    results = work_in_order(range(100), work, 2, ended.set)
    assert next(results) == 0
    with pytest.raises(ValueError, match="one is too many"):
        list(results)
    assert ended.is_set()
