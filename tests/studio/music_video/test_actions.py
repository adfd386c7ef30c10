"""The Music Video tab without its page: songs of every kind, corrections, the finished file, settings, stopping."""

from __future__ import annotations

import csv
import gc
import html
import json
import shutil
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
import soundfile
from PIL import Image

from models.media.clip_info import probe
from models.music_video import generator
from models.music_video.contracts import ASPECTS, SCENES, SHORTER_SIDES, TEMPLATE_NAMES, VisualEffects
from models.registry.registry import Registry
from studio.io import temp_folders
from studio.io.audio_files import write_wav
from studio.io.recipes import read_recipe
from studio.music_video import controls, tab
from studio.music_video import song as songs
from studio.music_video.actions import MusicVideoActions
from studio.music_video.beat_plot import beat_plot
from studio.music_video.controls import FIELDS, STRENGTHS
from studio.music_video.listening import safe_name, trimmed
from studio.music_video.requests import build_request, choose_aspect
from studio.music_video.song import Song
from studio.music_video.song_memory import bring_back, hold_song
from tests.models.music_video.debug_video import RATE, click_song, encoded
from tests.studio.debug_beats import music_video_registry, music_video_specs
from tests.studio.events import flatten

FAST = {
    "prompts": "a red fire\nblue waves",
    "aspect": "1:1",
    "shorter_side": 360,
    "steps": 4,
    "key_clips": 2,
    "seed": 5,
}


def listened(actions: MusicVideoActions, source: Any, trim: tuple[float, float] = (0, 0)) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for update in map(flatten, actions.listen("melisten", source, trim, None)):
        merged |= update
    return merged


