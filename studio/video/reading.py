"""What a model will draw for a prompt, under the prompt: chips, who draws what, and what cannot be drawn."""

from __future__ import annotations

from html import escape
from pathlib import Path

from models.errors import ModelError
from models.registry.registry import Registry


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
    chips = "".join(f'<span class="read">{escape(chip)}</span>' for chip in reading.chips)
    said = "".join(f"<p>{escape(each)}</p>" for each in (reading.to_sentence(), reading.to_credit()) if each)
    return f'<div class="reading">{chips}{said}</div>'
