"""A library that passes on what it gets: on a Space results wait here until their browser has taken them."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from studio.library.items import LibraryItem
from studio.library.store import GB, Library, LibraryError

HELD_S = 3600.0  # a browser that has not come by then has gone
QUOTA_BYTES = 2 * GB


class Transit(Library):
    """Holds results for a short time, in a temporary folder that goes with the process.

    What was taken leaves behind the digests of its files and what it was made from, so that a result that is given to
    a tab again is known as a parent: no title, no words, no settings.
    """

    def __init__(self, quota_bytes: int = QUOTA_BYTES) -> None:
        self._held = tempfile.TemporaryDirectory(prefix="auralume-transit-", ignore_cleanup_errors=True)
        super().__init__(Path(self._held.name), quota_bytes)

    def close(self) -> None:
        """Remove the folder; it also goes with the process."""
        self._held.cleanup()

    def take(self, owner: str, item_ids: Iterable[str]) -> list[str]:
        """Forget items that their browser has taken; return the ids of those that were there."""
        taken = []
        with self._lock:
            for item_id in dict.fromkeys(item_ids):
                with suppress(LibraryError):
                    self._strip(self.get(owner, item_id))
                    taken.append(item_id)
        return taken

    def _settle(self, folder: Path, item: LibraryItem) -> LibraryItem:
        kept = super()._settle(folder, item)
        self.let_go()
        return kept

    def let_go(self, older_than_s: float = HELD_S) -> int:
        """Forget what nobody came for; return how much."""
        with self._lock:
            rows = self.database.read("SELECT data FROM items WHERE deleted_s IS NULL")
            items = [LibraryItem.from_json(row["data"]) for row in rows]
            old = [each for each in items if each.created_s <= time.time() - older_than_s]
            for each in old:
                self._strip(each)
        return len(old)

    def _strip(self, item: LibraryItem) -> None:
        files = tuple(replace(each, bytes=0) for each in item.files)
        bare = LibraryItem(
            item.id, item.owner, item.kind, "", parents=item.parents, files=files, created_s=item.created_s,
            deleted_s=time.time(),
        )  # fmt: skip
        folder = self._folder(item)
        shutil.rmtree(folder, ignore_errors=True)
        self._index(bare)
