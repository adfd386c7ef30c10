"""The judge of the video model: classifier, prompts, distances, and that clips are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import video_classifier as recipe
from benchmarks import video_judge as judge
from benchmarks import video_motion as motion
from benchmarks.video import build_diffusers_network, count_parameters, run_peer, sample_ancestral
from benchmarks.video_classifier import ClassifierConfig, ClassifierPlan, ClipClassifier
from models.video.generator import VideoGenerator
from models.video.text_embedding import TextTable
from models.video.unet3d import UNet3D, UNet3DConfig
from models.weights_io import save_safetensors

WORDS = ["a", "red", "ball", "right", "ocean"]


def tiny() -> VideoGenerator:
    """Return an untrained generator with patches like the shipped one's."""
    torch.manual_seed(0)
    config = UNet3DConfig.debug()
    vectors = torch.randn(len(WORDS), config.text_width, generator=torch.Generator().manual_seed(0))
    return VideoGenerator(UNet3D(config), TextTable(WORDS, vectors))


def test_prompts_use_held_out_words_and_say_colour_and_direction() -> None:
    prompts = judge.draw_held_out_prompts(20)
    assert [prompt.text for prompt in prompts] == [prompt.text for prompt in judge.draw_held_out_prompts(20)]
    assert len({prompt.spec.kind for prompt in prompts}) > 8
    for prompt in prompts:
        if prompt.spec.direction in {"left", "right"}:
            assert prompt.spec.direction in prompt.text


def test_frechet_distance_of_gaussians_is_the_closed_form() -> None:
    rng = np.random.default_rng(0)
    first = rng.normal(size=(4000, 3))
    assert judge.measure_frechet_distance(first, first) == pytest.approx(0, abs=1e-9)
    moved = rng.normal(size=(4000, 3)) * 2 + (1, 0, 0)
    assert judge.measure_frechet_distance(first, moved) == pytest.approx(1 + 3 * (2 - 1) ** 2, rel=0.1)


def test_spread_is_the_mean_distance_within_groups() -> None:
    features = np.array([[0.0], [2.0], [10.0], [14.0]])
    assert judge.measure_spread(features, 2) == pytest.approx(3.0)


def test_obedience_counts_directions_of_judged_kinds_only() -> None:
    specs = [prompt.spec for prompt in judge.draw_held_out_prompts(12)]
    truth = np.array([recipe.label(spec) for spec in specs])
    assert set(judge.measure_obedience(truth, specs, tuple(recipe.list_moving_kinds())).values()) == {1.0}
    wrong = truth.copy()
    wrong[:, 2] = (wrong[:, 2] + 1) % 9
    figures = judge.measure_obedience(wrong, specs, tuple(recipe.list_moving_kinds()))
    assert figures["scene_accuracy"] == 1.0
    assert figures["direction_accuracy"] == 0.0
    assert judge.measure_obedience(truth, specs, ())["direction_accuracy"] == 0.0


def test_clips_are_made_once_and_do_not_depend_on_their_batch(tmp_path: Path) -> None:
    generator = tiny()
    studio = judge.ClipMaker(generator, tmp_path)
    made = studio.make_clips(["a red ball", "ocean"], [1, 2], scale=2.0, steps=2)
    assert made.shape == (2, 16, 32, 32, 3)
    kept = sorted(tmp_path.glob("*.npy"))
    assert len(kept) == 1
    stamp = kept[0].stat().st_mtime_ns
    studio.make_clips(["a red ball", "ocean"], [1, 2], scale=2.0, steps=2)
    assert kept[0].stat().st_mtime_ns == stamp
    alone = studio.make_clips(["ocean"], [2], scale=2.0, steps=2)
    assert np.abs(alone[0].astype(int) - made[1]).max() <= 2
    assert judge.fingerprint_weights(generator) == judge.fingerprint_weights(tiny())


@pytest.mark.slow
def test_the_peers_of_the_speed_figures_run() -> None:
    generator = tiny()
    assert torch.isfinite(sample_ancestral(generator, 3.0, 2)).all()
    peer = build_diffusers_network(generator.model, widths=(16,))
    assert count_parameters(peer) > 0
    run_peer(peer, generator.model)


