"""The studio's symbols as the letters of IPA that Piper's voices learned, which are those of eSpeak NG's English.

They follow from the alphabet of the Kokoro family, which writes the same sounds with other letters; eSpeak NG itself is
not needed.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.speech.kokoro_alphabet import spell

LETTERS = {
    **{"A": "eɪ", "I": "aɪ", "O": "oʊ", "Q": "əʊ", "Y": "ɔɪ", "W": "aʊ"},
    **{"ʤ": "dʒ", "ʧ": "tʃ", "T": "ɾ", "ᵊ": "ə", "a": "æ"},
}
LONG = {"ɑ": "ɑː", "ɔ": "ɔː", "u": "uː"}  # in American English, where Kokoro's alphabet writes no length
STRESSED_LONG = {"i": "iː"}


def spell_espeak(symbols: Sequence[str], british: bool = False) -> list[str]:
    """Return the letters of each symbol (L,), "" for BOS and EOS.

    Args:
        symbols: BOS, phonemes, word breaks and punctuation, EOS, as `models.speech.text` makes them.
        british: for a British voice.
    """
    letters, counts = spell(symbols, british)
    spelled, at = [], 0
    for count in counts:
        piece = letters[at : at + count]
        spelled.append(_spell_british(piece) if british else _spell_american(piece))
        at += count
    return spelled


def _spell_american(piece: str) -> str:
    stress = piece[:1] if piece[:1] in "ˈˌ" else ""
    sound = piece[len(stress) :]
    if sound == "ɜɹ":
        return stress + "ɜː"
    if sound == "əɹ":
        return stress + "ɚ"
    if stress == "ˈ":
        sound = STRESSED_LONG.get(sound, sound)
    return stress + (LONG.get(sound) or LETTERS.get(sound, sound))


def _spell_british(piece: str) -> str:
    return "".join(LETTERS.get(letter, letter) for letter in piece)