@pytest.fixture(scope="module")
def heard(actions: MusicVideoActions, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return listened(actions, str(click_song(tmp_path_factory.mktemp("song") / "My song!.wav", 8.0, 120.0)))


@pytest.fixture
def song(heard: dict[str, Any]) -> Song:
    return heard["song"]


def changed(actions: MusicVideoActions, song: Song | None, what: str, value: Any = None) -> dict[str, Any]:
    return flatten(actions.correct(song, what, value))


def test_undo_brings_back_another_song_with_its_beats_and_leaves_the_same_one_alone(
    actions: MusicVideoActions, heard: dict[str, Any], tmp_path: Path
) -> None:
    own = songs.copy_song(heard["song"])
    tapped = changed(actions, own, "double")["song"]
    held = hold_song(tapped)
    other = listened(actions, str(click_song(tmp_path / "other.wav", 4.0)))["song"]
    shown = flatten(bring_back(held, other))
    assert shown["song"].name == "My-song" and shown["song"].track is tapped.track
    assert Path(shown["player"]).is_file() and Path(shown["csv"]).is_file() and "plot" in shown
    assert not other.sound.exists()
    again = changed(actions, shown.pop("song"), "half")["song"]
    gc.collect()
    assert again.sound.is_file()  # beats of a song that came back can be corrected
    songs.close(again)
    songs.close(own)
    assert bring_back(held, tapped) == bring_back(None, tapped) == ()
    assert hold_song(other) is None  # its sound is gone


def test_a_song_that_is_lent_outlives_the_page_and_goes_with_the_last_who_has_it(song: Song) -> None:
    lent = songs.lend(song)
    folder = lent.folder
    assert lent.sound.read_bytes() == song.sound.read_bytes() and lent.track is song.track and folder != song.folder
    del lent
    gc.collect()
    assert not folder.exists() and song.sound.exists()


def test_beats_are_heard_and_given_as_files(heard: dict[str, Any], song: Song) -> None:
    assert "beats at 120 a minute" in heard["status"] and song.name == "My-song"
    rows = list(csv.reader(Path(heard["csv"]).read_text().splitlines()))
    assert rows[0] == ["time_s", "place_in_bar"] and len(rows) == len(song.track.times_s) + 1
    data = json.loads(Path(heard["json"]).read_text())
    assert data["bpm"] == pytest.approx(120, abs=2) and data["sections"][0]["label"] == "A"
    assert heard["plot"].count('class="beat') == len(song.track.times_s)
    clicks, rate = soundfile.read(heard["clicks"])
    plain, _ = soundfile.read(song.sound)
    assert rate == RATE and clicks.shape == plain.shape
    at = int(song.track.times_s[3] * rate)
    assert np.abs(clicks - 0.6 * plain)[at : at + 800].max() > 0.2


def made_events(
    actions: MusicVideoActions, fields: dict[str, Any], song: Song, is_preview: bool, folder: Path
) -> list[dict[str, Any]]:
    """Return the events of a video, its file copied before its folder goes."""
    updates = []
    for update in map(flatten, actions.run("me", "", fields, song, is_preview)):
        if update.get("file"):
            update["file"] = shutil.copy(update["file"], folder)
        updates.append(update)
    return updates


@pytest.mark.slow
def test_a_file_that_nobody_listened_to_is_heard_first(actions: MusicVideoActions, tmp_path: Path) -> None:
    held = set(temp_folders.HELD)
    file = click_song(tmp_path / "another.wav", 4.0, 120.0)
    said, made = [], ""
    for update in map(flatten, actions.run("me", "", FAST | {"song": str(file)}, None, is_preview=True)):
        said.append(update.get("status", ""))
        made = shutil.copy(update["file"], str(tmp_path)) if update.get("file") else made
    assert any("Listening for beats" in each for each in said)
    assert probe(made).duration_s == pytest.approx(4, abs=0.2)
    assert read_recipe(made).settings["storyboard"]
    assert set(temp_folders.HELD) == held
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no sound")
    assert "broken" in flatten(list(actions.run("me", "", FAST | {"song": str(broken)}, None))[-1])["status"]


def test_corrections_change_plot_files_and_can_be_undone(actions: MusicVideoActions, song: Song) -> None:
    doubled = changed(actions, song, "double")["song"]
    assert doubled.track.bpm == pytest.approx(2 * song.track.bpm, rel=0.02)
    assert changed(actions, doubled, "undo")["song"].track is song.track
    assert changed(actions, song, "half")["song"].track.bpm == pytest.approx(song.track.bpm / 2, rel=0.05)
    moved = changed(actions, song, "shift", 40)["song"].track
    np.testing.assert_allclose(moved.times_s[: len(song.track.times_s)], song.track.times_s + 0.04)
    fewer = changed(actions, song, "delete", 2)
    assert len(fewer["song"].track.times_s) == len(song.track.times_s) - 1
    assert len(json.loads(Path(fewer["json"]).read_text())["beats"]) == len(song.track.times_s) - 1
    assert changed(actions, song, "downbeat", 3)["song"].track.places[2] == 1
    tapped = changed(actions, song, "tap", "1.0 1.6 2.2 2.8 3.4")["song"].track
    assert tapped.bpm == pytest.approx(100) and np.abs(tapped.times_s - 2.2).min() < 0.01


@pytest.mark.parametrize(
    ("what", "value", "says"),
    [
        ("tap", "1 2", "at least four"),
        ("delete", 0, "Click a beat"),
        ("delete", 999, "Beat 999 does not exist"),
        ("magic", 1, "no correction named"),
    ],
)
def test_impossible_corrections_are_sentences(
    actions: MusicVideoActions, song: Song, what: str, value: Any, says: str
) -> None:
    assert says in changed(actions, song, what, value)["status"]
    assert "Choose a song" in changed(actions, None, what, value)["status"]


@pytest.mark.slow
def test_the_video_has_its_recipe_and_the_corrected_beats(
    actions: MusicVideoActions, song: Song, tmp_path: Path
) -> None:
    fields = FAST | {"title": "T", "zoom": 0.9}
    corrected = changed(actions, song, "half")["song"]
    updates = made_events(actions, fields, corrected, True, tmp_path)
    made = {name: value for update in updates for name, value in update.items()}
    assert probe(made["file"]).frames == 8 * 24 and probe(made["file"]).sound == "aac"
    assert "360 x 360" in made["status"] and made["picture"] == ""
    assert any("image/jpeg" in update.get("picture", "") for update in updates)
    assert any("left" in update.get("status", "") for update in updates)
    recipe = read_recipe(made["file"])
    assert recipe.task == "music_video" and recipe.settings["zoom"] == 0.9 and recipe.seed == 5
    values, said = actions.load_settings(made["file"])
    expected = {"prompts": FAST["prompts"], "aspect": "1:1", "zoom": 0.9, "seed": 5, "title": "T"}
    assert {name: values[name] for name in expected} == expected and "song" not in values and "restored" in said


@pytest.mark.slow
def test_stopping_before_a_second_is_drawn_keeps_nothing(actions: MusicVideoActions, song: Song) -> None:
    work = actions.run("memake", "", FAST, song)
    for update in map(flatten, work):
        if "Filming" in update.get("status", ""):
            break
    assert actions.stops.ask("memake")
    rest = [flatten(events) for events in work]
    assert "Stopped before" in rest[-1]["status"] and not any(update.get("file") for update in rest)


@pytest.mark.slow
def test_stopping_keeps_what_is_drawn(
    actions: MusicVideoActions, song: Song, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator, "REPORT_EVERY_S", 0.0)  # a look at Stop after each frame
    made: dict[str, Any] = {}
    for update in map(flatten, actions.run("memake", "", FAST, song)):
        made |= update
        if "Drawing frame 30" in update.get("status", ""):
            assert actions.stops.ask("memake")
        if update.get("file"):
            shutil.copy(update["file"], tmp_path / "kept.mp4")
    film = probe(tmp_path / "kept.mp4")
    assert 30 <= film.frames < 8 * 24 and film.sound == "aac"
    assert abs(film.duration_s - film.frames / 24) < 0.1
    assert "stopped early" in made["status"]
    recipe = read_recipe(tmp_path / "kept.mp4")
    assert recipe.settings["stopped"] == pytest.approx(film.frames / 24, abs=0.01)
    assert not list(Path(made["file"]).parent.glob("*whole*"))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"prompts": " "}, "Prompts is empty"),
        ({"zoom": 3}, "Zoom is 3"),
        ({"reactivity": -1}, "Reactivity is -1"),
        ({"aspect": "2:1"}, "Format is"),
        ({"captions": "nowhere.srt"}, "gone"),
        ({"title": "x" * 200}, "at most 120"),
        ({"lyrics": "a line\nanother"}, "have no times yet"),
        ({"fade_in_s": 9}, "Fade in is 9"),
        ({"destination": "cinema"}, "Where it goes is"),
    ],
)
def test_wrong_fields_are_sentences(
    actions: MusicVideoActions, song: Song, tmp_path: Path, fields: dict[str, Any], says: str
) -> None:
    last = flatten(list(actions.run("me", "", FAST | fields, song))[-1])
    assert says in last["status"] and "alert" in last["status"]


