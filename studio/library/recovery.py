"""What can be said of an item whose entry is lost: all that the recipes in its files still tell."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

from studio.io.recipes import RecipeError, read_recipe
from studio.library.arrival import digest_of, write_sidecar
from studio.library.items import OWN_FILES, PICTURE, LibraryItem, StoredFile, read_sidecar, safe_name
from studio.library.naming import prompt_of, title_of
from studio.library.previews import find_peaks

log = logging.getLogger(__name__)


def recover(folder: Path) -> LibraryItem | None:
    """Return the entry of a folder; where it is lost, one made of the recipes in its files. None without a file."""
    try:
        return read_sidecar(folder)
    except ValueError as error:
        log.warning("%s: %s It is made anew from the files.", folder.name, error)
    paths = sorted(each for each in folder.iterdir() if each.is_file() and each.name not in OWN_FILES)
    paths = [each for each in paths if each.name == safe_name(each.name) and not each.name.endswith(".part")]
    recipe = None
    for path in paths:
        with contextlib.suppress(RecipeError, OSError):
            recipe = read_recipe(path)
            break
    if not paths:
        return None
    kind = str(recipe.task) if recipe is not None else "other"
    peaks, length_s = find_peaks(paths)
    item = LibraryItem(
        id=folder.name,
        owner=folder.parent.name,
        kind=kind,
        title=title_of(recipe.settings if recipe is not None else {}, kind, paths[0].stem),
        prompt=prompt_of(recipe.settings) if recipe is not None else "",
        recipe=recipe,
        created_s=int(folder.name.partition("-")[0], 16) / 1000,
        length_s=length_s,
        peaks=peaks,
        has_picture=(folder / PICTURE).is_file(),
        files=tuple(StoredFile(_role(each), each.name, each.stat().st_size, digest_of(each)) for each in paths),
    )
    try:
        item.check()
        write_sidecar(folder, item)
    except (ValueError, OSError):
        log.warning("%s cannot be taken into the library.", folder, exc_info=True)
        return None
    return item


def _role(path: Path) -> str:
    return path.suffix.lstrip(".").lower() or "file"
