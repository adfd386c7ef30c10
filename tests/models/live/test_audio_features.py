"""What the pictures hear: loudness and beats, of the music and of a person."""

from __future__ import annotations

import numpy as np
import pytest

from models.beats.detector import OnlineBeatDetector, load_beat_network
from models.live.audio_features import MicrophoneFeatureTracker, MusicFeatureTracker
from models.registry.registry import WEIGHTS_DIR


def test_music_is_heard_by_its_bars_and_its_sound(bar_generator: object) -> None:
    from models.live.controls import LiveControls
    from models.live.music_stream import MusicStream

    features = MusicFeatureTracker()
    controls = LiveControls(tempo=120.0, drums=False)
    stream = MusicStream(bar_generator, bar_generator.composer.bank, controls)  # type: ignore[arg-type, attr-defined]
    for _ in range(20):
        features.add(stream.render_chunk())
    assert features.read_at(0.5).beat == pytest.approx(1.0)
    assert features.read_at(0.5).downbeat < 0.2
    assert features.read_at(0.0).downbeat == pytest.approx(1.0)
    assert features.read_at(0.7).beat < features.read_at(0.52).beat
    assert 0.0 < features.read_at(1.0).energy <= 1.0


def test_a_person_is_heard_by_sudden_loudness() -> None:
    features = MicrophoneFeatureTracker(None, 48_000)
    sound = np.zeros(96_000, np.float32)
    for at in (24_000, 60_000):
        sound[at : at + 3000] = 0.5 * np.sin(np.arange(3000) * 0.1)
    for first in range(0, len(sound), 4096):
        features.add(sound[first : first + 4096])
    assert features.read_at(0.52).beat > 0.7
    assert features.read_at(0.45).beat == 0.0
    assert features.read_at(1.27).beat > 0.7


@pytest.mark.slow
def test_the_shipped_network_for_live_sound_finds_the_beats_of_clicks() -> None:
    features = MicrophoneFeatureTracker(
        OnlineBeatDetector(load_beat_network(WEIGHTS_DIR / "beats_causal.safetensors")), 44_100
    )
    sound = np.zeros(10 * 44_100, np.float32)
    noise = np.random.default_rng(0).standard_normal(2600) * np.exp(-np.arange(2600) / 500)
    for at in np.arange(0.3, 9.5, 0.5):
        sound[round(at * 44_100) :][:2600] += (0.5 * noise).astype(np.float32)
    for first in range(0, len(sound), 4096):
        features.add(sound[first : first + 4096])
    for at in np.arange(3.3, 9.0, 0.5):
        assert features.read_at(at + 0.05).beat > 0.7
        assert features.read_at(at - 0.08).beat < 0.3
