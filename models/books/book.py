"""A book as it is read aloud: chapters of paragraphs, without a page and without a voice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MOST_FILE_BYTES = 100 * 2**20
MOST_CHARACTERS = 6_000_000  # about a million words
MOST_CHAPTERS = 1_000
MOST_TITLE = 200

_BLANK = re.compile(r"\s+")
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff\u00ad]")


class BookError(ValueError):
    """A book cannot be opened; the message is a sentence for the person."""


class Kind(StrEnum):
    """What a paragraph is."""

    TEXT = "text"
    HEADING = "heading"
    BREAK = "break"  # a gap between scenes; it has no text


@dataclass(frozen=True)
class Paragraph:
    """A paragraph, on one line."""

    text: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True)
class Chapter:
    """One chapter.

    Attributes:
        title: on one line; it need not be among the paragraphs.
        is_matter: whether it is front or back matter, such as a page of copyright, that is left out by default.
    """

    title: str
    paragraphs: tuple[Paragraph, ...]
    is_matter: bool = False

    @property
    def words(self) -> int:
        """Count the words."""
        return sum(count_words(each.text) for each in self.paragraphs)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        rows = [[each.kind.value, each.text] for each in self.paragraphs]
        return {"title": self.title, "is_matter": self.is_matter, "paragraphs": rows}


@dataclass(frozen=True)
class Book:
    """A whole book.

    Attributes:
        cover: a picture file, or nothing.
    """

    title: str
    chapters: tuple[Chapter, ...]
    author: str = ""
    language: str = ""
    cover: bytes = field(default=b"", repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values of all but the cover."""
        chapters = [
            {
                "title": each.title,
                "is_matter": each.is_matter,
                "paragraphs": [[p.kind, p.text] for p in each.paragraphs],
            }
            for each in self.chapters
        ]
        return {"title": self.title, "author": self.author, "language": self.language, "chapters": chapters}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], cover: bytes = b"") -> Book:
        """Return the book of such values.

        Raises:
            KeyError, TypeError, ValueError: they are of another form.
        """
        chapters = tuple(
            Chapter(
                str(each["title"]),
                tuple(Paragraph(str(text), Kind(kind)) for kind, text in each["paragraphs"]),
                bool(each["is_matter"]),
            )
            for each in values["chapters"]
        )
        return cls(str(values["title"]), chapters, str(values["author"]), str(values["language"]), cover)


def count_words(text: str) -> int:
    """Count the words of a text."""
    return sum(any(map(str.isalnum, word)) for word in text.split())


def tidy(text: str) -> str:
    """Return a text on one line, without characters that nobody sees."""
    return _BLANK.sub(" ", _UNSEEN.sub("", text)).strip()


def check_book(book: Book) -> Book:
    """Return a book that is neither empty nor too long.

    Raises:
        BookError: it is one of these.
    """
    if not any(each.words for each in book.chapters):
        raise BookError("There is no text in this book that could be read aloud; it may be made of pictures.")
    characters = sum(len(p.text) for each in book.chapters for p in each.paragraphs)
    if characters > MOST_CHARACTERS:
        raise BookError(f"This book has {characters:,} characters; at most {MOST_CHARACTERS:,} can be opened.")
    if len(book.chapters) > MOST_CHAPTERS:
        raise BookError(f"This book has {len(book.chapters):,} chapters; at most {MOST_CHAPTERS:,} can be opened.")
    return book
