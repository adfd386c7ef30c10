"""Books as EPUB 2 and 3: the pages of the spine in their order, cut where the table of contents says."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from models.books.archive import MOST_PICTURE_BYTES, BookArchive
from models.books.book import Book, BookError, Chapter, tidy
from models.books.chapters import BEGINNING, find_chapters, make_chapter
from models.books.html_text import Block, read_page
from models.books.plain import decode_text

CONTAINER = "META-INF/container.xml"
RIGHTS = "META-INF/encryption.xml"
DRM = b"http://www.w3.org/2001/04/xmlenc#aes"
DEEPEST = 3  # of the table of contents
PAGES = {"application/xhtml+xml", "text/html", "text/x-oeb1-document"}


@dataclass(frozen=True)
class TocEntry:
    """A line of the table of contents: where it leads, and how deep it stands."""

    title: str
    page: str
    place: str
    depth: int


@dataclass(frozen=True)
class _Item:
    """A file of the manifest."""

    path: str
    kind: str
    properties: frozenset[str]


def read_epub(path: Path) -> Book:
    """Return the book of an EPUB file.

    Raises:
        BookError: it is damaged, protected against copying, or too large.
    """
    with BookArchive(path) as archive:
        if RIGHTS in archive and DRM in archive.read(RIGHTS):
            raise BookError(f"{path.name} is protected against copying, so it cannot be read.")
        package_path = _find_package(archive, path.name)
        package = parse_xml(archive.read(package_path), path.name)
        folder = posixpath.dirname(package_path)
        items = dict(_read_manifest(package, folder))
        spine = _read_spine(package, items)
        pages = {each: read_page(decode_text(archive.read(each))).blocks for each in spine if each in archive}
        toc = _read_toc(archive, package, items)
        cover = _read_cover(archive, package, items)
    chapters = cut_pages(pages, toc)
    said = {name: tidy(_find_text(package, name)) for name in ("title", "creator", "language")}
    return Book(said["title"], tuple(chapters), said["creator"], said["language"], cover)


def cut_pages(pages: dict[str, list[Block]], toc: list[TocEntry]) -> list[Chapter]:
    """Return the chapters of pages: cut by the table of contents, or by headings where there is none."""
    row: list[Block] = []
    places: dict[tuple[str, str], int] = {}
    for page, blocks in pages.items():
        places[page, ""] = len(row)
        for block in blocks:
            for name in block.ids:
                places.setdefault((page, name), len(row))
            row.append(block)
    starts: dict[int, str] = {}
    for entry in _main_entries(toc):
        at = places.get((entry.page, entry.place), places.get((entry.page, "")))
        if at is not None and at < len(row):
            starts.setdefault(at, entry.title)
    if len(starts) < 2:
        return _cut_by_page(list(pages.values()))
    if min(starts):
        starts[0] = BEGINNING
    bounds = [*sorted(starts), len(row)]
    chapters: list[Chapter] = []
    waiting: list[Block] = []
    for start, end in pairwise(bounds):
        part = [*waiting, *row[start:end]]
        waiting = []
        chapter = make_chapter(starts[start], part, is_matter=starts[start] == BEGINNING and start == 0)
        if chapter.words <= len(starts[start].split()) + 3 and end < len(row) and not chapter.is_matter:
            waiting = [each if each.level else Block(each.text, 1) for each in part if each.text]
            continue
        if chapter.words:
            chapters.append(chapter)
    return chapters


def _cut_by_page(pages: list[list[Block]]) -> list[Chapter]:
    """Cut where headings are; pages without any are chapters of their own when no page has one."""
    row = [each for page in pages for each in page]
    if any(each.level for each in row) or len(pages) == 1:
        return find_chapters(row)
    found = find_chapters(row)
    if len(found) > 1:
        return found
    chapters = [make_chapter("", page) for page in pages]
    return [each for each in chapters if each.words]


def _main_entries(toc: list[TocEntry]) -> Iterator[TocEntry]:
    """Yield the entries that are chapters: deeper ones only where they lead to pages of their own."""
    page = ""
    for entry in toc:
        if entry.depth == 1 or entry.page != page:
            yield entry
        page = entry.page


def _find_package(archive: BookArchive, name: str) -> str:
    container = parse_xml(archive.read(CONTAINER), name)
    for each in container.iter():
        if _local(each) == "rootfile" and each.get("full-path"):
            return posixpath.normpath(str(each.get("full-path")))
    raise BookError(f"{name} is damaged: it names no book.")


def _read_manifest(package: Element, folder: str) -> Iterator[tuple[str, _Item]]:
    for each in package.iter():
        if _local(each) == "item" and each.get("id") and each.get("href"):
            kind, properties = each.get("media-type", ""), frozenset(each.get("properties", "").split())
            yield str(each.get("id")), _Item(_resolve(folder, str(each.get("href")))[0], kind, properties)


def _read_spine(package: Element, items: dict[str, _Item]) -> list[str]:
    pages = []
    for each in package.iter():
        item = items.get(each.get("idref", "")) if _local(each) == "itemref" else None
        if item is not None and each.get("linear") != "no" and item.kind in PAGES and "nav" not in item.properties:
            pages.append(item.path)
    return list(dict.fromkeys(pages))


def _read_toc(archive: BookArchive, package: Element, items: dict[str, _Item]) -> list[TocEntry]:
    """Return the table of contents of EPUB 3, else of EPUB 2; nothing where neither can be read."""
    spine = next((each for each in package.iter() if _local(each) == "spine"), None)
    ncx = items.get(spine.get("toc", "") if spine is not None else "")
    nav = next((each for each in items.values() if "nav" in each.properties), None)
    for item, read in ((nav, _read_nav), (ncx, _read_ncx)):
        if item is None or item.path not in archive:
            continue
        try:
            found = list(read(parse_xml(archive.read(item.path), item.path), posixpath.dirname(item.path)))
        except BookError:
            continue
        if found:
            return found
    return []


def _read_nav(page: Element, folder: str) -> Iterator[TocEntry]:
    for nav in page.iter():
        if _local(nav) == "nav" and "toc" in next((v for k, v in nav.attrib.items() if k.endswith("type")), "toc"):
            lists = [each for each in nav if _local(each) == "ol"]
            yield from (entry for each in lists[:1] for entry in _read_list(each, folder, 1))
            return


def _read_list(row: Element, folder: str, depth: int) -> Iterator[TocEntry]:
    for item in row:
        link = next((each for each in item if _local(each) == "a" and each.get("href")), None)
        if link is not None:
            yield TocEntry(tidy("".join(link.itertext())), *_resolve(folder, str(link.get("href"))), depth)
        if depth < DEEPEST:
            for below in item:
                if _local(below) == "ol":
                    yield from _read_list(below, folder, depth + 1)


def _read_ncx(page: Element, folder: str, depth: int = 0) -> Iterator[TocEntry]:
    for each in page:
        if _local(each) == "navMap" and depth == 0:
            yield from _read_ncx(each, folder, 1)
        elif _local(each) == "navPoint" and depth:
            label = tidy(" ".join(part.text or "" for part in each.iter() if _local(part) == "text")) if depth else ""
            own = next((part for part in each if _local(part) == "navLabel"), None)
            label = tidy("".join(own.itertext())) if own is not None else label
            content = next((part for part in each if _local(part) == "content" and part.get("src")), None)
            if content is not None:
                yield TocEntry(label, *_resolve(folder, str(content.get("src"))), depth)
            if depth < DEEPEST:
                yield from _read_ncx(each, folder, depth + 1)


def _read_cover(archive: BookArchive, package: Element, items: dict[str, _Item]) -> bytes:
    named = next((e.get("content", "") for e in package.iter() if _local(e) == "meta" and e.get("name") == "cover"), "")
    item = next((each for each in items.values() if "cover-image" in each.properties), items.get(named))
    if item is None or not item.kind.startswith("image/") or item.path not in archive:
        return b""
    try:
        return archive.read(item.path, MOST_PICTURE_BYTES)
    except BookError:
        return b""


def parse_xml(data: bytes, name: str) -> Element:
    """Return the root of a piece of XML; expat itself refuses entities that grow without bound.

    Raises:
        BookError: it is damaged.
    """
    try:
        return ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise BookError(f"{name} is damaged: its list of contents cannot be read.") from error


def _find_text(package: Element, name: str) -> str:
    return next((each.text or "" for each in package.iter() if _local(each) == name and each.text), "")


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _resolve(folder: str, address: str) -> tuple[str, str]:
    """Return the file that a relative address leads to, and the place in it."""
    page, _, place = address.partition("#")
    return posixpath.normpath(posixpath.join(folder, unquote(page))), unquote(place)
