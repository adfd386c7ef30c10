"""Any Unicode text to text that an English voice can read, with a note of what was left out."""

from __future__ import annotations

import html
import re
import unicodedata

MAX_SAMPLES = 5
MAX_SAMPLE_CHARACTERS = 16

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,31}\d{0,2});")
_BLOCK = "p|br|div|li|ul|ol|h[1-6]|tr|table|section|article|header|footer|body|html|head|title|blockquote|pre|hr"
_INLINE = (
    "a|b|i|u|s|em|strong|span|img|code|small|sub|sup|td|th|tbody|thead|script|style|link|meta|font|button|input|form"
    "|label|select|option|textarea|iframe|audio|video|source|svg|path|nav|main|center|mark|del|ins|q|abbr|marquee"
)
_HIDDEN = re.compile(r"<(script|style)\b[^<>]*>[^<]*</\1\s*>|<!--[^<>]*-->|<![A-Za-z][^<>]*>|<\?[^<>]*>", re.I)
_BLOCK_TAG = re.compile(rf"</?(?:{_BLOCK})\b[^<>]*>", re.I)
_INLINE_TAG = re.compile(rf"</?(?:{_INLINE})\b[^<>]*>", re.I)
_EMOTICON = re.compile(r"(?<![\w:;=<])(?:[:;=8][-'^o]?[)(\]\[DPpOo3|/\\*]+|<3+|[xX]D+|\^_+\^|-_+-|:'\()(?![\w/])")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "0123456789-+n")
_SUPERSCRIPT_RUN = re.compile(r"[⁻⁺]?(?:[⁰¹²³⁴⁵⁶⁷⁸⁹]+|ⁿ)")
_VULGAR = {char: unicodedata.normalize("NFKC", char).replace("⁄", "/") for char in "¼½¾⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"}
_VULGAR_FRACTION = re.compile(r"(\d?)\s?([" + "".join(_VULGAR) + "])")
_GREEK_LETTER = re.compile(r"(?<![Ͱ-Ͽἀ-῿])[Α-Ωα-ω](?![Ͱ-Ͽἀ-῿])")
_GREEK_UNIT = re.compile(r"(?<=\d)[\s-]?(?:[μmkMG]?Ω(?!\w)|μ[A-Za-z]{1,3}(?![A-Za-z]))")
_APOSTROPHE = re.compile(r"(?<=[A-Za-z])`(?=[A-Za-z])")
_THOUSANDS = re.compile(r"(?<=\d)(?:[\u00a0\u202f\u2009](?=\d{3}(?!\d))| (?=000(?!\d)))")
_UNIT_DOT = re.compile(r"(?<=[A-Za-z])[·⋅](?=[A-Za-z])")
_TIMES_DOT = re.compile(r"(?<=\d)\s?[·⋅]\s?(?=\d)")

_SAID_SIGNS = {
    **{"÷": "divided by", "±": "plus or minus", "≈": "about", "≠": "is not equal to", "≡": "equals"},
    **{"≤": "at most", "≥": "at least", "∞": "infinity", "√": "square root of", "§": "section", "©": "copyright"},
    **{"®": "registered", "→": "to", "∑": "sum of", "∫": "integral of", "¶": "paragraph", "№": "number"},
}
_SAME_AS = {
    **dict.fromkeys("“”„‟«»″〝〞「」『』《》", '"'),
    **dict.fromkeys("‘’‚‛ʼʻ′‹›´ˈ", "'"),
    **dict.fromkeys("‐‑‒−﹣－", "-"),
    **dict.fromkeys("—―⸺⸻", "—"),
    **dict.fromkeys("。．", "."),
    **dict.fromkeys("、，•‣◦▪●·∙", ","),
    **dict.fromkeys("\r\v\f\x85\u2028\u2029", "\n"),
    "¿": "",
    "¡": "",
    "⁄": "/",
    "∕": "/",
    "\t": " ",
}
# Latin letters that do not fall apart into a letter and an accent.
_FOLDED = {
    **{"ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ð": "th"},
    **{"Ð": "Th", "þ": "th", "Þ": "Th", "ł": "l", "Ł": "L", "ı": "i", "ħ": "h", "Ħ": "H", "ŋ": "ng", "Ŋ": "Ng"},
    **{"ŧ": "t", "Ŧ": "T", "ə": "e", "Ə": "E", "ƒ": "f", "ĸ": "k", "ẞ": "SS"},
}
ITEM_END = "\x1e"
"""Ends an item of a list, or a line that is a sentence of its own."""
FIRST_SAID, LAST_SAID = 0xF0000, 0xFFFFD
"""Characters that stand for a word whose sound the person gave; they pass through."""
FIRST_TURN, LAST_TURN = 0x100000, 0x10FFFD
"""Characters at which the prosody turns; they pass through."""
_KEPT_SIGNS = set("£€¥₹¢°—–₩₽₺₪₴₦₱₫฿₿₡₲×Ωμ" + ITEM_END)
_KIND_OF_CATEGORY = {
    **dict.fromkeys(("Zs", "Zl", "Zp", "Cc"), "blank"),
    **dict.fromkeys(("Cf", "Mn", "Me"), "nothing"),
    **dict.fromkeys(("Cs", "Co", "Cn"), "characters that cannot be shown"),
    **dict.fromkeys(("So", "Sk", "Sm", "Sc"), "emoji and signs"),
}
_SCRIPTS = {
    **{"CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean"},
    **{"KANGXI": "Chinese", "LATIN": "phonetic"},
}


