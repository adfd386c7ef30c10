"""Sounds that a person gives for a word: a dictionary of one's own, and `[word](/IPA/)` in the text.

What is written may be a respelling ("koo ber net eez"), IPA between slashes ("/ˌkubɚˈnɛtiz/") or ARPAbet with its
stress digits ("K UW2 B ER0 N EH1 T IY0 Z").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from models.speech.pronounce import STRESS_MARKS, in_lexicon, inventory_sounds
from models.speech.symbols import VOWELS

Dictionary = Sequence[tuple[str, str]]
Sounds = tuple[tuple[str, ...], ...]  # the phonemes of each word

_ARPABET = {
    **{"AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "aʊ", "AX": "ə", "AXR": "ɚ", "AY": "aɪ", "EH": "ɛ", "ER": "ɚ"},
    **{"EY": "eɪ", "IH": "ɪ", "IX": "ɪ", "IY": "i", "OW": "oʊ", "OY": "ɔɪ", "UH": "ʊ", "UW": "u", "UX": "u"},
    **{"B": "b", "CH": "t͡ʃ", "D": "d", "DH": "ð", "DX": "t", "F": "f", "G": "ɡ", "HH": "h", "HV": "h", "JH": "d͡ʒ"},
    **{"K": "k", "L": "l", "M": "m", "N": "n", "NG": "ŋ", "P": "p", "R": "ɹ", "S": "s", "SH": "ʃ", "T": "t", "TH": "θ"},
    **{"V": "v", "W": "w", "WH": "w", "Y": "j", "Z": "z", "ZH": "ʒ"},
}
_STRESS_OF_DIGIT = {"0": "", "1": "ˈ", "2": "ˌ", "": ""}
_ARPABET_TOKEN = re.compile(rf"({'|'.join(sorted(_ARPABET, key=len, reverse=True))})([012]?)")
_LETTERS_OF_IPA = str.maketrans(
    {"ʧ": "t͡ʃ", "ʤ": "d͡ʒ", "'": "ˈ", "’": "ˈ", "`": "ˈ", ",": "ˌ", "ᵊ": "ə", ":": "ː", "ᵻ": "ɪ"}
)
_SOUNDLESS = re.compile(r"[.·‿|()\[\]{}ˑ̩̯̆-]")
_RESPELLED = {  # each sound in letters, for a model that reads letters
    **{"ɑ": "ah", "æ": "a", "ɛ": "e", "i": "ee", "ɪ": "i", "ɔ": "aw", "ʊ": "oo", "ʌ": "u", "u": "oo", "ə": "uh"},
    **{"ɚ": "er", "eɪ": "ay", "aɪ": "eye", "oʊ": "oh", "ɔɪ": "oy", "aʊ": "ow", "t͡ʃ": "ch", "d͡ʒ": "j", "θ": "th"},
    **{"ð": "th", "ʃ": "sh", "ʒ": "zh", "ŋ": "ng", "ɹ": "r", "j": "y", "ɡ": "g"},
}
_ENDING = re.compile(r"(?:'s|s')(?!\w)")


@dataclass(frozen=True)
class Said:
    """A piece of the text whose words or sounds the person gave.

    Attributes:
        written: as it stands in the text.
        spoken: the text that is read in its place.
        sounds: the phonemes of its words, which then stand for `spoken`; () where `spoken` is read as any text.
        is_final: whether `spoken` is words already, and no rule is to change them.
    """

    written: str
    spoken: str
    sounds: Sounds = ()
    is_final: bool = False


def parse_sounds(text: str) -> Sounds | None:
    """Sounds of IPA between slashes or of ARPAbet with stress digits; None where the text is a respelling.

    Raises:
        ValueError: IPA between slashes that holds no sound of English.
    """
    bare = text.strip()
    arpabet = _parse_arpabet(bare.strip("{}/"))
    if arpabet:
        return arpabet
    if len(bare) < 3 or bare[0] + bare[-1] not in {"//", "[]"}:
        return None
    return parse_ipa(bare[1:-1])


def parse_ipa(ipa: str) -> Sounds:
    """Return the inventory's phonemes of each word of a string of IPA; the nearest English sound stands for any other.

    Raises:
        ValueError: the string holds no sound of English.
    """
    from gruut_ipa import Phonemes

    english = Phonemes.from_language("en-us")
    words = []
    for word in ipa.translate(_LETTERS_OF_IPA).split():
        phonemes = [phoneme.text for phoneme in english.split(_SOUNDLESS.sub("", word))]
        sounds = inventory_sounds(_stress_on_vowels(phonemes))
        if sounds:
            words.append(tuple(sounds))
    if not words:
        raise ValueError(f"/{ipa}/ holds no sound of English; write it in IPA, as in /həˈloʊ/, or as a respelling.")
    return tuple(words)


def check_dictionary(dictionary: Dictionary) -> None:
    """Raise ValueError, naming the word, unless each entry can be read."""
    for written, said in dictionary:
        try:
            sounds = parse_sounds(said)
        except ValueError as error:
            raise ValueError(f"The dictionary's entry for “{written}” cannot be read: {error}") from error
        if sounds is None and not re.search(r"[A-Za-zÀ-ɏ\d]", said):
            raise ValueError(f"The dictionary's entry for “{written}” is “{said}”; write how it sounds in letters.")


def respell(sounds: Sounds) -> str:
    """Sounds in letters, for a model that reads letters: "koobernetees"."""
    words = ("".join(_RESPELLED.get(s.lstrip(STRESS_MARKS), s.lstrip(STRESS_MARKS)) for s in word) for word in sounds)
    return " ".join(words)


class PersonalDictionary:
    """Finds a person's own words in a text.

    An entry is found in any case where it is written in small letters or is no English word ("PyTorch"); otherwise
    ("Polish", "US") only as it is written. The plural and the make_possessive of an entry are found with it.

    Raises:
        ValueError: an entry cannot be read.
    """

    def __init__(self, entries: Dictionary) -> None:
        check_dictionary(entries)
        self.exact = {" ".join(written.split()): said for written, said in entries if written.strip()}
        self.any_case = {
            written.lower(): said
            for written, said in self.exact.items()
            if written.islower() or not in_lexicon(written.lower())
        }
        spellings = sorted({*self.exact, *self.any_case}, key=len, reverse=True)
        pattern = "|".join(re.escape(spelling).replace(r"\ ", r"\s+") for spelling in spellings)
        self.pattern = re.compile(rf"(?<![\w@/.])({pattern})('s|s)?(?![\w@/]|\.\w)", re.I) if pattern else None

    def find(self, text: str) -> Iterable[tuple[int, int, Said]]:
        """(start, end, what is said) of each entry in a text, in order."""
        for match in self.pattern.finditer(text) if self.pattern else ():
            written = " ".join(match[1].split())
            said = self.exact.get(written) or self.any_case.get(written.lower())
            if said:
                yield match.start(), match.end(), read_entry(match[0], said, match[2] or "")


def make_possessive(said: Said) -> Said:
    """Return the same with "'s" after it."""
    if not said.sounds:
        return Said(f"{said.written}'s", f"{said.spoken}'s", (), said.is_final)
    sounds = (*said.sounds[:-1], (*said.sounds[-1], *_plural_sound(said.sounds[-1][-1])))
    return Said(f"{said.written}'s", respell(sounds), sounds)


def read_entry(written: str, said: str, ending: str = "") -> Said:
    """Read what an entry of a dictionary says, with "s" or "'s" added to its last sound."""
    sounds = parse_sounds(said)
    plain = Said(written, _plain_respelling(said)) if sounds is None else Said(written, respell(sounds), sounds)
    return replace(make_possessive(plain), written=written) if ending else plain


def _plural_sound(last: str) -> tuple[str, ...]:
    if last in {"s", "z", "ʃ", "ʒ", "t͡ʃ", "d͡ʒ"}:
        return ("ɪ", "z")
    return ("s",) if last in {"p", "t", "k", "f", "θ"} else ("z",)


def _plain_respelling(said: str) -> str:
    """Write a respelling without hyphens; its stressed syllable in capitals ("koo-ber-NET-eez") is no initialism."""
    return said.replace("-", " ").lower() if "-" in said else said


def _parse_arpabet(text: str) -> Sounds | None:
    words = [[_ARPABET_TOKEN.fullmatch(token) for token in word.split()] for word in text.split("  ")]
    tokens = [token for word in words for token in word]
    if not tokens or not all(tokens) or not any(token[2] for token in tokens if token):
        return None
    said = []
    for word in words:
        sounds = []
        for token in word:
            assert token is not None
            sound = _ARPABET[token[1]]
            sound = "ə" if sound == "ʌ" and token[2] == "0" else sound
            sounds.append(_STRESS_OF_DIGIT[token[2]] + sound if sound in VOWELS else sound)
        said.append(tuple(sounds))
    return tuple(said)


def _stress_on_vowels(phonemes: list[str]) -> list[str]:
    """Stress marks moved from the consonant that begins a syllable to its vowel."""
    moved, stress = [], ""
    for phoneme in phonemes:
        mark, bare = (phoneme[0], phoneme[1:]) if phoneme[:1] in STRESS_MARKS and phoneme else ("", phoneme)
        stress = mark or stress
        is_vowel = any(sound in VOWELS for sound in inventory_sounds([bare]))
        moved.append(stress + bare if is_vowel else bare)
        stress = "" if is_vowel else stress
    return moved
