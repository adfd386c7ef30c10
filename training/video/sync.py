"""Recipe of the synchronisation network: clips with events, sounds put to them, training, measuring, export.

    python -m training.video.sync prepare     # renders once; resumes
    python -m training.video.sync train       # resumes from its checkpoint
    python -m training.video.sync measure     # on held-out clips
    python -m training.video.sync export

Sounds are mixed anew each time a clip is drawn: event sounds of `models.video.sound_synthesis` at the exact times of
the scene's events (often those of another kind of event, so that timing is learned and not a dictionary), over
textures, in stereo or mono, coloured and with noise. Then the sound is shifted by up to half a second; some rows get
the sound of another clip, which no shift can mend.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from models.audio import resample
from models.video.scenes import SceneEvent
from models.video.sound_synthesis import EVENT_SOUNDS, LAYERS, RATE, add_sound
from models.video.sync import SOUND_RATE, SYNC_WEIGHTS, SyncChecker, compute_mel
from models.video.sync_network import MOMENT_RATE, SUBFRAMES, SyncConfig, SyncNetwork
from models.weights_io import save_safetensors
from training.loop import PlannedTraining
from training.video.sync_data import HELD_OUT_FROM, EventClip, prepare, read_shards
from training.video.sync_data import RATE as FRAME_RATE

WEIGHTS_FOLDER = Path(__file__).resolve().parents[2] / "models" / "weights"
MOST_SHIFT_S = 0.5
# what the sound's kind may be beside the one that fits
ANY_SOUND = tuple(EVENT_SOUNDS)


@dataclass(frozen=True)
class SyncPlan:
    """Numbers of the recipe."""

    steps: int = 1000
    batch: int = 16
    seconds: tuple[float, ...] = (2.0, 3.0)
    learning_rate: float = 2e-3
    last_learning_rate: float = 2e-5
    warm_up: int = 50
    average: float = 0.995
    strange: float = 0.2  # rows with the sound of another clip
    other_sound: float = 0.35
    mono: float = 0.2
    slow_frames: float = 0.3  # rows whose frames are held or mixed from 8 a second
    seed: int = 1


class SoundBank:
    """Event sounds and textures at SOUND_RATE, made once."""

    def __init__(self, seed: int, variants: int = 24, texture_s: float = 5.0) -> None:
        rng = np.random.default_rng([6, seed])

        def lower(sound: NDArray[np.floating]) -> NDArray[np.float32]:
            turned = np.ascontiguousarray(np.asarray(sound, np.float32).T)
            return np.ascontiguousarray(resample(turned, RATE, SOUND_RATE).T)

        self.events = {kind: [lower(make(rng)) for _ in range(variants)] for kind, make in EVENT_SOUNDS.items()}
        n = round(texture_s * RATE)
        self.textures = [lower(layer(n, rng)) for layer in LAYERS.values() for _ in range(max(1, variants // 12))]
        self.hiss = rng.standard_normal((round((texture_s + 1) * SOUND_RATE), 2), dtype=np.float32)

    def mix(
        self,
        events: tuple[SceneEvent, ...],
        start_s: float,
        length_s: float,
        rng: np.random.Generator,
        other_sound: float,
    ) -> NDArray[np.float32]:
        """Mix the sound of a stretch of a clip, (N, 2)."""
        n = round(length_s * SOUND_RATE)
        track = np.zeros((n, 2), np.float32)
        swap = str(rng.choice(ANY_SOUND)) if rng.random() < other_sound else ""
        fixed = int(rng.integers(1000)) if rng.random() < 0.5 else -1  # one sound throughout, or each its own
        for event in events:
            choices = self.events[swap or event.kind]
            sound = choices[fixed % len(choices) if fixed >= 0 else int(rng.integers(len(choices)))]
            gain = (0.25 + 0.75 * event.strength) * rng.uniform(0.7, 1.3)
            add_sound(track, round((event.time_s - start_s) * SOUND_RATE), sound, 0.8 * event.x, gain)
        for _ in range(int(rng.integers(0, 3))):
            bed = _cut_stretch(self.textures[int(rng.integers(len(self.textures)))], n, rng)
            track[: len(bed)] += np.float32(10 ** (rng.uniform(-30, 2) / 20)) * bed
        hiss = _cut_stretch(self.hiss, n, rng)
        track[: len(hiss)] += np.float32(10 ** (rng.uniform(-90, -45) / 20)) * hiss
        return track


def _cut_stretch(sound: NDArray[np.float32], n: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Cut `n` samples from somewhere in a sound, or return all of it."""
    first = int(rng.integers(max(1, len(sound) - n)))
    return sound[first : first + n]


