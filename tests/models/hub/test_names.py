"""Names of repositories and of their fixed states."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.hub.names import check_repository, is_commit, is_repo_id

COMMIT = "0123456789abcdef0123456789abcdef01234567"
hexadecimal = st.text("0123456789abcdef", min_size=1, max_size=60)


@pytest.mark.parametrize("text", ["a/b", "facebook/mms-tts-eng", "Wan-AI/Wan2.1_T2V.x", "0/1"])
def test_ids_of_repositories(text: str) -> None:
    assert is_repo_id(text)


@pytest.mark.parametrize(
    "text", ["", "a", "/b", "a/", "a/b/c", "a b/c", "-a/b", "a/.b", "ü/b", "a/b\n", " a/b", "a\\b"]
)
def test_what_is_no_id(text: str) -> None:
    assert not is_repo_id(text)
    with pytest.raises(ValueError, match=r"^repo_id is "):
        check_repository(text, COMMIT)


@given(hexadecimal)
def test_a_commit_has_forty_small_hexadecimal_letters(text: str) -> None:
    assert is_commit(text) == (len(text) == 40)
    assert not is_commit(text.upper()) or text.isdigit()


@given(st.text(string.ascii_letters + ".-_", min_size=1))
def test_a_name_without_a_digit_may_be_a_branch(name: str) -> None:
    with pytest.raises(ValueError, match=r"^revision of a/b is "):
        check_repository("a/b", name)


@pytest.mark.parametrize("revision", [COMMIT, "v1", "v1.0", "2024.05-rc.1", "1", "release_3+build", "abc1234z"])
def test_fixed_states(revision: str) -> None:
    check_repository("a/b", revision)


@pytest.mark.parametrize(
    "revision", ["", "main", COMMIT[:39], COMMIT[:7], COMMIT.upper(), "refs/pr/1", "-v1", "v1 ", "v1\n"]
)
def test_states_that_may_move(revision: str) -> None:
    with pytest.raises(ValueError, match=r"^revision of a/b is .*never a branch or a shortened hash"):
        check_repository("a/b", revision)


def test_six_hexadecimal_letters_are_no_shortened_hash() -> None:
    check_repository("a/b", "abc123")
    with pytest.raises(ValueError, match="shortened hash"):
        check_repository("a/b", "abc1234")
