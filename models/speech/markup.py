"""What a person typed as passages of plain text: speech markup, Markdown, pronunciations in brackets, a dictionary."""

from __future__ import annotations

import re
from dataclasses import dataclass

from models.speech.clean import FIRST_SAID, FIRST_TURN, ITEM_END, LAST_SAID, LAST_TURN
from models.speech.markdown_text import extract_markdown_words
from models.speech.pronunciations import Dictionary, PersonalDictionary, Said, parse_ipa, parse_sounds, respell
from models.speech.say_as import say_as
from models.speech.ssml import MAX_BREAK_S, PLAIN, Prosody, Tag, is_document, iter_tags, read_break_s, read_prosody

INLINE_SOUND = re.compile(r"\[([^\[\]\n]{1,80})\]\((/[^/()\n]{1,120}/|\{[^{}()\n]{1,120}\})\)")
_RESERVED = re.compile(f"[{chr(FIRST_SAID)}-{chr(LAST_TURN)}]")
_PLACEHOLDERS = re.compile(f"[{chr(FIRST_SAID)}-{chr(LAST_SAID)}]")
_TURNS = re.compile(f"[{chr(FIRST_TURN)}-{chr(LAST_TURN)}]")
_CAPTURED = ("say-as", "sub", "phoneme")
_ENDS = re.compile(r"(?:[.?!:;,…]|\n\s*)[\s\"')\]”’]*$|^\s*$")
_SENTENCES = {"p": "\n\n", "paragraph": "\n\n", "s": ITEM_END, "sentence": ITEM_END}


@dataclass
class Passage:
    """Plain text between two silences that the person asked for.

    Attributes:
        text: in it, the character FIRST_SAID + n stands for `said[n]`, and at FIRST_TURN + n `prosodies[n]` begins.
        said: words whose sound is given.
        prosodies: of the whole text.
        silence_s: exactly this much silence before it, in the place of the usual pause; None for none asked.
        goes_on: whether its last sentence goes on after it.
    """

    text: str
    said: list[Said]
    prosodies: list[Prosody]
    silence_s: float | None = None
    goes_on: bool = False

    def written(self, text: str) -> str:
        """Return a part of the passage's text with the words that its placeholders stand for."""
        return _PLACEHOLDERS.sub(lambda match: self.said[ord(match[0]) - FIRST_SAID].written, text)

    def spoken(self, text: str) -> str:
        """Return a part of the passage's text with what is read in the place of its placeholders."""
        return _PLACEHOLDERS.sub(lambda match: self.said[ord(match[0]) - FIRST_SAID].spoken, text)

    def split_turns(self, text: str) -> tuple[str, list[tuple[int, Prosody]]]:
        """(text without the characters of turns, the place in it and the prosody of each turn)."""
        turns, plain, end = [], "", 0
        for match in _TURNS.finditer(text):
            plain += text[end : match.start()]
            turns.append((len(plain), self.prosodies[ord(match[0]) - FIRST_TURN]))
            end = match.end()
        return plain + text[end:], turns


def to_passages(text: str, dictionary: Dictionary = (), notes: list[str] | None = None) -> list[Passage]:
    """Return the passages of a text in order; a silence at the end is a last passage without text.

    Args:
        text: as typed: plain, Markdown or speech markup, damaged or not.
        dictionary: (word, how it is said) of the person's own.
        notes: what could not be heeded is added here.

    Raises:
        ValueError: an entry of the dictionary cannot be read.
    """
    reader = _MarkupReader([] if notes is None else notes, dictionary)
    text = _RESERVED.sub("\ue000", text)
    if is_document(text):
        reader.read(text)
    else:
        reader.read(extract_markdown_words(_protected(text, reader)))
    return reader.passages()


def to_plain(text: str, dictionary: Dictionary = (), notes: list[str] | None = None) -> list[tuple[str, float | None]]:
    """(plain text, the silence asked after it in seconds or None), for a model that reads text in its own way.

    Markup and Markdown leave their words, words whose sound is given stand respell. The first text is empty where a
    silence is asked before any word. The arguments and the errors are those of `to_passages`.
    """
    notes = [] if notes is None else notes
    found: list[tuple[str, float | None]] = []
    for passage in to_passages(text, dictionary, notes):
        silence_s = passage.silence_s
        if silence_s is not None:
            before, asked_s = found.pop() if found else ("", None)
            found.append((before, (asked_s or 0.0) + silence_s))
        plain, turns = passage.split_turns(passage.text)
        if any(prosody != PLAIN for _, prosody in turns):
            notes.append("This model reads each sentence in its own way; <prosody> and <emphasis> were left out.")
        if plain.strip():
            found.append((passage.spoken(plain), None))
    return [(plain.replace(ITEM_END, "\n"), silence_s) for plain, silence_s in found]


def _protected(text: str, reader: _MarkupReader) -> str:
    """Text in which each `[word](/IPA/)` is one character, so that Markdown does not take it for a link."""

    def replaced(match: re.Match[str]) -> str:
        try:
            sounds = parse_sounds(match[2])
        except ValueError as error:
            reader.notes.append(f"The sound of “{match[1]}” cannot be read: {error}")
            return match[1]
        is_link = sounds is None or (match[2].isascii() and " " in match[1])
        return match[0] if is_link or sounds is None else reader.inline(Said(match[1], respell(sounds), sounds))

    return INLINE_SOUND.sub(replaced, text)


