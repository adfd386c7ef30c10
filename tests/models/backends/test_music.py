"""Text-to-music models stream sound through the Music tab's contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from models.backends.music_prompt import compute_duration_s, write_prompt
from models.errors import ModelError
from models.music.contracts import MusicChunk, MusicRequest

Load = Callable[..., Any]
ASKED: dict[str, Any] = {"bars": 2, "tempo": 200.0, "seed": 3}


def heard(model: Any, **asked: Any) -> tuple[list[MusicChunk], np.ndarray]:
    chunks = list(model.stream(MusicRequest(**(ASKED | asked))))
    return chunks, np.concatenate([chunk.samples for chunk in chunks], axis=1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["musicgen", "musicgen-stereo"])
def test_musicgen_streams_what_the_library_gives_at_once(load: Load, kind: str) -> None:
    import torch

    model = load(kind)
    chunks, sound = heard(model)
    assert len([chunk for chunk in chunks if chunk.samples.size]) >= 2, "heard before it is complete"
    assert chunks[-1].last and chunks[-1].piece is None and not chunks[-1].notes and chunks[-1].done == chunks[-1].total
    own = model.model
    inputs = own.processor(text=[write_prompt(MusicRequest(**ASKED))], padding=True, return_tensors="pt")
    late = own.model.decoder.num_codebooks // (2 if kind.endswith("stereo") else 1) - 1
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(3)
        whole = own.model.generate(
            **inputs, do_sample=True, temperature=1.0, top_p=0.96, max_new_tokens=chunks[-1].total + late
        )[0].numpy()
    whole = np.repeat(whole, 2, axis=0) if len(whole) == 1 else whole
    assert sound.shape == whole.shape == (2, round(2 * 4 * 60 / 200 * own.sample_rate))
    assert np.abs(whole).max() > 0 and np.allclose(sound, np.clip(whole, -1, 1), atol=1e-5)
    assert (kind == "musicgen") == np.array_equal(sound[0], sound[1])


@pytest.mark.slow
def test_diffusion_tells_its_steps_and_gives_the_sound_at_the_end(load: Load) -> None:
    model = load("stable-audio")
    assert model.model.steps == 100, "what the library takes by default"
    model.model.steps = 12
    chunks, sound = heard(model)
    assert sound.shape == (2, round(2.4 * 3_200)) and chunks[-1].last and chunks[-1].samples.shape[1]
    steps = [chunk.done for chunk in chunks]
    assert steps == sorted(steps) and len(set(steps)) > 10
    assert np.array_equal(sound, heard(model)[1]) and not np.array_equal(sound, heard(model, seed=4)[1])


@pytest.mark.slow
def test_lengths_and_steps_are_those_that_a_repository_was_made_for(load: Load) -> None:
    model = load("stable-audio-3")
    assert (model.model.steps, model.model.longest_s, model.model.sample_rate) == (8, 120, 3_200)
    chunks, sound = heard(model)
    assert sound.shape == (2, round(2.4 * 3_200)) and chunks[-1].last and np.abs(sound).max() > 0
    assert np.array_equal(sound, heard(model)[1]) and not np.array_equal(sound, heard(model, seed=4)[1])
    assert load("stable-audio-3-long").model.steps == 100


@pytest.mark.slow
def test_lyrics_and_their_language_are_sung_by_models_that_sing(load: Load) -> None:
    model = load("ace-step")
    chunks, sound = heard(model)
    assert sound.shape[0] == 2 and chunks[-1].last and model.model.longest_s == 600
    sung, heard_sung = heard(model, lyrics="[verse] hello morning light", vocal_language="en")
    assert not np.array_equal(heard_sung, sound) and "no words" not in " ".join(sung[-1].remarks)
    other = heard(model, lyrics="[verse] hello morning light", vocal_language="sea")[
        1
    ]  # a word that the tiny one knows
    assert not np.array_equal(other, heard_sung)
    remarks = " ".join(heard(load("musicgen"), lyrics="hello")[0][-1].remarks)
    assert "sings no words" in remarks


@pytest.mark.parametrize("wrong", [{"lyrics": "x" * 100_000}, {"vocal_language": "English"}])
def test_lyrics_that_cannot_be_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        MusicRequest(**wrong)  # type: ignore[arg-type]


def test_stop_ends_a_diffusion_between_its_steps(load: Load) -> None:
    model = load("stable-audio")
    stream = model.stream(MusicRequest(**ASKED))
    chunk = next(stream)
    stream.close()
    assert chunk.done < chunk.total - 10
    model.model.steps = 3
    assert heard(model)[0][-1].last


def test_what_only_notes_allow_is_refused_with_a_sentence(load: Load) -> None:
    with pytest.raises(ModelError, match="makes sound, not notes"):
        heard(load("musicgen"), action="ideas")


def test_the_controls_become_words_and_seconds() -> None:
    asked = MusicRequest(style="pop", key="A minor", tempo=90, programs=(0, 33), drums=True, bars=8, meter="3/4")
    said = write_prompt(asked)
    assert "pop song in A minor at 90 bpm in 3/4 time with acoustic grand piano, electric bass" in said
    assert write_prompt(MusicRequest(prompt="  waves ")) == "waves"
    assert compute_duration_s(asked, 30) == 8 * 3 * 60 / 90
    assert compute_duration_s(MusicRequest(bars=128), 30) == 30
