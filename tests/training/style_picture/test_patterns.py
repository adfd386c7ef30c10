"""Patterns drawn by rule."""

from __future__ import annotations

import numpy as np
import pytest

from training.style_picture.patterns import PATTERNS, draw_pattern


@pytest.mark.parametrize("kind", PATTERNS)
def test_patterns_are_the_same_again(kind: str) -> None:
    first = draw_pattern(kind, 5, 48)
    assert first.shape == (48, 48, 3) and np.array_equal(first, draw_pattern(kind, 5, 48))
    assert not np.array_equal(first, draw_pattern(kind, 6, 48)) and first.std() > 4
