"""Split text in any language into pieces that a model speaks at once."""

from __future__ import annotations

import re

MAX_CHARACTERS = 240
_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？।؟])|\n+")
_PAUSE = re.compile(r"(?<=[,;:—،、，；])\s*|\s+")


def split_sentences(text: str, limit: int = MAX_CHARACTERS) -> list[str]:
    """Return sentences in order; longer ones are split at pauses, and what has no pause wherever the limit falls."""
    pieces: list[str] = []
    for sentence in _END.split(text):
        rest = (sentence or "").strip()
        while len(rest) > limit:
            places = [match.end() for match in _PAUSE.finditer(rest, limit // 3, limit)]
            strong = [
                place for place in places if rest[place - 1 : place].strip() or rest[place - 2 : place - 1] in ",;:"
            ]
            cut = (strong or places or [limit])[-1]
            pieces.append(rest[:cut].strip())
            rest = rest[cut:].strip()
        if rest:
            pieces.append(rest)
    return [piece for piece in pieces if piece]
