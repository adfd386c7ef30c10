"""What results are called: a title for people, and a file name that says what the file holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from studio.library.items import clean_title

PROMPTS = ("text", "prompt", "prompts", "words", "about")  # settings that hold the words a result was made from
MOST_WORDS = 6
KINDS = {
    "speech": "Speech",
    "music": "Music",
    "video": "Video",
    "music_video": "Music video",
    "style_video": "Styled picture",
    "style_audio": "Styled sound",
    "live": "Live recording",
    "sync": "Clip in sync",
    "make": "Voice over music",
    "book": "Audiobook",
}


def kind_name(kind: str) -> str:
    """Return a kind as people call it."""
    return KINDS.get(kind, kind.replace("_", " ").replace("-", " ").capitalize())


def prompt_of(settings: Mapping[str, Any]) -> str:
    """Return the words that a result was made from, or ""."""
    return next((str(settings[name]).strip() for name in PROMPTS if str(settings.get(name) or "").strip()), "")


def title_of(settings: Mapping[str, Any], kind: str, stem: str) -> str:
    """Return a title: the words that a result was made from, or what was chosen.

    Args:
        stem: of its first file, or other words, which name it where nothing else does.
    """
    if said := clean_title(str(settings.get("title") or "") or prompt_of(settings)):
        return said
    if kind == "music":
        key, tempo = str(settings.get("key") or ""), float(settings.get("tempo") or 0)
        parts = [f"in {key}" if key and key != "own" else "", f"at {tempo:g}" if tempo else ""]
        what = str(settings.get("style") or "music").replace("_", " ").capitalize()
        return " ".join([what, *filter(None, parts)])
    if kind.startswith("style") and settings.get("style"):
        return f"{kind_name(kind)}: {settings['style']}"
    if kind == "live":
        return kind_name(kind)
    said = " ".join(re.split(r"[-_ ]+", stem)).strip()
    return clean_title(said[:1].upper() + said[1:]) or kind_name(kind)


def stem_of(*parts: Any) -> str:
    """Return a file name without its ending, of the first words of every part: "lo-fi-a-minor-80-compose-4711"."""
    told = [part for part in parts if part not in (None, "")]
    words = [word for part in told for word in re.findall(r"[^\W_]+", str(part).lower())[:MOST_WORDS]]
    return "-".join(word[:16] for word in words)[:90].strip("-") or "result"
