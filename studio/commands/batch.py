"""`auralume batch jobs.csv`: many results from a table or a folder, which go on where they were cut off.

Each row names the parameters of a command in its columns; a column `command` names the command, a column `output` the
file. The report, `report.csv` beside the results, is written anew after every row; a row that is done is not done again
as long as it says the same and its files are there.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import ModelError
from models.registry.registry import Registry
from models.workers.homes import settle
from models.workers.order import work_in_order
from studio.commands.headless import PROGRAMS, HeadlessProgram, save
from studio.commands.make_one import DONE, FAILED, STOPPED, WRONG, ProgressLine, open_shelf, read_values
from studio.page.fields import Field
from studio.page.jobs import sentence

REPORT = "report.csv"
COLUMNS = ("row", "command", "state", "seconds", "files", "said", "asked")
COMMAND, OUTPUT = "command", "output"
MAIN = "main"  # a column for whatever the command takes without its name


@dataclass(frozen=True)
class BatchRow:
    """One line of the table.

    Attributes:
        number: from 1.
        program: what it asks for; given: its parameters; output: a file's name in the folder of results, or "".
        folder: where the paths in it are read from.
    """

    number: int
    program: HeadlessProgram
    given: dict[str, Any]
    output: str
    folder: Path

    @property
    def asked(self) -> str:
        """Return a digest of all that it asks for."""
        told = json.dumps([self.program.name, self.given, self.output], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    @property
    def target(self) -> str:
        """Return where its results go, within the folder of all."""
        return self.output or f"{self.number:04}"


def read_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the options of the command."""
    parser = argparse.ArgumentParser("auralume batch", description=__doc__)
    parser.add_argument("jobs", help="CSV file with a first line of names, or a folder: each file in it is one row")
    parser.add_argument("-o", "--output", default="results", metavar="FOLDER", help="for results and report")
    parser.add_argument("--command", default="speak", choices=tuple(PROGRAMS), help="of rows that name none")
    parser.add_argument("--workers", metavar="SLOTS", help="do rows side by side in processes: gpu:0,gpu:1 or cpu:2")
    parser.add_argument("-q", "--quiet", action="store_true", help="show no progress")
    return parser.parse_args(arguments)


def read_rows(path: Path, command: str) -> list[BatchRow]:
    """Return what a table or a folder asks for.

    Raises:
        ValueError: there is none, or a row names no command or a column that is no parameter.
    """
    rows = list(_read_folder(path, command) if path.is_dir() else _read_table(path, command))
    if not rows:
        raise ValueError(f"{path} asks for nothing.")
    return rows


def _read_folder(path: Path, command: str) -> Iterator[BatchRow]:
    program = PROGRAMS[command]
    takes_file = program.fields[program.main].holds_files
    files = sorted(each for each in path.iterdir() if each.is_file() and not each.name.startswith("."))
    for number, file in enumerate(files, 1):
        main = file.name if takes_file else file.read_text(encoding="utf-8")
        yield BatchRow(number, program, {program.main: main}, file.stem, path)


def _read_table(path: Path, command: str) -> Iterator[BatchRow]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    for number, row in enumerate(table, 1):
        named = {name.strip(): (value or "").strip() for name, value in row.items() if isinstance(name, str)}
        if None in row:
            raise ValueError(f"Row {number} has more values than there are columns; put texts with commas in quotes.")
        name = named.pop(COMMAND, "") or command
        if name not in PROGRAMS:
            raise ValueError(f"Row {number}: there is no command {name!r}; there are {', '.join(PROGRAMS)}.")
        program = PROGRAMS[name]
        output, main = named.pop(OUTPUT, ""), named.pop(MAIN, "")
        given = {each: value for each, value in named.items() if value} | ({program.main: main} if main else {})
        unknown = [each for each in given if each not in program.fields]
        if unknown:
            raise ValueError(f"Row {number}: {name} has no parameter {unknown[0]!r}.")
        if Path(output).is_absolute() or ".." in Path(output).parts:
            raise ValueError(f"Row {number}: output is {output!r}; it must be a name within the folder of results.")
        yield BatchRow(
            number, program, {each: _split(program.fields[each], v) for each, v in given.items()}, output, path.parent
        )


