"""People in clothes of a colour: "a girl with a red dress" is a girl in red, not a girl who carries a dress."""

from __future__ import annotations

from models.video.colour_names import find_colour
from models.video.text_embedding import split_words
from models.video.thing_parsing import Lexicon, find_things
from models.video.thing_tables import GARMENTS, PLAIN_TINTS

WEARING = frozenset({"in", "with", "wearing", "wears"})
OWNERS = frozenset({"a", "an", "the", "his", "her", "their"})
LONGEST = 3  # words of a colour


def dress_people(prompt: str, lexicon: Lexicon) -> tuple[str, bool]:
    """Give the first person of a prompt the colour of its clothes: what is left to read, and whether it has one."""
    words = split_words(prompt)
    found = find_things(words, lexicon)
    if not found or found[0][0] not in lexicon.people:
        return prompt, False
    start, end = found[0][1:]
    if end >= len(words) or words[end] not in WEARING:
        return prompt, False
    first = end + 1 + (words[end + 1 : end + 2] != [] and words[end + 1] in OWNERS)
    for last in range(min(first + LONGEST, len(words)), first, -1):
        colour = " ".join(words[first:last])
        garment = words[last : last + 1]
        worn = bool(garment) and garment[0] in GARMENTS
        if not _is_colour(words[first:last]) or not (worn or (last == first + 1 and words[end] == "in")):
            continue
        rest = words[last + worn :]
        return " ".join([*words[:start], colour, *words[start:end], *rest]), True
    return prompt, False


def _is_colour(words: list[str]) -> bool:
    return (len(words) == 1 and words[0] in PLAIN_TINTS) or bool(find_colour(" ".join(words)))
