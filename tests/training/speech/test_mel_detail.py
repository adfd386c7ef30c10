"""Tests of how flat an acoustic model draws its voices."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from models.audio import MelConfig
from models.speech.fastspeech2 import FastSpeech2, FastSpeech2Config
from models.speech.mel_emphasis import build_cepstral_basis, parse_details
from models.speech.symbols import SYMBOLS
from models.speech.tacotron2 import Tacotron2, Tacotron2Config
from models.weights_io import load_metadata, load_safetensors, parse_metadata, save_safetensors
from tests.training.speech.spoken_clips import make_clips
from training.speech.mel_detail import (
    choose_clips,
    compare_details,
    measure_details,
    measure_spoken_details,
    write_details,
)
from training.speech.resident_corpus import ResidentCorpus
from training.speech.retiming import retime_clip
from training.speech.teacher_corpus import save_clips


def test_what_is_drawn_half_as_lively_has_a_gain_of_two() -> None:
    torch.manual_seed(0)
    true = torch.randn(500, 80) @ build_cepstral_basis(80).T - 5
    mean = true.mean(dim=0)
    detail = compare_details(true, mean + 0.5 * (true - mean))
    assert np.allclose(detail.gain, 2.0, atol=0.01)
    assert np.allclose(detail.true_mean, detail.made_mean, atol=0.01)


def test_details_of_all_voices_are_measured_and_written(tmp_path: Path) -> None:
    voices = ("a", "b", "c", "d")
    torch.manual_seed(0)
    model = FastSpeech2(FastSpeech2Config.debug(n_symbols=len(SYMBOLS), voices=voices, n_mels=80)).eval()
    clips = [retime_clip(clip, MelConfig()) for clip in make_clips(12)]
    corpus = ResidentCorpus(clips, [1.0] * 4, torch.device("cpu"), MelConfig())
    details = measure_details(model, corpus)
    assert set(details) == {voices[number] for number in set(corpus.voice.tolist())}
    assert all(np.isfinite([*each.gain, *each.true_mean, *each.made_mean]).all() for each in details.values())
    path = tmp_path / "weights.safetensors"
    save_safetensors(path, model.state_dict(), {"config": json.dumps(model.config.to_dict()), "steps": "3"})
    write_details(path, details)
    assert load_metadata(path)["steps"] == "3"
    assert parse_metadata(path, lambda values: parse_details(values, 80), [], ["mel_detail"]) == details
    assert torch.allclose(load_safetensors(path)["output.bias"], model.output.bias, atol=1e-3)


def test_tacotron_speaks_on_its_own_when_it_is_measured() -> None:
    torch.manual_seed(0)
    sizes = {"n_symbols": len(SYMBOLS), "n_mels": 80, "frames_per_step": 3}
    model = Tacotron2(Tacotron2Config.debug(**sizes, voices=("a", "b", "c", "d"), attributes=("speed",))).eval()
    clips = [retime_clip(clip, MelConfig()) for clip in make_clips(6)]
    details = measure_spoken_details(model, ResidentCorpus(clips, [1.0] * 4, torch.device("cpu"), MelConfig()))
    assert "a" in details
    assert all(np.isfinite([*each.gain, *each.made_mean]).all() for each in details.values())


def test_clips_are_chosen_evenly_and_as_they_were_spoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.speech.mel_detail.CLIPS", 3)
    save_clips(tmp_path / "a.npz", make_clips(20))
    chosen = choose_clips(tmp_path, 4)
    counts = np.bincount([clip.voice for clip in chosen], minlength=4)
    assert counts.max() == 3
    assert len(chosen) < 20
