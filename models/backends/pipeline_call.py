"""Call a diffusers pipeline with only what its signature knows, with progress after every step, and a way to stop."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

OnStep = Callable[[int, Any], None]


def call_pipeline(pipeline: Any, wanted: dict[str, Any], on_step: OnStep) -> Any:
    """Run a pipeline; where it tells no steps, its scheduler does.

    Args:
        wanted: arguments by name; those that the pipeline's call does not know are left out, and None is its default.
        on_step: told how many steps are done, and the latents; what it raises ends the work.
    """
    known = inspect.signature(pipeline.__call__).parameters
    given = {name: value for name, value in wanted.items() if name in known and value is not None}
    watching: AbstractContextManager[None] = nullcontext()
    if "callback_on_step_end" in known:

        def report_step(_pipeline: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            on_step(step + 1, tensors.get("latents"))
            return tensors

        given["callback_on_step_end"] = report_step
    elif "callback" in known:
        given["callback"] = lambda step, _timestep, latents: on_step(step + 1, latents)
    else:
        watching = _watch_scheduler(pipeline.scheduler, on_step)
    pipeline.set_progress_bar_config(disable=True)
    with watching:
        return pipeline(**given)


@contextmanager
def _watch_scheduler(scheduler: Any, on_step: OnStep) -> Iterator[None]:
    """Tell the steps of a scheduler, and the latents after each."""
    take_step, done = scheduler.step, 0

    def watched(*given: Any, **options: Any) -> Any:
        nonlocal done
        result = take_step(*given, **options)
        done += 1
        on_step(done, result[0] if isinstance(result, tuple) else result.prev_sample)
        return result

    scheduler.step = watched
    try:
        yield
    finally:
        del scheduler.step


def read_default(pipeline: Any, name: str, fallback: Any) -> Any:
    """Return the default of an argument of the pipeline's call, or `fallback` where it has none."""
    parameter = inspect.signature(pipeline.__call__).parameters.get(name)
    has_value = parameter is not None and parameter.default not in (None, inspect.Parameter.empty)
    return parameter.default if parameter is not None and has_value else fallback


def accepts(pipeline: Any, name: str) -> bool:
    """Return whether the pipeline's call has an argument of this name."""
    return name in inspect.signature(pipeline.__call__).parameters
