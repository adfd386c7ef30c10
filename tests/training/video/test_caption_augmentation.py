"""Captions of which pieces are left out, replaced and put in."""

from __future__ import annotations

import numpy as np
import torch

from models.video.text_embedding import TextTable
from tests.training.video.debug_plan import WORDS
from training.video.caption_augmentation import AugmentationRates, CaptionAugmenter


def test_captions_are_disturbed_but_never_by_words_that_are_held_out() -> None:
    words = ["red", "reddish", "crimson", "ocean", "sea", "table", "##s"]
    near = torch.eye(4)[[0, 0, 0, 1, 1, 2, 3]] + 0.01 * torch.arange(7)[:, None]
    table, rng = TextTable(words, near), np.random.default_rng(0)
    plan = AugmentationRates(left_out=0.2, replaced=0.4, put_in=0.2)
    loose = CaptionAugmenter(table, ["red ocean"], ["crimson sea"], plan)
    assert loose.neighbours == {0: [1]}
    rows = [loose.augment([0, 3], rng) for _ in range(300)]
    used = {number for row in rows for number in row}
    assert used == {0, 1, 3, 5}, "of the rest, two are held out and one is no word"
    assert all(rows) and any(len(row) == 1 for row in rows) and any(len(row) > 2 for row in rows)
    vectors, said = loose.embed(["red ocean", ""], 4, rng)
    assert not vectors[~said].any() and vectors[said].std() > 0.1
    plain = CaptionAugmenter(table, ["red ocean"], [], AugmentationRates(0.0, 0.0, 0.0, noise=0.0))
    assert torch.equal(plain.embed(["ocean red"], 4, rng)[0], table.embed(["ocean red"], 4)[0])


def test_every_word_may_be_known(table: TextTable) -> None:
    loose = CaptionAugmenter(table, WORDS, [], AugmentationRates(put_in=1.0, left_out=0.0))
    assert loose.augment([1, 3], np.random.default_rng(0)) == [1, 3]
