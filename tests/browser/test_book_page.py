"""A person with a whole book: opens an EPUB, starts, stops, reloads, goes on, listens, and downloads the M4B."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.media.program import find_ffmpeg
from studio.io.ffprobe import probe
from tests.browser.conftest import download, pick
from tests.models.books.files import page as make_page
from tests.models.books.files import write_epub

STATUS = "(document.querySelector('#book-status')?.innerText ?? '')"
SOUND_S = "(document.querySelector('#book-player audio')?.currentTime ?? 0)"


def _chapter(name: str) -> str:
    rain = "".join(f"<p>It rained on day {at} of the long wet summer. “So it does,” said Anna.</p>" for at in range(4))
    return make_page(f"<h1>{name}</h1>{rain}")


def test_a_book_is_opened_spoken_paused_and_gone_on_with(page: Any, tmp_path: Path) -> None:
    pages = {"copy.xhtml": make_page("<p>All rights are reserved.</p>", kind="copyright-page")}
    pages |= {f"{name}.xhtml": _chapter(name) for name in ("One", "Two", "Three")}
    toc = [("Copyright", "copy.xhtml"), *((name, f"{name}.xhtml") for name in ("One", "Two", "Three"))]
    epub = write_epub(tmp_path / "rain.epub", pages, toc, title="The Wet Summer")
    page.click("#book-part > button")
    page.set_input_files("#book-file input[type=file]", epub)
    page.wait_for_function(f"() => {STATUS}.includes('The Wet Summer')")
    boxes = page.locator("#book-chapters input")
    boxes.nth(3).wait_for()
    assert [boxes.nth(at).is_checked() for at in range(boxes.count())] == [False, True, True, True]
    boxes.nth(3).uncheck()
    pick(page, "#book-model", "Debug slow")
    page.click("#book-start")
    page.wait_for_function(f"() => {STATUS}.includes('Speaking') && {STATUS}.includes('left')")
    page.click("#book-listen")
    page.wait_for_function(f"() => {SOUND_S} > 0.5")
    page.click("#book-pause")
    page.wait_for_function(f"() => {STATUS}.includes('press Go on')")
    page.reload()
    page.wait_for_function(f"() => {STATUS}.includes('press Go on')")  # offered again, opened
    boxes.nth(3).wait_for()
    assert [boxes.nth(at).is_checked() for at in range(boxes.count())] == [False, True, True, False]
    page.click("#book-start")
    page.wait_for_function(f"() => {STATUS}.includes('is spoken') && !{STATUS}.includes('%')")
    made = download(page, "#book-files a:has-text('M4B')", tmp_path)
    assert made.name == "The Wet Summer.m4b"
    chapters = probe(str(made), find_ffmpeg())["chapters"]
    assert [each["tags"]["title"] for each in chapters] == ["One", "Two"]
    page.click("#book-delete")
    page.click("#book-really")
    page.wait_for_function(f"() => {STATUS}.includes('Open a book')")
