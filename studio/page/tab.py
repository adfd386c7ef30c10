"""What a tab's folder exports: its name, what it needs, and how it is built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from models.contracts import Task
from models.registry.registry import Registry


@dataclass(frozen=True)
class Tab:
    """One tab of the studio.

    Attributes:
        title: on the page.
        tasks: it appears when the registry has a model for one of them; () is always.
        build: lays the tab out in the current Blocks and wires it.
        routes: HTTP routes of its own, made once for a registry.
    """

    title: str
    tasks: tuple[Task, ...]
    build: Callable[[Registry], None]
    routes: Callable[[Registry], Sequence[Any]] | None = None

    @property
    def id(self) -> str:
        """Return the tab's name in addresses."""
        return self.title.lower().replace(" ", "-")

    def serves(self, registry: Registry) -> bool:
        """Tell whether the registry has what the tab needs."""
        return not self.tasks or any(registry.default(task) is not None for task in self.tasks)
