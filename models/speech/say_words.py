"""Words that are not said as they are written: initialisms, capitals, addresses, mixed codes."""

from __future__ import annotations

import re

from models.speech.abbreviations import LETTERS, spell
from models.speech.clean import fold
from models.speech.pronounce import in_lexicon
from models.speech.say_numbers import digits, plain_number, whole


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


WHOLE_WORDS = {
    **{"c++": "see plus plus", "c#": "see sharp", "f#": "eff sharp", "r&b": "ar and bee"},
    **{"at&t": "ey tee and tee", "r&d": "ar and dee", "q&a": "cue and ey", "i/o": "eye oh", "phd": "pee aitch dee"},
    **{"wi-fi": "why fye", "wifi": "why fye", "sci-fi": "sigh fye", "vs": "versus", "mr": "mister", "mrs": "missus"},
    **{"dr": "doctor", "jpeg": "jay peg", "ceo": "see ee oh", "ok": "okay", "tv": "tee vee", "sql": "ess cue el"},
    **{"ios": "eye oh ess", "macos": "mac oh ess", "ipados": "eye pad oh ess"},
}
# Capitals that the lexicon holds as a word, but that are spelled.
SPELLED = _words(
    "abc adhd ai api atm bbc ceo cfo cia cnn cpu css diy dj dna dvd eu fda fbi fm gps gpu hr html http https "
    "ibm id iq led llc mit mri mtv nba nfl nhl nyc nsa pc pdf phd pr pvc qr rna rsvp sat sms sos sql tv ufo uk "
    "un uri url usa usb ussr uv vip vp www xml est edt cst cdt mst mdt pst pdt akst hst gmt utc cet cest eet bst ist"
    " jst aest aedt"
)
SPELLED_UNLESS_SHOUTED = {"us", "it", "am", "pm", "who", "er", "ad", "la"}
SAID_AS_WORDS = _words("ram covid gif ikea imax lidar nasdaq opec pytorch numpy github linux")
SOUNDS = {"brr", "grr", "pfft", "psst", "shh", "sh", "hmm", "mm", "mhm", "tsk", "zzz", "hm"}
SHORT_WORDS = _words(
    "am an as at be by do go he hi if in is it me my no of oh ok on or so to up us we ah uh ha yo ma pa"
)
SAID_MARKS = {
    **{".": "dot", "/": "slash", "-": "dash", "_": "underscore", "@": "at", "?": "question mark", "=": "equals"},
    **{"&": "and", "#": "hash", "%": "percent", "+": "plus", "~": "tilde", ":": "colon"},
}
TOP_DOMAINS = (
    "com|org|net|edu|gov|mil|int|info|biz|io|ai|app|dev|co|me|tv|uk|us|de|fr|it|es|nl|eu|ca|au|jp|cn|in|ru|ch|at|be"
    "|se|no|dk|fi|pl|br|mx|nz|ie|online|site|xyz|tech|blog|shop|space|live|museum"
)
_SAID_DOMAINS = {"com", "org", "net", "gov", "mil", "info", "biz", "app", "dev", "online", "site", "tech", "blog"}
_VOWEL = re.compile(r"[aeiouy]")
_HARD_TO_SAY = re.compile(r"[^aeiouy]{4}|^[^aeiouy]{3}|q(?!u)|[aeiouy]{4}")
_PARTS = re.compile(r"[A-Za-z]+|\d+|[^A-Za-z\d]")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
MAX_SAID_NUMBER_DIGITS = 4


def say_word(word: str, shouted: bool = False) -> str:
    """Say a word of letters, with apostrophes and hyphens.

    Args:
        word: as written.
        shouted: whether its neighbours are capitals too.
    """
    known = WHOLE_WORDS.get(word.lower())
    if known:
        return known
    parts = word.split("-")
    if len(parts) > 1:
        return " ".join(filter(None, (say_word(part, shouted) for part in parts)))
    folded = fold(word)
    stem, ending = _without_ending(folded)
    if len(stem) > 1 and stem.isupper():
        return _say_capitals(stem, shouted) + ending
    if "'" not in folded and not folded.islower() and not folded.istitle() and not in_lexicon(folded.lower()):
        pieces = _CAMEL.split(folded)
        if len(pieces) > 1:
            return " ".join(say_word(piece) for piece in pieces)
    small = folded.lower()
    is_code = folded.isalpha() and not _VOWEL.search(small) and small not in SOUNDS and not in_lexicon(small)
    return spell(folded) if is_code and len(folded) < 6 else folded


def say_mixed(word: str) -> str:
    """Letters and digits in one word ("MP3", "COVID-19", "1080p"): letters as a word or spelled, digits as numbers."""
    said = []
    for part in _PARTS.findall(fold(word)):
        if part.isdigit():
            said.append(_say_digits(part))
        elif part.isalpha():
            said.append(spell(part) if part.isupper() and len(part) < 4 else _say_part(part))
    return " ".join(said)


def say_address(address: str) -> str:
    """Say an e-mail or web address or a file path: "bob at example dot com"."""
    said = []
    for part in _PARTS.findall(fold(address)):
        if part.isdigit():
            said.append(_say_digits(part))
        elif part.isalpha():
            said.append(part.lower() if part.lower() in _SAID_DOMAINS else _say_part(part))
        elif part in SAID_MARKS:
            said.append(SAID_MARKS[part])
    return " ".join(said)


def _say_digits(text: str) -> str:
    if len(text) == MAX_SAID_NUMBER_DIGITS and text[0] != "0":
        return plain_number(text)
    return whole(text) if len(text) <= MAX_SAID_NUMBER_DIGITS else digits(text)


def _say_part(part: str) -> str:
    """Say a piece of an address or a code: a known or pronounceable word, else its letters."""
    small = part.lower()
    if small in LETTERS or small in SPELLED:
        return spell(small)
    if small in SHORT_WORDS or (len(small) > 2 and in_lexicon(small)):
        return small
    pieces = _CAMEL.split(part)
    if len(pieces) > 1:
        return " ".join(_say_part(piece) for piece in pieces)
    return small if len(small) > 3 and _can_be_said(small) else spell(small)


def _without_ending(word: str) -> tuple[str, str]:
    """(capitals, "s" or "'s" as it is added to the last letter's name) of a word such as "CDs" and "NASA's"."""
    for ending in ("'s", "s"):
        if word.endswith(ending) and len(word) > len(ending) + 1 and word[: -len(ending)].isupper():
            return word[: -len(ending)], "'s"
    return word, ""


def _say_capitals(word: str, shouted: bool) -> str:
    small = word.lower()
    if "'" in word:
        return small
    if small in SPELLED_UNLESS_SHOUTED:
        return small if shouted else spell(small)
    if small in SPELLED:
        return spell(small)
    if len(small) == 2:
        return small if small in SHORT_WORDS else spell(small)
    if small in SAID_AS_WORDS or small in SOUNDS or (_VOWEL.search(small) and in_lexicon(small)):
        return small
    long_enough = len(small) > (3 if shouted else 5)
    return small if long_enough and _can_be_said(small) else spell(small)


def _can_be_said(small: str) -> bool:
    return bool(_VOWEL.search(small)) and not _HARD_TO_SAY.search(small)
