"""The attributes that a person can turn, as the speech model sees them: measured from the data, asked at inference.

An attribute's value is its distance from the voice's own mean, scaled so that the usual range is about -1 to 1:

| attribute | measured on a clip | unit of distance | divided by |
|---|---|---|---|
| speed | symbols spoken in a second, silence at the ends cut | octaves (log2 of the ratio) | 1 |
| pitch | mean of the logarithm of F0 over voiced frames | semitones | 6 |
| energy | RMS level over the clip | dB | 10 |
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from models.contracts import SpeechRequest

if TYPE_CHECKING:
    from models.speech.text import Utterance

ATTRIBUTES = ("speed", "pitch", "energy")
SEMITONES_PER_UNIT = 6.0
DB_PER_UNIT = 10.0


@dataclass(frozen=True)
class MeasuredAttributes:
    """An utterance's measured attributes, or a voice's means of them."""

    symbols_per_s: float
    log_f0: float
    level_db: float

    def relative_to(self, mean: MeasuredAttributes) -> tuple[float, float, float]:
        """Return the distances from `mean` in the model's units, ordered as ATTRIBUTES."""
        return (
            math.log2(self.symbols_per_s / mean.symbols_per_s),
            12.0 * (self.log_f0 - mean.log_f0) / math.log(2) / SEMITONES_PER_UNIT,
            (self.level_db - mean.level_db) / DB_PER_UNIT,
        )


def average_measurements(measures: list[MeasuredAttributes]) -> MeasuredAttributes:
    """Return the mean of each attribute over clips."""
    table = np.array([[m.symbols_per_s, m.log_f0, m.level_db] for m in measures], dtype=np.float64)
    return MeasuredAttributes(*(float(v) for v in table.mean(axis=0)))


def compute_attributes(request: SpeechRequest) -> tuple[float, float, float]:
    """Return what a request asks, in the model's units, ordered as ATTRIBUTES."""
    return (math.log2(request.speed), request.pitch_semitones / SEMITONES_PER_UNIT, request.energy_db / DB_PER_UNIT)


def compute_symbol_attributes(request: SpeechRequest, utterance: Utterance) -> list[tuple[float, ...]]:
    """Return what a request and the turns of an utterance ask of each symbol, in the model's units and ranges."""
    values: list[tuple[float, ...]] = [compute_attributes(request)] * len(utterance.symbols)
    for turn in utterance.turns:
        prosody = turn.prosody
        turned = replace(
            request,
            speed=min(max(request.speed * prosody.rate, 0.5), 2.0),
            pitch_semitones=min(max(request.pitch_semitones + prosody.pitch_semitones, -6.0), 6.0),
            energy_db=min(max(request.energy_db + prosody.volume_db, -10.0), 10.0),
        )
        values[turn.start : turn.end] = [compute_attributes(turned)] * (turn.end - turn.start)
    return values
