"""What a repository holds, asked of a local Hub: commit, files with digests, licence and languages."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from models.errors import ModelError
from models.hub import listing
from models.hub.listing import Repository, list_repository
from tests.hub_server import Fault, HubServer

LARGE = b"x" * 2000
FILES = {"config.json": b"{}", "sub/model.safetensors": LARGE}


def ask(hub_server: HubServer, revision: str = "main", **more: Any) -> Repository:
    return list_repository("owner/name", revision, endpoint=hub_server.url, **more)


def test_a_branch_is_the_commit_that_it_names_now(hub_server: HubServer) -> None:
    commit = hub_server.add_repo("owner/name", FILES, tags=("v1",))
    for revision in ("main", "", "v1", commit):
        repository = ask(hub_server, revision)
        assert (repository.repo_id, repository.commit) == ("owner/name", commit)
    assert repository.paths == set(FILES)
    sizes = {file.path: (file.size_bytes, file.sha256) for file in repository.files}
    assert sizes["config.json"] == (2, None)
    assert sizes["sub/model.safetensors"] == (2000, hashlib.sha256(LARGE).hexdigest())


@pytest.mark.parametrize(
    ("page", "licence", "languages"),
    [
        ({}, "", ()),
        ({"tags": ["pytorch", "license:mit", "license:other"]}, "mit", ()),
        ({"cardData": {"license": "apache-2.0"}, "tags": ["license:mit"]}, "apache-2.0", ()),
        ({"cardData": {"license": "other", "license_name": "my licence"}}, "my licence", ()),
        ({"cardData": {"license": ["mit", "cc0-1.0"], "language": "en"}}, "mit, cc0-1.0", ("en",)),
        ({"cardData": {"language": ["en", "de"]}}, "", ("en", "de")),
        ({"cardData": {"language": [f"l{number}" for number in range(50)]}}, "", tuple(f"l{n}" for n in range(40))),
    ],
)
def test_licence_and_languages_are_those_of_the_page(
    hub_server: HubServer, page: dict[str, object], licence: str, languages: tuple[str, ...]
) -> None:
    hub_server.add_repo("owner/name", FILES, page=page)
    repository = ask(hub_server)
    assert (repository.licence, repository.languages) == (licence, languages)


def test_empty_files_are_left_out(hub_server: HubServer) -> None:
    hub_server.add_repo("owner/name", {**FILES, "empty.txt": b""})
    assert ask(hub_server).paths == set(FILES)


def test_too_many_files_are_no_model(hub_server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MAX_FILES", 3)
    hub_server.add_repo("owner/name", {f"{number}.txt": b"a" for number in range(3)})
    assert len(ask(hub_server).files) == 3
    hub_server.add_repo("owner/name", {f"{number}.txt": b"a" for number in range(4)})
    with pytest.raises(ModelError, match="more than 3 files; it is no model") as caught:
        ask(hub_server)
    assert caught.value.kind == "format"


def test_what_answers_without_a_commit_is_no_hub(hub_server: HubServer) -> None:
    for sha in (None, "", "main"):
        hub_server.add_repo("owner/name", FILES, page={"sha": sha})
        with pytest.raises(ModelError, match="not a Hugging Face Hub") as caught:
            ask(hub_server)
        assert caught.value.kind == "server"


def test_offline_nothing_is_asked(hub_server: HubServer) -> None:
    hub_server.add_repo("owner/name", FILES)
    with pytest.raises(ModelError, match="started without the network") as caught:
        ask(hub_server, offline=True)
    assert caught.value.kind == "offline" and hub_server.requests == []
    assert ask(hub_server, offline=False).files


@pytest.mark.parametrize("repo_id", ["name", "a/b/c", ""])
def test_what_is_no_id_is_not_asked_for(hub_server: HubServer, repo_id: str) -> None:
    with pytest.raises(ModelError, match="not the id of a repository") as caught:
        list_repository(repo_id, "main", endpoint=hub_server.url)
    assert caught.value.kind == "not-found" and hub_server.requests == []


def test_failures_are_sentences(hub_server: HubServer) -> None:
    with pytest.raises(ModelError, match="not on the Hub") as caught:
        ask(hub_server)
    assert caught.value.kind == "not-found" and caught.value.__cause__ is not None
    hub_server.add_repo("owner/name", FILES)
    hub_server.fault = Fault(status=403, error_code="GatedRepo")
    with pytest.raises(ModelError, match="accept its conditions"):
        ask(hub_server)
