"""The storyboard on the page: what its script needs to show a card a shot, as JSON in the page.

The script keeps the shots and their history; here the shots are arranged, and pictures made of what they show.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

from studio.music_video.controls import STYLES
from studio.music_video.song import Song
from studio.page import film

LARGE, SMALL, MANY = 320, 160, 40  # widths of pictures; with more than MANY media they are small
MODEL = "The video model"
BY_RULE = "Drawn by rule"
HINT = (
    "A card is a shot. Drag its handle or use the arrow keys with Alt to move it; Make the video draws only what has "
    "changed."
)


def draw_board(request: Any, song: Song, made: Sequence[Any] = (), storyboard: Any = None) -> str:
    """Draw the storyboard of a request as HTML.

    Args:
        made: of each shot that was drawn a small picture, uint8 (H, W, 3), or None.
        storyboard: what was drawn, where `made` is given.

    Raises:
        ValueError: the request's storyboard does not fit.
    """
    from models.music_video.contracts import DRAWN_BY_RULE, FRAME_RATE
    from models.music_video.cutting import make_grid
    from models.music_video.plan import plan_video
    from models.music_video.storyboard import MOTIONS, UNPAINTED, name_media

    board = storyboard or plan_video(request).storyboard
    names = name_media(request.media)
    width = SMALL if len(names) > MANY else LARGE
    drawn = {
        make_signature(shot): film.jpeg(picture)
        for shot, picture in zip(board.shots, made, strict=False)
        if picture is not None and not shot.source
    }
    told = {
        "song": f"{song.name} {song.duration_s:.3f}",
        "duration": round(song.duration_s, 3),
        "grid": [round(int(at) / FRAME_RATE, 3) for at in make_grid(request)],
        "aspect": request.aspect,
        "given": BY_RULE if request.scene in DRAWN_BY_RULE else MODEL,
        "motions": MOTIONS,
        "styles": [("As the whole video", ""), ("Not painted", UNPAINTED), *STYLES],
        "media": [
            {"name": name, "picture": draw_thumbnail(path, width)}
            for name, path in zip(names, request.media, strict=True)
        ],
        "drawn": drawn,
        "board": json.loads(board.to_json()),
    }
    return (
        f'<div class="board" data-board="{escape(json.dumps(told, separators=(",", ":")))}"></div>'
        f'<p class="hint">{escape(HINT)}</p>'
    )


def make_signature(shot: Any) -> str:
    """Return by what the page knows the picture of a shot that the model drew."""
    return f"{shot.take}|{shot.prompt}"


def draw_thumbnail(path: Path, width: int) -> str:
    """Return a small picture of a photo or a clip as a data address; "" where it cannot be read, which the making
    tells.
    """
    try:
        facts = path.stat()
        return _draw_thumbnail(path, width, facts.st_mtime_ns, facts.st_size)
    except (OSError, ValueError):
        return ""


@lru_cache(maxsize=1024)
def _draw_thumbnail(path: Path, width: int, _modified_ns: int, _size: int) -> str:
    from models.media.clip_info import probe
    from models.media.clip_reader import read_frames

    info = probe(path)
    scale = min(1.0, width / info.width)
    size = max(2, 2 * round(info.width * scale / 2)), max(2, 2 * round(info.height * scale / 2))
    frames = read_frames(path, info, *size)
    try:
        return film.jpeg(next(frames))
    finally:
        frames.close()  # type: ignore[attr-defined]
