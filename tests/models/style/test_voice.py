"""One voice given to another: envelopes without harmonics, keys, and sound that is the same in pieces of any size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.signal import lfilter

from models.audio import MelConfig
from models.contracts import AudioStyleRequest
from models.style.analysis import SoundAnalysis, analyse_whole, cut_frames
from models.style.audio import AudioStyler
from models.style.envelope import cepstra_to_log_magnitude, compute_cepstra, fill_gaps
from models.style.matching import MatchingConfig, MatchingNetwork, average_nearest
from models.style.voice import (
    VoiceAnalysis,
    VoiceMatchingSet,
    VoiceRenderer,
    analyse_voice,
    compute_closing_gain,
    convert_pitch,
)

RATE, MEL = 22_050, MelConfig()
VOWELS = ((700.0, 1200.0, 2600.0), (300.0, 2300.0, 3000.0), (320.0, 800.0, 2300.0))


def filtered(source: np.ndarray, formants: tuple[float, ...]) -> np.ndarray:
    for hz in formants:
        radius = np.exp(-np.pi * 90 / RATE)
        denominator = [1, -2 * radius * np.cos(2 * np.pi * hz / RATE), radius**2]
        source = lfilter([sum(denominator)], denominator, source)
    return source


def pulses(hz: np.ndarray) -> np.ndarray:
    return np.diff(np.floor(np.cumsum(hz / RATE)), prepend=0.0)


def speaker(seconds: float, hz: float, longer: float, seed: int = 0) -> np.ndarray:
    """Vowels in turns; `longer` is the length of the vocal tract."""
    time = np.arange(int(seconds * RATE)) / RATE
    source = pulses(hz * (1 + 0.1 * np.sin(2 * np.pi * 1.3 * time)))
    sounds = [filtered(source, tuple(f / longer for f in vowel)) for vowel in VOWELS]
    turn = (3 * time + 0.2 * seed).astype(int) % len(sounds)
    spoken = np.choose(turn, sounds) * (0.3 + 0.7 * np.abs(np.sin(2 * np.pi * 1.5 * time)))
    noise = np.random.default_rng(seed).standard_normal(len(time))
    return (0.2 * spoken / np.abs(spoken).max() + 1e-4 * noise).astype(np.float32)


@pytest.fixture(scope="module")
def styler() -> AudioStyler:
    return AudioStyler.debug()


@pytest.fixture(scope="module")
def heard(styler: AudioStyler) -> Callable[[np.ndarray], tuple[SoundAnalysis, VoiceAnalysis]]:
    @torch.inference_mode()
    def hear(sound: np.ndarray) -> tuple[SoundAnalysis, VoiceAnalysis]:
        assert styler.voices is not None
        analysis = analyse_whole(styler.network, sound, keep=True)
        *_, voice = analyse_voice(styler.voices.network, analysis)
        assert isinstance(voice, VoiceAnalysis)
        return analysis, voice

    return hear


def rendered(
    content: SoundAnalysis, voice: VoiceAnalysis, style: VoiceMatchingSet, strength: float, step: int
) -> np.ndarray:
    with torch.inference_mode():
        renderer = VoiceRenderer(content, voice, style, strength, move_pitch=True)
        stops = [*range(step, content.frames, step), content.frames]
        return np.concatenate([renderer.render(stop) for stop in stops])


def test_the_envelope_is_that_of_the_filter_whatever_the_pitch() -> None:
    response = np.abs(np.fft.rfft(filtered(np.eye(1, 8192)[0], VOWELS[0])))[: 8192 // 2 + 1 : 8]
    wanted = 20 * np.log10(response)
    bins = slice(8, 200)  # 170 Hz to 4.3 kHz
    for hz in (95.0, 130.0, 190.0, 260.0):
        sound = filtered(pulses(np.full(RATE, hz)), VOWELS[0])
        frames = cut_frames(sound.astype(np.float32), 30, 50, MEL.n_fft, MEL.hop_length)
        found = compute_cepstra(frames, np.full(20, hz, np.float32), MEL)
        made = (cepstra_to_log_magnitude(found, MEL.n_fft // 2 + 1) * 20 / np.log(10)).numpy()[:, bins]
        gap = made - wanted[bins]
        assert np.abs(gap - gap.mean()).mean() < 3.0, hz
        assert made.std(axis=0).max() < 2.0  # the pulses leave no trace in time


def test_envelopes_of_silence_and_of_no_pitch_are_finite() -> None:
    filled = fill_gaps(np.zeros(5, np.float32))
    assert torch.isfinite(compute_cepstra(np.zeros((5, MEL.n_fft), np.float32), filled, MEL)).all()
    f0 = fill_gaps(np.array([0, 100, 0, 200, 0, 9000], np.float32))
    assert f0.tolist() == pytest.approx([100, 100, 150, 200, 400, 600], abs=201) and f0[2] == 150 and f0[-1] == 600


def test_keys_are_unit_vectors_that_see_no_level_and_no_further_than_their_reach() -> None:
    torch.manual_seed(0)
    network = MatchingNetwork(MatchingConfig.debug()).eval()
    bands, mean, spread = torch.randn(1, 40, 80), torch.zeros(80), torch.ones(80)
    with torch.inference_mode():
        keys = network(bands, mean, spread)
        assert torch.allclose(keys.norm(dim=-1), torch.ones(1, 40), atol=1e-5)
        assert torch.allclose(network(bands + 3.0, mean + 3.0, spread), keys, atol=1e-4)
        changed = bands.clone()
        changed[:, 30:] += 1
        same = 30 - network.reach_frames
        assert torch.allclose(network(changed, mean, spread)[:, :same], keys[:, :same], atol=1e-5)
        assert not torch.allclose(network(changed, mean, spread)[:, same], keys[:, same], atol=1e-5)


def test_the_nearest_are_found() -> None:
    keys = torch.nn.functional.normalize(torch.randn(30, 6, generator=torch.Generator().manual_seed(1)), dim=1)
    values = torch.arange(30.0)[:, None]
    assert average_nearest(keys, keys, values, 1)[:, 0].tolist() == list(range(30))
    assert average_nearest(keys[:1], keys, values, 99).item() == pytest.approx(14.5)


@pytest.mark.slow
@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_pieces_of_any_size_make_the_same_sound(heard: Callable, strength: float) -> None:
    content, voice = heard(speaker(3.1, 120, 1.0)[:-77])
    _, other = heard(speaker(4.0, 190, 0.85, 1))
    whole = rendered(content, voice, other.matching_set, strength, 10_000)
    assert len(whole) == len(content.samples) and np.isfinite(whole).all()
    for step in (1, 7, 128):
        assert np.abs(rendered(content, voice, other.matching_set, strength, step) - whole).max() < 1e-4


@pytest.mark.slow
def test_no_strength_and_the_own_voice_leave_the_content_as_it_is(heard: Callable) -> None:
    content, voice = heard(speaker(3.0, 120, 1.0))
    _, other = heard(speaker(3.0, 190, 0.85, 1))
    assert np.abs(rendered(content, voice, other.matching_set, 0.0, 64) - content.samples).max() < 1e-4
    assert np.abs(rendered(content, voice, voice.matching_set, 1.0, 64) - content.samples).max() < 1e-4


@pytest.mark.slow
def test_the_result_has_the_vocal_tract_and_the_pitch_of_the_style(heard: Callable) -> None:
    content, voice = heard(speaker(4.0, 120, 1.0))
    _, other = heard(speaker(4.0, 170, 0.8, 1))
    gaps, pitches = [], []
    for strength in (0.0, 0.4, 0.7, 1.0):
        _, made = heard(rendered(content, voice, other.matching_set, strength, 64))
        tops = [found.envelopes.mean(dim=0)[1:] for found in (made.matching_set, other.matching_set)]
        gaps.append(float((tops[0] - tops[1]).square().mean().sqrt()))
        pitches.append(np.exp(made.matching_set.log_hz))
    assert gaps == sorted(gaps, reverse=True) and gaps[-1] < 0.5 * gaps[0]
    assert pitches == sorted(pitches) and pitches[0] == pytest.approx(120, rel=0.05)
    assert pitches[-1] == pytest.approx(170, rel=0.08)


@pytest.mark.slow
def test_half_of_what_is_left_of_the_bands_means_is_made_up_at_last(heard: Callable) -> None:
    content, voice = heard(speaker(4.0, 120, 1.0))
    other, theirs = heard(lfilter([1, -0.7], [1], speaker(4.0, 170, 0.8, 1)).astype(np.float32))
    bands = other.statistics.means[0]
    with torch.inference_mode():
        closing = compute_closing_gain(content, voice, theirs.matching_set, bands, True)
        gaps = []
        for gain in (None, closing):
            renderer = VoiceRenderer(content, voice, theirs.matching_set, 1.0, True, gain)
            renderer.render(content.frames)
            gaps.append(float((renderer.result.compute().means[0] - bands).abs().mean()))
    assert gaps[1] < 0.75 * gaps[0]


def test_the_pitch_takes_the_height_and_the_liveliness_of_the_style() -> None:
    calm = VoiceMatchingSet(torch.zeros(1, 1), torch.zeros(1, 1), np.log(100.0), 0.1)
    lively = VoiceMatchingSet(torch.zeros(1, 1), torch.zeros(1, 1), np.log(200.0), 0.15)
    f0 = np.array([100.0, 110.0], np.float32)
    assert convert_pitch(f0, calm, lively, 1.0) == pytest.approx([200, 200 * 1.1**1.5], rel=1e-4)
    assert convert_pitch(f0, calm, lively, 0.0) == pytest.approx(f0)


@pytest.mark.slow
def test_voices_are_matched_and_all_else_is_not(styler: AudioStyler) -> None:
    voice, other = speaker(3.0, 120, 1.0), speaker(3.0, 190, 0.85, 1)
    hiss = (0.1 * np.random.default_rng(0).standard_normal(3 * RATE)).astype(np.float32)

    def made(content: np.ndarray, **asked: object) -> np.ndarray:
        return np.concatenate([c.samples for c in styler.stream(AudioStyleRequest(content, **asked))])  # type: ignore[arg-type]

    plain = AudioStyler(styler.network, styler.vocoder, styler.presets, styler.average)

    def made_plain(content: np.ndarray, **asked: object) -> np.ndarray:
        return np.concatenate([c.samples for c in plain.stream(AudioStyleRequest(content, **asked))])  # type: ignore[arg-type]

    assert np.abs(made(voice, style=other) - made_plain(voice, style=other)).max() > 0.01
    for content, style, more in (
        (voice, hiss, {}),
        (hiss, voice, {}),
        (voice, other[: RATE // 2], {}),
        (voice, other, {"low_latency": True}),
    ):
        assert np.array_equal(made(content, style=style, **more), made_plain(content, style=style, **more))


@pytest.mark.slow
def test_a_stream_tells_pitch_and_progress_and_hears_a_voice_once(styler: AudioStyler) -> None:
    voice, other = speaker(3.3, 120, 1.0, 5), speaker(3.0, 190, 0.85, 6)
    chunks = list(styler.stream(AudioStyleRequest(voice, style=other, strength=1.0)))
    assert chunks[-1].last and chunks[-1].done == chunks[-1].total == len(voice)
    assert sum(len(chunk.samples) for chunk in chunks) == len(voice)
    statistics = chunks[-1].statistics
    assert statistics is not None and statistics.result_pitch_hz == pytest.approx(190, rel=0.1)
    before = styler.encodings
    again = list(styler.stream(AudioStyleRequest(voice, style=other, strength=0.5)))
    assert styler.encodings == before and all(chunk.stage == "restyling" for chunk in again)
