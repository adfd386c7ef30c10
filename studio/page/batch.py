"""Many at once: a prompt a line, or a table, each with several seeds, into the queue and then into the library."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.page import html, jobs
from studio.page.components import QUIET, markup
from studio.page.fields import REQUIRED, FieldList, Upload
from studio.page.form import Form
from studio.page.keeping import library_of_page, owner_of_request
from studio.page.panels import Updates
from studio.page.places import places_of

MOST_LINES, MOST_SEEDS, MOST_RUNS = 100, 16, 200
HELP = (
    "{}; everything else is as it is set here. Or a table as CSV: the first line names controls, such as {}. "
    "What is made appears in the library; meanwhile you can go on."
)
EMPTY = "Write at least one line first."
MISSING = "{} is empty: choose a file there first."
ReadLine = Callable[[str], Mapping[str, Any]]  # a line of the box to values of controls
Lend = Callable[..., tuple[Any, ...]]  # values of further components to what every run of a batch gets of them


@dataclass(frozen=True)
class BatchBox:
    """The components of a form's batch."""

    lines: gr.Textbox
    seeds: gr.Slider
    start: gr.Button
    note: gr.HTML


def layout_batch(form: Form, columns: str, what: str = "One a line") -> BatchBox | None:
    """Make the box in the current column; none where no library keeps what it makes.

    Args:
        columns: names of two or three controls, as an example of a table's first line.
        what: says what a line is.
    """
    if library_of_page() is None:
        return None
    with gr.Accordion("Many at once", open=False, elem_classes="more"):
        lines = gr.Textbox(
            label="Many at once", info=HELP.format(what, columns), lines=4, max_lines=12, elem_id=f"{form.prefix}-batch"
        )
        with gr.Row(elem_classes="words-row"):
            seeds = gr.Slider(
                1, MOST_SEEDS, 1, step=1, label="Seeds for each", visible=form.keeps_seed is not None,
                elem_id=f"{form.prefix}-batch-seeds",
            )  # fmt: skip
            start = gr.Button("Queue them", elem_id=f"{form.prefix}-batch-start")
        note = markup("", elem_id=f"{form.prefix}-batch-note")
    return BatchBox(lines, seeds, start, note)


def wire_batch(
    form: Form,
    box: BatchBox | None,
    read_line: ReadLine,
    place: str = "",
    further: Sequence[Any] = (),
    lend: Lend | None = None,
) -> None:
    """Let the box put runs of the first button of the form into the queue.

    Args:
        read_line: from a line to values, where the box holds no table; raises ValueError with a sentence.
        place: of the runs, as `wire_run` names it; "" is the form's prefix.
        further: the components whose values follow the form's.
        lend: from their values to what all runs get of them, which may outlive the page; raises ValueError with a
            sentence. Without it every file that the form needs must be there.
    """
    if box is None:
        return
    places, count = places_of(), len(form.components)

    def queue(request: gr.Request, text: str, seeds: float, *row: Any) -> Updates:
        try:
            rows = read_batch(form.fields, text, read_line)
            times = max(1, min(int(seeds), MOST_SEEDS))
            if len(rows) * times > MOST_RUNS:
                raise ValueError(f"These are {len(rows) * times:,} runs; at most {MOST_RUNS} can be queued at once.")
            begin, owner = places.workplaces[place or form.prefix].begin, owner_of_request(request)
            shown = form.values(row[:count])
            if lend is None:
                check_files(form.fields, shown)
            lent = lend(*row[count:]) if lend is not None else ()
            for values in (dict(each) for each in rows for _ in range(times)):
                begin(owner, "", 0, shown | values, lent)
        except ValueError as error:
            return {box.note: html.problem(jobs.sentence(error))}
        total = len(rows) * times
        said = f"{total} {'is' if total == 1 else 'are'} in the queue", "each appears in the library once it is made"
        return {box.note: html.finished(*said)}

    box.start.click(queue, [box.lines, box.seeds, *form.components, *further], [box.note], **QUIET)


def check_files(fields: FieldList, values: Mapping[str, Any]) -> None:
    """Raise ValueError with a sentence where a file that the form needs is not there."""
    for each in fields.fields:
        if isinstance(each, Upload) and each.default is REQUIRED and not values.get(each.name):
            raise ValueError(MISSING.format(each.label))


def read_batch(fields: FieldList, text: str, read_line: ReadLine) -> list[dict[str, Any]]:
    """Return the values that each line sets, by the names of the controls.

    Raises:
        ValueError: there is none, there are too many, or one cannot be used; names its number.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise ValueError(EMPTY)
    columns = _find_columns(fields, lines[0])
    count = len(lines) - bool(columns)
    if not 0 < count <= MOST_LINES:
        raise ValueError(f"There are {count:,} lines; 1 to {MOST_LINES} can be queued at once.")
    rows = []
    for number, line in enumerate(lines[1:] if columns else lines, 1):
        try:
            rows.append(_read_row(fields, columns, line) if columns else dict(read_line(line.strip())))
        except ValueError as error:
            raise ValueError(f"Line {number}: {jobs.sentence(error)}") from error
    return rows


def _find_columns(fields: FieldList, line: str) -> list[str]:
    """Return the controls that a first line names; [] where it is no first line of a table."""
    known = {name: each.name for each in fields.fields if not each.holds_files for name in _names(each)}
    cells = [cell.strip().casefold() for cell in next(csv.reader([line]))]
    return [known[cell] for cell in cells] if all(cell in known for cell in cells) else []


def _names(declared: Any) -> tuple[str, str]:
    return declared.name.casefold(), declared.label.casefold()


def _read_row(fields: FieldList, columns: list[str], line: str) -> dict[str, Any]:
    """Return the values of a table's row; an empty cell leaves the control as it is."""
    cells = next(csv.reader([line]))
    if len(cells) > len(columns):
        raise ValueError(f"it has {len(cells)} cells, and the table {len(columns)} columns.")
    values = {}
    for name, cell in zip(columns, cells, strict=False):
        if cell.strip():
            values[name] = fields[name].read(cell.strip())
    return values
