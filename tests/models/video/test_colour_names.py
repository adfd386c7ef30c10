"""Colours by name: plain ones, those of the survey, things that are no colours, several at once."""

from __future__ import annotations

import pytest

from models.video.colour_names import find_colour, load_colour_names, to_oklab
from models.video.scene_spec import COLOURS
from models.video.scene_words import COLOUR_WORDS


@pytest.mark.parametrize("colour", COLOURS)
def test_the_training_words_mean_what_they_mean_in_training(colour: str) -> None:
    for word in COLOUR_WORDS[colour][0]:
        if word not in {"rose", "pale"}:  # a flower, and no colour of its own
            assert find_colour(f"a {word} balloon") == colour, word


@pytest.mark.parametrize(
    ("name", "colour"),
    [("lavender", "purple"), ("maroon", "red"), ("navy", "blue"), ("olive", "green"), ("leaf green", "green"),
     ("hot pink", "pink"), ("mustard", "gold"), ("ivory", "white")],
)  # fmt: skip
def test_names_of_the_survey(name: str, colour: str) -> None:
    assert find_colour(f"a {name} balloon over the hills") == colour


def test_things_greys_several_colours_and_none_say_nothing() -> None:
    for prompt in ("a walk in the forest at midnight", "a grey sky", "red and white tents", "hello world", "", "!!"):
        assert find_colour(prompt) == "", prompt


def test_every_name_is_a_colour_of_the_world_or_none() -> None:
    assert set(load_colour_names().values()) == {*COLOURS, ""}
    assert len(load_colour_names()) > 900


def test_oklab_of_white_and_grey_has_no_chroma() -> None:
    for grey in (0.0, 0.3, 1.0):
        lightness, a, b = to_oklab((grey, grey, grey))
        assert abs(a) < 1e-3 and abs(b) < 1e-3 and -1e-6 <= lightness <= 1 + 1e-3
    assert to_oklab((1, 1, 1))[0] == pytest.approx(1, abs=1e-3)
