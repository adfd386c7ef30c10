"""Prompts about named things."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.video.scene_spec import COLOURS
from models.video.thing_parsing import ThingPrompt, list_singulars, parse_things, to_plural
from models.video.thing_words import (
    ACT_NAMES,
    PLACE_NAMES,
    PLACE_WORDS,
    THING_ATTRIBUTE_SIZES,
    THING_NAMES,
    THINGS,
    find_home,
)


@pytest.mark.parametrize(
    ("prompt", "caption", "unread"),
    [
        ("a cat walking on the beach at sunset", "a cat walking left on the beach at dusk", ()),
        ("two robots dancing in the snow", "two robots dancing in the snow by day", ()),
        ("a red car driving through the desert to the left", "a red car driving left in the desert by day", ()),
        ("a red sports car in the desert", "a red car driving left in the desert by day", ("sports",)),
        ("an astronaut on the moon", "an astronaut walking left on the moon", ()),
        ("mice under the moon", "two mice walking left on a meadow at night", ()),
        ("a dog and a cat run right", "a dog and a cat walking right fast on a meadow by day", ()),
        ("a polar bear, camera zooms in", "a polar bear walking left in the snow by day, camera zooms in", ()),
        ("a rocket rising into space", "a rocket rising in space", ()),
        ("a man riding a horse", "a horse driving left on a meadow by day", ("man",)),
        ("A KITTEN", "a cat walking left on a meadow by day", ()),
    ],
)
def test_prompts_are_read(prompt: str, caption: str, unread: tuple[str, ...]) -> None:
    read = parse_things(prompt)
    assert read is not None
    assert (read.to_caption(), read.unread) == (caption, unread)


@pytest.mark.parametrize("prompt", ["", "blue ocean waves", "a woman walks left", "asdfgh", "camera pans left"])
def test_prompts_without_things_are_left_to_others(prompt: str) -> None:
    assert parse_things(prompt) is None


@given(
    st.builds(
        ThingPrompt,
        thing=st.sampled_from(THING_NAMES),
        count=st.sampled_from((1, 2)),
        colour=st.sampled_from(("", *COLOURS)),
        place=st.sampled_from(PLACE_NAMES),
    )
)
def test_captions_say_what_they_are_made_of(prompt: ThingPrompt) -> None:
    read = parse_things(prompt.to_caption())
    assert read is not None
    assert (read.thing, read.place, read.colour) == (prompt.thing, prompt.place, prompt.colour)
    assert read.count == prompt.count or to_plural(prompt.thing) == prompt.thing


@given(st.text(max_size=80))
def test_any_text_is_read_or_not(text: str) -> None:
    read = parse_things(text)
    if read is not None:
        assert all(0 <= n <= size for n, size in zip(read.number_attributes()[6:], THING_ATTRIBUTE_SIZES, strict=True))


def test_lists_agree() -> None:
    assert set(PLACE_WORDS) == set(PLACE_NAMES)
    assert all(find_home(name) in PLACE_NAMES for name in THING_NAMES)
    assert {habit for habit, _ in THINGS.values()} <= set(ACT_NAMES)
    words = [word for _, words in THINGS.values() for word in words]
    assert len(words) == len(set(words))
    assert all(name in list_singulars(to_plural(name)) for name in THING_NAMES if " " not in name)
