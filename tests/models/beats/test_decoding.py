"""Decoding of beats from activations: tempi, swing, changes, silence, bars, and the online recursion."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.beats.decoding import (
    BEAT_SHARE,
    DECODE_RATE,
    MAX_BPM,
    OnlineTracker,
    TempoStates,
    add_missed_beats,
    compute_log_observations,
    decode_bars,
    decode_beats,
    drop_weak_beats,
    read_activation,
    run_viterbi,
    upsample,
)

RATE = 50
STATES = TempoStates.build()


def bumps(times_s: np.ndarray, length_s: float, height: float = 0.9) -> np.ndarray:
    """Activations at RATE with a narrow peak at each time, between frames where the time is."""
    frames = np.arange(int(length_s * RATE))
    distance = np.abs(frames[:, None] / RATE - times_s[None]).min(axis=1)
    return height * np.exp(-0.5 * (distance / 0.014) ** 2) + 0.003


def matched(found: np.ndarray, wanted: np.ndarray, within_s: float = 0.04) -> float:
    """F-measure of times that agree to `within_s`."""
    if not len(found) or not len(wanted):
        return float(len(found) == len(wanted))
    hits = sum(np.abs(found - time).min() <= within_s for time in wanted)
    return 2 * hits / (len(found) + len(wanted))


@pytest.mark.slow
@given(bpm=st.floats(60, 200), phase=st.floats(0, 0.9))
@settings(deadline=None, max_examples=12)
def test_steady_beats_are_found_at_any_tempo(bpm: float, phase: float) -> None:
    beats = np.arange(phase * 60 / bpm, 14, 60 / bpm)
    assert matched(decode_beats(bumps(beats, 15), RATE, STATES), beats) > 0.97


def test_missing_beats_are_filled_in() -> None:
    beats = np.arange(0.5, 20, 0.5)
    heard = np.delete(beats, [7, 8, 20, 21, 22])
    assert matched(decode_beats(bumps(heard, 20.5), RATE, STATES), beats) > 0.97


def test_swung_off_beats_are_no_beats() -> None:
    beats = np.arange(0.4, 20, 0.6)
    off_beats = beats + 0.4
    activation = np.maximum(bumps(beats, 20), bumps(off_beats, 20, height=0.35))
    assert matched(decode_beats(activation, RATE, STATES), beats) > 0.97


def test_a_tempo_change_is_followed() -> None:
    beats = np.concatenate([np.arange(0.3, 10, 0.5), 10.1 + np.arange(0, 10, 0.4)])
    assert matched(decode_beats(bumps(beats, 20.5), RATE, STATES), beats) > 0.93


def test_silence_has_no_beats_before_within_or_after() -> None:
    assert len(decode_beats(np.zeros(500), RATE)) == 0
    assert len(decode_beats(np.zeros(0), RATE)) == 0
    assert len(decode_beats(np.full(1, 0.9), RATE)) == 0
    beats = np.arange(5.0, 10.0, 0.5)
    found = decode_beats(np.pad(bumps(beats, 10)[250:] - 0.003, (250, 500)), RATE, STATES)
    assert found.min() > 4.9
    assert found.max() < 10.1


def test_beats_rise_and_keep_their_distance() -> None:
    noise = np.random.default_rng(0).random(2000)
    found = decode_beats(noise, RATE, STATES)
    assert (np.diff(found) > 0.5 * 60 / MAX_BPM).all()


def brute_force(activation: np.ndarray, states: TempoStates) -> float:
    """Score of the best path by the plain recursion over all states."""
    on, off = compute_log_observations(activation)
    score = np.where(states.on_beat, on[0], off[0])
    for t in range(1, len(activation)):
        arriving = (score[states.last][:, None] + states.log_change).max(axis=0)
        score = np.concatenate([[0.0], score[:-1]])
        score[states.first] = arriving
        score = score + np.where(states.on_beat, on[t], off[t])
    return float(score.max())


def path_score(beats: np.ndarray, activation: np.ndarray, states: TempoStates) -> float:
    """Score of a path that begins its beats at these frames (the first state's place is free)."""
    on, off = compute_log_observations(activation)
    row = {int(n): k for k, n in enumerate(states.intervals)}
    score, tempo = 0.0, None
    for begin, stop in itertools.pairwise(beats):
        now = row[int(stop - begin)]
        score += 0.0 if tempo is None else states.log_change[tempo, now]
        hot = int(np.ceil(states.intervals[now] / 16))
        score += on[begin : begin + hot].sum() + off[begin + hot : stop].sum()
        tempo = now
    return score


def test_the_fast_recursion_finds_as_good_a_path_as_the_plain_one() -> None:
    states = TempoStates.build(min_bpm=300, max_bpm=800, rate=DECODE_RATE)
    activation = np.random.default_rng(3).random(240) ** 3
    beats = run_viterbi(activation, states)
    inner = activation[beats[0] : beats[-1]]
    ours = path_score(beats - beats[0], inner, states)
    assert ours <= brute_force(inner, states) + 1e-9
    assert ours > brute_force(inner, states) - 0.05 * abs(brute_force(inner, states))


def viterbi_with_a_whole_table(activation: np.ndarray, states: TempoStates) -> np.ndarray:
    """Run the same recursion with every score kept."""
    log_on, log_off = compute_log_observations(activation)
    pad = int(states.intervals[-1])
    on = np.concatenate([[0.0], np.cumsum(np.pad(log_on, pad))])
    off = np.concatenate([[0.0], np.cumsum(np.pad(log_off, pad))])
    total = len(activation) + 2 * pad
    hot = np.ceil(states.intervals / BEAT_SHARE).astype(int)
    tempi = np.arange(len(states.intervals))
    entered, came_from = np.zeros((total, len(tempi))), np.zeros((total, len(tempi)), dtype=int)
    for t in range(pad, total):
        begun = t - states.intervals
        leaving = entered[begun, tempi] + on[begun + hot] - on[begun] + off[t] - off[begun + hot]
        arriving = leaving[:, None] + states.log_change
        came_from[t], entered[t] = arriving.argmax(axis=0), arriving.max(axis=0)
    end = pad + len(activation)
    t = end + int(np.argmax(entered[end:].max(axis=1)))
    tempo, beats = int(entered[t].argmax()), []
    while t >= pad:
        tempo = int(came_from[t, tempo])
        t -= int(states.intervals[tempo])
        beats.append(t - pad)
    frames = np.array(beats[::-1])
    return frames[(frames > -hot[-1]) & (frames < len(activation))].clip(min=0)


@given(seed=st.integers(0, 10**6), frames=st.integers(2, 700), power=st.floats(0.5, 6))
@settings(deadline=None, max_examples=15)
def test_scores_of_the_longest_beat_are_enough(seed: int, frames: int, power: float) -> None:
    activation = np.random.default_rng(seed).random(frames) ** power
    expected = viterbi_with_a_whole_table(activation, STATES)
    assert run_viterbi(activation, STATES).tolist() == expected.tolist()


def taking_turns(weak: float, bpm: float, seconds: float = 30.0) -> tuple[np.ndarray, np.ndarray]:
    """Activations whose every other beat is weak, and all beats."""
    beats = np.arange(0.4, seconds - 0.5, 60 / bpm)
    strong = bumps(beats[1::2], seconds)
    return np.maximum(strong, bumps(beats[0::2], seconds, height=0.9 * weak)), beats


@pytest.mark.parametrize("bpm", [110, 140, 180])
def test_beats_that_take_turns_are_halved_and_the_strong_ones_kept(bpm: int) -> None:
    activation, beats = taking_turns(0.6, bpm)
    followed = decode_beats(activation, RATE, STATES)
    assert matched(followed, beats) > 0.97
    assert matched(drop_weak_beats(activation, RATE, followed), beats[1::2]) > 0.97


@pytest.mark.parametrize(("weak", "bpm"), [(0.95, 140), (0.6, 80)])
def test_even_beats_and_slow_ones_stay(weak: float, bpm: int) -> None:
    activation, beats = taking_turns(weak, bpm)
    assert drop_weak_beats(activation, RATE, beats) is beats
    assert (
        len(drop_weak_beats(activation, RATE, beats[:4])) == 4
        and len(drop_weak_beats(activation, RATE, beats[:0])) == 0
    )


def fast_song(
    bpm: float = 180, between: float = 0.5, firsts: float = 0.7, contrast: float = 0.0, gaps: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Activations of beat and downbeat where every other beat is strong and looks like a downbeat; all true beats."""
    seconds = 60.0
    beats = np.arange(0.4, seconds - 0.5, 60 / bpm)
    weak = beats[0::2][: round(len(beats[0::2]) * (1 - gaps))]
    activation = np.maximum(bumps(beats[1::2], seconds), bumps(weak, seconds, height=0.9 * between))
    downbeat = np.maximum(
        bumps(beats[1::2], seconds, height=firsts), bumps(beats[1::8], seconds, height=firsts + contrast)
    )
    return activation, downbeat, beats


@pytest.mark.parametrize("bpm", [140, 180, 200])
def test_a_fast_song_followed_at_half_its_tempo_gets_its_other_beats(bpm: int) -> None:
    activation, downbeat, beats = fast_song(bpm)
    assert matched(add_missed_beats(activation, downbeat, RATE, beats[1::2]), beats) > 0.97


@pytest.mark.parametrize(
    "changes",
    [
        {"between": 0.4},  # what lies between is weak
        {"gaps": 0.2},  # it falls silent
        {"contrast": 0.2},  # one of four is more of a downbeat than the others
        {"bpm": 220},  # the beats are fast already
    ],
)
def test_a_song_that_may_be_slow_stays(changes: dict[str, float]) -> None:
    activation, downbeat, beats = fast_song(**changes)
    assert add_missed_beats(activation, downbeat, RATE, beats[1::2]) is not None
    assert len(add_missed_beats(activation, downbeat, RATE, beats[1::2])) == len(beats[1::2])


def test_a_few_beats_are_too_few_to_add_any() -> None:
    activation, downbeat, beats = fast_song()
    assert len(add_missed_beats(activation, downbeat, RATE, beats[1:30:2])) == 15
    assert len(add_missed_beats(activation, downbeat, RATE, beats[1:33:2])) == 31


@pytest.mark.parametrize("level", [0.02, 0.3, 0.5, 0.75, 0.98])
def test_without_a_sign_bars_have_four_beats_from_the_first_on(level: float) -> None:
    assert decode_bars(np.full(24, level)).tolist() == [1, 2, 3, 4] * 6


@pytest.mark.parametrize("length", [3, 4])
def test_downbeats_a_little_above_the_rest_tell_the_bars_and_the_upbeat(length: int) -> None:
    wanted = (np.arange(48) + 1) % length + 1
    assert (decode_bars(np.where(wanted == 1, 0.7, 0.6)) == wanted).all()


def test_observations_are_those_of_the_papers_and_finite_at_the_ends() -> None:
    on, off = compute_log_observations(np.array([0.0, 0.25, 1.0]))
    assert np.isfinite(on).all() and np.isfinite(off).all()
    assert on[1] == pytest.approx(np.log(0.25)) and off[1] == pytest.approx(np.log(0.75 / 15))
    assert on[0] == pytest.approx(np.log(1e-4)) and off[2] == pytest.approx(np.log(1e-4 / 15))


@given(length=st.sampled_from((3, 4)), offset=st.integers(0, 3), bars=st.integers(4, 12))
@settings(deadline=None)
def test_bars_are_counted_from_the_downbeats(length: int, offset: int, bars: int) -> None:
    wanted = (np.arange(bars * length) + offset) % length + 1
    assert (decode_bars(np.where(wanted == 1, 0.8, 0.1)) == wanted).all()


def test_bars_survive_a_missing_downbeat_and_may_change_length() -> None:
    four = np.tile([1, 2, 3, 4], 8)
    activation = np.where(four == 1, 0.8, 0.1)
    activation[8] = 0.1
    assert (decode_bars(activation) == four).all()
    mixed = np.concatenate([np.tile([1, 2, 3, 4], 6), np.tile([1, 2, 3], 8)])
    assert (decode_bars(np.where(mixed == 1, 0.9, 0.05)) == mixed).all()
    assert len(decode_bars(np.zeros(0))) == 0


@pytest.mark.parametrize("bpm", [75, 120, 170])
def test_the_online_tracker_agrees_once_it_knows_the_tempo(bpm: int) -> None:
    beats = np.arange(0.3, 20, 60 / bpm)
    fine = upsample(bumps(beats, 20), RATE)
    tracker = OnlineTracker(STATES)
    found = []
    for value in fine:
        if tracker.push(float(value)):
            found.append(tracker.last_beat / DECODE_RATE)
    settled_s = 6.0
    late = np.array(found)[np.array(found) > settled_s]
    assert matched(late, beats[beats > settled_s], 0.05) > 0.95
    assert abs(tracker.bpm - bpm) / bpm < 0.03


def test_the_online_belief_is_the_forward_recursion() -> None:
    """State by state: a tempo may change where a beat begins; the observations are those of Viterbi."""
    states = TempoStates.build(min_bpm=600, max_bpm=1200)
    tracker = OnlineTracker(states)
    belief = np.full(len(states.position), 1 / len(states.position))
    activations = np.random.default_rng(2).random(40) ** 2
    for activation in activations:
        tracker.push(float(activation))
        moved = np.zeros_like(belief)
        for state, chance in enumerate(belief):
            if state in states.last:
                moved[states.first] += chance * np.exp(states.log_change[states.tempo[state]])
            else:
                moved[state + 1] += chance
        log_on, log_off = compute_log_observations(np.array([activation]))
        moved *= np.exp(np.where(states.on_beat, log_on[0], log_off[0]))
        belief = moved / moved.sum()
        np.testing.assert_allclose(tracker.belief, belief, rtol=1e-9)
    assert tracker.frame == len(activations)


def test_the_online_tracker_tells_no_beat_before_it_heard_one() -> None:
    tracker = OnlineTracker(STATES)
    assert not any(tracker.push(0.19) for _ in range(400))
    assert not tracker.heard
    tracker.push(0.2)
    assert tracker.heard


@pytest.mark.parametrize(("gap_s", "bridged"), [(3.4, True), (6.0, False)])
def test_the_beat_goes_on_over_a_break_and_ends_in_silence(gap_s: float, bridged: bool) -> None:
    first, later = np.arange(0.5, 8.01, 0.5), np.arange(8.0 + gap_s // 0.5 * 0.5 + 0.5, 22, 0.5)
    length = int(22.5 * RATE)
    activation = bumps(np.concatenate([first, later]), 22.5)[:length] - 0.003
    found = decode_beats(activation, RATE, STATES)
    inside = found[(found > 8.3) & (found < later[0] - 0.3)]
    assert (len(inside) == round((later[0] - 8.0) / 0.5) - 1) == bridged
    assert inside.size == 0 or np.minimum(inside - 8.0, later[0] - inside).max() <= 2.03


def test_the_place_of_a_peak_is_told_between_frames() -> None:
    beats = 0.503 + 0.5 * np.arange(20) + np.linspace(0, 0.009, 20)
    fine_frames = np.arange(11 * DECODE_RATE)
    distance = np.abs(fine_frames[:, None] / DECODE_RATE - beats[None]).min(axis=1)
    found = decode_beats(0.9 - np.minimum(8 * distance, 0.9) ** 2 / 0.9, DECODE_RATE, STATES)
    assert len(found) == len(beats)
    np.testing.assert_allclose(found, beats, atol=0.003)


def test_activations_are_read_as_far_as_the_reach() -> None:
    activation = np.zeros(20)
    activation[10] = 0.7
    read = read_activation(activation, 10, np.array([0.7, 0.8, 1.0, 1.2, 1.3]), 2)
    assert read.tolist() == [0.0, 0.7, 0.7, 0.7, 0.0]
    assert read_activation(activation, 10, np.array([-5.0, 99.0])).tolist() == [0.0, 0.0]
    assert read_activation(activation, 10, np.zeros(0)).tolist() == []
    activation[0] = activation[-1] = 0.4
    assert read_activation(activation, 10, np.array([-5.0, 99.0])).tolist() == [0.4, 0.4]


@pytest.mark.parametrize(("rate", "count"), [(50, 20), (25, 7), (100, 9)])
def test_upsampling_keeps_every_frame_and_lies_between(rate: int, count: int) -> None:
    activation = np.random.default_rng(count).random(count)
    fine = upsample(activation, rate, 100)
    step = 100 // rate
    assert len(fine) == (count - 1) * step + 1
    np.testing.assert_allclose(fine[::step], activation)
    if step > 1:
        np.testing.assert_allclose(fine[1::step], activation[:-1] + np.diff(activation) / step)
    assert len(upsample(np.zeros(0), rate)) == 0


def test_the_states_are_those_of_all_whole_frames_between_two_tempi() -> None:
    states = TempoStates.build(min_bpm=100, max_bpm=150, rate=100)
    assert states.intervals.tolist() == list(range(40, 61))
    assert (states.last - states.first + 1).tolist() == states.intervals.tolist()
    assert states.position[states.first].tolist() == [0] * 21
    assert states.position[states.last].tolist() == (states.intervals - 1).tolist()
    assert (states.tempo[states.last] == np.arange(21)).all()
    np.testing.assert_allclose(np.exp(states.log_change).sum(axis=1), 1.0)
    ratio = np.exp(states.log_change[0, 1] - states.log_change[0, 0])
    assert ratio == pytest.approx(np.exp(-100 * (41 / 40 - 1)))
    assert [int(states.on_beat[a : b + 1].sum()) for a, b in zip(states.first, states.last, strict=True)] == [
        int(np.ceil(interval / 16)) for interval in range(40, 61)
    ]


@pytest.mark.parametrize(("turns", "halved"), [(16, True), (15, False)])
def test_sixteen_beats_are_enough_to_take_turns(turns: int, halved: bool) -> None:
    activation, beats = taking_turns(0.6, 140)
    assert (len(drop_weak_beats(activation, RATE, beats[:turns])) < turns) == halved


@pytest.mark.parametrize(("bpm", "halved"), [(92, True), (88, False)])
def test_no_song_becomes_slower_than_the_slowest(bpm: int, halved: bool) -> None:
    activation, beats = taking_turns(0.6, bpm)
    assert (len(drop_weak_beats(activation, RATE, beats)) < len(beats)) == halved


@pytest.mark.parametrize(("weak", "halved"), [(0.76, True), (0.84, False)])
def test_weak_beats_are_under_a_share_of_the_strong_ones(weak: float, halved: bool) -> None:
    activation, beats = taking_turns(weak, 120)
    assert (len(drop_weak_beats(activation, RATE, beats)) < len(beats)) == halved