@dataclass
class SyncBatch:
    """One batch; letters as in `sync_network`."""

    frames: Tensor
    mel: Tensor
    shift: Tensor  # (B,) moments that the sound is late, with fractions
    belongs: Tensor  # bool (B,)
    video_events: Tensor  # (B, T) in [0, 1]
    audio_events: Tensor
    video_x: Tensor
    audio_x: Tensor
    weight: Tensor  # (B,) 0 where nothing happens that could be compared


def mark_events(events: tuple[SceneEvent, ...], shift_s: float, start_s: float, moments: int) -> tuple[Tensor, Tensor]:
    """Make soft marks of events at each moment (T,), and of where in the picture they are (T,)."""
    clock = np.arange(moments) / MOMENT_RATE
    marks, x = np.zeros(moments), np.zeros(moments)
    for event in events:
        bump = np.exp(-0.5 * ((clock - (event.time_s - start_s + shift_s)) * MOMENT_RATE / 1.2) ** 2)
        x = np.where(bump > marks, event.x, x)
        marks = np.maximum(marks, bump)
    return torch.from_numpy(marks).float(), torch.from_numpy(x).float()


class SyncTraining(PlannedTraining[SyncNetwork]):
    """Random stretches of clips with sounds mixed anew."""

    def __init__(
        self, clips: list[EventClip], bank: SoundBank, config: SyncConfig, plan: SyncPlan, folder: Path
    ) -> None:
        self.plan, self.clips, self.bank = plan, clips, bank
        torch.manual_seed(plan.seed)
        network = SyncNetwork(config)
        optimizer = torch.optim.AdamW(network.parameters(), lr=plan.learning_rate, weight_decay=0.01)
        super().__init__(network, config, optimizer, folder / "checkpoint.pt")
        self.rng = np.random.default_rng([plan.seed, self.seed_draws(0)])

    def draw_batch(self) -> SyncBatch:
        """Draw stretches that begin half a second into the clip at least: the shifted sound never ends early."""
        plan, rng = self.plan, self.rng
        seconds = float(rng.choice(plan.seconds))
        frames, moments = round(seconds * FRAME_RATE), round(seconds * MOMENT_RATE)
        rows: list[tuple[Tensor, ...]] = []
        sounds, looks = [], []
        for _ in range(plan.batch):
            clip = self.clips[int(rng.integers(len(self.clips)))]
            latest = len(clip.frames) - frames - round(MOST_SHIFT_S * FRAME_RATE)
            first = int(rng.integers(round(MOST_SHIFT_S * FRAME_RATE), max(latest, 0) + round(0.5 * FRAME_RATE) + 1))
            first = min(first, len(clip.frames) - frames)
            start_s = first / FRAME_RATE
            look = FrameVariation.draw(plan.slow_frames, rng)
            events = look.mirror_places(clip.events)
            looks.append((look, clip.frames[first : first + frames]))
            shift_s = float(rng.uniform(-MOST_SHIFT_S, MOST_SHIFT_S))
            belongs = rng.random() >= plan.strange
            heard = events if belongs else self.clips[int(rng.integers(len(self.clips)))].events
            sound = self.bank.mix(heard, start_s - shift_s, seconds, rng, plan.other_sound)
            sounds.append(degrade_sound(sound, shift_s, plan.mono, rng))
            seen = [e for e in events if start_s + 0.05 < e.time_s < start_s + seconds - 0.05]
            both = [e for e in seen if 0.02 < e.time_s - start_s + shift_s < seconds - 0.1]
            marks = (*mark_events(events, 0.0, start_s, moments), *mark_events(heard, shift_s, start_s, moments))
            facts = torch.tensor([shift_s * MOMENT_RATE, float(belongs), float(bool(both) and belongs)])
            rows.append((facts, *marks))
        facts, seen_marks, seen_x, heard_marks, heard_x = (torch.stack([row[i] for row in rows]) for i in range(5))
        mel = compute_mel(torch.from_numpy(np.stack(sounds)).transpose(1, 2), self.config.mels, moments)
        mel = equalise(mel, self.config.mels, rng)
        return SyncBatch(
            frames=vary_frames(looks, rng), mel=mel, shift=facts[:, 0], belongs=facts[:, 1] > 0, weight=facts[:, 2],
            video_events=seen_marks, video_x=seen_x, audio_events=heard_marks, audio_x=heard_x,
        )  # fmt: skip

    def train_step(self) -> dict[str, float]:
        """Take one step."""
        batch = self.draw_batch()
        out = self.model(batch.frames, batch.mel)
        reach = self.config.reach
        places = torch.arange(-reach, reach + 1)
        target = F.softmax(-0.5 * ((places - batch.shift[:, None]) / 1.0) ** 2, dim=1)
        sync = -(target * out.offsets.log_softmax(dim=1)).sum(dim=1)
        sync_loss = (sync * batch.weight).sum() / batch.weight.sum().clamp(min=1)
        has = batch.weight + (~batch.belongs)
        match = F.binary_cross_entropy_with_logits(out.matched, batch.belongs.float(), reduction="none")
        match_loss = (match * has).sum() / has.sum().clamp(min=1)
        sides = (
            (out.video_events, batch.video_events, out.video_x, batch.video_x),
            (out.audio_events, batch.audio_events, out.audio_x, batch.audio_x),
        )
        events, where = torch.zeros(()), torch.zeros(())
        for logits, marks, x, true_x in sides:
            events = events + F.binary_cross_entropy_with_logits(logits, marks, pos_weight=torch.tensor(4.0))
            where = where + (marks * (x - true_x).square()).sum() / marks.sum().clamp(min=1)
        self.descend(sync_loss + 0.3 * match_loss + 2.0 * events + 0.3 * where, 2.0)
        with torch.no_grad():
            missed = (out.offsets.argmax(dim=1) - reach - batch.shift).abs()
            within = ((missed <= SUBFRAMES).float() * batch.weight).sum() / batch.weight.sum().clamp(min=1)
        return {
            "sync": float(sync_loss.detach()),
            "match": float(match_loss.detach()),
            "events": float(events.detach()),
            "where": float(where.detach()),
            "within": float(within),
        }