@pytest.mark.slow
def test_the_classifier_learns_resumes_and_mirrors_directions(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    clips = np.zeros((24, 6, 32, 32, 3), np.uint8)
    labels = np.zeros((24, 3), np.int64)
    for row in range(24):
        labels[row] = row % 2, row % 3, 0
        clips[row] = rng.integers(0, 40, clips[row].shape)
        clips[row, ..., row % 3] += 150
        clips[row, :, (row % 2) * 16 : (row % 2) * 16 + 8] += 50
    plan = ClassifierPlan(steps=5, batch=8, warm_up=1, average=0.8)
    recipe.ClassifierTraining(clips, labels, ClassifierConfig.debug(), plan, tmp_path).run(5, 5)
    longer = ClassifierPlan(steps=35, batch=8, warm_up=1, average=0.8, learning_rate=1e-2)
    training = recipe.ClassifierTraining(clips, labels, ClassifierConfig.debug(), longer, tmp_path)
    assert training.step == 5
    training.run(20, 20)
    answers, features = recipe.classify(training.model.eval(), clips)
    assert features.shape == (24, 12)
    assert (answers[:, 1] == labels[:, 1]).mean() > 0.6
    left, right = recipe.DIRECTIONS.index("left"), recipe.DIRECTIONS.index("right")
    assert training.mirrored[left] == right
    assert training.mirrored[training.mirrored].tolist() == list(range(9))


@pytest.mark.slow
def test_shards_hold_what_their_labels_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "SHARD", 3)
    recipe.prepare(tmp_path, 1)
    recipe.prepare(tmp_path, 1, recipe.HELD_OUT_FROM)
    clips, labels = recipe.read(tmp_path, held_out=False)
    other, _ = recipe.read(tmp_path, held_out=True)
    assert clips.shape == (3, 16, 32, 32, 3)
    assert not np.array_equal(clips, other)
    network = ClipClassifier(ClassifierConfig.debug()).eval()
    assert all(0 <= value <= 1 for value in recipe.measure(network, clips, labels).values())


def drifting(step: tuple[int, int], seed: int, count: int = 6) -> np.ndarray:
    """Noise that moves by so many rows and columns each frame, uint8 (count, 32, 32, 3)."""
    still = np.random.default_rng(seed).integers(0, 256, (32, 32, 1), dtype=np.uint8).repeat(3, axis=2)
    return np.stack([np.roll(still, (frame * step[0], frame * step[1]), (0, 1)) for frame in range(count)])


def test_correlations_peak_where_a_patch_went() -> None:
    clip = recipe.to_tensor(drifting((2, -3), 0)[None]).mean(dim=2)
    found = motion.correlate_patches(clip, 1)
    side = 2 * motion.REACH + 1
    assert found.shape == (1, motion.CELLS, side * side)
    peak = int(found[0, motion.CELLS // 2].argmax())
    assert (peak // side - motion.REACH, peak % side - motion.REACH) == (2, -3)


@pytest.mark.slow
def test_a_reader_of_directions_learns_and_is_kept(tmp_path: Path) -> None:
    steps = [(0, -2), (0, 2), (-2, 0), (2, 0)]
    names = [recipe.DIRECTIONS.index(name) for name in ("left", "right", "up", "down")]
    clips = np.stack([drifting(steps[row % 4], row) for row in range(24)])
    truth = np.array([names[row % 4] for row in range(24)])
    reader = motion.train(motion.extract_features(clips[:16]), torch.from_numpy(truth[:16]), steps=60)
    found = reader.classify(clips[16:])
    assert (found == truth[16:]).mean() > 0.8
    ball = recipe.NAMES["kind"].index("ball")
    figures, judged = motion.measure(truth, np.stack([np.full(24, ball), truth, truth], axis=1))
    assert judged == ["ball"] and figures["classifier_direction"] == 1.0
    save_safetensors(tmp_path / "r.safetensors", reader.state_dict(), {"judged": '["ball"]', "figures": "{}"})
    again, kinds, _ = motion.load_direction_classifier(tmp_path / "r.safetensors")
    assert kinds == ("ball",) and (again.classify(clips[16:]) == found).mean() > 0.8


def test_failures_say_what_was_seen_instead() -> None:
    prompts = judge.draw_held_out_prompts(4)
    truth = np.array([recipe.label(prompt.spec) for prompt in prompts])
    truth[0, 0] = (truth[0, 0] + 1) % len(recipe.KINDS)
    lines = judge.list_failures(truth, prompts, ())
    assert prompts[0].spec.kind in lines[0] and recipe.NAMES["kind"][truth[0, 0]] in lines[0]
