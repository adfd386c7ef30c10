"""The symbol inventory of the shipped speech model: phonemes of American English with their stress, and punctuation.

The order is part of the trained weights: append, never reorder.
"""

from __future__ import annotations

PAD, BOS, EOS, WORD_BREAK = "_", "^", "~", " "
PUNCTUATION = (",", ".", "?", "!", ";", ":")
VOWELS = ("ɑ", "æ", "ɛ", "i", "ɪ", "ɔ", "ʊ", "ʌ", "u", "ə", "ɚ", "eɪ", "aɪ", "oʊ", "ɔɪ", "aʊ")
CONSONANTS = (
    *("p", "b", "t", "d", "k", "ɡ", "t͡ʃ", "d͡ʒ", "f", "v", "θ", "ð", "s", "z"),
    *("ʃ", "ʒ", "h", "l", "m", "n", "ŋ", "ɹ", "w", "j"),
)
STRESSES = ("", "ˈ", "ˌ")
BETWEEN_WORDS = frozenset({WORD_BREAK, *PUNCTUATION})
"""What stands between words, where a voice may pause."""

SYMBOLS: tuple[str, ...] = (
    PAD,
    BOS,
    EOS,
    WORD_BREAK,
    *PUNCTUATION,
    *CONSONANTS,
    *(stress + vowel for vowel in VOWELS for stress in STRESSES),
)
SYMBOL_IDS: dict[str, int] = {symbol: index for index, symbol in enumerate(SYMBOLS)}


def encode(symbols: tuple[str, ...] | list[str]) -> list[int]:
    """Turn symbols into ids; KeyError names a symbol that is not in the inventory."""
    return [SYMBOL_IDS[symbol] for symbol in symbols]
