"""`auralume speak`, `music`, `video`, `music-video`, `style`, `style-sound`: one result from the command line."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.errors import ModelError
from models.registry.registry import Registry
from studio.commands.headless import PROGRAMS, HeadlessProgram, save
from studio.page.fields import Field, Flag
from studio.page.jobs import sentence

DONE, FAILED, WRONG, STOPPED = 0, 1, 2, 130  # exit codes


def read_arguments(program: HeadlessProgram, arguments: Sequence[str]) -> argparse.Namespace:
    """Read the options of a command, one for each field; those that were left out are absent."""
    parser = argparse.ArgumentParser(f"auralume {program.name}", description=program.about)
    for each in program.fields.public:
        _add_field(parser, each, each.name == program.main)
    where = "file, whose ending chooses among the results, or folder for all of them; by default the current folder"
    parser.add_argument("-o", "--output", dest="_output", metavar="PATH", default=".", help=where)
    parser.add_argument("--report", dest="_report", metavar="FILE", help="write the report as JSON; - prints it")
    parser.add_argument("-q", "--quiet", dest="_quiet", action="store_true", help="show no progress")
    return parser.parse_args(arguments)


def _add_field(parser: argparse.ArgumentParser, declared: Field, is_main: bool) -> None:
    said = declared.description.replace("%", "%%")
    common: dict[str, Any] = {"default": argparse.SUPPRESS, "help": said}
    names = [f"--{declared.name.replace('_', '-')}"]
    if is_main:
        parser.add_argument(declared.name, nargs="?", **common)
    elif isinstance(declared, Flag):
        parser.add_argument(*names, action=argparse.BooleanOptionalAction, **common)
    elif declared.kind is list:
        parser.add_argument(*names, nargs="*", metavar=declared.name.upper(), **common)
    else:
        parser.add_argument(*names, metavar=declared.name.upper(), **common)


def read_values(program: HeadlessProgram, given: dict[str, Any], folder: Path = Path()) -> dict[str, Any]:
    """Return the values of the fields as the actions take them: files by their full path.

    Args:
        folder: paths are read from there.

    Raises:
        ValueError: there is no such file.
    """
    values = dict(given)
    for each in program.fields.public:
        if each.name in values and each.holds_files:
            many = isinstance(values[each.name], (list, tuple))
            paths = [
                str(_find_file(each, path, folder)) for path in (values[each.name] if many else [values[each.name]])
            ]
            values[each.name] = paths if each.kind is list else paths[0]
    return values


def _find_file(declared: Field, given: Any, folder: Path) -> Path:
    path = folder / Path(str(given)).expanduser()
    if not path.is_file():
        raise ValueError(f"{declared.label}: there is no file {str(given)!r}.")
    return path.resolve()


def open_shelf() -> Registry:
    """Return the registry over the catalogue and the models that were added."""
    from models.registry.catalog import CATALOG
    from models.registry.store import open_registry

    return open_registry(CATALOG)


class ProgressLine:
    """A bar on the terminal; silent where there is none, or where it is not wanted."""

    def __init__(self, is_quiet: bool = False) -> None:
        from tqdm import tqdm

        form = "{desc} |{bar}| {percentage:3.0f} % [{elapsed}]"
        self._bar = tqdm(total=100, bar_format=form, disable=is_quiet or None, leave=False, file=sys.stderr)

    def tell(self, what: str, share: float | None) -> None:
        """Show a sentence and how far it is."""
        self._bar.set_description_str(what, refresh=False)
        self._bar.n = round(100 * (share or 0.0))
        self._bar.refresh()

    def close(self) -> None:
        """Take it away."""
        self._bar.close()


def run(name: str, arguments: Sequence[str], registry: Registry | None = None) -> int:
    """Make one result; return the exit code."""
    program = PROGRAMS[name]
    options = vars(read_arguments(program, arguments))
    given = {each: value for each, value in options.items() if not each.startswith("_")}
    if given.get(program.main) == "-":
        given[program.main] = sys.stdin.read()
    bar = ProgressLine(options["_quiet"])
    try:
        shelf = registry or open_shelf()
        try:
            values = program.values(shelf, read_values(program, given))
        except ValueError as error:
            print(sentence(error), file=sys.stderr)
            return WRONG
        made = save(program, shelf, values, Path(options["_output"]), bar.tell)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return STOPPED
    except (ModelError, ValueError, OSError) as error:
        print(sentence(error) if not isinstance(error, OSError) else str(error), file=sys.stderr)
        return FAILED
    finally:
        bar.close()
    told = json.dumps(made.report, ensure_ascii=False, indent=2)
    if options["_report"] and options["_report"] != "-":
        Path(options["_report"]).write_text(f"{told}\n", encoding="utf-8")
    print(told if options["_report"] == "-" else "\n".join(map(str, made.files)))
    return DONE
