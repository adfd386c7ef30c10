"""Addresses for whoever looks after the machine: `/healthz`, `/readyz`, and `/metrics` for Prometheus.

The first two ask for no password and tell nothing but how it is; the third is protected as all else is.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import gradio as gr
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from models.contracts import Task
from models.registry.registry import Registry
from studio.library.store import Library
from studio.page.runs import MOST_WAITING, RunBoard

HEALTH, READY, METRICS = "/healthz", "/readyz", "/metrics"
FRESH = {"Cache-Control": "no-store"}


class StudioHealth(Collector):
    """What is told of a studio.

    Args:
        studio: the page, with its queue of calls; board: its runs.
    """

    def __init__(self, studio: gr.Blocks, registry: Registry, board: RunBoard, library: Library | None) -> None:
        self.studio, self.registry, self.board, self.library = studio, registry, board, library
        self.own = CollectorRegistry()
        self.own.register(self)

    def find_obstacles(self) -> list[str]:
        """Return why new work would not be taken just now; [] where it would."""
        found = []
        if not any(self.registry.state(spec.key) != "absent" for spec in self.registry.specs()):
            found.append("no model is on this machine")
        if self.board.count_runs()["waiting"] >= MOST_WAITING:
            found.append("too much waits already")
        if self.library is not None and not os.access(self.library.folder, os.W_OK):
            found.append("the library cannot be written")
        return found

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the metrics of this moment."""
        jobs = GaugeMetricFamily("auralume_jobs", "Work of the page and begun jobs, by state.", labels=["state"])
        for state, count in self.board.count_runs().items():
            jobs.add_metric([state], count)
        yield jobs
        calls = GaugeMetricFamily("auralume_calls", "Calls of programs, by state.", labels=["state"])
        queue: Any = self.studio._queue
        calls.add_metric(["waiting"], sum(len(each.queue) for each in queue.event_queue_per_concurrency_id.values()))
        calls.add_metric(["running"], sum(each is not None for each in queue.active_jobs))
        yield calls
        workers = GaugeMetricFamily("auralume_workers", "Workers, by state.", labels=["state"])
        for state, count in Counter(each.state for each in self.registry.home.list_workers()).items():
            workers.add_metric([state], count)
        yield workers
        yield from self._collect_models()
        yield from collect_gpus()

    def _collect_models(self) -> Iterator[GaugeMetricFamily]:
        loaded = [spec for spec in self.registry.specs() if self.registry.state(spec.key) == "ready"]
        counts, models = (
            Counter(spec.task for spec in loaded),
            GaugeMetricFamily("auralume_models_loaded", "Models in memory.", labels=["task"]),
        )
        for task in Task:
            models.add_metric([task], counts[task])
        yield models
        yield GaugeMetricFamily(
            "auralume_models_memory_bytes",
            "Memory of the loaded models, as the catalogue estimates it.",
            value=sum(spec.memory_mb for spec in loaded) * 1e6,
        )

    async def health(self, _request: Request) -> Response:
        """Say that the process answers."""
        return JSONResponse({"status": "ok"}, headers=FRESH)

    async def ready(self, _request: Request) -> Response:
        """Say whether new work would be taken: 200, or 503 and why not."""
        obstacles = await asyncio.to_thread(self.find_obstacles)
        said = {"status": "busy" if obstacles else "ready", "obstacles": obstacles}
        return JSONResponse(said, 503 if obstacles else 200, headers=FRESH)

    async def metrics(self, _request: Request) -> Response:
        """Tell Prometheus all there is to tell."""
        told = await asyncio.to_thread(lambda: generate_latest(REGISTRY) + generate_latest(self.own))
        return Response(told, media_type=CONTENT_TYPE_LATEST, headers=FRESH)


def collect_gpus() -> Iterator[GaugeMetricFamily]:
    """Yield the memory of every GPU; nothing before the first model has brought PyTorch."""
    torch: Any = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return
    memory = GaugeMetricFamily("auralume_gpu_memory_bytes", "Memory of a GPU.", labels=["gpu", "kind"])
    for number in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(number)
        memory.add_metric([str(number), "free"], free)
        memory.add_metric([str(number), "total"], total)
        memory.add_metric([str(number), "models"], torch.cuda.memory_allocated(number))
    yield memory


def routes(studio: gr.Blocks, registry: Registry, board: RunBoard, library: Library | None) -> list[Route]:
    """Return what to serve beside the page."""
    told = StudioHealth(studio, registry, board, library)
    return [
        Route(HEALTH, told.health, methods=["GET", "HEAD"]),
        Route(READY, told.ready, methods=["GET", "HEAD"]),
        Route(METRICS, told.metrics, methods=["GET"]),
    ]
