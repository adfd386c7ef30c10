"""The dictionary and the preview of the Speech tab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.io.recipes import read_recipe
from studio.speech.actions import SpeechActions, build_request, preview_words
from studio.speech.controls import FIELDS
from tests.studio.debug_speech import debug_registry, debug_spec
from tests.studio.events import flatten

LINES = "Kubernetes = /ˌkubɚˈnɛtiz/\n\nPyTorch = pie torch"
PAIRS = (("Kubernetes", "/ˌkubɚˈnɛtiz/"), ("PyTorch", "pie torch"))


def test_lines_and_pairs_become_the_requests_dictionary() -> None:
    assert build_request({"text": "hi", "dictionary": LINES}).dictionary == PAIRS
    assert build_request({"text": "hi", "dictionary": [list(pair) for pair in PAIRS]}).dictionary == PAIRS
    assert build_request({"text": "hi"}).dictionary == ()
    with pytest.raises(ValueError, match="Dictionary has 'PyTorch'"):
        build_request({"text": "hi", "dictionary": "PyTorch"})


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        pairs = FIELDS["dictionary"].read(text)
    except ValueError as error:
        assert "a line must read" in str(error)
    else:
        assert all(len(pair) == 2 and all(pair) for pair in pairs)


def test_a_result_keeps_the_dictionary_and_one_without_has_no_line_of_it(tmp_path: Path) -> None:
    actions = SpeechActions(debug_registry(tmp_path, debug_spec()))

    def made(**values: Any) -> dict[str, Any]:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        page: dict[str, Any] = {}
        for step in actions.run_program("speech/debug", FIELDS.defaults() | values, str(folder)):
            page |= flatten(step)
        return page

    plain, own = made(text="Hi."), made(text="Hi.", dictionary=LINES)
    assert "dictionary" not in read_recipe(plain["wav"]).settings
    values, _ = actions.load_settings(own["wav"])
    assert FIELDS["dictionary"].read(values["dictionary"]) == PAIRS


def test_the_preview_says_the_words() -> None:
    said = preview_words("It costs $12.50 in PyTorch.", PAIRS)
    assert "twelve dollars and fifty cents" in said
    assert 'role="alert"' in preview_words("你好", ()) and "<script" not in preview_words("<script>hi</script>", ())
