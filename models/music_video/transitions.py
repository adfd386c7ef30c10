"""How one shot becomes the next: cut, whip, zoom, dissolve and flash, each around the frame of the cut.

Letters: H and W height and width of a frame in pixels.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.music_video.contracts import MusicVideoRequest
from models.music_video.plan import MusicVideoPlan, is_lively
from models.music_video.templates import TEMPLATES

Pixels = NDArray[np.uint8]

LENGTHS = {
    "cut": (0, 0),
    "whip": (3, 4),
    "zoom": (4, 5),
    "dissolve": (9, 9),
    "flash": (0, 7),
}  # frames before and after
OF_BOTH = {"whip", "dissolve"}  # kinds in which both shots are seen
MOST_OF_A_SHOT = 0.3
WHIP_BLUR = 1 / 14  # of the frame's width, at the fastest
ZOOM_OUT, ZOOM_IN = 0.7, 0.5
FLASH = 0.85


@dataclass(frozen=True)
class Transition:
    """From one shot to the next: frames from `start` on, before `end`; the cut itself lies at `cut`."""

    kind: str
    start: int
    cut: int
    end: int
    turn: int = 1

    def find_share(self, frame: int) -> float:
        """Return how much of it has passed at the middle of a frame, 0.5 at the cut, in (0, 1)."""
        if frame < self.cut:
            return 0.5 * (frame + 0.5 - self.start) / (self.cut - self.start)
        return 0.5 + 0.5 * (frame + 0.5 - self.cut) / (self.end - self.cut)


def choose_transitions(request: MusicVideoRequest, plan: MusicVideoPlan) -> dict[int, Transition]:
    """Choose what leads into each shot, by its number, where it is more than a cut.

    The template decides by whether the section is lively, and whether it begins there.
    """
    if not request.template:
        return {}
    template = TEMPLATES[request.template]
    found: dict[int, Transition] = {}
    for number in range(1, len(plan.shots)):
        before, shot = plan.shots[number - 1], plan.shots[number]
        kinds = template.lively if is_lively(request, shot) else template.calm
        kind = random.Random(f"transition {shot.seed} {shot.take}").choice(kinds)
        kind = template.turn if shot.section != before.section else kind
        reach = [
            min(length, int(MOST_OF_A_SHOT * (each.end - each.start)))
            for length, each in zip(LENGTHS[kind], (before, shot), strict=True)
        ]
        if any(reach):
            turn = 1 if shot.seed % 2 else -1
            found[number] = Transition(kind, shot.start - reach[0], shot.start, shot.start + reach[1], turn)
    return found


def find_transition(found: dict[int, Transition], number: int, frame: int) -> tuple[int, Transition] | None:
    """Return the transition in which a frame of a shot lies, with the number of the shot that it leads to."""
    for each in (number, number + 1):
        transition = found.get(each)
        if transition is not None and transition.start <= frame < transition.end:
            return each, transition
    return None


def blend(transition: Transition, frame: int, parts: list[Pixels]) -> Pixels:
    """Draw a frame of a transition from both shots, or from the one that is seen, uint8 (H, W, 3)."""
    import cv2

    share, picture = transition.find_share(frame), parts[-1]
    drawn: Any = picture
    if transition.kind == "dissolve":
        way = share * share * (3 - 2 * share)
        drawn = cv2.addWeighted(parts[0], 1 - way, parts[1], way, 0)
    elif transition.kind == "whip":
        drawn = _whip(share, parts[0], parts[1], transition.turn)
    elif transition.kind == "flash":
        light = FLASH * (2 - 2 * share) ** 2 if share >= 0.5 else 0.0
        drawn = cv2.convertScaleAbs(picture, alpha=1 - light, beta=255 * light)
    elif transition.kind == "zoom":
        near = ZOOM_OUT * (2 * share) ** 3 if share < 0.5 else ZOOM_IN * (2 - 2 * share) ** 2
        height, width = picture.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), 0, 1 + near)
        drawn = cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_LINEAR)
    return np.asarray(drawn)


def _whip(share: float, before: Pixels, after: Pixels, turn: int) -> Pixels:
    """Slide one picture out and the next in, the faster the more smeared."""
    import cv2

    width = before.shape[1]
    at = round(width * share * share * (3 - 2 * share))
    first, second = (before, after) if turn > 0 else (after, before)
    at = at if turn > 0 else width - at
    slid = np.concatenate([first[:, at:], second[:, :at]], axis=1)
    smear = 1 + 2 * round(width * WHIP_BLUR * 2 * share * (1 - share))
    return np.asarray(cv2.blur(slid, (smear, 1)), dtype=np.uint8)