def test_without_a_song_or_a_model(actions: MusicVideoActions, song: Song, tmp_path: Path) -> None:
    assert "Choose a song" in flatten(list(actions.run("me", "", FAST, None))[-1])["status"]
    alone = MusicVideoActions(Registry(music_video_specs()[:1], memory_budget_mb=10, weights_dir=tmp_path))
    assert "no video model" in flatten(list(alone.run("me", "", FAST, song))[-1])["status"]


@pytest.mark.slow
def test_songs_that_cannot_be_used(actions: MusicVideoActions, tmp_path: Path) -> None:
    (tmp_path / "broken.mp3").write_bytes(b"\xff\xfb" + b"\x00" * 50)
    assert "no sound that can be read" in listened(actions, str(tmp_path / "broken.mp3"))["status"]
    assert "gone" in listened(actions, str(tmp_path / "missing.wav"))["status"]
    assert "Choose or record" in listened(actions, None)["status"]
    long = encoded(tmp_path / "long.flac", "-f", "lavfi", "-i", "sine=100:d=620:r=8000")
    assert "longer than 10 minutes" in listened(actions, str(long))["status"]
    assert listened(actions, str(long), (600, 604))["song"].duration_s == pytest.approx(4.0, abs=0.01)
    with pytest.raises(ValueError, match="not after its start"):
        trimmed((5, 4))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["silence", "noise", "short"])
