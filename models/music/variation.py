"""Varying: bars are said again as they are, and the model chooses some of their pitches anew.

Rhythm, parts, loudness and drums stay, and so does what begins a bar; so the bars can be told for what they were.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from models.music.constraints import Constraints
from models.music.grammar import Allowed, Grammar, make_mask
from models.music.score import Piece
from models.music.tokenizer import encode_bars
from models.music.vocabulary import BAR, EOS, KIND_OF, METER, PITCH, POSITION, TEMPO, split_token

FREE_SHARE = 0.5  # of the notes after a bar's first onset
REACH = 7  # semitones that a note may move


class VariationGrammar(Grammar):
    """The grammar with bars that are said again but for some pitches.

    Args:
        script: tokens of the bars, each bar from its Bar on, and Eos.
        seed: chooses the notes that are free.
    """

    def __init__(self, constraints: Constraints, script: Sequence[int], seed: int) -> None:
        super().__init__(constraints)
        self.script = list(script)
        self.is_free = _choose_free(self.script, seed)
        self.said = 0
        self.is_sampling = False

    def start_sampling(self) -> None:
        """Begin with the first bar of the script."""
        super().start_sampling()
        self.is_sampling = True

    def allow(self, allowed: Allowed) -> None:
        """Mark the script's next token; where its pitch is free or taken, pitches near it that the grammar allows."""
        super().allow(allowed)
        if self.ended or not self.is_sampling or self.said >= len(self.script):
            return
        wanted = self.script[self.said]
        kind, pitch = split_token(wanted)
        possible = allowed[wanted] or kind in (METER, TEMPO)
        if kind is PITCH and (self.is_free[self.said] or not possible):
            near = make_mask()
            near[PITCH.first + max(0, pitch - REACH) : PITCH.first + min(PITCH.count, pitch + REACH + 1)] = True
            pitches = make_mask()
            pitches[PITCH.first : PITCH.stop] = True
            for choice in (allowed & near, allowed & pitches):
                if choice.any():
                    allowed[:] = choice
                    return
        if possible:
            allowed[:] = False
            allowed[wanted] = True
        else:  # the bars cannot be said so any more: the model goes on alone
            self.said = len(self.script)

    def advance(self, token: int) -> None:
        """Take a token, and go on in the script."""
        super().advance(token)
        if self.is_sampling and self.said < len(self.script):
            self.said += 1


def make_variation(piece: Piece, first: int, stop: int, seed: int) -> Callable[[Constraints], VariationGrammar]:
    """Return what makes the grammar that varies bars first to stop - 1 of a piece."""
    before = piece.bars[first - 1] if first else piece.bars[0]
    script = encode_bars(piece.slice(first, stop), (before.meter, before.tempo))
    tokens = [*(token for bar in script for token in bar), EOS.to_token()]
    return lambda constraints: VariationGrammar(constraints, tokens, seed + first)


def _choose_free(script: Sequence[int], seed: int) -> list[bool]:
    """Choose the pitches that the model is free to change, bool for each token."""
    random = np.random.default_rng(seed)
    free, onsets = [], 0
    for token in script:
        kind = KIND_OF[token]
        onsets = 0 if kind is BAR else onsets + (kind is POSITION)
        free.append(kind is PITCH and onsets > 1 and bool(random.random() < FREE_SHARE))
    return free
