"""The colours of a piece's parts, the same in every picture of it."""

from __future__ import annotations

from collections.abc import Sequence

COLOURS = ("#4dbcab", "#ffb066", "#8fb8ff", "#f28ab2", "#c9e26b", "#b79cff", "#ff8c6b", "#6bd6f2")
DRUM_COLOUR = "#cfd6e2"


def colour(track: int, tracks: Sequence[tuple[int, bool]]) -> str:
    """Return a track's colour."""
    return DRUM_COLOUR if tracks[track][1] else COLOURS[track % len(COLOURS)]
