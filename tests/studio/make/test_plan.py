"""What one sentence is made into."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.contracts import SpeechRequest
from studio.make.plan import EMPTY, MAX_SUBJECT_CHARACTERS, MOST_BARS, plan_undertaking
from studio.music.actions import build_request
from studio.music.controls import FIELDS as MUSIC
from studio.music_video.controls import FIELDS as MUSIC_VIDEO


def test_words_that_name_music_are_heeded_and_introduced() -> None:
    plan = plan_undertaking("a lighthouse in a storm, sad, in Bb minor, with piano and drums, 80 bpm", 3)
    assert plan.music["key"] == "Bb minor" and plan.music["instruments"] == [0] and plan.music["tempo"] == 80
    said = "A lighthouse in a storm. A short piece in B flat minor, at 80 beats a minute, for grand piano and drums."
    assert plan.introduction == said
    assert plan.chosen == ""
    assert len(plan.looks) == 3


@pytest.mark.parametrize(
    ("sentence", "subject"),
    [
        ("a sad lo-fi song about rain in the city, 80 bpm", "rain in the city"),
        ("Something about my cat", "my cat"),
        ("a lighthouse in a storm, with piano and soft drums", "a lighthouse in a storm"),
        ("jazz, a bar at night", "a bar at night"),
        ("snow, ice and wind", "snow, ice and wind"),
        ("a boat with red sails", "a boat with red sails"),
        ("sad piano", "sad piano"),
    ],
)
def test_what_is_said_of_the_music_is_no_part_of_the_subject(sentence: str, subject: str) -> None:
    plan = plan_undertaking(sentence, 1)
    assert plan.subject == subject
    assert plan.looks[0] == subject


def test_a_mood_is_chosen_by_the_seed_and_told_where_the_words_name_no_music() -> None:
    plans = [plan_undertaking("my cat", seed) for seed in range(20)]
    assert len({plan.chosen for plan in plans}) > 1
    assert all("names no music" in plan.chosen or "name no music" in plan.chosen for plan in plans)
    assert plan_undertaking("my cat", 4) == plans[4]


def test_a_scene_whose_time_of_day_is_said_is_seen_then_alone() -> None:
    assert plan_undertaking("blue waves at night", 1).looks == ("blue waves at night",)


@pytest.mark.parametrize("text", ["", "  \n ", "..."])
def test_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=EMPTY):
        plan_undertaking(text, 1)


@given(st.text(min_size=1, max_size=MAX_SUBJECT_CHARACTERS), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_every_sentence_gives_values_that_the_tabs_take(about: str, seed: int) -> None:
    if not about.strip(" .\n\t") or not " ".join(about.split()).strip(" ."):
        return
    plan = plan_undertaking(about, seed)
    SpeechRequest(text=plan.introduction, seed=plan.seed)
    assert build_request(MUSIC.defaults() | dict(plan.music)).bars <= max(MOST_BARS, plan.music["bars"])
    MUSIC_VIDEO["prompts"].read("\n".join(plan.looks))