class _MarkupReader:
    """Gathers passages while tags are read; all words with given sounds are numbered over the whole text."""

    def __init__(self, notes: list[str], dictionary: Dictionary) -> None:
        self.notes = notes
        self.dictionary = PersonalDictionary(dictionary)
        self.said: list[Said] = []
        self.prosodies = [PLAIN]
        self.done: list[Passage] = []
        self.now = Passage("", self.said, self.prosodies)
        self.around: list[tuple[str, Prosody]] = []  # the open <prosody> and <emphasis>
        self.capturing: list[tuple[Tag, str]] = []  # the open <say-as>, <sub> or <phoneme> and its text so far

    def inline(self, said: Said) -> str:
        """Return the character that stands for a word with a given sound."""
        if FIRST_SAID + len(self.said) > LAST_SAID:
            return said.written
        self.said.append(said)
        return chr(FIRST_SAID + len(self.said) - 1)

    def read(self, text: str) -> None:
        """Take in a text with its tags."""
        has_sentences = is_document(text)
        for part in iter_tags(text):
            if isinstance(part, str):
                self._add(part)
            elif part.name in _CAPTURED:
                self._capture(part)
            elif part.name == "break" and not part.closes:
                self._break(read_break_s(part))
            elif part.name in {"prosody", "emphasis"}:
                self._turn(part)
            elif has_sentences and part.name in _SENTENCES:
                self._add(_SENTENCES[part.name])
            else:
                self._add(" " if part.name in {"audio", "mark"} else "")

    def passages(self) -> list[Passage]:
        """All passages, with the dictionary's words found."""
        while self.capturing:
            self._close_captured()
        self._next_passage(None)
        for passage in self.done:
            passage.text = self._with_own_words(passage.text)
            passage.goes_on = passage is not self.done[-1] and not _ENDS.search(_TURNS.sub("", passage.text))
        return self.done

    def _add(self, text: str) -> None:
        if self.capturing:
            tag, before = self.capturing[-1]
            self.capturing[-1] = (tag, before + text)
        else:
            self.now.text += text

    def _capture(self, tag: Tag) -> None:
        if not tag.closes:
            self.capturing.append((tag, ""))
        if (tag.closes or tag.is_empty) and self.capturing:
            self._close_captured()

    def _close_captured(self) -> None:
        tag, text = self.capturing.pop()
        said = self._said(tag, text)
        self._add(self.inline(said) if said else text)

    def _said(self, tag: Tag, text: str) -> Said | None:
        """Return what a tag asks in the place of its text; None for the text itself."""
        plain = " ".join(_PLACEHOLDERS.sub(lambda match: self.said[ord(match[0]) - FIRST_SAID].written, text).split())
        if tag.name == "sub":
            alias = tag.attributes.get("alias", "").strip()
            return Said(plain or alias, alias) if alias else None
        if tag.name == "phoneme":
            sounds_as = tag.attributes.get("ph", "").strip()
            try:
                is_ipa = tag.attributes.get("alphabet", "ipa").lower() in {"ipa", ""}
                sounds = parse_ipa(sounds_as) if is_ipa else parse_sounds(sounds_as)
            except ValueError as error:
                sounds = None
                self.notes.append(f"The sound of “{plain}” cannot be read: {error}")
            return Said(plain or respell(sounds), respell(sounds), sounds) if sounds else None
        words = say_as(tag.attributes.get("interpret-as", ""), tag.attributes.get("format", ""), plain)
        return Said(plain, words, is_final=True) if words and plain else None

    def _break(self, seconds: float) -> None:
        while self.capturing:
            self._close_captured()
        if _TURNS.sub("", self.now.text).strip():
            self._next_passage(seconds)
        else:
            self.now.silence_s = min((self.now.silence_s or 0.0) + seconds, MAX_BREAK_S)

    def _turn(self, tag: Tag) -> None:
        """Begin or end a stretch of its own prosody."""
        while self.capturing:
            self._close_captured()
        if tag.is_empty:
            return
        if not tag.closes:
            outer = self.around[-1][1] if self.around else PLAIN
            self.around.append((tag.name, read_prosody(tag, self.notes).within(outer)))
        elif any(name == tag.name for name, _ in self.around):
            while self.around.pop()[0] != tag.name:
                pass
        else:
            return
        self._add_turn(self.around[-1][1] if self.around else PLAIN)

    def _add_turn(self, prosody: Prosody) -> None:
        if prosody not in self.prosodies:
            self.prosodies.append(prosody)
        index = self.prosodies.index(prosody)
        if FIRST_TURN + index <= LAST_TURN:
            self.now.text += chr(FIRST_TURN + index)

    def _next_passage(self, silence_s: float | None) -> None:
        if _TURNS.sub("", self.now.text).strip() or self.now.silence_s is not None:
            self.done.append(self.now)
        self.now = Passage("", self.said, self.prosodies, silence_s)
        if self.around:
            self._add_turn(self.around[-1][1])

    def _with_own_words(self, text: str) -> str:
        """Find the dictionary's words in a text."""
        plain, end = "", 0
        for start, stop, said in self.dictionary.find(text):
            plain += text[end:start] + self.inline(said)
            end = stop
        return plain + text[end:]
