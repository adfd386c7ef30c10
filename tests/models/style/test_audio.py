"""Audio style transfer: AdaIN, statistics, streams equal to wholes, lengths, caches, and input that cannot be used."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.audio import MelConfig, resample
from models.contracts import AudioStyleChunk, AudioStyleRequest
from models.style.analysis import track_pitch
from models.style.audio import AudioStyler
from models.style.audio_network import EPSILON, apply_adain
from models.style.content_vocoder import compute_mel, compute_spectrum
from models.style.live import LiveStyler
from models.style.pitch import PitchMover, find_typical_pitch

RATE = 22_050


@pytest.fixture(scope="module")
def styler() -> AudioStyler:
    return AudioStyler.debug()


def voice_like(seconds: float, hz: float = 140.0, seed: int = 0) -> np.ndarray:
    """Harmonics of a gliding pitch in syllables, with noise between them."""
    time = np.arange(int(seconds * RATE)) / RATE
    turns = hz * (time - 0.01 * np.cos(2 * np.pi * 2 * time))
    harmonics = sum(np.sin(2 * np.pi * k * turns) / k for k in range(1, 20))
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
    made = apply_adain(torch.from_numpy(x), as_tensors(mu, sigma), as_tensors(new_mu, new_sigma)).numpy()
    assert np.allclose(made, expected, atol=1e-3 * max(1.0, float(np.abs(expected).max())))
    if sigma.min() > 0.1:
        assert np.allclose(made.mean(axis=1), new_mu, atol=0.02)
        assert np.allclose(made.std(axis=1), new_sigma, rtol=0.03)


def as_tensors(mean: np.ndarray, deviation: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor(mean[:, None], dtype=torch.float32), torch.tensor(deviation[:, None], dtype=torch.float32)


@pytest.mark.slow
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


def pushed(live: LiveStyler, sound: np.ndarray, sizes: list[int]) -> np.ndarray:
    made, start = [], 0
    for size in sizes:
        made.append(live.push(sound[start : start + size]))
        start += size
    return np.concatenate([*made, live.push(sound[start:], last=True)])


@pytest.mark.slow
@pytest.mark.parametrize("move_pitch", [True, False])
def test_live_chunks_of_any_size_equal_the_whole(styler: AudioStyler, move_pitch: bool) -> None:
    sound = voice_like(1.7)
    whole = pushed(styler.open_live(preset="hum", move_pitch=move_pitch), sound, [])
    assert len(whole) == len(sound) and np.abs(whole).max() > 0.01
    sizes = np.random.default_rng(1)
    for chunks in ([len(sound)], [1, 0, 255, 257, 4096, 3], [512] * 60, list(sizes.integers(0, 3000, 12))):
        assert np.abs(pushed(styler.open_live(preset="hum", move_pitch=move_pitch), sound, chunks) - whole).max() < 1e-5
    assert not np.abs(pushed(styler.open_live(preset="hiss"), sound, []) - whole).max() < 1e-3


def test_live_sound_comes_within_the_latency_it_tells(styler: AudioStyler) -> None:
    live, sound = styler.open_live(preset="hiss"), voice_like(1.5)
    late = int(styler.low_latency_s * RATE) + 1
    given = came = 0
    for start in range(0, len(sound), 400):
        came += len(live.push(sound[start : start + 400]))
        given = min(len(sound), start + 400)
        assert came >= given - late
    with pytest.raises(ValueError, match="finite"):
        live.push(np.array([np.nan], np.float32))


def test_strength_0_returns_the_content_and_more_is_further(styler: AudioStyler) -> None:
    content = voice_like(2.0)
    quiet, _ = restyle(styler, content=content, preset="hiss", strength=0.0)
    vocoder, mel = styler.vocoder, styler.mel
    sound = torch.from_numpy(np.pad(content, mel.n_fft))[None]
    source = compute_spectrum(sound.unfold(1, mel.n_fft, mel.hop_length))
    level = compute_mel(source, mel)
    alone = vocoder(source, level, torch.zeros_like(level), torch.zeros(1, sound.shape[1])).detach().numpy()[0]
    lag = mel.n_fft // 2  # the vocoder by itself, on nothing but the content; its level in the middle is the bound
    error = float(np.std(alone[lag : lag + len(content)][2000:-2000] - content[2000:-2000]))
    assert np.std(quiet - content) < 1.5 * error + 1e-3 < 0.2 * np.std(content)
    further = [restyle(styler, content=content, preset="hiss", strength=s)[0] for s in (0.3, 0.6, 1.0)]
    gaps = [float(np.std(each - content)) for each in (quiet, *further)]
    assert gaps == sorted(gaps) and gaps[-1] > 3 * gaps[0]


def test_another_strength_encodes_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = AudioStyler.debug()
    content, style = voice_like(1.5), voice_like(1.0, 220.0, 1)
    first, _ = restyle(fresh, content=content, style=style, strength=0.4)
    assert fresh.encodings == 2

    def refuse(*_: object) -> None:
        raise AssertionError("a sound was encoded a second time")

    monkeypatch.setattr(fresh.network, "encode", refuse)
    again, _ = restyle(fresh, content=content, style=style, strength=0.9)
    assert fresh.encodings == 2 and np.abs(first - again).max() > 1e-3
    assert np.array_equal(restyle(fresh, content=content, style=style, strength=0.4)[0], first)
    with pytest.raises(AssertionError):
        restyle(fresh, content=content[:-1], style=style)


@pytest.mark.parametrize("ratio", [0.5, 0.8, 1.3, 2.0])
def test_a_moved_voice_is_as_loud(ratio: float) -> None:
    voice = voice_like(2.0, 190.0)
    frames = 1 + len(voice) // 256
    f0 = track_pitch(voice, 0, frames, frames, MelConfig())
    moved = PitchMover(ratio, RATE, 256).push(voice, f0, last=True)
    assert len(moved) == len(voice)
    assert abs(20 * np.log10(np.std(moved) / np.std(voice))) < 1.0
    before = find_typical_pitch(f0)
    after = find_typical_pitch(track_pitch(moved, 0, frames, frames, MelConfig()))
    assert after == pytest.approx(before * ratio, rel=0.04)


def written(path: Path, samples: np.ndarray, rate: int) -> str:
    soundfile.write(path, samples, rate, subtype="PCM_16" if path.suffix == ".wav" else None)
    return str(path)


@pytest.mark.parametrize("rate", [8_000, 44_100, 192_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_files_of_any_rate_and_number_of_channels(
    styler: AudioStyler, tmp_path: Path, rate: int, channels: int
) -> None:
    sound = resample(voice_like(1.0), RATE, rate)
    both = np.stack([sound] * channels, axis=1)
    path = written(tmp_path / "in.wav", both, rate)
    made, chunks = restyle(styler, content=path, style=path, strength=1.0)
    assert chunks[-1].sample_rate == RATE and len(made) == math.ceil(len(both) * RATE / rate)
    assert np.isfinite(made).all() and np.abs(made).max() <= 1


@pytest.mark.parametrize(
    ("which", "make", "sentence"),
    [
        ("style", lambda p: written(p / "a.wav", np.zeros(RATE), RATE), "style is silent"),
        ("style", lambda p: written(p / "a.wav", voice_like(0.1), RATE), r"0\.10 s long; at least 0\.5 s"),
        ("content", lambda p: written(p / "a.wav", voice_like(0.01), RATE), r"0\.01 s long"),
        ("content", lambda p: str(p / "a.wav"), "does not exist"),
        ("style", lambda _: np.full(RATE, np.nan, np.float32), "not numbers"),
        ("content", lambda _: np.zeros(0, np.float32), "no sound"),
        ("content", lambda _: np.zeros(RATE * 60 * 31, np.float32), "31 minutes"),
    ],
)
def test_sound_that_cannot_be_used_is_a_sentence(
    styler: AudioStyler, tmp_path: Path, which: str, make: Callable[[Path], object], sentence: str
) -> None:
    sounds: dict[str, object] = {"content": voice_like(1.0), "style": voice_like(1.0)}
    with pytest.raises(ValueError, match=sentence):
        restyle(styler, **sounds | {which: make(tmp_path)})


@pytest.mark.parametrize("name", ["noise.wav", "cut.flac", "empty.mp3", "text.ogg"])
def test_damaged_files_are_sentences(styler: AudioStyler, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "cut.flac":
        written(path, voice_like(1.0), RATE)
        path.write_bytes(path.read_bytes()[:20])
    else:
        path.write_bytes({"noise.wav": bytes(range(256)) * 9, "empty.mp3": b"", "text.ogg": b"no sound"}[name])
    for which in ("content", "style"):
        with pytest.raises(ValueError, match="holds no sound that can be read"):
            restyle(styler, **{"content": voice_like(1.0), "style": voice_like(1.0)} | {which: str(path)})


def test_a_silent_content_stays_silent_and_is_told(styler: AudioStyler) -> None:
    made, chunks = restyle(styler, content=np.zeros(RATE, np.float32), preset="hum")
    assert len(made) == RATE and np.abs(made).max() < 1e-2
    assert chunks[-1].notes == ("The content is silent.",)


def test_presets_are_named_where_one_is_missing(styler: AudioStyler) -> None:
    with pytest.raises(ValueError, match="has hum, hiss"):
        restyle(styler, content=voice_like(0.5), preset="thunder")


def test_the_pitch_of_a_voice_moves_and_that_of_a_tune_stays(styler: AudioStyler) -> None:
    time = np.arange(2 * RATE) / RATE
    tune = np.sum([0.1 * np.sin(2 * np.pi * k * 330 * time) / k for k in range(1, 6)], axis=0).astype(np.float32)
    for content, moves in ((voice_like(2.0, 200.0), True), (tune, False)):
        _, chunks = restyle(styler, content=content, preset="hum", strength=1.0)
        found = chunks[-1].statistics
        assert found is not None and (found.result_pitch_hz < 0.8 * found.content_pitch_hz) == moves
        assert any("plays notes" in note for note in chunks[-1].notes) != moves
