"""Results for tests: a tone with its recipe, put into a library as a tab's would be."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from studio.io.recipes import Recipe, write_recipe
from studio.library.items import LibraryItem, new_id
from studio.library.naming import prompt_of, title_of
from studio.library.store import Library

RATE = 8000


def write_tone(path: Path, seed: int = 7, text: str = "Hello there", seconds: float = 0.1) -> Recipe:
    """Write a tone of this seed with a recipe; return the recipe."""
    samples = 0.5 * np.sin(2 * np.pi * (200 + seed % 997) * np.arange(round(seconds * RATE)) / RATE)
    soundfile.write(path, samples.astype(np.float32), RATE, subtype="PCM_16")
    recipe = Recipe("speech", "speech/debug", "1", seed, {"text": text})
    write_recipe(path, recipe)
    return recipe


def keep_tone(
    library: Library, folder: Path, seed: int = 7, text: str = "Hello there", owner: str = "local", **more: Any
) -> LibraryItem:
    """Keep such a tone."""
    path = folder / f"tone-{seed}.wav"
    recipe = write_tone(path, seed, text)
    arrival = library.begin()
    arrival.add("wav", path)
    settings = recipe.settings
    item = LibraryItem(
        id=new_id(),
        owner=owner,
        kind="speech",
        title=title_of(recipe.settings, "speech", path.stem),
        prompt=prompt_of(settings),
        recipe=recipe,
        created_s=time.time(),
        **more,
    )
    return arrival.keep(item)
