"""Who speaks in a paragraph: quoted speech, the lines of a play, and the names that go with them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from models.books.book import Book, Kind, count_words

NARRATOR, SOMEBODY = "", "Other dialogue"
MOST_CHARACTERS_LISTED = 60
LEAST_BARE_LINES = 3  # a name in capitals without quotes after it counts where it comes as often
NEAR = 60  # characters after a quotation in which "said Alice" stands

_VERBS = (
    "said says asked asks replied replies answered cried cries exclaimed whispered shouted murmured muttered called"
    " added continued began repeated remarked observed thought interrupted screamed laughed sighed growled snapped"
    " demanded declared explained insisted agreed inquired enquired returned went ventured suggested announced"
    " yelled protested admitted begged told roared"
)
_VERB = rf"(?:{'|'.join(_VERBS.split())})"
_NAME = (
    r"(?:(?:[Tt]he|Mr\.?|Mrs\.?|Ms\.?|Miss|Dr\.?|Sir|Lady|Lord|Aunt|Uncle|King|Queen) )?"
    r"[A-Z][\w’'-]*(?: [A-Z][\w’'-]*)?"
)
_AFTER = re.compile(rf"^[\s,.;—–-]*(?:{_VERB} ({_NAME})|({_NAME}) {_VERB}\b)")
_BEFORE = re.compile(rf"(?:({_NAME}) {_VERB}|\b{_VERB} ({_NAME}))[^.!?]{{0,40}}[,:;]\s*$")
_SCRIPT_QUOTED = re.compile(rf"^({_NAME}|[A-Z][A-Z .'’-]{{0,30}})\s*:\s*(?=[“\"'‘])")
_SCRIPT_BARE = re.compile(r"^([A-Z][A-Z .'’-]{1,30})\s*[:.]\s+(?=\S)")
_DOUBLE = re.compile(r"“[^“”]*(?:”|$)|\"[^\"]*(?:\"|$)|«[^«»]*(?:»|$)|„[^„“”]*(?:[“”]|$)")
_SINGLE = re.compile(r"(?<!\w)‘(?:[^‘’]|(?<=\w)’(?=\w))*(?:’|$)")
_PRONOUNS = "he she it they we you i his her their and but then so there that this what who when where why how if"
_NOBODY = frozenset(_PRONOUNS.split())


@dataclass(frozen=True)
class Span:
    """A piece of a paragraph that one person says; `speaker` is NARRATOR, a name, or SOMEBODY."""

    text: str
    speaker: str = NARRATOR


@dataclass(frozen=True)
class Character:
    """Somebody who speaks in a book."""

    name: str
    lines: int
    words: int


class Dialogue:
    """Finds who speaks in the paragraphs of a book.

    Args:
        bare_names: names in capitals that stand before lines of a play.
        is_single: whether speech stands in single quotes.
    """

    def __init__(self, bare_names: Iterable[str] = (), is_single: bool = False) -> None:
        self.bare_names, self._quotes = frozenset(bare_names), _SINGLE if is_single else _DOUBLE

    @classmethod
    def of(cls, book: Book) -> Dialogue:
        """Return the one that suits a book."""
        texts = [p.text for each in book.chapters for p in each.paragraphs if p.kind == Kind.TEXT]
        bare = Counter(found[1] for text in texts if (found := _SCRIPT_BARE.match(text)))
        doubles = sum(bool(_DOUBLE.search(text)) for text in texts)
        singles = sum(bool(_SINGLE.search(text)) for text in texts)
        names = [name for name, count in bare.items() if count >= LEAST_BARE_LINES]
        return cls(names, singles > 2 * doubles)

    def split(self, text: str) -> list[Span]:
        """Cut a paragraph by who speaks; the name before a line of a play is left out."""
        script = _SCRIPT_QUOTED.match(text)
        if script:
            return [Span(text[script.end() :], _titled(script[1]))]
        bare = _SCRIPT_BARE.match(text)
        if bare and bare[1] in self.bare_names:
            return [Span(text[bare.end() :], _titled(bare[1]))]
        quotes = [found.span() for found in self._quotes.finditer(text) if any(map(str.isalnum, found[0]))]
        quotes = [(start, end) for start, end in quotes if _is_speech(text, start, end)]
        if not quotes:
            return [Span(text)]
        speaker = self._find_speaker(text, quotes)
        spans, at = [], 0
        for start, end in quotes:
            spans += [Span(text[at:start]), Span(text[start:end], speaker)]
            at = end
        return [each for each in [*spans, Span(text[at:])] if any(map(str.isalnum, each.text))]

    def _find_speaker(self, text: str, quotes: list[tuple[int, int]]) -> str:
        for start, end in quotes:
            for pattern, piece in ((_AFTER, text[end : end + NEAR]), (_BEFORE, text[max(0, start - NEAR) : start])):
                found = pattern.search(piece)
                name = next((each for each in found.groups() if each), "") if found else ""
                if name and name.split()[0].lower().rstrip(".") not in _NOBODY:
                    return _titled(name)
        return SOMEBODY

    def list_cast(self, book: Book) -> list[Character]:
        """List who speaks, those with most lines first; speech whose speaker is not named comes last."""
        lines: Counter[str] = Counter()
        words: Counter[str] = Counter()
        for span in self._spans(book):
            if span.speaker != NARRATOR:
                lines[span.speaker] += 1
                words[span.speaker] += count_words(span.text)
        rows = [Character(name, count, words[name]) for name, count in lines.most_common() if name != SOMEBODY]
        rows = rows[:MOST_CHARACTERS_LISTED]
        return [*rows, Character(SOMEBODY, lines[SOMEBODY], words[SOMEBODY])] if lines[SOMEBODY] else rows

    def _spans(self, book: Book) -> Iterator[Span]:
        for chapter in book.chapters:
            for paragraph in chapter.paragraphs:
                if paragraph.kind == Kind.TEXT and not chapter.is_matter:
                    yield from self.split(paragraph.text)


def _is_speech(text: str, start: int, end: int) -> bool:
    """Tell speech from words that are merely quoted: it begins large, ends with a mark, or is the whole paragraph."""
    said = text[start + 1 : end].rstrip('”"’»“ ')
    first = next((each for each in said if each.isalpha()), "")
    is_marked = said[-1:] in {",", ".", "!", "?", "—", "…", "-", ";"}
    return (
        is_marked or (first.isupper() and " " in said.strip()) or (not text[:start].strip() and not text[end:].strip())
    )


def _titled(name: str) -> str:
    """Return a name as it is listed: "ALICE" is "Alice", "the Queen" is "The Queen"."""
    plain = " ".join(name.split()).strip(" .")
    plain = plain.title() if plain.isupper() and len(plain) > 1 else plain
    return plain[:1].upper() + plain[1:]
