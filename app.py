"""Auralume: the entry of the Space. Builds the studio and launches it; `--mcp` serves its actions as tools as well."""

from models.threads import wait_briefly

wait_briefly()  # before anything can import torch

import argparse  # noqa: E402

from models.registry.catalog import CATALOG  # noqa: E402
from models.registry.store import open_registry  # noqa: E402
from studio.app import build_studio, launch_studio  # noqa: E402
from studio.space import attach  # noqa: E402

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Start the studio and open it in a browser at the address it prints.")
    parser.add_argument("--host", help="address to listen at; by default only this machine can reach it")
    parser.add_argument("--port", type=int, help="by default the first free one from 7860")
    parser.add_argument("--mcp", action="store_true", help="serve the endpoints as tools of an MCP server too")
    options = parser.parse_args()
    registry = open_registry(CATALOG)
    attach(registry)
    launch_studio(
        build_studio(registry), server_name=options.host, server_port=options.port, mcp_server=options.mcp or None
    )
