"""A small text table for the tests of the recipes."""

from __future__ import annotations

import pytest
import torch

from models.video.text_embedding import TextTable
from tests.training.video.debug_plan import CONFIG, WORDS


@pytest.fixture
def table() -> TextTable:
    """Return a few words."""
    vectors = torch.randn(len(WORDS), CONFIG.text_width, generator=torch.Generator().manual_seed(0))
    return TextTable(WORDS, vectors)
