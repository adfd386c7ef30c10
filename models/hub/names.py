"""How repositories on the Hub and their fixed states are named."""

from __future__ import annotations

import re

_COMMIT = re.compile(r"[0-9a-f]{40}")
_REPO_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9][\w.+-]*", re.ASCII)
_PAGE = re.compile(r"^(https?://)?(www\.)?(huggingface\.co|hf\.co)/")
_LIKE_COMMIT = re.compile(r"[0-9a-fA-F]{7,40}")


def check_repository(repo_id: str, revision: str) -> None:
    """Raise ValueError unless this names one fixed state of a repository."""
    if not is_repo_id(repo_id):
        raise ValueError(f"repo_id is {repo_id!r}; it must read like 'owner/name'.")
    if not _is_fixed(revision):
        raise ValueError(
            f"revision of {repo_id} is {revision!r}; it must be a full commit hash (40 small hexadecimal "
            "letters) or a tag with a number in it, never a branch or a shortened hash."
        )


def is_repo_id(text: str) -> bool:
    """Return whether `text` reads like "owner/name"."""
    return bool(_REPO_ID.fullmatch(text))


def drop_address(text: str) -> str:
    """Return what a person pastes without spaces around it and without the address of the Hub's page before it."""
    return _PAGE.sub("", text.strip())


def is_commit(text: str) -> bool:
    """Return whether `text` is a full commit hash."""
    return bool(_COMMIT.fullmatch(text))


def _is_fixed(revision: str) -> bool:
    """Return whether a revision is a commit or a tag; a tag must have a digit, which tells it from most branches."""
    if _COMMIT.fullmatch(revision):
        return True
    has_number = any(letter.isdigit() for letter in revision)
    return has_number and bool(_TAG.fullmatch(revision)) and not _LIKE_COMMIT.fullmatch(revision)
