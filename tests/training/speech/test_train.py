"""The recipe: attributes, forced alignment, losses, and that a resumed run goes on where it was."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from models.contracts import SpeechRequest
from models.speech import attributes
from models.speech.attributes import MeasuredAttributes
from models.speech.symbols import SYMBOLS, encode
from models.speech.tacotron2 import Tacotron2, Tacotron2Config
from training.speech import corpus
from training.speech.acoustic import (
    AcousticPlan,
    AcousticTrainer,
    SamplingSchedule,
    collate,
    compute_alignment_loss,
    compute_losses,
)
from training.speech.aligner import VoiceAligner, build_chain, run_viterbi
from training.speech.corpus import SpeechClip
from training.speech.export import export_vocoder
from training.speech.ground_truth_aligned import replace_with_aligned_mel
from training.speech.vocoder import VocoderPlan, VocoderTrainer, fill_unvoiced

pytestmark = pytest.mark.slow

SOUNDS = ("ð", "ˈoʊ", "s", "m", "ˈɪ", "k")


def make_clip(seed: int, frames_each: int = 8) -> tuple[SpeechClip, np.ndarray]:
    """Return a clip whose sounds are flat spectra, and the true place of every frame."""
    random = np.random.default_rng(seed)
    spoken = [SOUNDS[int(i)] for i in random.permutation(len(SOUNDS))]
    symbols = ["^", *spoken[:3], " ", *spoken[3:], ".", "~"]
    spectra = {s: 2.0 * np.random.default_rng(i).standard_normal(80) for i, s in enumerate(SOUNDS)}
    mel, places = [np.full((4, 80), -10.0)], [np.zeros(4)]
    for place, symbol in enumerate(symbols):
        if symbol in spectra:
            length = frames_each + int(random.integers(-3, 4))
            mel.append(np.tile(spectra[symbol] - 4.0, (length, 1)))
            places.append(np.full(length, place))
    mel.append(np.full((6, 80), -10.0))
    places.append(np.full(6, symbols.index(".")))
    frames = np.concatenate(mel) + 0.1 * random.standard_normal((sum(map(len, mel)), 80))
    count = len(frames)
    clip = SpeechClip(
        name=f"clip{seed}",
        voice="a",
        text="",
        symbols=encode(symbols),
        mel=frames.astype(np.float16),
        f0=np.where(np.arange(count) % 10 < 7, 150.0 + seed, 0.0).astype(np.float32),
        samples=(3000 * random.standard_normal((count - 1) * 256)).astype(np.int16),
        measured=MeasuredAttributes(10.0 + seed % 3, math.log(150.0 + seed), -20.0),
        shifted=False,
        path=np.zeros(count, dtype=np.int16),
    )
    return clip, np.concatenate(places).astype(int)


def test_the_aligner_finds_the_sounds() -> None:
    made = [make_clip(seed) for seed in range(30)]
    found = VoiceAligner([clip for clip, _ in made]).align(rounds=8)
    wrong = np.concatenate([a != truth for a, (_, truth) in zip(found, made, strict=True)])
    assert wrong.mean() < 0.1
    for path in found:
        assert (np.diff(path) >= 0).all()


def test_viterbi_equals_trying_every_path() -> None:
    chain = build_chain(encode(["^", "m", ",", " ", "s", "~"]))
    scores = np.random.default_rng(0).standard_normal((9, len(chain.states))).astype(np.float32)

    def best(t: int, state: int) -> float:
        if t == 0:
            return float(scores[0, 0]) if state == 0 else -math.inf
        reach = [state] + [state - jump for jump in range(1, chain.skip[state] + 1) if state >= jump]
        return float(scores[t, state]) + max(best(t - 1, before) for before in reach)

    path = run_viterbi([scores], [chain])[0]
    assert path[0] == 0 and path[-1] == len(chain.states) - 1
    total = float(scores[np.arange(9), path].sum())
    assert total == pytest.approx(best(8, len(chain.states) - 1), abs=1e-4)


def test_attributes_are_distances_from_the_voice() -> None:
    mean = MeasuredAttributes(12.0, math.log(200.0), -22.0)
    measured = MeasuredAttributes(24.0, math.log(200.0 * 2**0.5), -12.0)
    assert measured.relative_to(mean) == pytest.approx((1.0, 1.0, 1.0))
    request = SpeechRequest("x", speed=2.0, pitch_semitones=6.0, energy_db=10.0)
    assert attributes.compute_attributes(request) == pytest.approx((1.0, 1.0, 1.0))
    assert attributes.compute_attributes(SpeechRequest("x")) == (0.0, 0.0, 0.0)


def test_collate_pads_with_silence_and_keeps_the_attention_normalised() -> None:
    clips = [make_clip(seed)[0] for seed in range(3)]
    items = [(c, c.mel.astype(np.float32), c.path, (0.0, 0.0, 0.0)) for c in clips]
    batch = collate(items, 3, ("a",))
    assert batch.mel.shape[1] % 3 == 0
    steps = batch.mel_lengths // 3
    for row in range(3):
        assert torch.allclose(batch.attention[row, : steps[row]].sum(-1), torch.ones(int(steps[row])))
        assert batch.mel_lengths[row] - len(clips[row].mel) in (0, 1, 2)


def test_the_alignment_loss_is_least_at_the_wanted_alignment() -> None:
    wanted = torch.eye(4)[None]
    mask = torch.ones(1, 4, dtype=torch.bool)
    uniform = torch.full((1, 4, 4), 0.25)
    assert compute_alignment_loss(wanted, wanted, mask) < 1e-4
    assert compute_alignment_loss(uniform, wanted, mask) == pytest.approx(math.log(4), abs=1e-4)


def test_the_model_is_weaned_step_by_step() -> None:
    plan = AcousticPlan(steps=100, last_sequential=10, sampling_from=0.1, sampling_until=0.6)
    schedules = [plan.schedule_sampling(step) for step in range(101)]
    ratios = [schedule.free_running_ratio for schedule in schedules]
    assert ratios[0] == ratios[10] == 0.0 and ratios[35] == pytest.approx(0.5)
    assert ratios[60] == ratios[100] == 1.0
    assert [schedule.sequential for schedule in schedules].index(True) == 90
    assert schedules[0].frame_drop == plan.frame_drop and schedules[100].frame_drop == plan.last_frame_drop


@pytest.mark.parametrize("free_running_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("sequential", [False, True])
def test_a_schedule_reaches_every_weight(free_running_ratio: float, sequential: bool) -> None:
    clips = [make_clip(seed)[0] for seed in range(3)]
    batch = collate([(c, c.mel.astype(np.float32), c.path, (0.1, 0.2, 0.3)) for c in clips], 3, ("a",))
    config = Tacotron2Config.debug(
        n_symbols=len(SYMBOLS), n_mels=80, frames_per_step=3, voices=("a",), attributes=("speed", "pitch", "energy")
    )
    torch.manual_seed(0)
    model = Tacotron2(config).train()
    loss, report = compute_losses(model, batch, SamplingSchedule(0.5, (0.0, 0.5), free_running_ratio, sequential))
    loss.backward()
    assert set(report) == {"mel", "stop", "alignment", "focus"}
    assert torch.isfinite(loss)
    silent = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert silent == []


def test_unvoiced_gaps_are_bridged() -> None:
    filled = fill_unvoiced(np.array([0, 100, 0, 0, 130, 0], dtype=np.float32))
    assert filled == pytest.approx([100, 100, 110, 120, 130, 130])


def test_a_corpus_survives_its_file(tmp_path: Path) -> None:
    clips = [make_clip(seed)[0] for seed in range(2)]
    corpus.save(tmp_path / "corpus.pt", clips)
    loaded = corpus.load(tmp_path / "corpus.pt")
    assert [c.name for c in loaded] == ["clip0", "clip1"]
    assert np.array_equal(loaded[1].mel, clips[1].mel)
    assert loaded[1].measured == clips[1].measured


@pytest.mark.parametrize("kind", ["acoustic", "vocoder"])
def test_training_resumes_and_learns(tmp_path: Path, kind: str) -> None:
    clips = [make_clip(seed, frames_each=14)[0] for seed in range(6)]

    def trainer(steps: int) -> AcousticTrainer | VocoderTrainer:
        if kind == "acoustic":
            plan = AcousticPlan(steps, 1, 300, (3, 3), "a", warm_up=1, min_frames=60, max_frames=100)
            return AcousticTrainer(clips, plan, tmp_path)
        vocoder_plan = VocoderPlan(steps=steps, batch=2, frames=24, voices=("a",), shares=(1.0,), adversarial_after=4)
        return VocoderTrainer(clips, vocoder_plan, tmp_path)

    first = trainer(3)
    first.run(log_every=1, save_every=2)
    second = trainer(6)
    assert second.step == 3
    for name, value in first.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name])
    second.run(log_every=1)
    lines = (tmp_path / f"{kind}.log").read_text().splitlines()
    assert len(lines) == 6
    assert all(SYMBOLS) and '"s_per_step"' in lines[-1]


def test_predicted_frames_stay_on_their_clips(tmp_path: Path) -> None:
    clips = [make_clip(seed)[0] for seed in range(5)]
    plan = AcousticPlan(steps=1, batch=(2, 2), batch_frames=200, target_voice="a", min_frames=60, max_frames=80)
    AcousticTrainer(clips, plan, tmp_path).run(log_every=1)
    predicted = replace_with_aligned_mel(clips, tmp_path / "acoustic.pt", ("a",), max_clips_per_voice=3, batch=2)
    assert len(predicted) == 3
    originals = {clip.name: clip for clip in clips}
    for clip in predicted:
        original = originals[clip.name]
        assert clip.mel.shape == original.mel.shape and np.isfinite(clip.mel).all()
        assert not np.array_equal(clip.mel, original.mel) and np.array_equal(clip.samples, original.samples)
    again = replace_with_aligned_mel(clips, tmp_path / "acoustic.pt", ("a",), max_clips_per_voice=3, batch=2)
    assert all(np.array_equal(a.mel, b.mel) for a, b in zip(predicted, again, strict=True))


def test_a_vocoder_goes_on_from_a_finished_weight_file(tmp_path: Path) -> None:
    clips = [make_clip(seed, frames_each=14)[0] for seed in range(3)]
    plan = VocoderPlan.for_finetuning(1)
    first = VocoderTrainer(clips, plan, tmp_path)
    first.average["output.bias"].fill_(0.25)
    first.save()
    second = VocoderTrainer(clips, plan, tmp_path, "other")
    second.start_from(export_vocoder(tmp_path / "vocoder.pt", tmp_path))
    assert torch.equal(second.model.state_dict()["output.bias"], first.average["output.bias"])
    assert second.step == 0


def test_several_processes_share_the_gradients_of_both_sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clips = [make_clip(seed, frames_each=14)[0] for seed in range(3)]
    plan = VocoderPlan(steps=1, batch=2, frames=24, voices=("a",), shares=(1.0,), adversarial_after=0)
    trainer = VocoderTrainer(clips, plan, tmp_path)
    shared: list[object] = []
    monkeypatch.setattr(trainer.team, "share_gradients", shared.append)
    trainer.train_step()
    assert shared == [trainer.discriminators, trainer.model]
