"""Words of a prompt that are typed a little wrong, put right where one known word is meant.

A word that the text table has as a whole is a word of its own and stays.
"""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from functools import lru_cache

from models.video.plurals import to_plural
from models.video.text_embedding import TextTable, split_words
from models.video.thing_parsing import Lexicon, list_verbs
from models.video.thing_tables import NUMBERS, SIZE_WORDS, TIME_WORDS
from models.video.thing_words import PLACES

SHORTEST, ALIKE = 5, 0.79  # letters of a word that is put right, and the share of them that is right already


def mend_typos(prompt: str, table: TextTable, lexicon: Lexicon, known: Collection[str]) -> str:
    """Put words right that are no words but nearly a thing's name, a verb, a place, a time, or one of `known`."""
    words = split_words(prompt)
    strange = {word for word in words if len(word) >= SHORTEST and word.isalpha() and word not in table.index}
    mended = {}
    meant = _list_meant(lexicon)
    for word in strange - meant - set(known):
        near = get_close_matches(word, sorted(meant | set(known)), 1, ALIKE)
        if near and near[0][0] == word[0] and abs(len(near[0]) - len(word)) <= 1:
            mended[word] = near[0]
    return " ".join(mended.get(word, word) for word in words) if mended else prompt


@lru_cache(maxsize=4)
def _list_meant(lexicon: Lexicon) -> frozenset[str]:
    """List the words that may be meant: of things, how many, how large, what they do, where and when."""
    names = {word for name in lexicon.names for word in name}
    tables = [PLACES, TIME_WORDS, SIZE_WORDS]
    others = {word for each in tables for own in each.values() for word in own}
    return frozenset(names | {to_plural(name) for name in names} | others | list_verbs().keys() | NUMBERS.keys())
