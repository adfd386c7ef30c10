"""The command line: `auralume` starts the studio as `python app.py` does, or makes one thing without a page."""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from models.memory import share_heaps
from models.threads import limit_spinning
from studio import __version__
from studio.server.signals import end_at_once

if TYPE_CHECKING:
    from studio.library.store import Library

COMMANDS = ("serve", "speak", "music", "video", "music-video", "style", "style-sound", "batch", "models")
OTHERS = f"Other commands, each with a --help of its own: auralume {{{','.join(COMMANDS)}}}."
OPEN_SAID = (
    "Everybody who can reach this address can use the studio. Protect it with --auth USER:PASSWORD. "
    "Until then nobody can add or delete models on its page."
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the first word says; without one, or with `serve`, start the studio."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] not in COMMANDS:
        start(words)
        return
    limit_spinning()  # before anything can import torch
    if words[0] == "batch":
        from studio.commands.batch import run as run_batch

        raise SystemExit(run_batch(words[1:]))
    if words[0] == "models":
        from studio.commands.shelf import run as run_models

        raise SystemExit(run_models(words[1:]))
    if words[0] == "serve":
        start(words[1:])
        return
    from studio.commands.make_one import run

    raise SystemExit(run(words[0], words[1:]))


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the options; without arguments, those that the process was started with."""
    parser = argparse.ArgumentParser(
        "auralume", description="Start the studio and open it in a browser at the address it prints.", epilog=OTHERS
    )
    parser.add_argument("--host", help="address to listen at; by default only this machine can reach it")
    parser.add_argument("--port", type=int, help="by default the first free one from 7860")
    parser.add_argument("--mcp", action="store_true", help="serve the endpoints as tools of an MCP server too")
    parser.add_argument("--auth", metavar="USER:PASSWORD", help="ask everybody for it; also taken from AURALUME_AUTH")
    parser.add_argument(
        "--allow-origin", action="append", default=[], metavar="ORIGIN", help="another site that may use the studio"
    )
    parser.add_argument("--root-path", default="", help="path under which a proxy serves the studio, such as /studio")
    parser.add_argument(
        "--library", metavar="FOLDER", help="where results are kept; by default in your user data folder"
    )
    parser.add_argument("--no-library", action="store_true", help="keep no results")
    parser.add_argument(
        "--library-size", type=float, default=10.0, metavar="GB", help="the oldest results without a star make room"
    )
    parser.add_argument(
        "--workers", metavar="SLOTS", help="let models work in processes of their own: gpu:0,gpu:1 or cpu:2"
    )
    parser.add_argument(
        "--ray", metavar="ADDRESS", help="let models work on a Ray cluster: auto, or the address of its head"
    )
    parser.add_argument("--version", action="version", version=f"Auralume {__version__}")
    return parser.parse_args(arguments)


def start(arguments: Sequence[str] | None = None) -> None:
    """Start the studio over the catalogue and serve it until the process is told to end."""
    end_at_once()
    options = read_options(arguments)
    limit_spinning()  # before anything can import torch
    share_heaps()
    from studio.page.shelf import OPEN as SHELF
    from studio.server.access import is_loopback, rules_for
    from studio.server.serving import check_port

    host = options.host or os.environ.get("GRADIO_SERVER_NAME")  # Gradio's own variable, which a Space sets
    try:
        rules = rules_for(host, options.allow_origin, options.auth)
    except ValueError as error:
        raise SystemExit(str(error)) from error
    check_port(host, options.port)
    if not is_loopback(host) and not rules.password:
        print(OPEN_SAID, file=sys.stderr)
        os.environ.setdefault(SHELF, "closed")

    from models.registry.catalog import CATALOG
    from models.registry.store import open_registry
    from models.workers.homes import settle
    from studio.app import build_studio, launch_studio
    from studio.server.space import attach

    registry = open_registry(CATALOG)
    attach(registry)
    try:
        settle(registry, options.workers, options.ray)
    except ValueError as error:
        raise SystemExit(str(error)) from error
    launch_studio(
        build_studio(registry, open_library(options)),
        rules,
        server_name=host,
        server_port=options.port,
        mcp_server=options.mcp or None,
        root_path=options.root_path or None,
    )


def open_library(options: argparse.Namespace) -> Library | None:
    """Return the library that the options name; None where none is wanted. On a Space results go to the browser.

    Raises:
        SystemExit: the folder that was named cannot be used; without a name, the studio goes on without a library.
    """
    if options.no_library:
        return None
    if os.environ.get("SPACE_ID") and not options.library:
        from studio.library.transit import Transit

        return Transit()
    from studio.library.store import GB, Library

    if not options.library_size > 0:
        raise SystemExit(f"The library's size is {options.library_size:g} GB; it must be more than 0.")
    folder = Path(options.library).expanduser() if options.library else user_data_path("auralume", False) / "library"
    try:
        return Library(folder, round(options.library_size * GB))
    except (OSError, ValueError, sqlite3.Error) as error:
        said = f"Results cannot be kept in {folder}: {error}."
        if options.library:
            raise SystemExit(said) from error
        print(f"{said} The studio starts without a library.", file=sys.stderr)
        return None