@dataclass(frozen=True)
class FrameVariation:
    """A way to show a stretch: every frame or frames made from 8 a second (held or mixed), mirrored, other colours."""

    slow: bool
    mixed: bool
    mirrored: bool
    channels: tuple[int, int, int]
    gain: float
    offset: float
    grain: float

    @classmethod
    def draw(cls, slow_frames: float, rng: np.random.Generator) -> FrameVariation:
        """Draw a random one."""
        order = rng.permutation(3)
        grain = rng.uniform(0, 0.08) if rng.random() < 0.4 else 0.0
        return cls(
            slow=bool(rng.random() < slow_frames),
            mixed=bool(rng.random() < 0.7),
            mirrored=bool(rng.random() < 0.5),
            channels=(int(order[0]), int(order[1]), int(order[2])),
            gain=float(rng.uniform(0.6, 1.2)),
            offset=float(rng.normal(0, 0.12)),
            grain=float(grain),
        )

    def mirror_places(self, events: tuple[SceneEvent, ...]) -> tuple[SceneEvent, ...]:
        """Return the events, mirrored with the picture."""
        return tuple(SceneEvent(e.kind, e.time_s, e.strength, -e.x) for e in events) if self.mirrored else events


def vary_frames(looks: list[tuple[FrameVariation, NDArray[np.uint8]]], rng: np.random.Generator) -> Tensor:
    """Vary stretches uint8 (F, S, S, 3), each in its own way: (B, F, 3, S, S) in about [-1, 1]."""
    count = len(looks[0][1])
    every = np.arange(count)
    held = every // 3 * 3
    following = np.minimum(held + 3, (count - 1) // 3 * 3)
    share = torch.from_numpy((every % 3 / 3).astype(np.float32)).view(-1, 1, 1, 1)
    noise = torch.from_numpy(rng.standard_normal(looks[0][1].shape, dtype=np.float32)).permute(0, 3, 1, 2)
    rows = []
    for look, frames in looks:
        pixels = torch.from_numpy(frames[:, :, ::-1].copy() if look.mirrored else frames)
        pixels = pixels[..., list(look.channels)].permute(0, 3, 1, 2).float()
        if look.slow:
            first = pixels[held]
            pixels = first + (pixels[following] - first) * share if look.mixed else first
        picture = pixels * (look.gain / 127.5) + (look.offset - look.gain)
        rows.append(torch.add(picture, noise.roll(int(rng.integers(count)), 0), alpha=look.grain))
    return torch.stack(rows)


def degrade_sound(
    sound: NDArray[np.float32], shift_s: float, mono: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Make sound mono now and then, silent where a moved sound has an end now and then, and vary its level."""
    if rng.random() < mono:
        sound = sound.mean(axis=1, keepdims=True).repeat(2, axis=1)
    if rng.random() < 0.3:
        gap = round(abs(shift_s) * SOUND_RATE)
        sound = sound.copy()
        if shift_s > 0:
            sound[:gap] = 0
        else:
            sound[len(sound) - gap :] = 0
    return sound * np.float32(0.7 * 10 ** (rng.uniform(-10, 0) / 20) / max(float(np.abs(sound).max()), 1e-4))


def equalise(mel: Tensor, mels: int, rng: np.random.Generator) -> Tensor:
    """Apply another equaliser to each row of (B, T, 2 * mels)."""
    knots = torch.from_numpy(rng.normal(0, 0.35, (len(mel), 1, 5))).float()
    curve = F.interpolate(knots, size=mels, mode="linear", align_corners=True)
    return mel + curve.repeat(1, 1, 2)


# ---- measuring


def draw_held_out_case(
    clip: EventClip, bank: SoundBank, seconds: float, shift_s: float, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]] | None:
    """Draw a stretch of a clip and its sound, late by `shift_s`; None where no event is both seen and heard."""
    first = round(MOST_SHIFT_S * FRAME_RATE)
    count, start_s = round(seconds * FRAME_RATE), first / FRAME_RATE
    kept = [
        e
        for e in clip.events
        if 0.1 < e.time_s - start_s < seconds - 0.1 and 0.02 < e.time_s - start_s + shift_s < seconds - 0.1
    ]
    if not kept:
        return None
    sound = bank.mix(clip.events, start_s - shift_s, seconds, rng, other_sound=0.0)
    return clip.frames[first : first + count], sound


def measure(checker: SyncChecker, clips: list[EventClip], bank: SoundBank, seconds: float = 3.0) -> dict[str, float]:
    """Shift each clip's sound by a random offset within half a second and find it.

    Returns:
        The share of offsets found within one frame, the mean absolute offset in ms that is left when the sound is
        moved by what was found (against the truth, failures included), the mean confidence, that of foreign sounds, and
        how many clips there were.
    """
    rng = np.random.default_rng(11)
    missed, confidence, strange = [], [], []
    last: NDArray[np.float32] | None = None
    for clip in clips:
        shift_s = float(rng.uniform(-MOST_SHIFT_S, MOST_SHIFT_S))
        case = draw_held_out_case(clip, bank, seconds, shift_s, rng)
        if case is None:
            continue
        frames, sound = case
        report = checker.check(frames, FRAME_RATE, sound, SOUND_RATE)
        missed.append(abs(report.offset_s - shift_s))
        confidence.append(report.confidence)
        if last is not None and len(last) == len(sound):
            strange.append(checker.check(frames, FRAME_RATE, last, SOUND_RATE).confidence)
        last = sound
    return {
        "sync_within_one_frame": float(np.mean(np.array(missed) <= 1 / FRAME_RATE)),
        "aligned_offset_ms": 1000 * float(np.mean(missed)),
        "aligned_offset_median_ms": 1000 * float(np.median(missed)),
        "confidence": float(np.mean(confidence)),
        "confidence_strange": float(np.mean(strange)) if strange else 0.0,
        "sync_clips": float(len(missed)),
    }


def load_average(folder: Path) -> SyncNetwork:
    """Load the averaged network of a folder's checkpoint."""
    state = torch.load(folder / "checkpoint.pt", weights_only=True)
    network = SyncNetwork(SyncConfig.from_dict(state["config"]))
    network.load_state_dict(state["average"])
    return network.eval()


def export(folder: Path, target: Path) -> Path:
    """Write the averaged weights as the studio ships them."""
    network = load_average(folder)
    path = target / SYNC_WEIGHTS
    save_safetensors(path, network.state_dict(), {"config": json.dumps(network.config.to_dict())})
    return path


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("prepare", "train", "measure", "export"))
    parser.add_argument("--folder", type=Path, default=Path(".runs/sync"))
    parser.add_argument("--shards", type=int, default=30)
    parser.add_argument("--held-out-shards", type=int, default=6)
    parser.add_argument("--steps", type=int, default=SyncPlan.steps)
    options = parser.parse_args()
    if options.action == "prepare":
        prepare(options.folder, options.held_out_shards, HELD_OUT_FROM)
        prepare(options.folder, options.shards)
    elif options.action == "train":
        torch.set_flush_denormal(True)
        plan = SyncPlan(steps=options.steps)
        clips = read_shards(options.folder)
        SyncTraining(clips, SoundBank(1), SyncConfig(), plan, options.folder).run(log_every=20, save_every=100)
    elif options.action == "measure":
        checker, clips = SyncChecker(load_average(options.folder)), read_shards(options.folder, held_out=True)
        for seconds in (2.0, 3.0):
            print(json.dumps({"seconds": seconds, **measure(checker, clips, SoundBank(2), seconds)}))
    else:
        print(export(options.folder, WEIGHTS_FOLDER))


if __name__ == "__main__":
    main()
