"""Scene sounds: textures that go on without end, single sounds, and where they are put."""

from __future__ import annotations

import numpy as np
import pytest

from models.video.sound_synthesis import EVENT_SOUNDS, LAYERS, RATE, add_sound, make_noise, make_sway, mix_texture


@pytest.mark.parametrize("name", list(LAYERS))
def test_a_texture_is_sound_repeats_and_fits_its_own_end(name: str) -> None:
    n = RATE
    made = mix_texture(((name, 1.0),), n, np.random.default_rng(5))
    assert made.shape == (n, 2)
    assert made.dtype == np.float32
    assert np.isfinite(made).all()
    assert np.abs(made).max() < 1.5
    assert np.array_equal(made, mix_texture(((name, 1.0),), n, np.random.default_rng(5)))
    steps = np.abs(np.diff(made, axis=0))
    assert np.abs(made[0] - made[-1]).max() <= 1.5 * steps.max() + 1e-6


@pytest.mark.parametrize("name", list(EVENT_SOUNDS))
def test_an_event_sound_begins_at_once_and_dies_away(name: str) -> None:
    for seed in range(3):
        made = EVENT_SOUNDS[name](np.random.default_rng(seed))
        peak = np.abs(made).max()
        assert made.dtype == np.float32
        assert 0.2 < peak < 2.5
        assert np.argmax(np.abs(made) > 0.3 * peak) < 0.03 * RATE
        assert np.abs(made[-round(0.005 * RATE) :]).max() < 0.25 * peak


def test_noise_and_sway_keep_their_bounds() -> None:
    rng = np.random.default_rng(0)
    band = make_noise(RATE, rng, 1000, 2000)
    spectrum = np.abs(np.fft.rfft(band)) ** 2
    assert spectrum[800:2500].sum() > 0.9 * spectrum.sum()
    assert np.sqrt(np.mean(band**2)) == pytest.approx(1, abs=1e-3)
    curve = make_sway(RATE, rng, 2.0, 0.25, 0.75)
    assert 0.249 <= curve.min() <= curve.max() <= 0.751


def test_adding_places_pans_cuts_and_wraps() -> None:
    track = np.zeros((10, 2), np.float32)
    add_sound(track, 8, np.ones(4, np.float32), x=-1.0)
    assert track[8:, 0].tolist() == [1, 1]
    assert np.abs(track[:, 1]).max() < 1e-6
    add_sound(track, 8, np.ones(4, np.float32), x=1.0, wrap=True)
    assert track[:2, 1].tolist() == [1, 1]
    add_sound(track, -2, np.full(3, 5, np.float32), x=-1.0)
    assert track[0, 0] == 5