def _split(declared: Field, value: str) -> Any:
    """Return a list for a field that takes several files: paths stand between semicolons."""
    takes_files = declared.holds_files and declared.kind is list
    return [each.strip() for each in value.split(";")] if takes_files else value


class BatchReport:
    """The report of a folder of results, kept on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / REPORT
        self._lock = threading.Lock()
        self.rows: dict[int, dict[str, str]] = {}
        try:
            with self.path.open(encoding="utf-8", newline="") as file:
                self.rows = {int(row["row"]): row for row in csv.DictReader(file)}
        except (OSError, KeyError, ValueError, csv.Error):
            self.rows = {}

    def is_done(self, row: BatchRow) -> bool:
        """Tell whether a row was done as it stands, and its files are there."""
        known = self.rows.get(row.number, {})
        files = [each for each in (known.get("files") or "").split(";") if each]
        is_same = known.get("state") == "done" and known.get("asked") == row.asked
        return is_same and bool(files) and all((self.folder / each).is_file() for each in files)

    def note(self, row: BatchRow, state: str, seconds: float, files: Sequence[Path] = (), said: str = "") -> None:
        """Write how a row ended."""
        names = ";".join(str(each.relative_to(self.folder)) for each in files)
        values = (row.number, row.program.name, state, f"{seconds:.1f}", names, said, row.asked)
        part = self.path.with_suffix(".part")
        with self._lock:
            self.rows[row.number] = {name: str(value) for name, value in zip(COLUMNS, values, strict=True)}
            self._write(part)

    def _write(self, part: Path) -> None:
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self.rows[number] for number in sorted(self.rows))
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path)


def run(arguments: Sequence[str], registry: Registry | None = None) -> int:
    """Do all rows that are not done yet; return the exit code: 1 where a row failed."""
    options = read_options(arguments)
    try:
        rows = read_rows(Path(options.jobs), options.command)
    except ValueError as error:
        print(sentence(error), file=sys.stderr)
        return WRONG
    folder = Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    report, shelf = BatchReport(folder), registry or open_shelf()
    try:
        settle(shelf, options.workers)
    except ValueError as error:
        print(sentence(error), file=sys.stderr)
        return WRONG
    todo = [row for row in rows if not report.is_done(row)]
    failed = 0
    bar = ProgressLine(options.quiet)

    def do(numbered: tuple[int, BatchRow]) -> bool:
        return _do(numbered[1], report, shelf, bar, f"{numbered[0]} of {len(todo)}")

    try:
        with closing(work_in_order(enumerate(todo, 1), do, shelf.home.places)) as done:
            failed = sum(not is_done for is_done in done)
    except KeyboardInterrupt:
        print("Stopped; the same command goes on from here.", file=sys.stderr)
        return STOPPED
    finally:
        bar.close()
        if options.workers:
            shelf.home.close()
    kept = f", {len(rows) - len(todo)} were done before" if len(todo) < len(rows) else ""
    print(f"{len(todo) - failed} done, {failed} failed{kept}: {report.path}")
    return FAILED if failed else DONE


def _do(row: BatchRow, report: BatchReport, registry: Registry, bar: ProgressLine, place: str) -> bool:
    began_s = time.monotonic()
    try:
        values = row.program.values(registry, read_values(row.program, row.given, row.folder))
        target = report.folder / row.target
        made = save(row.program, registry, values, target, lambda what, share: bar.tell(f"{place}: {what}", share))
    except (ModelError, ValueError, OSError) as error:
        said = str(error) if isinstance(error, OSError) else sentence(error)
        report.note(row, "failed", time.monotonic() - began_s, said=said)
        print(f"Row {row.number}: {said}", file=sys.stderr)
        return False
    report.note(row, "done", time.monotonic() - began_s, made.files)
    return True
