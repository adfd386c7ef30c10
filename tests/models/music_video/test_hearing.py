"""What the shipped beat networks hear: clicks of all tempi, swung, changing, broken off; and speech, without a beat."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from models.beats.detector import BeatDetector, BeatRequest, OnlineBeatDetector, load_beat_network
from models.beats.network import BEAT_MEL
from models.contracts import SpeechRequest
from models.registry.catalog import CATALOG
from models.registry.registry import WEIGHTS_DIR, Registry

RATE = BEAT_MEL.sample_rate
SECONDS = 16.0
TOLERANCE_S = 0.07
Times = NDArray[np.float64]


@pytest.fixture(scope="module")
def detector() -> BeatDetector:
    return BeatDetector(load_beat_network(WEIGHTS_DIR / "beats.safetensors"))


def clicks(beats: Times, swing: float | None = None) -> NDArray[np.float32]:
    """Make a metronome with an accent on one of four; `swing` puts softer notes so much behind the beats' middle."""
    length = RATE // 25
    falling = np.exp(-np.arange(length) / (0.006 * RATE))
    samples = np.zeros(int(SECONDS * RATE), dtype=np.float32)
    rows = [(time_s, 1500.0 if i % 4 == 0 else 1000.0, 0.8 if i % 4 == 0 else 0.6) for i, time_s in enumerate(beats)]
    if swing is not None:
        rows += [(a + (0.5 + swing) * (b - a), 1000.0, 0.25) for a, b in pairwise(beats)]
    for time_s, hz, level in rows:
        at = round(time_s * RATE)
        wave = level * falling * np.sin(2 * np.pi * hz * np.arange(length) / RATE)
        samples[at : at + length] += wave[: len(samples) - at].astype(np.float32)
    return samples


def steady(bpm: float) -> Times:
    return np.arange(0.4, SECONDS - 0.2, 60 / bpm, dtype=np.float64)


def f_measure(found: Times, wanted: Times) -> float:
    """Of beats within 70 ms, each taken once (Davies et al. 2009), both counted from the fifth second on."""
    found, wanted = found[found >= 5.0], wanted[wanted >= 5.0]
    free = list(found)
    hits = 0
    for time_s in wanted:
        near = [each for each in free if abs(each - time_s) <= TOLERANCE_S]
        if near:
            free.remove(min(near, key=lambda each: abs(each - time_s)))
            hits += 1
    return 2 * hits / max(1, len(found) + len(wanted))


@pytest.mark.slow
@pytest.mark.parametrize("bpm", [75, 90, 110, 140, 170, 200])
@pytest.mark.parametrize("swing", [None, 0.12])
def test_a_metronome_is_followed(detector: BeatDetector, bpm: float, swing: float | None) -> None:
    wanted = steady(bpm)
    track, _ = detector.detect(BeatRequest(clicks(wanted, swing), RATE))
    assert f_measure(track.times_s, wanted) >= 0.9
    assert track.bpm == pytest.approx(bpm, rel=0.03)


@pytest.mark.parametrize(("bpm", "between"), [(60, None), (60, 0.0), (75, 0.0), (90, 0.0)])
def test_a_slow_beat_may_be_heard_as_twice_as_many(detector: BeatDetector, bpm: float, between: float | None) -> None:
    """With even notes between the beats nothing in a metronome tells 75 from 150; "half" on the page mends it."""
    wanted = steady(bpm)
    track, _ = detector.detect(BeatRequest(clicks(wanted, between), RATE))
    assert max(f_measure(each.times_s, wanted) for each in (track, track.halve())) >= 0.9


def test_a_change_of_tempo_is_followed(detector: BeatDetector) -> None:
    wanted = np.concatenate([np.arange(0.4, 8.0, 60 / 100), np.arange(8.2, SECONDS - 0.2, 60 / 140)])
    track, _ = detector.detect(BeatRequest(clicks(wanted), RATE))
    assert f_measure(track.times_s, wanted) >= 0.85
    times, tempi = track.compute_tempo_curve()
    assert np.median(tempi[times < 7]) == pytest.approx(100, rel=0.05)
    assert np.median(tempi[times > 10]) == pytest.approx(140, rel=0.05)


def test_silence_has_no_beats(detector: BeatDetector) -> None:
    half = clicks(steady(120))
    sound = np.concatenate([half, np.zeros(10 * RATE, np.float32), half])
    track, _ = detector.detect(BeatRequest(sound, RATE))
    away = (track.times_s > SECONDS + 4.5) & (track.times_s < SECONDS + 5.5)
    assert not away.any()
    for start_s in (0.0, SECONDS + 10.0):
        inside = track.times_s[(track.times_s >= start_s) & (track.times_s < start_s + SECONDS)] - start_s
        assert f_measure(inside, steady(120)) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("bpm", [90, 120, 150])
def test_the_detector_for_live_sound_agrees_after_its_delay(detector: BeatDetector, bpm: float) -> None:
    sound = clicks(steady(bpm), 0.0)
    whole, _ = detector.detect(BeatRequest(sound, RATE))
    live = OnlineBeatDetector(load_beat_network(WEIGHTS_DIR / "beats_causal.safetensors"))
    told: list[float] = []
    block = RATE // 10
    for at in range(0, len(sound), block):
        now_s = min(len(sound), at + block) / RATE
        beats, _ = live.push(sound[at : at + block])
        assert all(time_s <= now_s for time_s in beats), "nothing is told before it sounds"
        told += beats
    before_the_end = whole.times_s[whole.times_s < SECONDS - live.delay_s - 60 / bpm]
    found = np.array([each for each in told if each < SECONDS - live.delay_s - 60 / bpm])
    assert f_measure(found, before_the_end) >= 0.85


@pytest.mark.slow
def test_speech_is_no_error(detector: BeatDetector) -> None:
    voice = Registry(CATALOG).load("speech/tacotron2")
    chunks = list(voice.stream(SpeechRequest("Nobody dances to this sentence, and that is fine.")))
    sound = np.concatenate([chunk.samples for chunk in chunks])
    track, activations = detector.detect(BeatRequest(sound, 22_050))
    assert len(activations) > 0
    assert (np.diff(track.times_s) > 0).all() and (track.times_s <= len(sound) / 22_050 + 0.1).all()
