"""The studio's symbols in the alphabet of the Kokoro family, one symbol at a time.

Kokoro and hibari are fed with the studio's own symbols, so that nothing else turns words into sounds, and their
durations, one a letter of this alphabet, sum up to durations of the symbols: no aligner is needed. American flaps and
syllabic consonants, and the British vowels without r, follow from the neighbours of a symbol.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.speech.symbols import BETWEEN_WORDS, BOS, EOS, PAD, PUNCTUATION, STRESSES, VOWELS, WORD_BREAK

SILENT = (PAD, BOS, EOS)
AMERICAN = {
    **{"t͡ʃ": "ʧ", "d͡ʒ": "ʤ", "eɪ": "A", "aɪ": "I", "oʊ": "O", "ɔɪ": "Y", "aʊ": "W"},
    **{mark: mark for mark in PUNCTUATION},
}
BRITISH = {**AMERICAN, "oʊ": "Q", "æ": "a", "u": "uː", "ɑ": "ɒ", "ɔ": "ɔː"}
BRITISH_BEFORE_R = {"ɑ": "ɑ", "ɔ": "ɔ", "ɛ": "ɛ", "ɪ": "ɪ", "i": "ɪ", "ʊ": "ʊ", "u": "ʊ"}
LENGTHENED = ("ɑ", "ɔ", "ɛ")  # by an r that British English does not say; after other vowels it is a schwa
CLOTH = ("f", "θ", "s", "ŋ", "ɡ", "n")  # before these, American "ɔ" is the vowel of "lot" in British English


def strip_stress(symbol: str) -> tuple[str, str]:
    """Part a symbol into its stress mark or "" and the rest."""
    stress = symbol[:1] if symbol[:1] in STRESSES[1:] else ""
    return stress, symbol[len(stress) :]


def spell(symbols: Sequence[str], british: bool = False) -> tuple[str, list[int]]:
    """Spell an utterance in the alphabet.

    Args:
        symbols: BOS, phonemes, word breaks and punctuation, EOS, as `models.speech.text` makes them.
        british: for a British voice.

    Returns:
        the letters, and how many of them each symbol has: at least one, but none for BOS and EOS.
    """
    bare = [strip_stress(symbol)[1] for symbol in symbols]
    say = _say_british if british else _say_american
    spelled, counts = [], []
    for place, symbol in enumerate(symbols):
        stress = strip_stress(symbol)[0]
        letters = "" if symbol in SILENT else say(symbols, bare, place)
        spelled.append(stress + letters)
        counts.append(len(stress + letters))
    return "".join(spelled), counts


def _say_american(symbols: Sequence[str], bare: list[str], place: int) -> str:
    sound, before, after = bare[place], bare[place - 1], bare[place + 1]
    stress, next_stress = symbols[place][:1] in STRESSES[1:], symbols[place + 1][:1] in STRESSES[1:]
    if sound == "ɚ":
        return "ɜɹ" if stress else "əɹ"
    if sound in "ʌə" and not stress and _is_alone(bare, place):
        return "ɐ"
    ends_word = bare[place + 2 : place + 3] and _is_edge(bare[place + 2])
    if sound == "ə" and not stress and ends_word and (before, after) in SYLLABIC:
        return "ᵊ"
    if sound == "t" and (before in VOWELS or before == "ɹ") and after in VOWELS and not next_stress:
        return "t" if bare[place + 1 : place + 3] == ["ə", "n"] else "T"
    return AMERICAN.get(sound, sound)


SYLLABIC = {(before, after) for before in ("t", "d") for after in ("l", "n")} | {("k", "l"), ("p", "l"), ("b", "l")}
"""Sounds around a schwa that is hardly said, as in "little", "button"."""


def _say_british(symbols: Sequence[str], bare: list[str], place: int) -> str:
    sound, after = bare[place], bare[place + 1]
    stress = symbols[place][:1] in STRESSES[1:]
    if sound == "ɹ":
        return _say_british_r(bare, place)
    if sound == "ɚ":
        return ("ɜː" if stress else "ə") + ("ɹ" if _starts_vowel(bare, place + 1) else "")
    ends_in_r = after == "ɹ" and (_is_edge(bare[place + 2]) or not _starts_vowel(bare, place + 2))
    if ends_in_r and sound in BRITISH_BEFORE_R:
        return BRITISH_BEFORE_R[sound]
    if sound in "ʌə" and not stress and _is_alone(bare, place):
        return "ɐ"
    if sound == "i":
        return "iː" if stress else "i"
    return "ɒ" if sound == "ɔ" and after in CLOTH else BRITISH.get(sound, sound)


def _say_british_r(bare: list[str], place: int) -> str:
    """Say an r before vowels alone; else it lengthens the vowel before it, or is a schwa."""
    before, after = bare[place - 1], bare[place + 1]
    if _starts_vowel(bare, place + 1):
        return "ːɹ" if before in LENGTHENED and _is_edge(after) else "ɹ"
    if before in LENGTHENED:
        return "ː"
    return "ə" if before in VOWELS and before != "ɚ" else "ɹ"


def _is_edge(sound: str) -> bool:
    return sound in BETWEEN_WORDS or sound in SILENT


def _is_alone(bare: list[str], place: int) -> bool:
    """Tell whether a vowel is a word of its own: the article."""
    return _is_edge(bare[place - 1]) and _is_edge(bare[place + 1])


def _starts_vowel(bare: list[str], place: int) -> bool:
    """Tell whether a vowel follows, in this word or at the start of the next."""
    if place < len(bare) and bare[place] == WORD_BREAK:
        place += 1
    return place < len(bare) and bare[place] in VOWELS