def test_sounds_that_are_no_songs_give_something_sensible(
    actions: MusicVideoActions, tmp_path: Path, kind: str
) -> None:
    seconds = 0.2 if kind == "short" else 3.0
    noise = 0.1 * np.random.default_rng(0).standard_normal(int(seconds * RATE)).astype(np.float32)
    made = listened(actions, str(write_wav(tmp_path / "a.wav", noise * (kind != "silence"), RATE)))
    assert "alert" not in made["status"] and made["song"].duration_s == pytest.approx(seconds, abs=0.01)
    if kind == "silence":
        assert "No steady beat" in made["status"]
    last = flatten(list(actions.run("me", "", FAST, made["song"], is_preview=True))[-1])
    assert ("from 0.5 s" if kind == "short" else "of video") in last["status"]


def test_a_new_song_deletes_the_folder_of_the_old(actions: MusicVideoActions, tmp_path: Path) -> None:
    first = listened(actions, str(click_song(tmp_path / "a.wav", 1.0)))["song"]
    second = [
        update
        for update in map(flatten, actions.listen("me", str(tmp_path / "a.wav"), (0, 0), first))
        if "song" in update
    ]
    assert not first.folder.exists() and second[0]["song"].folder.exists()
    songs.close(second[0]["song"])
    assert not second[0]["song"].folder.exists()


@pytest.mark.slow
def test_a_program_gets_the_video_and_the_beats(actions: MusicVideoActions, tmp_path: Path) -> None:
    whole = FIELDS.defaults() | FAST
    song = str(click_song(tmp_path / "a.wav", 2.0))
    steps = [flatten(step) for step in actions.run_program("", whole | {"song": song}, str(tmp_path))]
    file = next(step["file"] for step in steps if step.get("file"))
    beats = steps[-1]["report"]
    assert probe(file).frames == 48
    assert len(beats["beats"]) >= 3 and set(beats["beats"][0]) == {"time_s", "place"}
    with pytest.raises(ValueError, match="no sound"):
        (tmp_path / "b.mp3").write_bytes(b"nothing" * 20)
        list(actions.run_program("", whole | {"song": str(tmp_path / "b.mp3")}, str(tmp_path)))


def test_where_it_goes_sets_the_format_and_the_longest_song(song: Song, tmp_path: Path) -> None:
    values = FAST | {"destination": "tiktok", "lyrics": "[00:01.00] Hello"}
    request = build_request(song, values, False, tmp_path / "a.mp4")
    assert request.aspect == "9:16" and request.captions[0].text == "Hello" and not request.finish.karaoke
    assert build_request(song, values | {"template": "karaoke"}, False, tmp_path / "a.mp4").finish.karaoke
    with pytest.raises(ValueError, match=r"Reels takes at most 3 minutes, and the song lasts 3\.3"):
        choose_aspect("reels", "16:9", 200.0)


def photos(folder: Path, *colours: str) -> list[str]:
    """Write a photo of each colour."""
    for colour in colours:
        Image.new("RGB", (96, 64), colour).save(folder / f"{colour}.png")
    return [str(folder / f"{colour}.png") for colour in colours]


@pytest.mark.slow
def test_a_program_gives_the_storyboard_that_it_got_and_own_pictures_load_no_model(tmp_path: Path) -> None:
    alone = MusicVideoActions(music_video_registry(tmp_path))
    song = str(click_song(tmp_path / "a.wav", 3.0))
    values = FIELDS.defaults() | FAST | {"song": song, "media": photos(tmp_path, "red", "lime")}
    first = [flatten(step) for step in alone.run_program("", values, str(tmp_path))]
    told = first[-1]["report"]["storyboard"]
    assert [shot["source"] for shot in told["shots"]] == ["red.png", "lime.png"]
    assert alone.registry.state(alone.video_key()) != "ready"
    file = next(step["file"] for step in first if step.get("file"))
    recipe = read_recipe(file)
    assert recipe.model == "" and json.loads(str(recipe.settings["storyboard"])) == told
    before = Path(file).read_bytes()
    told["shots"][1]["source"] = "red.png"
    again = [flatten(step) for step in alone.run_program("", values | {"storyboard": json.dumps(told)}, str(tmp_path))]
    assert again[-1]["report"]["storyboard"] == told
    assert Path(next(step["file"] for step in again if step.get("file"))).read_bytes() != before
    told["shots"][1]["source"] = "gone.png"
    with pytest.raises(ValueError, match=r"shows gone\.png"):
        list(alone.run_program("", values | {"storyboard": json.dumps(told)}, str(tmp_path)))


