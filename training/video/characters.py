"""Animated characters at 64 x 64, composed from Liberated Pixel Cup sheets: exact captions, transparent frames.

A sheet is 832 x 1344 pixels: rows of 64 x 64 frames for each move and direction. Sheets of a body, trousers, a shirt
and hair, laid over one another in that order, make a character. The sheets are not part of this repository: give the
folder that holds `body`, `legs`, `torso`, `hair` and `LICENSES.csv` (columns file, licenses, source, authors).
`list_credits` names who drew the parts; the licences (CC0, CC BY, OGA-BY) ask for that.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from models.video.scene_words import FACING, MOVE_WORDS, PEOPLE, Wordings, tidy
from models.video.scenes.canvas import Array, f32

FRAME = 64
SHEET = (1344, 832)
DIRECTIONS = ("up", "left", "down", "right")
# move: first row, frames, first frame of the cycle
MOVES = {
    "spellcast": (0, 7, 0),
    "thrust": (4, 8, 0),
    "walk": (8, 9, 1),
    "slash": (12, 6, 0),
    "shoot": (16, 13, 0),
}
SKINS = ("black", "brown", "dark", "light", "olive", "peach", "tanned", "white")


@dataclass(frozen=True)
class CharacterSpec:
    """A character and what it does; parts are paths below the folder of sheets, from the skin outwards."""

    sex: str
    skin: str
    trousers: str
    shirt: str
    hair_style: str
    hair: str
    move: str
    direction: str

    def list_parts(self) -> tuple[str, ...]:
        """List the files of the sheets, the lowest first."""
        return (
            f"body/{self.sex}/human/{self.skin}.png",
            f"legs/pantaloons/male/{self.trousers}.png",
            f"torso/clothes/longsleeve/{self.sex}/{self.shirt}.png",
            f"hair/{self.hair_style}/{self.sex}/{self.hair}.png",
        )


def _list_names(folder: Path, pattern: str) -> list[str]:
    found = sorted(path.stem for path in folder.glob(pattern))
    if not found:
        raise ValueError(f"{folder} holds no {pattern}; give the folder of the character sheets.")
    return found


def draw_character(folder: Path, rng: np.random.Generator) -> CharacterSpec:
    """Draw a character evenly over the parts in a folder.

    Raises:
        ValueError: the folder does not hold the sheets.
    """

    def pick(values: list[str]) -> str:
        return values[int(rng.integers(len(values)))]

    sex = pick(["female", "male"])
    styles = sorted(path.parent.name for path in (folder / "hair").glob(f"*/{sex}"))
    if not styles:
        raise ValueError(f"{folder} holds no hair; give the folder of the character sheets.")
    style = pick(styles)
    return CharacterSpec(
        sex=sex,
        skin=pick([name for name in _list_names(folder, f"body/{sex}/human/*.png") if name in SKINS]),
        trousers=pick(_list_names(folder, "legs/pantaloons/male/*.png")),
        shirt=pick(_list_names(folder, f"torso/clothes/longsleeve/{sex}/*.png")),
        hair_style=style,
        hair=pick(_list_names(folder, f"hair/{style}/{sex}/*.png")),
        move=pick(list(MOVES)),
        direction=pick(list(DIRECTIONS)),
    )


@lru_cache(maxsize=64)
def _load_sheet(path: Path) -> np.ndarray:
    """Load a sheet, uint8 (1344, 832, 4), colours and opacity."""
    from PIL import Image

    with Image.open(path) as picture:
        sheet = np.asarray(picture.convert("RGBA"))
    if sheet.shape[:2] != SHEET:
        raise ValueError(f"{path.name} is {sheet.shape[1]} x {sheet.shape[0]}; a sheet has {SHEET[1]} x {SHEET[0]}.")
    return sheet


def render_character(spec: CharacterSpec, folder: Path, frames: int = 16) -> np.ndarray:
    """Render frames of the move, repeated as a cycle: uint8 (frames, 64, 64, 4), transparent around the character.

    Raises:
        ValueError: a move, a direction or a sheet that there is not.
    """
    if spec.move not in MOVES or spec.direction not in DIRECTIONS:
        raise ValueError(f"move {spec.move!r} {spec.direction!r} is not one of {', '.join(MOVES)} in four directions.")
    first_row, count, first = MOVES[spec.move]
    row = (first_row + DIRECTIONS.index(spec.direction)) * FRAME
    colour: Array = np.zeros((FRAME, FRAME * count, 3), np.float32)
    opacity: Array = np.zeros((FRAME, FRAME * count, 1), np.float32)
    for part in spec.list_parts():
        path = folder / part
        if not path.is_file():
            raise ValueError(f"{part} is not in the folder of the character sheets.")
        layer = _load_sheet(path)[row : row + FRAME, : FRAME * count].astype(np.float32)
        over = layer[..., 3:] / 255
        colour = layer[..., :3] * over + colour * (1 - over)
        opacity = over + opacity * (1 - over)
    straight = colour / np.maximum(opacity, 1e-3)
    strip = np.concatenate([straight, opacity * 255], axis=-1).round().astype(np.uint8)
    cycle = np.stack(np.split(strip, count, axis=1))[first:]
    return cycle[np.arange(frames) % len(cycle)]


def lay_on_background(frames: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Lay uint8 (F, 64, 64, 4) over one colour: uint8 (F, 64, 64, 3)."""
    opacity: Array = frames[..., 3:].astype(np.float32) / 255
    return (frames[..., :3] * opacity + f32(colour) * (1 - opacity)).round().astype(np.uint8)


def write_character_caption(spec: CharacterSpec, rng: np.random.Generator, held_out: bool = False) -> str:
    """Word what a person might type, e.g. "a woman with pink hair in a blue shirt walks left"."""

    def word(wordings: Wordings) -> str:
        choices = wordings[1 if held_out else 0]
        return choices[int(rng.integers(len(choices)))]

    def plain(name: str) -> str:
        return name.replace("_", " ")

    who = f"a {word(PEOPLE[spec.sex])}"
    looks = [f"with {plain(spec.hair)} hair", f"in a {plain(spec.shirt)} shirt"]
    if rng.random() < 0.5:
        looks.append(f"and {plain(spec.trousers)} trousers")
    return tidy(" ".join([who, *looks, word(MOVE_WORDS[spec.move]), word(FACING[spec.direction])]))


def list_credits(spec: CharacterSpec, folder: Path) -> list[str]:
    """List a line for each part: file, authors, licences.

    Raises:
        ValueError: the list of licences is missing, or does not name a part.
    """
    path = folder / "LICENSES.csv"
    if not path.is_file():
        raise ValueError("LICENSES.csv is not in the folder of the character sheets.")
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    missing = [part for part in spec.list_parts() if part not in rows]
    if missing:
        raise ValueError(f"LICENSES.csv does not name {', '.join(missing)}.")
    return [f"{part}: {rows[part]['authors']} ({rows[part]['licenses']})" for part in spec.list_parts()]
