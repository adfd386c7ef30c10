"""The composer with a tiny untrained network: every action, streaming, what must stay as it was, copies, openings."""

from __future__ import annotations

import numpy as np
import pytest

from models.music import composer as composer_module
from models.music.composer import MusicComposer, score_opening
from models.music.contracts import IDEAS, MusicChunk, MusicRequest, measure_seconds
from models.music.copy_detector import SharedRun
from models.music.mastering import measure_loudness
from models.music.playback import COMPOSED_ANEW
from models.music.rendering import NoteEvent, StreamRenderer
from models.music.score import Bar, InstrumentTrack, Note, Piece
from models.music.soundfont import load_general_midi
from models.music.soundfont_renderer import SoundFontRenderer
from models.music.vocabulary import TEMPI
from models.music.weights import save_debug


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> MusicComposer:
    return MusicComposer(save_debug(tmp_path_factory.mktemp("music") / "debug.safetensors"), "float32")


def compose(maker: MusicComposer, **settings: object) -> list[MusicChunk]:
    chunks = list(maker.stream(MusicRequest(**settings)))  # type: ignore[arg-type]
    assert [chunk.last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    return chunks


def sound(chunks: list[MusicChunk], idea: int = 0) -> np.ndarray:
    return np.concatenate([chunk.samples for chunk in chunks if chunk.idea == idea], axis=1)


def a_piece(bars: int = 6) -> Piece:
    """Return a melody and a bass, four quarters a bar."""
    melody = [Note(24 * beat, 60 + (5 * beat) % 12, 24, 20) for beat in range(4 * bars)]
    bass = [Note(96 * bar, 36 + bar % 5, 96, 18) for bar in range(bars)]
    return Piece(
        (Bar(),) * bars, (InstrumentTrack.from_notes(73, False, melody), InstrumentTrack.from_notes(32, False, bass))
    )


def notes_of(piece: Piece, first: int, stop: int) -> list[tuple[Note, ...]]:
    return [track.notes for track in piece.slice(first, stop).tracks]


@pytest.mark.slow
def test_a_piece_has_what_was_asked(maker: MusicComposer) -> None:
    chunks = compose(maker, style="pop", tempo=93, meter="3/4", bars=5, programs=(0, 33), drums=True, seed=3)
    piece = chunks[-1].piece
    assert piece is not None
    assert [(track.program, track.is_drum) for track in piece.tracks] == [(0, False), (33, False), (0, True)]
    assert len(piece.bars) == 5
    assert {bar.positions for bar in piece.bars} == {72}
    assert TEMPI[piece.bars[0].tempo] * chunks[-1].tempo_scale == pytest.approx(93)
    assert [bar.number for chunk in chunks for bar in chunk.bars] == [1, 2, 3, 4, 5]
    length_s = measure_seconds(piece, chunks[-1].tempo_scale)
    assert sound(chunks).shape[1] / chunks[-1].sample_rate >= length_s - 0.01
    assert np.abs(sound(chunks)).max() <= 0.892


@pytest.mark.slow
def test_the_same_seed_gives_the_same_sound_and_another_seed_another(maker: MusicComposer) -> None:
    first, again, other = (sound(compose(maker, bars=3, seed=seed)) for seed in (5, 5, 6))
    assert (first == again).all()
    assert first.shape != other.shape or (first != other).any()


@pytest.mark.slow
def test_rewriting_leaves_the_other_bars_as_they_were(maker: MusicComposer) -> None:
    piece = a_piece()
    made = compose(maker, action="rewrite", piece=piece, first_bar=3, last_bar=4, seed=1)[-1].piece
    assert made is not None
    assert made.bars == piece.bars
    assert notes_of(made, 0, 2) == notes_of(piece, 0, 2)
    assert notes_of(made, 4, 6) == notes_of(piece, 4, 6)
    assert notes_of(made, 2, 4) != notes_of(piece, 2, 4)


def test_continuing_keeps_the_beginning(maker: MusicComposer) -> None:
    piece = a_piece()
    chunks = compose(maker, action="continue", piece=piece, bars=3, seed=1)
    made = chunks[-1].piece
    assert made is not None
    assert len(made.bars) == 9
    assert notes_of(made, 0, 6) == notes_of(piece, 0, 6)
    assert chunks[-1].sound_start_s > 0


@pytest.mark.slow
def test_harmonising_keeps_the_melody(maker: MusicComposer) -> None:
    piece = a_piece(3)
    made = compose(maker, action="harmonise", piece=piece, seed=2)[-1].piece
    assert made is not None
    assert made.tracks[0].notes == piece.tracks[0].notes
    assert len(made.tracks) == 3


@pytest.mark.slow
def test_four_ideas_are_four_pieces(maker: MusicComposer) -> None:
    chunks = compose(maker, action="ideas", bars=2, seed=4)
    pieces = {chunk.idea: chunk.piece for chunk in chunks if chunk.piece is not None}
    assert sorted(pieces) == list(range(IDEAS))
    assert len({tuple(track.notes for track in piece.tracks) for piece in pieces.values()}) > 1
    assert all(len(piece.bars) == 2 for piece in pieces.values())


def test_performing_changes_nothing_but_the_tempo(maker: MusicComposer) -> None:
    piece = a_piece(2)
    slow, fast = (compose(maker, action="perform", piece=piece, tempo_scale=scale) for scale in (1.0, 2.0))
    assert slow[-1].piece == fast[-1].piece == piece
    assert fast[0].bars[0].end_s == pytest.approx(slow[0].bars[0].end_s / 2)


def test_closing_the_stream_ends_the_work(maker: MusicComposer) -> None:
    stream = maker.stream(MusicRequest(bars=64))
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert next(iter(stream), None) is None


class Suspicious:
    """A guard that takes the first so many looks for copies."""

    def __init__(self, alarms: int) -> None:
        self.alarms, self.looks = alarms, 0

    def find_longest_run(self, piece: Piece) -> SharedRun:
        self.looks += 1
        return SharedRun(90 if self.looks % 2 and self.looks <= 2 * self.alarms else 0)


@pytest.mark.slow
@pytest.mark.parametrize("alarms", [1, 3])
def test_a_copied_bar_is_composed_anew_and_told(maker: MusicComposer, alarms: int) -> None:
    maker.copy_detector = Suspicious(alarms)  # type: ignore[assignment]
    try:
        last = compose(maker, bars=4, seed=9)[-1]
    finally:
        maker.copy_detector = None
    assert last.piece is not None
    assert len(last.piece.bars) == 4
    assert COMPOSED_ANEW in last.remarks


@pytest.mark.slow
def test_an_unfit_opening_is_tried_again(maker: MusicComposer, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def judge(piece: Piece, request: MusicRequest) -> float:
        asked.append(piece.note_count)
        return 1.0 if len(asked) == 3 else 0.2

    monkeypatch.setattr(composer_module, "score_opening", judge)
    chunks = compose(maker, bars=3, seed=1)
    assert len(asked) == 3
    assert [bar.number for chunk in chunks for bar in chunk.bars] == [1, 2, 3]


def test_what_an_opening_is_judged_by() -> None:
    request = MusicRequest(key="C major", programs=(73, 32))
    piece = a_piece(2)
    assert score_opening(piece, MusicRequest(programs=(73, 32))) == 1.0
    silent = Piece(piece.bars, (piece.tracks[0], InstrumentTrack(32, False, ())))
    assert score_opening(silent, request) <= 0.5
    far = Piece(
        piece.bars,
        tuple(
            InstrumentTrack.from_notes(
                73, False, [Note(i * 24, pitch, 24, 9) for i, pitch in enumerate((61, 66, 68, 70))]
            )
            for _ in "ab"
        ),
    )
    assert score_opening(far, request) == 0.5


def test_streamed_sound_is_the_whole_sound() -> None:
    bank = SoundFontRenderer(load_general_midi())
    random = np.random.default_rng(0)
    notes = sorted(
        (
            NoteEvent(float(at), float(random.uniform(0.1, 0.8)), int(random.integers(40, 80)), 90, int(program), False)
            for at, program in zip(random.uniform(0, 3, 20), random.choice([0, 33, 48, 73], 20), strict=True)
        ),
        key=lambda note: note.start_s,
    )

    def rendered(step_s: float) -> np.ndarray:
        renderer, parts, now_s = StreamRenderer(bank), [], 0.0
        while now_s < 3.0:
            inside = [note for note in notes if now_s <= note.start_s < now_s + step_s]
            now_s += step_s
            parts.append(renderer.push(inside, now_s))
        return np.concatenate([*parts, renderer.finish()], axis=1)

    whole, streamed = rendered(3.0), rendered(0.25)
    assert whole.shape == streamed.shape
    np.testing.assert_allclose(streamed, whole, atol=1e-4)
    assert -26 < measure_loudness(whole, bank.sample_rate) < -10
    assert np.abs(whole).max() <= 0.892


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"action": "sing"}, "action is 'sing'"),
        ({"key": "H major"}, "key is 'H major'"),
        ({"tempo": 1000}, "tempo is 1000"),
        ({"bars": 0}, "bars is 0"),
        ({"bars": 1000}, "bars is 1000"),
        ({"programs": (200,)}, "instrument is 200"),
        ({"programs": (0,) * 9}, "at most 8"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"seed": -1}, "seed is -1"),
        ({"action": "continue"}, "no piece to continue"),
        ({"action": "rewrite", "piece": a_piece(), "first_bar": 7, "last_bar": 7}, "first_bar is 7"),
        ({"action": "rewrite", "piece": a_piece(), "first_bar": 3, "last_bar": 2}, "last_bar is 2"),
        ({"action": "perform", "piece": Piece((Bar(),), ())}, "no notes"),
    ],
)
def test_bad_requests_are_sentences(changes: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        MusicRequest(**changes)  # type: ignore[arg-type]


@pytest.mark.slow
def test_the_shipped_model_writes_music() -> None:
    from models.registry.catalog import CATALOG
    from models.registry.registry import Registry

    model = Registry(CATALOG).load("music/transformer")
    chunks = list(model.stream(MusicRequest(style="chorales", key="G major", tempo=80, meter="4/4", bars=4, seed=1)))
    piece = chunks[-1].piece
    assert piece is not None
    assert piece.note_count > 20
    assert {(track.is_drum) for track in piece.tracks} == {False}
