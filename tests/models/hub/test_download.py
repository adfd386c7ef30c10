"""Downloads: resumed, cancelled, made once; what a tag names stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.contracts import Progress
from models.errors import Cancelled
from models.hub import download as hub_module
from models.hub.download import (
    CHECKING,
    DOWNLOADING,
    Hub,
    HubFile,
    count_bytes_on_disk,
    fetch,
    find_missing_files,
    remove,
)
from tests.hub_server import Fault, HubServer
from tests.models.hub.hub_files import BIG, MODEL, REPO, SMALL, leftovers


@pytest.mark.parametrize("revision", ["0" * 40, "v1.0", "2024.05-rc.1", "release-3"])
def test_commit_or_tag_is_accepted(revision: str) -> None:
    assert Hub(REPO, revision, (HubFile("a", 1),)).revision == revision


@pytest.mark.parametrize(
    "revision", ["main", "master", "HEAD", "dev", "refs/pr/1", "refs/heads/v1", "", "abc1234", "A" * 40, "v1/../main"]
)
def test_what_can_move_is_refused(revision: str) -> None:
    with pytest.raises(ValueError, match="never a branch"):
        Hub(REPO, revision, (HubFile("a", 1),))


@pytest.mark.parametrize(
    ("path", "size_bytes", "sha256"),
    [("../a", 1, None), ("/a", 1, None), ("", 1, None), ("a\\b", 1, None), ("a", 0, None), ("a", 1, "abc")],
)
def test_impossible_file_is_refused(path: str, size_bytes: int, sha256: str | None) -> None:
    with pytest.raises(ValueError):
        HubFile(path, size_bytes, sha256)


def test_good_files_arrive_with_progress(hub_server: HubServer, big_voice: Hub, cache: Path) -> None:
    seen: list[Progress] = []
    paths = fetch(big_voice, seen.append, cache_dir=cache, endpoint=hub_server.url)
    assert paths["weights/model.bin"].read_bytes() == BIG
    assert paths["config.yaml"].read_bytes() == SMALL
    total = len(BIG) + len(SMALL)
    assert {progress.total for progress in seen} == {total}
    assert {progress.stage for progress in seen} == {DOWNLOADING, CHECKING}
    downloaded = [progress.done for progress in seen if progress.stage == DOWNLOADING]
    assert downloaded == sorted(downloaded)
    assert downloaded[0] == 0
    assert downloaded[-1] == total
    assert len({done for done in downloaded if 0 < done < len(BIG)}) >= 1
    assert count_bytes_on_disk(big_voice, cache) == total


def test_second_fetch_makes_no_request_and_hashes_nothing(
    hub_server: HubServer, voice: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = fetch(voice, cache_dir=cache, endpoint=hub_server.url)
    hub_server.requests.clear()
    monkeypatch.setattr(hub_module, "compute_digest", lambda *_: pytest.fail("hashed again"))
    assert fetch(voice, cache_dir=cache, endpoint=hub_server.url) == first
    assert hub_server.requests == []


def test_tag_is_looked_up_once_and_then_stays(hub_server: HubServer, cache: Path) -> None:
    hub_server.add_repo(REPO, {"model.bin": MODEL}, tags=("v1.0",))
    tagged = Hub(REPO, "v1.0", (HubFile("model.bin", len(MODEL)),))
    first = fetch(tagged, cache_dir=cache, endpoint=hub_server.url)
    hub_server.add_repo(REPO, {"model.bin": MODEL[::-1]}, tags=("v1.0",))  # the owner moves the tag
    assert fetch(tagged, cache_dir=cache, endpoint=hub_server.url) == first
    assert first["model.bin"].read_bytes() == MODEL
    assert hub_server.count("GET") == 1


def test_missing_files_looks_only(hub_server: HubServer, voice: Hub, cache: Path) -> None:
    assert find_missing_files(voice, cache) == voice.files
    fetch(Hub(voice.repo_id, voice.revision, voice.files[:1]), cache_dir=cache, endpoint=hub_server.url)
    hub_server.requests.clear()
    assert find_missing_files(voice, cache) == voice.files[1:]
    assert hub_server.requests == []


@pytest.mark.usefixtures("quick_retries")
def test_cut_connection_is_resumed(hub_server: HubServer, big_voice: Hub, cache: Path) -> None:
    hub_server.fault = Fault(cut_after_bytes=11 * 2**20, methods=("GET",), times=1)
    seen: list[Progress] = []
    paths = fetch(big_voice, seen.append, cache_dir=cache, endpoint=hub_server.url)
    assert paths["weights/model.bin"].read_bytes() == BIG
    ranges = [request.headers.get("range") for request in hub_server.requests if "model.bin" in request.path]
    assert f"bytes={10 * 2**20}-" in ranges, "the second part must be asked for, not the whole"
    downloaded = [progress.done for progress in seen if progress.stage == DOWNLOADING]
    assert downloaded == sorted(downloaded)
    assert downloaded[-1] == len(BIG) + len(SMALL)


@pytest.mark.usefixtures("quick_retries")
def test_call_that_breaks_down_is_made_again(
    hub_server: HubServer, voice: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    real, calls = huggingface_hub.hf_hub_download, []

    def reset_once(*args: object, **kwargs: object) -> str:
        calls.append(args)
        if len(calls) == 1:
            raise ConnectionResetError("connection reset by peer")
        return real(*args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", reset_once)
    paths = fetch(voice, cache_dir=cache, endpoint=hub_server.url)
    assert paths["weights/model.bin"].read_bytes() == MODEL
    assert len(calls) == len(voice.files) + 1


def test_progress_can_cancel(hub_server: HubServer, big_voice: Hub, cache: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.done:
            raise Cancelled

    with pytest.raises(Cancelled):
        fetch(big_voice, stop, cache_dir=cache, endpoint=hub_server.url)
    assert leftovers(cache) == []
    assert fetch(big_voice, cache_dir=cache, endpoint=hub_server.url)["weights/model.bin"].read_bytes() == BIG


def test_remove_keeps_what_another_revision_uses(hub_server: HubServer, cache: Path) -> None:
    def version(files: dict[str, bytes]) -> Hub:
        commit = hub_server.add_repo(REPO, files)
        hub = Hub(REPO, commit, tuple(HubFile(path, len(content)) for path, content in files.items()))
        fetch(hub, cache_dir=cache, endpoint=hub_server.url)
        return hub

    old = version({"model.bin": MODEL, "config.yaml": SMALL})
    new = version({"model.bin": MODEL, "config.yaml": SMALL + b"# new\n"})
    remove(old, old.files, cache)
    assert count_bytes_on_disk(old, cache) == 0
    paths = fetch(new, cache_dir=cache, offline=True)
    assert paths["model.bin"].read_bytes() == MODEL
    remove(new, new.files, cache)
    assert leftovers(cache) == []
