"""Projects: saved, opened and drawn the same; files that are missing, damaged or malicious."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from models.media.clip_info import probe
from models.media.clip_reader import read_frames
from studio.io import temp_folders
from studio.music_video.actions import MusicVideoActions
from studio.music_video.controls import FIELDS
from studio.music_video.project import open_project, save_project
from studio.music_video.song import Song, close
from tests.models.music_video.debug_video import click_song
from tests.studio.events import flatten
from tests.studio.music_video.test_actions import listened

Values = dict[str, Any]


@pytest.fixture(scope="module")
def song(actions: MusicVideoActions, tmp_path_factory: pytest.TempPathFactory) -> Song:
    path = str(click_song(tmp_path_factory.mktemp("song") / "My song.wav", 4.0))
    return flatten(actions.correct(listened(actions, path)["song"], "delete", 2))["song"]


@pytest.fixture
def values(tmp_path: Path) -> Values:
    media = []
    for folder, colour in (("a", "red"), ("b", "lime")):  # of one name
        (tmp_path / folder).mkdir()
        Image.new("RGB", (96, 64), colour).save(tmp_path / folder / "IMG 1.png")
        media.append(str(tmp_path / folder / "IMG 1.png"))
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:01,000 --> 00:00:02,000\nHello\n")
    fields = {"aspect": "1:1", "shorter_side": 360, "media": media, "captions": str(words), "seed": 11, "title": "T"}
    return FIELDS.defaults() | fields


@pytest.fixture
def saved(song: Song, values: Values, tmp_path: Path) -> Path:
    assert save_project(values, song, tmp_path / "project.zip") == ()
    assert not list(song.folder.glob("*.flac"))
    return tmp_path / "project.zip"


@pytest.mark.slow
def test_a_project_is_drawn_the_same(actions: MusicVideoActions, song: Song, values: Values, saved: Path) -> None:
    opened = open_project(saved)
    assert opened.notes == () and opened.song.name == song.name and len(opened.song.track.times_s) == 7
    np.testing.assert_array_equal(opened.song.track.times_s, song.track.times_s)
    assert [Path(each).name for each in opened.values["media"]] == ["IMG 1.png", "IMG 1.png"]
    assert opened.values["title"] == "T" and Path(opened.values["captions"]).read_text().endswith("Hello\n")

    def draw(row: Values, heard: Song) -> np.ndarray:
        for update in map(flatten, MusicVideoActions(actions.registry).run("p", "", row, heard)):
            if update.get("file"):
                return np.stack(list(read_frames(update["file"], probe(update["file"]), 64, 64)))
        raise AssertionError("nothing was drawn")

    first = draw(values, song)
    again = draw(FIELDS.defaults() | opened.values | {"seed": 99}, opened.song)  # the storyboard holds the seeds
    np.testing.assert_array_equal(first, again)
    close(opened.song)


def test_a_file_that_is_gone_is_named_and_the_rest_is_there(song: Song, values: Values, tmp_path: Path) -> None:
    Path(values["media"][1]).unlink()
    target = tmp_path / "project.zip"
    assert "IMG 1.png could not be put" in save_project(values, song, target)[0]
    opened = open_project(target)
    assert len(opened.values["media"]) == 1 and "IMG 1.png is not in the project" in opened.notes[0]
    close(opened.song)


def test_of_two_files_of_one_name_the_other_stays_what_it_was(song: Song, values: Values, tmp_path: Path) -> None:
    told = json.dumps({"shots": [{"beats": 4, "source": "IMG 1 (2).png"}]})
    Image.new("RGB", (8, 8), "white").save(tmp_path / "mark.png")
    Path(values["media"][0]).unlink()
    target, mark = tmp_path / "project.zip", tmp_path / "mark.png"
    save_project(values | {"storyboard": told, "watermark": str(mark)}, song, target)

    def leave_out(files: dict[str, bytes]) -> None:
        files.pop(next(name for name in files if name.endswith("mark.png")))

    opened = open_project(_rewrite(target, leave_out))
    assert [Path(each).name for each in opened.values["media"]] == ["IMG 1 (2).png"]
    assert Image.open(opened.values["media"][0]).getpixel((0, 0)) == (0, 255, 0)
    assert opened.values["watermark"] is None
    assert opened.notes[1] == "mark.png is not in the project: choose it again under Watermark, a picture."
    close(opened.song)


def _rewrite(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    target = path.with_name("changed.zip")
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target


def test_names_lead_out_of_no_folder(saved: Path, tmp_path: Path) -> None:
    def change(files: dict[str, bytes]) -> None:
        told = json.loads(files["project.json"])
        told["media"] = [["../../../evil.png", told["media"][0][1]], ["C:\\evil.png", told["media"][1][1]]]
        files["project.json"] = json.dumps(told).encode()

    opened = open_project(_rewrite(saved, change))
    assert [Path(each).name for each in opened.values["media"]] == ["evil.png", "evil.png"]
    assert all(Path(each).is_relative_to(opened.song.folder) for each in opened.values["media"])
    close(opened.song)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda files: files.pop("project.json"), "no project of Auralume"),
        (lambda files: files.update({"project.json": b"[]"}), "no project of Auralume"),
        (lambda files: files.pop("song.flac"), "is damaged"),
        (lambda files: files.update({"analysis.npz": b"words"}), "is damaged"),
        (lambda files: files.update({"song.flac": b"no sound at all"}), "no picture and no sound|no sound"),
        (lambda files: files.update({"project.json": files["project.json"].replace(b'"16:9"', b"3")}), ""),
        (lambda files: files.update({"project.json": files["project.json"].replace(b'"1:1"', b'"7:1"')}), "Format is"),
    ],
)
def test_what_is_damaged_is_a_sentence_and_leaves_nothing(saved: Path, change: Any, says: str) -> None:
    path = _rewrite(saved, change)
    before = set(temp_folders.HELD)
    try:
        close(open_project(path).song)
        assert not says
    except ValueError as error:
        assert says and re.search(says, str(error))
    assert set(temp_folders.HELD) == before


@given(st.binary(max_size=200))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_other_file_is_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "any.zip").write_bytes(data)
    with pytest.raises(ValueError, match="no project"):
        open_project(tmp_path / "any.zip")
