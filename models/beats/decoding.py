"""From activations to beats: a hidden Markov model whose states are tempo and place in the beat.

After Krebs, Böck and Widmer 2015, "An efficient state-space model for joint tempo and meter tracking" (sections 3.1 to
3.3): a beat of n frames is a chain of n states, and the tempo may change only where a beat begins. The beats' bars are
found by a second, small model over the beats. Viterbi for a whole piece, the forward recursion for sound that arrives
now (Böck et al. 2014 use the same model both ways).

Letters: T frames, K tempi, S states.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DECODE_RATE = 100  # frames a second of the model; activations are interpolated up to it
MIN_BPM, MAX_BPM = 50.0, 240.0
TEMPO_CHANGE = 100.0  # lambda of Krebs et al., equation 5: higher keeps the tempo steadier
BEAT_SHARE = 16  # the first sixteenth of a beat's states expect a high activation
SILENT_BELOW = 0.05
BREAK_S = 2.0
WEAK_SHARE = 0.8  # if every other beat's activation is under this share of the rest's, it is none
SLOWEST_HALVED_BPM = 45.0
MIN_TURNS = 16
STEADY_SHARE, STEADY_LEAST = 0.5, 0.3  # what lies between the beats of a fast song followed at half its tempo
EVEN_DOWNBEATS = 0.1
FASTEST_DOUBLED_BPM = 102.0
BAR_LENGTHS = (3, 4)
BAR_CHANGE = 1e-3
LIKELIEST_DOWNBEAT = -0.4  # log odds: the mean over all beats is held to this
FIRST_BEAT = 3.0  # log odds by which the first beat is more of a downbeat


@dataclass(frozen=True)
class TempoStates:
    """The states of all tempi in one row.

    Attributes:
        intervals: int (K,), frames in a beat.
        first, last: int (K,), where a tempo's chain begins and ends among the states.
        position: int (S,), frames since the beat; tempo: int (S,), row of intervals.
        on_beat: bool (S,), whether a high activation is expected.
        log_change: (K, K), log probability of going from a tempo (row) to another (column) at a beat.
    """

    intervals: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    position: NDArray[np.int64]
    tempo: NDArray[np.int64]
    on_beat: NDArray[np.bool_]
    log_change: Floats

    @classmethod
    def build(cls, min_bpm: float = MIN_BPM, max_bpm: float = MAX_BPM, rate: int = DECODE_RATE) -> TempoStates:
        """Build the states of all whole-frame intervals between two tempi."""
        intervals = np.arange(int(np.floor(60 * rate / max_bpm)), int(np.ceil(60 * rate / min_bpm)) + 1)
        last = np.cumsum(intervals) - 1
        first = last - intervals + 1
        tempo = np.repeat(np.arange(len(intervals)), intervals)
        position = np.arange(last[-1] + 1) - first[tempo]
        ratio = intervals[None, :] / intervals[:, None]
        change = np.exp(-TEMPO_CHANGE * np.abs(ratio - 1.0))
        change /= change.sum(axis=1, keepdims=True)
        on_beat = position < np.maximum(1, intervals[tempo] / BEAT_SHARE)
        return cls(intervals, first, last, position, tempo, on_beat, np.log(np.maximum(change, 1e-30)))


def compute_log_observations(activation: Floats) -> tuple[Floats, Floats]:
    """Compute each frame's log likelihood on the beat, and elsewhere, (T,) each."""
    clipped = np.clip(activation, 1e-4, 1 - 1e-4)
    return np.log(clipped), np.log((1 - clipped) / (BEAT_SHARE - 1))


def upsample(activation: Floats, rate: float, target: float = DECODE_RATE) -> Floats:
    """Interpolate activations to another frame rate."""
    count = round((len(activation) - 1) * target / rate) + 1 if len(activation) else 0
    return np.interp(np.arange(count) * rate / target, np.arange(len(activation)), activation) if count else activation


