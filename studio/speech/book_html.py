"""Pieces of the page about a book, as HTML; every text of a book is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from studio.page import html
from studio.page.model_card import sized
from studio.speech.book_shelf import BookState
from studio.speech.book_worker import BookStatus, Phase

MOST_DOUBTS = 100
MOST_SAID = 90
RUNNING = {
    Phase.WAITING: "Waiting for another book",
    Phase.LOADING: "Getting the voice ready",
    Phase.WRITING: "Writing the files",
}
NOTHING_OPEN = "Open a book, and it is read to you, chapter by chapter"


def long_duration(seconds: float) -> str:
    """Return a time for people: "3 h 5 min", "2 min 5 s"."""
    hours, rest = divmod(max(0, round(seconds)), 3600)
    return f"{hours} h {rest // 60} min" if hours else html.duration(rest)


def status_line(title: str, state: BookState, status: BookStatus) -> str:
    """Return the line above a book: what is done for it, how far it is, what is left."""
    if status.problem:
        return html.problem(status.problem)
    if status.phase == Phase.SPEAKING:
        said = f"{status.said[:MOST_SAID]} …" if len(status.said) > MOST_SAID else status.said
        left = f"{long_duration(status.left_s)} left" if status.left_s is not None else ""
        return html.status(f"Speaking: {said}", status.share, left)
    if status.is_running:
        return html.status(RUNNING[status.phase], status.share if status.phase == Phase.WRITING else None)
    if state.is_finished:
        what, detail = "is spoken", f"{len(state.doubtful)} to check" if state.doubtful else ""
    elif state.done:
        what, detail = f"is spoken to {100 * state.done / max(1, state.total):.0f} %", "press Go on"
    else:
        what, detail = "is open", "tick the chapters, then press Start"
    return html.finished(f"“{title}” {what}", detail)


def file_links(book_id: str, files: Sequence[Path]) -> str:
    """Return links that download a book's files."""
    links = "".join(
        f'<a href="books/{book_id}/files/{quote(each.name)}" download="{escape(each.name)}">'
        f"<b>{escape(each.suffix[1:].upper())}</b> {escape(each.name)} "
        f"<span>{_size(each.stat().st_size)}</span></a>"
        for each in files
        if each.is_file()
    )
    return f'<div class="book-files">{links}</div>' if links else ""


def doubt_list(book_id: str, doubtful: Sequence[tuple[str, str, str, str]]) -> str:
    """Return the sentences that may not have come out well, each to be heard."""
    rows = "".join(
        f'<li><span>{escape(text)}</span><audio controls preload="none" '
        f'src="books/{book_id}/sentences/{escape(key)}.flac"></audio><small>{escape(why)}</small></li>'
        for _, key, text, why in doubtful[:MOST_DOUBTS]
    )
    more = len(doubtful) - MOST_DOUBTS
    rest = f"<p>And {more} more.</p>" if more > 0 else ""
    return f'<div class="book-doubts"><b>Worth hearing again</b><ol>{rows}</ol>{rest}</div>' if rows else ""


def _size(size: int) -> str:
    """Return a file's size for people."""
    return sized(size / 1e6) if size >= 1_000_000 else f"{max(1, round(size / 1e3))} kB"
