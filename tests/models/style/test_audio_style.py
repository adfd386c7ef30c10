"""Audio style transfer: AdaIN, statistics, streams equal to wholes, lengths, caches, and input that cannot be used."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.contracts import AudioStyleChunk, AudioStyleRequest
from models.style.audio import AudioStyler
from models.style.networks import EPSILON, adain

RATE = 22_050


@pytest.fixture(scope="module")
def styler() -> AudioStyler:
    return AudioStyler.debug()


def voice_like(seconds: float, hz: float = 140.0, seed: int = 0) -> np.ndarray:
    """Harmonics in syllables, with noise between them."""
    time = np.arange(int(seconds * RATE)) / RATE
    harmonics = sum(np.sin(2 * np.pi * hz * k * time) / k for k in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 3 * time), 0, 1)
    noise = np.random.default_rng(seed).standard_normal(len(time))
    return (0.1 * harmonics * syllables + 0.003 * noise).astype(np.float32)


def restyle(styler: AudioStyler, **asked: object) -> tuple[np.ndarray, list[AudioStyleChunk]]:
    chunks = list(styler.stream(AudioStyleRequest(**asked)))  # type: ignore[arg-type]
    return np.concatenate([chunk.samples for chunk in chunks]), chunks


@given(st.integers(2, 40), st.integers(1, 6), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_adain_equals_its_formula(frames: int, channels: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    x = random.normal(size=(1, frames, channels)).astype(np.float32)
    mu, sigma = x.mean(axis=1), x.std(axis=1)
    new_mu, new_sigma = random.normal(size=(1, channels)), random.uniform(0.1, 3.0, (1, channels))
    expected = (x - mu[:, None]) / (sigma[:, None] + EPSILON) * (new_sigma[:, None] + EPSILON) + new_mu[:, None]
    made = adain(torch.from_numpy(x), as_tensors(mu, sigma), as_tensors(new_mu, new_sigma)).numpy()
    assert np.allclose(made, expected, atol=1e-3 * max(1.0, float(np.abs(expected).max())))
    if sigma.min() > 0.1:
        assert np.allclose(made.mean(axis=1), new_mu, atol=0.02)
        assert np.allclose(made.std(axis=1), new_sigma, rtol=0.03)


def as_tensors(mean: np.ndarray, deviation: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor(mean[:, None], dtype=torch.float32), torch.tensor(deviation[:, None], dtype=torch.float32)


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("move_pitch", [True, False])
def test_small_chunks_make_the_same_sound_as_large_ones(styler: AudioStyler, strength: float, move_pitch: bool) -> None:
    asked = {"content": voice_like(2.3), "preset": "hum", "strength": strength, "move_pitch": move_pitch}
    large, few = restyle(styler, **asked)
    small, many = restyle(styler, **asked, low_latency=True)
    assert len(many) > len(few)
    assert np.abs(large - small).max() < 1e-5
    assert [chunk.last for chunk in many] == [False] * (len(many) - 1) + [True]
    assert many[-1].done == many[-1].total == len(small)


@pytest.mark.parametrize("samples", [1103, 1280, 5001, 30_000, 40_321])
def test_length_is_kept_to_the_sample(styler: AudioStyler, samples: int) -> None:
    content = voice_like(2.0)[:samples]
    for preset in ("hum", "hiss"):
        assert len(restyle(styler, content=content, preset=preset, strength=1.0)[0]) == samples
