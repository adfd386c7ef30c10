"""Repositories to download, and what lies in a cache."""

from __future__ import annotations

import hashlib
from pathlib import Path

from models.hub.download import (
    Hub,
    HubFile,
)
from tests.hub_server import HubServer

REPO = "someone/voice"
BIG = bytes(range(256)) * 48 * 1024  # 12 MiB: more than the 10 MiB in which huggingface_hub reads
SMALL = b"rate: 22050\n"
MODEL = BIG[: 100 * 1024]
SHA256 = hashlib.sha256(MODEL).hexdigest()


def add_voice(hub_server: HubServer, model: bytes) -> Hub:
    commit = hub_server.add_repo(REPO, {"weights/model.bin": model, "config.yaml": SMALL})
    declared = HubFile("weights/model.bin", len(model), hashlib.sha256(model).hexdigest())
    return Hub(REPO, commit, (declared, HubFile("config.yaml", 10)))


def files_under(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file()]


def leftovers(cache: Path) -> list[str]:
    """Content of the cache other than locks and the cache's own tags."""
    return [name for name in files_under(cache) if "/blobs/" in name or "/snapshots/" in name]