def run_viterbi(activation: Floats, states: TempoStates) -> NDArray[np.int64]:
    """Find the frames (n,) where the likeliest path begins a beat; activation (T,) at DECODE_RATE.

    Inside a beat the path cannot branch, so only the entries into beats are kept, and the observations between two
    entries come from running sums. Before and after the sound the observations say nothing. Scores are kept for the
    longest beat only, so that a long piece takes little memory.
    """
    log_on, log_off = compute_log_observations(activation)
    pad = int(states.intervals[-1])
    silent = np.zeros(pad)
    on = np.concatenate([[0.0], np.cumsum(np.concatenate([silent, log_on, silent]))])
    off = np.concatenate([[0.0], np.cumsum(np.concatenate([silent, log_off, silent]))])
    total = len(activation) + 2 * pad
    hot = np.maximum(1, np.ceil(states.intervals / BEAT_SHARE)).astype(int)  # frames at a beat's start
    tempi = np.arange(len(states.intervals))
    entered = np.zeros((pad, len(tempi)))  # of frame t in row t modulo pad
    came_from = np.zeros((total, len(tempi)), dtype=np.min_scalar_type(len(tempi)))
    for t in range(pad, total):
        begun = t - states.intervals
        cooled = begun + hot
        leaving = entered[begun % pad, tempi] + on[cooled] - on[begun] + off[t] - off[cooled]
        arriving = leaving[:, None] + states.log_change
        came_from[t] = arriving.argmax(axis=0)
        entered[t % pad] = arriving[came_from[t], tempi]
    after = np.arange(pad + len(activation), total)
    t = int(after[np.argmax(entered[after % pad].max(axis=1))])
    tempo = int(entered[t % pad].argmax())
    beats = []
    while t >= pad:
        tempo = int(came_from[t, tempo])
        t -= int(states.intervals[tempo])
        beats.append(t - pad)
    frames = np.array(beats[::-1], dtype=np.int64)
    return frames[(frames > -hot[-1]) & (frames < len(activation))].clip(min=0)


def follow_median(values: Floats, count: int) -> Floats:
    """Compute the median of the `count` values, an odd number, around each (n,); the ends go on as they are."""
    if not len(values):
        return values
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, count // 2, mode="edge"), count)
    return np.asarray(np.median(windows, axis=1))


def _find_peak(activation: Floats, around: int, reach: int) -> tuple[float, float]:
    """Find the highest place within `reach` frames, refined by a parabola, and its height."""
    low, high = max(0, around - reach), min(len(activation), around + reach + 1)
    at = low + int(activation[low:high].argmax())
    if 0 < at < len(activation) - 1:
        left, middle, right = activation[at - 1 : at + 2]
        bend = left - 2 * middle + right
        if bend < 0:
            return at + float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)), float(middle)
    return float(at), float(activation[at])


