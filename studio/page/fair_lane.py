"""Whose turn it is where work waits: owners take turns, whoever has queued how much."""

from __future__ import annotations

from collections import Counter

from cachetools import LRUCache

from studio.page import html

REMEMBERED_OWNERS = 1024


class FairLane:
    """What runs and what waits of one kind of work.

    The first work of each owner comes before the second of any; among equals comes the owner who began one the longest
    ago, then who asked first. So an owner who queues a hundred holds up nobody else by more than one.
    """

    def __init__(self) -> None:
        self._running: dict[str, str] = {}  # work to its owner
        self._waiting: dict[str, str] = {}  # likewise, in the order of arrival
        self._begun: LRUCache[str, int] = LRUCache(REMEMBERED_OWNERS)  # by owner, the number of the last beginning
        self._beginnings = 0
        self._order: list[str] | None = None

    def add(self, work: str, owner: str) -> None:
        """Let work wait."""
        self._waiting[work] = owner
        self._order = None

    def begin(self, work: str, room: int) -> bool:
        """Let work begin where it is its turn and fewer than `room` run; tell whether it runs."""
        if work in self._waiting and len(self._running) < room and self.list_waiting()[0] == work:
            owner = self._running[work] = self._waiting.pop(work)
            self._beginnings += 1
            self._begun[owner] = self._beginnings
            self._order = None
        return work in self._running

    def count_before(self, work: str) -> int:
        """Return how many have their turn before work that waits."""
        return self.list_waiting().index(work)

    def leave(self, work: str) -> None:
        """Note that work has ended, or waits no longer."""
        self._running.pop(work, None)
        self._waiting.pop(work, None)
        self._order = None

    def list_waiting(self) -> list[str]:
        """Return what waits, in the order of turns as things are now."""
        if self._order is None:
            counts = Counter(self._running.values())
            places: dict[str, tuple[int, int, int]] = {}
            for at, (work, owner) in enumerate(self._waiting.items()):
                places[work] = counts[owner], self._begun.get(owner, 0), at
                counts[owner] += 1
            self._order = sorted(places, key=lambda work: places[work])
        return self._order


def say_place(before: int, room: int, usual_s: float | None) -> str:
    """Say how many have their turn before, and about how long that takes where `usual_s` of one is known."""
    place = "You are next" if not before else f"{before} {'is' if before == 1 else 'are'} before you"
    left = f", about {html.duration(usual_s * (before // room + 1))}" if usual_s else ""
    return f"Waiting for your turn: {place}{left}"
