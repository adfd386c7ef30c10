"""Data of the synchronisation network: scenes at 24 frames a second with the exact times of their events.

Rendered once into numbered shards; a shard is fixed by its number, so that the work can be broken off and taken up.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.video.scenes import SceneEvent, draw_spec, render

RATE = 24.0  # frames a second
SIZE = 40  # rows and columns
FRAMES = 96  # of a rendered clip: 4 s
SHARD_CLIPS = 40
HELD_OUT_FROM = 1_000_000  # number of the first shard that no training sees
# How often each kind is rendered. Tiles beat evenly with nothing to tell one beat from the next, so that every whole
# beat of offset fits equally well: they are trained on, not tested on.
SHARES = {
    "ball": 0.24,
    "fireworks": 0.12,
    "lightning": 0.14,
    "lighthouse": 0.12,
    "ripples": 0.17,
    "meteors": 0.14,
    "tiles": 0.07,
}
TESTED = tuple(kind for kind in SHARES if kind != "tiles")


@dataclass(frozen=True)
class EventClip:
    """A silent clip and its events.

    Attributes:
        frames: uint8 (F, SIZE, SIZE, 3) at RATE.
    """

    kind: str
    frames: NDArray[np.uint8]
    events: tuple[SceneEvent, ...]


def render_clips(
    number: int, kinds: dict[str, float], clips: int = SHARD_CLIPS, frames: int = FRAMES
) -> list[EventClip]:
    """Render the clips of shard `number`."""
    rng = np.random.default_rng([4, number])
    names, shares = list(kinds), np.array(list(kinds.values()))
    made = []
    for _ in range(clips):
        kind = names[int(rng.choice(len(names), p=shares / shares.sum()))]
        clip = render(draw_spec(rng, kind), frames, SIZE, RATE)
        made.append(EventClip(kind, clip.frames, clip.events))
    return made


def prepare(folder: Path, shards: int, first: int = 0) -> None:
    """Render the shards that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    kinds = SHARES if first < HELD_OUT_FROM else dict.fromkeys(TESTED, 1.0)
    for number in range(first, first + shards):
        path = folder / f"shard_{number}.npz"
        if path.exists():
            continue
        clips = render_clips(number, kinds)
        notes = [{"kind": clip.kind, "events": [asdict(event) for event in clip.events]} for clip in clips]
        part = path.with_suffix(".part.npz")
        np.savez_compressed(part, frames=np.stack([clip.frames for clip in clips]), notes=json.dumps(notes))
        part.replace(path)
        print(path, flush=True)


def read_shards(folder: Path, held_out: bool = False) -> list[EventClip]:
    """Read all clips of a folder, training or held out.

    Raises:
        ValueError: there are none.
    """
    clips = []
    for path in sorted(folder.glob("shard_*.npz")):
        number = path.stem.split("_")[1]
        if not number.isdigit() or (int(number) >= HELD_OUT_FROM) != held_out:
            continue
        with np.load(path) as shard:
            for frames, note in zip(shard["frames"], json.loads(str(shard["notes"])), strict=True):
                clips.append(EventClip(note["kind"], frames, tuple(SceneEvent(**event) for event in note["events"])))
    if not clips:
        raise ValueError(f"{folder} holds no rendered clips; run `prepare` first.")
    return clips
