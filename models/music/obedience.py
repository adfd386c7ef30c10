"""What was asked of a piece and is not in it, as sentences for a person."""

from __future__ import annotations

from models.music.contracts import MusicRequest
from models.music.controls import NO_KEY, measure_key
from models.music.form import group_by_bar
from models.music.instrument_names import name_program
from models.music.score import Piece
from models.music.vocabulary import KEYS

SOUNDING_SHARE = 0.8  # of the bars, in which each part that was asked for is to be heard


def measure_presence(piece: Piece) -> list[float]:
    """Measure in which share of the bars each track begins a note."""
    bars = max(1, len(piece.bars))
    return [sum(map(bool, group_by_bar(piece, (track,)))) / bars for track in piece.tracks]


def list_unmet(piece: Piece, request: MusicRequest, first: int = 0) -> list[str]:
    """List what the bars from `first` on lack of what was asked."""
    written = piece.slice(first, len(piece.bars))
    remarks = []
    for track, share in zip(written.tracks, measure_presence(written), strict=True):
        name = "drums" if track.is_drum else name_program(track.program)
        asked = request.drums if track.is_drum else track.program in request.programs
        if asked and share < SOUNDING_SHARE:
            plays = "play" if name.endswith("s") and not name.endswith("bass") else "plays"
            remarks.append(f"The {name} {plays} in {share:.0%} of the bars; another seed may give more of that.")
    key = measure_key(written)
    if request.key and key != NO_KEY and KEYS[key] != request.key:
        remarks.append(f"The music sounds nearest to {KEYS[key]}; {request.key} was asked for.")
    return remarks
