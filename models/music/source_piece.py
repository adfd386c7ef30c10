"""The piece that a request goes on from: as it is, but for the key, tempo and meter that the person sets.

What was mended when it was read and what is changed here goes into its remarks.
"""

from __future__ import annotations

from dataclasses import replace

from models.music.bars import relay_bars
from models.music.contracts import REWRITES, MusicRequest
from models.music.controls import NO_KEY, measure_key
from models.music.score import Piece, transpose_piece
from models.music.vocabulary import KEYS, METERS, PITCH_CLASSES

_SAME_TEMPO = 0.005


def prepare_source(request: MusicRequest) -> Piece:
    """Return the request's piece in the key and the bars that its action plays it in, with remarks.

    Raises:
        ValueError: there is none, or more bars than a piece can have.
    """
    piece = request.piece
    if piece is None:
        raise ValueError(f"There is no piece to {request.action}.")
    remarks = list(piece.remarks)
    if request.action == "continue" and request.keep_bars:
        piece = piece.slice(0, request.keep_bars)
    if request.action == "perform" and request.key:
        piece, said = _move_to_key(piece, request.key)
        remarks += said
    row = request.meter_row
    if row is not None and any(bar.meter != row for bar in piece.bars):
        piece, said = _set_meter(piece, row, request.action)
        remarks += said
    own = piece.first_tempo * request.tempo_scale
    if request.tempo and abs(request.tempo / own - 1) > _SAME_TEMPO:
        remarks.append(f"The piece is played at {request.tempo:.4g} beats a minute instead of {own:.4g}.")
    return replace(piece, remarks=tuple(remarks))


def count_semitones(piece: Piece, key: str) -> int:
    """Count the semitones from a piece's measured tonic to that of `key`, the shorter way, -6 to 5.

    Without a key on either side there are none.
    """
    measured = measure_key(piece)
    if not key or measured == NO_KEY:
        return 0
    return (KEYS.index(key) % 12 - measured % 12 + 6) % 12 - 6


def _move_to_key(piece: Piece, key: str) -> tuple[Piece, list[str]]:
    """Move a piece to the tonic of a key; its mode stays."""
    measured = measure_key(piece)
    if measured == NO_KEY:
        return piece, ["The piece has no key to change: it holds drums alone, or all notes alike."]
    mode = KEYS[measured].split()[1]
    reached = f"{PITCH_CLASSES[KEYS.index(key) % 12]} {mode}"
    semitones = count_semitones(piece, key)
    said = [f"The piece was moved from {KEYS[measured]} to {reached}."] if semitones else []
    if reached != key:
        said.append(f"Its notes stay {mode}: a piece is moved to another tonic, not to another mode.")
    return transpose_piece(piece, semitones), said


def _set_meter(piece: Piece, row: int, action: str) -> tuple[Piece, list[str]]:
    """Lay the bars in a meter where the action can do that."""
    before = _format(piece.bars[-1 if action == "continue" else 0].meter)
    if action in REWRITES:
        return piece, [f"Bars that are rewritten keep the time signature of the piece, {before}."]
    if action == "continue":
        return piece, [f"The new bars are in {_format(row)}, those before them in {before}."] * (
            piece.bars[-1].meter != row
        )
    return relay_bars(piece, row), [f"The bars were laid in {_format(row)} instead of {before}."]


def _format(row: int) -> str:
    return f"{METERS[row][0]}/{METERS[row][1]}"
