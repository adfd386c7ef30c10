"""Prompts for the model: controls and constraints of a request, and as much of the music around as it can look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from models.music.constraints import Constraints
from models.music.contracts import MusicRequest
from models.music.controls import NO_KEY, NO_REGISTER, MusicControls, measure_controls
from models.music.score import Bar, Piece
from models.music.tokenizer import encode_bars, encode_header, encode_infill
from models.music.vocabulary import (
    BAR,
    DENSITY,
    KEY,
    KEYS,
    METER,
    REGISTER,
    STYLE,
    STYLES,
    TEMPO,
    find_density,
    find_register,
    find_tempo,
)

MAX_SILENT_BARS, MAX_SILENT_BARS_OF_OTHERS = 1, 4  # in a new piece, and in what goes on from a given one
MOST_REMEMBERED_BARS = 8
OWN_DENSITY, PART_DENSITY, DRUMS_DENSITY = 1.8, 1.0, 2.5  # notes in a quarter of songs, as the collections have them


@dataclass(frozen=True)
class TokenPrompt:
    """Tokens to begin with and what is insisted on after them.

    Attributes:
        order: numbers of the bars whose Bar is among the tokens, then those of an infilling's answer.
    """

    tokens: tuple[int, ...]
    constraints: Constraints
    order: tuple[int, ...] = ()


def collect_controls(request: MusicRequest) -> dict[str, int]:
    """Collect the controls that a request fixes, by kind name."""
    controls = {TEMPO.name: find_tempo(request.new_tempo)}
    if request.style:
        controls[STYLE.name] = STYLES.index(request.style)
    if request.meter_row is not None:
        controls[METER.name] = request.meter_row
    if request.density:
        controls[DENSITY.name] = find_density(request.density)
    if is_drums_only(request):
        controls |= {KEY.name: NO_KEY, REGISTER.name: NO_REGISTER}
    else:
        if request.key:
            controls[KEY.name] = KEYS.index(request.key)
        if request.register:
            controls[REGISTER.name] = find_register(request.register)
    return controls


def is_drums_only(request: MusicRequest) -> bool:
    """Check whether nothing but drums is asked for."""
    return not request.programs and request.drums is not False and request.style == "drums"


def make_constraints(request: MusicRequest) -> Constraints:
    """Make the constraints of a new piece; the meter and tempo of its first bar hold throughout."""
    programs: tuple[int, ...] | None = request.programs or None
    if is_drums_only(request):
        programs = ()
    drums = True if programs == () else request.drums
    if programs and drums is None:
        drums = False  # instruments were chosen: these and no others
    controls = collect_controls(request)
    if request.style in ("", "pop") and programs and DENSITY.name not in controls:
        usual = OWN_DENSITY + PART_DENSITY * min(3, len(programs)) + DRUMS_DENSITY * bool(drums)
        controls[DENSITY.name] = find_density(usual)
    return Constraints(
        bars=request.bars,
        controls=controls,
        programs=programs,
        drums=drums,
        may_change_meter=False,
        may_change_tempo=False,
        max_silent_bars=MAX_SILENT_BARS,
        ends=request.ends,
    )


def make_later_constraints(request: MusicRequest, bars: int) -> Constraints:
    """Make the constraints of bars that go on from others."""
    return Constraints(
        bars=bars,
        may_change_meter=False,
        may_change_tempo=False,
        max_silent_bars=MAX_SILENT_BARS if request.piece is None else MAX_SILENT_BARS_OF_OTHERS,
        ends=request.ends,
    )


def guess_style(piece: Piece) -> str:
    """Guess, by its tracks alone, whose manner a stranger's piece is nearest to."""
    if not piece.melodic:
        return "drums"
    single = [len({note.start for note in track.notes}) >= 0.97 * len(track.notes) for track in piece.melodic]
    if len(piece.melodic) == 4 and all(single) and len(piece.tracks) == 4:
        return "chorales"
    return "lieder" if len(piece.tracks) == 2 and single[0] and not piece.tracks[-1].is_drum else "pop"


