"""SpeechT5 for speech to speech and MusicGen Melody stream through the contract of the sound styles."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from models.backends import sound_style
from models.backends.sound_style import NOTHING, Crossfader, compute_guidance, split_at_pauses, split_overlapping
from models.contracts import AudioStyleChunk, AudioStyleRequest
from models.errors import ModelError
from models.hub.describe import describe
from models.hub.formats import read_format_name
from models.registry.registry import Registry
from tests.hub_server import HubServer
from tests.tiny_models import tiny

Load = Callable[..., Any]
RATE = 16_000
ASKED: dict[str, dict[str, Any]] = {
    "speecht5-vc": {"preset": "first", "seed": 3},
    "musicgen-melody": {"words": "slow dark music", "seed": 3},
}


def melody(seconds: float = 0.9, rate: int = RATE) -> np.ndarray:
    """Three tones with a pause after each."""
    time = np.arange(round(seconds * rate)) / rate
    tone = 220 * 2 ** (np.floor(time * 2) % 3 * 4 / 12)
    return (0.2 * np.sin(2 * np.pi * np.cumsum(tone) / rate) * (time * 2 % 1 < 0.8)).astype(np.float32)


def heard(model: Any, kind: str, content: np.ndarray, **asked: Any) -> tuple[list[AudioStyleChunk], np.ndarray]:
    request = AudioStyleRequest(content, content_rate=RATE, **(ASKED[kind] | asked))
    chunks = list(model.stream(request))
    return chunks, np.concatenate([chunk.samples for chunk in chunks])


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(ASKED))
def test_a_sound_is_restyled_and_the_same_again(load: Load, kind: str) -> None:
    model, content = load(kind), melody()
    chunks, sound = heard(model, kind, content)
    assert chunks[-1].last and sum(chunk.last for chunk in chunks) == 1 and chunks[-1].done == chunks[-1].total
    assert [chunk.done for chunk in chunks] == sorted(chunk.done for chunk in chunks)
    rate = chunks[0].sample_rate
    assert rate == model.model.sample_rate and len(sound) >= round(len(content) / RATE * rate)
    assert np.isfinite(sound).all() and np.abs(sound).max() <= 1 and len(np.unique(sound)) > 10
    assert "strength" in " ".join(chunks[-1].notes)
    assert np.array_equal(heard(model, kind, content)[1], sound), "the same request gives the same sound"
    assert not np.array_equal(heard(model, kind, content, seed=4)[1], sound)
    silent, same = heard(model, kind, content, strength=0)
    assert "stays as it is" in silent[-1].notes[0] and len(same) == round(len(content) / RATE * rate)
    if rate == RATE:
        assert np.array_equal(same, content)


@pytest.mark.slow
def test_a_melody_keeps_its_length_to_the_sample_and_is_heard_while_it_grows(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound_style, "MELODY_LONGEST_S", 2.0)
    monkeypatch.setattr(sound_style, "MELODY_OVERLAP_S", 0.5)
    model = load("musicgen-melody")
    chunks, sound = heard(model, "musicgen-melody", melody(4.213))
    assert len(sound) == chunks[-1].total
    assert sum(chunk.samples.size > 0 for chunk in chunks) > 4, "each of three pieces comes in several portions"
    other = heard(model, "musicgen-melody", melody(4.213), words="bright fast music")[1]
    assert len(other) == len(sound) and not np.array_equal(other, sound)
    assert not np.array_equal(heard(model, "musicgen-melody", -melody(4.213)[::-1])[1], sound), "the melody is heard"


@pytest.mark.slow
def test_voices_are_those_of_the_repository(hub: HubServer, load: Load, registry: Registry) -> None:
    load("speecht5-vc")  # and its vocoder is on the Hub
    named = save({"a_reader": torch.ones(8), "another": torch.arange(8.0)})
    hub.add_repo("tiny/named", tiny("speecht5-vc") | {"speaker_embeddings.safetensors": named})
    spec = describe("tiny/named", cache_dir=registry.cache_dir, endpoint=hub.url)
    registry.add(spec)
    model = registry.load(spec.key)
    assert [voice.key for voice in registry.voices(spec.key)] == ["a_reader", "another", "seed"]
    asked = ("a_reader", "another", "seed", "first")
    sounds = {key: heard(model, "speecht5-vc", melody(), preset=key) for key in asked}
    assert not np.array_equal(sounds["a_reader"][1], sounds["another"][1])
    assert np.array_equal(sounds["a_reader"][1], sounds["first"][1])
    assert "first voice, “a reader”" in " ".join(sounds["first"][0][-1].notes)


@pytest.mark.slow
def test_silence_stays_silent_and_what_cannot_be_is_said(load: Load) -> None:
    model = load("speecht5-vc")
    assert not heard(model, "speecht5-vc", np.zeros(RATE, np.float32))[1].any()
    quiet = np.concatenate([melody(9.5), np.zeros(12 * RATE, np.float32)])
    assert not heard(model, "speecht5-vc", quiet)[1][-RATE:].any()
    notes = heard(model, "speecht5-vc", melody(), preset="", style=melody())[0][-1].notes
    assert "yours was left out" in " ".join(notes)
    player = load("musicgen-melody")
    with pytest.raises(ValueError, match="write the style in words"):
        heard(player, "musicgen-melody", melody(), words="", preset="lj")


@pytest.mark.slow
def test_stopping_ends_between_steps_and_leaves_the_model_usable(load: Load) -> None:
    for kind, asked in ASKED.items():
        model = load(kind)
        stream = model.stream(AudioStyleRequest(melody(15.0), content_rate=RATE, **asked))
        next(chunk for chunk in stream if chunk.samples.size)
        stream.close()
        assert heard(model, kind, melody())[0][-1].last


def test_one_name_two_models_and_one_that_is_refused(hub: HubServer, registry: Registry) -> None:
    assert read_format_name({"model_type": "speecht5", "architectures": ["SpeechT5ForTextToSpeech"]}) == "speecht5"
    assert read_format_name({"model_type": "speecht5", "architectures": ["SpeechT5ForSpeechToSpeech"]}) == "speecht5-vc"
    assert read_format_name({"architecture": "vgg19"}) == "vgg19" and read_format_name({"architectures": "x"}) == ""
    files = tiny("speecht5-vc")
    files["config.json"] = files["config.json"].replace(b"ForSpeechToSpeech", b"ForSpeechToText")
    hub.add_repo("tiny/recogniser", files)
    with pytest.raises(ModelError, match="of the kind speecht5-asr, which the studio cannot run"):
        describe("tiny/recogniser", cache_dir=registry.cache_dir, endpoint=hub.url)


@given(total=st.integers(1, 500), longest=st.integers(20, 100), overlap=st.integers(1, 9))
def test_overlapping_pieces_cover_everything(total: int, longest: int, overlap: int) -> None:
    pieces = split_overlapping(total, longest, overlap)
    assert pieces[0][0] == 0 and pieces[-1][1] == total
    assert all(0 < end - start <= longest for start, end in pieces)
    assert all(after[0] == before[1] - overlap for before, after in pairwise(pieces))


@settings(max_examples=30)
@given(cuts=st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_a_joint_gives_the_same_in_portions_as_at_once(cuts: list[int]) -> None:
    total, overlap = 200, 12
    sound = np.random.default_rng(1).standard_normal(total).astype(np.float32)

    def joined(portion: Callable[[int], int]) -> np.ndarray:
        joint, made = Crossfader(overlap), []
        for start, end in split_overlapping(total, 80, overlap):
            joint.begin(is_last=end == total)
            at, turn = start, 0
            while at < end:
                step = min(portion(turn), end - at)
                made.append(joint.push(sound[at : at + step]))
                at, turn = at + step, turn + 1
            made.append(joint.end())
        return np.concatenate([NOTHING, *made])

    whole = joined(lambda _: total)
    assert len(whole) == total
    np.testing.assert_allclose(joined(lambda turn: cuts[turn % len(cuts)]), whole, atol=1e-6)
    outside = np.ones(total, bool)
    for start, _ in split_overlapping(total, 80, overlap)[1:]:
        outside[start : start + overlap] = False
    np.testing.assert_array_equal(whole[outside], sound[outside])


def test_speech_is_cut_in_its_pauses() -> None:
    rate = 1000
    sound = np.ones(25 * rate, np.float32)
    for pause_s in (7.0, 14.5):
        sound[round(pause_s * rate) : round((pause_s + 0.3) * rate)] = 0
    pieces = list(split_at_pauses(sound, rate))
    assert np.array_equal(np.concatenate(pieces), sound)
    assert [round(len(piece) / rate) for piece in pieces][:2] == [7, 8] and max(map(len, pieces)) <= 10 * rate


def test_strength_is_how_closely_words_are_followed() -> None:
    assert [compute_guidance(strength) for strength in (0.5, 1.0)] == [3.0, 5.0]
    with pytest.raises(ValueError, match="and not both"):
        AudioStyleRequest(melody(), preset="a", words="b")
    with pytest.raises(ValueError, match="at most 2,000 characters"):
        AudioStyleRequest(melody(), words="b" * 2_001)
