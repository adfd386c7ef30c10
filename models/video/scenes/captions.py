"""Captions: what a person might type for a scene, in many wordings.

A caption is told by its parts: opening, subject with its colour, direction, speed, time of day, camera. Parts are left
out at random and come in random order after the subject, so that the model learns to fill in what is not said.
"""

from __future__ import annotations

import numpy as np

from models.video.scene_spec import SceneSpec
from models.video.scene_words import (
    CAMERA_WORDS,
    COLOUR_WORDS,
    DIRECTION_WORDS,
    OPENINGS,
    SPEED_WORDS,
    SUBJECTS,
    SUN_SUBJECTS,
    TIME_WORDS,
    Wordings,
    tidy,
)

SAID = {"colour": 0.92, "direction": 0.7, "speed": 0.6, "time": 0.85, "camera": 0.5}


def write_caption(
    spec: SceneSpec, rng: np.random.Generator, held_out: bool = False, said: dict[str, float] | None = None
) -> str:
    """Write one caption of a scene.

    Args:
        held_out: use only wordings that no training caption uses (for testing).
        said: chances that colour, direction, speed, time and camera are told; SAID by default.
    """
    chances = SAID if said is None else {**SAID, **said}

    def word(wordings: Wordings) -> str:
        choices = wordings[1 if held_out else 0]
        return choices[int(rng.integers(len(choices)))]

    def told(part: str) -> bool:
        return bool(rng.random() < chances[part])

    sun = spec.kind == "sunrise" and spec.direction in SUN_SUBJECTS and told("direction")
    subject = word(SUN_SUBJECTS[spec.direction] if sun else SUBJECTS[spec.kind])
    subject = subject.replace("{c}", word(COLOUR_WORDS[spec.colour]) if told("colour") else "")
    parts = []
    if told("direction") and spec.kind != "sunrise":
        motion = word(DIRECTION_WORDS[spec.direction])
        speed = word(SPEED_WORDS[spec.speed]) if told("speed") else ""
        parts.append(f"{speed} {motion}" if rng.random() < 0.5 else f"{motion} {speed}")
    elif told("speed"):
        parts.append(word(SPEED_WORDS[spec.speed]))
    if told("time"):
        parts.append(word(TIME_WORDS[spec.time_of_day]))
    if told("camera"):
        camera = word(CAMERA_WORDS[spec.camera])
        parts.append(f", {camera}" if camera else "")
    order = rng.permutation(len(parts))
    text = word(OPENINGS) + " ".join([subject, *(parts[index] for index in order)])
    return tidy(text)