def choose_controls(piece: Piece, request: MusicRequest) -> MusicControls:
    """Choose a piece's own controls, and those that the request fixes but for tempo and meter, which the bars have."""
    measured = measure_controls(piece, request.style or guess_style(piece))
    asked = collect_controls(request)
    names = {"style": STYLE, "key": KEY, "density": DENSITY, "register": REGISTER}
    if not piece.melodic:
        names = {"density": DENSITY}
    return replace(measured, **{field: asked[kind.name] for field, kind in names.items() if kind.name in asked})


def make_continuation_prompt(
    piece: Piece,
    controls: MusicControls,
    constraints: Constraints,
    budget: int,
    bar: Bar | None = None,
    wanted: Sequence[int] = (),
) -> TokenPrompt:
    """Make the last bars of a piece, as many as `budget` tokens hold, and the Bar that begins the next.

    Args:
        bar: like what the next bar is; its meter is said where it is another than the last bar's.
        wanted: bars that the next ones return to: where they are earlier, a few of them come first.
    """
    remembered = _find_remembered(piece, wanted, budget // 3)
    used = sum(len(tokens) for tokens in encode_bars(piece.slice(remembered.start, remembered.stop)))
    first = find_first_fitting(piece, budget - used)
    if not remembered or remembered.stop > first:
        remembered, first = range(0), find_first_fitting(piece, budget)
    recent = piece.slice(first, len(piece.bars))
    parts = [piece.slice(remembered.start, remembered.stop), recent] if remembered else [recent]
    opening = parts[0].bars[0] if parts[0].bars else Bar()
    controls = replace(controls, meter=opening.meter, tempo=opening.tempo)
    tokens = encode_header(parts[0], controls=controls)
    holds: tuple[int, int] = (controls.meter, controls.tempo)
    for part in parts:
        tokens += [token for bar_tokens in encode_bars(part, holds) for token in bar_tokens]
        holds = (part.bars[-1].meter, part.bars[-1].tempo) if part.bars else holds
    tokens.append(BAR.to_token())
    if bar is not None and recent.bars and bar.meter != recent.bars[-1].meter:
        tokens.append(METER.to_token(bar.meter))
    order = (*remembered, *range(first, len(piece.bars) + 1))
    return TokenPrompt(tuple(tokens), constraints, order)


def _find_remembered(piece: Piece, wanted: Sequence[int], budget: int) -> range:
    """Find a stretch of bars with the first of those wanted, as long as `budget` tokens hold it."""
    if not wanted:
        return range(0)
    last = min(wanted[-1], wanted[0] + MOST_REMEMBERED_BARS - 1)
    stop = wanted[0]
    for tokens in encode_bars(piece.slice(wanted[0], last + 1)):
        budget -= len(tokens)
        if budget < 0:
            break
        stop += 1
    return range(wanted[0], stop)


def find_first_fitting(piece: Piece, budget: int) -> int:
    """Find the first of the last bars that have at most `budget` tokens with their front; at least one bar, if any."""
    left = budget - len(encode_header(piece))
    bars = encode_bars(piece.slice(max(0, len(piece.bars) - 64), len(piece.bars)))
    first = len(piece.bars)
    for tokens in reversed(bars):
        left -= len(tokens)
        if left < 0 and first < len(piece.bars):
            break
        first -= 1
    return first


def make_infill_prompt(piece: Piece, first: int, stop: int, request: MusicRequest, budget: int) -> TokenPrompt:
    """Make a prompt for bars first to stop - 1, with what surrounds them as far as `budget` tokens hold it."""
    low, high = max(0, first - 32), min(len(piece.bars), stop + 32)
    lengths = [len(tokens) for tokens in encode_bars(piece.slice(low, high))]
    left = budget - len(encode_header(piece)) - (stop - first)
    begin, end = first, stop
    while begin > low or end < high:
        grow_back = begin > low and (end == high or first - begin <= 2 * (end - stop))
        at = begin - 1 if grow_back else end
        left -= lengths[at - low]
        if left < 0:
            break
        begin, end = (begin - 1, end) if grow_back else (begin, end + 1)
    part = piece.slice(begin, end)
    opening = part.bars[0]
    controls = replace(choose_controls(piece, request), meter=opening.meter, tempo=opening.tempo)
    given, _ = encode_infill(part, first - begin, stop - begin, controls=controls)
    constraints = Constraints(bars=stop - first, may_change_meter=False, may_change_tempo=False)
    return TokenPrompt(tuple(given), constraints, (*range(begin, first), *range(stop, end), *range(first, stop)))
