"""Following a plan: bars come back, grooves go on, keys and chords are leant on, whatever the network says."""

from __future__ import annotations

import numpy as np
import pytest

from models.music.constraints import Constraints
from models.music.controls import measure_density, measure_key
from models.music.form import group_by_bar, measure_likeness
from models.music.grammar import DRUM_TRACK, make_mask
from models.music.guided_grammar import Guide, GuidedGrammar
from models.music.guided_notes import GuidedNote, list_played
from models.music.musical_context import SAME, VARIED, PlannedBar
from models.music.progressions import draw_groove, draw_phrase
from models.music.score import COMMON_TIME, Piece
from models.music.tokenizer import decode_piece, encode_piece
from models.music.vocabulary import VOCABULARY_SIZE, find_density

BAND = (73, 0, 33)


def play(
    seed: int, bars: list[PlannedBar], spread: float = 1.0, key: int = 0, density: int = 6, **guide: object
) -> Piece:
    """Return what random logits become under a guide."""
    constraints = Constraints(
        programs=BAND, drums=True, bars=len(bars), may_change_meter=False, may_change_tempo=False,
        controls={"Key": key, "Density": density, "Meter": COMMON_TIME}, max_duration=12,
    )  # fmt: skip
    grammar = GuidedGrammar(constraints, Guide(bars, **guide))  # type: ignore[arg-type]
    random, mask = np.random.default_rng(seed), make_mask()
    tokens: list[int] = []
    grammar.start_sampling()
    while len(tokens) < 4000 and not grammar.ended:
        grammar.allow(mask)
        allowed = np.flatnonzero(mask)
        weights = grammar.weigh(allowed)
        logits = spread * random.gumbel(size=len(allowed)) + (0 if weights is None else weights)
        tokens.append(int(allowed[logits.argmax()]))
        grammar.advance(tokens[-1])
    assert grammar.ended and max(tokens) < VOCABULARY_SIZE
    return decode_piece(tokens)


def notes_of(piece: Piece, bar: int) -> list[list[tuple[int, int]]]:
    return [group_by_bar(piece, (track,))[bar] for track in piece.tracks]


@pytest.mark.parametrize("seed", range(4))
def test_a_bar_that_is_to_be_the_same_is_the_same(seed: int) -> None:
    bars = [PlannedBar(number=0), PlannedBar(number=1), PlannedBar(number=2, reference=0, likeness=SAME)]
    piece = play(seed, bars, 3.0)
    assert notes_of(piece, 2) == notes_of(piece, 0)


def test_a_varied_bar_is_much_like_its_reference_and_more_than_others_are() -> None:
    bars = [PlannedBar(number=n, reference=n - 2 if n > 1 else None, likeness=VARIED if n > 1 else 0) for n in range(6)]
    likeness = np.mean([measure_likeness(play(seed, bars, 0.4)) for seed in range(4)], axis=0)
    returns = np.mean([likeness[n, n - 2] for n in range(2, 6)])
    others = np.mean([likeness[n, n - 1] for n in range(1, 6)])
    assert returns > 0.4 and returns > 1.5 * others


def test_what_was_played_before_the_answer_can_be_returned_to() -> None:
    note = GuidedNote(24, 1, 64, 10, 20)
    bars = [PlannedBar(number=5, reference=1, likeness=SAME)]
    piece = play(1, bars, remembered={1: [note]})
    assert (24, 64) in notes_of(piece, 0)[1]


def test_a_lead_that_has_played_is_called_for() -> None:
    lead = [GuidedNote(12 * step, 0, 70 + step, 10, 5) for step in range(8)]
    bars = [PlannedBar(number=n) for n in range(4, 8)]
    heard = [play(seed, bars, 3.0, remembered=dict.fromkeys(range(4), lead)) for seed in range(4)]
    alone = [play(seed, bars, 3.0) for seed in range(4)]
    called, free = (sum(len(piece.tracks[0].notes) for piece in pieces) for pieces in (heard, alone))
    assert called > 1.3 * free


def test_bars_that_a_prompt_repeats_are_counted_once() -> None:
    piece = play(1, [PlannedBar(number=n) for n in range(3)])
    grammar = GuidedGrammar(Constraints(bars=2), Guide([PlannedBar(number=3)], list_played(piece)))
    for token in encode_piece(piece)[:-1]:
        grammar.advance(token)
    grammar.start_sampling()
    sounding = [sum(map(bool, group_by_bar(piece, (track,)))) for track in piece.tracks]
    assert [grammar.bars_of.get(track, 0) for track in (0, 1, 2, DRUM_TRACK)] == sounding


def test_a_groove_begins_and_goes_on() -> None:
    groove = draw_groove(96, np.random.default_rng(0))
    piece = play(2, [PlannedBar(number=n) for n in range(4)], 0.25, density=11, groove=groove)
    drums = group_by_bar(piece, piece.tracks[-1:])
    wanted = {(note.position, note.pitch) for note in groove}
    assert all(len(wanted & set(bar)) >= 0.5 * len(wanted) for bar in drums)
    assert all(note.track == DRUM_TRACK and note.position < 72 for note in draw_groove(72, np.random.default_rng(1)))


def test_a_density_that_was_asked_for_is_met_more_nearly_than_the_front_says() -> None:
    bars = [PlannedBar(number=number) for number in range(8)]

    def miss(is_asked: bool) -> float:
        """Return by how many octaves pieces miss what is asked, in the mean."""
        misses = []
        for seed, asked in enumerate((1.5, 2.3, 3.6, 4.0, 5.0)):
            piece = play(seed, bars, 2.0, density=find_density(asked), asked_density=asked if is_asked else None)
            misses.append(abs(np.log2(measure_density(piece) / asked)))
        return float(np.mean(misses))

    assert miss(True) < 0.9 * miss(False)


@pytest.mark.parametrize("key", [2, 15])
def test_the_key_is_leant_on(key: int) -> None:
    pieces = [play(seed, [PlannedBar(number=n, key=key) for n in range(8)], 0.6, key=key) for seed in range(4)]
    assert sum(measure_key(piece) == key for piece in pieces) >= 3


def test_typed_chords_are_heard() -> None:
    chords = (21, 5, 0, 7)
    bars = [PlannedBar(number=n, chords=(chord, chord)) for n, chord in enumerate(chords)]
    hits = total = 0
    for seed in range(4):
        piece = play(seed, bars, typed_chords=True)
        for bar, chord in enumerate(chords):
            triad = {chord % 12, (chord + (4 if chord < 12 else 3)) % 12, (chord + 7) % 12}
            pitches = [pitch for notes in notes_of(piece, bar)[1:3] for _, pitch in notes]
            hits, total = hits + sum(pitch % 12 in triad for pitch in pitches), total + len(pitches)
    assert hits > 0.6 * total


def test_notes_are_listed_by_bars_in_the_order_of_their_tokens() -> None:
    piece = play(3, [PlannedBar(number=0), PlannedBar(number=1)])
    listed = list_played(piece)
    assert sorted(listed) == [0, 1] and sum(map(len, listed.values())) == piece.note_count
    assert all(notes == sorted(notes) for notes in listed.values())


def test_phrases_are_of_their_key() -> None:
    for seed in range(20):
        assert all(0 <= chord < 24 for chord in draw_phrase("pop", seed % 24, np.random.default_rng(seed)))
