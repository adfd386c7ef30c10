"""Fonts for the letters of any script: the one that comes with matplotlib, and those that the machine has.

Words are cut into runs, each of one font and one direction, in the order in which they stand on the line (the Unicode
bidirectional algorithm). Letters that no font of the machine has are left out and told.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

BITMAP_SIZE = 109  # of the letters in fonts of coloured pictures
JOINING = {0x200C, 0x200D, 0xFE0E, 0xFE0F, 0x20E3}  # what shapes or colours the letter before it
SKIN_COLOURS = range(0x1F3FB, 0x1F400)
PREFERRED = ("notosans", "noto", "sourcehan", "pingfang", "hiragino", "yugoth", "meiryo", "msyh", "malgun")
AVOIDED = ("serif", "mono", "italic", "oblique", "thin", "light", "condensed", "lastresort", "fallback", "unifont")
FACES = {"JP": "\u3041\u30ff", "KR": "\uac00\ud7a3"}  # of a collection: which letters speak for which


class Font(NamedTuple):
    """A font file, and which of the faces in it."""

    path: str
    face: int = 0


class Run(NamedTuple):
    """Letters of one font and one direction, as they are typed; None stands for no font."""

    text: str
    font: Font | None
    from_right: bool


@lru_cache(maxsize=1)
def usual_font() -> Font:
    """Return DejaVu Sans Bold, which comes with matplotlib and knows Latin, Greek, Cyrillic, Hebrew and Arabic."""
    import matplotlib

    return Font(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf"))


@lru_cache(maxsize=1)
def list_fonts() -> tuple[str, ...]:
    """Return the font files of the machine, those that suit best first."""
    from matplotlib import font_manager

    def rank(path: str) -> tuple[int, int, int, str]:
        name = Path(path).stem.lower()
        preferred = next((at for at, each in enumerate(PREFERRED) if name.startswith(each)), 99)
        return (sum(each in name for each in AVOIDED), preferred, "bold" not in name and "-b" not in name, path)

    return tuple(sorted(map(str, font_manager.findSystemFonts()), key=rank))


@lru_cache(maxsize=256)
def list_letters(path: str) -> frozenset[int]:
    """Return the code points that a font file draws; none of a file that cannot be read."""
    from fontTools.ttLib import TTFont

    try:
        with TTFont(path, fontNumber=0, lazy=True) as file:
            return frozenset(file.getBestCmap() or ())
    except Exception:  # a font of the machine can be damaged in any way
        return frozenset()


@lru_cache(maxsize=4096)
def find_font(letter: str) -> Font | None:
    """Return the font that draws a letter, None where no font of the machine does."""
    point = ord(letter)
    if point in list_letters(usual_font().path) and unicodedata.category(letter) != "So":
        return usual_font()
    for path in list_fonts():
        if point in list_letters(path):
            return Font(path)
    return usual_font() if point in list_letters(usual_font().path) else None


def find_missing(texts: Iterable[str]) -> str:
    """Return the letters that no font of the machine has, each once, in order."""
    letters = {letter for text in texts for letter in text if not letter.isspace() and ord(letter) not in JOINING}
    return "".join(sorted(letter for letter in letters if find_font(letter) is None))


def is_plain(text: str) -> bool:
    """Tell whether the usual font draws all of it from the left to the right."""
    return all(
        letter.isspace() or (find_font(letter) == usual_font() and not _is_from_right(letter)) for letter in text
    )


def split_runs(text: str) -> list[Run]:
    """Return the runs of a line in the order in which they stand on it, from the left."""
    levels = _find_levels(text)
    runs: list[tuple[str, Font | None, int]] = []
    for letter, level in zip(text, levels, strict=True):
        font = _font_beside(letter, runs, level)
        if runs and runs[-1][1:] == (font, level):
            runs[-1] = (runs[-1][0] + letter, font, level)
        else:
            runs.append((letter, font, level))
    for level in range(max(levels, default=0), 0, -1):  # rule L2: from the highest level on, what is not lower turns
        at = 0
        while at < len(runs):
            end = at
            while end < len(runs) and runs[end][2] >= level:
                end += 1
            runs[at:end] = runs[at:end][::-1]
            at = max(end, at + 1)
    face = next((name for name, ends in FACES.items() if any(ends[0] <= each <= ends[1] for each in text)), "SC")
    return [Run(part, _with_face(font, face), bool(level % 2)) for part, font, level in runs]


def open_font(font: Font, size: float) -> Any:
    """Return Pillow's font of that size in pixels; a font of coloured pictures has one size only."""
    from PIL import ImageFont

    try:
        return ImageFont.truetype(font.path, size, index=font.face)
    except OSError:
        return ImageFont.truetype(font.path, BITMAP_SIZE, index=font.face)


def _font_beside(letter: str, runs: list[tuple[str, Font | None, int]], level: int) -> Font | None:
    """Return the font of a letter; marks and joiners take that of the letter before them."""
    if letter.isspace():
        return usual_font()
    before = runs[-1][1] if runs and runs[-1][2] == level else None
    if before is not None:
        point = ord(letter)
        is_mark = unicodedata.category(letter) in {"Mn", "Mc"} or point in SKIN_COLOURS
        if point in JOINING or (is_mark and point in list_letters(before.path)):
            return before
    return usual_font() if ord(letter) in JOINING else find_font(letter)


def _is_from_right(letter: str) -> bool:
    return unicodedata.bidirectional(letter) in {"R", "AL", "AN"}


def _find_levels(text: str) -> list[int]:
    """Return the level of each letter: odd where it runs from the right."""
    if not any(map(_is_from_right, text)):
        return [0] * len(text)
    from bidi import algorithm

    storage = algorithm.get_empty_storage()
    storage["base_level"] = algorithm.get_base_level(text)
    storage["base_dir"] = ("L", "R")[storage["base_level"]]
    algorithm.get_embedding_levels(text, storage)
    algorithm.explicit_embed_and_overrides(storage)
    algorithm.resolve_weak_types(storage)
    algorithm.resolve_neutral_types(storage, False)
    algorithm.resolve_implicit_levels(storage, False)
    levels = [each["level"] for each in storage["chars"]]
    return levels if len(levels) == len(text) else [storage["base_level"]] * len(text)


@lru_cache(maxsize=64)
def _with_face(font: Font | None, face: str) -> Font | None:
    """Return the font of a collection that is drawn for a language, where it has one."""
    if font is None or not font.path.lower().endswith((".ttc", ".otc")):
        return font
    from PIL import ImageFont

    for index in range(40):
        try:
            family, style = ImageFont.truetype(font.path, 20, index=index).getname()
        except OSError:
            return font
        if family and family.endswith(f" {face}") and style not in {"Light", "Thin", "DemiLight"}:
            return Font(font.path, index)
    return font
