"""Tests of teachers' clips at another rate and hop."""

from dataclasses import replace

import numpy as np
import pytest

from models.audio import MelConfig
from tests.training.speech.spoken_clips import make_clip
from training.speech.resident_corpus import TEACHER_MEL
from training.speech.retiming import retime_clip
from training.speech.teacher_corpus import SpokenClip

OURS = MelConfig()


@pytest.fixture
def clip() -> SpokenClip:
    return make_clip(3, symbols=30)


def test_the_teachers_own_convention_changes_nothing(clip: SpokenClip) -> None:
    assert retime_clip(clip, TEACHER_MEL) is clip


def test_length_in_seconds_stays(clip: SpokenClip) -> None:
    retimed = retime_clip(clip, OURS)
    assert len(retimed.samples) / 22_050 == pytest.approx(len(clip.samples) / 24_000, abs=0.012)
    assert len(retimed.f0) == len(retimed.cycles) == retimed.durations.sum() == len(retimed.samples) // 256


def test_symbols_end_when_they_did(clip: SpokenClip) -> None:
    retimed = retime_clip(clip, OURS)
    before = np.cumsum(clip.durations) * 300 / 24_000
    after = np.cumsum(retimed.durations) * 256 / 22_050
    assert np.abs(before - after)[:-1].max() < 0.006
    assert retimed.durations.min() >= 1


def test_pitch_and_periods_are_read_at_the_new_times(clip: SpokenClip) -> None:
    steady = replace(clip, f0=np.full(len(clip.f0), 150.0, np.float32))
    steady = replace(steady, cycles=(np.arange(len(clip.f0)) * 150.0 / 80 % 1.0).astype(np.float32))
    retimed = retime_clip(steady, OURS)
    assert np.allclose(retimed.f0, 150.0)
    wanted = np.arange(len(retimed.cycles)) * 256 / 22_050 * 150.0
    apart = np.abs((retimed.cycles - wanted + 0.5) % 1.0 - 0.5)
    assert apart[:-3].max() < 0.01


def test_unknown_periods_stay_unknown(clip: SpokenClip) -> None:
    unknown = replace(clip, cycles=np.full(len(clip.f0), np.nan, np.float32))
    assert np.isnan(retime_clip(unknown, OURS).cycles).all()


def test_unvoiced_frames_stay_unvoiced(clip: SpokenClip) -> None:
    retimed = retime_clip(clip, OURS)
    share = (clip.f0 > 0).mean()
    assert (retimed.f0 > 0).mean() == pytest.approx(share, abs=0.05)
