"""The words of pasted Markdown: what a reader sees of it, without its marks, addresses and rules."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from models.speech.clean import ITEM_END

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_SIGNS = re.compile(
    r"^[ \t]{0,3}(?:#{1,6}[ \t]|>|[-*+][ \t]|\d{1,3}[.)][ \t]|```|~~~|\||(?:[-*_][ \t]*){3,}$|={3,}[ \t]*$)"
    r"|\*\*|__|~~|`[^`\n]+`|\]\(|\]\[|^\[[^\]\n]+\]:|(?<![\w*])\*[^\s*]|(?<![\w_])_[^\s_]|<https?:",
    re.M,
)
_TASK = re.compile(r"^\[[ xX]\]\s+")
_ENDS = {"paragraph_close": "\n\n", "heading_close": "\n\n", "tr_close": ITEM_END, "td_close": ", ", "th_close": ", "}
_CLOSERS_OF_ITEMS = frozenset(["list_item_close", "bullet_list_close", "ordered_list_close"])


def extract_markdown_words(text: str) -> str:
    """Return the words of a text where it shows signs of Markdown; any other text as it is.

    Items of lists and rows of tables end with `ITEM_END`, paragraphs and headings with an empty line. HTML and other
    tags stay as they are.
    """
    if not _SIGNS.search(text):
        return text
    pieces: list[str] = []
    starts: list[int] = []  # the number of the first item of each ordered list around
    tight = 0  # lists around
    tokens = _parser().parse(text)
    for index, token in enumerate(tokens):
        if token.type == "ordered_list_open":
            starts.append(int(token.attrGet("start") or 1))
        elif token.type == "ordered_list_close":
            starts.pop()
        elif token.type == "list_item_open" and starts and _is_a_number_and_no_list(tokens, index, starts[-1]):
            pieces.append(f"{token.info}{token.markup} ")
        if token.type.endswith("list_open"):
            tight += 1
            pieces.append(ITEM_END)
        elif token.type.endswith("list_close"):
            tight -= 1
        if token.type == "inline":
            words = _inline(token.children or [])
            pieces.append(_TASK.sub("", words) if tight else words)
        elif token.type in {"fence", "code_block", "html_block"}:
            pieces.append(token.content.rstrip("\n") + "\n\n")
        elif token.type in _CLOSERS_OF_ITEMS:
            pieces.append(ITEM_END)
        else:
            end = _ENDS.get(token.type, "")
            before_list = index + 1 < len(tokens) and tokens[index + 1].type.endswith("list_open")
            pieces.append(ITEM_END if (tight or before_list) and end == "\n\n" else end)
    return "".join(pieces)


def _is_a_number_and_no_list(tokens: list[Token], index: int, start: int) -> bool:
    """Whether a "list" of one item is a line that begins with a year or another number ("1984. It was cold.")."""
    level = tokens[index].level
    items = 0
    for token in tokens[index:]:
        items += token.type == "list_item_open" and token.level == level
        if token.type == "ordered_list_close" and token.level == level - 1:
            break
    return items == 1 and start > 1


def _inline(tokens: list[Token]) -> str:
    words = []
    for token in tokens:
        if token.type in {"softbreak", "hardbreak"}:
            words.append("\n")
        elif token.type == "image" or token.type in {"text", "code_inline", "html_inline"}:
            words.append(token.content)
    return "".join(words)


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable(["entity"])
