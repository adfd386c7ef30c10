"""Workers on the machines of a Ray cluster: one actor a loaded model, more of it while all are at work.

Ray places each actor where its GPU and memory are free, and its streaming generators bring the chunks. An actor that is
lost, or whose machine is, is begun anew wherever Ray finds room. The page stays outside: it is one process.
Ray: Moritz et al., "Ray: A Distributed Framework for Emerging AI Applications", OSDI 2018.
"""

from __future__ import annotations

import importlib.util
import logging
import math
import threading
from collections.abc import Callable, Mapping
from collections.abc import Generator as IteratorOf
from pathlib import Path
from typing import Any

from cachetools import LRUCache

from models.contracts import Generator
from models.errors import ModelError
from models.hub.spec import ModelSpec
from models.workers.contracts import ModelFacts, WorkerHealth, WorkerLost
from models.workers.host import HostSettings, WorkerHost
from models.workers.parcels import FileShelf, SentFile, pack_files, read_pieces, unpack_files
from models.workers.pool import WorkerPool
from models.workers.remote_model import RemoteModel

log = logging.getLogger(__name__)

NOT_INSTALLED = "--ray needs Ray. Install it with: pip install 'auralume[cluster]'"
AHEAD = 2  # chunks that an actor makes before they are taken
STREAMS_OF_AN_ACTOR = 16
PLACED_WITHIN_S = 120.0
SENT_FILES = 64  # that stay in the cluster's memory
MB = 10**6


class FileSender:
    """Puts files of this machine into the cluster's memory, each once as long as it is wanted again and again."""

    def __init__(self) -> None:
        self._sent: LRUCache[tuple[str, int, int], SentFile] = LRUCache(SENT_FILES)
        self._lock = threading.Lock()

    def send(self, path: Path) -> SentFile:
        """Return what stands for a file on its way."""
        import ray

        facts = path.stat()
        key = str(path), facts.st_mtime_ns, facts.st_size
        with self._lock:
            found = self._sent.get(key)
            if found is None:
                digest, pieces = read_pieces(path)
                found = SentFile(path.name, digest, tuple(ray.put(piece) for piece in pieces))
                self._sent[key] = found
            return found


class ActorHost(WorkerHost):
    """What an actor is; requests come to it with their files, and it also tells where it is."""

    def __init__(self, settings: HostSettings) -> None:
        import ray

        super().__init__(settings)
        self._files = FileShelf(ray.get)

    def unpack(self, request: Any) -> Any:
        """Write the files of a request here."""
        return unpack_files(request, self._files.receive)

    def find_machine(self) -> str:
        """Return the address of the machine that it runs on."""
        import ray

        return str(ray.util.get_node_ip_address())


class RayWorker:
    """A worker that is an actor of its own for one model, begun when it is first wanted, and again when it was lost."""

    def __init__(
        self, name: str, spec: ModelSpec, settings: HostSettings, has_gpu: bool, sender: FileSender
    ) -> None:  # fmt: skip
        self.name, self.has_gpu, self.losses = name, has_gpu, 0
        self._spec, self._settings, self._sender = spec, settings, sender
        self._lock = threading.Lock()
        self._actor: Any = None
        self._machine = ""

    def load(self, spec: ModelSpec) -> ModelFacts:
        """Have the model ready there."""
        facts: ModelFacts = self._ask(lambda actor: actor.load.remote(spec))
        self._machine = self._ask(lambda actor: actor.find_machine.remote())
        return facts

    def stream(self, spec: ModelSpec, request: Any) -> IteratorOf[Any, None, None]:
        """Yield the chunks of one request."""
        import ray

        how = {"num_returns": "streaming", "_generator_backpressure_num_objects": AHEAD}
        actor = self._open()
        pieces = actor.stream.options(**how).remote(spec, pack_files(request, self._sender.send))
        is_whole = False
        try:
            while True:
                try:
                    chunk = ray.get(next(pieces))
                except StopIteration:
                    is_whole = True
                    return
                except Exception as error:
                    is_whole = True
                    raise self._explain(error, actor) from error
                yield chunk
        finally:
            if not is_whole:
                ray.cancel(pieces)

    def free(self, key: str) -> None:
        """End the actor, which holds this one model."""
        if key == self._spec.key:
            self.close()

    def check_health(self) -> WorkerHealth:
        """Tell how it is."""
        if self._actor is None:
            return WorkerHealth(self.name, self._machine, "lost" if self.losses else "asleep", losses=self.losses)
        return WorkerHealth(self.name, self._machine, "ready", (self._spec.key,), losses=self.losses)

    def close(self) -> None:
        """End the actor."""
        import ray

        with self._lock:
            actor, self._actor = self._actor, None
        if actor is not None and ray.is_initialized():
            ray.kill(actor)

    def _open(self) -> Any:
        import ray

        with self._lock:
            if self._actor is None:
                needs = {"num_gpus": int(self.has_gpu), "num_cpus": 1, "memory": self._spec.memory_mb * MB}
                options = {"max_concurrency": STREAMS_OF_AN_ACTOR, "scheduling_strategy": "SPREAD", **needs}
                self._actor = ray.remote(ActorHost).options(**options).remote(self._settings)
            return self._actor

    def _ask(self, work: Callable[[Any], Any]) -> Any:
        """Call the actor and wait.

        Raises:
            WorkerLost: it is gone.
            ModelError: no machine has room for it.
        """
        import ray

        actor = self._open()
        try:
            ray.get(actor.list_loaded.remote(), timeout=PLACED_WITHIN_S)
            return ray.get(work(actor))
        except Exception as error:
            raise self._explain(error, actor) from error

    def _explain(self, error: Exception, actor: Any) -> Exception:
        """Return what an error of Ray means; that of the model itself is the cause of a failed task."""
        from ray import exceptions

        if isinstance(error, exceptions.GetTimeoutError):
            self.close()
            return ModelError(f"No machine of the cluster has room for {self._spec.title} just now.", "busy")
        if isinstance(error, exceptions.RayTaskError):
            cause: Exception = error.cause
            return cause
        if isinstance(error, exceptions.RayError):
            with self._lock:
                if self._actor is actor:
                    self._actor, self.losses = None, self.losses + 1
            return WorkerLost(self.name)
        return error


