"""The files of an endpoint's answer lie in the caller's library, where it is known whose they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client

from studio.app import build_studio, launch_studio
from studio.library.owners import KNOWN_HEADER, OWNER_HEADER, OwnerRules, read_secret, sign
from studio.library.store import Library
from studio.page.calls import KEEP, is_to_be_kept
from studio.server.access import rules_for
from tests.studio.debug_speech import debug_registry


@pytest.mark.parametrize(
    ("said", "known", "usually", "expected"),
    [
        ("", "1", True, True),
        ("", "1", False, False),
        ("no", "1", True, False),
        ("Yes ", "1", False, True),
        ("yes", "0", True, False),
        ("", "", True, False),
    ],
)
def test_a_call_is_kept_where_the_caller_can_find_it_and_does_not_say_otherwise(
    said: str, known: str, usually: bool, expected: bool
) -> None:
    assert is_to_be_kept({KEEP: said, KNOWN_HEADER: known, OWNER_HEADER: "x"}, usually) is expected


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Library]]:
    folder = tmp_path_factory.mktemp("public")
    library = Library(folder / "library")
    studio = build_studio(debug_registry(folder), library)
    rules = rules_for(None, ["https://friend.example"])
    launch_studio(studio, rules=rules, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield str(studio.local_url), library
    studio.close()


@pytest.mark.slow
def test_a_program_that_calls_with_a_cookie_finds_what_it_made_and_another_leaves_nothing(
    public: tuple[str, Library], tmp_path: Path
) -> None:
    address, library = public
    secret = read_secret(library.folder)
    cookie = {"cookie": f"{OwnerRules(secret).cookie}={sign('ann', secret)}"}

    def call(headers: dict[str, str], text: str) -> Any:
        client = Client(address, verbose=False, download_files=str(tmp_path), headers=headers)
        return client.predict(text=text, seed=5, api_name="/speech")

    call({}, "By nobody.")
    call(cookie | {KEEP: "no"}, "Not to be kept.")
    call(cookie, "To be kept.")
    assert library.database.read("SELECT COUNT(*) AS count FROM items")[0]["count"] == 1
    (item,) = library.find("ann")
    assert (item.title, item.kind, item.prompt) == ("To be kept.", "speech", "To be kept.")
    assert item.recipe is not None and item.recipe.seed == 5
    assert {"wav", "srt"} <= {each.role for each in item.files}
