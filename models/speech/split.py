"""Where to part a row of words that is too long."""

from __future__ import annotations

LEAST_SHARE = 0.35  # of the limit: a piece is not made shorter than this for a better place
TOO_SHORT = -0.5  # strength of a place that makes a short piece: below any word's, above the inside of one (-1)


def split(costs: list[int], strengths: list[int], limit: int) -> list[tuple[int, int]]:
    """Pieces [start, end) of a row whose costs sum to at most `limit` each, parted at strong places and evenly.

    Args:
        costs: of each word, each at most `limit`.
        strengths: how good a place to part lies after each word, more is better; -1 inside of what belongs together.
        limit: of the sum of a piece's costs.
    """
    pieces = []
    start, left = 0, sum(costs)
    while start < len(costs):
        if left <= limit:
            pieces.append((start, len(costs)))
            break
        even = left / -(-left // limit)
        end, total, best = start, 0, (0.0, 0.0)
        for index in range(start, len(costs)):
            total += costs[index]
            if total > limit and index > start:
                break
            is_long_enough = total >= LEAST_SHARE * min(limit, even)
            strength = strengths[index] if is_long_enough else min(strengths[index], TOO_SHORT)
            score = (strength, -abs(total - even))
            if end == start or score >= best:
                end, best = index + 1, score
        left -= sum(costs[start:end])
        pieces.append((start, end))
        start = end
    return pieces
