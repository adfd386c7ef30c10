"""The workers of the studio as the Models tab shows them: where each is, what it holds, and what waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

from models.workers.contracts import WorkerHealth

STATES = {"asleep": "asleep until it is needed", "lost": "lost; it starts again when it is needed", "ready": "idle"}


def draw_workers(workers: Sequence[WorkerHealth], queue: Mapping[str, int], find_title: Callable[[str], str]) -> str:
    """Return the workers as cards, under a line about the queue.

    Args:
        queue: how many runs of the page are "running" and "waiting"; find_title: of a model, by its key.
    """
    told = f"{queue.get('running', 0)} running, {queue.get('waiting', 0)} waiting"
    cards = "".join(_draw_worker(each, find_title) for each in workers)
    return f'<h3>Workers</h3><div class="facts"><span>{told}</span></div><div class="cards">{cards}</div>'


def _draw_worker(worker: WorkerHealth, find_title: Callable[[str], str]) -> str:
    doing = f"at work on {worker.running}" if worker.running else STATES[worker.state]
    holds = ", ".join(find_title(key) for key in worker.loaded) or "no model loaded"
    lost = f"<span>lost {worker.losses} times</span>" if worker.losses > 1 else ""
    lost = "<span>lost once</span>" if worker.losses == 1 else lost
    dot = "ready" if worker.state == "ready" else ""
    return (
        f'<div class="model" data-worker="{escape(worker.name)}" data-state="{worker.state}"><div>'
        f'<span class="dot {dot}"></span><b>{escape(worker.name)}</b> <i>{escape(doing)}</i></div>'
        f'<div class="facts"><span>{escape(holds)}</span><span>{escape(worker.machine)}</span>{lost}</div></div>'
    )
