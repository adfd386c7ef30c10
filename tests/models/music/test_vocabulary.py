"""The vocabulary's table, and its nearest values."""

from __future__ import annotations

import pytest

from models.music import vocabulary as v


def test_every_token_belongs_to_one_kind_and_is_told_by_name() -> None:
    names = [v.name_token(token) for token in range(v.VOCABULARY_SIZE)]
    assert len(set(names)) == v.VOCABULARY_SIZE == sum(count for _, count, _ in v.TABLE)
    for kind in v.KINDS:
        for value in range(kind.count):
            assert v.split_token(kind.to_token(value)) == (kind, value)
    assert v.name_token(v.PITCH.to_token(60)) == "Pitch_60"
    assert v.PAD.to_token() == 0


@pytest.mark.parametrize("token", [-1, v.VOCABULARY_SIZE])
def test_a_number_outside_is_refused(token: int) -> None:
    with pytest.raises(ValueError, match="must be from 0 to"):
        v.split_token(token)


def test_a_value_outside_its_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="Pitch is 128; it must be from 0 to 127"):
        v.PITCH.to_token(128)


def test_the_grid_holds_triplets_and_dotted_notes_exactly() -> None:
    quarter = v.POSITIONS_PER_QUARTER
    for part in (8, 6, 4, 3, 2):  # thirty-seconds, sixteenth triplets, sixteenths, eighth triplets, eighths
        assert quarter % part == 0
        assert quarter // part in v.DURATIONS
    for quarters in (2 / 3, 0.75, 1.5, 4 / 3, 3, 2.5, 3.5, 4, 6, 8, 16):
        assert quarters * quarter in v.DURATIONS


def test_durations_round_to_within_their_step() -> None:
    for positions in range(1, v.DURATIONS[-1] + 1):
        nearest = v.DURATIONS[v.find_duration(positions)]
        step = next(s for end, s in ((24, 1), (48, 2), (96, 4), (192, 12), (384, 24)) if positions <= end)
        assert abs(nearest - positions) <= step // 2
        fitting = v.fit_duration(positions)
        assert fitting <= positions < fitting + step
        assert fitting in v.DURATIONS
    assert v.find_duration(0) == 0
    assert v.DURATIONS[v.find_duration(10**9)] == v.DURATIONS[-1]


def test_tempo_is_within_1_8_percent_and_clamped() -> None:
    for tempo in range(30, 267):
        assert abs(v.TEMPI[v.find_tempo(tempo)] / tempo - 1) < 0.018
    assert v.find_tempo(1e-30) == 0
    assert v.find_tempo(1e30) == len(v.TEMPI) - 1


@pytest.mark.parametrize(
    ("asked", "given"),
    [((4, 4), (4, 4)), ((12, 8), (12, 8)), ((1, 1), (4, 4)), ((12, 32), (3, 8)), ((5, 32), (4, 4)), ((99, 4), (4, 4))],
)
def test_meters_outside_the_table_become_one_as_long_or_common_time(
    asked: tuple[int, int], given: tuple[int, int]
) -> None:
    assert v.METERS[v.find_meter(*asked)] == given


def test_every_meter_fits_the_positions() -> None:
    lengths = [v.count_positions(index) for index in range(len(v.METERS))]
    assert max(lengths) == v.MAX_BAR_POSITIONS == v.POSITION.count
    assert len(set(v.METERS)) == len(v.METERS)
