"""The part of the Speech tab that reads whole books: open, choose chapters and voices, start, listen, download."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import Context

from models.books.dialogue import Dialogue
from models.registry.registry import Registry
from studio.page import html, jobs, model_card
from studio.page.components import QUIET, markup, stream_player
from studio.page.form import Form, Result, endpoint
from studio.page.keeping import library_of_page, owner_of_request
from studio.page.panels import Updates
from studio.speech import book_html
from studio.speech.book_actions import DESKS, NO_BOOK, BookDesk
from studio.speech.book_controls import BOOK_FIELDS
from studio.speech.book_shelf import BookFolder, values_of

TICK_S = 1.5
WAITING: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"} | jobs.queue_of("book-page")
ABOUT = (
    "Read a whole book aloud: TXT, Markdown, DOCX, EPUB or text. Returns the sound (M4B with chapters, or a ZIP of MP3 "
    "files, or WAV), captions as an SRT file, the text with times as JSON, and a report. The same call again goes on "
    "where one before it was broken off."
)
HINT = (
    '<div class="hint">It is spoken in the background, and kept on disk sentence by sentence: close the page, or stop '
    "the studio, and go on another day. Every sentence comes out equally loud.</div>"
)
RESULTS = (
    Result("sound", lambda: gr.File(label="the book")),
    Result("srt", lambda: gr.File(label="captions (SRT)")),
    Result("json", lambda: gr.File(label="text with times (JSON)")),
    Result("", lambda: gr.JSON(label="report")),
)


def desk_of(registry: Registry) -> BookDesk:
    """Return the desk of a studio: its books lie beside the library, or go with the process where there is none."""
    library = library_of_page()
    folder = library.folder / "books" if library is not None else None
    desk = DESKS.get(registry)
    if desk is None or (folder is not None and desk.shelf.folder != folder):
        desk = DESKS[registry] = BookDesk(registry, folder)
    return desk


def build_books(registry: Registry) -> None:
    """Lay out the part in the current Blocks and wire it."""
    BookPage(registry, desk_of(registry)).build()


class BookPage:
    """The components of the part, and what they do."""

    def __init__(self, registry: Registry, desk: BookDesk) -> None:
        self.registry, self.desk = registry, desk
        self.form = Form(BOOK_FIELDS, registry, "book")

    def build(self) -> None:
        """Lay out and wire."""
        with (
            gr.Column(elem_classes=["card", "book"]),
            gr.Accordion("A whole book", open=False, elem_classes="more", elem_id="book-part") as self.part,
        ):
            markup(HINT)
            with gr.Row(equal_height=False):
                with gr.Column(scale=5, min_width=300):
                    self._layout_text()
                with gr.Column(scale=7, min_width=300):
                    self._layout_result()
        self.form.layout_hidden()
        self._wire()
        endpoint(self.form, self.desk.run_program, name="book", about=ABOUT, results=RESULTS)

    def _layout_text(self) -> None:
        form = self.form
        form.layout("open")
        self.open_text = gr.Button("Open the text", size="sm", elem_id="book-open-text")
        self.shelf = gr.Dropdown([], label="Your books", visible=False, elem_id="book-shelf")
        self.chapters = gr.CheckboxGroup(
            [], label="Chapters", visible=False, elem_id="book-chapters", elem_classes="book-chapters"
        )
        with gr.Row():
            form.layout("voice")
        form["voice"].visible = len(form["voice"].choices) > 1
        with gr.Accordion("Other voices", open=False, elem_classes="more"):
            with gr.Row():
                self.who = gr.Dropdown([], label="Who", elem_id="book-who")
                voices = model_card.voices(self.registry, str(form["model"].value))
                self.their_voice = gr.Dropdown(voices, label="Speaks with", elem_id="book-their-voice")
            self.give = gr.Button("Give this voice", size="sm", elem_id="book-give")
            form.layout("cast")
        form.layout("sound")
        with gr.Accordion("Pauses", open=False, elem_classes="more"):
            form.layout("pauses")
        with gr.Accordion("More settings", open=False, elem_classes="more"):
            form.layout("more")

    def _layout_result(self) -> None:
        self.status = markup(html.finished(book_html.NOTHING_OPEN), elem_id="book-status")
        with gr.Row(elem_classes="actions"):
            self.start = gr.Button("Start", variant="primary", scale=3, interactive=False, elem_id="book-start")
            self.pause = gr.Button(
                "Pause", scale=1, interactive=False, elem_id="book-pause", elem_classes="stop-button"
            )
            self.undo = gr.Button("Undo", scale=1, min_width=80, visible=False, elem_id="book-undo")
        with gr.Row():
            self.from_chapter = gr.Dropdown([], label="Listen from", elem_id="book-from", visible=False)
            with gr.Column(min_width=120):
                self.listen = gr.Button("Listen", size="sm", elem_id="book-listen", visible=False)
                self.silence = gr.Button("Stop listening", size="sm", elem_id="book-silence", visible=False)
        self.player = stream_player("book-player")
        self.form.layout("files")
        self.files = markup("", elem_id="book-files")
        self.make = gr.Button("Make the files of what is spoken", size="sm", visible=False, elem_id="book-make")
        self.doubts = markup("", elem_id="book-doubts")
        with gr.Row(visible=False) as self.anew_row:
            self.doubt = gr.Dropdown([], label="Sentence", elem_id="book-doubt")
            self.anew = gr.Button("Speak it anew", size="sm", elem_id="book-anew")
        with gr.Row():
            self.delete = gr.Button("Delete this book", size="sm", visible=False, elem_id="book-delete")
            self.really = gr.Button(
                "Delete it and all that was spoken", size="sm", variant="stop", visible=False, elem_id="book-really"
            )
            self.back = gr.Button("Have it back", size="sm", visible=False, elem_id="book-back")
        self.gone = gr.State("")
        self.shown = gr.State(())
        self.timer = gr.Timer(TICK_S, active=False)

    # Wiring

    def _wire(self) -> None:
        form, book = self.form, self.shelf
        live = [
            self.status,
            self.start,
            self.pause,
            self.undo,
            self.files,
            self.make,
            self.doubts,
            self.doubt,
            self.anew_row,
        ]
        live += [self.shown, self.timer]
        named = ["model", *values_of_names()]
        whole = [*live, book, self.chapters, self.who, self.from_chapter, self.listen, self.silence, self.delete]
        whole += [self.really, self.back, self.gone, self.part, self.their_voice, *(form[name] for name in named)]
        self.whole = whole
        form["file"].upload(self._guard(self._open_file), form["file"], whole, **WAITING)
        self.open_text.click(self._guard(self._open_text), form["text"], whole, **WAITING)
        book.input(self._guard(self._choose), book, whole, **WAITING)
        self.start.click(self._guard(self._start), [book, self.chapters, *form.components], live, **WAITING)
        self.pause.click(self._guard(self._pause), [book, self.shown], live, **WAITING)
        self.timer.tick(self._guard(self._tick), [book, self.shown], live, **QUIET)
        self.make.click(self._guard(self._make_files), [book, form["formats"]], live, **WAITING)
        self.anew.click(self._guard(self._speak_anew), [book, self.doubt], live, **WAITING)
        self.undo.click(self._guard(self._undo), book, whole, **WAITING)
        self.back.click(self._guard(self._have_back), self.gone, whole, **WAITING)
        self.delete.click(lambda: gr.update(visible=True), outputs=self.really, **QUIET)
        self.really.click(self._guard(self._delete), book, whole, **WAITING)
        self.give.click(give_voice, [self.who, self.their_voice, form["voices"]], form["voices"], **QUIET)
        form["model"].input(self._follow_model, form["model"], [form["voice"], self.their_voice], **QUIET)
        playing = self.listen.click(self._listen, [book, self.from_chapter], [self.player, self.status], **WAITING)
        self.silence.click(lambda: None, outputs=self.player, cancels=playing, **QUIET)
        page = Context.root_block
        if page is not None:
            page.load(self._restore, outputs=whole, **QUIET)

    def _guard(self, work: Callable[..., Updates]) -> Callable[..., Updates]:
        """Return what tells of a failure in the line above the book."""

        def run(request: gr.Request, *values: Any) -> Updates:
            try:
                return work(owner_of_request(request), *values)
            except Exception as error:
                return {self.status: html.problem(jobs.sentence(error))}

        return run

    def _open_file(self, owner: str, path: str | None) -> Updates:
        if path is None:
            return {self.status: gr.skip()}
        return self._show(owner, self.desk.open_file(owner, path, Path(path).name))

    def _open_text(self, owner: str, text: str) -> Updates:
        return self._show(owner, self.desk.open_text(owner, text))

    def _choose(self, owner: str, book_id: str) -> Updates:
        return self._show(owner, self.desk.shelf.get(owner, book_id))

    def _restore(self, request: gr.Request) -> Updates:
        """Offer a person's books on a page that was just loaded, opened where one is not finished."""
        owner = owner_of_request(request)
        books = self.desk.shelf.list(owner)
        if not books:
            return {self.shelf: gr.update(visible=False)}
        state = books[0].state()
        is_unfinished = self.desk.worker.status(books[0].id).is_running or 0 < state.done < state.total
        return self._show(owner, books[0]) | {self.part: gr.update(open=is_unfinished)}

    def _show(self, owner: str, folder: BookFolder) -> Updates:
        """Return the updates that put a book on the page."""
        book, reading = folder.read(), folder.reading()
        choices = [(f"{at + 1}. {each.title} · {each.words:,} words", at) for at, each in enumerate(book.chapters)]
        cast = [(f"{each.name} · {each.lines} lines", each.name) for each in Dialogue.of(book).list_cast(book)]
        cast += [(f"Chapter {at + 1}: {each.title}", f"Chapter {at + 1}") for at, each in enumerate(book.chapters)]
        shelf = [(each.read().title, each.id) for each in self.desk.shelf.list(owner)]
        starts = [(title, at) for title, at in choices if at in reading.chapters]
        page: Updates = {
            self.shelf: gr.update(choices=shelf, value=folder.id, visible=True),
            self.chapters: gr.update(choices=choices, value=list(reading.chapters), visible=True),
            self.who: gr.update(choices=cast, value=cast[0][1] if cast else None),
            self.from_chapter: gr.update(choices=starts, value=starts[0][1] if starts else None, visible=True),
            self.delete: gr.update(visible=True),
            self.really: gr.update(visible=False),
            self.back: gr.update(visible=False),
            self.part: gr.update(open=True),
            **{part: gr.update(visible=True) for part in (self.listen, self.silence)},
            **self._live(folder, None),
        }
        if reading.model and reading.model in [spec.key for spec in self.registry.specs()]:
            values = values_of(reading)
            voices = model_card.voices(self.registry, reading.model)
            page |= {self.form[name]: value for name, value in values.items() if name != "voice"}
            page[self.form["voice"]] = gr.update(choices=voices, value=reading.voice, visible=len(voices) > 1)
            page[self.form["model"]] = reading.model
            page[self.their_voice] = gr.update(choices=voices, value=voices[-1][1] if voices else None)
        return page

    def _live(self, folder: BookFolder, shown: Any) -> Updates:
        """Return the updates of what changes while a book is spoken; lists that are shown already stay."""
        state, status = folder.state(), self.desk.worker.status(folder.id)
        files = [] if status.is_running else folder.list_files()
        now = (tuple(state.doubtful), tuple(map(str, files)), status.is_running)
        label = "Speak what has changed" if state.is_finished else ("Go on" if state.done else "Start")
        page: Updates = {
            self.status: book_html.status_line(folder.read().title, state, status),
            self.timer: gr.update(active=status.is_running),
        }
        if now == shown:
            return page
        doubts = [(text, base) for base, _, text, _ in state.doubtful]
        before = folder.find_before()
        return page | {
            self.undo: gr.update(
                value="Redo" if before is not None and before[1] else "Undo",
                visible=before is not None,
                interactive=not status.is_running,
            ),
            self.shown: now,
            self.start: gr.update(value=label, interactive=not status.is_running),
            self.pause: gr.update(interactive=status.is_running),
            self.files: book_html.file_links(folder.id, files),
            self.make: gr.update(visible=bool(state.done) and not status.is_running),
            self.doubts: book_html.doubt_list(folder.id, state.doubtful),
            self.doubt: gr.update(choices=doubts, value=doubts[0][1] if doubts else None),
            self.anew_row: gr.update(visible=bool(doubts)),
        }

    def _tick(self, owner: str, book_id: str, shown: Any) -> Updates:
        return self._live(self.desk.shelf.get(owner, book_id), shown)

    def _start(self, owner: str, book_id: str, chapters: list[int], *row: Any) -> Updates:
        if not book_id:
            raise ValueError(NO_BOOK)
        values = self.form.values(row)
        key = str(values.pop("model") or "")
        self.desk.start(owner, book_id, key, values, [int(each) for each in chapters])
        return self._live(self.desk.shelf.get(owner, book_id), None)

    def _pause(self, owner: str, book_id: str, _shown: Any) -> Updates:
        folder = self.desk.shelf.get(owner, book_id)
        self.desk.worker.pause(book_id, wait_s=10.0)
        return self._live(folder, None)

    def _make_files(self, owner: str, book_id: str, formats: list[str]) -> Updates:
        self.desk.make_files(owner, book_id, formats)
        return self._live(self.desk.shelf.get(owner, book_id), None)

    def _speak_anew(self, owner: str, book_id: str, base: str) -> Updates:
        self.desk.speak_anew(owner, book_id, base)
        return self._live(self.desk.shelf.get(owner, book_id), None)

    def _undo(self, owner: str, book_id: str) -> Updates:
        self.desk.undo(owner, book_id)
        return self._show(owner, self.desk.shelf.get(owner, book_id))

    def _have_back(self, owner: str, book_id: str) -> Updates:
        return self._show(owner, self.desk.shelf.restore(owner, book_id))

    def _delete(self, owner: str, book_id: str) -> Updates:
        title = self.desk.shelf.get(owner, book_id).read().title
        self.desk.delete(owner, book_id)
        rest = self.desk.shelf.list(owner)
        gone = {self.gone: book_id, self.back: gr.update(value=f"Have “{title}” back", visible=True)}
        return (self._show(owner, rest[0]) if rest else self._show_nothing()) | gone

    def _show_nothing(self) -> Updates:
        gone = (self.shelf, self.chapters, self.from_chapter, self.listen, self.silence, self.delete, self.really)
        return {
            **{part: gr.update(visible=False) for part in (*gone, self.make, self.anew_row, self.undo)},
            self.shelf: gr.update(choices=[], value=None, visible=False),
            self.status: html.finished(book_html.NOTHING_OPEN),
            self.start: gr.update(value="Start", interactive=False),
            self.pause: gr.update(interactive=False),
            self.files: "",
            self.doubts: "",
            self.timer: gr.update(active=False),
        }

    def _listen(self, request: gr.Request, book_id: str, chapter: int | None) -> Iterator[Updates]:
        try:
            for wav in self.desk.listen(owner_of_request(request), book_id, int(chapter or 0)):
                yield {self.player: wav}
        except Exception as error:
            yield {self.status: html.problem(jobs.sentence(error))}

    def _follow_model(self, key: str) -> list[Any]:
        voices = model_card.voices(self.registry, key)
        first = voices[0][1] if voices else ""
        return [
            gr.update(choices=voices, value=first, visible=len(voices) > 1),
            gr.update(choices=voices, value=first or None),
        ]


def give_voice(who: str | None, voice: str | None, lines: Any) -> str:
    """Return the lines of other voices with one more, in the place of one for the same."""
    pairs = dict(BOOK_FIELDS["voices"].read(lines))
    if who and voice:
        pairs[who] = voice
    return "\n".join(f"{name} = {each}" for name, each in pairs.items())


def values_of_names() -> list[str]:
    """List the controls that a book remembers."""
    from models.books.script import Reading

    return list(values_of(Reading()))
