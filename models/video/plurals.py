"""Plurals of things' names, both ways."""

from __future__ import annotations

from models.video.thing_tables import PLURALS, SAME_PLURAL


def to_plural(name: str) -> str:
    """Return the plural of a thing's name."""
    if name in SAME_PLURAL:
        return name
    irregular = next((plural for plural, singular in PLURALS.items() if singular == name), "")
    if irregular or name.endswith(("s", "sh", "ch", "x")):
        return irregular or f"{name}es"
    return f"{name[:-1]}ies" if name.endswith("y") and name[-2] not in "aeiou" else f"{name}s"


def list_singulars(word: str) -> tuple[str, ...]:
    """List what a word may be the plural of, itself first."""
    found = [word, PLURALS.get(word, word)]
    if word.endswith("ies"):
        found.append(f"{word[:-3]}y")
    if word.endswith("es"):
        found.append(word[:-2])
    if word.endswith("s") and len(word) > 3:
        found.append(word[:-1])
    return tuple(found)
