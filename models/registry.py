"""The registry: find, download, check, load, share and free models.

One registry serves all tabs and all users. A model is loaded once and shared; two users who ask for it together wait
for one download and one load. What is loaded stays until its memory is wanted: then those idle for longest are freed.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from models import hub as hub_files
from models.contracts import Generator, Progress
from models.errors import Cancelled, ModelError
from models.hub import Hub, HubFile, OnProgress
from models.loading import build, failed
from models.memory import available_memory_mb
from models.spec import Bundled, ModelSpec

__all__ = ["Bundled", "Hub", "HubFile", "ModelError", "ModelSpec", "Registry", "SharedModel"]

LOADING = "loading"
WEIGHTS_DIR = Path(__file__).parent / "weights"
MEMORY_SHARE = 0.7  # of what is free at the start; the rest is for requests, plots and other programs

State = Literal["ready", "here", "absent"]


class SharedModel:
    """A loaded model, shared by all who asked for it; one stream runs at a time.

    Attributes:
        spec: its catalogue entry.
    """

    def __init__(self, registry: Registry, spec: ModelSpec, model: Generator) -> None:
        self.spec = spec
        self._registry = registry
        self._model: Generator | None = model
        self._streaming = threading.Lock()  # not re-entrant, and released by whichever thread ends the stream
        self._users = 0  # streams running or waiting; guarded by the registry's lock

    @property
    def model(self) -> Any:
        """The generator itself, for facts that do not change while it runs.

        Raises:
            ModelError: the registry has freed it; load it again.
        """
        if self._model is None:
            raise ModelError(f"{self.spec.title} was freed to make room for another model. Try again.", "busy")
        return self._model

    @contextmanager
    def held(self) -> Iterator[Any]:
        """The generator itself, which is not freed inside the `with`; others may use it meanwhile.

        For work without end that uses a model's parts, which must bear several users at once.

        Raises:
            ModelError: it was freed since it was handed out and could not be loaded again.
        """
        if not self._registry._begin_use(self):
            with self._registry.load(self.spec.key).held() as model:
                yield model
            return
        try:
            yield self.model
        finally:
            self._registry._end_use(self)

    def stream(self, request: Any) -> Iterator[Any]:
        """Yield the chunks of one request, holding the model from the first chunk to the last.

        Others wait their turn meanwhile, and the model is not freed. Closing the generator closes the model's own and
        lets the next one in. If the model was freed since it was handed out, it is loaded again first.

        Raises:
            ModelError: it stayed busy for too long, or could not be loaded again.
        """
        if not self._registry._begin_use(self):
            yield from self._registry.load(self.spec.key).stream(request)
            return
        try:
            if not self._streaming.acquire(timeout=self._registry.busy_timeout_s):
                raise ModelError(f"{self.spec.title} is busy with another person's request. Try again later.", "busy")
            try:
                chunks = self.model.stream(request)
                try:
                    yield from chunks
                finally:
                    close = getattr(chunks, "close", None)
                    if close is not None:
                        close()
            finally:
                self._streaming.release()
        finally:
            self._registry._end_use(self)


class _Job:
    """One download and load, watched by everyone who asked for it."""

    def __init__(self) -> None:
        self.watchers = 0  # guarded by the registry's lock, like `cancelled`
        self.cancelled = False
        self._changed = threading.Condition()
        self._progress: Progress | None = None
        self._model: SharedModel | None = None
        self._error: ModelError | None = None

    def report(self, progress: Progress) -> None:
        """Called by the worker; raises Cancelled once nobody waits any more."""
        if self.cancelled:
            raise Cancelled
        with self._changed:
            self._progress = progress
            self._changed.notify_all()

    def finish(self, model: SharedModel | None, error: ModelError | None) -> None:
        with self._changed:
            self._model, self._error = model, error
            self._changed.notify_all()

    def wait(self, on_progress: OnProgress | None) -> SharedModel:
        """Follow the job in the caller's own thread until it ends; every watcher gets an error of its own."""
        seen: Progress | None = None
        while True:
            with self._changed:
                while not (self._model or self._error) and self._progress is seen:
                    self._changed.wait()
                model, error, seen = self._model, self._error, self._progress
            if on_progress is not None and seen is not None:
                on_progress(seen)
            if model is not None:
                return model
            if error is not None:
                raise ModelError(str(error), error.kind) from error.__cause__


