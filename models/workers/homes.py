"""Which home the models of a registry get."""

from __future__ import annotations

from models.registry.registry import Registry
from models.workers.host import HostSettings


def settle(registry: Registry, workers: str | None) -> None:
    """Give a registry the home that the command line names, the process of the page where it names none.

    Raises:
        ValueError: what is named cannot be.
    """
    if workers:
        use_processes(registry, workers)


def use_processes(registry: Registry, text: str) -> None:
    """Let a registry's models live in the processes that `text` names; call it before the first is loaded.

    What the models may take of this machine's memory is shared out among the processes.

    Raises:
        ValueError: it names no workers, see `processes.read_slots`.
    """
    from models.workers.processes import LocalProcesses, read_slots

    slots = read_slots(text)
    registry.memory_budget_mb /= len(slots)
    registry.home = LocalProcesses(slots, _settings_of(registry, registry.memory_budget_mb), registry.busy_timeout_s)


def _settings_of(registry: Registry, budget_mb: float | None) -> HostSettings:
    folder = None if registry.cache_dir is None else str(registry.cache_dir)
    return HostSettings(budget_mb, folder, registry.weights_dir, registry.endpoint, registry.offline)
