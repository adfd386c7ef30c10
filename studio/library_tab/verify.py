"""What a dropped file tells of where it comes from, in sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio.io import xmp
from studio.io.marking import Finding, studio_marker
from studio.library.arrival import digest_of
from studio.library.store import Library

SOURCES = {
    xmp.GENERATED: "It says that a trained model generated it.",
    xmp.COMPOSITE: "It says that it is a composite, and that a trained model made part of it.",
    xmp.BY_RULE: "It says that rules drew it, and no trained model.",
    xmp.BY_RULE_COMPOSITE: "It says that it was put together of several pictures, none of them a trained model's.",
}
NOTHING = "It tells nothing of where it comes from. That proves nothing: marks can be removed."


def verify(library: Library, owner: str, path: Path) -> dict[str, Any]:
    """Return what is found, as sentences, and the item of this owner's library that has the very same content."""
    found = studio_marker().read(path)
    same = library.find_digest(owner, digest_of(path))
    said = describe_finding(found)
    if same is not None:
        said = [f"It is in your library: \u201c{same[0].title}\u201d.", *said]
    return {"said": said, "item": same[0].id if same is not None and same[0].deleted_s is None else ""}


def describe_finding(found: Finding) -> list[str]:
    """Say what was found."""
    said = []
    if found.recipe is not None:
        recipe = found.recipe
        maker = f" with {recipe.model}" if recipe.model else ""
        said.append(f"Made by Auralume {recipe.version}{maker}, seed {recipe.seed}.")
    if found.source:
        said.append(SOURCES.get(found.source, f"It names its source: {found.source.rpartition('/')[2]}."))
    if found.state == "Invalid":
        said.append("Its signature does not fit: the file was changed after it was signed.")
    elif found.state:
        who = "this studio" if found.is_ours else f"{found.generator or 'a program'} with another certificate"
        said.append(f"It was signed by {who}, and was not changed since.")
    return said or [NOTHING]
