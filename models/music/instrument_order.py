"""The order of instruments in an ensemble: what leads, what accompanies, what is the bass."""

from __future__ import annotations

from collections.abc import Sequence

_ROLE_OF_FAMILY = {4: 3, 5: 1, 6: 2, 11: 2}  # basses last, bowed strings lead, ensembles and pads accompany


def rank_role(program: int) -> int:
    """Return 0 for leads, 1 for solo strings, 2 for what accompanies, 3 for basses: the order of tracks in training."""
    if program == 43:
        return 3
    if 0 <= program < 32 or program in (46, 48, 49, 50, 51):
        return 2
    return _ROLE_OF_FAMILY.get(program // 8, 0)


def sort_by_role(programs: Sequence[int]) -> tuple[int, ...]:
    """Sort programs: leads, then accompaniment, then basses; those of one role stay as they were."""
    return tuple(sorted(programs, key=rank_role))
