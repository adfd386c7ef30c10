"""Long work for programs: `/begin_job` returns an id at once, `/ask_job` tells how far it is, `/stop_job` ends it.

A job is the work of any other endpoint. It goes on while nobody asks; its results wait for an hour, and for as long as
the library keeps them where there is one.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from models.media.limits import MAX_UPLOAD_BYTES
from models.registry.registry import Registry
from studio.io import temp_folders
from studio.io.web_files import download
from studio.library.naming import title_of
from studio.library.owners import is_known, owner_of
from studio.library.store import Library
from studio.page import jobs
from studio.page.events import Events, Outcome, Problem, Report
from studio.page.fields import FieldList, Upload
from studio.page.given_files import HANDLE, cache_folder, find_given_file
from studio.page.keeping import Keeping
from studio.page.places import Places, Program
from studio.page.runs import BackgroundRun, RunBoard, new_job

LONGEST_WAIT_S = 60.0
LOOK_S = 0.2
UNKNOWN = "There is no job {!r}, or it ended more than an hour ago."
ABOUT_BEGIN = (
    "Begin a long job, the work of another tool, and return its id at once: {tool}. `arguments` is a JSON object of "
    "that tool's parameters. Ask for it with ask_job, end it with stop_job."
)
ABOUT_ASK = (
    "Tell how far a job is: its state (waiting, running, done, stopped or failed), what it does just now, the share "
    "that is done, and at the end the report, the finished files, and their handles, which other tools take."
)
ABOUT_STOP = "Stop a job that waits or runs."


class ToolRun(BackgroundRun):
    """The work of an endpoint, which a program asks for by its id.

    Attributes:
        outcome: what is finished of it.
    """

    outcome: Outcome

    @property
    def is_followed(self) -> bool:
        """Tell that nobody has to look at it: whoever has its id may ask later."""
        return self.is_open

    def tell(self, events: Events) -> None:
        """Keep files and report."""
        self.outcome.add(each for each in events if not isinstance(each, Problem))
        super().tell(events)


class ToolDesk:
    """Begins jobs on the board of a page and answers for them.

    Args:
        registry: has the models; library: keeps their results; None where there is none.
    """

    def __init__(self, registry: Registry, places: Places, board: RunBoard, library: Library | None) -> None:
        self.registry, self.places, self.board, self.library = registry, places, board, library
        self.stops = jobs.StopBoard()

    async def begin(self, headers: Mapping[str, str], tool: str, arguments: Any) -> dict[str, Any]:
        """Check the values and begin the work.

        Raises:
            ValueError: there is no such tool, a value is wrong, or too much waits already.
        """
        program = self.places.programs.get(tool)
        if program is None:
            raise ValueError(f"There is no tool {tool!r}; there are {', '.join(sorted(self.places.programs))}.")
        owner, values = owner_of(headers), program.fields.defaults() | program.fields.first_models(self.registry)
        values |= await self._take_files(program.fields, read_arguments(arguments), owner)
        program.fields.read(values)
        handle = secrets.token_hex(16)  # whoever has it may ask: programs send no cookie to know them by
        job = replace(new_job(owner, handle, f"/{tool}", 0, title_of(values, tool, tool), values), id=handle)
        uploads = {each.name: values.get(each.name) for each in program.fields.fields if isinstance(each, Upload)}
        given = {name: path for name, path in uploads.items() if isinstance(path, str)}
        offered = frozenset(program.results)
        keeping = Keeping(self.library, owner, tool, offered, given) if self.library and is_known(headers) else None
        run = ToolRun(job, self._steps(program, values), keeping, self.stops, frozenset(given.values()), offered)
        run.outcome = Outcome()
        self.board.submit("", run)
        return {"job": job.id}

    def _steps(self, program: Program, values: Mapping[str, Any]) -> Any:
        key = str(values.get("model") or "")

        def steps(name: str) -> Generator[Events]:
            def work(should_stop: Any) -> Generator[Events]:
                with temp_folders.held() as folder, closing(program.run(key, values, folder)) as made:
                    for events in made:
                        yield events
                        if any(isinstance(each, Report) for each in events):
                            return
                        if should_stop():
                            raise jobs.Stopped

            yield from jobs.run_stoppable(self.stops, name, work)

        return steps

    async def ask(self, job_id: str, wait_s: float) -> tuple[dict[str, Any], list[str]]:
        """Return what is told of a job, once it has ended or `wait_s` seconds have gone, and its finished files.

        Raises:
            ValueError: there is no such job, or it failed.
        """
        run = self._find(job_id)
        until = time.monotonic() + min(wait_s, LONGEST_WAIT_S)
        while not run.ended_s and time.monotonic() < until:
            await asyncio.sleep(LOOK_S)
        line = run.line
        if isinstance(line, Problem):
            raise ValueError(line.sentence)
        told = getattr(line, "html", None)
        said = {"job": job_id, "state": run.state, "what": str(getattr(told, "what", "Waiting for its turn"))}
        if not run.ended_s:
            return {**said, "share": getattr(told, "share", None)}, []
        files = [str(path) for path in dict.fromkeys(run.outcome.files.values()) if Path(path).is_file()]
        return {**said, "share": 1.0, "report": run.outcome.report, "handles": self._handles(run)}, files

    def _handles(self, run: BackgroundRun) -> list[str]:
        if self.library is None:
            return []
        items = [self.library.get(run.job.owner, each) for each in run.items]
        return [f"{HANDLE}{item.id}/{file.name}" for item in items for file in item.files]

    def stop(self, job_id: str) -> dict[str, Any]:
        """Stop a job.

        Raises:
            ValueError: there is no such job.
        """
        run = self._find(job_id)
        self.board.stop(run)
        return {"job": job_id, "state": run.state}

    def _find(self, job_id: str) -> ToolRun:
        run = self.board.find(job_id)
        if not isinstance(run, ToolRun):
            raise ValueError(UNKNOWN.format(job_id[:60]))
        return run

    async def _take_files(self, fields: FieldList, values: dict[str, Any], owner: str) -> dict[str, Any]:
        """Return the values with paths for files."""
        for each in fields.fields:
            if each.holds_files and values.get(each.name):
                given = values[each.name]
                if isinstance(given, list):
                    values[each.name] = [await self._take_file(one, owner) for one in given]
                else:
                    values[each.name] = await self._take_file(given, owner)
        return values

    async def _take_file(self, given: Any, owner: str) -> str:
        address = given.get("path") if isinstance(given, dict) else given
        if not isinstance(address, str):
            raise ValueError(f"{str(given)[:100]!r} is no file.")
        found = find_given_file(address, self.library, owner)
        return str(found or await download(address, cache_folder(), MAX_UPLOAD_BYTES))


def read_arguments(given: Any) -> dict[str, Any]:
    """Return the arguments of a tool, a JSON object or its text.

    Raises:
        ValueError: they are none.
    """
    try:
        found = json.loads(given or "{}") if isinstance(given, str) else (given or {})
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ValueError('Arguments must be a JSON object, such as {"text": "Hello"}.')
    return dict(found)


def build(registry: Registry, places: Places, board: RunBoard, library: Library | None) -> None:
    """Register the three endpoints in the current Blocks."""
    if not places.programs:
        return
    desk, tools = ToolDesk(registry, places, board, library), sorted(places.programs)

    async def begin_job(request: gr.Request, tool: str, arguments: Any = None) -> Any:
        return await _answer(desk.begin(request.headers, tool, arguments))

    async def ask_job(job: str, wait_s: float = 0) -> Any:
        return await _answer(desk.ask(str(job), float(wait_s or 0)))

    async def stop_job(job: str) -> Any:
        async def stop() -> Any:
            return desk.stop(str(job))

        return await _answer(stop())

    begin_job.__doc__ = (
        f"{ABOUT_BEGIN.format(tool=', '.join(tools))}\n\nArgs:\n    tool: whose work it is\n"
        '    arguments: the parameters of that tool, such as {"text": "Hello"}'
    )
    ask_job.__doc__ = (
        f"{ABOUT_ASK}\n\nArgs:\n    job: its id\n    wait_s: seconds to wait for its end, from 0 to {LONGEST_WAIT_S:g}"
    )
    stop_job.__doc__ = f"{ABOUT_STOP}\n\nArgs:\n    job: its id"
    with gr.Column(visible=False):
        tool, arguments = gr.Textbox(label="tool"), gr.JSON(label="arguments")
        tool.api_info = lambda: {"type": "string", "enum": tools}  # type: ignore[method-assign]
        arguments.api_info = lambda: {"type": "object"}  # type: ignore[method-assign]
        job, wait_s = gr.Textbox(label="job"), gr.Number(0, label="wait_s", minimum=0, maximum=LONGEST_WAIT_S)
        told, files = gr.JSON(label="job"), gr.File(label="files", file_count="multiple")
        for function, inputs, outputs in (
            (begin_job, [tool, arguments], [told]),
            (ask_job, [job, wait_s], [told, files]),
            (stop_job, [job], [told]),
        ):
            gr.Button(f"/{function.__name__}").click(
                function, inputs, outputs, api_name=function.__name__, queue=False, show_progress="hidden"
            )


class JobProblem(gr.Error):
    """A sentence for a program, which reads the same however it is shown."""

    def __str__(self) -> str:
        return str(self.message)


async def _answer(work: Any) -> Any:
    try:
        return await work
    except Exception as error:
        raise JobProblem(jobs.sentence(error), print_exception=False) from error
