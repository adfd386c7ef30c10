"""Characters from sheets that the test draws itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.video import characters
from training.video.character_credits import CREDITS, write_credits
from training.video.characters import (
    DIRECTIONS,
    CharacterSpec,
    draw_character,
    lay_on_background,
    list_credits,
    render_character,
    write_character_caption,
)

SPEC = CharacterSpec("female", "light", "red", "blue", "bob", "pink", "walk", "left")
COLOURS = ((200, 160, 120), (200, 0, 0), (0, 0, 200), (255, 100, 180))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One sheet a part: each frame has a block in the part's colour and its column in the first pixel."""
    lines = ["file,licenses,source,authors"]
    for level, part in enumerate(SPEC.list_parts()):
        sheet = np.zeros((1344, 832, 4), np.uint8)
        for row in range(21):
            for column in range(13):
                frame = sheet[row * 64 : row * 64 + 64, column * 64 : column * 64 + 64]
                frame[20 + 10 * level : 40 + 10 * level, 20:40] = (*COLOURS[level], 255)
                frame[0, 0] = (row * 10, column * 10, 0, 255)
        path = tmp_path / part
        path.parent.mkdir(parents=True)
        Image.fromarray(sheet).save(path)
        lines.append(f'{part},"CC0,GPL 3.0",drawn,"Ann, Ben"')
    (tmp_path / "LICENSES.csv").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


def test_parts_lie_over_one_another_and_the_rest_is_transparent(folder: Path) -> None:
    frames = render_character(SPEC, folder, frames=16)
    assert frames.shape == (16, 64, 64, 4)
    assert [tuple(frames[0, y, 30, :3]) for y in (25, 35, 45, 55)] == list(COLOURS)
    assert frames[0, 60, 60, 3] == 0
    shown = lay_on_background(frames, (9, 8, 7))
    assert tuple(shown[0, 60, 60]) == (9, 8, 7)
    assert tuple(shown[0, 55, 30]) == COLOURS[3]


def test_a_walk_is_a_cycle_of_eight_without_the_standing_frame(folder: Path) -> None:
    for number, direction in enumerate(DIRECTIONS):
        frames = render_character(replace(SPEC, direction=direction), folder, frames=16)
        assert frames[:, 0, 0, 0].tolist() == [(8 + number) * 10] * 16
        assert frames[:, 0, 0, 1].tolist() == [column * 10 for column in range(1, 9)] * 2


def test_captions_name_the_parts_and_credits_name_the_artists(folder: Path) -> None:
    text = write_character_caption(SPEC, np.random.default_rng(0))
    assert "pink hair" in text
    assert "blue shirt" in text
    lines = list_credits(SPEC, folder)
    assert len(lines) == 4
    assert all("Ann, Ben" in line and "CC0" in line for line in lines)


def test_what_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="beige"):
        render_character(replace(SPEC, shirt="beige"), folder)
    with pytest.raises(ValueError, match="fly"):
        render_character(replace(SPEC, move="fly"), folder)
    with pytest.raises(ValueError, match="beige"):
        list_credits(replace(SPEC, hair="beige"), folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="LICENSES"):
        list_credits(SPEC, tmp_path / "empty")
    with pytest.raises(ValueError, match="holds no"):
        draw_character(tmp_path / "empty", np.random.default_rng(0))
    Image.new("RGBA", (64, 64)).save(folder / SPEC.list_parts()[0])
    characters._load_sheet.cache_clear()
    with pytest.raises(ValueError, match="64 x 64"):
        render_character(SPEC, folder)


def test_the_list_of_artists_names_every_sheet_once(folder: Path) -> None:
    text = write_credits(folder)
    assert "Ann, Ben\n  CC0, GPL 3.0" in text
    assert all(f"  {part.rsplit('/', 1)[0]} (1)" in text for part in SPEC.list_parts())
    (folder / "LICENSES.csv").write_text("file,licenses,source,authors\n", encoding="utf-8")
    with pytest.raises(ValueError, match="does not name"):
        write_credits(folder)


def test_the_shipped_list_of_artists_is_there() -> None:
    text = CREDITS.read_text(encoding="utf-8")
    assert "bluecarrot16" in text and "OGA-BY 3.0" in text and "hair/bob/female" in text
