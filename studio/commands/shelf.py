"""`auralume models list`, `download KEY ...` and `check`: the shelf from the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from models.contracts import Progress, Task
from models.errors import ModelError
from models.registry.registry import Registry
from studio.commands.make_one import DONE, FAILED, STOPPED, ProgressLine, open_shelf
from studio.page.jobs import describe


def read_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the options of the command."""
    parser = argparse.ArgumentParser("auralume models", description="List, download or check the models of the shelf.")
    doing = parser.add_subparsers(dest="doing", required=True)
    listing = doing.add_parser("list", help="what there is, and what of it is on this machine")
    listing.add_argument("--task", choices=tuple(map(str, Task)))
    download = doing.add_parser("download", help="fetch models now, for a machine that will be offline")
    download.add_argument("keys", nargs="+", metavar="KEY", help="such as speech/mms-eng")
    check = doing.add_parser("check", help="ask the Hub whether each entry is still as the catalogue says")
    check.add_argument("keys", nargs="*", metavar="KEY", help="these alone; by default all")
    return parser.parse_args(arguments)


def run(arguments: Sequence[str], registry: Registry | None = None) -> int:
    """Do it; return the exit code: 1 where a download failed, an entry has changed or the Hub cannot be asked."""
    options = read_options(arguments)
    shelf = registry or open_shelf()
    try:
        if options.doing == "list":
            return list_models(shelf, options.task)
        return (download_models if options.doing == "download" else check_models)(shelf, options.keys)
    except ModelError as error:
        print(error, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return STOPPED


def list_models(registry: Registry, task: str | None) -> int:
    """Print a line for each model: key, state, size, licence, title."""
    for spec in registry.specs(Task(task) if task else None):
        size = f"{spec.download_mb:,.0f} MB" if spec.is_remote else "shipped"
        print(f"{spec.key:<36} {registry.state(spec.key):<8} {size:>10}  {spec.licence:<22} {spec.title}")
    return DONE


def download_models(registry: Registry, keys: Sequence[str]) -> int:
    """Download models one after the other."""
    for key in keys:
        bar = ProgressLine()

        def tell(progress: Progress, bar: ProgressLine = bar) -> None:
            bar.tell(*describe(progress))

        try:
            registry.download(key, tell)
        finally:
            bar.close()
        print(f"{key} is here: {registry.size_on_disk(key) / 1e6:,.0f} MB")
    return DONE


def check_models(registry: Registry, keys: Sequence[str]) -> int:
    """Print what the Hub says otherwise of each entry."""
    from models.hub.check import check_spec

    specs = [registry.get(key) for key in keys] or [each for each in registry.specs() if each.is_remote]
    differs = 0
    for spec in specs:
        for found in check_spec(spec, endpoint=registry.endpoint):
            differs += bool(found.changes or found.problem)
            said = found.problem or "; ".join(found.changes) or "as the catalogue says"
            said += f" (read on {spec.read_on})" if spec.read_on else ""
            print(f"{found.key} ({found.repo_id}): {said}", flush=True)
    print(f"{len(specs)} entries, {differs} of their repositories are not as the catalogue says.")
    return FAILED if differs else DONE
