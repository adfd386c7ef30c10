"""Speech models of transformers speak through the studio's contract, from true files over the true download."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save

from models.backends.sentence_splitting import MAX_CHARACTERS, split_sentences
from models.backends.speakers import find_words
from models.contracts import SpeechChunk, SpeechRequest
from models.hub.describe import describe
from models.registry.registry import Registry
from tests.hub_server import HubServer
from tests.tiny_models import tiny

Load = Callable[..., Any]
TEXT = "Hello the boat. Good morning!"


def heard(model: Any, **asked: Any) -> tuple[list[SpeechChunk], np.ndarray]:
    chunks = list(model.stream(SpeechRequest(asked.pop("text", TEXT), **({"seed": 3} | asked))))
    return chunks, np.concatenate([chunk.samples for chunk in chunks])


def test_vits_streams_its_sentences_with_its_own_durations_as_alignment(load: Load) -> None:
    import torch

    model = load("vits")
    chunks, sound = heard(model)
    spoken = [chunk for chunk in chunks if chunk.samples.size]
    assert len(spoken) == 2 and chunks[-1].last and chunks[-1].done == chunks[-1].total == len(TEXT)
    assert spoken[0].symbols == tuple("hello the boat")
    assert np.allclose(spoken[0].alignment.sum(axis=1), 1)
    assert (np.diff(spoken[0].alignment.argmax(axis=1)) >= 0).all()
    assert [word.text for word in chunks[-1].words] == ["hello", "the", "boat", "good", "morning"]
    starts = [word.start_s for word in chunks[-1].words]
    assert starts == sorted(starts) and chunks[-1].words[-1].end_s <= len(sound) / 16_000 + 1e-6
    speaker = model.model.speaker  # the library's own call gives the same sound
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(3)
        ids = speaker.tokenizer("Hello the boat.", return_tensors="pt")["input_ids"]
        alone = speaker.model(input_ids=ids, speaking_rate=0.05).waveform[0].numpy()
    peak = np.abs(alone).max()
    first = spoken[0].samples[: len(alone)]
    assert np.allclose(first, alone * (0.99 / peak if peak > 0.99 else 1.0), atol=1e-5)
    assert np.array_equal(sound, heard(model)[1]) and not np.array_equal(sound, heard(model, seed=4)[1])


def test_vits_follows_speed_and_says_what_it_cannot_do(load: Load) -> None:
    model = load("vits")
    chunks, sound = heard(model, text="hello the boat")
    slow = heard(model, text="hello the boat", speed=0.5)[1]
    assert 1.7 < len(slow) / len(sound) < 2.3
    notes = heard(model, pitch_semitones=2.0, vocoder="griffin-lim", second_voice="1")[0][-1].notes
    assert any("pitch" in note for note in notes) and any("vocoder" in note for note in notes)
    assert any("cannot mix two voices" in note for note in notes)
    assert not any("no control" in note for note in chunks[-1].notes)


def test_vits_voices_are_those_of_the_checkpoint(load: Load) -> None:
    model = load("vits-speakers")
    assert [voice.key for voice in model.model.voices] == ["0", "1", "2"]
    assert not np.array_equal(heard(model, voice="1")[1], heard(model, voice="2")[1])


def test_speecht5_shows_its_attention(load: Load) -> None:
    model = load("speecht5")
    chunks, sound = heard(model, text="hello the sea")
    final = next(chunk for chunk in reversed(chunks) if chunk.alignment.size)
    assert final.alignment.shape[1] == len(final.symbols) and np.allclose(final.alignment.sum(axis=1), 1, atol=1e-4)
    assert final.verdict and sound.size
    assert [word.text for word in chunks[-1].words] == ["hello", "the", "sea"]
    classic = heard(model, text="hello the sea", vocoder="griffin-lim")[1]
    assert classic.size and not np.array_equal(classic, sound)


def test_speecht5_has_the_voices_that_its_repository_brings(hub: HubServer, load: Load, registry: Registry) -> None:
    load("speecht5")  # and its vocoder is on the Hub
    named = save({"a_reader": torch.ones(8)})
    hub.add_repo("tiny/named", tiny("speecht5") | {"speaker_embeddings.safetensors": named})
    spec = describe("tiny/named", cache_dir=registry.cache_dir, endpoint=hub.url)
    registry.add(spec)
    registry.load(spec.key)
    assert [voice.key for voice in registry.voices(spec.key)] == ["a_reader", "seed"]


def test_stopping_ends_the_work_and_leaves_the_model_usable(load: Load) -> None:
    model = load("vits")
    stream = model.stream(SpeechRequest(text="hello the boat. " * 40))
    next(chunk for chunk in stream if chunk.samples.size)
    stream.close()
    assert heard(model)[1].size


def test_text_that_the_model_cannot_read_is_silence_not_a_failure(load: Load) -> None:
    chunks, sound = heard(load("vits"), text="12345 67890")
    assert sound.size == 0 and chunks[-1].last


@pytest.mark.parametrize("text", ["One. Two! Three?", "一。二！", "a" * 700, "word " * 200, "a, " * 300, "\n\nx\n"])
def test_sentences_keep_every_letter_and_their_limit(text: str) -> None:
    pieces = split_sentences(text)
    assert all(0 < len(piece) <= MAX_CHARACTERS for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_words_of_letters_and_of_pieces() -> None:
    assert find_words(tuple("to be")) == (("to", 0, 2), ("be", 3, 5))
    assert find_words(("▁", "t", "o", "▁", "b", "e", "</s>")) == (("to", 1, 3), ("be", 4, 6))
    assert find_words(("▁to", "▁be")) == (("to", 0, 1), ("be", 1, 2))
