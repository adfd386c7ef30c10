"""The registry: find, download, check, load, share and free models.

One registry serves all tabs and all users. A model is loaded once and shared; two users who ask for it together wait
for one download and one load. What is loaded stays until its memory is wanted: then those idle for longest are freed.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from models.backends.memory_plan import estimate_size, find_least
from models.contracts import Generator, Progress, Task, Voice
from models.errors import ModelError
from models.hub.download import Hub, HubFile, OnProgress
from models.hub.spec import Bundled, ModelSpec
from models.machine import has_gpu, measure_card_mb
from models.memory import measure_available_memory_mb, trim_heap
from models.registry.loading import SameProcess, loading_error
from models.registry.model_files import ModelFiles
from models.registry.protocols import Runner, StreamingModel
from models.registry.shared_model import LoadJob, SharedModel
from models.registry.timing import RequestTimings
from models.workers.contracts import ModelHome

__all__ = ["Bundled", "Hub", "HubFile", "ModelError", "ModelSpec", "Registry", "SharedModel"]

LOADING = "loading"
WEIGHTS_DIR = Path(__file__).resolve().parents[1] / "weights"
MEMORY_SHARE = 0.7  # of what is free at the start; the rest is for requests, plots and other programs

State = Literal["ready", "here", "absent"]


def _stream_locally(model: Generator, request: Any, spec: ModelSpec) -> Iterator[Any]:
    """Run a request in this process; a Space that is lent a GPU puts another runner in its place."""
    return model.stream(request)


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
        self._files = ModelFiles(weights_dir, cache_dir, endpoint, offline)
        self.cache_dir = cache_dir
        self.memory_budget_mb = (
            MEMORY_SHARE * measure_available_memory_mb() if memory_budget_mb is None else memory_budget_mb
        )
        self.weights_dir = weights_dir
        self.endpoint = endpoint
        self.offline = offline
        self.busy_timeout_s = busy_timeout_s
        self.on_change: Callable[[], None] | None = None  # told when entries come, go, or are listed
        self.runner: Runner = _stream_locally
        self.home: ModelHome = SameProcess()  # another is put here before the first model is loaded
        self.timings = RequestTimings()
        self._lock = threading.Lock()  # guards the next two and every count of users and watchers; held briefly
        # Least recently used first. No cache class fits: models in use stay, and several idle ones may go for one.
        self._loaded: OrderedDict[str, SharedModel] = OrderedDict()
        self._jobs: dict[str, LoadJob] = {}
        self._building = threading.Lock()  # one model is built at a time, so that the budget holds

    def specs(self, task: Task | None = None) -> tuple[ModelSpec, ...]:
        """Return the catalogue in its order, or the part of it that serves one task."""
        return tuple(spec for spec in tuple(self._specs.values()) if task in {None, spec.task})

    def default(self, task: Task, preferred: str = "") -> ModelSpec | None:
        """Return the model that a task begins with: the preferred one, else the catalogue's first; None for none."""
        specs = self.specs(task)
        return next((spec for spec in specs if spec.key == preferred), specs[0] if specs else None)

    def require_default(self, task: Task, preferred: str = "") -> ModelSpec:
        """Return the model that a task begins with.

        Raises:
            ModelError: no model serves this task.
        """
        spec = self.default(task, preferred)
        if spec is None:
            raise ModelError(
                f"There is no model for {task.replace('_', ' ')}. Add one in the Models tab.", "unknown-model"
            )
        return spec

    def get(self, key: str) -> ModelSpec:
        """Return the entry of a key.

        Raises:
            ModelError: there is none.
        """
        try:
            return self._specs[key]
        except KeyError:
            known = ", ".join(tuple(self._specs)) or "none"
            raise ModelError(f"There is no model {key!r}. These are there: {known}.", "unknown-model") from None

    def voices(self, key: str) -> tuple[Voice, ...]:
        """Return what a model can sound like: as the catalogue says, or as the loaded model itself knows."""
        spec = self.get(key)
        with self._lock:
            shared = self._loaded.get(key)
        return spec.voices or (shared.voices if shared is not None else ())

    def state(self, key: str) -> State:
        """Return whether a model is loaded ("ready"), on disk ("here") or still to be downloaded ("absent")."""
        spec = self.get(key)
        with self._lock:
            if key in self._loaded:
                return "ready"
        return "here" if self._files.are_here(spec) else "absent"

    def size_on_disk(self, key: str) -> int:
        """Return how many bytes the files of a model that are here take."""
        return self._files.count_bytes(self.get(key))

    def load(self, key: str, on_progress: OnProgress | None = None) -> SharedModel:
        """Return the ready model, downloading and loading it first if need be.

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
                job = self._jobs[key] = LoadJob()
            job.watchers += 1
        if is_new:
            threading.Thread(target=self._run_job, args=(spec, job), name=f"load {key}", daemon=True).start()
        try:
            return job.wait(on_progress)
        finally:
            with self._lock:
                job.watchers -= 1
                job.cancelled = job.watchers == 0

    def add(self, spec: ModelSpec) -> None:
        """Add an entry, or replace another one of the same key; one that is there already stays.

        Raises:
            ModelError: the one that is there is in use.
        """
        known = self._specs.get(spec.key)
        if known == spec:
            return
        if known is not None:
            self.free(spec.key)
        with self._lock:
            self._specs[spec.key] = spec
        self._notify_change()

    def remove(self, key: str) -> None:
        """Remove an added entry and delete its download; a person's own folder stays as it is.

        Raises:
            ModelError: it belongs to the catalogue, or is in use.
        """
        spec = self.get(key)
        if not spec.added:
            raise ModelError(f"{spec.title} belongs to the catalogue; only its download can be deleted.", "bundled")
        if spec.is_remote:
            self.delete(key)
        else:
            self.free(key)
        with self._lock:
            del self._specs[key]
        self._notify_change()

    def download(self, key: str, on_progress: OnProgress | None = None) -> None:
        """Bring a model's files here without loading it.

        Args:
            on_progress: told of the stages "downloading" and "checking"; it may raise `Cancelled` to stop.

        Raises:
            ModelError: as `load`.
        """
        self._files.fetch(self._list_files(self.get(key)), on_progress or (lambda _progress: None))

    def verify(self, key: str, on_progress: OnProgress | None = None) -> tuple[str, ...]:
        """Hash a model's downloaded files again; damaged ones are deleted.

        Returns:
            the paths that were damaged or are missing.
        """
        return self._files.verify(self.get(key), on_progress)

    def _list_files(self, spec: ModelSpec) -> ModelSpec:
        """Return the entry with its files named; the Hub is asked once."""
        if not spec.snapshots:
            return spec
        found = self._files.list_snapshots(spec)
        with self._lock:
            self._specs[spec.key] = found
        self._notify_change()
        return found

    def _notify_change(self) -> None:
        if self.on_change is not None:
            self.on_change()

    def free(self, key: str) -> None:
        """Give a model's memory back; it stays on disk.

        Raises:
            ModelError: it is in use.
        """
        spec = self.get(key)
        with self._lock:
            shared = self._loaded.get(key)
            if shared is not None and shared.users:
                raise ModelError(f"{spec.title} is in use. Try again when it has finished.", "busy")
            if shared is not None:
                self._drop(shared)
        _reclaim_memory()

    def delete(self, key: str) -> None:
        """Free a model and delete its download; files that another model on this disk needs are kept.

        Raises:
            ModelError: it is in use or being loaded, it ships with the studio, or a file cannot be deleted.
        """
        spec = self.get(key)
        if not spec.is_remote:
            whose = "lies in a folder of yours" if spec.added else "ships with the studio"
            raise ModelError(f"{spec.title} {whose} and cannot be deleted here.", "bundled")
        with self._lock:
            if key in self._jobs:
                raise ModelError(f"{spec.title} is being loaded. Try again when it is ready.", "busy")
        self.free(key)
        others = [other for other in self.specs() if other.key != key and self.state(other.key) != "absent"]
        self._files.delete(spec, others)

    def _run_job(self, spec: ModelSpec, job: LoadJob) -> None:
        """Download and build one model; runs in its own thread and always finishes the job."""
        shared: SharedModel | None = None
        problem: ModelError | None = None
        try:
            self._check_fits(spec)
            spec = self._list_files(spec)
            files = self._files.fetch(spec, job.report)
            with self._building:
                job.report(Progress(LOADING, unit="model"))
                shared = self._loaded.get(spec.key)  # there already if a job that everyone had left went on to the end
                if shared is None:
                    self._make_room(spec)
                    shared = SharedModel(self, spec, self.home.build(spec, files))
                    with self._lock:
                        self._loaded[spec.key] = shared
        except ModelError as error:
            problem = error
        except BaseException as error:  # nobody may wait for ever, whatever happened here
            problem = loading_error(spec, error)
            problem.__cause__ = error
        with self._lock:
            if self._jobs.get(spec.key) is job:
                del self._jobs[spec.key]
        job.finish(shared, problem)

    def find_obstacle(self, key: str) -> str:
        """Say in a sentence why this machine cannot run a model; "" where it can."""
        spec = self.get(key)
        if spec.needs_gpu and not self._has_gpu():
            return f"{spec.title} needs a GPU and this machine has none. Choose another model."
        card_mb, least = measure_card_mb(), self._find_least(spec)
        if card_mb is not None and least is not None and least[0] > card_mb:
            return (
                f"{spec.title} needs a GPU with {least[0]:,} MB of memory and this one has {card_mb:,.0f} MB. "
                "Choose a smaller model, or add it with a quantised file in the Models tab."
            )
        needed_mb = self._weigh(spec)
        if needed_mb > self.memory_budget_mb:
            return (
                f"{spec.title} needs {needed_mb:,} MB of memory and the studio may use "
                f"{self.memory_budget_mb:,.0f} MB. Choose a smaller model."
            )
        return ""

    def _find_least(self, spec: ModelSpec) -> tuple[int, int] | None:
        """Return the least (GPU, main memory) in MB that a pipeline takes on a machine with a GPU; else None."""
        size = estimate_size(spec) if has_gpu() else None
        return None if size is None else find_least(size)

    def _weigh(self, spec: ModelSpec) -> int:
        """Return the MB of main memory that a model takes; the least possible where the usual way takes too much."""
        least = self._find_least(spec)
        return spec.memory_mb if least is None or spec.memory_mb <= self.memory_budget_mb else least[1]

    def _check_fits(self, spec: ModelSpec) -> None:
        """Raise before anything is downloaded in vain."""
        reason = self.find_obstacle(spec.key)
        if reason:
            raise ModelError(reason, "gpu" if spec.needs_gpu and not self._has_gpu() else "memory")

    def _has_gpu(self) -> bool:
        return has_gpu() or self.home.brings_gpu

    def _make_room(self, spec: ModelSpec) -> None:
        """Free idle models, least recently used first, until this one fits the budget."""
        self._check_fits(spec)
        with self._lock:
            idle = [shared for shared in self._loaded.values() if not shared.users]
            taken_mb = sum(self._weigh(shared.spec) for shared in self._loaded.values())
            excess_mb = taken_mb + self._weigh(spec) - self.memory_budget_mb
            if excess_mb > sum(self._weigh(shared.spec) for shared in idle):
                raise ModelError(
                    f"{spec.title} needs {self._weigh(spec):,} MB of memory, which other models are using just now. "
                    "Try again when they have finished.",
                    "memory",
                )
            dropped = False
            for shared in idle:
                if excess_mb <= 0:
                    break
                self._drop(shared)
                excess_mb -= self._weigh(shared.spec)
                dropped = True
        if dropped:  # to look through all objects holds every thread up for some tenths of a second
            _reclaim_memory()

    def _drop(self, shared: SharedModel) -> None:
        """Forget a model that nobody uses; the caller holds the lock."""
        del self._loaded[shared.spec.key]
        shared.release()

    def begin_use(self, key: str, model: StreamingModel) -> bool:
        """Count a user of a loaded model in; return False if it has been freed."""
        with self._lock:
            shared = self._loaded.get(key)
            if shared is None or shared is not model:
                return False
            shared.users += 1
            self._loaded.move_to_end(key)
            return True

    def end_use(self, key: str) -> None:
        """Count a user out; a model in use is never freed, so it is still there."""
        with self._lock:
            self._loaded[key].users -= 1
            is_idle = not any(each.users for each in self._loaded.values())
        if is_idle:
            trim_heap()


def _reclaim_memory() -> None:
    """Return the memory of dropped models to the system now rather than some time later."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
