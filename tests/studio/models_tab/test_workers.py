"""The workers in the Models tab."""

from __future__ import annotations

import re
from pathlib import Path

from models.registry.loading import SameProcess
from models.registry.registry import Registry
from models.workers.contracts import WorkerHealth
from studio.models_tab.actions import ShelfActions
from studio.page import model_card
from tests.studio.debug_speech import debug_spec


class ThreeWorkers(SameProcess):
    """A home with a worker in each state."""

    def list_workers(self) -> tuple[WorkerHealth, ...]:
        return (
            WorkerHealth("gpu:0", "north", "ready", (debug_spec().key,), running=2),
            WorkerHealth("gpu:1", "north", "asleep"),
            WorkerHealth("<cpu>", "south", "lost", losses=3),
        )


def test_workers_say_where_they_are_what_they_hold_and_what_waits(tmp_path: Path) -> None:
    (tmp_path / "debug.bin").write_bytes(b"debug")
    registry = Registry((debug_spec(),), tmp_path / "cache", 500, weights_dir=tmp_path)
    actions = ShelfActions(registry, lambda: {"running": 2, "waiting": 5})
    assert "MB of memory (may use 500 MB)" in model_card.line(registry, debug_spec().key)
    assert "data-worker" not in actions.overview() and "500 MB of memory for models<" in actions.overview()
    registry.home = ThreeWorkers()
    shown = actions.overview()
    assert "2 running, 5 waiting" in shown and "500 MB of memory for models on each worker" in shown
    assert re.findall(r'data-worker="([^"]+)" data-state="(\w+)"', shown) == [
        ("gpu:0", "ready"), ("gpu:1", "asleep"), ("&lt;cpu&gt;", "lost"),
    ]  # fmt: skip
    assert "at work on 2" in shown and debug_spec().title in shown and "lost 3 times" in shown
    registry.memory_budget_mb = float("inf")
    assert "inf" not in actions.overview().replace("information", "")
    assert "MB of memory (" not in model_card.line(registry, debug_spec().key)
