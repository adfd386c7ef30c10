"""Downloads from the Hugging Face Hub: pinned, checked, shared with every other program's Hub cache.

huggingface_hub does the transfer and resumes it after a cut; it checks only a file's size, so the checksum is verified
here. Every file is asked for with one short request first: its answer gives the exact size (for the disk check and the
progress) and the checksum, and failures show at once, where huggingface_hub alone would retry for 23 seconds.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from models.contracts import Progress
from models.errors import Cancelled, ModelError
from models.hub import errors
from models.hub.checksums import compute_digest, is_digest, is_marked, is_sha256, write_mark
from models.hub.names import check_repository, is_commit

DOWNLOADING = "downloading"
CHECKING = "checking"

REQUEST_TIMEOUT_S = 10.0
DOWNLOAD_ATTEMPTS = 3
RETRY_WAIT_S = 0.5
DISK_MARGIN_BYTES = 8 * 2**20
MARKS_FOLDER = ".auralume-verified"

OnProgress = Callable[[Progress], None]

_repository_locks: dict[tuple[Path, str], threading.Lock] = {}
_locks_guard = threading.Lock()


@dataclass(frozen=True)
class HubFile:
    """A file of a repository.

    Attributes:
        path: inside the repository, with forward slashes.
        size_bytes: for the size shown before a download; where the exact number is not known, rounded. The exact one
            comes from the Hub, and the content is checked by its digest.
        sha256: of the content; None where it is not known, then the digest that the Hub announces for this commit
            counts (the SHA-256 of an LFS file, the git blob id of a small one).
    """

    path: str
    size_bytes: int
    sha256: str | None = None

    def __post_init__(self) -> None:
        parts = PurePosixPath(self.path).parts
        if not parts or self.path.startswith("/") or "\\" in self.path or ".." in parts:
            raise ValueError(f"path is {self.path!r}; it must be a path inside the repository.")
        if self.size_bytes <= 0:
            raise ValueError(f"size_bytes of {self.path} is {self.size_bytes!r}; it must be more than 0.")
        if self.sha256 is not None and not is_sha256(self.sha256):
            raise ValueError(f"sha256 of {self.path} is {self.sha256!r}; it must be 64 small hexadecimal letters.")


@dataclass(frozen=True)
class Hub:
    """Files of one repository at one fixed revision.

    Attributes:
        repo_id: "owner/name".
        revision: a full commit hash, or a named tag such as "v1.0"; never a branch, whose content moves. A tag is
            looked up once: the commit that it names at the first download is the one used from then on.
        files: what is needed of it.

    Raises:
        ValueError: names the field and what is allowed.
    """

    repo_id: str
    revision: str
    files: tuple[HubFile, ...]

    def __post_init__(self) -> None:
        check_repository(self.repo_id, self.revision)
        if not self.files:
            raise ValueError(f"files of {self.repo_id} is empty; name at least one.")

    @property
    def size_bytes(self) -> int:
        """Return the size of all files together, as declared."""
        return sum(file.size_bytes for file in self.files)


@dataclass(frozen=True)
class _Announced:
    """The Hub's answer about a file before it is downloaded."""

    commit: str
    digest: str
    size_bytes: int


def fetch(
    hub: Hub,
    on_progress: OnProgress | None = None,
    *,
    cache_dir: Path | str | None = None,
    endpoint: str | None = None,
    offline: bool | None = None,
) -> dict[str, Path]:
    """Bring all files here, verified.

    What is here already is neither asked for nor downloaded again. The token, if one is needed, is the one of the
    environment (HF_TOKEN) or of the login; it appears in no message.

    Args:
        on_progress: told of the stages DOWNLOADING and CHECKING in bytes of the files that are missing; it may raise
            `Cancelled` to stop.
        cache_dir: the Hub cache; None is the one that all programs share (HF_HOME, HF_HUB_CACHE).
        endpoint: address of the Hub; None is HF_ENDPOINT or huggingface.co.
        offline: never use the network; None follows HF_HUB_OFFLINE.

    Returns:
        path on disk by path in the repository.

    Raises:
        ModelError: with a sentence to act on; no damaged file stays behind, so that asking again is always sound.
    """
    cache = find_cache_folder(cache_dir)
    report = on_progress or (lambda _progress: None)
    with _get_lock(hub, cache):
        paths = {file.path: _find_verified(hub, file, cache, report) for file in hub.files}
        missing = [file for file in hub.files if paths[file.path] is None]
        if missing:
            if is_offline(offline):
                raise errors.offline_error(hub.repo_id)
            announced = {file: _ask(hub, file, endpoint) for file in missing}
            total = sum(answer.size_bytes for answer in announced.values())
            _check_disk(hub, cache, total)
            done = 0
            for file, answer in announced.items():
                paths[file.path] = _download(hub, file, answer, cache, endpoint, _shift_progress(report, done, total))
                done += answer.size_bytes
        return {path: found for path, found in paths.items() if found is not None}


