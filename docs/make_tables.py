"""Make the marked tables of the documentation anew, from what the code declares: `python -m docs.make_tables`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from models.hub.formats import FORMATS
from studio.live import controls as live
from studio.music import controls as music
from studio.music_video import controls as music_video
from studio.speech import book_controls
from studio.speech import controls as speech
from studio.style import controls as style
from studio.video import controls as video

FOLDER = Path(__file__).parent
PAGES = ("api.md", "hub.md")
TABLE = re.compile(r"<!-- table: ([\w/ ]+) -->\n.*?<!-- end of the table -->", re.DOTALL)
OWN_RECIPES = "auralume"  # weights of this project's recipes, told of in words


def make_formats_table() -> str:
    """Return the kinds of repositories that the studio runs, as rows of a Markdown table."""
    rows = ["| tab | kind | library | what |", "|---|---|---|---|"]
    for each in FORMATS:
        if each.library != OWN_RECIPES:
            rows.append(f"| {each.task} | `{each.name}` | {each.library} | {each.summary} |")
    return "\n".join(rows)


TABLES: dict[str, Callable[[], str]] = {
    "kinds of repositories": make_formats_table,
    "/speech": speech.FIELDS.table,
    "/book": book_controls.BOOK_FIELDS.table,
    "/music": music.FIELDS.table,
    "/video": video.FIELDS.table,
    "/sync": video.SYNC_FIELDS.table,
    "/music_video": music_video.FIELDS.table,
    "/video_style": style.VIDEO_FIELDS.table,
    "/audio_style": style.AUDIO_FIELDS.table,
    "/live_music": live.MUSIC_FIELDS.table,
    "/live_video": live.VIDEO_FIELDS.table,
}


def make_page(text: str) -> str:
    """Return a page with its marked tables made anew; raise KeyError where a marker names no table."""
    return TABLE.sub(
        lambda found: f"<!-- table: {found[1]} -->\n\n{TABLES[found[1]]()}\n\n<!-- end of the table -->", text
    )


if __name__ == "__main__":
    for name in PAGES:
        page = FOLDER / name
        page.write_text(make_page(page.read_text(encoding="utf-8")), encoding="utf-8")
