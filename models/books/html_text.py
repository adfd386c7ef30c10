"""The blocks of text of an HTML or XHTML page, in the order of the page.

What is no text of the book is left out: scripts, navigation, footnotes and the marks that refer to them, and how a
ruby is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

from models.books.book import tidy

HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_BLOCK_TAGS = (
    "address article aside blockquote body center dd details dialog div dl dt fieldset figcaption figure footer form"
    " header html li main ol p pre section summary table tbody tfoot thead tr ul h1 h2 h3 h4 h5 h6"
)
_UNREAD_TAGS = "script style template head title nav svg math audio video object iframe rt rp noscript select"
_EMPTY_TAGS = "area base br col embed hr img input link meta param source track wbr"
_NOTES = "footnote footnotes endnote endnotes rearnote rearnotes noteref backlink pagebreak"
_BLOCKS, _UNREAD = frozenset(_BLOCK_TAGS.split()), frozenset(_UNREAD_TAGS.split())
_EMPTY, _UNREAD_TYPES = frozenset(_EMPTY_TAGS.split()), frozenset(_NOTES.split())
_UNREAD_ROLES = frozenset(f"doc-{each}" for each in _UNREAD_TYPES)
_NOTE = re.compile(r"(?:foot|end)note-\d+$")
_NOTE_MARK = re.compile(r"^[\[(]?(?:\d{1,3}|[*†‡§]|[a-z])[\])]?$")


@dataclass(frozen=True)
class Block:
    """A paragraph or a heading.

    Attributes:
        text: on one line; "" is a gap between scenes.
        level: 1 to 6 of a heading, else 0.
        ids: names of all places in the page since the block before.
        types: `epub:type` of all elements around it.
    """

    text: str
    level: int = 0
    ids: tuple[str, ...] = ()
    types: frozenset[str] = frozenset()


@dataclass
class _Open:
    """An element that is open: its name, its types, whether it is read."""

    tag: str
    types: frozenset[str]
    is_read: bool


class BlockReader(HTMLParser):
    """Reads blocks of a page; ask `blocks` after `close`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self.title = ""
        self._open: list[_Open] = []
        self._pieces: list[str] = []
        self._ids: list[str] = []
        self._level = 0
        self._types: frozenset[str] = frozenset()
        self._superscript: int | None = None  # pieces before it
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        given = {name: value or "" for name, value in attrs}
        name = given.get("id") or (given.get("name", "") if tag == "a" else "")
        if tag in _BLOCKS:
            self._end_block()
        if name:
            self._ids.append(name)
        if tag == "br":
            self._pieces.append("\n")
        elif tag in ("td", "th") and self._pieces:
            self._pieces.append(", ")
        elif tag == "hr":
            self._end_block()
            self.blocks.append(Block("", 0, (), self._around.types))
        elif tag == "title" and not self.title:
            self._in_title = True
        if tag in _EMPTY:
            return
        types = frozenset(given.get("epub:type", "").split())
        is_note = bool(types & _UNREAD_TYPES) or given.get("role") in _UNREAD_ROLES or bool(_NOTE.match(name))
        is_hidden = "hidden" in given or given.get("aria-hidden") == "true"
        around = self._around
        is_read = around.is_read and tag not in _UNREAD and not is_note and not is_hidden
        self._open.append(_Open(tag, around.types | types, is_read))
        if tag == "sup":
            self._superscript = len(self._pieces)
        if tag in HEADINGS:
            self._level = HEADINGS[tag]
        if tag in _BLOCKS:
            self._types = around.types | types

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open and close an element."""
        self.handle_starttag(tag, attrs)
        if tag not in _EMPTY:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close an element, and all that was left open in it."""
        if tag == "title":
            self._in_title = False
        if tag == "sup" and self._superscript is not None:
            said = "".join(self._pieces[self._superscript :]).strip()
            if _NOTE_MARK.match(said):
                del self._pieces[self._superscript :]
            self._superscript = None
        if tag in _BLOCKS:
            self._end_block()
        near = range(len(self._open) - 1, max(-1, len(self._open) - 200), -1)
        for at in near:
            if self._open[at].tag == tag:
                del self._open[at:]
                break
        if tag in HEADINGS:
            self._level = 0

    def handle_data(self, data: str) -> None:
        """Take text."""
        if self._in_title:
            self.title += data
        if self._around.is_read:
            self._pieces.append(data)

    def close(self) -> None:
        """End the page."""
        super().close()
        self._end_block()
        self.title = tidy(self.title)

    @property
    def _around(self) -> _Open:
        return self._open[-1] if self._open else _Open("", frozenset(), True)

    def _end_block(self) -> None:
        text = tidy("".join(self._pieces))
        self._pieces, self._superscript = [], None
        if text:
            self.blocks.append(Block(text, self._level, tuple(self._ids), self._types))
            self._ids = []


def read_blocks(page: str) -> list[Block]:
    """Return the blocks of a page."""
    return read_page(page).blocks


def read_page(page: str) -> BlockReader:
    """Return the reader of a page, with its blocks and its title."""
    reader = BlockReader()
    reader.feed(page)
    reader.close()
    return reader
