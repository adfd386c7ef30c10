"""What a request means for a piece that is being written: its plan, its controls, and whether its opening fits."""

from __future__ import annotations

from dataclasses import replace

from models.music.chords import parse_chords
from models.music.contracts import MusicRequest
from models.music.controls import MusicControls, rank_keys
from models.music.planning import PiecePlan, plan_piece
from models.music.prompts import choose_controls, is_drums_only
from models.music.score import Piece
from models.music.vocabulary import KEYS, STYLES

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


def keep_controls(piece: Piece, request: MusicRequest) -> MusicControls:
    """Measure the controls of a piece begun by this request, with those that were asked for in their place."""
    return choose_controls(piece, replace(request, style="drums") if is_drums_only(request) else request)
