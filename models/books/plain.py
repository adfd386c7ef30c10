"""Books as plain text and as Markdown."""

from __future__ import annotations

import re
from pathlib import Path

from models.books.book import BookError, Chapter, tidy
from models.books.chapters import cut_gutenberg, find_chapters, make_chapter
from models.books.html_text import Block, read_blocks

MOST_PLAIN_BYTES = 32 * 2**20
LONG_LINE = 90  # characters: lines of such a length were not broken by their width
SAMPLE_BYTES = 256 * 2**10  # that the encoding is guessed from
_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_TITLE = re.compile(r"^(Title|Author|Language):\s*(.+)$", re.MULTILINE)
_GUTENBERG_HEAD = "Project Gutenberg"


def decode_text(data: bytes) -> str:
    """Return the text of a file in whatever encoding.

    Raises:
        BookError: it is no text.
    """
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    if b"\0" in data[:SAMPLE_BYTES]:
        raise BookError("This file holds no text; open a .txt, .md, .docx or .epub file.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    import chardet

    guessed = chardet.detect(data[:SAMPLE_BYTES]).get("encoding") or "cp1252"
    try:
        return data.decode(guessed, "replace")
    except LookupError:
        return data.decode("cp1252", "replace")


def read_plain_file(path: Path) -> str:
    """Return the text of a file.

    Raises:
        BookError: it is too large, or no text.
    """
    if path.stat().st_size > MOST_PLAIN_BYTES:
        raise BookError(f"{path.name} is larger than any book; at most {MOST_PLAIN_BYTES // 2**20} MB can be opened.")
    return decode_text(path.read_bytes())


def read_plain(text: str) -> tuple[list[Chapter], dict[str, str]]:
    """Return the chapters of a plain text, and what its head tells of "title", "author" and "language"."""
    before, blocks, after = cut_gutenberg(read_paragraphs(text))
    head = text[:4_000] if _GUTENBERG_HEAD in text[:4_000] else ""
    facts = {found[1].lower(): tidy(found[2]) for found in _TITLE.finditer(head)}
    chapters = find_chapters(blocks)
    if before:
        chapters.insert(0, make_chapter("Project Gutenberg", before, is_matter=True))
    if after:
        chapters.append(make_chapter("Project Gutenberg's licence", after, is_matter=True))
    return chapters, facts


def read_paragraphs(text: str) -> list[Block]:
    """Return the paragraphs of a plain text: between empty lines, or a line each where lines are long."""
    text = _BREAKS.sub("\n", text)
    lines = text.split("\n")
    filled = [line for line in lines if line.strip()]
    has_empty = any(not line.strip() for line in lines[:-1])
    long_lines = sum(len(line) > LONG_LINE for line in filled)
    pieces = filled if filled and (not has_empty or long_lines > len(filled) / 3) else re.split(r"\n[^\S\n]*\n", text)
    return [Block(tidy(piece)) for piece in pieces if piece.strip()]


def read_markdown(text: str) -> list[Chapter]:
    """Return the chapters of a text in Markdown; HTML in it is left out."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return find_chapters(read_blocks(parser.render(_without_front_matter(text))))


def _without_front_matter(text: str) -> str:
    """Leave out a head of YAML between lines of dashes."""
    if not text.startswith("---"):
        return text
    end = re.search(r"\n(?:---|\.\.\.)[^\S\n]*(?:\n|$)", text[3:20_000])
    return text[3 + end.end() :] if end else text
