"""Live pictures: endless, the same for the same seed, led from prompt to prompt, moved by the sound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.live.audio_features import AudioFeatures
from models.live.frame_stream import (
    QUALITIES,
    FrameGenerator,
    FrameStream,
    PromptMorph,
    Quality,
    apply_sound,
    bicubic,
    check_prompt,
    share_with_given_text,
)
from models.video.diffusion import Guidance, predict
from models.video.generator import OVERLAP, VideoGenerator
from models.video.unet3d import Condition
from tests.models.live.in_pages import in_a_map

QUICK = Quality(12, 3, 2, 1.5)


def frame_generator(generator: VideoGenerator, seed: int = 0) -> FrameGenerator:
    return FrameGenerator(generator, "a red fire", seed, size=32)


def test_stretches_go_on_from_each_other_and_the_seed_fixes_them(generator: VideoGenerator) -> None:
    first, again, other = frame_generator(generator), frame_generator(generator), frame_generator(generator, seed=1)
    one, two = first.draw(0.0, 0.5, QUICK), first.draw(1.0, 0.5, QUICK)
    assert one.shape == (8, 32, 32, 3)
    assert len(two) == 8 - OVERLAP
    assert np.array_equal(one, again.draw(0.0, 0.5, QUICK))
    assert np.array_equal(two, again.draw(1.0, 0.5, QUICK))
    assert not np.array_equal(one, other.draw(0.0, 0.5, QUICK))
    assert len(first.draw(2.0, 0.5, QUICK, should_stop=lambda: True)) == 0


def test_loudness_asks_for_motion(generator: VideoGenerator) -> None:
    quiet, loud = (frame_generator(generator).draw(0.0, energy, QUICK) for energy in (0.1, 0.9))
    assert not np.array_equal(quiet, loud)


def test_a_given_vector_is_the_same_as_the_words(generator: VideoGenerator) -> None:
    model, config = generator.model, generator.model.config
    words, said = generator.table.embed(["a red fire"], config.max_words)
    attributes = torch.zeros(1, len(config.attributes), dtype=torch.long)
    noisy = torch.randn(1, 3, 8, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        plain = predict(model, noisy, 0.3, Condition(words, said, attributes), Condition(words, said, attributes),
                        Guidance(1.0))  # fmt: skip
        vector = PromptMorph(generator, "a red fire").embed_at(0.0)[:, None]
        given = Condition(vector, torch.ones(1, 1, dtype=torch.bool), attributes)
        told = predict(share_with_given_text(model), noisy, 0.3, given, given, Guidance(1.0))
    assert torch.equal(plain, told)
    assert type(model.text).__name__ == "TextPooling"


def test_a_morph_leads_evenly_from_prompt_to_prompt(generator: VideoGenerator) -> None:
    morph = PromptMorph(generator, "a red fire")
    start, aim = morph.embed_at(0.0), morph.embed("a blue fire")
    morph.lead_to("a blue fire", 10.0, over_s=4.0)
    assert torch.equal(morph.embed_at(9.0), start)
    assert torch.allclose(morph.embed_at(12.0), (start + aim) / 2, atol=1e-6)
    assert morph.measure_share(12.0) == pytest.approx(0.5)
    assert torch.allclose(morph.embed_at(99.0), aim, atol=1e-6)
    morph.lead_to("a red fire", 12.0, over_s=0.0)
    assert torch.allclose(morph.embed_at(12.0), start, atol=1e-6)
    with pytest.raises(ValueError, match="over_s is 99"):
        morph.lead_to("a", 0.0, 99)
    for wrong in ("", "  ", "a" * 2001):
        with pytest.raises(ValueError, match="prompt"):
            check_prompt(wrong)


def test_every_third_frame_is_drawn_and_the_rest_lies_between(generator: VideoGenerator) -> None:
    stream = FrameStream(frame_generator(generator), None)
    stream.quality = QUICK
    assert stream.render_frame(0.0, AudioFeatures()) is None
    assert stream.wants_more()
    stream.paint(0.0, 0.5)
    frames = [stream.render_frame(index / 12, AudioFeatures()) for index in range(22)]
    assert [frame.drawn for frame in frames if frame] == [True, *([False, False, True] * 7)]
    assert all(frame is not None and frame.pixels.shape == (128, 128, 3) for frame in frames)
    held = stream.render_frame(2.0, AudioFeatures())
    assert held is not None
    assert held.held
    assert not held.drawn
    assert (stream.drawn_frames, stream.shown_frames, stream.held_frames) == (8, 23, 1)
    stream.paint(2.0, 0.5)
    assert not stream.render_frame(2.1, AudioFeatures()).held  # type: ignore[union-attr]
    assert all(in_a_map(frame) for frame, _ in stream._ready)


def test_the_learned_enlargement_is_used_while_quality_allows(generator: VideoGenerator) -> None:
    calls: list[int] = []

    def enlarge(frames: np.ndarray) -> np.ndarray:
        calls.append(len(frames))
        return bicubic(frames)

    stream = FrameStream(frame_generator(generator), enlarge)
    stream.quality = QUICK
    stream.paint(0.0, 0.5)
    assert calls == [1, *[3] * 7]
    stream.quality = replace(QUICK, learned=False)
    stream.paint(1.0, 0.5)
    assert calls == [1, *[3] * 7]
    assert [quality.shown for quality in QUALITIES] == sorted((q.shown for q in QUALITIES), reverse=True)
    assert QUALITIES[0].shown >= 12


def test_beats_push_the_camera_and_loudness_lights_the_picture() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[28:36, 28:36] = 160
    still = apply_sound(picture, AudioFeatures())
    on_beat = apply_sound(picture, AudioFeatures(beat=1.0, downbeat=1.0))
    assert (on_beat > 40).sum() > (still > 40).sum()
    assert apply_sound(picture, AudioFeatures(energy=1.0)).max() > still.max()
