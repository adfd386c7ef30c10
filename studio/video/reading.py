"""What a model will draw for a prompt, under the prompt: chips, and what it cannot draw."""

from __future__ import annotations

from html import escape

from models.errors import ModelError
from models.registry.registry import Registry


def show_reading(registry: Registry, key: str, prompt: str) -> str:
    """Return the chips of a prompt, "" where the model does not tell what it reads.

    Models that are not on this machine, or on another one's side, are not loaded for it.
    """
    if not prompt.strip() or not registry.get(key).is_native:
        return ""
    try:
        read = getattr(registry.load(key).model, "read", None)
    except ModelError:  # it is told when a clip is asked for
        return ""
    reading = read(prompt) if read is not None else None
    if reading is None:
        return ""
    chips = "".join(f'<span class="read">{escape(chip)}</span>' for chip in reading.chips)
    said = escape(reading.to_sentence())
    return f'<div class="reading">{chips}{f"<p>{said}</p>" if said else ""}</div>'
