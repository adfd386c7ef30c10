"""What the Music tab does, without a page: files, recipes, bad MIDI files, ideas, transposition."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import mido
import pretty_midi
import pytest
import soundfile

from models.music.contracts import TimedNote
from models.music.controls import measure_key
from models.music.midi_io import quantise, read_midi, to_mido
from models.music.score import Bar, InstrumentTrack, Note, Piece
from models.music.vocabulary import KEYS
from models.registry.registry import Registry
from studio.io import recipes
from studio.music import actions as music_actions
from studio.music import piano_roll
from studio.music.actions import IDEA_NAMES, MusicActions, _report, build_request
from studio.music.take import FILES, MusicTake
from studio.page import jobs
from tests.models.music import midi_cases
from tests.models.music.midi_cases import G_MAJOR
from tests.studio.debug_music import debug_music_spec
from tests.studio.events import flatten

MODEL = "music/debug"
FIELDS: dict[str, Any] = {
    "style": "pop",
    "key": "C major",
    "tempo": 90,
    "bars": 4.0,
    "meter": "4/4",
    "instruments": [33, 0],
    "drums": "yes",
    "seed": 5.0,
}


@pytest.fixture(scope="module")
def actions(tmp_path_factory: pytest.TempPathFactory) -> MusicActions:
    folder = tmp_path_factory.mktemp("weights")
    return MusicActions(Registry((debug_music_spec(folder),), weights_dir=folder))


def run(
    actions: MusicActions,
    action: str = "compose",
    upload: str | None = None,
    current: MusicTake | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """All values that the page would hold in the end; files are read before their folder goes."""
    page: dict[str, Any] = {"pieces": []}
    values = FIELDS | {"action": action, "midi_file": upload} | changes
    for update in map(flatten, actions.run("session", MODEL, values, current)):
        if "sound" in update:
            page["pieces"].append(update.pop("sound"))
        page |= update
        for name in (*FILES, *IDEA_NAMES):
            if update.get(name):
                page[name + "_bytes"] = Path(update[name]).read_bytes()
    return page


def a_tune(folder: Path, tonic: int = 60) -> str:
    scale = (0, 2, 4, 5, 7, 9, 11, 12, 7, 4, 0, 0)
    notes = [Note(24 * i, tonic + scale[i % 12], 24, 22) for i in range(16)]
    path = folder / "tune.mid"
    to_mido(Piece((Bar(),) * 4, (InstrumentTrack.from_notes(73, False, notes),))).save(path)
    return str(path)


@pytest.mark.slow
def test_a_take_has_everything(actions: MusicActions, tmp_path: Path) -> None:
    page = run(actions)
    assert "4 bars" in page["status"]
    assert page["pieces"] and all(piece[:4] == b"RIFF" for piece in page["pieces"])
    for ending in ("wav", "midi", "mp3"):
        (tmp_path / f"take.{'mid' if ending == 'midi' else ending}").write_bytes(page[f"{ending}_bytes"])
    assert soundfile.info(tmp_path / "take.wav").channels == 2
    for path in (tmp_path / "take.mid", tmp_path / "take.wav", tmp_path / "take.mp3"):
        recipe = recipes.read_recipe(path)
        assert (recipe.task, recipe.model, recipe.seed) == ("music", MODEL, 5)
        values, sentence = actions.load_settings(str(path))
        assert values["tempo"] == 90 and values["instruments"] == [0, 33] and values["drums"] == "yes"
        assert "same music" in sentence
    midi = pretty_midi.PrettyMIDI(str(tmp_path / "take.mid"))
    assert midi.get_tempo_changes()[1][0] == pytest.approx(90, rel=1e-4)
    takes: list[MusicTake] = page["takes"]
    assert {(i.program, i.is_drum) for i in midi.instruments} <= {(0, False), (33, False), (0, True)}
    assert set(takes[0].tracks) == {(0, False), (33, False), (0, True)}
    assert mido.MidiFile(tmp_path / "take.mid").type == 1
    assert page["roll"].count("<path") >= 2


@pytest.mark.slow
def test_equal_settings_give_equal_bytes(actions: MusicActions) -> None:
    assert run(actions)["wav_bytes"] == run(actions)["wav_bytes"]


@pytest.mark.slow
def test_the_piece_on_the_page_is_continued_and_its_bars_rewritten(actions: MusicActions) -> None:
    first: MusicTake = run(actions)["takes"][0]
    onward: MusicTake = run(actions, "continue", current=first)["takes"][0]
    assert len(onward.bars) == 8
    again: MusicTake = run(actions, "rewrite", current=onward, first_bar=2, last_bar=3, seed=8)["takes"][0]
    assert again.piece is not None and onward.piece is not None
    for part in ((0, 1), (3, 8)):
        assert again.piece.slice(*part) == onward.piece.slice(*part)


@pytest.mark.slow
def test_an_uploaded_file_is_continued_harmonised_and_played_in_another_key(
    actions: MusicActions, tmp_path: Path
) -> None:
    tune = a_tune(tmp_path)
    assert len(run(actions, "continue", tune)["takes"][0].bars) == 8
    harmonised: MusicTake = run(actions, "harmonise", tune)["takes"][0]
    assert harmonised.piece is not None
    assert harmonised.piece.tracks[0].notes == quantise(read_midi(tune)).tracks[0].notes
    moved: MusicTake = run(actions, "perform", tune, key="E major", tempo=150)["takes"][0]
    assert moved.piece is not None
    assert KEYS[measure_key(moved.piece)] == "E major"
    assert moved.length_s == pytest.approx(16 * 60 / 150)


@pytest.fixture
def in_g(tmp_path: Path) -> str:
    """Write a tune in G major at 140 a minute, three quarters a bar."""
    path = tmp_path / "in_g.mid"
    path.write_bytes(midi_cases.midi_file(midi_cases.tempo(140) + midi_cases.meter(3, 2) + midi_cases.notes(G_MAJOR)))
    return str(path)


@pytest.mark.parametrize("action", ["perform", "continue", "harmonise"])
def test_a_file_keeps_its_own_key_tempo_and_meter_where_nothing_else_is_given(
    actions: MusicActions, in_g: str, action: str
) -> None:
    list(actions.run_program(MODEL, {"action": action, "midi_file": in_g, "bars": 4}, str(Path(in_g).parent)))
    song = mido.MidiFile(next(Path(in_g).parent.glob(f"*-{action}-*.mid")))
    told = {m.type: m for m in song.tracks[0]}
    assert told["set_tempo"].tempo == round(6e7 / 140)
    assert (told["time_signature"].numerator, told["time_signature"].denominator) == (3, 4)
    melody = [m.note for m in song.tracks[1] if m.type == "note_on" and m.velocity]
    assert melody[:16] == [*G_MAJOR]


def test_what_is_given_is_set_and_said(actions: MusicActions, in_g: str) -> None:
    page = run(actions, "perform", in_g, key="D major", tempo=90, meter="4/4")
    made = page["takes"][0]
    assert made.length_s == pytest.approx(16 * 60 / 90)
    for said in ("from G major to D major", "at 90 beats a minute instead of 140", "in 4/4 instead of 3/4"):
        assert said in page["notes"]


def test_a_new_piece_where_nothing_is_given_is_in_c_at_100_in_four() -> None:
    asked = build_request({})
    assert (asked.key, asked.new_tempo, asked.meter) == ("C major", 100.0, "4/4")
    left_open = build_request({"key": "", "meter": ""})
    assert (left_open.key, left_open.meter) == ("", "")


@pytest.mark.slow
def test_a_damaged_file_is_read_and_what_was_wrong_is_said(actions: MusicActions, tmp_path: Path) -> None:
    path = tmp_path / "upload.mid"
    path.write_bytes(_file(1, NOTE * 8 + END)[:-20])
    page = run(actions, "continue", str(path))
    assert "cut off" in page["notes"]


@pytest.mark.slow
def test_four_ideas_and_the_choice_of_one(actions: MusicActions) -> None:
    page = run(actions, "ideas", bars=4)
    assert all(page[name + "_bytes"][:4] == b"RIFF" for name in IDEA_NAMES)
    saved = []
    for update in map(flatten, actions.choose(page["takes"], 2, False)):
        chosen = update
        saved += [recipes.read_recipe(update[name]) for name in FILES if update.get(name)]
    assert chosen["current"] is page["takes"][2]
    assert len(saved) == 3
    for recipe in saved:
        assert (recipe.model, recipe.seed) == (MODEL, 5)
        assert (recipe.settings["action"], recipe.settings["key"], recipe.settings["tempo"]) == ("ideas", "C major", 90)
        assert recipe.settings["bars"] == 4
    assert "Idea 3" in chosen["status"]
    assert "no such idea" in flatten(next(actions.choose(None, 0, False)))["status"]


@pytest.mark.slow
def test_stopping_keeps_nothing_half_done(actions: MusicActions) -> None:
    stream = actions.run("me", MODEL, FIELDS | {"bars": 64})
    while not actions.stops.ask("me"):
        next(stream)
    assert "Stopped" in flatten(list(stream)[-1])["status"]
    assert not actions.stops.ask("me")


@pytest.mark.slow
def test_stopping_midway_says_how_much_was_heard(actions: MusicActions) -> None:
    last: dict[str, Any] = {}
    for update in map(flatten, actions.run("me", MODEL, FIELDS | {"bars": 64})):
        last = update
        if "sound" in update:
            actions.stops.ask("me")
    assert "of sound" in last["status"]
    assert "Stopped after" in last["status"]


@pytest.mark.parametrize("action", ["continue", "rewrite", "harmonise", "perform"])
def test_without_a_piece_there_is_a_sentence(actions: MusicActions, action: str) -> None:
    assert f"no piece to {action}" in run(actions, action)["status"]


def _file(kind: int, *tracks: bytes, division: int = 480) -> bytes:
    chunks = b"".join(b"MTrk" + struct.pack(">I", len(track)) + track for track in tracks)
    return b"MThd" + struct.pack(">IHHH", 6, kind, len(tracks), division) + chunks


END = bytes([0x00, 0xFF, 0x2F, 0x00])
NOTE = bytes([0x00, 0x90, 60, 100, 0x83, 0x60, 0x80, 60, 0])
CROWD = b"".join(  # 20,000 notes in a second
    b"".join(bytes([0, 0x90, pitch, 90]) for pitch in range(20, 120))
    + b"".join(bytes([5 if pitch == 20 else 0, 0x80, pitch, 0]) for pitch in range(20, 120))
    for _ in range(200)
)
LONG_WAIT = bytes([0x8F, 0xFF, 0xFF, 0x7F])
BAD_MIDI = {
    "a large file of something else": b"\0" * 50_000_000,
    "cut off before its first note": _file(1, NOTE + END)[:-10],
    "no notes": _file(1, END),
    "a crowd of notes": _file(1, CROWD + END),
    "600 minutes": _file(1, LONG_WAIT + NOTE[1:] + END, division=24),
    "text": b"This is not music.",
    "empty": b"",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BAD_MIDI)
def test_a_bad_midi_file_is_a_sentence(actions: MusicActions, name: str, tmp_path: Path) -> None:
    path = tmp_path / "upload.mid"
    path.write_bytes(BAD_MIDI[name])
    status = run(actions, "continue", str(path))["status"]
    assert 'role="alert"' in status
    assert jobs.UNEXPECTED not in status
    assert "Traceback" not in status


@pytest.mark.slow
@pytest.mark.parametrize("kind", [0, 2])
def test_other_types_of_midi_files_are_read_or_refused_with_a_sentence(
    actions: MusicActions, kind: int, tmp_path: Path
) -> None:
    path = tmp_path / "upload.mid"
    path.write_bytes(_file(kind, NOTE * 8 + END))
    page = run(actions, "continue", str(path))
    assert jobs.UNEXPECTED not in page["status"]
    assert page.get("takes") or 'role="alert"' in page["status"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"seed": -1}, "Seed is -1"),
        ({"seed": None}, "Seed is None"),
        ({"tempo": 1e9}, "Tempo is"),
        ({"bars": 0}, "Bars is 0"),
        ({"key": "H"}, "Key is"),
        ({"drums": "maybe"}, "Drums is"),
        ({"instruments": [400]}, "Instruments holds 400"),
        ({"density": 99}, "Density is 99"),
    ],
)
def test_bad_settings_are_sentences(actions: MusicActions, changes: dict[str, Any], says: str) -> None:
    assert says in run(actions, **changes)["status"]


def test_foreign_settings_are_refused(actions: MusicActions, tmp_path: Path) -> None:
    path = a_tune(tmp_path)
    with pytest.raises(recipes.RecipeError, match="No settings"):
        actions.load_settings(path)
    recipes.write_recipe(path, recipes.Recipe("speech", "speech/x", "1", 1, {}))
    with pytest.raises(ValueError, match="made by the speech tab"):
        actions.load_settings(path)
    recipes.write_recipe(path, recipes.Recipe("music", MODEL, "1", 1, {"tempo": 1e9}))
    with pytest.raises(ValueError, match="cannot be used"):
        actions.load_settings(path)


def test_a_request_of_plain_values() -> None:
    request = build_request(FIELDS)
    assert (request.bars, request.programs, request.drums, request.seed) == (4, (0, 33), True, 5)
    assert music_actions.IDEA_BARS == 8


@pytest.mark.slow
def test_the_roll_shows_probability_only_when_asked(actions: MusicActions) -> None:
    take: MusicTake = run(actions)["takes"][0]
    plain = piano_roll.draw_roll(take.notes, take.bars, take.tracks)
    faint = piano_roll.draw_roll(take.notes, take.bars, take.tracks, show_probability=True)
    assert plain.count('fill-opacity="1"') == plain.count("fill-opacity")
    assert 'fill-opacity="0.25"' in faint
    assert "playhead" in plain
    assert "playhead" not in piano_roll.draw_roll(take.notes, take.bars, take.tracks, growing=True)
    assert piano_roll.draw_roll([], [], ()) == ""


def test_an_instrument_without_a_note_is_not_listed_but_named() -> None:
    take = MusicTake(tracks=((0, False), (40, False), (0, True)), recipe=recipes.Recipe("music", "music/x", "r", 1, {}))
    take.notes = [TimedNote(0.0, 1.0, 60, 90, 0, 1.0), TimedNote(0.0, 0.1, 36, 90, 2, 1.0)]
    report = _report(take).values
    assert report["instruments"] == [[0, False], [0, True]]
    assert report["remarks"] == ["No note was written for Violin. Another seed may give some."]
