"""Books written with a word processor (DOCX), by mammoth."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from models.books.archive import MOST_TEXT_BYTES, BookArchive
from models.books.book import Book, BookError
from models.books.chapters import find_chapters
from models.books.html_text import read_blocks

STYLES = "p[style-name='Title'] => h1:fresh\np[style-name='Subtitle'] => p:fresh\nbr[type='page'] => hr:fresh"
CORE = "docProps/core.xml"
DUBLIN_CORE = "{http://purl.org/dc/elements/1.1/}"


def read_word(path: Path) -> Book:
    """Return the book of a DOCX file; pictures are left out.

    Raises:
        BookError: it is damaged, protected or too large.
    """
    import mammoth

    with BookArchive(path) as archive:
        texts = [name for name in archive.names if name.endswith((".xml", ".rels"))]
        if "word/document.xml" not in texts and "[Content_Types].xml" not in texts:
            raise BookError(f"{path.name} is no document of a word processor.")
        for name in texts:  # each is unpacked once here, within the limits, before mammoth does
            archive.read(name, MOST_TEXT_BYTES // 2)
        title, author = _read_core(archive.read(CORE)) if CORE in archive else ("", "")
    try:
        with path.open("rb") as file:
            made = mammoth.convert_to_html(
                io.BytesIO(file.read()), style_map=STYLES, convert_image=mammoth.images.img_element(_leave_out)
            )
    except Exception as error:  # mammoth raises whatever a damaged document leads it to
        raise BookError(f"{path.name} is damaged: it cannot be read.") from error
    return Book(title, tuple(find_chapters(read_blocks(made.value))), author)


def _leave_out(_image: Any) -> dict[str, str]:
    return {}


def _read_core(data: bytes) -> tuple[str, str]:
    """Return title and author; expat itself refuses entities that grow without bound."""
    try:
        core = ElementTree.fromstring(data)
    except ElementTree.ParseError:
        return "", ""
    return tuple((core.findtext(f"{DUBLIN_CORE}{name}") or "").strip() for name in ("title", "creator"))  # type: ignore[return-value]
