"""Where a music video is cut: on the grid of its song's beats, in sections and every so many bars.

All places are numbers of frames; frame k is shown at k / FRAME_RATE.
"""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.beats.detector import BeatTrack
from models.beats.network import FRAME_RATE as CURVE_RATE
from models.music_video.contracts import FRAME_RATE, MusicVideoRequest
from models.music_video.features import Section

FEW_BEATS = 4  # with fewer the song is taken as one without a beat
SHOT_WITHOUT_BEATS_S = 4.0
STEP_WITHOUT_BEATS_S = 0.5
LONGEST_SHOT_BARS = 8
SHORTEST_SHOT = 18  # frames of a shot of a person's own pictures
SAME_PLACE = 3  # frames


def count_frames(request: MusicVideoRequest) -> int:
    """Return the frames of the whole song."""
    return max(1, round(request.duration_s * FRAME_RATE))


def list_sections(request: MusicVideoRequest) -> tuple[Section, ...]:
    """Return the sections of the song, at least one."""
    return request.features.sections or (Section(0.0, request.duration_s, "A"),)


def make_grid(request: MusicVideoRequest) -> NDArray[np.int64]:
    """Return the frames in which shots may begin, rising from 0: beats, and where a section begins beside them.

    Where no beats are heard, as before the first and in breaks, they go on at the usual distance; a song without a
    beat has a step each half second.
    """
    frames = count_frames(request)
    times = request.track.times_s[(request.track.times_s >= 0) & (request.track.times_s < request.duration_s)]
    interval = STEP_WITHOUT_BEATS_S
    if len(times) >= FEW_BEATS:
        interval = float(np.median(np.diff(times)))
        before = times[0] - interval * np.arange(int(times[0] / interval), 0, -1)
        after = times[-1] + interval * np.arange(1, int((request.duration_s - times[-1]) / interval) + 1)
        filled = [
            np.linspace(a, b, max(1, round((b - a) / interval)), endpoint=False) for a, b in pairwise(times.tolist())
        ]
        times = np.concatenate([before, *filled, times[-1:], after])
    else:
        times = np.arange(0.0, request.duration_s, interval)
    grid = {round(float(time) * FRAME_RATE) for time in times}
    for section in list_sections(request):
        start = round(section.start_s * FRAME_RATE)
        if all(abs(start - at) > SAME_PLACE for at in grid) or start == 0:
            grid.add(start)
    inside = np.array(sorted({0} | {at for at in grid if 0 <= at < frames}), dtype=np.int64)
    far = np.concatenate([[True], (inside[1:] > SAME_PLACE)])  # the lead before the first beat is no beat of its own
    return inside[far]


def measure_energy(request: MusicVideoRequest, start_s: float, end_s: float) -> float:
    """Compare the mean loudness of a stretch with the whole song's, in [0, 1]."""
    curve = request.features.loudness
    part = curve[int(start_s * CURVE_RATE) : max(int(start_s * CURVE_RATE) + 1, int(end_s * CURVE_RATE))]
    if not len(part) or not len(curve):
        return 0.5
    below = float(np.mean(curve <= float(part.mean())))
    return min(1.0, max(0.0, below))


def choose_cuts(request: MusicVideoRequest, rng: random.Random) -> list[int]:
    """Choose the frames in which a shot begins: sections, and every so many bars; loud sections cut more often."""
    frames = count_frames(request)
    downs = request.track.downbeats_s
    downs = downs[(downs >= 0) & (downs < request.duration_s)]
    if len(request.track.times_s) < FEW_BEATS or len(downs) < 2:
        downs = np.arange(0.0, request.duration_s, SHOT_WITHOUT_BEATS_S)
    cuts = {0}
    for section in list_sections(request):
        if section.start_s > 0:
            cuts.add(round(section.start_s * FRAME_RATE))
        inside = downs[(downs > section.start_s + 0.3) & (downs < section.end_s - 0.3)]
        if request.look.cuts <= 0:
            continue
        bars = 2.0 ** ((1.0 - request.look.cuts) * 3.0)  # 8 bars at 0, 1 bar at 1
        bars *= 0.75 if measure_energy(request, section.start_s, section.end_s) > 0.6 else 1.5
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


def count_beats(cuts: list[int], grid: NDArray[np.int64]) -> list[int]:
    """Return how many steps of the grid lie between the cuts; cuts beside the grid go to its nearest step."""
    places = sorted({0, *(int(np.abs(grid - cut).argmin()) for cut in cuts)})
    return [end - start for start, end in pairwise([*places, len(grid)])]
