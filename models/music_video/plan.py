"""Which shot is seen when: cuts on downbeats, clips for sections, accents on beats, all counted in frames.

Whatever happens on a beat happens in the frame nearest to it, so picture and beat are at most half a frame apart
(21 ms), and never drift: frame k is shown at k / FRAME_RATE whatever was drawn before.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.beats.detector import BeatTrack
from models.beats.network import FRAME_RATE as CURVE_RATE
from models.music_video.contracts import DRAWN_BY_RULE, FRAME_RATE, MAX_KEY_CLIPS, MusicVideoRequest
from models.music_video.features import Section

Floats = NDArray[np.float64]

FEW_BEATS = 4  # with fewer the song is taken as one without a beat
SHOT_WITHOUT_BEATS_S = 4.0
SECONDS_A_KEY_CLIP = 7.5
FEWEST_KEY_CLIPS, MOST_KEY_CLIPS = 3, 16
LONGEST_SHOT_BARS = 8
BEAT_ACCENT, DOWNBEAT_ACCENT = 0.62, 1.0
TURNS = (-1, 1)
LIVELY = 0.45  # of the song's moments must be quieter
SHORTEST_SHOT = 18  # frames of a shot of a person's own pictures


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


@dataclass(frozen=True)
class MusicVideoPlan:
    """A whole music video.

    Attributes:
        shots: in order, without gaps; clips: what they show.
        accents: int (n,), frames of the beats (or of loud onsets where there is no beat), rising.
        strengths: float (n,), of each accent, in [0, 1].
        notes: sentences for the person.
    """

    frames: int
    shots: tuple[Shot, ...]
    clips: tuple[KeyClip, ...]
    accents: NDArray[np.int64]
    strengths: Floats
    notes: tuple[str, ...] = ()


def plan_video(request: MusicVideoRequest) -> MusicVideoPlan:
    """Plan a request; equal requests give equal plans."""
    rng = random.Random(request.seed)
    frames = max(1, round(request.duration_s * FRAME_RATE))
    sections = request.features.sections or (Section(0.0, request.duration_s, "A"),)
    times, strengths, notes = _find_accents(request)
    accents = np.round(times * FRAME_RATE).astype(np.int64)
    keep = np.concatenate([[True], np.diff(accents) > 1]) & (accents < frames) if len(accents) else np.zeros(0, bool)
    strengths, accents = strengths[keep], accents[keep]
    clips, of_label = _choose_key_clips(request, sections)
    cuts = _choose_cuts(request, sections, frames, rng)
    if request.media and request.scene not in DRAWN_BY_RULE:
        cuts = split_longest(cuts, request.track, frames, len(request.media))
    shots = _make_shots(request, sections, cuts, of_label, rng)
    return MusicVideoPlan(frames, shots, clips, accents, strengths, notes)


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


def _choose_key_clips(
    request: MusicVideoRequest, sections: tuple[Section, ...]
) -> tuple[tuple[KeyClip, ...], dict[str, list[int]]]:
    """Choose the clips, and for each kind of section which of them it may show."""
    labels = list(dict.fromkeys(section.label for section in sections))
    wanted = request.key_clips or round(request.duration_s / SECONDS_A_KEY_CLIP)
    if not request.key_clips:
        wanted = min(MOST_KEY_CLIPS, max(FEWEST_KEY_CLIPS, wanted))
    wanted = min(MAX_KEY_CLIPS, max(len(labels), wanted))
    clips: list[KeyClip] = []
    of_label: dict[str, list[int]] = {label: [] for label in labels}
    for number in range(wanted):
        kind = number % len(labels)
        own = request.prompts[kind :: len(labels)] or (request.prompts[kind % len(request.prompts)],)
        prompt = own[len(of_label[labels[kind]]) % len(own)]
        of_label[labels[kind]].append(number)
        clips.append(KeyClip(prompt, (request.seed + 7919 * number) % 2**31, labels[kind]))
    return tuple(clips), of_label


def _measure_energy(request: MusicVideoRequest, start_s: float, end_s: float) -> float:
    """Compare the mean loudness of a stretch with the whole song's, in [0, 1]."""
    curve = request.features.loudness
    part = curve[int(start_s * CURVE_RATE) : max(int(start_s * CURVE_RATE) + 1, int(end_s * CURVE_RATE))]
    if not len(part) or not len(curve):
        return 0.5
    below = float(np.mean(curve <= float(part.mean())))
    return min(1.0, max(0.0, below))


def is_lively(request: MusicVideoRequest, shot: Shot) -> bool:
    """Tell whether the section of a shot is louder than most of the song."""
    if not request.features.sections:
        return True
    section = request.features.sections[shot.section]
    return _measure_energy(request, section.start_s, section.end_s) > LIVELY


