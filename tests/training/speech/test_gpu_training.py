"""Tests of the short training of all speech networks, at tiny sizes on a CPU."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.contracts import SpeechRequest, Task
from models.hub.spec import Bundled, ModelSpec
from models.speech import parallel_synthesizer, synthesizer
from models.speech.vocoder import VocoderConfig
from models.weights_io import save_safetensors
from tests.training.speech.spoken_clips import make_clips
from training.speech.adversarial_vocoder import AdversarialVocoderTraining, PeriodDiscriminator
from training.speech.fastspeech2 import measure_variation
from training.speech.gpu_training import PARTS, READY, WEIGHTS, load_part, make_training, train
from training.speech.mel_adversary import MelDiscriminator, take_windows
from training.speech.teacher_corpus import save_clips
from training.speech.timed_training import TimedTraining, schedule_one_cycle

NOT_ON_THE_MACHINE = ("gruut", "num2words", "soundfile", "gradio", "pyworld", "parselmouth")


def test_the_recipe_needs_no_text_front_end() -> None:
    script = f"import sys; sys.modules.update(dict.fromkeys({NOT_ON_THE_MACHINE})); import training.speech.gpu_training"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


def test_one_cycle_rises_and_falls() -> None:
    rates = [schedule_one_cycle(progress) for progress in (0.0, 0.04, 0.08, 0.5, 1.0, 1.2)]
    assert rates[0] < rates[1] < rates[2] == 1.0
    assert rates[2] > rates[3] > rates[4] == rates[5] == 0.0


def test_windows_are_cut_where_they_were_asked() -> None:
    mel = torch.arange(20.0).reshape(1, 10, 2).repeat(2, 1, 1)
    windows = take_windows(mel, torch.tensor([0, 7]), 3)
    assert windows[0, :, 0].tolist() == [0, 2, 4]
    assert windows[1, :, 0].tolist() == [14, 16, 18]


def test_a_smoothed_spectrogram_varies_less() -> None:
    torch.manual_seed(0)
    mel = torch.randn(1, 80, 100)
    smooth = torch.nn.functional.avg_pool1d(mel.transpose(1, 2), 5, 1, 2).transpose(1, 2)
    length = torch.tensor([80])
    assert measure_variation(smooth, length) < 0.6 * measure_variation(mel, length)


def test_judges_give_scores_and_features() -> None:
    scores, features = MelDiscriminator(channels=4)(torch.randn(2, 32, 100))
    assert scores.shape[0] == 2
    assert len(features) == 4
    scores, features = PeriodDiscriminator(3, channels=2)(torch.randn(2, 3_000))
    assert scores.shape[-1] == 3
    assert len(features) == 4


def check_predicted_frames(shards: Path, out: Path) -> None:
    """Check that the vocoder's last part draws frames of the acoustic model beside true ones."""
    corpus = load_part("vocoder", shards, torch.device("cpu"), None)
    config = VocoderConfig(channels=16, hidden=24, layers=1, pitch_channels=12, pitch_layers=1)
    weights, acoustic = out / "x.safetensors", out / "speech_fastspeech2.safetensors"
    training = AdversarialVocoderTraining(config, corpus, time.time() + 60, weights, acoustic, pieces=4, frames=24)
    training.predict_clips()
    assert training.predicted is not None
    drawn = training.predicted_clips[0]
    frames = slice(corpus.frame_starts[drawn], corpus.frame_ends[drawn])
    apart = (training.predicted[frames].float() - corpus.mel[frames].float()).abs().mean()
    assert 0.1 < float(apart) < 5.0
    mel, f0, voiced, samples, cycles = training.draw()
    assert mel.shape == (4, 24, 80)
    assert f0.shape == voiced.shape == cycles.shape == (4, 24)
    assert samples.shape == (4, 23 * 256)