def decode_beats(activation: Floats, rate: float, states: TempoStates | None = None) -> Floats:
    """Find the beats of a whole piece: times in seconds (n,).

    What lies before the first and after the last activation of at least SILENT_BELOW has no beats, nor has what is
    farther than BREAK_S from any: over a break the beat goes on, over silence it ends.

    Args:
        activation: (T,) in [0, 1] at `rate` frames a second.
    """
    fine = upsample(np.asarray(activation, dtype=np.float64), rate)
    loud = np.flatnonzero(fine >= SILENT_BELOW)
    if len(loud) < 2:
        return np.zeros(0)
    start, stop = int(loud[0]), int(loud[-1]) + 1
    states = states or TempoStates.build()
    reach = 3
    begun = run_viterbi(fine[start:stop], states) + start
    after = np.searchsorted(loud, begun).clip(1, len(loud) - 1)
    nearest = np.minimum(np.abs(begun - loud[after - 1]), np.abs(loud[after] - begun))
    begun = begun[nearest <= BREAK_S * DECODE_RATE]
    half = int(states.intervals[0] // 4)
    times = []
    for frame in begun:
        at, height = _find_peak(fine, int(frame) + reach // 2, min(half, reach + 2))
        times.append((at if height >= SILENT_BELOW else float(frame)) / DECODE_RATE)
    result = np.array(times)
    keep = np.concatenate([[True], np.diff(result) > 60.0 / MAX_BPM * 0.5]) if len(result) else np.zeros(0, dtype=bool)
    return result[keep]


def drop_weak_beats(activation: Floats, rate: float, times_s: Floats) -> Floats:
    """Drop every other beat of a slow song that was followed at twice its tempo, if those are weak; else none.

    Where strong and weak beats take turns over the whole song, the weak ones are what lies between the beats. The bound
    was chosen on 500 excerpts of the training's kinds: songs, made-up bands, drummers, art songs, metronomes.
    """
    if len(times_s) < MIN_TURNS or 60.0 / np.median(np.diff(times_s)) < 2 * SLOWEST_HALVED_BPM:
        return times_s
    heights = read_activation(upsample(np.asarray(activation, dtype=np.float64), rate), DECODE_RATE, times_s, 3)
    means = [float(heights[phase::2].mean()) for phase in (0, 1)]
    if min(means) + 0.01 >= WEAK_SHARE * (max(means) + 0.01):
        return times_s
    return times_s[int(means[1] > means[0]) :: 2]


def add_missed_beats(activation: Floats, downbeat: Floats, rate: float, times_s: Floats) -> Floats:
    """Put a beat between every two of a fast song that was followed at half its tempo; else return the same beats.

    Such a song looks as if every beat began a bar, none more than its neighbours, and something nearly as strong lies
    midway all the time. The bounds were chosen on 178 songs, bands, drummers and metronomes, and touched none of 94
    others.

    Args:
        activation, downbeat: (T,) at `rate` frames a second.
        times_s: the beats (n,) that were followed.
    """
    if len(times_s) < MIN_TURNS or 60.0 / np.median(np.diff(times_s)) > FASTEST_DOUBLED_BPM:
        return times_s
    fine = upsample(np.asarray(activation, dtype=np.float64), rate)
    middle = (times_s[:-1] + times_s[1:]) / 2
    between = read_activation(fine, DECODE_RATE, middle, 5)
    is_steady = between.mean() >= STEADY_SHARE * read_activation(fine, DECODE_RATE, times_s, 3).mean()
    if not is_steady or np.percentile(between, 10) < STEADY_LEAST:
        return times_s
    firsts = read_activation(np.asarray(downbeat, dtype=np.float64), rate, times_s)
    if max(_measure_contrast(firsts, length) for length in (2, *BAR_LENGTHS)) > EVEN_DOWNBEATS:
        return times_s
    added = [_find_peak(fine, round(time_s * DECODE_RATE), 5)[0] / DECODE_RATE for time_s in middle]
    return np.sort(np.concatenate([times_s, added]))


def _measure_contrast(values: Floats, length: int) -> float:
    """Measure how far one of every `length` values lies above the others, at the best phase."""
    phase = np.arange(len(values)) % length
    return max(float(values[phase == first].mean() - values[phase != first].mean()) for first in range(length))


def read_activation(activation: Floats, rate: float, times_s: Floats, reach_frames: int = 2) -> Floats:
    """Read the highest activation near each time, (n,)."""
    frames = np.clip(np.round(times_s * rate).astype(int), 0, max(0, len(activation) - 1))
    padded = np.pad(activation, reach_frames, mode="edge")
    return np.max([padded[frames + i] for i in range(2 * reach_frames + 1)], axis=0) if len(frames) else np.zeros(0)


def to_log_odds(share: Floats) -> Floats:
    """Return the log odds of shares in [0, 1], none of them more certain than 0.02 or 0.98."""
    likely = np.clip(share, 0.02, 0.98)
    return np.asarray(np.log(likely / (1 - likely)))


def decode_bars(downbeat: Floats, bar_lengths: tuple[int, ...] = BAR_LENGTHS) -> NDArray[np.int64]:
    """Find the place in its bar of each beat, int (n,); 1 is a downbeat.

    Where every beat looks like a downbeat, none does: the mean of the log odds is held to LIKELIEST_DOWNBEAT, or the
    shortest bar would always win. A piece begins with a downbeat unless the others say something else.

    Args:
        downbeat: (n,), how much each beat looks like a downbeat, in [0, 1].
        bar_lengths: how many beats a bar may have; it may change at a downbeat, which is unlikely.
    """
    count = len(downbeat)
    if not count:
        return np.zeros(0, dtype=np.int64)
    place = np.concatenate([np.arange(length) for length in bar_lengths])
    meter = np.repeat(np.arange(len(bar_lengths)), bar_lengths)
    first = np.flatnonzero(place == 0)
    last = np.array([first[m] + length - 1 for m, length in enumerate(bar_lengths)])
    change = np.full((len(first), len(first)), np.log(BAR_CHANGE))
    np.fill_diagonal(change, 0.0)
    odds = to_log_odds(downbeat)
    odds -= max(0.0, float(odds.mean()) - LIKELIEST_DOWNBEAT)
    odds[0] += FIRST_BEAT
    likely = 1 / (1 + np.exp(-odds))
    here = np.where(place[None] == 0, np.log(likely)[:, None], np.log(1 - likely)[:, None])  # (n, S)
    here -= np.log(np.array(bar_lengths))[meter][None] * 1e-3  # of equals, the shorter bar
    score = here[0].copy()
    back = np.zeros((count, len(place)), dtype=np.int64)
    for i in range(1, count):
        previous = np.arange(len(place)) - 1
        arriving = score[last][:, None] + change
        previous[first] = last[arriving.argmax(axis=0)]
        moved = score[previous]
        moved[first] = arriving.max(axis=0)
        back[i], score = previous, moved + here[i]
    path = [int(score.argmax())]
    for i in range(count - 1, 0, -1):
        path.append(int(back[i, path[-1]]))
    return place[np.array(path[::-1])] + 1


class OnlineTracker:
    """Beats of sound that arrives now: the forward recursion, one frame after another.

    A beat is told in the frame in which the likeliest state begins a new beat.
    """

    def __init__(self, states: TempoStates | None = None) -> None:
        self.states = states or TempoStates.build()
        self.change = np.exp(self.states.log_change)
        count = len(self.states.position)
        self.belief = np.full(count, 1.0 / count)
        self.frame = 0
        self.last_beat = -(10**9)
        self.heard = False

    @property
    def bpm(self) -> float:
        """Return the likeliest tempo now."""
        weights = np.add.reduceat(self.belief, self.states.first)
        return 60.0 * DECODE_RATE / float(self.states.intervals[int(weights.argmax())])

    def push(self, activation: float) -> bool:
        """Take one frame at DECODE_RATE; return whether a beat begins in it."""
        states = self.states
        arriving = self.belief[states.last] @ self.change
        self.belief[1:] = self.belief[:-1].copy()
        self.belief[states.first] = arriving
        clipped = min(max(activation, 1e-4), 1 - 1e-4)
        self.belief *= np.where(states.on_beat, clipped, (1 - clipped) / (BEAT_SHARE - 1))
        self.belief /= self.belief.sum()
        self.heard = self.heard or activation >= 4 * SILENT_BELOW
        likeliest = int(self.belief.argmax())
        interval = int(states.intervals[states.tempo[likeliest]])
        on_beat = states.on_beat[likeliest] and self.frame - self.last_beat > 0.6 * interval
        self.frame += 1
        if self.heard and on_beat:
            self.last_beat = self.frame - 1 - int(states.position[likeliest])
            return True
        return False
