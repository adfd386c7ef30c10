"""Any file, or pasted text, as a book."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from models.books.book import MOST_FILE_BYTES, MOST_TITLE, Book, BookError, Kind, check_book, tidy
from models.books.epub import read_epub
from models.books.plain import decode_text, read_markdown, read_plain, read_plain_file
from models.books.word import read_word

MOST_FIRST_WORDS = 40  # characters
FILE_TYPES = (".txt", ".md", ".docx", ".epub")
_MARKDOWN = re.compile(r"^#{1,3} \S", re.MULTILINE)
OTHERS = {
    b"%PDF": "A PDF holds pages, not chapters. Save the book as EPUB, DOCX or text, and open that.",
    b"{\\rtf": "RTF cannot be opened. Save the book as DOCX or text, and open that.",
    b"\xd0\xcf\x11\xe0": "An old .doc file cannot be opened. Save the book as DOCX, and open that.",
}


def read_book(path: str | Path, name: str = "") -> Book:
    """Return the book of a file, told by its content.

    Args:
        name: that the person knows the file by, for the title where the file tells none; by default the path's.

    Raises:
        BookError: it cannot be read.
    """
    path = Path(path)
    name = name or path.name
    if not path.is_file():
        raise BookError("The file is gone; choose it again.")
    if path.stat().st_size > MOST_FILE_BYTES:
        raise BookError(f"{name} is larger than any book; at most {MOST_FILE_BYTES // 2**20} MB can be opened.")
    with path.open("rb") as file:
        head = file.read(8)
    for start, said in OTHERS.items():
        if head.startswith(start):
            raise BookError(said)
    if head.startswith(b"PK"):
        reader: Callable[[Path], Book] = read_word if path.suffix.lower() == ".docx" else read_epub
        book = reader(path)
    else:
        text = read_plain_file(path)
        book = read_text(text, is_markdown=path.suffix.lower() in (".md", ".markdown"))
    return check_book(replace(book, title=(book.title or tidy(Path(name).stem.replace("_", " ")))[:MOST_TITLE]))


def read_text(text: str, title: str = "", is_markdown: bool | None = None) -> Book:
    """Return the book of a text.

    Args:
        is_markdown: None looks whether it has headings as Markdown has them.
    """
    if is_markdown or (is_markdown is None and _MARKDOWN.search(text)):
        return Book(title, tuple(read_markdown(text)))
    chapters, facts = read_plain(text)
    return Book(title or facts.get("title", ""), tuple(chapters), facts.get("author", ""), facts.get("language", ""))


def read_pasted(text: str, title: str = "") -> Book:
    """Return the book of pasted text; without a title it is called by its first words.

    Raises:
        BookError: it is empty or too long.
    """
    book = read_text(decode_text(text.encode("utf-8", "replace")), title)
    texts = (p.text for each in book.chapters for p in each.paragraphs if p.kind == Kind.TEXT)
    first = next(texts, "")
    named = first if len(first) <= MOST_FIRST_WORDS else first[:MOST_FIRST_WORDS].rpartition(" ")[0]
    return check_book(replace(book, title=(book.title or named)[:MOST_TITLE]))
