"""Work that is spread over several places and comes back in its order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def work_in_order(
    items: Iterable[Item], work: Callable[[Item], Result], places: int, end: Callable[[], None] = lambda: None
) -> Generator[Result, None, None]:
    """Yield the results of `work` in the order of the items; so many are worked on side by side, each in a thread.

    With one place the caller's own thread does it, item by item. What an item raises is raised in its turn. Closing the
    iterator begins nothing more and waits for what runs.

    Args:
        end: called when nothing more is wanted, so that what runs can end itself.
    """
    if places == 1:
        yield from map(work, items)
        return
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(places, "auralume-side") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > places:  # one more than is worked on, so that a place is free for a moment only
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            end()
            for each in waiting:
                each.cancel()
