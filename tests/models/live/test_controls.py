"""The knobs: wrong ones are named, and keys are the vocabulary's."""

from __future__ import annotations

import pytest

from models.live.controls import LiveControls
from models.music.vocabulary import KEYS


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"tempo": 20.0}, "tempo is 20.0; it must be a number from 50 to 180"),
        ({"tonic": "H"}, "tonic is 'H'"),
        ({"mode": "dorian"}, "mode is 'dorian'"),
        ({"density": float("nan")}, "density"),
        ({"instruments": (1, 2, 3, 4, 5)}, "up to 4"),
        ({"instruments": (200,)}, "instrument is 200"),
        ({"instruments": (), "drums": False}, "somebody must play"),
        ({"intensity": 2.0}, "intensity"),
        ({"style": "jazz"}, "style is 'jazz'"),
    ],
)
def test_a_wrong_knob_is_told_in_a_sentence(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        LiveControls(**wrong)  # type: ignore[arg-type]


def test_keys_are_rows_of_the_vocabulary() -> None:
    assert KEYS[LiveControls(tonic="Eb", mode="minor").key] == "Eb minor"
