"""The synchronisation network, the checker around it, and the recipe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ModelError
from models.video.sound_synthesis import EVENT_SOUNDS, add_sound
from models.video.sound_synthesis import RATE as EVENT_RATE
from models.video.sync import (
    SOUND_RATE,
    SYNC_WEIGHTS,
    SyncChecker,
    bend_time,
    compute_mel,
    load_sync,
    refine_peak,
    shrink_frames,
)
from models.video.sync_network import SUBFRAMES, SyncConfig, SyncNetwork, gather_diagonals
from models.weights_io import save_safetensors
from training.video import sync as recipe
from training.video.scenes import SceneEvent, draw_spec, render
from training.video.sync_data import FRAMES, RATE, EventClip, prepare, read_shards, render_clips

CONFIG = SyncConfig.debug()


def checker() -> SyncChecker:
    torch.manual_seed(0)
    return SyncChecker(SyncNetwork(CONFIG))


def clip(frames: int = 24) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (frames, 20, 28, 3)).astype(np.uint8)


def clicks(seconds: float, rate: int, moments: tuple[float, ...]) -> np.ndarray:
    sound = np.zeros((round(seconds * rate), 2), np.float32)
    for moment in moments:
        sound[round(moment * rate) :][:20] = 0.5
    return sound


def test_shapes_and_that_rows_do_not_depend_on_each_other() -> None:
    torch.manual_seed(0)
    network = SyncNetwork(CONFIG).eval()
    frames, mel = torch.randn(3, 12, 3, 16, 16), torch.randn(3, 48, 2 * CONFIG.mels)
    with torch.inference_mode():
        out, single = network(frames, mel), network(frames[1:2], mel[1:2])
    assert out.offsets.shape == (3, 2 * CONFIG.reach + 1)
    assert out.profile.shape == (3, 48, 2 * CONFIG.reach + 1)
    assert out.video_events.shape == out.audio_x.shape == (3, 48)
    assert out.attention.sum(dim=-1).allclose(torch.ones(3, 48), atol=1e-4)
    assert torch.allclose(out.offsets[1:2], single.offsets, atol=1e-3)
    with pytest.raises(ValueError, match="mel frames"):
        network(frames, mel[:, :40])


def test_each_side_attends_to_the_other() -> None:
    torch.manual_seed(0)
    network = SyncNetwork(CONFIG).eval()
    frames, mel = torch.randn(1, 12, 3, 16, 16), torch.randn(1, 48, 2 * CONFIG.mels)
    with torch.inference_mode():
        first = network(frames, mel).matched
        assert not torch.allclose(first, network(frames.flip(1), mel).matched)
        assert not torch.allclose(first, network(frames, mel.flip(1)).matched)


def test_diagonals_are_those_of_a_naive_loop() -> None:
    square = torch.randn(2, 5, 5)
    found = gather_diagonals(square, 2)
    for row in range(5):
        for offset in range(-2, 3):
            column = row + offset
            wanted = square[:, row, column] if 0 <= column < 5 else torch.zeros(2)
            assert torch.equal(found[:, row, offset + 2], wanted)


@settings(max_examples=20, deadline=None)
@given(st.floats(-0.5, 0.5), st.sampled_from([8_000, 22_050, 44_100]))
def test_bending_without_moments_is_a_plain_shift(offset_s: float, rate: int) -> None:
    sound = np.random.default_rng(0).normal(size=(rate, 2)).astype(np.float32)
    moved, shift = bend_time(sound, rate, offset_s, np.zeros(0), np.zeros(0)), round(offset_s * rate)
    assert moved.shape == sound.shape
    if shift >= 0:
        assert np.array_equal(moved[: rate - shift], sound[shift:])
        assert not moved[rate - shift :].any()
    else:
        assert np.array_equal(moved[-shift:], sound[:shift])
        assert not moved[:-shift].any()


def test_bending_moves_single_events_and_stays_gentle() -> None:
    rate = 8_000
    sound = clicks(3.0, rate, (0.54, 1.0, 2.46))
    moved = bend_time(sound, rate, 0.0, np.array([0.5, 1.0, 2.5]), np.array([0.04, 0.0, -0.04]))
    onsets = np.flatnonzero((moved[1:, 0] > 0.1) & (moved[:-1, 0] <= 0.1)) / rate
    assert np.abs(onsets - (0.5, 1.0, 2.5)).max() < 0.02
    wild = bend_time(sound, rate, 0.0, np.array([1.0, 1.1]), np.array([5.0, -5.0]))
    assert np.isfinite(wild).all()


def test_a_finer_place_lies_between_bins() -> None:
    places = np.arange(97)
    for true in (3.0, 48.3, 90.7):
        assert abs(refine_peak(-0.5 * ((places - true) / 1.2) ** 2) - true) < 0.15


def test_frames_of_any_rate_become_24_a_second() -> None:
    frames = np.arange(8, dtype=np.uint8)[:, None, None, None].repeat(20, 1).repeat(28, 2).repeat(3, 3) * 20
    for rate, count in ((8.0, 24), (24.0, 8), (60.0, 3)):
        assert shrink_frames(frames, rate, 16).shape == (count, 3, 16, 16)
    slow = shrink_frames(frames, 8.0, 16).mean(dim=(1, 2, 3))
    assert torch.equal(slow[0], slow[2])
    assert slow[3] > slow[2]


def test_a_report_of_any_clip_is_sound() -> None:
    model = checker()
    for frames, rate in ((24, 24.0), (9, 10.0), (160, 30.0)):
        sound = clicks(frames / rate, 16_000, (0.3, 0.6))
        report = model.check(clip(frames), rate, sound[:, 0], 16_000)
        assert -0.5 <= report.offset_s <= 0.5
        assert 0 <= report.confidence <= 1
        assert report.probabilities.sum() == pytest.approx(1, abs=1e-3)
        assert report.offsets_s.shape == report.probabilities.shape
        assert report.attention.ndim == 2
        moved, again = model.align(clip(frames), rate, sound, 16_000)
        assert moved.shape == sound.shape
        assert again.offset_s == pytest.approx(report.offset_s, abs=0.02)
    untouched, _ = model.align(clip(), 24.0, clicks(1, 16_000, (0.3,)), 16_000, least_confidence=1.1)
    assert np.array_equal(untouched, clicks(1, 16_000, (0.3,)))


@pytest.mark.parametrize("kind", ["ball", "lightning", "lighthouse"])
def test_the_shipped_network_finds_and_mends_what_is_late_or_early(kind: str) -> None:
    model = load_sync(recipe.WEIGHTS_FOLDER / SYNC_WEIGHTS)
    rng = np.random.default_rng([99, 1])
    scene = render(draw_spec(rng, kind), 96, 64, RATE)
    for late_s in (0.3, -0.2):
        sound = np.zeros((4 * EVENT_RATE, 2), np.float32)
        for event in scene.events:
            add_sound(sound, round((event.time_s + late_s) * EVENT_RATE), EVENT_SOUNDS[event.kind](rng), event.x, 0.4)
        moved, report = model.align(scene.frames, RATE, sound, EVENT_RATE)
        assert report.offset_s == pytest.approx(late_s, abs=1 / RATE)
        assert report.confidence > 0.5
        assert abs(model.check(scene.frames, RATE, moved, EVENT_RATE).offset_s) < 0.02


@pytest.mark.parametrize(
    ("frames", "rate", "sound", "sound_rate", "says"),
    [
        (clip(3), 24.0, clicks(1, 8000, (0.1,)), 8000, "shorter"),
        (clip(), 0.0, clicks(1, 8000, (0.1,)), 8000, "frames_per_second"),
        (clip(), 24.0, np.zeros((8000, 2), np.float32), 8000, "no sound"),
        (clip(), 24.0, np.zeros((0, 2), np.float32), 8000, "no sound"),
        (clip(), 24.0, np.full((8000, 2), np.nan, np.float32), 8000, "not numbers"),
        (clip(), 24.0, np.zeros((8000, 2), np.int16), 8000, "floating point"),
        (clip(), 24.0, clicks(1, 8000, (0.1,)), 10, "sample_rate"),
        (clip()[:, :, :, 0], 24.0, clicks(1, 8000, (0.1,)), 8000, "frames are"),
    ],
)
def test_bad_input_is_answered_with_a_sentence(
    frames: np.ndarray, rate: float, sound: np.ndarray, sound_rate: int, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        checker().check(frames, rate, sound, sound_rate)


def tiny_clips() -> list[EventClip]:
    """Grey clips in which a bright square appears at each event."""
    rng, clips = np.random.default_rng(3), []
    for _ in range(6):
        frames = np.full((FRAMES, CONFIG.size, CONFIG.size, 3), 40, np.uint8)
        moments = np.cumsum(rng.uniform(0.45, 0.9, 5))
        for moment in moments[moments < FRAMES / RATE]:
            first = int(np.ceil(moment * RATE))
            frames[first : first + 3, 4:12, 4:12] = 250
        clips.append(EventClip("tiles", frames, tuple(SceneEvent("beat", float(m), 1.0, 0.0) for m in moments)))
    return clips


def test_the_recipe_learns_resumes_and_exports(tmp_path: Path) -> None:
    bank = recipe.SoundBank(0, variants=2, texture_s=1.0)
    short = recipe.SyncPlan(steps=3, batch=4, seconds=(1.0,), warm_up=1, average=0.9)
    first = recipe.SyncTraining(tiny_clips(), bank, CONFIG, short, tmp_path)
    first.run(3, 3)
    longer = recipe.SyncPlan(steps=30, batch=6, seconds=(1.0,), warm_up=5, average=0.9, learning_rate=4e-3)
    training = recipe.SyncTraining(tiny_clips(), bank, CONFIG, longer, tmp_path)
    assert training.step == 3
    before = np.mean([training.train_step()["events"] for _ in range(3)])
    training.run(10, 20)
    after = np.mean([training.train_step()["events"] for _ in range(3)])
    assert after < 0.8 * before
    model = load_sync(recipe.export(tmp_path, tmp_path / "weights"))
    figures = recipe.measure(model, tiny_clips(), bank, seconds=2.0)
    assert figures["sync_clips"] >= 1
    assert 0 <= figures["sync_within_one_frame"] <= 1
    other = tmp_path / "other.safetensors"
    save_safetensors(other, {"a": torch.zeros(1)})
    with pytest.raises(ModelError, match="another kind"):
        load_sync(other)


def test_batches_are_true_to_their_shift(tmp_path: Path) -> None:
    bank = recipe.SoundBank(0, variants=1, texture_s=1.0)
    plan = recipe.SyncPlan(batch=6, seconds=(2.0,), strange=0.0, slow_frames=0.0)
    batch = recipe.SyncTraining(tiny_clips(), bank, CONFIG, plan, tmp_path).draw_batch()
    assert batch.frames.shape == (6, 48, 3, CONFIG.size, CONFIG.size)
    assert batch.mel.shape == (6, 48 * SUBFRAMES, 2 * CONFIG.mels)
    for row in range(6):
        shift = round(float(batch.shift[row]))
        seen, heard = batch.video_events[row], batch.audio_events[row]
        overlap = slice(max(0, shift), 192 + min(0, shift))
        moved = torch.zeros(192)
        moved[overlap] = seen[max(0, -shift) : 192 - max(0, shift)]
        assert (moved[overlap] - heard[overlap]).abs().max() < 0.5


def test_shards_are_fixed_by_their_number_and_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from training.video import sync_data

    monkeypatch.setattr(sync_data, "SHARD_CLIPS", 2)
    first = render_clips(3, {"ball": 1.0}, clips=1, frames=6)
    assert np.array_equal(first[0].frames, render_clips(3, {"ball": 1.0}, clips=1, frames=6)[0].frames)
    monkeypatch.setattr(sync_data, "render_clips", lambda number, kinds: render_clips(number, kinds, 2, 6))
    prepare(tmp_path, 1)
    stamp = (tmp_path / "shard_0.npz").stat().st_mtime_ns
    prepare(tmp_path, 1)
    assert (tmp_path / "shard_0.npz").stat().st_mtime_ns == stamp
    assert len(read_shards(tmp_path)) == 2
    with pytest.raises(ValueError, match="prepare"):
        read_shards(tmp_path, held_out=True)


def test_mel_frames_are_cut_or_continued() -> None:
    sound = torch.from_numpy(clicks(1.0, SOUND_RATE, (0.5,)).T.copy())[None]
    assert compute_mel(sound, 8, 96).shape == compute_mel(sound[:, :, :9000], 8, 96).shape == (1, 96, 16)
    loudest = int(compute_mel(sound, 8, 96)[0].mean(dim=1).argmax())
    assert abs(loudest - 48) <= 1
