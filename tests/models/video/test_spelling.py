"""Words typed a little wrong."""

from __future__ import annotations

import pytest

from models.registry.registry import WEIGHTS_DIR
from models.video.cutouts import CUTOUT_NAMES, CUTOUT_PICTURES, load_cutouts
from models.video.prompt_parsing import list_known_words
from models.video.spelling import mend_typos
from models.video.text_embedding import TEXT_WEIGHTS, load_text_table

LEXICON = load_cutouts(WEIGHTS_DIR / CUTOUT_PICTURES, WEIGHTS_DIR / CUTOUT_NAMES).lexicon
TABLE = load_text_table(WEIGHTS_DIR / TEXT_WEIGHTS)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("an elefant in the oceaan", "an elephant in the ocean"),
        ("hot air ballon over mountains", "hot air balloon over mountains"),
        ("a butterfy, dancing", "a butterfly , dancing"),
        ("a bench on the stage", "a bench on the stage"),
        ("asdfgh qwerty", "asdfgh qwerty"),
        ("Two Cats", "Two Cats"),
    ],
)
def test_what_is_no_word_is_read_as_the_nearest(typed: str, meant: str) -> None:
    assert mend_typos(typed, TABLE, LEXICON, list_known_words()) == meant
