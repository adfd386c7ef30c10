"""The finished things that each tab shows first: small, readable, marked, and their settings fit their forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from models.registry.catalog import CATALOG
from models.registry.store import open_registry
from studio.io.recipes import read_recipe
from studio.io.xmp import GENERATED
from studio.live.controls import MUSIC_FIELDS
from studio.music.actions import MusicActions
from studio.music_video.actions import MusicVideoActions
from studio.page import examples
from studio.speech.actions import SpeechActions
from studio.style.actions import AudioStyleActions, VideoStyleActions
from studio.video.actions import VideoActions

FORMS: dict[str, Any] = {
    "speech": SpeechActions,
    "music": MusicActions,
    "video": VideoActions,
    "mv": MusicVideoActions,
    "style-video": VideoStyleActions,
    "style-audio": AudioStyleActions,
}


def files_of(prefix: str) -> list[Path]:
    return [examples.FOLDER / row["file"] for row in examples.list_examples()[prefix]]


def test_every_form_has_three_video_twelve_and_each_is_small() -> None:
    listed = examples.list_examples()
    assert sorted(listed) == sorted([*FORMS, "live", "sync"])
    assert {prefix: len(rows) for prefix, rows in listed.items()} == dict.fromkeys(listed, 3) | {"video": 12}
    names = {row[key] for rows in listed.values() for row in rows for key in examples.MEDIA if key in row}
    there = {each.name for each in examples.FOLDER.iterdir()} - {examples.LIST.name}
    assert names == there
    assert all((examples.FOLDER / each).stat().st_size < examples.LARGEST_BYTES for each in there)
    for name in names:
        if name.endswith(".webp"):
            with Image.open(examples.FOLDER / name) as picture:
                assert picture.format == "WEBP"


@pytest.mark.parametrize("prefix", FORMS)
def test_their_settings_are_taken_by_their_form(prefix: str) -> None:
    actions = FORMS[prefix](open_registry(CATALOG))
    for path in files_of(prefix):
        values, said = actions.load_settings(str(path))
        assert values.get("seed", 11) == 11
        assert said.startswith("Settings restored")


def test_those_of_live_set_its_knobs() -> None:
    tempos = []
    for path in files_of("live"):
        recipe = read_recipe(path)
        tempos.append(MUSIC_FIELDS.restore(recipe.settings, recipe.seed)["tempo"])
    assert tempos == [112, 66, 138]


@pytest.mark.parametrize("prefix", ["speech", "video", "sync"])
def test_they_are_marked_as_generated(prefix: str) -> None:
    from studio.io.marking import Marker

    for path in files_of(prefix):
        found = Marker().read(path)
        assert found.source == GENERATED
        assert found.state == "Valid"


def test_their_files_are_served_and_nothing_else() -> None:
    client = TestClient(Starlette(routes=[examples.examples_route()]))
    name = examples.list_examples()["speech"][0]["file"]
    assert client.get(f"/examples/{name}").headers["content-type"] == "audio/mpeg"
    assert client.get("/examples/examples.json").status_code == 404
    assert client.get("/examples/..%2fstudio.js").status_code == 404
    assert examples.find_example("an-item 12") is None
    with pytest.raises(ValueError, match="no such example"):
        examples.find_example("example:../studio.js 12")


def test_the_page_holds_their_names_alone() -> None:
    shown = examples.show_examples("mv")
    assert shown.count('preload="none"') == 3
    assert "<video" in shown
    assert "<audio" in examples.show_examples("live")
    assert examples.show_examples("sync").count('class="example-clip" data-form="sync"') == 3
    assert examples.show_examples("make") == ""
