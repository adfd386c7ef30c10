"""The meter: what is given up before sound is lost, and given back."""

from __future__ import annotations

import numpy as np
import pytest

from models.live.load_monitor import LEAST_WORK, LEVEL_SAYS, STOPPED, LoadMonitor
from models.live.music_stream import LiveChunk


def chunk(took_s: float = 0.01, waited: bool = False) -> LiveChunk:
    return LiveChunk(np.zeros((2, 4410), np.float32), 0, 44_100, took_s=took_s, waited=waited)


def test_the_meter_counts_and_steps_down_before_sound_is_lost_and_up_again() -> None:
    meter = LoadMonitor()
    now = 0.0
    for _ in range(40):
        meter.count(chunk(), 0.3)
        assert meter.govern(now, 0.4, 0.45) == 0
        now += 0.1
    assert meter.share == pytest.approx(0.1)
    seen = [0]
    for _ in range(200):
        meter.count(chunk(), 0.05)
        seen.append(meter.govern(now, 0.1, 0.45))
        now += 0.1
    assert sorted(set(seen)) == list(range(LEAST_WORK + 1))  # one after another, pictures first
    assert seen == sorted(seen)
    assert meter.late == 0
    meter.count(chunk(), -0.01)
    assert meter.late == 1
    assert meter.report(0.1, 2.0).says == LEVEL_SAYS[LEAST_WORK]
    for _ in range(160):
        meter.count(chunk(), 0.3)
        meter.govern(now, 0.45, 0.45)
        now += 0.1
    assert meter.level == STOPPED
    assert len(LEVEL_SAYS) == LEAST_WORK + 1


def test_a_bar_that_was_not_written_in_time_costs_quality_at_once() -> None:
    meter = LoadMonitor(has_pictures=False)
    meter.count(chunk(took_s=9.0, waited=True), 0.2)  # the first bar: nobody hears that it took long
    assert meter.govern(10.0, 0.45, 0.45) == 0
    meter.count(chunk(waited=True), 0.2)
    assert meter.govern(20.0, 0.45, 0.45) == LEAST_WORK
    assert "half the work" in meter.report(0.4, 1.0).says
