"""A Space that is lent a GPU call by call (ZeroGPU): models of the Hub work on it, those that ship on the processor.

The package `spaces` runs a decorated generator in a process of its own, forked when the GPU is granted. A model is
loaded into the main memory before and moved to the GPU there; what it yields comes back chunk by chunk. Elsewhere
nothing of this is imported.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from models.errors import ModelError
from models.hub.spec import ModelSpec
from models.machine import is_zero_gpu
from models.registry.registry import Registry
from models.registry.timing import FRAME_AND_STEP, RequestTimings, measure_work

MOVE_S = 15.0  # to bring a model to the GPU
LEAST_S, MOST_S = 20, 120  # what is asked for; a free account is granted no more at once
SPARE = 1.5  # how much longer than expected a request may take
GUESS_S = {"character": 0.15, "bar": 3.0, FRAME_AND_STEP: 0.05, "request": 60.0}  # before anything was measured
BUSY = "The Space's GPU is not to be had just now"

Task = Callable[[Any], Iterator[Any]]


def attach(registry: Registry) -> None:
    """Let the registry's Hub models work on the lent GPU; call it before torch is used, on ZeroGPU alone."""
    if is_zero_gpu():
        registry.runner = LentGpu(registry.timings).run


def seconds_for(request: Any, expected_s: float | None = None) -> int:
    """Tell how long the GPU is asked for: from what was measured, or from the size of the request."""
    work = measure_work(request)
    if expected_s is None and work is not None:
        expected_s = GUESS_S.get(work[0], 60.0) * work[1]
    return round(min(MOST_S, max(LEAST_S, MOVE_S + SPARE * (60.0 if expected_s is None else expected_s))))


class LentGpu:
    """Runs requests on the GPU that `spaces` lends."""

    def __init__(self, timings: RequestTimings) -> None:
        import spaces

        self._timings = timings
        self._lend = spaces.GPU
        self._tasks: weakref.WeakKeyDictionary[Any, Task] = weakref.WeakKeyDictionary()
        spaces.GPU(_nothing)  # a Space wants to find one such function when it starts

    def run(self, model: Any, request: Any, spec: ModelSpec) -> Iterator[Any]:
        """Return the chunks of one request.

        Raises:
            ModelError: of the kind "quota" where no GPU is granted; or whatever the model itself raised.
        """
        if not hasattr(model, "to_gpu"):  # the studio's own networks are at home on the processor
            yield from model.stream(request)
            return
        task = self._tasks.get(model)
        if task is None:
            task = self._tasks[model] = self._lend(self._task(model), duration=self._duration(spec.key))
        try:
            for chunk in task(request):
                if isinstance(chunk, ModelError):
                    raise chunk
                yield chunk
        except Exception as error:
            if isinstance(error, ModelError) or type(error).__module__.partition(".")[0] not in {"gradio", "spaces"}:
                raise
            raise explained(error, spec) from error

    @staticmethod
    def _task(model: Any) -> Task:
        """Make a generator function for this model alone: the process is forked after the model was loaded."""
        known = weakref.ref(model)

        def on_gpu(request: Any) -> Iterator[Any]:
            here = known()
            if here is None:
                yield ModelError("The model was freed meanwhile. Try again.", "busy")
                return
            try:
                here.to_gpu()
                yield from here.stream(request)
            except (ModelError, ValueError) as error:  # other exceptions lose their words between the processes
                yield ModelError(str(error), getattr(error, "kind", "loader"))

        return on_gpu

    def _duration(self, key: str) -> Callable[[Any], int]:
        return lambda request: seconds_for(request, self._timings.estimate_s(key, request))


def explained(error: BaseException, spec: ModelSpec) -> ModelError:
    """Return what `spaces` said, as a sentence of the studio."""
    title = str(getattr(error, "title", ""))
    said = " ".join(re.sub(r"<[^>]*>", "", str(error)).split()).strip(" .'\"")
    if "worker" in title.lower():
        return ModelError(f"{spec.title} failed on the Space's GPU ({said}). Try again, or choose another.", "loader")
    return ModelError(f"{BUSY} ({said})." if said else f"{BUSY}.", "quota")


def _nothing(request: Any) -> Iterator[Any]:
    """Refuse to stream here: the copy in the lent process does."""
    yield request