def find_missing_files(hub: Hub, cache_dir: Path | str | None = None) -> tuple[HubFile, ...]:
    """Return the files that are not on disk; verifies nothing and makes no request."""
    cache = find_cache_folder(cache_dir)
    return tuple(file for file in hub.files if not _is_file(_locate_snapshot(hub, file, cache)))


def count_bytes_on_disk(hub: Hub, cache_dir: Path | str | None = None) -> int:
    """Return how many bytes the files of `hub` that are here take."""
    cache = find_cache_folder(cache_dir)
    paths = [_locate_snapshot(hub, file, cache) for file in hub.files]
    return sum(path.stat().st_size for path in paths if path is not None and path.is_file())


def verify(hub: Hub, on_progress: OnProgress | None = None, cache_dir: Path | str | None = None) -> tuple[str, ...]:
    """Hash every file that is here once more; a damaged one is deleted.

    Returns:
        paths of the files that were damaged or are missing.
    """
    cache = find_cache_folder(cache_dir)
    report = on_progress or (lambda _progress: None)
    with _get_lock(hub, cache):
        for file in hub.files:
            _locate_mark(hub, file, cache).unlink(missing_ok=True)
        return tuple(file.path for file in hub.files if _find_verified(hub, file, cache, report) is None)


def remove(hub: Hub, files: Iterable[HubFile], cache_dir: Path | str | None = None) -> None:
    """Delete `files` of `hub` from the cache; content that another revision also uses stays for that one.

    Raises:
        ModelError: a file cannot be deleted.
    """
    cache = find_cache_folder(cache_dir)
    with _get_lock(hub, cache):
        for file in files:
            path = _locate_snapshot(hub, file, cache)
            if path is None:
                continue
            try:
                _delete(path)
                _locate_mark(hub, file, cache).unlink(missing_ok=True)
            except OSError as error:
                raise errors.not_deletable_error(hub.repo_id, file.path) from error


def _get_lock(hub: Hub, cache: Path) -> threading.Lock:
    """Return the lock of a repository: two models may share it, and only one of them downloads from it at a time."""
    with _locks_guard:
        return _repository_locks.setdefault((cache, hub.repo_id), threading.Lock())


def find_cache_folder(cache_dir: Path | str | None) -> Path:
    """Return where downloads are kept: the folder given, or the Hub cache that all programs share."""
    if cache_dir is not None:
        return Path(cache_dir)
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def is_offline(offline: bool | None) -> bool:
    """Return whether the network must not be used; None follows HF_HUB_OFFLINE."""
    if offline is not None:
        return offline
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def _locate_repository(hub: Hub, cache: Path) -> Path:
    return cache / f"models--{hub.repo_id.replace('/', '--')}"


def _locate_snapshot(hub: Hub, file: HubFile, cache: Path) -> Path | None:
    """Return where the cache keeps the file; None while a tag's commit is not known here."""
    folder = _locate_repository(hub, cache)
    commit = hub.revision
    if not is_commit(commit):
        try:
            commit = (folder / "refs" / commit).read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return None
    return folder / "snapshots" / commit / file.path


def _locate_mark(hub: Hub, file: HubFile, cache: Path) -> Path:
    return cache / MARKS_FOLDER / _locate_repository(hub, cache).name / hub.revision / f"{file.path}.json"


def _is_file(path: Path | None) -> bool:
    return path is not None and path.is_file()


def _find_verified(hub: Hub, file: HubFile, cache: Path, report: OnProgress) -> Path | None:
    """Return the file on disk if its digest is right; delete a wrong one; None also where the digest is unknown."""
    path = _locate_snapshot(hub, file, cache)
    if path is None or not path.is_file():
        return None
    blob_name = path.resolve().name  # the cache names its content by the ETag
    digest = file.sha256 or (blob_name if is_digest(blob_name) else None)
    if is_marked(_locate_mark(hub, file, cache), path, digest):
        return path
    if digest is None:
        return None
    try:
        _verify(hub, file, path, digest, cache, report)
    except ModelError:
        return None
    return path