def clean(text: str) -> tuple[str, list[str]]:
    """(text in one form for each quote, dash and blank, without what cannot be spoken; notes on what was left out)."""
    left_out: dict[str, list[str]] = {}
    text = text.replace("\r\n", "\n")
    if "<" in text or "&" in text:
        text = _without_markup(text)
    text = _THOUSANDS.sub(",", _APOSTROPHE.sub("'", text))
    text = _EMOTICON.sub(lambda match: _leave_out(left_out, "emoticons", match[0]), text)
    text = _SUPERSCRIPT_RUN.sub(lambda match: "^" + match[0].translate(_SUPERSCRIPTS), text)
    text = _VULGAR_FRACTION.sub(lambda match: f"{match[1]} {_VULGAR[match[2]]}", text)
    if not text.isascii():
        text = _TIMES_DOT.sub(" × ", _UNIT_DOT.sub("-", text))
        text = "".join(f" {_SAID_SIGNS[char]} " if char in _SAID_SIGNS else char for char in text.replace("™", ""))
        text = unicodedata.normalize("NFKC", "".join(_SAME_AS.get(char, char) for char in text))
        units = {place for unit in _GREEK_UNIT.finditer(text) for place in range(*unit.span())}
        text = _GREEK_LETTER.sub(lambda match: match[0] if match.start() in units else _name_of_greek(match), text)
    return _only_readable(text, left_out), _notes(left_out)


def fold(word: str) -> str:
    """Write a word in the 26 letters, without accents; what is no letter of Latin is left out."""
    if word.isascii():
        return word
    letters = "".join(_FOLDED.get(char, char) for char in word)
    return unicodedata.normalize("NFKD", letters).encode("ascii", "ignore").decode()


def shortened(sample: str) -> str:
    """Return the beginning of a sample that a note quotes."""
    return sample if len(sample) <= MAX_SAMPLE_CHARACTERS else sample[: MAX_SAMPLE_CHARACTERS - 1] + "…"


def _name_of_greek(match: re.Match[str]) -> str:
    return f" {unicodedata.name(match[0]).split()[3].lower()} "


def _without_markup(text: str) -> str:
    text = _INLINE_TAG.sub("", _BLOCK_TAG.sub("\n\n", _HIDDEN.sub(" ", text)))
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text)


def _leave_out(left_out: dict[str, list[str]], kind: str, sample: str) -> str:
    left_out.setdefault(kind, []).append(sample)
    return " "


def _only_readable(text: str, left_out: dict[str, list[str]]) -> str:
    """Text without characters that no English word has; runs of one kind are noted as one sample."""
    kept: list[str] = []
    run_kind, run = "", ""
    for char in text:
        kind = "" if "\x20" <= char <= "\x7e" or char == "\n" else _kind(char)
        if run and (kind != run_kind):
            kept.append(_leave_out(left_out, run_kind, run))
            run = ""
        run_kind = kind
        if not kind:
            kept.append(_SAME_AS.get(char, char))
        elif kind == "blank":
            kept.append(" ")
        elif kind != "nothing":
            run += char
    if run:
        kept.append(_leave_out(left_out, run_kind, run))
    return "".join(kept)


def _kind(char: str) -> str:
    """Why a character cannot be read: "" where it can, "blank", "nothing" where it is never seen, or what it is."""
    if char in _KEPT_SIGNS or char in _SAME_AS or FIRST_SAID <= ord(char) <= LAST_TURN:
        return ""
    category = unicodedata.category(char)
    kind = _KIND_OF_CATEGORY.get(category, "")
    if kind or category[0] == "P":
        return kind or "nothing"
    script = unicodedata.name(char, "UNKNOWN LETTER").split()[0].split("-")[0]
    is_latin = script == "LATIN" and fold(char).isalpha()
    return "" if is_latin else f"{_SCRIPTS.get(script, script.capitalize())} letters"


def _notes(left_out: dict[str, list[str]]) -> list[str]:
    """One plain sentence for each kind of thing that was left out."""
    notes = []
    for kind, samples in left_out.items():
        if kind == "characters that cannot be shown":
            notes.append(f"Left out {kind}: {sum(map(len, samples))}.")
            continue
        different = list(dict.fromkeys(shortened(sample) for sample in samples))
        more = f" and {len(different) - MAX_SAMPLES} more" if len(different) > MAX_SAMPLES else ""
        reason = ", because this voice reads English" if kind.endswith(" letters") else ""
        notes.append(f"Left out {kind}{reason}: {', '.join(different[:MAX_SAMPLES])}{more}.")
    return notes
