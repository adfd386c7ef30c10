"""The chorale benchmark: tokens, keys, what is judged, and that it learns."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from training.music.chorales import (
    REST,
    VOCABULARY,
    ChoraleRecipe,
    ChoraleTransformer,
    Crops,
    list_transpositions,
    measure_nll,
    measure_voice_ranges,
    read_splits,
    serialise,
    train_chorales,
    transpose,
)

pytestmark = pytest.mark.slow

TINY = ChoraleRecipe(width=16, layers=1, heads=2, feedforward=32, dropout=0.0, rows=2, steps=12, warmup_steps=2)


def chorale(steps: int = 90, shift: int = 0) -> list[list[int]]:
    return [[72 + shift + i // 4 % 3, 64 + shift, 55 + shift, 48 + shift] for i in range(steps)]


def test_raster_order_and_rests() -> None:
    assert serialise([[72, 64, 55, 48], [71.0, 62.0], []]).tolist() == [72, 64, 55, 48, 71, 62] + [REST] * 6


def test_every_voice_stays_in_its_range() -> None:
    pieces = [serialise(chorale()), serialise(chorale(shift=3))]
    ranges = measure_voice_ranges(pieces)
    assert list_transpositions(pieces[0], ranges) == [0, 1, 2, 3]
    moved = transpose(serialise([[72], []]), 2)
    assert moved.tolist() == [74] + [REST] * 7


def test_crops_hold_what_follows_at_their_place() -> None:
    piece = serialise(chorale(200))
    crops = Crops([piece], seed=0)
    for _ in range(5):
        inputs, places, targets = (x.numpy() for x in crops.draw_rows(2))
        for row in range(2):
            first = int(places[row, 0])
            assert first % 4 == 0 and np.array_equal(targets[row], piece[first : first + 256])
            assert np.array_equal(inputs[row, 1:], targets[row, :-1])


@pytest.mark.parametrize("position", ["relative", "absolute"])
@pytest.mark.parametrize("steps", [3, 64, 65, 100, 161])
def test_an_even_guess_costs_the_logarithm_of_the_vocabulary_for_every_token(position: str, steps: int) -> None:
    model = ChoraleTransformer(TINY.make_config(position))
    torch.nn.init.zeros_(model.embedding.weight)
    pieces = [serialise(chorale(steps))]
    assert measure_nll(model, pieces) == pytest.approx(np.log(VOCABULARY), rel=1e-5)


def test_the_future_is_not_seen() -> None:
    torch.manual_seed(0)
    model = ChoraleTransformer(TINY.make_config("relative")).eval()
    tokens = torch.randint(0, 128, (1, 20))
    changed = tokens.clone()
    changed[0, 12:] = 5
    places = torch.arange(20)[None]
    torch.testing.assert_close(model(tokens, places)[:, :12], model(changed, places)[:, :12])


def test_it_trains_is_kept_and_judged(tmp_path: Path) -> None:
    path = tmp_path / "jsb.json"
    path.write_text(json.dumps({"train": [chorale()], "valid": [chorale(70)], "test": [chorale(80)]}))
    results = train_chorales(path, "relative", TINY, tmp_path / "a.pt")
    assert results["steps"] == 12 and results["test"] < np.log(VOCABULARY)
    again = train_chorales(path, "relative", TINY, tmp_path / "a.pt")
    assert again == results


def test_another_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text('{"train": 3}')
    with pytest.raises(ValueError, match="is not the JSB chorales on sixteenths"):
        read_splits(path)
