"""The roll and the desk without a page: messages, history, what an edit shows and writes, stems, stopping."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from models.music.desk import MixingDesk
from models.music.midi_io import read_piece, to_mido
from models.registry.registry import Registry
from studio.io import recipes
from studio.music import roll_tools, tab
from studio.music.actions import MusicActions
from studio.music.commands import CHANGES, STEPS, carry_out, read_message
from studio.music.history import MOST, History, Version
from studio.music.roll_actions import RollActions
from studio.music.take import MusicTake
from studio.page.jobs import StopBoard
from tests.models.music.test_composer import a_piece, notes_of
from tests.models.music.test_transcription import RATE, TUNE, hum
from tests.studio.debug_music import debug_music_spec
from tests.studio.events import flatten

MODEL = "music/debug"
MOVE = {"do": "move", "track": 0, "at": 24, "pitch": 65, "by": 12, "up": 2}
MIX = {"do": "mix", "track": 1, "volume": -6, "pan": 30, "mute": False, "solo": True}


def say(*commands: dict[str, Any], serial: int = 1) -> str:
    return json.dumps({"serial": serial, "commands": commands})


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder = tmp_path_factory.mktemp("weights")
    return Registry((debug_music_spec(folder),), weights_dir=folder)


@pytest.fixture(scope="module")
def actions(registry: Registry) -> MusicActions:
    return MusicActions(registry)


@pytest.fixture(scope="module")
def roll(registry: Registry, actions: MusicActions) -> RollActions:
    return RollActions(registry, actions.stops)


def a_take() -> MusicTake:
    recipe = recipes.Recipe("music", MODEL, "1", 5, {"action": "compose", "mix": ""})
    return MusicTake.from_version(Version(a_piece(2), 1.0, recipe=recipe), History())


@given(st.lists(st.sampled_from([MOVE | {"at": 24 * at, "pitch": 60 + (5 * at) % 12} for at in range(8)]), max_size=6))
def test_undoing_and_redoing_lead_back_and_forth(commands: list[dict[str, Any]]) -> None:
    first = Version(a_piece(2))
    now, history, seen = first, History(), [first]
    for command in commands:
        try:
            now, history = carry_out(now, history, read_message(say(command)))
        except ValueError:
            continue
        if now != seen[-1]:
            seen.append(now)
    for version in reversed(seen[:-1]):
        now, history = carry_out(now, history, read_message(say({"do": "undo"})))
        assert now == version
    with pytest.raises(ValueError, match="nothing to undo"):
        carry_out(now, history, read_message(say({"do": "undo"})))
    for version in seen[1:]:
        now, history = carry_out(now, history, read_message(say({"do": "redo"})))
        assert now == version


def test_a_new_edit_forgets_what_was_undone_and_history_has_an_end() -> None:
    now, history = Version(a_piece(2)), History()
    now, history = carry_out(now, history, read_message(say(MOVE, {"do": "undo"}, MIX)))
    assert not history.future and str(now.desk) == "0dB, -6dB R30 solo" and not now.is_edited
    for volume in range(MOST + 20):
        now, history = carry_out(now, history, read_message(say(MIX | {"volume": -(volume % 30)})))
    assert len(history.past) == MOST


@given(
    st.text(max_size=40)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=6) | st.booleans(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["do", "track", "at", "pitch", "by", "up", "serial", "commands"]), inner)
        ),
        max_leaves=12,
    ).map(json.dumps)
    | st.builds(
        say,
        st.fixed_dictionaries(
            {"do": st.sampled_from([*CHANGES, *STEPS])},
            optional={
                name: st.integers(-(10**8), 10**8) | st.text(max_size=3)
                for name in ("track", "at", "pitch", "by", "up", "length", "program", "volume", "pan", "mute")
            },
        ),
    )
)
def test_whatever_a_page_says_is_carried_out_or_a_sentence(text: str) -> None:
    try:
        version, _ = carry_out(Version(a_piece(1)), History(), read_message(text))
    except ValueError as error:
        assert str(error).endswith(".")
    else:
        assert version.piece.note_count


def test_the_recipe_tells_desk_and_edits() -> None:
    told = a_take().version.told
    assert told is not None and told.settings == {"action": "compose", "mix": ""}
    version, _ = carry_out(a_take().version, History(), read_message(say(MOVE, MIX)))
    assert version.told is not None
    assert version.told.settings == {"action": "compose", "mix": "0dB, -6dB R30 solo", "edited": True}


def test_the_desk_is_written_into_midi_as_volume_and_pan() -> None:
    piece, desk = a_piece(1), MixingDesk.parse("-12dB L50, 0dB mute")
    song = to_mido(piece, 1.0, desk)
    told = [{m.control: m.value for m in track if m.type == "control_change"} for track in song.tracks[1:]]
    assert told == [{7: 50, 10: 32}, {7: 0}]
    assert not any(m.type == "control_change" for track in to_mido(piece).tracks for m in track)


def edit(roll: RollActions, take: MusicTake | None, text: str) -> Iterator[dict[str, Any]]:
    yield from map(flatten, roll.edit("me", text, take))


def test_an_edit_is_seen_at_once_then_heard_and_written(roll: RollActions, tmp_path: Path) -> None:
    steps = edit(roll, a_take(), say(MOVE, MIX, serial=7))
    seen = next(steps)
    take: MusicTake = seen["current"]
    assert "&quot;serial&quot;:7" in seen["roll"] and "[0,36,24,67]" in seen["roll"] and seen["wav"] is None
    assert "data-edited" in seen["roll"] and take.samples_count == 0
    for last in steps:
        if last.get("midi"):
            piece = read_piece(last["midi"])
            recipe = recipes.read_recipe(last["wav"])
            sound, _ = soundfile.read(last["wav"])
    assert notes_of(piece, 0, 2)[0] == take.version.piece.tracks[0].notes
    assert recipe.settings["edited"] is True and recipe.settings["mix"] == "0dB, -6dB R30 solo"
    assert np.abs(sound).max() > 0.05 and take.samples_count == len(sound)


def test_what_cannot_be_edited_is_a_sentence(roll: RollActions) -> None:
    assert "no piece here" in next(edit(roll, None, say(MOVE)))["status"]
    assert "reload the page" in next(edit(roll, a_take(), "{}"))["status"]
    answer = next(edit(roll, a_take(), say(MOVE | {"at": 25}, serial=9)))
    assert "not there any more" in answer["status"] and "&quot;serial&quot;:9" in answer["roll"]


def test_a_later_edit_ends_the_rendering_of_the_one_before(roll: RollActions) -> None:
    first = edit(roll, a_take(), say(MOVE))
    take: MusicTake = next(first)["current"]
    roll.edits.begin("me")  # as if another message were being rendered
    roll.edits.ask("me")
    roll.edits.end("me")
    second = edit(roll, take, say(MIX))
    after: MusicTake = next(second)["current"]
    assert any(step.get("wav") for step in second) and after.samples_count
    assert after.history.past == (a_take().version, take.version)


def test_a_take_is_written_as_sheet_music(roll: RollActions) -> None:
    for events in map(flatten, roll.engrave("me", a_take())):
        if events.get("score"):
            assert Path(events["score"]).suffix == ".musicxml"
            root = ET.fromstring(Path(events["score"]).read_bytes())
    assert len(root.findall("part")) == len([track for track in a_take().version.piece.tracks if track.notes])
    assert "no piece here" in flatten(list(roll.engrave("me", None))[-1])["status"]


def test_sheet_music_needs_no_model(tmp_path: Path) -> None:
    registry = Registry((debug_music_spec(tmp_path),), weights_dir=tmp_path)
    events = [flatten(each) for each in RollActions(registry, StopBoard()).engrave("me", a_take())]
    assert any(each.get("score") for each in events)
    assert registry.state(MODEL) != "ready"


def test_stems_are_in_a_zip(roll: RollActions, tmp_path: Path) -> None:
    for events in map(flatten, roll.split("me", a_take())):
        if events.get("stems"):
            archive = zipfile.ZipFile(io.BytesIO(Path(events["stems"]).read_bytes()))
    assert archive.namelist() == ["1-flute.wav", "2-acoustic-bass.wav"]
    lengths = {soundfile.info(io.BytesIO(archive.read(name))).frames for name in archive.namelist()}
    assert len(lengths) == 1
    assert "no piece here" in flatten(list(roll.split("me", None))[-1])["status"]


@pytest.mark.slow
def test_a_kept_version_has_all_files(roll: RollActions) -> None:
    kept: dict[str, Any] = {}
    for events in map(flatten, roll.keep("me", a_take())):
        kept |= {name: recipes.read_recipe(events[name]).seed for name in ("wav", "midi", "mp3") if events.get(name)}
    assert kept == {"wav": 5, "midi": 5, "mp3": 5}


def stop_after(actions: MusicActions, bars: int, current: MusicTake | None = None, **values: Any) -> dict[str, Any]:
    page: dict[str, Any] = {}
    asked = {"bars": 64, "drums": "no", "instruments": [0], "tempo": 200} | values
    for update in map(flatten, actions.run("me", MODEL, asked, current)):
        page |= update
        shown = re.search(r": bar (\d+) of", update.get("status", ""))
        if shown and int(shown[1]) >= bars:
            actions.stops.ask("me")
        if update.get("midi"):
            page["kept"] = read_piece(update["midi"])
            page["told"] = recipes.read_recipe(update["midi"]).settings
    return page


@pytest.mark.slow
def test_stop_keeps_what_is_composed(actions: MusicActions) -> None:
    page = stop_after(actions, 2)
    take: MusicTake = page["current"]
    assert "Stopped after" in page["status"] and 2 <= len(take.bars) < 64
    assert page["told"]["stopped"] == len(take.bars)
    assert f"{len(take.bars)} bars kept" in page["status"]
    onward = stop_after(actions, 1, take, action="continue")["current"]
    assert len(onward.bars) > len(take.bars) and onward.history.past == (take.version,)


def test_the_tools_of_the_roll_say_what_stands_there() -> None:
    take = a_take()
    tools = roll_tools.make_tools(take, 3)
    told = json.loads(tools.data)
    assert told["serial"] == 3 and told["bars"][0] == [0, 0.0] and told["bars"][-1][0] == 192
    assert len(told["notes"]) == a_piece(2).note_count and told["drums"] == [False, False]
    assert tools.below.count('class="strip"') == 2 and "Flute" in tools.below
    assert 'data-roll="undo" disabled' in tools.above


def test_a_melody_is_wanted_before_it_is_written_down(actions: MusicActions) -> None:
    run = tab._run_listening(actions)
    assert "Record a melody first" in flatten(next(run("me", MODEL, {}, None)))["status"]


@pytest.mark.slow
def test_a_hummed_melody_is_written_down_and_harmonised(actions: MusicActions, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "hum.wav", hum(TUNE[:7]), RATE)
    values = {"melody": str(tmp_path / "hum.wav"), "instruments": [0], "drums": "no", "key": "own", "tempo": 0}
    page: dict[str, Any] = {}
    for events in map(flatten, tab._run_listening(actions)("me", MODEL, values, None)):
        page |= events
    take: MusicTake = page["current"]
    assert take.piece is not None and [note.pitch for note in take.piece.tracks[0].notes] == [
        60,
        62,
        64,
        65,
        67,
        67,
        69,
    ]
    assert "7 notes were heard" in page["notes"]
    for events in map(flatten, actions.run("me", MODEL, {**values, "melody": None, "action": "harmonise"}, take)):
        page |= events
    harmonised: MusicTake = page["current"]
    assert harmonised.piece is not None and len(harmonised.piece.tracks) == 2
    assert harmonised.piece.tracks[0].notes == take.piece.tracks[0].notes
    assert harmonised.history.past == (take.version,)
