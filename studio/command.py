"""The command line: `auralume` and `python app.py` start the studio with the same options."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from models.threads import limit_spinning
from studio import __version__


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the options; without arguments, those that the process was started with."""
    parser = argparse.ArgumentParser(description="Start the studio and open it in a browser at the address it prints.")
    parser.add_argument("--host", help="address to listen at; by default only this machine can reach it")
    parser.add_argument("--port", type=int, help="by default the first free one from 7860")
    parser.add_argument("--mcp", action="store_true", help="serve the endpoints as tools of an MCP server too")
    parser.add_argument("--version", action="version", version=f"Auralume {__version__}")
    return parser.parse_args(arguments)


def start(arguments: Sequence[str] | None = None) -> None:
    """Start the studio over the catalogue and serve it until the process is told to end."""
    options = read_options(arguments)
    limit_spinning()  # before anything can import torch

    from models.registry.catalog import CATALOG
    from models.registry.store import open_registry
    from studio.app import build_studio, launch_studio
    from studio.space import attach

    registry = open_registry(CATALOG)
    attach(registry)
    launch_studio(
        build_studio(registry), server_name=options.host, server_port=options.port, mcp_server=options.mcp or None
    )