class Registry:
    """All models of the catalogue and those that are loaded.

    Args:
        specs: the catalogue.
        cache_dir: where downloads are kept; None is the Hub cache that all programs share.
        memory_budget_mb: for all loaded models together; None is MEMORY_SHARE of what is free now.
        weights_dir: where bundled files are.
        endpoint: address of the Hub; None is HF_ENDPOINT or huggingface.co.
        offline: never use the network; None follows HF_HUB_OFFLINE.
        busy_timeout_s: how long a stream waits for the one before it.

    Raises:
        ValueError: two specs have the same key.
    """

    def __init__(
        self,
        specs: Iterable[ModelSpec],
        cache_dir: Path | str | None = None,
        memory_budget_mb: float | None = None,
        *,
        weights_dir: Path = WEIGHTS_DIR,
        endpoint: str | None = None,
        offline: bool | None = None,
        busy_timeout_s: float = 600.0,
    ) -> None:
        self._specs: dict[str, ModelSpec] = {}
        for spec in specs:
            if spec.key in self._specs:
                raise ValueError(f"key {spec.key!r} is in the catalogue twice.")
            self._specs[spec.key] = spec
        self.cache_dir = cache_dir
        self.memory_budget_mb = MEMORY_SHARE * available_memory_mb() if memory_budget_mb is None else memory_budget_mb
        self.weights_dir = weights_dir
        self.endpoint = endpoint
        self.offline = offline
        self.busy_timeout_s = busy_timeout_s
        self._lock = threading.Lock()  # guards the next two and every count of users and watchers; held briefly
        self._loaded: OrderedDict[str, SharedModel] = OrderedDict()  # least recently used first
        self._jobs: dict[str, _Job] = {}
        self._building = threading.Lock()  # one model is built at a time, so that the budget holds

    def specs(self, task: str | None = None) -> tuple[ModelSpec, ...]:
        """The catalogue in its order, or the part of it that serves one task."""
        return tuple(spec for spec in self._specs.values() if task in {None, spec.task})

    def get(self, key: str) -> ModelSpec:
        """The entry of a key.

        Raises:
            ModelError: there is none.
        """
        try:
            return self._specs[key]
        except KeyError:
            known = ", ".join(self._specs) or "none"
            raise ModelError(f"There is no model {key!r}. These are there: {known}.", "unknown-model") from None

    def state(self, key: str) -> State:
        """Whether a model is loaded ("ready"), on disk ("here") or still to be downloaded ("absent")."""
        spec = self.get(key)
        with self._lock:
            if key in self._loaded:
                return "ready"
        bundled = [self.weights_dir / name for source in spec.sources for name in _bundled_names(source)]
        absent = any(hub_files.missing_files(hub, self.cache_dir) for hub in spec.hubs)
        return "absent" if absent or not all(path.is_file() for path in bundled) else "here"

    def size_on_disk(self, key: str) -> int:
        """What the files of a model that are here take, in bytes."""
        spec = self.get(key)
        bundled = [self.weights_dir / name for source in spec.sources for name in _bundled_names(source)]
        shipped = sum(path.stat().st_size for path in bundled if path.is_file())
        return shipped + sum(hub_files.size_on_disk_bytes(hub, self.cache_dir) for hub in spec.hubs)

    def load(self, key: str, on_progress: OnProgress | None = None) -> SharedModel:
        """The ready model, downloaded and loaded first if need be.

        The work is done in a thread of its own; the caller's thread waits and is told of the progress. Callers who ask
        for the same model meanwhile share the work. If `on_progress` raises, only that caller leaves; when all have
        left, the download stops.

        Args:
            on_progress: told of the stages "downloading", "checking" (both in bytes) and "loading" (no total).

        Raises:
            ModelError: with a sentence to act on; asking again later is allowed.
        """
        spec = self.get(key)
        with self._lock:
            if key in self._loaded:
                self._loaded.move_to_end(key)
                return self._loaded[key]
            job = self._jobs.get(key)
            is_new = job is None or job.cancelled
            if job is None or is_new:
                job = self._jobs[key] = _Job()
            job.watchers += 1
        if is_new:
            threading.Thread(target=self._work, args=(spec, job), name=f"load {key}", daemon=True).start()
        try:
            return job.wait(on_progress)
        finally:
            with self._lock:
                job.watchers -= 1
                job.cancelled = job.watchers == 0

    def free(self, key: str) -> None:
        """Give a model's memory back; it stays on disk.

        Raises:
            ModelError: it is in use.
        """
        spec = self.get(key)
        with self._lock:
            shared = self._loaded.get(key)
            if shared is not None and shared._users:
                raise ModelError(f"{spec.title} is in use. Try again when it has finished.", "busy")
            if shared is not None:
                self._drop(shared)
        _collect()

    def delete(self, key: str) -> None:
        """Free a model and delete its download; files that another model on this disk needs are kept.

        Raises:
            ModelError: it is in use or being loaded, it ships with the studio, or a file cannot be deleted.
        """
        spec = self.get(key)
        if not spec.hubs:
            raise ModelError(f"{spec.title} ships with the studio and cannot be deleted.", "bundled")
        with self._lock:
            if key in self._jobs:
                raise ModelError(f"{spec.title} is being loaded. Try again when it is ready.", "busy")
        self.free(key)
        others = [other for other in self.specs() if other.key != key and self.state(other.key) != "absent"]
        needed = {
            (hub.repo_id, hub.revision, file.path) for other in others for hub in other.hubs for file in hub.files
        }
        for hub in spec.hubs:
            spare = [file for file in hub.files if (hub.repo_id, hub.revision, file.path) not in needed]
            hub_files.remove(hub, spare, self.cache_dir)

    def _work(self, spec: ModelSpec, job: _Job) -> None:
        """Download and build one model; runs in its own thread and always finishes the job."""
        shared: SharedModel | None = None
        problem: ModelError | None = None
        try:
            files = self._bring(spec, job.report)
            with self._building:
                job.report(Progress(LOADING, unit="model"))
                shared = self._loaded.get(spec.key)  # there already if a job that everyone had left went on to the end
                if shared is None:
                    self._make_room(spec)
                    shared = SharedModel(self, spec, build(spec, files))
                    with self._lock:
                        self._loaded[spec.key] = shared
        except ModelError as error:
            problem = error
        except BaseException as error:  # nobody may wait for ever, whatever happened here
            problem = failed(spec, error)
            problem.__cause__ = error
        with self._lock:
            if self._jobs.get(spec.key) is job:
                del self._jobs[spec.key]
        job.finish(shared, problem)

    def _bring(self, spec: ModelSpec, report: OnProgress) -> dict[str, Path]:
        """All files of a model by the names that its loader knows, downloading what is missing."""
        files: dict[str, Path] = {}
        waiting = {hub: sum(f.size_bytes for f in hub_files.missing_files(hub, self.cache_dir)) for hub in spec.hubs}
        for source in spec.sources:
            for name in _bundled_names(source):
                files[name] = self.weights_dir / name
                if not files[name].is_file():
                    raise ModelError(
                        f"The file {name} of {spec.title} is missing from the studio. Get the studio's files again.",
                        "weights",
                    )
            if isinstance(source, Hub):
                done = sum(waiting[hub] for hub in spec.hubs[: spec.hubs.index(source)])
                later = sum(waiting[hub] for hub in spec.hubs[spec.hubs.index(source) + 1 :])

                def over_all(progress: Progress, done: int = done, later: int = later) -> None:
                    report(Progress(progress.stage, done + progress.done, done + progress.total + later))

                paths = hub_files.fetch(
                    source, over_all, cache_dir=self.cache_dir, endpoint=self.endpoint, offline=self.offline
                )
                files.update({f"{source.repo_id}/{path}": found for path, found in paths.items()})
        return files

    def _make_room(self, spec: ModelSpec) -> None:
        """Free idle models, least recently used first, until this one fits the budget."""
        if spec.memory_mb > self.memory_budget_mb:
            raise ModelError(
                f"{spec.title} needs {spec.memory_mb:,} MB of memory and the studio may use "
                f"{self.memory_budget_mb:,.0f} MB. Choose a smaller model.",
                "memory",
            )
        with self._lock:
            idle = [shared for shared in self._loaded.values() if not shared._users]
            taken_mb = sum(shared.spec.memory_mb for shared in self._loaded.values())
            excess_mb = taken_mb + spec.memory_mb - self.memory_budget_mb
            if excess_mb > sum(shared.spec.memory_mb for shared in idle):
                raise ModelError(
                    f"{spec.title} needs {spec.memory_mb:,} MB of memory, which other models are using just now. "
                    "Try again when they have finished.",
                    "memory",
                )
            for shared in idle:
                if excess_mb <= 0:
                    break
                self._drop(shared)
                excess_mb -= shared.spec.memory_mb
        _collect()

    def _drop(self, shared: SharedModel) -> None:
        """Forget a model that nobody uses; the caller holds the lock."""
        del self._loaded[shared.spec.key]
        shared._model = None

    def _begin_use(self, shared: SharedModel) -> bool:
        """Count a stream in, unless the model has been freed."""
        with self._lock:
            if self._loaded.get(shared.spec.key) is not shared:
                return False
            shared._users += 1
            self._loaded.move_to_end(shared.spec.key)
            return True

    def _end_use(self, shared: SharedModel) -> None:
        with self._lock:
            shared._users -= 1


def _file_names(hub: Hub) -> list[tuple[str, str, str]]:
    return [(hub.repo_id, hub.revision, file.path) for file in hub.files]


def _bundled_names(source: Bundled | Hub) -> tuple[str, ...]:
    return source.files if isinstance(source, Bundled) else ()


def _collect() -> None:
    """Return the memory of dropped models to the system now rather than some time later."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
