"""A model on its way to a tab: its progress as status lines, or silently for a program."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any, TypeVar

from models.registry import Registry
from studio import jobs, views

Result = TypeVar("Result")


def load_for_page(
    registry: Registry, key: str, should_stop: Callable[[], bool] = lambda: False
) -> Generator[dict[str, Any], None, Any]:
    """Yield {"status": ...} while it loads; returns the model. Raises as `jobs.load_model` does."""
    loading = jobs.load_model(lambda report: registry.load(key, report), should_stop)
    while True:
        try:
            yield {"status": views.status(*jobs.describe(next(loading)))}
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
