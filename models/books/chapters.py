"""Where chapters begin in a row of blocks, and which of them are front or back matter."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from models.books.book import MOST_TITLE, Chapter, Kind, Paragraph, tidy
from models.books.html_text import Block

LONGEST_HEADING = 90  # characters of a line that may be a heading without being marked as one
BEGINNING = "Beginning"

_NUMBER = (
    r"(?:[ivxlcdm]+|\d{1,4}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
    r"|sixteen|seventeen|eighteen|nineteen|twenty(?:[- ]\w+)?|thirty(?:[- ]\w+)?|forty(?:[- ]\w+)?|fifty(?:[- ]\w+)?"
    r"|(?:the )?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last))"
)
_NAMED = re.compile(
    rf"(?:chapter|part|book|volume|canto|act|scene|letter|stave|section)\s+{_NUMBER}\b(?:\s*[.:—–-].*|\s+[A-Z“\"'].*)?$"
    r"|(?:prologue|epilogue|preface|introduction|foreword|afterword|conclusion|interlude|contents|table of contents"
    r"|appendix(?:\s+\w{1,4})?|acknowledge?ments)\.?$"
    rf"|(?:the )?{_NUMBER} chapter\.?$",
    re.IGNORECASE,
)
_BARE = re.compile(r"(?:[IVXLC]+|\d{1,3})\.?$")
_MATTER = re.compile(
    r"(?:cover|half[ -]?title|title[ -]?page|copyright|contents|table of contents|imprint|colophon|dedication"
    r"|acknowledge?ments?|also by|other (?:books|titles|works)|about (?:the )?(?:author|publisher|translator|this)"
    r"|praise for|index|bibliography|works cited|references|notes|end ?notes|footnotes|list of (?:illustrations|figures"
    r"|tables|plates|maps)|illustrations|transcriber['’]s notes?|publisher['’]s note|newsletter|project gutenberg"
    r"|the (?:full )?project gutenberg|full license|license|advertisements?|credits|glossary)\b",
    re.IGNORECASE,
)
_MATTER_TYPES = (
    "cover titlepage halftitlepage copyright-page toc landmarks loi lot index bibliography colophon imprint dedication"
    " acknowledgments acknowledgements other-credits seriespage glossary endnotes footnotes"
)
MATTER_TYPES = frozenset(_MATTER_TYPES.split())
_GUTENBERG = re.compile(r"\*\*\* ?(START|END) OF (?:THE|THIS) PROJECT GUTENBERG", re.IGNORECASE)


def make_chapter(title: str, blocks: Sequence[Block], is_matter: bool = False) -> Chapter:
    """Return a chapter of blocks; matter is also told by its title, its types, and by being a list of contents."""
    paragraphs = tuple(
        Paragraph(each.text, (Kind.HEADING if each.level else Kind.TEXT) if has_word(each.text) else Kind.BREAK)
        for each in blocks
    )
    named = tidy(title)[:MOST_TITLE] or next((each.text for each in blocks if each.text), "")[:60]
    types = [each.types for each in blocks if each.text]
    typed = bool(types) and all(each & MATTER_TYPES for each in types)
    return Chapter(named, paragraphs, is_matter or typed or bool(_MATTER.match(named)))


def find_chapters(blocks: Sequence[Block]) -> list[Chapter]:
    """Cut blocks into chapters: at headings, or where none are marked, at lines that read like one."""
    level = _level_of_chapters(blocks)
    if not level:
        blocks = mark_headings(blocks)
        level = 1
    starts = [at for at, each in enumerate(blocks) if each.text and 0 < each.level <= level]
    bounds = [*([0] if not starts or starts[0] else []), *starts, len(blocks)]
    parts = [list(blocks[start:end]) for start, end in pairwise(bounds)]
    parts = _join_bare_headings(_drop_contents(parts))
    found = []
    for part in parts:
        if not any(each.text and not each.level for each in part):
            continue
        head = _last_heading_of_opening(part)
        found.append(make_chapter(head or (BEGINNING if starts else ""), part))
    if found and starts and starts[0] and len(found) > 1 and found[0].title == BEGINNING and found[0].words < 400:
        found[0] = replace(found[0], is_matter=True)
    return found


def mark_headings(blocks: Sequence[Block]) -> list[Block]:
    """Give lines that read like the heading of a chapter its level: "Chapter I", "Prologue"; bare numbers last."""
    for pattern in (_NAMED, _BARE):
        is_head = [_reads_like_heading(each.text, pattern) for each in blocks]
        if pattern is _BARE and sum(is_head) < 2:
            break
        if any(is_head):
            return [replace(each, level=1) if head else each for each, head in zip(blocks, is_head, strict=True)]
    return list(blocks)


def _reads_like_heading(text: str, pattern: re.Pattern[str]) -> bool:
    return 0 < len(text) <= LONGEST_HEADING and pattern.match(text) is not None


def cut_gutenberg(blocks: Sequence[Block]) -> tuple[list[Block], list[Block], list[Block]]:
    """Return what stands before, within and after the marks that Project Gutenberg puts around a book."""
    begin, end = 0, len(blocks)
    for at, each in enumerate(blocks):
        found = _GUTENBERG.search(each.text)
        if found and found[1].upper() == "START" and not begin:
            begin = at + 1
        elif found and found[1].upper() == "END" and at > begin:
            end = at
            break
    return list(blocks[:begin]), list(blocks[begin:end]), list(blocks[end:])


def has_word(text: str) -> bool:
    """Tell whether a text has a letter or a digit."""
    return any(each.isalnum() for each in text)


def _level_of_chapters(blocks: Sequence[Block]) -> int:
    """Return the highest level that has several headings; 0 where no heading is marked."""
    counts = Counter(each.level for each in blocks if each.level and each.text)
    several = [level for level in sorted(counts) if counts[level] > 1]
    return several[0] if several else min(counts, default=0)


def _drop_contents(parts: list[list[Block]]) -> list[list[Block]]:
    """Leave out headings without text whose words come again: a list of contents whose lines were taken for heads."""
    later = Counter(_plain(part[0].text) for part in parts if part)
    kept = []
    for part in parts:
        key = _plain(part[0].text) if part else ""
        is_bare = all(each.level or not each.text for each in part)
        if is_bare and later[key] > 1:
            later[key] -= 1
            continue
        kept.append(part)
    return kept


def _join_bare_headings(parts: list[list[Block]]) -> list[list[Block]]:
    """Let a heading without text, such as that of a part, open the chapter after it."""
    joined: list[list[Block]] = []
    waiting: list[Block] = []
    for part in parts:
        if part and all(each.level or not each.text for each in part):
            waiting += part
            continue
        joined.append([*waiting, *part])
        waiting = []
    return [*joined, waiting] if waiting else joined


def _last_heading_of_opening(part: Sequence[Block]) -> str:
    """Return the titles that open a chapter as one: "Part One: Chapter 1"."""
    heads = []
    for each in part:
        if each.text and not each.level:
            break
        if each.text:
            heads.append(each.text.rstrip(".:"))
    return ": ".join(heads[:3])


def _plain(text: str) -> str:
    return re.sub(r"\W+", " ", re.sub(r"[\s.…·]*\d*$", "", text)).strip().casefold()
