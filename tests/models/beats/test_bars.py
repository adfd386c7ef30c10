"""Bars: what is described of beats, whatever the mixing; shipped weights find the bars of songs made here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.beats.bars import (
    FEATURES,
    BarNetwork,
    BarNetworkConfig,
    BarReader,
    average_beats,
    describe_beats,
    load_bar_reader,
    measure_change,
    measure_onsets,
)
from models.beats.detector import BeatDetector, BeatRequest, load_beat_network
from models.beats.network import BEAT_MEL, FRAME_RATE
from models.registry.registry import WEIGHTS_DIR
from models.weights_io import ModelError, save_safetensors

Floats = NDArray[np.float64]
RATE = 22_050
CHORDS = ((261.6, 329.6, 392.0), (220.0, 261.6, 329.6), (174.6, 220.0, 261.6), (196.0, 246.9, 293.7))


def make_mel(seed: int = 0, frames: int = 1000) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(-6, 1.5, (frames, BEAT_MEL.n_mels)).astype(np.float32)


def make_song(bpm: float, bar: int, upbeat: int, length_s: float = 30.0) -> tuple[NDArray[np.float32], Floats, Floats]:
    """Make a knock on every beat, as loud on all, over chords and basses that change with the bars."""
    beats = np.arange(0.5, length_s - 0.5, 60 / bpm)
    samples = np.zeros(round(length_s * RATE))
    knock = np.random.default_rng(0).normal(0, 0.3, RATE // 25) * np.exp(-np.arange(RATE // 25) / 150)
    for number, time_s in enumerate(beats):
        at, count = round(time_s * RATE), round(60 / bpm * RATE)
        chord = CHORDS[(number - upbeat) // bar % len(CHORDS)]
        t = np.arange(min(count, len(samples) - at)) / RATE
        tones = sum(np.sin(2 * np.pi * hz * t) for hz in (*chord, chord[0] / 4)) * np.exp(-t * 2)
        samples[at : at + len(t)] += 0.1 * tones
        samples[at : at + len(knock)] += knock[: len(samples) - at]
    return samples.astype(np.float32), beats, beats[upbeat::bar]


def test_features_have_mean_0_and_deviation_1_over_the_song() -> None:
    told = describe_beats(make_mel(), np.arange(0.2, 19, 0.5))
    assert told.shape == (38, FEATURES) and told.dtype == np.float32
    np.testing.assert_allclose(told.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(told.std(axis=0), 1, atol=0.15)


def test_loudness_and_tone_controls_change_nothing() -> None:
    mel, times = make_mel(), np.arange(0.2, 19, 0.5)
    tilted = mel + np.linspace(-2, 1, mel.shape[1], dtype=np.float32) - 3
    np.testing.assert_allclose(describe_beats(tilted, times), describe_beats(mel, times), atol=2e-3)


def test_beats_are_averaged_to_the_next() -> None:
    mel, times = make_mel(), np.array([0.5, 1.0, 1.6, 2.0])
    means = average_beats(mel, times)
    for row, (first, stop) in enumerate(((25, 50), (50, 80), (80, 100))):
        np.testing.assert_allclose(means[row], mel[first:stop].mean(axis=0), rtol=1e-5)


@pytest.mark.parametrize("times", [[0.0, 0.001], [19.9, 25.0, 30.0], [0.1, 0.1, 0.1, 5.0]])
def test_beats_at_the_edges_beyond_or_on_one_another_are_described(times: list[float]) -> None:
    assert np.isfinite(describe_beats(make_mel(), np.array(times))).all()


def test_change_is_highest_where_the_rows_change() -> None:
    rows = np.repeat(np.eye(5), 4, axis=0) + np.random.default_rng(1).normal(0, 0.05, (20, 5))
    for span in (1, 2, 4):
        change = measure_change(rows, span)
        assert set(np.argsort(change)[-4:]) == {4, 8, 12, 16}, span


def test_onsets_are_the_rises_of_their_bands() -> None:
    mel = np.full((200, BEAT_MEL.n_mels), -6, np.float32)
    mel[101:, 4:12] += 3
    assert measure_onsets(mel, np.array([1.0, 2.0, 3.0]), (4, 12)) == pytest.approx([0, 3, 0])
    assert measure_onsets(mel, np.array([1.0, 2.0, 3.0]), (12, 35)) == pytest.approx([0, 0, 0])


def test_rows_of_a_batch_are_judged_alone_and_padding_of_zeros_says_nothing() -> None:
    torch.manual_seed(0)
    network = BarNetwork(BarNetworkConfig()).eval()
    told = torch.randn(2, 40, FEATURES)
    with torch.inference_mode():
        both, first = network(told), network(told[:1])
        padded = network(torch.cat([told[:1], torch.zeros(1, 9, FEATURES)], dim=1))[:, :40]
    assert both.shape == (2, 40)
    torch.testing.assert_close(both[:1], first, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(padded, first, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("count", [0, 1])
def test_a_beat_or_none_begins_a_bar(count: int) -> None:
    reader = BarReader(BarNetwork(BarNetworkConfig()))
    assert reader.read(make_mel(), np.full(count, 1.0), np.full(count, 0.4)).tolist() == [1] * count


@pytest.mark.parametrize(("bpm", "bar", "upbeat"), [(120, 4, 0), (120, 4, 3), (96, 4, 2), (140, 3, 1)])
def test_shipped_weights_find_the_bars_of_chords_that_change_with_them(bpm: int, bar: int, upbeat: int) -> None:
    torch.set_num_threads(1)
    samples, _, downbeats = make_song(bpm, bar, upbeat)
    bars = load_bar_reader(WEIGHTS_DIR / "beats_bars.safetensors")
    track, _ = BeatDetector(load_beat_network(WEIGHTS_DIR / "beats.safetensors"), bars).detect(
        BeatRequest(samples, RATE)
    )
    wanted = downbeats[(downbeats > 3) & (downbeats < 27)]
    found = track.downbeats_s[(track.downbeats_s > 2.9) & (track.downbeats_s < 27.1)]
    assert len(found) == len(wanted)
    assert np.abs(found - wanted).max() < 0.07


def test_bars_of_other_lengths_are_asked_for(frames: int = 1500) -> None:
    reader = load_bar_reader(WEIGHTS_DIR / "beats_bars.safetensors")
    times = np.arange(0.5, frames / FRAME_RATE - 1, 0.5)
    places = reader.read(make_mel(frames=frames), times, np.full(len(times), 0.3), (5,))
    assert places.max() == 5 and set(np.diff(places)) == {1, -4}


def test_weights_are_read_back_and_foreign_ones_refused(tmp_path: Path) -> None:
    network = BarNetwork(BarNetworkConfig(hidden=8)).eval()
    path = tmp_path / "bars.safetensors"
    save_safetensors(
        path, network.state_dict(), {"config": '{"features": 20, "hidden": 8, "reach": 4, "dropout": 0.1}'}
    )
    told = torch.randn(1, 12, FEATURES)
    with torch.inference_mode():
        torch.testing.assert_close(load_bar_reader(path).network(told), network(told), atol=1e-2, rtol=1e-2)
    with pytest.raises(ModelError):
        load_bar_reader(WEIGHTS_DIR / "beats.safetensors")
