"""The audio style recipe on made-up tracks: it learns, resumes, and its file loads with its presets."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from models.style.audio_network import AudioStyleConfig, AudioStyleNetwork
from models.style.audio_weights import load_styler
from models.style.content_vocoder import ContentVocoderConfig
from models.style.matching import MatchingConfig
from training.style_audio import corpus, train
from training.style_audio.corpus import CorpusTrack, make_sound_clip
from training.style_audio.matching import MatchingPlan, MatchingTrainer
from training.style_audio.network import NetworkPlan, NetworkTrainer
from training.style_audio.presets import build_preset_statistics
from training.style_audio.vocoder import ContentVocoderPlan, ContentVocoderTrainer

pytestmark = pytest.mark.slow

RATE = 22_050


def tracks() -> list[CorpusTrack]:
    """Two voices that say the same, and a sound."""
    at = np.arange(3 * RATE) / RATE
    random = np.random.default_rng(0)

    def voice(pitch: float) -> np.ndarray:
        swell = 0.5 + 0.5 * np.sin(2 * np.pi * 2 * at)
        return (0.2 * swell * sum(np.sin(2 * np.pi * pitch * k * at) / k for k in range(1, 6))).astype(np.float32)

    made = [
        CorpusTrack(name, "voice", [make_sound_clip(f"text-{i}", voice(pitch * (1 + 0.05 * i))) for i in range(3)])
        for name, pitch in (("low", 110.0), ("high", 220.0))
    ]
    hiss = (0.1 * random.standard_normal(6 * RATE)).astype(np.float32)
    return [*made, CorpusTrack("rain", "sound", [make_sound_clip("rain", hiss)])]


def test_the_recipe_runs_resumes_and_exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tracks()
    corpus.save(tmp_path / "corpus.pt", made)
    again = corpus.load(tmp_path / "corpus.pt")
    assert [track.name for track in again] == ["low", "high", "rain"]
    assert (again[0].clips[0].samples == made[0].clips[0].samples).all()

    plan = NetworkPlan(steps=3, batch=2, frames=24, style_frames=32)
    trainer = NetworkTrainer(made, plan, tmp_path, AudioStyleConfig.debug())
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    trainer.run(log_every=1, save_every=1)
    assert any((value != before[name]).any() for name, value in trainer.model.state_dict().items())
    assert NetworkTrainer(made, plan, tmp_path, AudioStyleConfig.debug()).step == 3

    vocoder_plan = ContentVocoderPlan(steps=2, batch=2, frames=24)
    ContentVocoderTrainer(made, vocoder_plan, tmp_path, ContentVocoderConfig.debug()).run(log_every=1, save_every=1)

    matching_plan = MatchingPlan(steps=30, batch=2, frames=24, choice_frames=60)
    matching = MatchingTrainer(made, matching_plan, tmp_path, MatchingConfig.debug())
    torch.manual_seed(0)
    draws = [matching.sentences.draw_speech() for _ in range(8)]
    untrained = sum(float(matching.compute_losses(draw)["distance"].detach()) for draw in draws)
    matching.run(log_every=10, save_every=10)
    assert sum(float(matching.compute_losses(draw)["distance"].detach()) for draw in draws) < untrained
    assert MatchingTrainer(made, matching_plan, tmp_path, MatchingConfig.debug()).step == 30

    monkeypatch.setattr(train, "PRESETS", ("low", "rain"))
    train.export_weights(argparse.Namespace(run=tmp_path, weights=tmp_path))
    styler = load_styler(tmp_path / train.FILE)
    assert set(styler.presets) == {"low", "rain"}
    assert styler.presets["low"].pitch_hz == pytest.approx(115, rel=0.1)
    assert styler.voices is not None and styler.presets["rain"].matching_set is None


def test_presets_need_their_tracks() -> None:
    torch.manual_seed(0)
    network = AudioStyleNetwork(AudioStyleConfig.debug()).eval()
    with pytest.raises(ValueError, match="no track thunder"):
        build_preset_statistics(network, tracks(), ("thunder",))
    with pytest.raises(ValueError, match="no voice"):
        build_preset_statistics(network, tracks()[2:], ("rain",))


@pytest.mark.parametrize("short", ["rain", None])
def test_a_preset_that_is_too_short_is_told_before_the_training(
    short: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, ending, names in (("ambience", "ogg", ("rain",)), ("samples_cc0", "flac", ("ambi_drone",))):
        (tmp_path / folder).mkdir()
        for name in names:
            hum = 0.1 * np.sin(np.arange(RATE if name == short else 3 * RATE) / 20)
            soundfile.write(tmp_path / folder / f"{name}.{ending}", hum.astype(np.float32), RATE)
    (tmp_path / "instruments").mkdir()
    (tmp_path / "voice").mkdir()
    soundfile.write(tmp_path / "voice" / "a.wav", 0.1 * np.sin(np.arange(3 * RATE) / 30), RATE)
    monkeypatch.setattr(train, "PRESETS", ("low", "rain", "ambi_drone"))
    asked = argparse.Namespace(run=tmp_path, voice=[f"low={tmp_path / 'voice'}"], sounds=tmp_path)
    if short:
        with pytest.raises(SystemExit, match=short):
            train.prepare_corpus(asked)
        assert not (tmp_path / "corpus.pt").exists()
    else:
        train.prepare_corpus(asked)
        assert {track.name for track in corpus.load(tmp_path / "corpus.pt")} == {"low", "rain", "ambi_drone"}
