"""The beat networks and detectors: shapes, windows, streaming, bad input, corrections."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.beats import detector as beats_module
from models.beats import network as beat_network
from models.beats.detector import (
    BeatDetector,
    BeatRequest,
    BeatTrack,
    OnlineBeatDetector,
    compute_mel,
    load_beat_network,
)
from models.beats.network import BEAT_MEL, FRAME_RATE, BeatNetwork, BeatNetworkConfig
from models.errors import ModelError
from models.weights_io import save_safetensors

RATE = BEAT_MEL.sample_rate


def network(causal: bool = False) -> BeatNetwork:
    torch.manual_seed(0)
    debug = BeatNetworkConfig.debug(causal)
    config = BeatNetworkConfig.from_dict(debug.to_dict() | {"n_mels": BEAT_MEL.n_mels})
    return BeatNetwork(config).eval()


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(int(seconds * RATE)) * 0.1).astype(np.float32)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("frames", [1, 7, 200])
def test_the_network_gives_two_logits_a_frame(causal: bool, frames: int) -> None:
    assert network(causal)(torch.randn(2, frames, BEAT_MEL.n_mels)).shape == (2, frames, 2)


def test_the_causal_network_never_sees_the_future() -> None:
    mel = torch.randn(1, 60, BEAT_MEL.n_mels, requires_grad=True)
    network(causal=True)(mel)[0, 30].sum().backward()
    assert mel.grad is not None
    assert mel.grad[0, 31:].abs().max() == 0
    assert mel.grad[0, :31].abs().max() > 0


def test_only_the_causal_network_keeps_a_memory() -> None:
    with pytest.raises(ValueError, match="causal"):
        network(causal=False)(torch.randn(1, 4, BEAT_MEL.n_mels), {})
    with pytest.raises(ValueError, match="causal"):
        OnlineBeatDetector(network(causal=False))
    with pytest.raises(ValueError, match="future"):
        BeatDetector(network(causal=True))
    with pytest.raises(ValueError, match="delay_frames"):
        BeatNetworkConfig(delay_frames=3)


@pytest.mark.slow
@given(cuts=st.lists(st.integers(1, 3 * RATE - 1), max_size=8))
@settings(deadline=None, max_examples=10)
def test_pieces_of_sound_give_the_same_as_the_whole(cuts: list[int]) -> None:
    sound = noise(3)
    detector = OnlineBeatDetector(network(causal=True))
    streamed = np.concatenate([detector.push(piece)[1] for piece in np.split(sound, sorted(cuts))])
    mel = compute_mel(torch.from_numpy(np.pad(sound, (BEAT_MEL.n_fft // 2, 0))))
    whole = torch.sigmoid(network(causal=True)(mel[None])[0]).detach().numpy()
    assert len(streamed) == len(whole)
    np.testing.assert_allclose(streamed, whole, atol=1e-5)


def test_windows_give_the_same_as_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = BeatDetector(network())
    request = BeatRequest(noise(7), RATE)
    _, whole = detector.detect(request)
    monkeypatch.setattr(beats_module, "WINDOW_S", 1.3)
    chunks = list(detector.stream(request))
    assert len(chunks) == 6
    assert [chunk.last for chunk in chunks] == [False] * 5 + [True]
    np.testing.assert_allclose(np.concatenate([c.activations for c in chunks]), whole, atol=1e-5)
    assert len(whole) == 1 + len(request.samples) // BEAT_MEL.hop_length
    monkeypatch.setattr(beat_network, "PORTION_FRAMES", 37)
    np.testing.assert_allclose(detector.detect(request)[1], whole, atol=1e-5)


@pytest.mark.parametrize("rate", [8_000, 22_050, 192_000])
def test_any_rate_and_channels_give_frames_for_the_whole_length(rate: int) -> None:
    samples = np.random.default_rng(1).standard_normal((6, 2 * rate)).astype(np.float32) * 0.1
    _, activations = BeatDetector(network()).detect(BeatRequest(samples, rate))
    assert abs(len(activations) - 2 * FRAME_RATE) <= 1


def test_a_very_short_sound_is_no_error() -> None:
    track, activations = BeatDetector(network()).detect(BeatRequest(noise(0.2), RATE))
    assert len(activations) == 11
    assert len(track.times_s) <= 1


@pytest.mark.parametrize(
    ("samples", "rate", "says"),
    [
        (np.zeros(0, np.float32), RATE, "samples is empty"),
        (np.zeros((2, 0), np.float32), RATE, "samples is empty"),
        (np.full(10, np.nan, np.float32), RATE, "no numbers"),
        (np.zeros(10, np.float32), 0, "sample_rate is 0"),
        (np.zeros(1_000 * 3_700, np.float32), 1_000, "at most 60"),
    ],
)
def test_what_cannot_be_heard_is_told(samples: np.ndarray, rate: int, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        BeatRequest(samples, rate)


def steady(count: int = 16, interval_s: float = 0.5) -> BeatTrack:
    return BeatTrack(np.float64(1.0) + np.arange(count) * interval_s, np.arange(count) % 4 + 1)


def test_corrections() -> None:
    track = steady()
    assert track.bpm == pytest.approx(120)
    assert track.double().bpm == pytest.approx(240)
    assert track.halve().bpm == pytest.approx(60)
    assert (np.diff(track.double().halve().times_s) == np.diff(track.times_s)).all()
    np.testing.assert_allclose(track.double().halve().times_s, track.times_s)
    assert (track.halve().places[:4] == [1, 2, 1, 2]).all()
    assert (track.double().places[:9] == [1, 2, 3, 4, 5, 6, 7, 8, 1]).all()
    assert len(track.shift(-1.6).times_s) == len(track.times_s) - 2
    assert len(track.remove_beat(3).times_s) == len(track.times_s) - 1
    assert (track.set_downbeat(2, 3).downbeats_s == track.times_s[2::3]).all()
    with pytest.raises(ValueError, match="beat 100"):
        track.remove_beat(99)


def test_tapping_gives_even_beats_over_the_whole_song() -> None:
    taps = [3.02, 3.49, 4.01, 4.5, 4.98, 5.51]
    track = BeatTrack.from_taps(taps, 20.0)
    assert track.bpm == pytest.approx(120, rel=0.02)
    assert track.times_s[0] < 0.6
    assert track.times_s[-1] > 19.3
    assert np.abs(track.downbeats_s - 3.0).min() < 0.05
    with pytest.raises(ValueError, match="at least four"):
        BeatTrack.from_taps([1.0, 2.0], 10)
    with pytest.raises(ValueError, match="taps are"):
        BeatTrack.from_taps([1, 1.01, 1.02, 1.03], 10)


def test_the_tempo_curve_follows_the_tempo() -> None:
    times = np.concatenate([np.arange(0, 10, 0.5), 10 + np.arange(0, 10, 0.4)])
    where, bpm = BeatTrack(times, np.ones(len(times), dtype=np.int64)).compute_tempo_curve()
    assert len(where) == len(bpm) == len(times) - 1
    assert bpm[5] == pytest.approx(120)
    assert bpm[-5] == pytest.approx(150)
    assert len(BeatTrack(np.zeros(0), np.zeros(0, dtype=np.int64)).compute_tempo_curve()[1]) == 0


def test_weights_are_read_back_and_foreign_ones_refused(tmp_path: Path) -> None:
    import json

    made = network()
    path = tmp_path / "beats.safetensors"
    save_safetensors(path, made.state_dict(), {"config": json.dumps(made.config.to_dict())})
    read = load_beat_network(path)
    mel = torch.randn(1, 50, BEAT_MEL.n_mels)
    torch.testing.assert_close(read(mel), made(mel), atol=0.05, rtol=0.05)
    save_safetensors(path, made.state_dict(), {})
    with pytest.raises(ModelError, match="does not say what it holds"):
        load_beat_network(path)