def test_drawn_shots_lie_where_the_next_start_clears_away_and_go_with_the_studio(tmp_path: Path) -> None:
    alone = MusicVideoActions(music_video_registry(tmp_path))
    folder = alone._maker("", None).store.folder
    assert folder in temp_folders.HELD and folder.is_dir()
    del alone
    gc.collect()
    assert folder not in temp_folders.HELD and not folder.exists()


@pytest.mark.slow
def test_a_video_is_finished_though_another_song_is_chosen_meanwhile(
    actions: MusicVideoActions, tmp_path: Path
) -> None:
    own = listened(actions, str(click_song(tmp_path / "a.wav", 2.0)))["song"]
    made: dict[str, Any] = {}
    for update in map(flatten, actions.run("me", "", FAST | {"media": photos(tmp_path, "red")}, own)):
        made |= update
        songs.close(own)
    assert made["file"] and "of video" in made["status"]
    last = flatten(list(actions.run("me", "", FAST, own))[-1])
    assert "song is gone" in last["status"]


def test_the_page_gets_cards_with_pictures(actions: MusicVideoActions, song: Song, tmp_path: Path) -> None:
    values = FIELDS.defaults() | FAST | {"media": photos(tmp_path, "red", "lime")}
    told = flatten(actions.arrange(values, song))["board"]
    data = json.loads(html.unescape(told.split('data-board="')[1].split('"')[0]))
    assert [each["name"] for each in data["media"]] == ["red.png", "lime.png"]
    assert all(each["picture"].startswith("data:image/jpeg") for each in data["media"])
    assert sum(shot["beats"] for shot in data["board"]["shots"]) == len(data["grid"])
    assert "storyboard cannot be read" in flatten(actions.arrange(values | {"storyboard": "{}"}, song))["board"]
    assert flatten(actions.arrange(values, None))["board"] == ""


def test_the_board_follows_all_that_sets_the_format(song: Song, tmp_path: Path) -> None:
    with gr.Blocks() as page:
        tab.build(music_video_registry(tmp_path))
    parts = {str(each.elem_id): each for each in page.blocks.values() if getattr(each, "elem_id", "")}
    usual = (parts["mv-arrange-usual"]._id, "click")
    arranging = next(each for each in page.fns.values() if usual in each.targets)
    assert {(parts[f"mv-{name}"]._id, "input") for name in ("aspect", "destination")} <= set(arranging.targets)
    values = {f"mv-{name}": value for name, value in (FAST | {"destination": "tiktok", "aspect": "1:1"}).items()}
    row = [values.get(str(each.elem_id), getattr(each, "value", None)) for each in arranging.inputs[1:]]
    assert arranging.fn is not None and '"aspect":"9:16"' in html.unescape(arranging.fn(song, *row))


def test_what_the_page_offers_is_what_the_generator_takes() -> None:
    assert set(controls.ASPECTS) == set(ASPECTS)
    assert {name for _, name in controls.SCENES} == set(SCENES)
    assert {name for _, name in controls.TEMPLATES} == {"", *TEMPLATE_NAMES}
    assert {side for side, _ in controls.SIDES} <= set(SHORTER_SIDES)
    assert vars(VisualEffects()) == controls.DEFAULT_LOOK and tuple(vars(VisualEffects())) == STRENGTHS
    assert safe_name("../../etc: passwd") == "etc-passwd" and safe_name("???") == "song"


def test_the_plot_of_nothing_and_of_strange_names() -> None:
    none = np.zeros(0, np.float32)
    assert "0 beats" in beat_plot(0.1, none, none, 50, np.zeros(0), np.zeros(0, int), ())
