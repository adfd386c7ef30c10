"""Files within a ZIP container that a stranger packed: EPUB and DOCX are such."""

from __future__ import annotations

import zipfile
from pathlib import Path
from types import TracebackType

from models.books.book import BookError

MOST_FILES = 20_000
MOST_TEXT_BYTES = 64 * 2**20  # of all texts that are read, unpacked
MOST_PICTURE_BYTES = 20 * 2**20
DAMAGED = "{} is damaged: it cannot be unpacked."


class BookArchive:
    """Reads members of a container, all of them together at most MOST_TEXT_BYTES; use it in a `with`.

    Raises:
        BookError: it is no such container, is encrypted, or is a bomb.
    """

    def __init__(self, path: Path) -> None:
        self._name, self._left = path.name, MOST_TEXT_BYTES
        try:
            self._file = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise BookError(DAMAGED.format(path.name)) from error
        self._members = {each.filename: each for each in self._file.infolist()}
        if len(self._members) > MOST_FILES:
            raise BookError(f"{path.name} holds {len(self._members):,} files; that is too many for a book.")

    def __enter__(self) -> BookArchive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __contains__(self, name: object) -> bool:
        return name in self._members

    @property
    def names(self) -> list[str]:
        """List the members."""
        return list(self._members)

    @property
    def unpacked_bytes(self) -> int:
        """Sum what all members say that they unpack to; nobody reads more of them than that."""
        return sum(each.file_size for each in self._members.values())

    def read(self, name: str, most_bytes: int = MOST_TEXT_BYTES) -> bytes:
        """Return a member.

        Raises:
            BookError: there is none, it is too large, or it cannot be unpacked.
        """
        member = self._members.get(name)
        if member is None:
            raise BookError(f"{self._name} is damaged: {name[:80]} is missing.")
        if member.flag_bits & 1:
            raise BookError(f"{self._name} is encrypted; open a copy without protection.")
        if member.file_size > min(most_bytes, self._left):
            raise BookError(f"{self._name} unpacks to more text than a book has.")
        self._left -= member.file_size
        try:
            return self._file.read(member)
        except Exception as error:  # zlib, lzma and bz2 each have their own, and damaged headers raise still others
            raise BookError(DAMAGED.format(self._name)) from error