def _ask(hub: Hub, file: HubFile, endpoint: str | None) -> _Announced:
    """Ask in one request whether the file exists and may be read, how large it is, and what its digest is."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    try:
        url = hf_hub_url(hub.repo_id, file.path, revision=hub.revision, endpoint=endpoint)
        answer = get_hf_file_metadata(url, timeout=REQUEST_TIMEOUT_S)
    except Exception as error:
        raise errors.explain_error(error, hub.repo_id, file.path) from error
    if answer.commit_hash is None or not is_digest(answer.etag):
        raise errors.not_a_hub_error(hub.repo_id, file.path)
    if is_commit(hub.revision) and answer.commit_hash != hub.revision:
        raise errors.unknown_revision_error(hub.repo_id, hub.revision)
    if file.sha256 and is_sha256(answer.etag) and answer.etag != file.sha256:
        raise errors.content_changed_error(hub.repo_id, file.path)
    size_bytes = answer.size if answer.size is not None else file.size_bytes
    return _Announced(answer.commit_hash, file.sha256 or str(answer.etag), size_bytes)


def _check_disk(hub: Hub, cache: Path, needed_bytes: int) -> None:
    """Raise ModelError unless the files fit with a margin."""
    folder = cache.absolute()
    while not folder.exists():
        folder = folder.parent
    free_bytes = shutil.disk_usage(folder).free
    needed_bytes += DISK_MARGIN_BYTES
    if free_bytes < needed_bytes:
        raise errors.disk_too_small_error(hub.repo_id, needed_bytes / 1e6, free_bytes / 1e6, str(cache))


def _download(
    hub: Hub, file: HubFile, announced: _Announced, cache: Path, endpoint: str | None, report: OnProgress
) -> Path:
    """Download one file and verify it.

    huggingface_hub resumes a cut transfer within one call, but gives up at some kinds of cut; then the call is made
    again, after a short request that fails at once if the Hub has gone.
    """
    from huggingface_hub import hf_hub_download

    report(Progress(DOWNLOADING, 0, announced.size_bytes))
    bar = _make_progress_bar(lambda done: report(Progress(DOWNLOADING, done, announced.size_bytes)))
    for attempt in range(1, DOWNLOAD_ATTEMPTS + 1):
        try:
            path = hf_hub_download(
                hub.repo_id,
                file.path,
                revision=hub.revision,
                cache_dir=cache,
                endpoint=endpoint,
                etag_timeout=REQUEST_TIMEOUT_S,
                tqdm_class=bar,
            )
            break
        except Cancelled:
            raise
        except Exception as error:
            problem = errors.explain_error(error, hub.repo_id, file.path)
            if problem.kind != "network" or attempt == DOWNLOAD_ATTEMPTS:
                raise problem from error
        time.sleep(RETRY_WAIT_S)
        _ask(hub, file, endpoint)
    _verify(hub, file, Path(path), announced.digest, cache, report)
    return Path(path)


def _verify(hub: Hub, file: HubFile, path: Path, digest: str, cache: Path, report: OnProgress) -> None:
    """Raise ModelError and delete the file unless it has the digest; mark it otherwise."""
    size_bytes = path.stat().st_size
    try:
        found = compute_digest(path, digest, lambda done: report(Progress(CHECKING, done, size_bytes)))
    except OSError as error:
        raise errors.explain_error(error, hub.repo_id, file.path) from error
    if found != digest:
        _delete(path)
        raise errors.checksum_error(hub.repo_id, file.path)
    write_mark(_locate_mark(hub, file, cache), path, digest)


def _delete(path: Path) -> None:
    """Delete a snapshot's entry, and the content behind it unless another snapshot points there too."""
    content = path.resolve()
    path.unlink(missing_ok=True)
    if content == path.absolute() or not content.exists():
        return
    snapshots = content.parent.parent / "snapshots"
    if not any(other.is_symlink() and other.resolve() == content for other in snapshots.rglob("*")):
        content.unlink()


def _shift_progress(report: OnProgress, before: int, total: int) -> OnProgress:
    """Return a callback for one file of several, which adds the bytes before it and gives the total of all."""

    def shifted(progress: Progress) -> None:
        report(Progress(progress.stage, before + progress.done, total))

    return shifted


def _make_progress_bar(on_bytes: Callable[[int], None]) -> type[Any]:
    """Return a tqdm class that draws nothing and tells `on_bytes` how many bytes have come."""
    from tqdm import tqdm

    class SilentBar(tqdm):  # type: ignore[misc]  # tqdm brings no types
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            super().__init__(*args, **{**kwargs, "disable": True})
            self.n = kwargs.get("initial", 0)

        def update(self, n: float | None = 1) -> bool | None:
            self.n += n or 0
            on_bytes(int(self.n))
            return None

        def update_transfer(self, n: float) -> None:
            """Ignore the bytes on the wire, which a Xet download counts apart from the bytes written."""

        def set_transfer_postfix_str(self, text: str, refresh: bool = True) -> None:
            """Ignore the speed on the wire."""

    return SilentBar