class RayCluster:
    """A home on a Ray cluster.

    Args:
        address: "auto" for the cluster of this machine, begun here where there is none, or that of its head.
        settings: of every actor's registry.
        options: further arguments of `ray.init`.

    Raises:
        ValueError: Ray is not installed, or the cluster cannot be reached.
    """

    def __init__(self, address: str, settings: HostSettings, timeout_s: float = 600.0, **options: Any) -> None:
        if importlib.util.find_spec("ray") is None:
            raise ValueError(NOT_INSTALLED)
        import ray

        self._settings, self._timeout_s = settings, timeout_s
        self._pools: dict[str, WorkerPool] = {}
        self._sender = FileSender()
        common = {"log_to_driver": False, "configure_logging": False, **options}
        try:
            if not ray.is_initialized():
                try:
                    ray.init(address=address, **common)
                except ConnectionError:
                    if address != "auto":
                        raise
                    ray.init(include_dashboard=False, **common)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ValueError(f"The Ray cluster {address} cannot be reached ({error}).") from error

    @property
    def brings_gpu(self) -> bool:
        """Return whether a machine of the cluster has a GPU."""
        import ray

        return bool(ray.cluster_resources().get("GPU", 0) >= 1)

    @property
    def places(self) -> int:
        """Return how many models can be worked on side by side: the GPUs of the cluster, or else its processors."""
        import ray

        has = ray.cluster_resources()
        return max(1, int(has.get("GPU", 0)) or int(has.get("CPU", 1)))

    def build(self, spec: ModelSpec, files: Mapping[str, Path]) -> Generator:
        """Load a model on one machine; return what stands for it here."""
        import ray

        has_gpu = (spec.needs_gpu or bool(spec.backend)) and self.brings_gpu
        count = 0

        def begin() -> RayWorker:
            nonlocal count
            count += 1
            return RayWorker(f"{spec.key} {count}", spec, self._settings, has_gpu, self._sender)

        def grow() -> RayWorker | None:
            free = ray.available_resources()
            fits = free.get("memory", 0) >= spec.memory_mb * MB and free.get("CPU", 0) >= 1
            return begin() if fits and (not has_gpu or free.get("GPU", 0) >= 1) else None

        pool = self._pools[spec.key] = WorkerPool([begin()], grow, self._timeout_s)
        return RemoteModel(pool, spec, files)

    def list_workers(self) -> tuple[WorkerHealth, ...]:
        """Return the machines that hold nothing yet, and every actor."""
        import ray

        actors = [each for pool in tuple(self._pools.values()) for each in pool.list_workers()]
        working = {each.machine for each in actors}
        nodes = [each for each in ray.nodes() if each["Alive"] and each["NodeManagerAddress"] not in working]
        idle = [WorkerHealth(_name_node(each), each["NodeManagerAddress"], "asleep") for each in nodes]
        return (*actors, *idle)

    def close(self) -> None:
        """End all actors and leave the cluster."""
        import ray

        for pool in self._pools.values():
            pool.close()
        ray.shutdown()


def _name_node(node: Mapping[str, Any]) -> str:
    """Say what a machine has."""
    has = node["Resources"]
    parts = [f"{math.floor(has[kind])} {kind}" for kind in ("GPU", "CPU") if has.get(kind, 0) >= 1]
    return ", ".join(parts) or "nothing to compute with"