def test_a_failed_step_leads_back_to_the_written_weights(tmp_path: Path) -> None:
    network = torch.nn.Linear(2, 1)
    optimizer = torch.optim.AdamW(network.parameters(), 0.1)

    class Failing(TimedTraining[torch.nn.Linear]):
        def describe(self) -> dict[str, object]:
            return {}

        def train_step(self) -> dict[str, torch.Tensor]:
            loss = self.model(torch.ones(1, 2)).square().sum()
            if self.step == 3:
                loss = loss * torch.nan
            loss.backward()
            self.step_optimizers(1.0)
            if self.step == 2:
                self.export()
            return {"loss": loss.detach()}

    training = Failing(network, None, [optimizer], [0.01], time.time() + 1.0, tmp_path / "w.safetensors")
    training.run_on(log_every=1)
    assert training.step > 5
    assert torch.isfinite(training.average["weight"]).all()
    assert "failed" in (tmp_path / "w.log").read_text()


def test_the_vocoder_hears_nothing_whose_pitch_was_moved(tmp_path: Path) -> None:
    clips = make_clips(12)
    moved = [replace(clip, semitones=2.0) if number % 3 == 1 else clip for number, clip in enumerate(clips)]
    save_clips(tmp_path / "a.npz", moved)
    counts = {part: len(load_part(part, tmp_path, torch.device("cpu"), None).voice) for part in PARTS}
    assert counts == {"fastspeech2": 12, "vocoder": 8, "tacotron2": 12}


@pytest.mark.parametrize("part", PARTS)
def test_a_training_goes_on_from_weights_at_their_sizes(tmp_path: Path, part: str) -> None:
    save_clips(tmp_path / "a.npz", make_clips(12))
    corpus = load_part(part, tmp_path, torch.device("cpu"), None)
    start, out = tmp_path / "start", tmp_path / "out"
    start.mkdir()
    torch.manual_seed(3)
    first = make_training(part, corpus, time.time() + 60, start, tmp_path / "none", tiny=True)
    save_safetensors(start / WEIGHTS[part], first.average, {"config": json.dumps(first.config.to_dict())})
    second = make_training(part, corpus, time.time() + 60, out, start, tiny=False)
    assert second.config == first.config
    for state in (second.model.state_dict(), second.average):
        assert all(torch.allclose(state[name], value, atol=2e-3) for name, value in first.average.items())


def test_a_part_that_waits_in_vain_ends(tmp_path: Path) -> None:
    train("vocoder", tmp_path, tmp_path / "out", time.time() + 0.2, start=tmp_path, tiny=True)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_all_parts_train_and_the_studio_speaks_with_them(tmp_path: Path) -> None:
    shards, out = tmp_path / "shards", tmp_path / "out"
    shards.mkdir()
    out.mkdir()
    save_clips(shards / "a.npz", make_clips(30))
    (shards / READY).touch()
    for part in PARTS:
        train(part, shards, out, time.time() + 5.0, start=tmp_path / "none", tiny=True)
    files = {path.name: path for path in out.glob("*.safetensors")}
    assert len(files) == 3
    lines = [json.loads(line) for path in out.glob("*.log") for line in path.read_text().splitlines()]
    assert all(np.isfinite(value) for line in lines for value in line.values() if isinstance(value, float))
    assert any("held_out_variation_ratio" in line for line in lines)
    check_predicted_frames(shards, out)
    for load, name in ((parallel_synthesizer.load_bundled, "fastspeech2"), (synthesizer.load_bundled, "tacotron2")):
        names = tuple(file for file in files if name in file or "vocoder" in file)
        spec = ModelSpec(
            key="speech/x",
            task=Task.SPEECH,
            title="X",
            summary="",
            licence="MIT",
            commercial_use=True,
            credit="",
            sources=(Bundled(names),),
            memory_mb=1,
            needs_gpu=False,
            speed="",
            loader="models.speech.synthesizer:load_bundled",
        )
        voice = load({file: files[file] for file in names}, spec)
        chunks = list(voice.stream(SpeechRequest("Good morning.", voice="emma")))
        assert chunks[-1].sample_rate == 22_050
        assert sum(len(chunk.samples) for chunk in chunks) > 1_000
