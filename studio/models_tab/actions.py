"""What the Models tab does, without its page: download, verify, delete, free, add and take off."""

from __future__ import annotations

from collections.abc import Callable, Generator
from html import escape
from math import isfinite

from models.contracts import Progress
from models.errors import Cancelled
from models.hub.spec import ModelSpec
from models.registry.registry import Registry
from studio.models_tab.workers import draw_workers
from studio.page import html, jobs, model_card, shelf
from studio.page.events import Events, Problem, ShelfChange, Status
from studio.page.shelf import TASKS, task_name

THROWN_AWAY = "Stopped; what was not complete was thrown away"


class ShelfActions:
    """Change the shelf for the tab; failures are events, never exceptions."""

    def __init__(self, registry: Registry, count_runs: Callable[[], dict[str, int]] = dict) -> None:
        self.registry, self.count_runs = registry, count_runs
        self.stops = jobs.StopBoard()

    def choices(self) -> list[tuple[str, str]]:
        """Return all models, by what they are for."""
        specs = sorted(
            self.registry.specs(), key=lambda spec: list(TASKS).index(spec.task) if spec.task in TASKS else 99
        )
        return [(f"{task_name(spec.task)} · {spec.title}", spec.key) for spec in specs]

    def usable(self, key: str) -> dict[str, bool]:
        """Return which buttons make sense for a model as it is now."""
        spec, state = self.registry.get(key), self.registry.state(key)
        return {
            "download": spec.is_remote and state == "absent" and not self.registry.find_obstacle(key),
            "verify": state != "absent",
            "free": state == "ready",
            "delete": spec.is_remote and self.registry.size_on_disk(key) > 0,  # also of what is half here
            "off": spec.added,
        }

    def download(self, session: str, key: str) -> Generator[Events]:
        """Bring a model's files here, with progress."""

        def load(report: Callable[[Progress], None]) -> None:
            def told(progress: Progress) -> None:
                try:
                    report(progress)
                except jobs.Stopped:
                    raise Cancelled from None  # what a download understands

            self.registry.download(key, told)

        def work(should_stop: Callable[[], bool]) -> Generator[Events]:
            shelf.check_open()
            spec = self.registry.get(key)
            if not spec.is_remote:
                yield (Status(html.finished(f"{spec.title} is on this machine already")),)
                return
            yield (Status(html.status("Asking the Hub")),)
            for progress in jobs.load_model(load, should_stop):
                yield (Status(html.status(*jobs.describe(progress))),)
            taken = model_card.sized(self.registry.size_on_disk(key) / 1e6)
            yield Status(html.finished(f"{spec.title} is here", f"{taken} on disk")), ShelfChange(key)

        yield from jobs.run_stoppable(self.stops, session, work, THROWN_AWAY, (ShelfChange(key),))

    def verify(self, session: str, key: str) -> Generator[Events]:
        """Hash a model's files again."""
        found: list[tuple[str, ...]] = []

        def check(report: Callable[[Progress], None]) -> None:
            found.append(self.registry.verify(key, report))

        def work(should_stop: Callable[[], bool]) -> Generator[Events]:
            shelf.check_open()  # damaged files are deleted
            yield (Status(html.status("Checking")),)
            for progress in jobs.load_model(check, should_stop):
                yield (Status(html.status(*jobs.describe(progress))),)
            yield Status(self._verdict(self.registry.get(key), found[0])), ShelfChange(key)

        yield from jobs.run_stoppable(self.stops, session, work)

    def _verdict(self, spec: ModelSpec, bad: tuple[str, ...]) -> str:
        if not bad:
            return html.finished(f"{spec.title} is complete and undamaged")
        if self.registry.size_on_disk(spec.key) == 0:
            return html.finished(f"{spec.title} is not on this machine")
        said = ", ".join(bad[:3]) + (f" and {len(bad) - 3} more" if len(bad) > 3 else "")
        return html.problem(f"{spec.title} lacks {said}; damaged files were deleted. Download it again.")

    def delete(self, key: str) -> Events:
        """Delete a model's download."""
        return self._change(key, self.registry.delete, "The download of {} is deleted")

    def free(self, key: str) -> Events:
        """Give a loaded model's memory back."""
        return self._change(key, self.registry.free, "The memory of {} is free again")

    def take_off(self, key: str) -> Events:
        """Take an added model off the shelf, with its download."""
        return self._change(key, self.registry.remove, "{} is off the shelf")

    def add(self, repository: str, revision: str, quantised: str = "") -> Generator[Events]:
        """Put a repository, or a folder of one's own, on the shelf."""
        try:
            shelf.check_open()
            yield (Status(html.status("Looking at it")),)
            spec = shelf.put_on_shelf(self.registry, repository, revision, quantised)
            yield Status(shelf.status_of_new(self.registry, spec)), ShelfChange(spec.key)
        except Exception as error:
            yield (Problem(jobs.sentence(error)),)

    def _change(self, key: str, work: Callable[[str], None], said: str) -> Events:
        try:
            shelf.check_open()
            title = self.registry.get(key).title
            work(key)
            return Status(html.finished(said.format(title))), ShelfChange(key)
        except Exception as error:
            return Problem(jobs.sentence(error)), ShelfChange(key)

    def overview(self) -> str:
        """Return all models as cards: what is here, what can be had."""
        parts, taken = [], [(spec, self.registry.size_on_disk(spec.key) / 1e6) for spec in self.registry.specs()]
        for task in dict.fromkeys(spec.task for spec, _ in taken):
            cards = "".join(self._card(spec, taken_mb) for spec, taken_mb in taken if spec.task == task)
            parts.append(f'<h3>{escape(task_name(task))}</h3><div class="cards">{cards}</div>')
        here_mb = sum(taken_mb for _, taken_mb in taken)
        budget_mb, workers = self.registry.memory_budget_mb, self.registry.home.list_workers()
        budget = f"{budget_mb:,.0f} MB of memory for models{' on each worker' if workers else ''}"
        budget = budget if isfinite(budget_mb) else "as much memory as each machine has"
        taken_said = f"{escape(model_card.sized(here_mb))} on disk"
        head = f'<div class="facts"><span>{taken_said}</span><span>{escape(budget)}</span></div>'
        at_work = draw_workers(workers, self.count_runs(), self._find_title) if workers else ""
        return f'<div class="overview">{head}{at_work}{"".join(parts)}</div>'

    def _find_title(self, key: str) -> str:
        """Return a model's title; of what is no entry of the shelf, as the drawer of shots, what its key says."""
        usual = key.partition("/")[2].replace("-", " ")
        return next((spec.title for spec in self.registry.specs() if spec.key == key), usual)

    def _card(self, spec: ModelSpec, taken_mb: float) -> str:
        state = self.registry.state(spec.key)
        reason = self.registry.find_obstacle(spec.key)
        words = {"ready": "loaded", "here": "here", "absent": "not downloaded"}[state]
        if reason and state == "absent":
            words = "needs a GPU" if model_card.lacks_gpu(spec) else "too big"
        dot = "far" if state == "absent" else "ready"
        is_here = taken_mb or state != "absent"  # what is drawn by rule has no files
        size = model_card.sized(taken_mb) if is_here else model_card.size(self.registry, spec)
        size = f"{size} {'on disk' if is_here else 'to download'}"
        use = "" if spec.commercial_use else "<span>not for commercial use</span>"
        return (
            f'<div class="model" data-key="{escape(spec.key)}" data-state="{state}"><div>'
            f'<span class="dot {dot}"></span>'
            f'<button type="button">{escape(spec.title)}</button> <i>{escape(words)}</i></div>'
            f'<div class="facts"><span>{escape(size)}</span><span>{escape(spec.licence)}</span>{use}</div></div>'
        )
