"""Which home the models of a registry get."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from models.registry.registry import Registry
from models.workers.host import HostSettings


def settle(registry: Registry, workers: str | None, cluster: str | None = None) -> None:
    """Give a registry the home that the command line names, the process of the page where it names none.

    Args:
        workers: see `use_processes`; cluster: see `use_cluster`.

    Raises:
        ValueError: what is named cannot be.
    """
    if workers and cluster:
        raise ValueError("--workers and --ray are two ways to do the same; choose one.")
    if workers:
        use_processes(registry, workers)
    elif cluster:
        use_cluster(registry, cluster)


def use_processes(registry: Registry, text: str) -> None:
    """Let a registry's models live in the processes that `text` names; call it before the first is loaded.

    What the models may take of this machine's memory is shared out among the processes.

    Raises:
        ValueError: it names no workers, see `processes.read_slots`.
    """
    from models.workers.processes import LocalProcesses, read_slots

    slots = read_slots(text)
    registry.memory_budget_mb /= len(slots)
    settings = _settings_of(registry, registry.memory_budget_mb, registry.weights_dir)
    registry.home = LocalProcesses(slots, settings, registry.busy_timeout_s)


def use_cluster(registry: Registry, address: str, weights_dir: Path | None = None, **options: Any) -> None:
    """Let a registry's models live on a Ray cluster; call it before the first is loaded.

    Each machine measures its own memory, so this one's no longer limits what can be loaded.

    Args:
        address: "auto", or that of the cluster's head; options: further arguments of `ray.init`.
        weights_dir: where every machine has the bundled files; None is where it is installed.

    Raises:
        ValueError: Ray is not installed, or the cluster cannot be reached.
    """
    from models.workers.ray_home import RayCluster

    registry.home = RayCluster(address, _settings_of(registry, None, weights_dir), registry.busy_timeout_s, **options)
    registry.memory_budget_mb = math.inf


def _settings_of(registry: Registry, budget_mb: float | None, weights_dir: Path | None) -> HostSettings:
    cache = None if registry.cache_dir is None else str(registry.cache_dir)
    return HostSettings(budget_mb, cache, weights_dir, registry.endpoint, registry.offline)
