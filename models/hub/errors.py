"""Turn what can go wrong between here and the Hub into a sentence that a person can act on.

The sentences are built from the repository's name and the file's path alone: never from an exception's text, which may
quote signed addresses. Exceptions of the HTTP library are known by the names of their classes, because huggingface_hub
has changed that library between its versions.
"""

from __future__ import annotations

import errno

from models.errors import Kind, ModelError

_HUB_PAGE = "https://huggingface.co"
_TRANSPORT_CLASSES = {"TransportError", "ConnectionError", "Timeout", "TimeoutError", "ChunkedEncodingError"}
_FULL_DISK = {errno.ENOSPC, errno.EDQUOT}


def explain_error(error: Exception, repo_id: str, path: str) -> ModelError:
    """Turn an exception of huggingface_hub or of the file system into a ModelError (to be raised `from error`).

    Args:
        error: what was raised while `path` of `repo_id` was asked for or downloaded.
    """
    from huggingface_hub import errors

    if isinstance(error, errors.LocalEntryNotFoundError) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    if isinstance(error, ModelError):
        found = error
    elif isinstance(error, errors.OfflineModeIsEnabled):
        found = offline_error(repo_id)
    elif isinstance(error, errors.HfHubHTTPError):
        found = _explain_answer(error, repo_id, path)
    elif _TRANSPORT_CLASSES & {cls.__name__ for cls in type(error).__mro__}:
        found = _make_error(
            "network", f"The Hugging Face Hub cannot be reached for {repo_id}. Check the connection and try again."
        )
    elif isinstance(error, OSError):
        found = _explain_file_system(error, repo_id, path)
    else:
        found = _make_error(
            "server", f"The download of {path} of {repo_id} failed ({type(error).__name__}). Try again."
        )
    return found


def offline_error(repo_id: str) -> ModelError:
    """Say that the files are not here and the network must not be used."""
    return _make_error(
        "offline",
        f"{repo_id} is not on this machine and the studio was started without the network. Start it with "
        "the network to download this model, or choose a model that is already here.",
    )


def checksum_error(repo_id: str, path: str) -> ModelError:
    """Say that the content is not what was announced and the file has been deleted."""
    return _make_error(
        "checksum",
        f"{path} of {repo_id} arrived damaged: its checksum is not the announced one. It was deleted; try again.",
    )


def content_changed_error(repo_id: str, path: str) -> ModelError:
    """Say that the Hub announces another file than the catalogue names; nothing was downloaded."""
    return _make_error(
        "checksum",
        f"The Hub offers another {path} of {repo_id} than the catalogue names (the checksums differ). "
        "It was not downloaded; look for a newer studio.",
    )


def not_a_hub_error(repo_id: str, path: str) -> ModelError:
    """Say that an answer lacks what every Hub answer has: commit, ETag."""
    return _make_error(
        "server",
        f"What answered for {path} of {repo_id} is not a Hugging Face Hub. "
        "Check HF_ENDPOINT, and any proxy or login page of the network.",
    )


def unknown_revision_error(repo_id: str, revision: str) -> ModelError:
    """Say that the repository has no such commit or tag."""
    return _make_error(
        "revision",
        f"{repo_id} has no revision {revision[:12]} (any more). Choose another model, or look for a newer studio.",
    )


def disk_too_small_error(repo_id: str, needed_mb: float, free_mb: float, folder: str) -> ModelError:
    """Say that the disk has too little space for the files; nothing was downloaded."""
    return _make_error(
        "disk",
        f"{repo_id} needs {needed_mb:,.1f} MB of disk space and {free_mb:,.1f} MB are free in {folder}. "
        "Free some space and try again.",
    )


def not_deletable_error(repo_id: str, path: str) -> ModelError:
    """Say that a file of the cache cannot be deleted."""
    return _make_error("disk", f"{path} of {repo_id} could not be deleted from the model cache. Check its permissions.")


def _explain_file_system(error: OSError, repo_id: str, path: str) -> ModelError:
    if error.errno in _FULL_DISK:
        return _make_error(
            "disk", f"The disk ran full while {path} of {repo_id} was saved. Free some space and try again."
        )
    if error.errno is None:  # huggingface_hub's own: the content has not the announced size
        return checksum_error(repo_id, path)
    reason = error.strerror or "no reason given"
    return _make_error("disk", f"{path} of {repo_id} could not be saved in the model cache: {reason}.")


def _explain_answer(error: Exception, repo_id: str, path: str) -> ModelError:
    """Explain an answer with an error status: by the Hub's own error code if it gave one, else by the status."""
    from huggingface_hub import errors

    # A subclass comes before its base class: a gated repository is a RepositoryNotFoundError too.
    by_code: tuple[tuple[type[Exception], Kind, str], ...] = (
        (
            errors.GatedRepoError,
            "gated",
            f"{repo_id} asks people to accept its conditions first: open {_HUB_PAGE}/{repo_id}, accept them, then log "
            "in with `hf auth login`, or start the studio with a token of your account.",
        ),
        (errors.DisabledRepoError, "not-found", f"{repo_id} has been switched off by the Hub. Choose another model."),
        (
            errors.RevisionNotFoundError,
            "revision",
            f"{repo_id} has no such revision any more. Choose another model, or look for a newer studio.",
        ),
        (errors.EntryNotFoundError, "not-found", f"{repo_id} has no file {path}. Choose another model."),
        (errors.RepositoryNotFoundError, "not-found", _say_no_repository(repo_id)),
    )
    for kind_of_error, kind, message in by_code:
        if isinstance(error, kind_of_error):
            return _make_error(kind, message)
    return _explain_status(getattr(getattr(error, "response", None), "status_code", 0), repo_id)


def _explain_status(status: int, repo_id: str) -> ModelError:
    forbidden = f"The Hub does not allow reading {repo_id}. Check that the login, or the token, is valid."
    by_status: dict[int, tuple[Kind, str]] = {
        401: ("forbidden", forbidden),
        403: ("forbidden", forbidden),
        404: ("not-found", _say_no_repository(repo_id)),
        408: ("network", f"The Hub waited too long for {repo_id}. Check the connection and try again."),
        429: ("rate-limit", "The Hub asks for a pause: too many downloads just now. Try again in some minutes."),
    }
    problem = f"The Hub has a problem of its own just now (error {status}). Try again in some minutes."
    return _make_error(*by_status.get(status, ("server", problem)))


def _say_no_repository(repo_id: str) -> str:
    return (
        f"{repo_id} is not on the Hub, or it is private. If it is yours, log in with `hf auth login`, "
        "or start the studio with a token of your account."
    )


def _make_error(kind: Kind, message: str) -> ModelError:
    return ModelError(message, kind)