def _choose_cuts(
    request: MusicVideoRequest, sections: tuple[Section, ...], frames: int, rng: random.Random
) -> list[int]:
    """Choose the frames in which a shot begins: sections, and every so many bars; loud sections cut more often."""
    downs = request.track.downbeats_s
    downs = downs[(downs >= 0) & (downs < request.duration_s)]
    if len(request.track.times_s) < FEW_BEATS or len(downs) < 2:
        downs = np.arange(0.0, request.duration_s, SHOT_WITHOUT_BEATS_S)
    cuts = {0}
    for section in sections:
        if section.start_s > 0:
            cuts.add(round(section.start_s * FRAME_RATE))
        inside = downs[(downs > section.start_s + 0.3) & (downs < section.end_s - 0.3)]
        if request.look.cuts <= 0:
            continue
        bars = 2.0 ** ((1.0 - request.look.cuts) * 3.0)  # 8 bars at 0, 1 bar at 1
        bars *= 0.75 if _measure_energy(request, section.start_s, section.end_s) > 0.6 else 1.5
        every = min(LONGEST_SHOT_BARS, max(1, round(bars)))
        for number, time_s in enumerate(inside, 1):
            if number % every == 0 or (every > 2 and rng.random() < 0.08):
                cuts.add(round(float(time_s) * FRAME_RATE))
    ordered = sorted(cut for cut in cuts if cut < frames - FRAME_RATE // 4 or cut == 0)
    return [cut for at, cut in enumerate(ordered) if at == 0 or cut - ordered[at - 1] >= FRAME_RATE // 4]


def split_longest(cuts: list[int], track: BeatTrack, frames: int, wanted: int) -> list[int]:
    """Cut the longest shots on their middle downbeat, or else beat, until there are as many as wanted, or none is long
    enough; `cuts` are the frames in which shots begin.
    """
    downs = {round(float(time_s) * FRAME_RATE) for time_s in track.downbeats_s}
    beats = {round(float(time_s) * FRAME_RATE) for time_s in track.times_s}
    cuts, whole = sorted(cuts), set[int]()  # those that cannot be split
    while len(cuts) < wanted:
        lengths = [(end - start, start, end) for start, end in pairwise([*cuts, frames]) if start not in whole]
        if not lengths:
            break
        _, start, end = max(lengths, key=lambda each: (each[0], -each[1]))
        places: list[int] = []
        for offered in (downs, beats, set() if beats else {(start + end) // 2}):
            places = places or [at for at in offered if min(at - start, end - at) >= SHORTEST_SHOT]
        if not places:
            whole.add(start)
            continue
        cuts = sorted([*cuts, min(places, key=lambda at: (abs(2 * at - start - end), at))])
    return cuts


def assign_media(shots: tuple[Shot, ...], count: int, scene: str) -> tuple[int | None, ...]:
    """Say for each shot which of `count` media it shows, one after the other; None is what the video model draws."""
    if not count:
        return (None,) * len(shots)
    if scene == "cover":
        return (0,) * len(shots)
    if scene in DRAWN_BY_RULE:
        return (None,) * len(shots)
    if scene == "mixed":
        return tuple(number // 2 % count if number % 2 == 0 else None for number in range(len(shots)))
    return tuple(number % count for number in range(len(shots)))


def _make_shots(
    request: MusicVideoRequest,
    sections: tuple[Section, ...],
    cuts: list[int],
    of_label: dict[str, list[int]],
    rng: random.Random,
) -> tuple[Shot, ...]:
    frames = max(1, round(request.duration_s * FRAME_RATE))
    look = request.look
    starts = np.array([section.start_s for section in sections])
    heard: dict[str, int] = dict.fromkeys(of_label, 0)
    framing = 0.45
    shots = []
    for start, end in zip(cuts, [*cuts[1:], frames], strict=True):
        section = max(0, int(np.searchsorted(starts, start / FRAME_RATE + 0.02, side="right")) - 1)
        label = sections[section].label
        choices = of_label[label]
        clip = choices[heard[label] % len(choices)]
        heard[label] += 1
        framing = rng.choice([each for each in (0.25, 0.5, 0.75, 1.0) if abs(each - framing) > 0.1])
        seconds = (end - start) / FRAME_RATE
        grow = rng.choice(TURNS) * min(0.22, 0.035 * seconds) * look.zoom
        along = rng.choice(((1, 0), (-1, 0), (0, 0.6), (0, -0.6), (0.8, 0.4), (-0.8, 0.4)))
        drift = min(0.1, 0.02 * seconds) * look.pan
        turn = rng.choice(TURNS) * min(7.0, 1.1 * seconds) * look.rotate * rng.choice((0.4, 1.0))
        shots.append(
            Shot(
                start, end, clip, rng.random(), framing, grow, turn, (along[0] * drift, along[1] * drift),
                flipped=heard[label] > len(choices) and rng.random() < 0.5, section=section,
            )
        )  # fmt: skip
    return tuple(shots)
