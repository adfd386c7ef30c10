"""What is painted: from the controls to the request, the recipe, the board and the project."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from models.style.video_contracts import StyledPart
from studio.io.recipes import read_recipe
from studio.music_video.actions import MusicVideoActions
from studio.music_video.controls import FIELDS, OWN_STYLE, STYLES
from studio.music_video.project import open_project, save_project
from studio.music_video.requests import build_request
from studio.music_video.song import Song, close
from studio.page.style_gallery import PICTURES
from tests.models.music_video.debug_video import click_song
from tests.studio.events import flatten
from tests.studio.music_video.test_actions import listened


@pytest.fixture(scope="module")
def song(actions: MusicVideoActions, tmp_path_factory: pytest.TempPathFactory) -> Song:
    path = str(click_song(tmp_path_factory.mktemp("song") / "song.wav", 2.0))
    found = listened(actions, path)["song"]
    assert isinstance(found, Song)
    return found


@pytest.fixture
def values(tmp_path: Path) -> dict[str, Any]:
    Image.new("RGB", (96, 64), "gray").save(tmp_path / "a.png")
    return FIELDS.defaults() | {"media": [str(tmp_path / "a.png")], "aspect": "1:1", "shorter_side": 360}


def own_style(folder: Path) -> str:
    """Write a style picture."""
    Image.linear_gradient("L").resize((96, 96)).convert("RGB").save(folder / "mine.png")
    return str(folder / "mine.png")


def test_the_menu_offers_the_gallery_and_a_picture_of_ones_own(
    song: Song, values: dict[str, Any], tmp_path: Path
) -> None:
    def build(**more: Any) -> Any:
        return build_request(song, values | more, False, tmp_path / "out.mp4").painting

    assert build().style == "" and [name for name, _ in build().pictures] == [each.key for each in PICTURES]
    chosen = build(style="woodcut", style_strength=0.4, style_part="person")
    assert (chosen.style, chosen.strength, chosen.part) == ("woodcut", 0.4, StyledPart.PERSON)
    mine = build(style=OWN_STYLE, style_file=own_style(tmp_path))
    assert mine.style == OWN_STYLE and dict(mine.pictures)[OWN_STYLE].name == "mine.png"
    card = json.dumps({"shots": [{"beats": 1, "style": OWN_STYLE}]})
    assert build(storyboard=card, style_file=own_style(tmp_path)).style == ""
    for wrong in ({"style": OWN_STYLE}, {"storyboard": card}):
        with pytest.raises(ValueError, match="choose it under A style picture of your own"):
            build(**wrong)
    with pytest.raises(ValueError, match="Painted in the style of is 'oil'"):
        build(style="oil")


def test_the_board_offers_the_styles(actions: MusicVideoActions, song: Song, values: dict[str, Any]) -> None:
    card = json.dumps({"shots": [{"beats": 4, "source": "a.png", "style": "woodcut"}]})
    told = flatten(actions.arrange(values | {"storyboard": card}, song))["board"]
    data = json.loads(html.unescape(told.split('data-board="')[1].split('"')[0]))
    assert [key for _, key in data["styles"]] == ["", "none", *(key for _, key in STYLES)]
    assert data["board"]["shots"][0]["style"] == "woodcut"


@pytest.mark.slow
def test_recipe_report_and_project_keep_the_styles(
    actions: MusicVideoActions, song: Song, values: dict[str, Any], tmp_path: Path
) -> None:
    card = json.dumps({"shots": [{"beats": 2, "source": "a.png"}, {"beats": 2, "source": "a.png", "style": "none"}]})
    row = values | {"style": OWN_STYLE, "style_file": own_style(tmp_path), "storyboard": card}
    given = row | {"song": str(song.sound)}
    steps = [flatten(step) for step in actions.run_program("", given, str(tmp_path))]
    assert [shot.get("style") for shot in steps[-1]["report"]["storyboard"]["shots"]] == [None, "none"]
    file = next(step["file"] for step in steps if step.get("file"))
    recipe = read_recipe(file)
    assert recipe.settings["file_names"] == "mine.png" and "other files: mine.png" in actions.load_settings(file)[1]
    assert recipe.settings["style"] == OWN_STYLE and '"style":"none"' in str(recipe.settings["storyboard"])
    save_project(row, song, tmp_path / "project.zip")
    opened = open_project(tmp_path / "project.zip")
    assert Path(opened.values["style_file"]).name == "mine.png" and opened.values["style"] == OWN_STYLE
    close(opened.song)
