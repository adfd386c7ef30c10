"""What a model will draw for a prompt, under the prompt: parts to change, who draws what, and what cannot be drawn.

A part that is changed or left out becomes part of the prompt: what was read reads the same when commas join it.
"""

from __future__ import annotations

import json
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
CHOICES = {
    "act": [
        f"{word} {way}".strip()
        for name, word in ACT_WORDS.items()
        for way in (("left", "right") if name in LEADING else ("",))
    ],
    "place": [place for place in PLACES if place != "room"],
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


def find_part(chip: str, is_laid: bool) -> str:
    """Name the part of a prompt that a chip is, a key of `CHOICES` or "thing", which is laid over where `is_laid`."""
    for part in ("time", "speed", "camera", "way", "colour"):
        if chip in CHOICES[part]:
            return part
    if chip.split(maxsplit=1)[0] in ACT_WORDS.values():
        return "act"
    if is_laid:
        return "place" if chip in PLACES or chip in SCENES else "thing"
    return "scene"


def show_reading(registry: Registry, key: str, prompt: str) -> str:
    """Return the chips of a prompt, "" where the model does not tell what it reads.

    Only what reads is loaded for it, never a network that draws.
    """
    if not prompt.strip():
        return ""
    from models.video.prompt_reader import UNET_WEIGHTS, load_reader  # brings torch, which takes seconds

    files = [Path(file) for source in registry.get(key).sources for file in getattr(source, "files", ())]
    if UNET_WEIGHTS not in {file.name for file in files}:
        return ""
    try:
        reading = load_reader(frozenset(registry.weights_dir / file for file in files)).read(prompt)
    except ModelError:  # it is told when a clip is asked for
        return ""
    if reading is None:
        return ""
    chips = "".join(_show_chip(chip, find_part(chip, bool(reading.laid))) for chip in reading.chips)
    said = "".join(f"<p>{escape(each)}</p>" for each in (reading.to_sentence(), reading.to_credit()) if each)
    return f'<div class="reading" data-prompt="#video-prompt textarea">{chips}{said}</div>'


def _show_chip(chip: str, part: str) -> str:
    said = escape(chip)
    return (
        f'<span class="read"><input value="{said}" size="{len(chip)}" list="choices-{part}" autocomplete="off" '
        f'aria-label="In the clip: {said}"><button type="button" aria-label="Leave out {said}">×</button></span>'
    )
