"""The procedural world: captioned clips without end, rendered from a small specification.

spec = draw_spec(np.random.default_rng(7))
clip = render(spec)                        # 16 frames of 64 x 64, uint8, and the times of its events
clip = render(spec, frames=48, size=256)   # the same scene, longer and larger
text = write_caption(spec, np.random.default_rng(0))
"""

from __future__ import annotations

import numpy as np

from models.video.scene_spec import (
    DEFAULT_FRAMES,
    DEFAULT_SIZE,
    FRAMES_PER_SECOND,
    MAX_FRAMES,
    MAX_RATE,
    SIZES,
    SPEEDS,
    SceneClip,
    SceneEvent,
    SceneSpec,
)
from models.video.scene_words import KIND_NAMES
from models.video.scenes import abstract, nature, night, water  # noqa: F401  (they register their kinds)
from models.video.scenes.canvas import SceneView, Stage
from models.video.scenes.captions import write_caption
from models.video.scenes.registry import KINDS

if tuple(KINDS) != KIND_NAMES:
    raise RuntimeError("The scenes are not registered in the order of the weights.")

__all__ = ["KINDS", "SceneClip", "SceneEvent", "SceneSpec", "SceneView", "draw_spec", "film", "render", "write_caption"]


def draw_spec(rng: np.random.Generator, kind: str | None = None) -> SceneSpec:
    """Draw a specification evenly over kinds, then over what the kind can show; many cameras are still."""
    chosen = KINDS[kind] if kind else KINDS[list(KINDS)[int(rng.integers(len(KINDS)))]]

    def pick(values: tuple[str, ...]) -> str:
        return values[int(rng.integers(len(values)))]

    camera = "still" if rng.random() < 0.4 else pick(chosen.cameras)
    return SceneSpec(
        kind=chosen.name,
        colour=pick(chosen.colours),
        time_of_day=pick(chosen.times),
        direction=pick(chosen.directions),
        speed=pick(tuple(SPEEDS)),
        camera=camera if camera in chosen.cameras else chosen.cameras[0],
        seed=int(rng.integers(2**31)),
    )


def check_spec(spec: SceneSpec, view: SceneView) -> None:
    """Raise ValueError unless the scene can be drawn so."""
    if spec.kind not in KINDS:
        raise ValueError(f"kind is {spec.kind!r}; it must be one of {', '.join(KINDS)}.")
    kind = KINDS[spec.kind]
    for name, allowed in (
        ("colour", kind.colours),
        ("time_of_day", kind.times),
        ("direction", kind.directions),
        ("speed", tuple(SPEEDS)),
        ("camera", kind.cameras),
    ):
        value = getattr(spec, name)
        if value not in allowed:
            raise ValueError(f"{name} of {spec.kind} is {value!r}; it must be one of {', '.join(map(repr, allowed))}.")
    if not 1 <= view.frames <= MAX_FRAMES:
        raise ValueError(f"frames is {view.frames}; it must be from 1 to {MAX_FRAMES}.")
    for size in view.shape:
        if not SIZES[0] <= size <= SIZES[1]:
            raise ValueError(f"size is {size}; it must be from {SIZES[0]} to {SIZES[1]} pixels.")
    if not 0 < view.frames_per_second <= MAX_RATE:
        raise ValueError(f"frames_per_second is {view.frames_per_second}; it must be above 0 and at most {MAX_RATE:g}.")


def render(
    spec: SceneSpec,
    frames: int = DEFAULT_FRAMES,
    size: int = DEFAULT_SIZE,
    frames_per_second: float = FRAMES_PER_SECOND,
) -> SceneClip:
    """Draw a scene.

    Args:
        frames: how many.
        size: width and height in pixels; the scene is the same at every size.
        frames_per_second: 3 times as many frames at 3 times the rate show the same clip in finer steps.

    Raises:
        ValueError: the kind cannot show what the specification asks for, or too many frames or pixels.
    """
    return film(spec, SceneView(frames, (size, size), frames_per_second))


def film(spec: SceneSpec, view: SceneView) -> SceneClip:
    """Draw a scene as a view shows it: a part of a longer clip, or a picture that is no square.

    Raises:
        ValueError: as `render`.
    """
    check_spec(spec, view)
    stage = Stage(spec, view)
    KINDS[spec.kind].draw(stage)
    events = tuple(sorted(stage.events, key=lambda event: event.time_s))
    return SceneClip(spec, stage.finish(), events, view.frames_per_second)
