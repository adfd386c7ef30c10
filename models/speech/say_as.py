"""What <say-as> asks: a text read as letters, digits, a date and so on, whatever it looks like."""

from __future__ import annotations

import re
from collections.abc import Callable

from models.speech import say_numbers as numbers
from models.speech.abbreviations import LETTERS
from models.speech.say_dates import date, is_date, time
from models.speech.say_words import SAID_MARKS


def say_as(kind: str, order: str, text: str) -> str | None:
    """Say a text as its kind is said; None where the kind is unknown or does not fit the text.

    Args:
        kind: of the attribute interpret-as.
        order: of the attribute format ("mdy", "hms12" ...), or "".
        text: between the tags.
    """
    say = _KINDS.get(kind.strip().lower())
    try:
        return (say(text.strip(), order.strip().lower()) if say else None) or None
    except (ValueError, IndexError, KeyError, OverflowError):
        return None


def _letters(text: str, order: str) -> str:
    said = []
    for char in text:
        if char.lower() in LETTERS:
            said.append(LETTERS[char.lower()])
        elif char.isascii() and char.isdigit():
            said.append(numbers.digits(char))
        elif char in SAID_MARKS:
            said.append(SAID_MARKS[char])
    return " ".join(said)


def _digits(text: str, order: str) -> str:
    return numbers.digits(text)


def _number(text: str, order: str) -> str | None:
    found = re.fullmatch(r"([-+−]?)([\d,]*\.?\d+)", text)
    if not found:
        fraction = re.fullmatch(r"(?:(\d+)[ +])?(\d+)/(\d+)", text)
        return _fraction_words(fraction) if fraction else None
    sign = {"-": "minus ", "−": "minus ", "+": "plus ", "": ""}[found[1]]
    if order == "digits":
        return sign + numbers.digits(found[2])
    return sign + numbers.decimal(re.sub(r"^0+(?=\d)", "", found[2].replace(",", "")))


def _fraction_words(match: re.Match[str]) -> str:
    words = numbers.fraction(int(match[2]), int(match[3]))
    return f"{numbers.whole(match[1])} and {words}" if match[1] else words


def _ordinal(text: str, order: str) -> str:
    roman = numbers.roman(text.upper())
    return numbers.ordinal(roman or int(re.sub(r"\D", "", text)))


def _phone(text: str, order: str) -> str:
    return numbers.phone(text)


def _date(text: str, order: str) -> str | None:
    parts = re.findall(r"\d+", text)
    if len(parts) == 1 and len(parts[0]) == 8:
        parts = (
            [parts[0][:4], parts[0][4:6], parts[0][6:]]
            if order.startswith("y") or not order
            else [parts[0][:2], parts[0][2:4], parts[0][4:]]
        )
    order = order or ("ymd" if parts and len(parts[0]) == 4 else "mdy")
    if len(parts) != len(order) or set(order) - set("ymd"):
        return None
    found = dict(zip(order, parts, strict=True))
    if "m" not in found:
        return numbers.year(int(found["y"])) if found.keys() == {"y"} else numbers.ordinal(int(found["d"]))
    month, day = int(found["m"]), int(found.get("d", "1"))
    if not is_date(month, day):
        return None
    words = date(month, day, found.get("y", ""))
    return words if "d" in found else words.replace(f" {numbers.ordinal(1)}", "", 1)


def _time(text: str, order: str) -> str | None:
    found = re.fullmatch(r"(\d{1,2})(?:[:.](\d{2}))?(?:[:.](\d{2}))?\s*([ap])?\.?(?:m\.?)?", text, re.I)
    if found:
        return time(int(found[1]), int(found[2]) if found[2] else None, int(found[3] or 0), found[4] or "")
    lasts = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)')?(?:(\d+)(?:\"|''))?", text)
    if not lasts or not any(lasts.groups()):
        return None
    parts = zip(lasts.groups(), ("hour", "minute", "second"), strict=True)
    return " ".join(f"{numbers.whole(n)} {name}{'' if n == '1' else 's'}" for n, name in parts if n)


_KINDS: dict[str, Callable[[str, str], str | None]] = {
    **dict.fromkeys(("characters", "character", "spell-out", "spell", "letters", "verbatim", "alphanumeric"), _letters),
    **dict.fromkeys(("digits", "digit"), _digits),
    **dict.fromkeys(("cardinal", "number", "fraction"), _number),
    **dict.fromkeys(("ordinal",), _ordinal),
    **dict.fromkeys(("telephone", "phone"), _phone),
    **dict.fromkeys(("date",), _date),
    **dict.fromkeys(("time", "duration"), _time),
    **dict.fromkeys(("expletive", "bleep"), lambda text, order: "beep"),
}
