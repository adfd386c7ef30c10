"""The controls of a whole book."""

from __future__ import annotations

from dataclasses import replace

from models.books.read import FILE_TYPES
from models.books.script import Pauses
from studio.page.fields import Choice, Choices, Field, FieldList, Model, Numeric, Pairs, Text, Upload
from studio.speech.book_files import FORMATS, USUAL_FORMATS
from studio.speech.controls import FIELDS, voices_of_default


def _pause(name: str, label: str, default: float) -> Numeric:
    return Numeric(
        name=name,
        label=label,
        default=default,
        low=0,
        high=5,
        step=0.05,
        help="in seconds",
        place="pauses",
        row="pauses",
    )


def _as_in_speech(name: str, place: str, row: str = "") -> Field:
    return replace(FIELDS[name], place=place, row=row)


BOOK_FIELDS = FieldList(
    (
        Upload(
            name="file",
            label="Open a book: TXT, Markdown, DOCX or EPUB",
            about="the book: TXT, Markdown, DOCX or EPUB; give this or `text`",
            file_types=FILE_TYPES,
            place="open",
        ),
        Text(
            name="text",
            label="Or paste it",
            about="the book as text, where there is no file",
            place="open",
            options={"lines": 3, "max_lines": 8, "placeholder": "Chapter 1 …"},
            is_kept=False,
        ),
        Text(
            name="title",
            label="Title",
            about="of the book; empty is the file's own, or the first words of a text",
            place="",
            is_kept=False,
        ),
        Text(
            name="chapters",
            label="Chapters",
            about="numbers of the chapters to read, such as 1-3, 5; empty is all but front and back matter",
            place="",
            is_kept=False,
        ),
        Model(place="voice"),
        Choice(
            name="voice",
            label="Narrator",
            offered=voices_of_default,
            is_open=True,
            place="voice",
            about="key of the narrator's voice; empty is the model's first",
        ),
        Pairs(
            name="voices",
            label="Other voices",
            help="one a line: a character or a chapter, and who speaks it",
            about="one a line as who = voice: a character's name, Chapter 3, or Other dialogue for unnamed speech",
            place="cast",
            options={"lines": 3, "max_lines": 12, "placeholder": "Alice = emma\nChapter 2 = michael"},
        ),
        _as_in_speech("speed", "sound", "sound"),
        _as_in_speech("pitch", "sound", "sound"),
        _as_in_speech("energy", "sound", "sound"),
        _pause("pause_comma", "After a comma", Pauses.comma_s),
        _pause("pause_sentence", "After a sentence", Pauses.sentence_s),
        _pause("pause_paragraph", "After a paragraph", Pauses.paragraph_s),
        _pause("pause_heading", "Around a heading", Pauses.heading_s),
        _pause("pause_chapter", "After a chapter", Pauses.chapter_s),
        _as_in_speech("dictionary", "more"),
        replace(FIELDS["seed"], place="more", help="the same seed gives the same book"),
        Choices(
            name="formats",
            label="Files",
            default=list(USUAL_FORMATS),
            choices=FORMATS,
            place="files",
            about='files to make, a list out of "m4b", "mp3" (a ZIP of chapters), "wav", "captions" and "json"',
        ),
    )
)
