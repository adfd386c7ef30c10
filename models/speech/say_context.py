"""What stands around a match: which words are a noun's, which begin a sentence."""

from __future__ import annotations

import re

_FUNCTION = (
    "a an and are as at be been but by can could did do does for from had has have he her him his i if in into is it"
    " its may me might more must my no nor not now of off on or our out over per she should so than that the their"
    " them then there these they this those through to under until up us was we were when where which while who will"
    " with would you your"
)
FUNCTION_WORDS = frozenset(_FUNCTION.split())
_AFTER_AMOUNTS = (
    " above across after again ago ahead along already also altogether always among apart around away back because"
    " before behind below beneath between beyond down during each early earlier else enough even ever every extra"
    " however instead just last late later left less maximum minimum most much near next once only otherwise plus"
    " right since still today together tomorrow tonight too total towards unless versus what whereas why within"
    " without yesterday yet went goes go came come gets get got made makes make took takes"
)
NOT_DESCRIBED = FUNCTION_WORDS | frozenset(_AFTER_AMOUNTS.split())
"""Words after an amount that the amount does not describe: "the five dollars he left"."""
_DETERMINED = re.compile(
    r"\b(?:[Aa]n?|[Tt]h(?:e|is|at)|[Ee]ach|[Ee]very|[Hh]is|[Hh]er|[Ii]ts|[Mm]y|[Oo]ur|[Yy]our|[Tt]heir|[Aa]nother|[Aa]ny"
    r"|[Nn]o|[A-Za-z]+'s)\s(?:([a-z]+)\s)?$"
)
_DESCRIBED = re.compile(r"[\s-]([a-z]{2,})\b(?!\.\w)")
_STARTERS = (
    " additionally afterwards all although another any are besides both call come did each either every everyone"
    " finally first furthermore go here how however is later let many maybe meanwhile moreover most neither next"
    " nobody nothing one our perhaps please several since some someone something sometimes soon still suddenly take"
    " thanks therefore thus today together tomorrow was were what whatever when whether who whose why yes yesterday"
)
STARTERS = (FUNCTION_WORDS | frozenset(_STARTERS.split())) - {"may", "will"}
"""Words that begin a sentence where they are capitalised after an abbreviation's dot."""
_NEXT_WORD = re.compile(r"[\s\"'(\[]*([A-Za-z]+)")
LOOK_BACK, LOOK_AHEAD = 60, 40  # characters


def look_back(match: re.Match[str]) -> str:
    """Return the characters before a match."""
    return match.string[max(0, match.start() - LOOK_BACK) : match.start()]


def look_ahead(match: re.Match[str]) -> str:
    """Return the characters after a match."""
    return match.string[match.end() : match.end() + LOOK_AHEAD]


def describes_noun(match: re.Match[str], nouns: frozenset[str] = frozenset()) -> bool:
    """Whether an amount is said in the singular, for it describes the noun that follows ("a five dollar bill").

    Args:
        match: of the amount.
        nouns: that are described even where no "a" or "the" precedes.
    """
    described = _DESCRIBED.match(look_ahead(match))
    if not described or described[1] in NOT_DESCRIBED:
        return False
    if described[1] in nouns:
        return True
    determined = _DETERMINED.search(look_back(match))
    return determined is not None and (determined[1] or "") not in FUNCTION_WORDS


def find_next_word(text: str, position: int) -> str:
    """Find the word that follows a position, over blanks and opening quotes, or ""."""
    found = _NEXT_WORD.match(text, position, position + LOOK_AHEAD)
    return found[1] if found else ""


def starts_sentence(word: str) -> bool:
    """Whether a capitalised word is one that begins a sentence rather than a name."""
    return word[:1].isupper() and word.lower() in STARTERS


def say_sign(match: re.Match[str], sign: str | None) -> str:
    """Say a sign before a number; a hyphen after a letter or digit is none."""
    if sign in {"-", "−"} and match.string[match.start() - 1 : match.start()].isalnum() and match.start():
        return ""
    return {"-": "minus ", "−": "minus ", "+": "plus ", "~": "about ", "#": "number "}.get(sign or "", "")
