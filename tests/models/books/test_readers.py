"""Books of every format: what is read, what is left out, and what is refused."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.books import archive, plain
from models.books.book import Book, BookError, Kind
from models.books.chapters import find_chapters
from models.books.html_text import Block, read_blocks
from models.books.read import read_book, read_pasted, read_text
from tests.models.books.files import TALE, page, write_docx, write_epub

ANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _titles(book: Book, is_matter: bool | None = None) -> list[str]:
    return [each.title for each in book.chapters if is_matter is None or each.is_matter == is_matter]


def _texts(book: Book, chapter: int = 0, kind: Kind = Kind.TEXT) -> list[str]:
    return [each.text for each in book.chapters[chapter].paragraphs if each.kind == kind]


def test_a_plain_text_has_chapters_paragraphs_and_breaks() -> None:
    book = read_pasted(TALE)
    assert _titles(book) == ["CHAPTER I. The Gate", "CHAPTER II. The Mill"]
    assert _texts(book)[0].startswith('Anna came to the gate in the early morning, and it was shut. "Is nobody')
    assert [each.kind for each in book.chapters[0].paragraphs] == ["heading", "text", "text", "break"]
    assert book.chapters[1].words == 21


def test_a_list_of_contents_makes_no_chapters() -> None:
    head = "The Mill\n\nCHAPTER I. The Gate\n\nCHAPTER II. The Mill\n\n"
    book = read_pasted(head + TALE)
    assert _titles(book, False) == ["CHAPTER I. The Gate", "CHAPTER II. The Mill"]
    assert all("Anna" in " ".join(_texts(book, at)) for at in (len(book.chapters) - 1, len(book.chapters) - 2))


def test_a_part_opens_the_chapter_after_it() -> None:
    book = read_pasted("PART ONE\n\nCHAPTER 1\n\nIt rained all day.\n\nCHAPTER 2\n\nIt still rained.")
    assert _titles(book) == ["PART ONE: CHAPTER 1", "CHAPTER 2"]


def test_what_project_gutenberg_adds_is_left_out() -> None:
    text = (
        "The Project Gutenberg eBook of The Mill\n\nTitle: The Mill\n\nAuthor: A. Writer\n\n"
        f"*** START OF THE PROJECT GUTENBERG EBOOK THE MILL ***\n\n{TALE}\n\n"
        "*** END OF THE PROJECT GUTENBERG EBOOK THE MILL ***\n\nThis licence has many words of law."
    )
    book = read_text(text)
    assert (book.title, book.author) == ("The Mill", "A. Writer")
    assert _titles(book, False) == ["CHAPTER I. The Gate", "CHAPTER II. The Mill"]
    assert len(_titles(book, True)) == 2


def test_numbers_alone_are_chapters_where_nothing_else_is() -> None:
    assert _titles(read_pasted("I\n\nIt rained.\n\nII\n\nIt shone.\n\nIII.\n\nIt blew.")) == ["I", "II", "III"]


def test_markdown_has_its_headings_and_no_marks(tmp_path: Path) -> None:
    path = tmp_path / "tale.md"
    path.write_text("---\ntitle: x\n---\n# Tale\n\n## One\n\nIt *rained* [all](http://x.org) day.\n\n## Two\n\nDry.\n")
    book = read_book(path)
    assert book.title == "tale" and _titles(book) == ["Tale: One", "Two"]
    assert _texts(book) == ["It rained all day."]


@pytest.mark.parametrize("is_old", [False, True])
def test_an_epub_is_cut_where_its_contents_say(tmp_path: Path, is_old: bool) -> None:
    pages = {
        "title.xhtml": page("<p>A Book by An Author, long ago printed</p>", kind="titlepage"),
        "copy.xhtml": page("<p>All rights are reserved by somebody.</p>"),
        "one.xhtml": page(
            '<h2 id="a">One</h2><p>It rained<sup><a href="#n1" epub:type="noteref">1</a></sup> all day.</p>'
            '<aside epub:type="footnote" id="n1">Not everywhere.</aside><hr/><h2 id="b">Two</h2><p>It&#160;shone<br/>'
            "again.</p><script>no()</script>"
        ),
    }
    toc = [("Copyright", "copy.xhtml"), ("One", "one.xhtml#a"), ("Two", "one.xhtml#b")]
    book = read_book(write_epub(tmp_path / "a.epub", pages, toc, is_old=is_old))
    assert (book.title, book.author, book.language) == ("A Book", "An Author", "en")
    assert _titles(book, False) == ["One", "Two"]
    assert [p.text for p in book.chapters[-2].paragraphs] == ["One", "It rained all day.", ""]
    assert [p.text for p in book.chapters[-1].paragraphs] == ["Two", "It shone again."]
    assert "Copyright" in _titles(book, True) and book.cover.startswith(b"\x89PNG")


def test_an_epub_without_contents_is_cut_at_its_headings(tmp_path: Path) -> None:
    pages = {"a.xhtml": page("<h1>One</h1><p>It rained.</p>"), "b.xhtml": page("<h1>Two</h1><p>It shone.</p>")}
    assert _titles(read_book(write_epub(tmp_path / "a.epub", pages))) == ["One", "Two"]


def test_a_document_has_the_chapters_of_its_headings(tmp_path: Path) -> None:
    rows = [("Title", "The Mill"), ("Heading1", "One"), ("", "It rained."), ("Heading1", "Two"), ("", "It shone.")]
    book = read_book(write_docx(tmp_path / "a.docx", rows, "The Mill"))
    assert (book.title, book.author) == ("The Mill", "A Writer")
    assert _titles(book) == ["The Mill: One", "Two"] and _texts(book) == ["It rained."]


def test_a_document_without_headings_is_cut_as_a_text_is(tmp_path: Path) -> None:
    rows = [("", "Chapter 1"), ("", "It rained."), ("", "Chapter 2"), ("", "It shone.")]
    assert _titles(read_book(write_docx(tmp_path / "a.docx", rows))) == ["Chapter 1", "Chapter 2"]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.pdf", b"%PDF-1.7", "Save the book as EPUB"),
        ("a.rtf", b"{\\rtf1 x}", "RTF"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Save the book as DOCX"),
        ("a.epub", b"PK\x03\x04 not a zip", "damaged"),
        ("a.txt", b"\x00\x01\x02" * 50, "no text"),
        ("a.txt", b"   \n\n ***", "no text"),
    ],
)
def test_what_is_no_book_is_refused_with_a_sentence(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(BookError, match=said):
        read_book(path)


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_TEXT_BYTES", 2**20)
    pages = {"a.xhtml": page("<p>" + "a " * 2**20 + "</p>")}
    with pytest.raises(BookError, match="more text than a book"):
        read_book(write_epub(tmp_path / "a.epub", pages))
    many = {f"{at}.xhtml": page("<p>" + "a " * 2**18 + "</p>") for at in range(4)}
    with pytest.raises(BookError, match="more text than a book"):
        read_book(write_epub(tmp_path / "b.epub", many))
    with pytest.raises(BookError, match="more text than a book"):
        read_book(write_docx(tmp_path / "a.docx", [("", "a " * 2**19)]))


def test_a_member_that_lies_about_its_size_is_read_no_further(tmp_path: Path) -> None:
    path = write_epub(tmp_path / "a.epub", {"a.xhtml": page("<p>" + "word " * 50_000 + "</p>")})
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as file:
        true_size = file.getinfo("OEBPS/a.xhtml").file_size
    at = data.rfind(struct.pack("<I", true_size))
    data[at : at + 4] = struct.pack("<I", 40)
    path.write_bytes(data)
    with pytest.raises(BookError):
        read_book(path)


def test_a_protected_book_is_refused(tmp_path: Path) -> None:
    rights = b'<encryption><EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/></encryption>'
    more = {"META-INF/encryption.xml": rights}
    with pytest.raises(BookError, match="protected"):
        read_book(write_epub(tmp_path / "a.epub", {"a.xhtml": page("<p>It rained.</p>")}, more=more))


def test_entities_that_grow_are_refused(tmp_path: Path) -> None:
    grows = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))
    bomb = f'<!DOCTYPE x [<!ENTITY a "{"a" * 1000}">{grows}]><package>&j;</package>'.encode()
    path = write_epub(tmp_path / "a.epub", {"a.xhtml": page("<p>It rained.</p>")}, more={"OEBPS/bomb.opf": bomb})
    data = path.read_bytes()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "b.epub", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"OEBPS/package.opf", b"OEBPS/bomb.opf"))
    assert data
    with pytest.raises(BookError, match="damaged"):
        read_book(tmp_path / "b.epub")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_texts_of_every_encoding_are_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    text = "The café was closed — “as always”, said Zoë. " * 5
    path.write_bytes(text.encode(encoding))
    assert _texts(read_book(path))[0].startswith("The café was closed — “as always”, said Zoë.")


@ANY
@given(st.text(max_size=400), st.booleans())
def test_no_text_breaks_the_reader_and_none_of_its_words_is_lost(text: str, is_markdown: bool) -> None:
    book = read_text(text, is_markdown=is_markdown)
    if not is_markdown:
        blocks = plain.read_paragraphs(text)
        read = " ".join(p.text for each in find_chapters(blocks) for p in each.paragraphs)
        has_body = any(p.kind == Kind.TEXT for each in book.chapters for p in each.paragraphs)
        assert not has_body or sorted(read.split()) == sorted(" ".join(each.text for each in blocks).split())


@ANY
@given(st.text(alphabet="<>/ab \"'=!-&;h1pdivsup#\n", max_size=300))
def test_no_page_breaks_the_reader(markup: str) -> None:
    for block in read_blocks(markup):
        assert isinstance(block, Block) and "\n" not in block.text


@ANY
@given(data=st.binary(max_size=80), at=st.integers(0, 2_000), is_word=st.booleans())
def test_a_damaged_container_is_a_sentence(tmp_path: Path, data: bytes, at: int, is_word: bool) -> None:
    path = tmp_path / ("a.docx" if is_word else "a.epub")
    if is_word and not path.exists():
        write_docx(path, [("Heading1", "One"), ("", "It rained."), ("Heading1", "Two"), ("", "It shone.")])
    elif not path.exists():
        pages = {"a.xhtml": page("<h1>One</h1><p>It rained.</p>"), "b.xhtml": page("<h1>Two</h1><p>It shone.</p>")}
        write_epub(path, pages, [("One", "a.xhtml"), ("Two", "b.xhtml")])
    whole = path.read_bytes()
    broken = tmp_path / f"broken{path.suffix}"
    broken.write_bytes(whole[: at % len(whole)] + data + whole[at % len(whole) + len(data) :])
    try:
        assert read_book(broken).chapters
    except BookError as error:
        assert str(error).endswith(".")


def test_a_book_survives_its_plain_values() -> None:
    book = read_pasted(TALE)
    assert Book.from_dict(book.to_dict()) == book


def test_a_deep_page_and_a_page_of_open_elements_are_read() -> None:
    assert [each.text for each in read_blocks("<div>" * 50_000 + "deep" + "</div>" * 50_000)] == ["deep"]
    assert len(read_blocks("<p>word" * 5_000)) == 5_000
