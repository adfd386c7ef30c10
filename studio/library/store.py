"""The library: results on disk, a folder each, with an index; every question names the owner.

library/index.sqlite                 the index, rebuilt from what follows where it is lost
library/items/OWNER/ID/              files of a result, `item.json`, a preview
library/arriving/                    what is not finished, or on its way out
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from studio.library.arrival import Arrival, digest_of, sync_folder, write_sidecar
from studio.library.database import Database
from studio.library.items import (
    OWN_FILES,
    LibraryItem,
    StoredFile,
    clean_tags,
    clean_title,
    is_item_id,
    is_owner,
)
from studio.library.jobs import JobStore
from studio.library.recovery import recover

log = logging.getLogger(__name__)

INDEX = "index.sqlite"
ITEMS, ARRIVING = "items", "arriving"
GB = 10**9
QUOTA_BYTES = 10 * GB
KEPT_DELETED_S = 7 * 86_400.0  # a deleted item can be had back for so long, or until its room is needed
LEFT_OVER_S = 6 * 3600.0  # then a folder that never arrived belongs to nobody
MOST_AT_ONCE = 500
MOST_FAMILY = 200


class LibraryError(ValueError):
    """What was asked of the library cannot be done; the message is a sentence for the person."""


@dataclass(frozen=True)
class Search:
    """What a person looks for.

    Attributes:
        words: all must appear in title, prompt, tags, model or kind.
        kinds: any of these; () is every kind.
        is_favourite: whether it must have a star.
        before: id of the item after which the list goes on; "" begins.
        most: how many.
    """

    words: str = ""
    kinds: tuple[str, ...] = ()
    is_favourite: bool = False
    before: str = ""
    most: int = 60


@dataclass(frozen=True)
class Usage:
    """How full the library is.

    Attributes:
        bytes: of this owner; total_bytes: of everybody; quota_bytes: what all may take.
        count: of this owner's items; deleted: of those, how many were deleted and can be had back.
    """

    bytes: int
    total_bytes: int
    quota_bytes: int
    count: int
    deleted: int


class Library:
    """Keeps results.

    Args:
        folder: made where it does not exist.
        quota_bytes: what all items may take; the oldest without a star go first.

    Raises:
        NewerIndexError: a later version wrote it.
        OSError: the folder cannot be made or written to.
    """

    def __init__(self, folder: Path, quota_bytes: int = QUOTA_BYTES) -> None:
        self.folder, self.quota_bytes = folder, quota_bytes
        self.version = 0  # changes with everything that a page could show
        self._lock = threading.RLock()
        for name in (ITEMS, ARRIVING):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.database = Database(folder / INDEX, self._index_all)
        self._clear_left_overs()
        self._index_all()
        self.jobs = JobStore(self.database, folder)

    # Arrival

    def begin(self) -> Arrival:
        """Return an empty result; nobody sees it until it is kept."""
        return Arrival(Path(tempfile.mkdtemp(dir=self.folder / ARRIVING)), self._settle)

    def _settle(self, folder: Path, item: LibraryItem) -> LibraryItem:
        item.check()
        write_sidecar(folder, item)
        folder.chmod(0o700)
        target = self._folder(item)
        with self._lock:
            target.parent.mkdir(parents=True, exist_ok=True)
            folder.rename(target)
            sync_folder(target.parent)
            self._index(item)
            self._make_room(item.id)
        return item

    # Questions

    def get(self, owner: str, item_id: str) -> LibraryItem:
        """Return an item, also a deleted one.

        Raises:
            LibraryError: this owner has no such item.
        """
        rows = self.database.read("SELECT data FROM items WHERE id = ? AND owner = ?", item_id, owner)
        if not rows:
            raise LibraryError("This item is not in your library any more.")
        return LibraryItem.from_json(rows[0]["data"])

    def find(self, owner: str, search: Search = Search()) -> list[LibraryItem]:
        """Return an owner's items, the newest first."""
        where, values = ["owner = ?", "deleted_s IS NULL"], [owner]
        if search.before:
            where, values = [*where, "id < ?"], [*values, search.before]
        if search.kinds:
            where.append(f"kind IN ({', '.join('?' * len(search.kinds))})")
            values += search.kinds
        if search.is_favourite:
            where.append("favourite = 1")
        for word in search.words.casefold().split():
            where, values = [*where, "instr(words, ?) > 0"], [*values, word]
        limit = max(1, min(search.most, MOST_AT_ONCE))
        question = f"SELECT data FROM items WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT {limit}"
        return [LibraryItem.from_json(row["data"]) for row in self.database.read(question, *values)]

    def count_kinds(self, owner: str) -> dict[str, int]:
        """Return how many items there are of every kind."""
        question = "SELECT kind, COUNT(*) AS count FROM items WHERE owner = ? AND deleted_s IS NULL GROUP BY kind"
        return {row["kind"]: row["count"] for row in self.database.read(question, owner)}

    def path(self, owner: str, item_id: str, name: str) -> Path:
        """Return one of an item's files, or its preview.

        Raises:
            LibraryError: there is none of that name.
        """
        item = self.get(owner, item_id)
        names = {each.name for each in item.files} | (OWN_FILES if item.has_picture else set())
        path = self._folder(item) / name
        if name not in names or name.endswith(".json") or not path.is_file():
            raise LibraryError("This file is not in your library any more.")
        return path

    def find_source(self, owner: str, path: Path) -> tuple[LibraryItem, StoredFile] | None:
        """Return the item whose file has this content, and that file."""
        return self.find_digest(owner, digest_of(path))

    def find_digest(self, owner: str, digest: str) -> tuple[LibraryItem, StoredFile] | None:
        """Return the newest item that has a file of this SHA-256, and that file."""
        question = "SELECT item, name FROM files WHERE digest = ? AND owner = ? ORDER BY item DESC LIMIT 1"
        for row in self.database.read(question, digest, owner):
            item = self.get(owner, row["item"])
            return item, next(each for each in item.files if each.name == row["name"])
        return None

    def find_family(self, owner: str, item_id: str) -> tuple[list[LibraryItem], list[tuple[str, str]]]:
        """Return an item with all that it came from and all that came from it, and pairs of parent and child."""
        known, todo, edges = {item_id}, [item_id], set()
        while todo and len(known) < MOST_FAMILY:
            at = todo.pop()
            rows = self.database.read("SELECT parent, item FROM parents WHERE item = ? OR parent = ?", at, at)
            for row in rows:
                edges.add((row["parent"], row["item"]))
                for each in (row["parent"], row["item"]):
                    if each not in known:
                        known.add(each)
                        todo.append(each)
        found = {}
        for each in known:
            with contextlib.suppress(LibraryError):
                found[each] = self.get(owner, each)
        items = sorted(found.values(), key=lambda item: item.id)
        return items, sorted(edge for edge in edges if edge[0] in found and edge[1] in found)

    def usage(self, owner: str) -> Usage:
        """Tell how full it is."""
        row = self.database.read(
            "SELECT COALESCE(SUM(bytes), 0) AS total, COALESCE(SUM(CASE WHEN owner = ? THEN bytes END), 0) AS mine,"
            " COUNT(CASE WHEN owner = ? AND deleted_s IS NULL THEN 1 END) AS count,"
            " COUNT(CASE WHEN owner = ? AND deleted_s IS NOT NULL THEN 1 END) AS deleted FROM items",
            *(owner,) * 3,
        )[0]
        return Usage(row["mine"], row["total"], self.quota_bytes, row["count"], row["deleted"])

    # Changes

    def change(
        self,
        owner: str,
        item_id: str,
        *,
        title: str | None = None,
        is_favourite: bool | None = None,
        tags: Any = None,
    ) -> LibraryItem:
        """Rename an item, give or take its star, set its tags; what is None stays.

        Raises:
            LibraryError: there is no such item; or ValueError: a value cannot be used.
        """
        with self._lock:
            item = self.get(owner, item_id)
            if title is not None:
                named = clean_title(title)
                if not named:
                    raise LibraryError("The title is empty; type one.")
                item = replace(item, title=named)
            if is_favourite is not None:
                item = replace(item, favourite=bool(is_favourite))
            if tags is not None:
                item = replace(item, tags=clean_tags(tags))
            return self._store(item)

    def delete(self, owner: str, item_ids: Iterable[str]) -> list[str]:
        """Put items away; they can be had back for KEPT_DELETED_S. Return the ids of those that were there."""
        return self._mark(owner, item_ids, time.time())

    def restore(self, owner: str, item_ids: Iterable[str]) -> list[str]:
        """Have deleted items back; return the ids of those that still exist."""
        return self._mark(owner, item_ids, None)

    def purge(self, older_than_s: float = KEPT_DELETED_S) -> int:
        """Remove for good what was deleted so long ago; return how many."""
        with self._lock:
            rows = self.database.read("SELECT data FROM items WHERE deleted_s <= ?", time.time() - older_than_s)
            for row in rows:
                self._remove(LibraryItem.from_json(row["data"]))
        return len(rows)

    def _mark(self, owner: str, item_ids: Iterable[str], deleted_s: float | None) -> list[str]:
        done = []
        with self._lock:
            for item_id in dict.fromkeys(item_ids):
                with contextlib.suppress(LibraryError):
                    item = self.get(owner, item_id)
                    if (item.deleted_s is None) != (deleted_s is None):
                        self._store(replace(item, deleted_s=deleted_s))
                    done.append(item_id)
        return done

    def _store(self, item: LibraryItem) -> LibraryItem:
        folder = self._folder(item)
        if not folder.is_dir():
            self._forget(item.id)
            raise LibraryError("The files of this item are gone.")
        write_sidecar(folder, item)
        self._index(item)
        return item

    def _remove(self, item: LibraryItem) -> None:
        """Remove an item for good: it vanishes at once, and its files after that."""
        folder = self._folder(item)
        if folder.is_dir():
            going = Path(tempfile.mkdtemp(dir=self.folder / ARRIVING))
            folder.rename(going / folder.name)
            shutil.rmtree(going, ignore_errors=True)
        self._forget(item.id)

    def _make_room(self, newest: str) -> None:
        """Remove what was deleted, then the oldest without a star of whoever holds the most, down to the quota."""
        question = (
            "SELECT data FROM items WHERE favourite = 0 AND deleted_s IS NULL AND id != ? AND owner ="
            " (SELECT owner FROM items WHERE favourite = 0 AND deleted_s IS NULL AND id != ?"
            " GROUP BY owner ORDER BY SUM(bytes) DESC LIMIT 1) ORDER BY id LIMIT 1"
        )
        deleted = "SELECT data FROM items WHERE deleted_s IS NOT NULL AND id != ? ORDER BY deleted_s LIMIT 1"
        while self._total_bytes() > self.quota_bytes:
            rows = self.database.read(deleted, newest) or self.database.read(question, newest, newest)
            if not rows:
                return
            self._remove(LibraryItem.from_json(rows[0]["data"]))

    def _total_bytes(self) -> int:
        return int(self.database.read("SELECT COALESCE(SUM(bytes), 0) AS total FROM items")[0]["total"])

    # The index

    def _folder(self, item: LibraryItem) -> Path:
        return self.folder / ITEMS / item.owner / item.id

    def _index(self, item: LibraryItem) -> None:
        row = (item.id, item.owner, item.kind, int(item.favourite), item.bytes, item.deleted_s, item.words)
        changes: list[tuple[str, tuple[Any, ...]]] = [
            ("DELETE FROM files WHERE item = ?", (item.id,)),
            ("DELETE FROM parents WHERE item = ?", (item.id,)),
            ("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*row, item.to_json())),
        ]
        for each in item.files:
            changes.append(("INSERT INTO files VALUES (?, ?, ?, ?)", (each.digest, item.owner, item.id, each.name)))
        for parent in dict.fromkeys(item.parents):
            changes.append(("INSERT INTO parents VALUES (?, ?)", (item.id, parent)))
        self.database.write(*changes)
        self.version += 1

    def _forget(self, item_id: str) -> None:
        self.database.write(
            ("DELETE FROM items WHERE id = ?", (item_id,)),
            ("DELETE FROM files WHERE item = ?", (item_id,)),
            ("DELETE FROM parents WHERE item = ?", (item_id,)),
        )
        self.version += 1

    def _index_all(self) -> None:
        """Take every folder that the index does not know into it, and forget what is gone."""
        known = {row["id"] for row in self.database.read("SELECT id FROM items")}
        there = set()
        for folder in self._folders():
            there.add(folder.name)
            if folder.name not in known:
                found = recover(folder)
                if found is not None:
                    self._index(found)
        for gone in known - there:
            self._forget(gone)

    def _folders(self) -> Iterator[Path]:
        for owner in sorted((self.folder / ITEMS).iterdir()):
            if is_owner(owner.name) and owner.is_dir():
                yield from (each for each in sorted(owner.iterdir()) if is_item_id(each.name) and each.is_dir())

    def _clear_left_overs(self) -> None:
        for folder in (self.folder / ARRIVING).iterdir():
            with contextlib.suppress(OSError):
                if time.time() - folder.stat().st_mtime > LEFT_OVER_S:
                    shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(sqlite3.OperationalError):
            self.purge()
