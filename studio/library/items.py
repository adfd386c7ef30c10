"""One kept result: what it is called, how it was made, and its files; written beside the files as `item.json`."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from studio.io.recipes import Recipe, RecipeError

SIDECAR = "item.json"
PICTURE = "preview.jpg"
OWN_FILES = frozenset({SIDECAR, PICTURE})
MOST_TITLE = 120
MOST_TAGS, MOST_TAG = 20, 40
MOST_SIDECAR_BYTES = 512 * 2**10
ITEM_ID = re.compile(r"[0-9a-f]{11}-[0-9a-f]{8}")
OWNER = re.compile(r"[a-z0-9-]{1,64}")
KIND = re.compile(r"[a-z][a-z0-9_-]{0,39}")
FILE_NAME = re.compile(r"[^\w.\- ]+")


@dataclass(frozen=True)
class StoredFile:
    """One file of a result.

    Attributes:
        role: as the page names it, such as "wav".
        name: in the item's folder, and of a download.
        bytes: its size.
        digest: SHA-256 as hexadecimal digits; tells what is given as an input.
    """

    role: str
    name: str
    bytes: int
    digest: str


@dataclass(frozen=True)
class LibraryItem:
    """One result in the library.

    Attributes:
        kind: the task that made it, such as "speech"; "other" where nobody knows.
        prompt: the words that it was made from, or "".
        recipe: how it was made; None for what is no product of a model alone, such as a repaired clip.
        parents: ids of the items that it was made from.
        inputs: by the name of an upload, the item and the name of its file that was given.
        starter: number of the button of its tab that made it.
        created_s: seconds since 1970.
        length_s: how long it lasts; 0 for a picture.
        peaks: the loudest moment of equal parts of its sound, 0 to 99; () where there is no sound file.
        has_picture: whether a preview lies beside the files.
        deleted_s: when it was put away; None while it is seen.
    """

    id: str
    owner: str
    kind: str
    title: str
    prompt: str = ""
    recipe: Recipe | None = None
    parents: tuple[str, ...] = ()
    inputs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    starter: int = 0
    favourite: bool = False
    tags: tuple[str, ...] = ()
    created_s: float = 0.0
    length_s: float = 0.0
    peaks: tuple[int, ...] = ()
    has_picture: bool = False
    files: tuple[StoredFile, ...] = ()
    deleted_s: float | None = None

    @property
    def bytes(self) -> int:
        """Return the size of all files."""
        return sum(each.bytes for each in self.files)

    @property
    def words(self) -> str:
        """Return what a search looks through."""
        model = self.recipe.model if self.recipe is not None else ""
        return "\n".join((self.title, self.prompt, *self.tags, model, self.kind)).casefold()

    def to_json(self) -> str:
        """Return it as JSON."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        values["recipe"] = self.recipe.to_json() if self.recipe is not None else None
        values["files"] = [vars(each) for each in self.files]
        return json.dumps(values, ensure_ascii=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> LibraryItem:
        """Read and check.

        Raises:
            ValueError: it is damaged.
        """
        try:
            data = json.loads(text)
            row = {each.name: data[each.name] for each in fields(cls) if each.name in data}
            recipe = Recipe.from_json(row["recipe"]) if row.get("recipe") else None
            row |= {name: tuple(row.get(name, ())) for name in ("parents", "tags", "peaks")}
            row["files"] = tuple(StoredFile(**each) for each in row["files"])
            row["inputs"] = {str(name): (str(item), str(file)) for name, (item, file) in row["inputs"].items()}
            found = cls(**row | {"recipe": recipe})
        except RecipeError:
            raise
        except (TypeError, KeyError, AttributeError, ValueError, RecursionError) as error:
            raise ValueError("This entry of the library is damaged.") from error
        found.check()
        return found

    def check(self) -> None:
        """Raise ValueError where a value is of another kind or shape than it must be."""
        texts = (self.title, self.prompt, *self.tags, *self.parents, *(each.role for each in self.files))
        numbers = (self.created_s, self.length_s, self.deleted_s or 0.0, *self.peaks)
        is_sound = (
            all(isinstance(each, str) for each in texts)
            and all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in numbers)
            and isinstance(self.favourite, bool)
            and isinstance(self.has_picture, bool)
            and all(isinstance(each.bytes, int) and isinstance(each.digest, str) for each in self.files)
            and all(each.name == safe_name(each.name) for each in self.files)
            and is_item_id(self.id)
            and is_owner(self.owner)
            and KIND.fullmatch(self.kind)
        )
        if not is_sound:
            raise ValueError("This entry of the library is damaged.")


def new_id(now_s: float | None = None) -> str:
    """Return an id that sorts by time."""
    moment = time.time() if now_s is None else now_s
    return f"{int(moment * 1000):011x}-{secrets.token_hex(4)}"


def is_item_id(text: object) -> bool:
    """Tell whether this can be an item's id."""
    return isinstance(text, str) and ITEM_ID.fullmatch(text) is not None


def is_owner(text: object) -> bool:
    """Tell whether this can be an owner's name."""
    return isinstance(text, str) and OWNER.fullmatch(text) is not None


def safe_name(name: str) -> str:
    """Return a name for a file that every system takes, and that is none of our own."""
    plain = FILE_NAME.sub("-", Path(name).name).strip(" .")[-100:] or "file"
    return f"_{plain}" if plain in OWN_FILES else plain


def clean_title(text: str) -> str:
    """Return a title on one line, not too long; "" where nothing is left."""
    said = " ".join(text.split())
    if len(said) <= MOST_TITLE:
        return said
    return said[: MOST_TITLE - 1].rsplit(" ", 1)[0] + "…"


def clean_tags(tags: Any) -> tuple[str, ...]:
    """Return tags without blanks around them, each once.

    Raises:
        ValueError: it is no list of a few short words.
    """
    if not isinstance(tags, (list, tuple)) or not all(isinstance(each, str) for each in tags):
        raise ValueError("Tags must be a list of words.")
    found = tuple(dict.fromkeys(" ".join(each.split())[:MOST_TAG] for each in tags if each.strip()))
    if len(found) > MOST_TAGS:
        raise ValueError(f"An item takes at most {MOST_TAGS} tags.")
    return found


def read_sidecar(folder: Path) -> LibraryItem:
    """Read the entry beside an item's files.

    Raises:
        ValueError: it is missing or damaged, or belongs to another folder.
    """
    try:
        with (folder / SIDECAR).open(encoding="utf-8") as file:
            text = file.read(MOST_SIDECAR_BYTES + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError("This entry of the library is missing or damaged.") from error
    if len(text) > MOST_SIDECAR_BYTES:
        raise ValueError("This entry of the library is too long.")
    found = LibraryItem.from_json(text)
    if (found.owner, found.id) != (folder.parent.name, folder.name):
        raise ValueError("This entry of the library belongs to another folder.")
    return found
