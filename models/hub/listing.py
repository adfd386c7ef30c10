"""The commit, files and licence of a repository on the Hub, asked for in two short requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models.errors import ModelError
from models.hub import errors
from models.hub.checksums import is_sha256
from models.hub.download import HubFile, is_offline
from models.hub.names import is_commit, is_repo_id

MAX_FILES = 4000


@dataclass(frozen=True)
class Repository:
    """One state of a repository.

    Attributes:
        commit: the full commit hash of that state.
        files: all of them, with sizes and, where the Hub names one, the SHA-256.
        licence: as its page names it; "" where it names none.
        languages: as its page names them.
    """

    repo_id: str
    commit: str
    files: tuple[HubFile, ...]
    licence: str = ""
    languages: tuple[str, ...] = ()

    @property
    def paths(self) -> set[str]:
        """Return the paths of all files."""
        return {file.path for file in self.files}


def list_repository(
    repo_id: str, revision: str, *, endpoint: str | None = None, offline: bool | None = None
) -> Repository:
    """Ask the Hub about a repository; a branch or tag is resolved to the commit that it names now.

    The token, if one is needed, is the one of the environment (HF_TOKEN) or of the login.

    Raises:
        ModelError: with a sentence to act on.
    """
    if not is_repo_id(repo_id):
        raise ModelError(
            f"{repo_id!r} is not the id of a repository; it reads like owner/name, as in facebook/mms-tts-eng.",
            "not-found",
        )
    if is_offline(offline):
        raise errors.offline_error(repo_id)
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint)
    try:
        info = api.model_info(repo_id, revision=revision or "main", timeout=10.0)
        commit = str(info.sha or "")
        if not is_commit(commit):
            raise errors.not_a_hub_error(repo_id, "the list of files")
        files = []
        for entry in api.list_repo_tree(repo_id, recursive=True, revision=commit):
            if getattr(entry, "size", None):
                files.append(HubFile(entry.path, int(entry.size), _read_sha256(entry)))  # type: ignore[union-attr]
            if len(files) > MAX_FILES:
                raise ModelError(f"{repo_id} holds more than {MAX_FILES:,} files; it is no model.", "format")
    except ModelError:
        raise
    except Exception as error:
        raise errors.explain_error(error, repo_id, "the list of files") from error
    card: Any = info.card_data or {}
    licence = card.get("license_name") or card.get("license") or _read_tag(info.tags or [], "license:")
    languages = card.get("language") or []
    languages = [languages] if isinstance(languages, str) else languages
    return Repository(repo_id, commit, tuple(files), _join_text(licence), tuple(str(each) for each in languages)[:40])


def list_commits(repo_id: str, revision: str, *, endpoint: str | None = None) -> frozenset[str]:
    """Return the hashes of all commits of a branch.

    Raises:
        ModelError: with a sentence to act on.
    """
    from huggingface_hub import HfApi

    try:
        commits = HfApi(endpoint=endpoint).list_repo_commits(repo_id, revision=revision)
        return frozenset(each.commit_id for each in commits)
    except Exception as error:
        raise errors.explain_error(error, repo_id, "the list of commits") from error


def _read_sha256(entry: Any) -> str | None:
    digest = getattr(getattr(entry, "lfs", None), "sha256", None)
    return digest if is_sha256(digest) else None


def _read_tag(tags: list[str], prefix: str) -> str:
    return next((tag.removeprefix(prefix) for tag in tags if tag.startswith(prefix)), "")


def _join_text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value or "")
