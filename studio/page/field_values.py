"""Values of controls as people and programs write them."""

from __future__ import annotations

from typing import Any

PAIR = 2


def read_text(label: str, value: Any) -> str:
    """Return text; nothing is "", and a number its digits.

    Raises:
        ValueError: it is something else; names the control.
    """
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(f"{label} is {value!r}; it must be text.")
    return str(value)


def split_words(text: str) -> list[str]:
    """Return what stands between commas, semicolons and spaces."""
    return text.replace(",", " ").replace(";", " ").split()


def read_pairs(label: str, value: Any) -> tuple[tuple[str, ...], ...]:
    """Return pairs, given as such or as lines "first = second"; empty ones are left out.

    Raises:
        ValueError: one is none; names the control.
    """
    if isinstance(value, (list, tuple)):
        given = (row if isinstance(row, (list, tuple)) else [row] for row in value)
        rows = [tuple(str(part).strip() for part in row) for row in given]
    else:
        rows = [tuple(part.strip() for part in line.split("=", 1)) for line in read_text(label, value).splitlines()]
    pairs = tuple(row for row in rows if any(row))
    wrong = next((row for row in pairs if len(row) != PAIR or not all(row)), None)
    if wrong is not None:
        raise ValueError(f"{label} has {' = '.join(wrong)!r}; a line must read: word = how it is said.")
    return pairs
