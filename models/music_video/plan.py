"""Which shot is seen when: a storyboard laid over the beats of a song, accents on beats, all counted in frames.

Whatever happens on a beat happens in the frame nearest to it, so picture and beat are at most half a frame apart
(21 ms), and never drift: frame k is shown at k / FRAME_RATE whatever was drawn before.

The storyboard is the person's, or arranged here. A shot depends on its own card alone, so that one that is changed
leaves the others as they are.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.beats.network import FRAME_RATE as CURVE_RATE
from models.music_video.contracts import DRAWN_BY_RULE, FRAME_RATE, MAX_KEY_CLIPS, MusicVideoRequest
from models.music_video.cutting import (
    FEW_BEATS,
    choose_cuts,
    count_beats,
    count_frames,
    list_sections,
    make_grid,
    measure_energy,
    split_longest,
)
from models.music_video.features import Section
from models.music_video.storyboard import UNPAINTED, Storyboard, StoryShot, name_media

Floats = NDArray[np.float64]

SECONDS_A_KEY_CLIP = 7.5
FEWEST_KEY_CLIPS, MOST_KEY_CLIPS = 3, 16
BEAT_ACCENT, DOWNBEAT_ACCENT = 0.62, 1.0
TURNS = (-1, 1)
FRAMINGS = ((0.25, 0.75), (0.5, 1.0))  # of every second shot, so that neighbours differ
FLIPPED = 0.3  # of the model's shots
LIVELY = 0.45  # of the song's moments must be quieter
ALONG = {"left": (-1.0, 0.0), "right": (1.0, 0.0), "up": (0.0, -0.6), "down": (0.0, 0.6)}


@dataclass(frozen=True)
class KeyClip:
    """A clip for the video model to make."""

    prompt: str
    seed: int
    label: str


@dataclass(frozen=True)
class Shot:
    """What is seen between two cuts.

    Attributes:
        start, end: frames; end is not part of it.
        clip: index of the key clip; clip_phase: where in its to and fro the shot begins, in [0, 1).
        framing: 0 shows the whole picture (mirrored beyond its edges), 1 fills the frame.
        zoom, turn: how much the camera grows (a share) and turns (degrees) from the shot's start to its end.
        drift: how far it moves right and down, in shares of the picture.
        flipped: whether left and right are changed.
        section: number of the section.
        source, motion, take, seed: of the storyboard.
        style: in which it is painted, "" for none.
    """

    start: int
    end: int
    clip: int
    clip_phase: float
    framing: float
    zoom: float
    turn: float
    drift: tuple[float, float]
    flipped: bool
    section: int
    source: str = ""
    motion: str = "auto"
    take: int = 0
    seed: int = 0
    style: str = ""


@dataclass(frozen=True)
class MusicVideoPlan:
    """A whole music video.

    Attributes:
        shots: in order, without gaps; clips: what they show.
        accents: int (n,), frames of the beats (or of loud onsets where there is no beat), rising.
        strengths: float (n,), of each accent, in [0, 1].
        storyboard: what the shots come from.
        notes: sentences for the person.
    """

    frames: int
    shots: tuple[Shot, ...]
    clips: tuple[KeyClip, ...]
    accents: NDArray[np.int64]
    strengths: Floats
    storyboard: Storyboard
    notes: tuple[str, ...] = ()


def plan_video(request: MusicVideoRequest) -> MusicVideoPlan:
    """Plan a request; equal requests give equal plans.

    Raises:
        ValueError: the storyboard shows a photo or clip that is not among the media, or names a style that is none.
    """
    frames = count_frames(request)
    times, strengths, notes = _find_accents(request)
    accents = np.round(times * FRAME_RATE).astype(np.int64)
    keep = np.concatenate([[True], np.diff(accents) > 1]) & (accents < frames) if len(accents) else np.zeros(0, bool)
    strengths, accents = strengths[keep], accents[keep]
    grid = make_grid(request)
    storyboard = request.storyboard or arrange_storyboard(request, grid)
    _check_sources(storyboard, request)
    _check_styles(storyboard, request)
    shots, clips = _lay_shots(request, storyboard, grid)
    unseen = len(storyboard.shots) - len(shots)
    if unseen:
        notes = (*notes, f"The song is too short for the last {unseen} shots of the storyboard.")
    return MusicVideoPlan(frames, shots, clips, accents, strengths, storyboard, notes)


def _find_accents(request: MusicVideoRequest) -> tuple[Floats, Floats, tuple[str, ...]]:
    """Find accents: times, strengths, and what to say about them."""
    track = request.track
    inside = (track.times_s >= 0) & (track.times_s < request.duration_s)
    times = track.times_s[inside]
    if len(times) >= FEW_BEATS:
        strengths = np.where(track.places[inside] == 1, DOWNBEAT_ACCENT, BEAT_ACCENT)
        loud = np.interp(times, np.arange(len(request.features.loudness)) / CURVE_RATE, request.features.loudness)
        return times, strengths * (0.55 + 0.45 * loud), ()
    from scipy.signal import find_peaks

    curve = request.features.percussion.astype(np.float64)
    peaks, facts = find_peaks(curve, height=0.35, prominence=0.25, distance=round(0.3 * CURVE_RATE))
    said = "No steady beat was heard, so the picture follows the loud moments instead."
    return peaks / CURVE_RATE, 0.7 * facts["peak_heights"], (said,)


def _count_key_clips(request: MusicVideoRequest, kinds: int) -> int:
    wanted = request.key_clips or round(request.duration_s / SECONDS_A_KEY_CLIP)
    if not request.key_clips:
        wanted = min(MOST_KEY_CLIPS, max(FEWEST_KEY_CLIPS, wanted))
    return min(MAX_KEY_CLIPS, max(kinds, wanted))


def _make_key_clip(request: MusicVideoRequest, labels: Sequence[str], take: int, seed: int, prompt: str) -> KeyClip:
    """Make the key clip number `take`; kinds of section take turns, and each its looks."""
    kind, number = take % len(labels), take // len(labels)
    own = request.prompts[kind :: len(labels)] or (request.prompts[kind % len(request.prompts)],)
    return KeyClip(prompt or own[number % len(own)], (seed + 7919 * take) % 2**31, labels[kind])


def _list_labels(sections: Sequence[Section]) -> list[str]:
    return list(dict.fromkeys(section.label for section in sections))


def is_lively(request: MusicVideoRequest, shot: Shot) -> bool:
    """Tell whether the section of a shot is louder than most of the song."""
    if not request.features.sections:
        return True
    section = request.features.sections[shot.section]
    return measure_energy(request, section.start_s, section.end_s) > LIVELY


def _find_section(sections: Sequence[Section], start: int) -> int:
    starts = np.array([section.start_s for section in sections])
    return max(0, int(np.searchsorted(starts, start / FRAME_RATE + 0.02, side="right")) - 1)


def assign_media(shots: Sequence[object], count: int, scene: str) -> tuple[int | None, ...]:
    """Say for each shot which of `count` media it shows, one after the other; None is what the scene gives."""
    if not count or scene in DRAWN_BY_RULE:
        return (None,) * len(shots)
    if scene == "mixed":
        return tuple(number // 2 % count if number % 2 == 0 else None for number in range(len(shots)))
    return tuple(number % count for number in range(len(shots)))


def arrange_storyboard(request: MusicVideoRequest, grid: NDArray[np.int64]) -> Storyboard:
    """Arrange the shots of a request over the grid of its beats."""
    sections = list_sections(request)
    labels = _list_labels(sections)
    cuts = choose_cuts(request, random.Random(request.seed))
    if request.media and request.scene not in DRAWN_BY_RULE:
        cuts = split_longest(cuts, request.track, count_frames(request), len(request.media))
    lengths = count_beats(cuts, grid)
    names = name_media(request.media)
    wanted, seen, shown = _count_key_clips(request, len(labels)), Counter[str](), Counter[int]()
    shots, at = [], 0
    for number, (beats, place) in enumerate(
        zip(lengths, assign_media(lengths, len(names), request.scene), strict=True)
    ):
        label = sections[_find_section(sections, int(grid[at]))].label
        choices = range(labels.index(label), wanted, len(labels))
        if place is None:
            take, source = choices[seen[label] % len(choices)], ""
        else:
            take, source = shown[place], names[place]
            shown[place] += 1
        seen[label] += 1
        shots.append(StoryShot(beats, source, take=take, seed=number))
        at += beats
    return Storyboard(tuple(shots), request.seed)


def _check_sources(storyboard: Storyboard, request: MusicVideoRequest) -> None:
    names = set(name_media(request.media))
    missing = dict.fromkeys(shot.source for shot in storyboard.shots if shot.source and shot.source not in names)
    if missing:
        raise ValueError(
            f"The storyboard shows {', '.join(list(missing)[:5])}, which is not among your photos and clips: add it, "
            "or choose another source for its shots."
        )


def _check_styles(storyboard: Storyboard, request: MusicVideoRequest) -> None:
    known = {"", UNPAINTED, *dict(request.painting.pictures)}
    for number, shot in enumerate(storyboard.shots, 1):
        if shot.style not in known:
            raise ValueError(
                f"Shot {number} of the storyboard is painted as {shot.style!r}, which is not there: choose another "
                "style for it."
            )


def _choose_style(request: MusicVideoRequest, told: StoryShot) -> str:
    """Return the style of a shot; what is drawn by rule is not painted."""
    is_by_rule = request.scene in DRAWN_BY_RULE and not told.source
    return "" if is_by_rule else request.painting.choose(told.style)


def _lay_shots(
    request: MusicVideoRequest, storyboard: Storyboard, grid: NDArray[np.int64]
) -> tuple[tuple[Shot, ...], tuple[KeyClip, ...]]:
    """Lay the shots of a storyboard over the grid; what lies beyond the song is left out, the last goes on to its
    end.
    """
    sections, frames = list_sections(request), count_frames(request)
    labels = _list_labels(sections)
    clips = [
        _make_key_clip(request, labels, take, storyboard.seed, "")
        for take in range(_count_key_clips(request, len(labels)))
    ]
    of_clip = {each: number for number, each in enumerate(clips)}
    starts = np.concatenate([[0], np.cumsum([shot.beats for shot in storyboard.shots])])
    shots = []
    for number, told in enumerate(storyboard.shots):
        if starts[number] >= len(grid):
            break
        start = int(grid[starts[number]])
        is_last = number == len(storyboard.shots) - 1 or starts[number + 1] >= len(grid)
        end = frames if is_last else int(grid[starts[number + 1]])
        clip = _make_key_clip(request, labels, told.take, storyboard.seed, told.prompt)
        if clip not in of_clip and not told.source:
            of_clip[clip] = len(clips)
            clips.append(clip)
        shots.append(_make_shot(request, told, (start, end), of_clip.get(clip, 0), _find_section(sections, start)))
    return tuple(shots), tuple(clips)


def _make_shot(
    request: MusicVideoRequest, told: StoryShot, span: tuple[int, int], clip: int, section: int
) -> Shot:  # fmt: skip
    rng, look, seconds = random.Random(f"shot {told.seed} {told.take}"), request.look, (span[1] - span[0]) / FRAME_RATE
    framing = rng.choice(FRAMINGS[told.seed % 2])
    grow = rng.choice(TURNS) * min(0.22, 0.035 * seconds) * look.zoom
    along = rng.choice(((1, 0), (-1, 0), (0, 0.6), (0, -0.6), (0.8, 0.4), (-0.8, 0.4)))
    drift = min(0.1, 0.02 * seconds) * look.pan
    turn = rng.choice(TURNS) * min(7.0, 1.1 * seconds) * look.rotate * rng.choice((0.4, 1.0))
    if told.motion != "auto":
        told_grow = {"closer": 1.0, "away": -1.0}.get(told.motion, 0.0)
        grow, turn = told_grow * min(0.22, 0.05 * seconds), 0.0
        along, drift = ALONG.get(told.motion, (0.0, 0.0)), min(0.1, 0.03 * seconds)
    return Shot(
        *span, clip, rng.random(), framing, grow, turn, (along[0] * drift, along[1] * drift),
        flipped=rng.random() < FLIPPED, section=section, source=told.source, motion=told.motion, take=told.take,
        seed=told.seed, style=_choose_style(request, told),
    )  # fmt: skip
