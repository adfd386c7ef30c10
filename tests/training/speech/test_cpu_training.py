"""Tacotron 2 on one core: it goes on from a network of other voices, and what it writes speaks."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from models.audio import MelConfig
from models.speech.attributes import ATTRIBUTES
from models.speech.symbols import SYMBOLS
from models.speech.synthesizer import load_acoustic
from models.speech.tacotron2 import Tacotron2, Tacotron2Config
from models.weights_io import load_safetensors, save_safetensors
from tests.training.speech.spoken_clips import make_clips
from training.speech.cpu_training import VOICE_TABLE, train_tacotron2
from training.speech.resident_corpus import ResidentCorpus
from training.speech.retiming import retime_clip
from training.speech.tacotron2 import make_acoustic_batch, stretch_batch
from training.speech.teacher_corpus import VOICES, save_clips


def write_older(path: Path, voices: tuple[str, ...]) -> Tacotron2:
    torch.manual_seed(2)
    sizes = {"n_symbols": len(SYMBOLS), "n_mels": 80, "frames_per_step": 3}
    config = Tacotron2Config.debug(**sizes, voices=voices, attributes=ATTRIBUTES)
    network = Tacotron2(config)
    save_safetensors(path, network.state_dict(), {"config": json.dumps(config.to_dict())})
    return network


def test_voices_that_the_start_lacks_begin_as_its_mean_voice(tmp_path: Path) -> None:
    older = write_older(tmp_path / "older.safetensors", ("lj", "emma", "rms"))
    save_clips(tmp_path / "a.npz", make_clips(12))
    train_tacotron2(tmp_path, tmp_path, 0.0, (0.4, 0.2, 0.2, 0.2), tmp_path / "older.safetensors", frames=600)
    begun = load_safetensors(tmp_path / "speech_tacotron2.safetensors")
    rows = older.state_dict()[VOICE_TABLE]
    wanted = [rows[1] if voice == "emma" else rows.mean(dim=0) for voice in VOICES]
    assert torch.allclose(begun[VOICE_TABLE].float(), torch.stack(wanted), atol=2e-3)
    encoder = "encoder.embedding.weight"
    assert torch.allclose(begun[encoder].float(), older.state_dict()[encoder], atol=2e-3)


@pytest.mark.parametrize("octaves", [-1.0, -0.3, 0.5, 1.0])
def test_a_stretched_batch_keeps_sounds_and_symbols_together(octaves: float) -> None:
    clips = [retime_clip(clip, MelConfig()) for clip in make_clips(12)]
    corpus = ResidentCorpus(clips, [1.0] * 4, torch.device("cpu"), MelConfig())
    batch = corpus.collate(np.array([0, 1, 2]), None, 3)
    made = stretch_batch(batch, octaves, 3)
    assert made.mel.shape[1] % 3 == 0 and made.mel.shape[1] >= int(made.frames.max())
    assert torch.equal(made.durations.sum(dim=1), made.frames)
    assert torch.allclose(made.frames / batch.frames, torch.tensor(2.0**-octaves), atol=0.02)
    assert torch.allclose(made.speed, batch.speed + octaves)
    places = make_acoustic_batch(made, 3).attention.argmax(dim=-1)
    for row, count in enumerate(made.frames.tolist()):
        assert (places[row, : count // 3].diff() >= 0).all()


def test_discriminators_join_in_and_the_weights_can_be_loaded(tmp_path: Path) -> None:
    write_older(tmp_path / "older.safetensors", VOICES)
    save_clips(tmp_path / "a.npz", make_clips(12))
    train_tacotron2(tmp_path, tmp_path, 0.06, (0.4, 0.2, 0.2, 0.2), tmp_path / "older.safetensors", frames=600)
    lines = [json.loads(line) for line in (tmp_path / "speech_tacotron2.log").read_text().splitlines()]
    assert lines[-1]["step"] > 0
    model, scale = load_acoustic(tmp_path / "speech_tacotron2.safetensors")
    assert model.config.voices == VOICES
    assert scale.std == 2.0
