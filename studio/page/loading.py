"""A model on its way to a tab: its progress as status lines, or silently for a program."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any, TypeVar

from models.errors import ModelError
from models.registry.registry import Registry
from studio.page import html, jobs

Result = TypeVar("Result")


def load_for_page(
    registry: Registry, key: str, should_stop: Callable[[], bool] = lambda: False
) -> Generator[dict[str, Any], None, Any]:
    """Yield {"status": ...} while it loads; returns the model. Raises as `jobs.load_model` does."""
    loading = jobs.load_model(lambda report: registry.load(key, report), should_stop)
    while True:
        try:
            yield {"status": html.status(*jobs.describe(next(loading)))}
        except StopIteration as end:
            return end.value


def silently(work: Generator[Any, None, Result]) -> Generator[None, None, Result]:
    """The same work, yielding None at each of its steps: a caller who leaves is noticed at a yield."""
    with closing(work):
        while True:
            try:
                next(work)
            except StopIteration as end:
                return end.value
            yield None


def for_page(
    stops: jobs.StopBoard,
    name: str,
    work: Callable[[Callable[[], bool]], Iterator[dict[str, Any]]],
    stopped: str = "Stopped",
    **also: Any,
) -> Iterator[dict[str, Any]]:
    """The updates of `work(should_stop)`, which Stop can end; failures are a status, never an exception.

    Args:
        name: of the work on the board.
        stopped: what the status says after Stop.
        also: other values that go with the status of stopped or failed work.

    """
    flag = stops.begin(name)
    try:
        yield from work(flag.is_set)
    except jobs.Stopped:
        yield {"status": html.finished(stopped), **also}
    except Exception as error:
        yield {"status": html.problem(jobs.sentence(error)), **also}
    finally:
        stops.end(name)


def or_shipped(
    registry: Registry, key: str, work: Callable[[str], Iterator[dict[str, Any]]]
) -> Iterator[dict[str, Any]]:
    """The updates of `work(key)`; where a lent GPU is not granted, those of the model that ships for the same task.

    The page is told, in a note that stays. Whatever else fails is raised.
    """
    try:
        yield from work(key)
        return
    except ModelError as error:
        shipped = next((spec for spec in registry.specs(registry.get(key).task) if not spec.is_remote), None)
        if error.kind != "quota" or shipped is None or shipped.key == key:
            raise
        said = f"{error} So {shipped.title}, which ships with the studio, made this on the processor."
    yield {"status": html.status(f"No GPU just now; {shipped.title} begins")}
    for update in work(shipped.key):
        told = {"notes": html.notes([said]) + str(update["notes"] or "")} if "notes" in update else {}
        yield update | told
