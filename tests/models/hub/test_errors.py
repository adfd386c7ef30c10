"""What goes wrong on the way is a sentence, at once, and a retry works."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.contracts import Progress
from models.errors import Kind, ModelError
from models.hub.download import (
    Hub,
    fetch,
)
from tests.hub_server import Fault, HubServer
from tests.models.hub.hub_files import REPO, SMALL, leftovers


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        (Fault(status=401), "forbidden", "or the token, is valid"),
        (Fault(status=403), "forbidden", "or the token, is valid"),
        (Fault(status=403, error_code="GatedRepo"), "gated", "conditions"),
        (Fault(status=401, error_code="GatedRepo"), "gated", REPO),
        (Fault(status=404), "not-found", REPO),
        (Fault(status=401, error_code="RepoNotFound"), "not-found", "private"),
        (Fault(status=404, error_code="EntryNotFound"), "not-found", "model.bin"),
        (Fault(status=404, error_code="RevisionNotFound"), "revision", "revision"),
        (Fault(status=408), "network", "connection"),
        (Fault(status=429, headers={"Retry-After": "3600"}), "rate-limit", "minutes"),
        (Fault(status=500), "server", "500"),
        (Fault(status=503), "server", "503"),
        (Fault(foreign=True), "server", "login page"),
    ],
    ids=lambda value: f"{value.status}{value.error_code}" if isinstance(value, Fault) else None,
)
def test_error_answer_is_a_sentence_at_once_and_retry_works(
    hub_server: HubServer, voice: Hub, cache: Path, fault: Fault, kind: Kind, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail(f"waited {seconds} s"))
    hub_server.fault = fault
    with pytest.raises(ModelError, match=says) as caught:
        fetch(voice, cache_dir=cache, endpoint=hub_server.url)
    assert caught.value.kind == kind
    assert len(hub_server.requests) == 1
    assert kind == "server" or caught.value.__cause__ is not None
    hub_server.fault = None
    assert fetch(voice, cache_dir=cache, endpoint=hub_server.url)["config.yaml"].read_bytes() == SMALL


def test_unknown_revision(hub_server: HubServer, voice: Hub, cache: Path) -> None:
    with pytest.raises(ModelError) as caught:
        fetch(Hub(REPO, "f" * 40, voice.files), cache_dir=cache, endpoint=hub_server.url)
    assert caught.value.kind == "revision"


def test_server_gone_before(hub_server: HubServer, voice: Hub, cache: Path) -> None:
    hub_server.stop()
    with pytest.raises(ModelError, match="connection") as caught:
        fetch(voice, cache_dir=cache, endpoint=hub_server.url)
    assert caught.value.kind == "network"
    hub_server.start()
    assert fetch(voice, cache_dir=cache, endpoint=hub_server.url)["config.yaml"].read_bytes() == SMALL


@pytest.mark.usefixtures("quick_retries")
def test_server_gone_midway(hub_server: HubServer, big_voice: Hub, cache: Path) -> None:
    hub_server.fault = Fault(cut_after_bytes=11 * 2**20, methods=("GET",))

    def pull_the_plug(progress: Progress) -> None:
        if progress.done:
            hub_server.stop()

    with pytest.raises(ModelError) as caught:
        fetch(big_voice, pull_the_plug, cache_dir=cache, endpoint=hub_server.url)
    assert caught.value.kind == "network"
    assert leftovers(cache) == []


@pytest.mark.usefixtures("quick_retries")
def test_body_that_never_completes(hub_server: HubServer, voice: Hub, cache: Path) -> None:
    hub_server.fault = Fault(cut_after_bytes=1000, methods=("GET",))
    with pytest.raises(ModelError) as caught:
        fetch(voice, cache_dir=cache, endpoint=hub_server.url)
    assert caught.value.kind == "network"
    assert leftovers(cache) == []


def test_offline_is_quick_and_clear(hub_server: HubServer, voice: Hub, cache: Path) -> None:
    with pytest.raises(ModelError, match="started without the network") as caught:
        fetch(voice, cache_dir=cache, endpoint=hub_server.url, offline=True)
    assert caught.value.kind == "offline"
    assert hub_server.requests == []


def test_offline_follows_the_environment_and_uses_what_is_here(
    hub_server: HubServer, voice: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_small = Hub(voice.repo_id, voice.revision, voice.files[1:])
    fetch(only_small, cache_dir=cache, endpoint=hub_server.url)
    hub_server.requests.clear()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert fetch(only_small, cache_dir=cache, endpoint=hub_server.url)["config.yaml"].read_bytes() == SMALL
    with pytest.raises(ModelError) as caught:
        fetch(voice, cache_dir=cache, endpoint=hub_server.url)
    assert caught.value.kind == "offline"
    assert hub_server.requests == []


def test_too_small_a_disk_is_said_before_the_download(
    hub_server: HubServer, voice: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10**9, 10**9 - 2**20, 2**20))
    with pytest.raises(ModelError, match="space") as caught:
        fetch(voice, cache_dir=cache, endpoint=hub_server.url)
    assert caught.value.kind == "disk"
    assert hub_server.count("GET") == 0


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a file system of 4 MiB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if not is_root or not shutil.which("mount") or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_full_disk_is_said_and_leaves_nothing(
    hub_server: HubServer, big_voice: Hub, tiny_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelError, match="free in") as caught:
        fetch(big_voice, cache_dir=tiny_disk, endpoint=hub_server.url)
    assert caught.value.kind == "disk"
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(
        shutil, "disk_usage", lambda _path: usage(10**9, 0, 10**9)
    )  # another program fills it meanwhile
    with pytest.raises(ModelError, match="ran full") as caught:
        fetch(big_voice, cache_dir=tiny_disk, endpoint=hub_server.url)
    assert caught.value.kind == "disk"
    assert leftovers(tiny_disk) == []


def test_cache_that_is_a_file(hub_server: HubServer, voice: Hub, tmp_path: Path) -> None:
    blocked = tmp_path / "cache"
    blocked.write_text("in the way")
    with pytest.raises(ModelError) as caught:
        fetch(voice, cache_dir=blocked, endpoint=hub_server.url)
    assert caught.value.kind == "disk"
