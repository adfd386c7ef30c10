"""Turns at something that one can use at a time: who has used it least is next, and newcomers begin a little ahead.

The order is that of a fair scheduler by virtual time (Nagle, 1987; Demers et al., 1989): a short request that comes
while long ones run has its result after a few turns, and the long ones go on at equal shares.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

HEAD_START_S = 10.0  # of use that a newcomer, or one who comes back, has before the others' turn


class Ticket:
    """One user's account.

    Attributes:
        used_s: the seconds of use that count for the order.
        waited_s: the seconds that it has waited in all.
    """

    def __init__(self) -> None:
        self.used_s = 0.0
        self.waited_s = 0.0


class Turns:
    """Gives turns to the holders of tickets, one at a time."""

    def __init__(self, head_start_s: float = HEAD_START_S) -> None:
        self.head_start_s = head_start_s
        self._changed = threading.Condition()
        self._waiting: list[Ticket] = []  # in the order of arrival, which decides between equals
        self._now: Ticket | None = None
        self._fair_s = 0.0  # what a user would have used by now who had had an equal share all the time

    @contextmanager
    def take(self, ticket: Ticket, timeout_s: float) -> Iterator[None]:
        """Have the turn inside the `with`; the thread that leaves it must be the one that entered.

        Raises:
            TimeoutError: it did not come in time.
        """
        asked_s = time.monotonic()
        with self._changed:
            ticket.used_s = max(ticket.used_s, self._fair_s - self.head_start_s)
            self._waiting.append(ticket)
            try:
                came = self._changed.wait_for(lambda: self._is_next(ticket), timeout_s)
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
            began_s = time.monotonic()
            ticket.waited_s += began_s - asked_s
            if not came:
                raise TimeoutError
            self._now = ticket
        try:
            yield
        finally:
            with self._changed:
                used_s = time.monotonic() - began_s
                ticket.used_s += used_s
                self._fair_s += used_s / (1 + len(self._waiting))
                self._now = None
                self._changed.notify_all()

    def _is_next(self, ticket: Ticket) -> bool:
        return self._now is None and min(self._waiting, key=lambda each: each.used_s) is ticket
