"""What a request means for a piece that is being written: its plan, its controls, and whether its opening fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from models.music.chords import parse_chords
from models.music.constraints import Constraints
from models.music.contracts import MusicRequest
from models.music.controls import NO_KEY, MusicControls, rank_keys
from models.music.grammar import Grammar
from models.music.guided_grammar import Guide, GuidedGrammar
from models.music.guided_notes import GuidedNote, list_played
from models.music.planning import PiecePlan, measure_plan, plan_piece
from models.music.progressions import draw_groove
from models.music.prompts import choose_controls, is_drums_only
from models.music.score import COMMON_TIME, Piece
from models.music.variation import make_variation
from models.music.vocabulary import KEYS, STYLES, count_positions

LEAST_GROOVE_DENSITY = 4.0  # thinner music is not begun with a groove of eighths
LIKELY_KEYS = 2  # the asked key is among so many likeliest ones of an opening


def score_opening(piece: Piece, request: MusicRequest) -> float:
    """Score how well the first bars answer a request: 1 is wholly; the share of tracks that play, less for a far
    key.
    """
    if not piece.tracks:
        return 1.0 if not request.programs else 0.0
    fit = sum(bool(track.notes) for track in piece.tracks) / len(piece.tracks)
    pitched = sum(len(track.notes) for track in piece.melodic)
    if request.key and pitched and KEYS.index(request.key) not in rank_keys(piece)[:LIKELY_KEYS]:
        fit -= 0.5
    return fit


def make_plan(
    request: MusicRequest,
    controls: MusicControls | None,
    bars: int,
    idea: int = 0,
    before: Piece | None = None,
    like: Piece | None = None,
) -> PiecePlan:
    """Plan a piece of `bars` bars for a request: after `before`, or of the form of `like`."""
    key = KEYS.index(request.key) if request.key else None
    return plan_piece(
        bars,
        request.style if controls is None else STYLES[controls.style],
        request.seed + idea,
        key=key if controls is None else controls.key,
        chords=parse_chords(request.chords),
        ends=request.ends,
        before=before,
        like=like,
    )


def plan_rewriting(piece: Piece, request: MusicRequest) -> PiecePlan:
    """Plan bars that are written anew: each as it is, but for what it returns to; in the key that holds."""
    key = choose_controls(piece, request).key
    bars = [replace(bar, reference=None, likeness=None) for bar in measure_plan(piece)]
    return PiecePlan(tuple(replace(bar, key=None if key == NO_KEY else key) for bar in bars))


def make_guide(plan: PiecePlan, request: MusicRequest, new: range, piece: Piece | None = None) -> Guide:
    """Make what the sampling of some new bars is to follow.

    Args:
        piece: what is there already.
    """
    remembered = list_played(piece) if piece is not None else {}
    groove: list[GuidedNote] = []
    if request.style != "drums" and not new.start and not 0 < request.density < LEAST_GROOVE_DENSITY:
        positions = count_positions(COMMON_TIME if request.meter_row is None else request.meter_row)
        groove = draw_groove(positions, np.random.default_rng([request.seed, 78]))
    asked = request.density or None
    return Guide(plan.list_bars(new), remembered, groove, typed_chords=bool(request.chords), asked_density=asked)


def choose_grammar(
    request: MusicRequest, piece: Piece, first: int, stop: int
) -> Callable[[Constraints, Guide], Grammar]:
    """Choose what makes the grammar of bars first to stop - 1 that are varied or written anew."""
    if request.action != "vary":
        return GuidedGrammar
    make = make_variation(piece, first, stop, request.seed)
    return lambda constraints, _: make(constraints)


def keep_controls(piece: Piece, request: MusicRequest) -> MusicControls:
    """Measure the controls of a piece begun by this request, with those that were asked for in their place."""
    return choose_controls(piece, replace(request, style="drums") if is_drums_only(request) else request)
