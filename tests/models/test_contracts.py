"""Requests check themselves: every limit holds, and the message names field, value and what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError, fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.contracts import (
    MAX_SEED,
    AudioStyleChunk,
    AudioStyleRequest,
    AudioStyleStatistics,
    Generator,
    ModelInfo,
    Progress,
    SpeechChunk,
    SpeechRequest,
    Task,
    VideoChunk,
    VideoRequest,
    Voice,
    WordTiming,
    check_entries,
    check_number,
    check_seed,
)

SOUND = np.zeros(4, np.float32)


def speech(**changes: Any) -> SpeechRequest:
    return SpeechRequest(**{"text": "Hello", **changes})


def sound_style(**changes: Any) -> AudioStyleRequest:
    return AudioStyleRequest(**{"content": SOUND, "preset": "lj", **changes})


def video(**changes: Any) -> VideoRequest:
    return VideoRequest(**{"prompt": "a ball", **changes})


LIMITS: list[tuple[Callable[..., Any], str, float, float]] = [
    (speech, "seed", 0, 4_294_967_295),
    (speech, "speed", 0.5, 2.0),
    (speech, "pitch_semitones", -6.0, 6.0),
    (speech, "energy_db", -10.0, 10.0),
    (sound_style, "strength", 0.0, 1.0),
    (sound_style, "content_rate", 4_000, 384_000),
    (sound_style, "style_rate", 4_000, 384_000),
    (sound_style, "seed", 0, 4_294_967_295),
    (video, "guidance", 0.0, 15.0),
    (video, "rescale", 0.0, 1.0),
    (video, "frames", 2, 256),
    (video, "steps", 1, 100),
    (video, "seed", 0, 4_294_967_295),
]
WHOLE = {"seed", "frames", "steps", "size"}


@pytest.mark.parametrize(("make", "field", "low", "high"), LIMITS)
def test_the_limits_themselves_are_allowed_and_nothing_beyond(
    make: Callable[..., Any], field: str, low: float, high: float
) -> None:
    step = 1 if field in WHOLE else 1e-6 * max(1.0, abs(high))
    for value in (low, high):
        assert getattr(make(**{field: value}), field) == value
    for value in (low - step, high + step):
        with pytest.raises(ValueError, match=rf"^{field} is "):
            make(**{field: value})


@pytest.mark.parametrize(("make", "field", "low", "high"), LIMITS)
@pytest.mark.parametrize("value", [None, "1", True, float("nan"), float("inf"), [1]], ids=repr)
def test_what_is_no_number_is_refused(
    make: Callable[..., Any], field: str, low: float, high: float, value: object
) -> None:
    with pytest.raises(ValueError, match=rf"^{field} is "):
        make(**{field: value})


@pytest.mark.parametrize("field", sorted(WHOLE))
def test_whole_numbers_are_whole(field: str) -> None:
    with pytest.raises(ValueError, match=rf"^{field} is 32\.0; it must be a whole number from "):
        video(**{field: 32.0})


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_numbers_are_checked_against_any_limits(value: float, low: float, span: float) -> None:
    if low <= value <= low + span:
        check_number("size", value, low, low + span)
    else:
        with pytest.raises(ValueError, match=r"^size is .*; it must be a number from "):
            check_number("size", value, low, low + span)


def test_messages_name_value_and_limits() -> None:
    with pytest.raises(ValueError, match=r"^speed is 3; it must be a number from 0\.5 to 2\.$"):
        speech(speed=3)
    with pytest.raises(ValueError, match=r"^seed is -1; it must be a whole number from 0 to 4294967295\.$"):
        check_seed(-1)
    assert MAX_SEED == 4_294_967_295


@pytest.mark.parametrize("text", ["", " \n\t", None, 3])
def test_speech_needs_text(text: object) -> None:
    with pytest.raises(ValueError, match=r"^text is empty"):
        speech(text=text)


def test_speech_has_a_longest_text() -> None:
    assert len(speech(text="a" * 20_000).text) == 20_000
    with pytest.raises(ValueError, match=r"^text has 20,001 characters; at most 20,000 "):
        speech(text="a" * 20_001)


def test_speech_has_two_vocoders() -> None:
    assert speech(vocoder="griffin-lim").vocoder == "griffin-lim"
    with pytest.raises(ValueError, match=r"^vocoder is 'other'; it must be one of neural, griffin-lim"):
        speech(vocoder="other")


def test_a_dictionary_is_pairs_of_texts() -> None:
    longest = "a" * 200
    many = ((longest, longest), *((f"word{number}", "said") for number in range(499)))
    assert speech(dictionary=many).dictionary == many
    check_entries(())


@pytest.mark.parametrize(
    ("dictionary", "says"),
    [
        ([("a", "b")], "must be a tuple of at most 500 pairs"),
        ((("a", "b"),) * 501, "must be a tuple of at most 500 pairs"),
        ((("a", "b", "c"),), "each entry must be a pair of texts"),
        ((["a", "b"],), "each entry must be a pair of texts"),
        ((("a", 1),), "each entry must be a pair of texts"),
        ((("a", "b"), ("c", " ")), "both texts of an entry must have 1 to 200 characters"),
        ((("", "b"),), "both texts of an entry must have 1 to 200 characters"),
        ((("a", "b" * 201),), "both texts of an entry must have 1 to 200 characters"),
    ],
)
def test_a_wrong_dictionary_is_refused(dictionary: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        speech(dictionary=dictionary)


def test_defaults_are_the_voice_as_it_is() -> None:
    request = speech()
    assert (request.voice, request.seed, request.speed, request.pitch_semitones, request.energy_db) == ("", 0, 1, 0, 0)
    assert (request.vocoder, request.dictionary) == ("neural", ())
    styled = sound_style()
    assert (styled.content_rate, styled.style_rate, styled.strength) == (22_050, 22_050, 0.8)
    assert (styled.move_pitch, styled.low_latency, styled.seed, styled.words) == (True, False, 0, "")
    clip = video()
    assert (clip.negative_prompt, clip.frames, clip.size, clip.steps, clip.guidance) == ("", 16, 64, 16, 1.5)
    assert (clip.rescale, clip.seed, clip.image, clip.loop, clip.picture_path) == (0, 0, None, False, "")
    assert [clip.motion, clip.speed, clip.camera, clip.colour, clip.direction] == [0] * 5


@pytest.mark.parametrize(
    ("style", "preset", "words", "fits"),
    [
        (SOUND, "", "", True),
        (None, "lj", "", True),
        (None, "", "a calm flute", True),
        (None, "", "", False),
        (SOUND, "lj", "", False),
        (SOUND, "", "a calm flute", False),
        (None, "lj", "a calm flute", False),
        (SOUND, "lj", "a calm flute", False),
    ],
)
def test_exactly_one_style_is_given(style: Any, preset: str, words: str, fits: bool) -> None:
    if fits:
        assert sound_style(style=style, preset=preset, words=words).words == words
    else:
        with pytest.raises(ValueError, match="either a style sound or one of the presets"):
            sound_style(style=style, preset=preset, words=words)


def test_words_of_a_style_are_text_of_limited_length() -> None:
    assert len(sound_style(preset="", words="a" * 2_000).words) == 2_000
    for words in ("a" * 2_001, 3):
        with pytest.raises(ValueError, match=r"words must be text of at most 2,000 characters"):
            sound_style(preset="", words=words)


@pytest.mark.parametrize("prompt", ["", "  ", None, 7])
def test_a_clip_needs_a_prompt(prompt: object) -> None:
    with pytest.raises(ValueError, match=r"^prompt is empty"):
        video(prompt=prompt)


@pytest.mark.parametrize("field", ["prompt", "negative_prompt"])
def test_prompts_have_a_longest_length(field: str) -> None:
    assert len(getattr(video(**{field: "a" * 2_000}), field)) == 2_000
    with pytest.raises(ValueError, match=rf"^{field} must be text of at most 2,000 characters"):
        video(**{field: "a" * 2_001})


def test_a_negative_prompt_is_text() -> None:
    with pytest.raises(ValueError, match=r"^negative_prompt must be text"):
        video(negative_prompt=None)


@pytest.mark.parametrize("size", [32, 48, 64, 128])
def test_sizes_that_the_model_draws(size: int) -> None:
    image = np.zeros((size, size, 3), np.uint8)
    assert video(size=size, image=image).image is image


@pytest.mark.parametrize(("size", "says"), [(16, "from 32 to 128"), (144, "from 32 to 128"), (40, "multiple of 16")])
def test_sizes_that_no_model_draws(size: int, says: str) -> None:
    with pytest.raises(ValueError, match=rf"^size is {size}; it must be a .*{says}"):
        video(size=size)


@pytest.mark.parametrize(
    "image", [np.zeros((64, 64, 3), np.float32), np.zeros((32, 64, 3), np.uint8), np.zeros((64, 64), np.uint8)]
)
def test_the_first_frame_is_of_the_clips_size(image: Any) -> None:
    with pytest.raises(ValueError, match=r"^image must be 64 x 64 pixels of three colours, 8 bits each"):
        video(image=image)


def test_a_loop_has_an_even_number_of_frames() -> None:
    assert video(loop=True, frames=16).loop
    assert video(frames=15).frames == 15
    with pytest.raises(ValueError, match=r"^frames is 15; a loop needs an even number"):
        video(loop=True, frames=15)


@pytest.mark.parametrize("request_", [speech(), sound_style(), video(), Voice("a", "A", "MIT"), WordTiming("a", 0, 1)])
def test_nothing_changes_after_it_was_made(request_: Any) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(request_, fields(request_)[0].name, "other")


def test_requests_with_arrays_are_told_apart_by_identity() -> None:
    assert speech() == speech() and hash(speech()) == hash(speech())
    request = sound_style()
    assert request == request and request != sound_style()  # noqa: PLR0124
    clip = video()
    assert clip == clip and clip != video()  # noqa: PLR0124


def test_chunks_begin_unfinished() -> None:
    nothing = np.zeros((0, 0), np.float32)
    spoken = SpeechChunk(SOUND, 22_050, nothing, nothing, ("a",), 0, 1)
    assert (spoken.words, spoken.verdict, spoken.notes) == ((), "", ())
    assert (spoken.done, spoken.total, spoken.last) == (0, 1, False)
    styled = AudioStyleChunk(SOUND, 22_050, "listening", 0, 4)
    assert (styled.statistics, styled.notes, styled.last) == (None, (), False)
    shown = VideoChunk(np.zeros((0, 4, 4, 3), np.uint8), np.zeros((0, 4, 4, 3), np.uint8), 8.0, 1, 2, 3, 4)
    assert (shown.last, shown.notes) == (False, ())
    assert Progress("loading") == Progress("loading", 0, 0, "bytes")
    s = SOUND
    moved = AudioStyleStatistics(s, s, s, s, s, s, s, s, s)
    assert (moved.content_pitch_hz, moved.style_pitch_hz, moved.result_pitch_hz) == (0.0, 0.0, 0.0)
    assert ModelInfo(5) == ModelInfo(5, 0, {}) and Voice("a", "A", "MIT").credit == ""


def test_a_generator_is_what_streams() -> None:
    class Streams:
        def stream(self, request: Any) -> Iterator[Any]:
            yield request

    assert isinstance(Streams(), Generator)
    assert not isinstance(object(), Generator)


def test_tasks_are_the_first_parts_of_keys() -> None:
    names = ["speech", "music", "video", "video_sync", "beats", "music_video", "style_video", "style_audio"]
    assert [str(task) for task in Task] == names
    assert f"{Task.SYNC}/key" == "video_sync/key"
