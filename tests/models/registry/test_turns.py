"""Turns: the least used is next, newcomers begin a little ahead, and nobody is left waiting."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from models.registry import turns as turns_module
from models.registry.turns import Ticket, Turns
from tests.models.registry.counting_models import WAIT_S, wait_until


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(turns_module, "time", clock)
    return clock


def use(turns: Turns, clock: Clock, ticket: Ticket, seconds: float) -> None:
    with turns.take(ticket, WAIT_S):
        clock.now_s += seconds


def is_waited_by(turns: Turns, count: int) -> bool:
    return len(turns._waiting) == count


def order_of_waiting(turns: Turns, names: dict[str, Ticket]) -> list[str]:
    """Return in which order the holders of tickets have the turn who all wait while another has it."""
    order: list[str] = []
    lock = threading.Lock()

    def wait(name: str, ticket: Ticket) -> None:
        with turns.take(ticket, WAIT_S), lock:
            order.append(name)

    with ThreadPoolExecutor(len(names)) as pool, turns.take(Ticket(), WAIT_S):
        for count, (name, ticket) in enumerate(names.items(), 1):
            pool.submit(wait, name, ticket)
            wait_until(partial(is_waited_by, turns, count))
    return order


def test_the_least_used_is_next_and_equals_in_the_order_of_arrival(clock: Clock) -> None:
    turns, much, little = Turns(), Ticket(), Ticket()
    use(turns, clock, much, 5.0)
    use(turns, clock, little, 2.0)
    assert order_of_waiting(turns, {"much": much, "little": little}) == ["little", "much"]
    assert order_of_waiting(Turns(), {name: Ticket() for name in "dacb"}) == list("dacb")


def test_a_newcomer_is_ahead_by_the_head_start_and_no_more(clock: Clock) -> None:
    turns, long = Turns(head_start_s=3.0), Ticket()
    use(turns, clock, long, 20.0)
    new = Ticket()
    use(turns, clock, new, 1.0)
    assert new.used_s == pytest.approx(20.0 - 3.0 + 1.0)
    assert order_of_waiting(turns, {"long": long, "new": new}) == ["new", "long"]
    use(turns, clock, new, 10.0)
    use(turns, clock, long, 0.0)  # it was away meanwhile: its own head start is no longer than a newcomer's
    assert long.used_s == pytest.approx(31.0 - 3.0)


def test_newcomers_without_end_starve_nobody(clock: Clock) -> None:
    turns, long = Turns(head_start_s=3.0), Ticket()
    use(turns, clock, long, 10.0)
    for number in range(20):
        if order_of_waiting(turns, {"long": long, "new": Ticket()})[0] == "long":
            assert number > 1  # it was not its turn at once
            return
        use(turns, clock, Ticket(), 2.0)
    pytest.fail("the long one never had its turn")


def test_waiting_is_counted_and_has_an_end(clock: Clock) -> None:
    turns, first, second = Turns(), Ticket(), Ticket()
    with turns.take(first, WAIT_S):
        with pytest.raises(TimeoutError), turns.take(second, 0.01):
            pytest.fail("the turn was not free")
        assert not turns._waiting
    use(turns, clock, second, 1.0)
    assert second.used_s == 1.0


def test_a_turn_that_fails_is_given_back() -> None:
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns.take(Ticket(), WAIT_S):
        _ = 1 / 0
    with turns.take(Ticket(), 0.01):
        pass


def test_one_at_a_time_whatever_the_number_of_threads() -> None:
    turns, inside, most = Turns(), 0, 0

    def work() -> None:
        nonlocal inside, most
        ticket = Ticket()
        for _ in range(50):
            with turns.take(ticket, WAIT_S):
                inside += 1
                most = max(most, inside)
                inside -= 1

    with ThreadPoolExecutor(8) as pool:
        for each in [pool.submit(work) for _ in range(8)]:
            each.result(WAIT_S)
    assert most == 1
