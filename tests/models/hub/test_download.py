"""Downloads over real HTTP from a local Hub: what is announced is what arrives, or a sentence says why not."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import subprocess
import traceback
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.contracts import Progress
from models.errors import Cancelled, Kind, ModelError
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
from tests.hub_server import Fault, HubServer, etag_of

REPO = "someone/voice"
BIG = bytes(range(256)) * 48 * 1024  # 12 MiB: more than the 10 MiB in which huggingface_hub reads
SMALL = b"rate: 22050\n"
MODEL = BIG[: 100 * 1024]
SHA256 = hashlib.sha256(MODEL).hexdigest()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def voice(hub_server: HubServer) -> Hub:
    """An LFS file whose digest the catalogue names, and a small file whose digest it does not name."""
    return add_voice(hub_server, MODEL)


@pytest.fixture
def big_voice(hub_server: HubServer) -> Hub:
    """The same with a file that is read in two parts."""
    return add_voice(hub_server, BIG)


def add_voice(hub_server: HubServer, model: bytes) -> Hub:
    commit = hub_server.add_repo(REPO, {"weights/model.bin": model, "config.yaml": SMALL})
    declared = HubFile("weights/model.bin", len(model), hashlib.sha256(model).hexdigest())
    return Hub(REPO, commit, (declared, HubFile("config.yaml", 10)))


def files_under(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file()]


def leftovers(cache: Path) -> list[str]:
    """Content of the cache other than locks and the cache's own tags."""
    return [name for name in files_under(cache) if "/blobs/" in name or "/snapshots/" in name]


# Pinned revisions


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


# Good downloads


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


def test_file_changed_on_disk_is_noticed_and_replaced(hub_server: HubServer, voice: Hub, cache: Path) -> None:
    path = fetch(voice, cache_dir=cache, endpoint=hub_server.url)["weights/model.bin"]
    path.resolve().write_bytes(MODEL[:-1] + b"?")
    again = fetch(voice, cache_dir=cache, endpoint=hub_server.url)["weights/model.bin"]
    assert again.read_bytes() == MODEL
    assert hub_server.count("GET", "model.bin") == 2
    assert hub_server.count("GET", "config.yaml") == 1


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


# Bad content


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


# Answers that are errors


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        (Fault(status=401), "forbidden", "HF_TOKEN"),
        (Fault(status=403), "forbidden", "HF_TOKEN"),
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


# Offline


def test_offline_is_quick_and_clear(hub_server: HubServer, voice: Hub, cache: Path) -> None:
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE") as caught:
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


# Disk


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
    """A file system of 4 MiB."""
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


# Token


TOKEN = "hf_" + "SecretSecretSecretSecretSecret1234"


def told(error: BaseException) -> str:
    """All that could be shown of an error: its text and the whole printed chain."""
    return repr(error) + str(error) + "".join(traceback.format_exception(error))


def test_token_comes_from_the_environment(hub_server: HubServer, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = hub_server.add_repo(REPO, {"config.yaml": SMALL}, token=TOKEN)
    private = Hub(REPO, commit, (HubFile("config.yaml", 10),))
    with pytest.raises(ModelError) as caught:
        fetch(private, cache_dir=cache, endpoint=hub_server.url)
    assert caught.value.kind == "not-found"
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert fetch(private, cache_dir=cache, endpoint=hub_server.url)["config.yaml"].read_bytes() == SMALL
    assert hub_server.requests[-1].headers["authorization"] == f"Bearer {TOKEN}"
    assert not any(TOKEN in Path(name).read_text(errors="ignore") for name in files_under(cache))


def test_large_file_comes_from_another_host_that_never_sees_the_token(
    hub_server: HubServer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = hub_server.add_repo(REPO, {"model.bin": MODEL}, token=TOKEN)
    hub_server.cdn = True
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    private = Hub(REPO, commit, (HubFile("model.bin", 1),))
    assert fetch(private, cache_dir=cache, endpoint=hub_server.url)["model.bin"].read_bytes() == MODEL
    asked = [request for request in hub_server.requests if request.path.startswith("/cdn/")]
    assert [request.method for request in asked] == ["GET"]
    assert "authorization" not in asked[0].headers


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=401),
        Fault(status=403, error_code="GatedRepo"),
        Fault(status=429),
        Fault(status=500),
        Fault(cut_after_bytes=10, methods=("GET",)),
        Fault(corrupt=True, methods=("GET",)),
    ],
    ids=["401", "gated", "429", "500", "cut", "corrupt"],
)
def test_token_is_in_no_message_and_no_log(
    hub_server: HubServer,
    voice: Hub,
    cache: Path,
    fault: Fault,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(logging.getLogger("huggingface_hub"), "propagate", True)
    caplog.set_level(logging.DEBUG)
    hub_server.fault = fault
    with pytest.raises(ModelError) as caught:
        fetch(voice, cache_dir=cache, endpoint=hub_server.url)
    assert hub_server.requests[-1].headers["authorization"] == f"Bearer {TOKEN}"
    printed = capfd.readouterr()
    assert TOKEN not in told(caught.value) + caplog.text + printed.out + printed.err


# Removal


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


def test_mark_counts_only_for_the_digest_that_it_notes(hub_server: HubServer, voice: Hub, cache: Path) -> None:
    fetch(voice, cache_dir=cache, endpoint=hub_server.url)
    other = Hub(REPO, voice.revision, (HubFile("weights/model.bin", 1, "0" * 64),))
    with pytest.raises(ModelError) as caught:
        fetch(other, cache_dir=cache, endpoint=hub_server.url)
    assert caught.value.kind == "checksum"
