"""Auralume: the entry of the Space. Builds the studio and launches it."""

from models.threads import wait_briefly

wait_briefly()  # before anything can import torch

from models.backends.shelf_file import open_registry  # noqa: E402
from models.catalog import CATALOG  # noqa: E402
from studio.app import build_studio, launch_studio  # noqa: E402

if __name__ == "__main__":
    launch_studio(build_studio(open_registry(CATALOG)))
