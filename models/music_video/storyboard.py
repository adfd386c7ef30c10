"""The storyboard: the shots of a music video in order, each as long as some beats of its song, as plain JSON.

    {"seed": 7, "shots": [{"beats": 8, "source": "beach.jpg", "motion": "closer", "seed": 3}, {"beats": 4, "take": 1}]}

What a shot leaves out is as of `StoryShot`. The JSON passes between the page, programs, recipes and project files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from models.contracts import MAX_PROMPT_CHARACTERS, MAX_SEED

MOTIONS = ("auto", "still", "closer", "away", "left", "right", "up", "down")
UNPAINTED = "none"
MAX_SHOTS = 600
MAX_BEATS = 4_000
MAX_NAME_CHARACTERS = 300
MAX_STORYBOARD_CHARACTERS = 400_000
UNREADABLE = "The storyboard cannot be read; it must be the JSON that the studio gives."


@dataclass(frozen=True)
class StoryShot:
    """One shot of a storyboard.

    Args:
        beats: how long it is, at least 1.
        source: the name of one of the person's photos and clips; "" is what the scene gives: the video model's picture
            or the drawing by rule.
        motion: one of MOTIONS; "auto" leaves the camera to `seed`.
        prompt: what the video model draws; "" leaves it to the looks of the request.
        take: which of the model's clips, or which stretch of a clip, counted from 0.
        seed: fixes the moves of the camera.
        style: the name of a style in which it is painted; "" is that of the whole video, UNPAINTED is none.
        locked: whether it stays as it is when the others are arranged anew.

    Raises:
        ValueError: names the value and what is allowed.
    """

    beats: int
    source: str = ""
    motion: str = "auto"
    prompt: str = ""
    take: int = 0
    seed: int = 0
    style: str = ""
    locked: bool = False

    def __post_init__(self) -> None:
        _check_whole("beats", self.beats, 1, MAX_BEATS)
        _check_whole("take", self.take, 0, MAX_SEED)
        _check_whole("seed", self.seed, 0, MAX_SEED)
        for name, most in (
            ("source", MAX_NAME_CHARACTERS),
            ("prompt", MAX_PROMPT_CHARACTERS),
            ("style", MAX_NAME_CHARACTERS),
        ):
            if not isinstance(getattr(self, name), str) or len(getattr(self, name)) > most:
                raise ValueError(f"the {name} of a shot must be text of at most {most} characters.")
        if self.motion not in MOTIONS:
            raise ValueError(f"the motion of a shot is {self.motion!r}; it must be one of {', '.join(MOTIONS)}.")
        if not isinstance(self.locked, bool):
            raise ValueError("a shot is either locked or not: true or false.")


@dataclass(frozen=True)
class Storyboard:
    """All shots of a video.

    Args:
        shots: in order.
        seed: of what the video model draws.

    Raises:
        ValueError: there is no shot, or there are more than MAX_SHOTS.
    """

    shots: tuple[StoryShot, ...]
    seed: int = 0

    def __post_init__(self) -> None:
        _check_whole("seed", self.seed, 0, MAX_SEED)
        if not 1 <= len(self.shots) <= MAX_SHOTS:
            raise ValueError(f"the storyboard has {len(self.shots)} shots; from 1 to {MAX_SHOTS} work.")

    def to_json(self) -> str:
        """Write it; what is as usual is left out."""
        usual = {field.name: field.default for field in fields(StoryShot)}
        shots = [
            {name: getattr(shot, name) for name in usual if getattr(shot, name) != usual[name]} for shot in self.shots
        ]
        return json.dumps({"seed": self.seed, "shots": shots}, ensure_ascii=False, separators=(",", ":"))


def read_storyboard(text: str) -> Storyboard | None:
    """Read a storyboard from JSON; "" is none.

    Raises:
        ValueError: says what is wrong.
    """
    if not text.strip():
        return None
    try:
        told = json.loads(text) if len(text) <= MAX_STORYBOARD_CHARACTERS else None
    except (ValueError, RecursionError) as error:
        raise ValueError(UNREADABLE) from error
    board: dict[str, Any] = told if isinstance(told, dict) else {}
    shots = board.get("shots")
    if not isinstance(shots, list) or not all(isinstance(each, Mapping) for each in shots):
        raise ValueError(UNREADABLE)
    known = {field.name for field in fields(StoryShot)}
    found = []
    for number, shot in enumerate(shots, 1):
        unknown = sorted(set(map(str, shot)) - known)
        if unknown:
            raise ValueError(f"Shot {number} of the storyboard has {unknown[0]!r}, which is not known.")
        try:
            values: dict[str, Any] = {"beats": 0, **shot}
            found.append(StoryShot(**values))
        except ValueError as error:
            raise ValueError(f"Shot {number} of the storyboard: {error}") from error
    return Storyboard(tuple(found), board.get("seed", 0))


def name_media(paths: Sequence[Path]) -> tuple[str, ...]:
    """Return the names by which a storyboard knows photos and clips; of equal names the later ones are numbered."""
    names: list[str] = []
    for path in paths:
        name, number = path.name, 1
        while name in names:
            number += 1
            name = f"{path.stem} ({number}){path.suffix}"
        names.append(name)
    return tuple(names)


def _check_whole(name: str, value: Any, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} is {value!r}; it must be a whole number from {low} to {high}.")
