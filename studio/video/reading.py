"""What a model will draw for a prompt, under the prompt: parts to change, who draws what, and what cannot be drawn.

A part that is changed or left out becomes part of the prompt: what was read reads the same when commas join it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from pathlib import Path

from models.errors import ModelError
from models.registry.registry import WEIGHTS_DIR, Registry
from models.video import scene_words as wordings
from models.video.thing_words import ACTS, LEADING, PLACES

ACT_WORDS = {name: own[0] for name, own in ACTS.items()}
SCENES = [title for kind in wordings.KIND_NAMES if (title := wordings.KIND_TITLES.get(kind, kind)) not in PLACES]
# Words that name a part of a scene, too: alone they ask for that scene.
PARTS_OF_SCENES = {"sailboat", "tree", "balloon", "camera", "umbrella", "snowflake", "leaf", "comet"}
SCENE_THINGS = {"birds", "stars", "boat"}
# What is read of the prompt that a page opens with.
FIRST_PARTS = (("scene", "ocean"), ("colour", "blue"), ("time", "dusk"), ("camera", "pan right"))
CHOICES = {
    "act": [
        f"{word} {way}".strip()
        for name, word in ACT_WORDS.items()
        for way in (("left", "right") if name in LEADING else ("",))
    ],
    "place": ["on the moon" if place == "moon" else place for place in PLACES] + ["mars", "underwater"],
    "weather": ["raining", "snowing"],
    "scene": [title for title in SCENES if title not in SCENE_THINGS],
    "colour": list(wordings.COLOUR_WORDS),
    "time": ["dawn", "day", "dusk", "night"],
    "speed": ["slowly", "fast"],
    "camera": ["pan left", "pan right", "zoom in", "zoom out"],
    "way": ["left", "right", "up", "down"],
}


def list_choices() -> str:
    """Return what can be chosen for each part of a prompt, as lists of the page."""
    told = json.loads((WEIGHTS_DIR / "video_cutouts.json").read_text(encoding="utf-8"))
    things = [each["name"] for each in told if each["name"] not in PARTS_OF_SCENES]
    return "".join(
        f'<datalist id="choices-{part}">{"".join(f"<option>{escape(each)}</option>" for each in own)}</datalist>'
        for part, own in {"thing": things, **CHOICES}.items()
    )


def show_reading(registry: Registry, key: str, prompt: str) -> str:
    """Return the chips of a prompt, "" where the model does not tell what it reads.

    Only what reads is loaded for it, never a network that draws.
    """
    if not prompt.strip():
        return ""
    from models.video.prompt_reader import PARSER_WEIGHTS, load_reader  # brings torch, which takes seconds

    files = _list_files(registry, key)
    if PARSER_WEIGHTS not in {file.name for file in files}:
        return ""
    try:
        reading = load_reader(frozenset(registry.weights_dir / file for file in files)).read(prompt)
    except ModelError:  # it is told when a clip is asked for
        return ""
    if reading is None:
        return ""
    said = "".join(f"<p>{escape(each)}</p>" for each in (reading.to_sentence(), reading.to_credit()) if each)
    return _show_parts(reading.parts, said)


def show_first_reading(registry: Registry, key: str) -> str:
    """Return what `show_reading` does for the prompt that a page opens with, without loading anything."""
    named = {file.name for file in _list_files(registry, key)}
    return _show_parts(FIRST_PARTS, "") if {"video_unet3d.safetensors", "video_reader.safetensors"} <= named else ""


def _list_files(registry: Registry, key: str) -> list[Path]:
    return [Path(file) for source in registry.get(key).sources for file in getattr(source, "files", ())]


def _show_parts(parts: Iterable[tuple[str, str]], said: str) -> str:
    chips = "".join(_show_part(kind, words) for kind, words in parts)
    return f'<div class="reading" data-prompt="#video-prompt textarea">{chips}{said}</div>'


def _show_part(kind: str, words: str) -> str:
    said = escape(words)
    return (
        f'<span class="read"><input value="{said}" size="{len(words)}" list="choices-{kind}" autocomplete="off" '
        f'aria-label="In the clip: {said}"><button type="button" aria-label="Leave out {said}">×</button></span>'
    )
