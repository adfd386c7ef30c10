"""What is downloaded is what was announced, and stays so."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import ModelError
from models.hub.download import (
    Hub,
    HubFile,
    fetch,
)
from tests.hub_server import Fault, HubServer, etag_of
from tests.models.hub.hub_files import MODEL, REPO, SHA256, SMALL, leftovers


def test_file_changed_on_disk_is_noticed_and_replaced(hub_server: HubServer, voice: Hub, cache: Path) -> None:
    path = fetch(voice, cache_dir=cache, endpoint=hub_server.url)["weights/model.bin"]
    path.resolve().write_bytes(MODEL[:-1] + b"?")
    again = fetch(voice, cache_dir=cache, endpoint=hub_server.url)["weights/model.bin"]
    assert again.read_bytes() == MODEL
    assert hub_server.count("GET", "model.bin") == 2
    assert hub_server.count("GET", "config.yaml") == 1


@pytest.mark.parametrize("declared", [SHA256, None], ids=["declared", "announced"])
def test_wrong_content_of_the_right_size_is_deleted(hub_server: HubServer, cache: Path, declared: str | None) -> None:
    commit = hub_server.add_repo(REPO, {"model.bin": MODEL})
    voice = Hub(REPO, commit, (HubFile("model.bin", len(MODEL), declared),))
    hub_server.fault = Fault(corrupt=True, methods=("GET",), times=1)
    with pytest.raises(ModelError, match="checksum") as caught:
        fetch(voice, cache_dir=cache, endpoint=hub_server.url)
    assert caught.value.kind == "checksum"
    assert leftovers(cache) == []
    assert fetch(voice, cache_dir=cache, endpoint=hub_server.url)["model.bin"].read_bytes() == MODEL


def test_small_file_is_checked_by_its_git_blob_id(hub_server: HubServer, cache: Path) -> None:
    commit = hub_server.add_repo(REPO, {"config.yaml": SMALL})
    assert len(etag_of(SMALL)) == 40
    hub_server.fault = Fault(corrupt=True, methods=("GET",))
    with pytest.raises(ModelError) as caught:
        fetch(Hub(REPO, commit, (HubFile("config.yaml", 10),)), cache_dir=cache, endpoint=hub_server.url)
    assert caught.value.kind == "checksum"


def test_other_content_than_the_catalogue_names_is_not_downloaded(hub_server: HubServer, cache: Path) -> None:
    commit = hub_server.add_repo(REPO, {"model.bin": MODEL[::-1]})
    with pytest.raises(ModelError, match="catalogue") as caught:
        fetch(
            Hub(REPO, commit, (HubFile("model.bin", 1, SHA256),)),
            cache_dir=cache,
            endpoint=hub_server.url,
        )
    assert caught.value.kind == "checksum"
    assert hub_server.count("GET") == 0


def test_mark_counts_only_for_the_digest_that_it_notes(hub_server: HubServer, voice: Hub, cache: Path) -> None:
    fetch(voice, cache_dir=cache, endpoint=hub_server.url)
    other = Hub(REPO, voice.revision, (HubFile("weights/model.bin", 1, "0" * 64),))
    with pytest.raises(ModelError) as caught:
        fetch(other, cache_dir=cache, endpoint=hub_server.url)
    assert caught.value.kind == "checksum"
