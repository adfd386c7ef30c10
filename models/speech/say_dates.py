"""Dates and times of day in words, in whatever order they are written."""

from __future__ import annotations

import re
from collections.abc import Callable

from models.speech import say_numbers as numbers
from models.speech.say_context import look_back

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_SHORT_MONTHS = {
    **{"jan": 1, "feb": 2, "mar": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9},
    **{"oct": 10, "nov": 11, "dec": 12},
}
_MONTH_NUMBERS = {name.lower(): index for index, name in enumerate(MONTHS, 1)} | _SHORT_MONTHS
_WEEKDAYS = {
    **{"mon": "Monday", "tue": "Tuesday", "tues": "Tuesday", "wed": "Wednesday", "weds": "Wednesday"},
    **{"thu": "Thursday", "thur": "Thursday", "thurs": "Thursday", "fri": "Friday", "sat": "Saturday", "sun": "Sunday"},
}
_DAYS_OF_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NAMES = [name for number in _MONTH_NUMBERS for name in (number.capitalize(), number.upper())]
MONTH = r"(?:" + "|".join(sorted(_NAMES, key=len, reverse=True)) + r")\b\.?"
_SHORT_MONTH = "|".join(sorted((name.capitalize() for name in _SHORT_MONTHS), key=len, reverse=True))
_WEEKDAY = "|".join(sorted((name.capitalize() for name in _WEEKDAYS), key=len, reverse=True))
_ORD = r"(?:st|nd|rd|th)"
_YEAR = r"(?:,?\s(?:of\s)?(\d{4}|'\d\d)(?!\d|[:,]\d))?"
_DAY = rf"(\d{{1,2}}){_ORD}?"
HALF = r"([aApP]\.[mM]\.|[aApP]\.?[mM])(?![A-Za-z])"
_TO = r"\s?(?:[-–—]|to\b|and\b)\s?"
_THE = re.compile(r"\b[Tt]he\s$")


def is_date(month: int, day: int) -> bool:
    """Whether there is such a day."""
    return 1 <= month <= 12 and 1 <= day <= _DAYS_OF_MONTHS[month - 1]


def date(month: int, day: int, in_year: str = "") -> str:
    """Say a date: "January fifteenth, twenty twenty-four"."""
    return f"{MONTHS[month - 1]} {numbers.ordinal(day)}" + _in_year(in_year)


def time(hour: int, minute: int | None, second: int | None = None, half: str = "") -> str:
    """Say a time: "ten oh five p m"; an hour alone is "o'clock" unless a half of the day follows."""
    words = numbers.cardinal(hour)
    if minute:
        words += f" {'oh ' if minute < 10 else ''}{numbers.cardinal(minute)}"
    elif not half and minute is not None:
        words += " o'clock" if 1 <= hour <= 12 else " hundred hours"
    if second:
        words += f" and {numbers.cardinal(second)} second{'s' if second != 1 else ''}"
    return words + {"a": " ey em", "p": " pee em", "": ""}[half[:1].lower()]


def find_month_number(written: str) -> int:
    """1 to 12 from a month's name or its abbreviation."""
    return _MONTH_NUMBERS[written.rstrip(".").lower()]


def _in_year(written: str | None) -> str:
    """Say a year of four digits, or of two: those up to 49 are of this century."""
    bare = (written or "").lstrip("'")
    if not bare:
        return ""
    number = int(bare)
    return ", " + numbers.year(number if len(bare) > 2 else number + (2000 if number < 50 else 1900))


def _say_numeric(year: str, month: str, day: str) -> str | None:
    return date(int(month), int(day), year) if is_date(int(month), int(day)) else None


def _say_month_day(match: re.Match[str]) -> str | None:
    """Say "July 4th, 1776"."""
    month, day = find_month_number(match[1]), int(match[2])
    return date(month, day, match[3] or "") if is_date(month, day) else None


def _say_month_days(match: re.Match[str]) -> str | None:
    """Say "July 4-7, 1776"."""
    month, first, last = find_month_number(match[1]), int(match[2]), int(match[3])
    if not (is_date(month, first) and is_date(month, last)):
        return None
    return f"{MONTHS[month - 1]} {numbers.ordinal(first)} to {numbers.ordinal(last)}" + _in_year(match[4])


def _say_day_month(match: re.Match[str]) -> str | None:
    """Say "the 4th of July", "4th July", "4 July 1776"."""
    day, order, month = int(match[1]), match[2] or match[3], find_month_number(match[4])
    if not is_date(month, day):
        return None
    has_the = _THE.search(look_back(match))
    if not order and not has_the:
        return date(month, day, match[5] or "")
    return f"{'' if has_the else 'the '}{numbers.ordinal(day)} of {MONTHS[month - 1]}" + _in_year(match[5])


def _say_days_month(match: re.Match[str]) -> str | None:
    """Say "4th-7th of July"."""
    first, last, month = int(match[1]), int(match[2]), find_month_number(match[3])
    if not (is_date(month, first) and is_date(month, last)):
        return None
    the = "" if _THE.search(look_back(match)) else "the "
    days = f"{the}{numbers.ordinal(first)} to the {numbers.ordinal(last)}"
    return f"{days} of {MONTHS[month - 1]}" + _in_year(match[4])


def _say_slashed(match: re.Match[str]) -> str | None:
    """Month first as in America, or day first where that is no date; with dots always day first."""
    first, separator, second, year = match[1], match[2], match[3], match[4]
    if separator != "/" and len(year) == 2:
        return None
    day_first = _say_numeric(year, second, first)
    return (separator == "." and day_first) or _say_numeric(year, first, second) or day_first or None


def _say_year_month(match: re.Match[str]) -> str | None:
    year, month = int(match[1]), int(match[2])
    return f"{MONTHS[month - 1]}{_in_year(match[1]).replace(',', '')}" if year % 100 >= month else None


def _say_instant(match: re.Match[str]) -> str | None:
    """ISO 8601 with a time; seconds and zone are not said."""
    day = _say_numeric(match[1], match[2], match[3])
    hour, minute = int(match[4]), int(match[5])
    return f"{day}, {time(hour, minute)}" if day and hour < 24 and minute < 60 else None


def _is_time(hour: int, minute: int, second: int, half: str) -> bool:
    return (1 <= hour <= 12 if half and minute < 60 else hour <= 24) and minute < 60 and second < 60


def _say_time(match: re.Match[str]) -> str | None:
    hour, minute, second, half = int(match[1]), int(match[2]), int(match[3] or 0), match[4] or ""
    if not _is_time(hour, minute, second, half if hour < 13 else ""):
        return None
    return time(hour, minute, second, half)


def _say_dotted_time(match: re.Match[str]) -> str | None:
    hour, minute = int(match[1]), int(match[2])
    return time(hour, minute, None, match[3]) if _is_time(hour, minute, 0, match[3]) else None


def _say_hour(match: re.Match[str]) -> str | None:
    return time(int(match[1]), None, None, match[2]) if 1 <= int(match[1]) <= 12 else None


_CLOCK = r"(\d{1,2})(?:[:.](\d{2}))?(?:\s?" + HALF + ")?"


def _say_time_range(match: re.Match[str]) -> str | None:
    """Say "9am-5pm", "9-11:30 a.m.", "9:00-17:00"."""
    hour, minute, half, hour2, minute2, half2 = match.groups()
    has_half = bool(half or half2)
    if not has_half and not (minute and minute2 and "." not in match[0]):
        return None
    times = [(int(hour), minute, half or ""), (int(hour2), minute2, half2 or "")]
    if not all(_is_time(h, int(m or 0), 0, p) for h, m, p in times):
        return None
    first, last = (time(h, int(m) if m and (int(m) or not has_half) else None, None, p) for h, m, p in times)
    return f"{first} to {last}"


def _say_military(match: re.Match[str]) -> str | None:
    hour, minute = int(match[1]), int(match[2])
    if hour > 24 or minute > 59:
        return None
    lead = "zero " if hour < 10 else ""
    return f"{lead}{numbers.cardinal(hour)} {numbers.cardinal(minute) if minute else 'hundred'} hours"


def _say_weekday(match: re.Match[str]) -> str:
    return _WEEKDAYS[match[1].lower()]


def _say_weekdays(match: re.Match[str]) -> str:
    return f"{_WEEKDAYS[match[1].lower()]} to {_WEEKDAYS[match[2].lower()]}"


def _say_month(match: re.Match[str]) -> str:
    return MONTHS[find_month_number(match[1]) - 1]


_Rules = tuple[tuple[str, Callable[[re.Match[str]], "str | None"]], ...]
LETTER_DATE_RULES: _Rules = (
    (rf"({_WEEKDAY})\.?\s?[-–—]\s?({_WEEKDAY})\b\.?(?![a-z])", _say_weekdays),
    (rf"({_WEEKDAY})\b\.?(?=,?\s(?:the\s)?(?:\d{{1,2}}{_ORD}?\s(?:of\s)?{MONTH}|{MONTH}\s\d))", _say_weekday),
    (
        rf"({_WEEKDAY})\.(?=,|\s?[-–/]|\s(?:\d|at\b|and\b|to\b|from\b|or\b|the\s\d|(?:morn|even)ing|afternoon|night))",
        _say_weekday,
    ),
    (rf"({MONTH})\s{_DAY}\s?[-–—]\s?{_DAY}(?![\d:/]){_YEAR}", _say_month_days),
    (rf"({MONTH})\s{_DAY}(?![\d:.,]\d|\d){_YEAR}(?!\s?{HALF})", _say_month_day),
    (rf"({MONTH})(?=\s(?:of\s)?\d{{4}}(?!\d))", _say_month),
    (rf"({_SHORT_MONTH})\.(?!\w)", _say_month),
    (rf"({_SHORT_MONTH})(?=\s?[-–/]\s?(?:{_SHORT_MONTH})\b)", _say_month),
)
DATE_RULES: _Rules = (
    (
        r"(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?(?![\d:])",
        _say_instant,
    ),
    (
        r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?![\d/]|[-.]\d)",
        lambda match: _say_numeric(match[1], match[3], match[4]),
    ),
    (r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?![\d/]|[-.]\d)", _say_slashed),
    (r"(1\d{3}|20\d\d)-(0[1-9]|1[0-2])(?![\d-])", _say_year_month),
    (rf"{_DAY}{_TO}(?:the\s)?{_DAY}\s(?:of\s)?({MONTH}){_YEAR}", _say_days_month),
    (rf"(\d{{1,2}})(?:({_ORD}))?\s(of\s)?({MONTH}){_YEAR}", _say_day_month),
    (rf"(\d{{1,2}})()()[-/ ]({MONTH})[-/ ](\d{{4}}|'?\d\d)(?!\d)", _say_day_month),
    (rf"{_CLOCK}\s?[-–—]\s?{_CLOCK}(?![\d:/]|\.\d)", _say_time_range),
    (rf"(\d{{1,2}}):(\d{{2}})(?::(\d{{2}}))?(?![\d:])(?:\s?{HALF})?", _say_time),
    (rf"(\d{{1,2}})\.(\d{{2}})\s?{HALF}", _say_dotted_time),
    (rf"(\d{{1,2}})\s?{HALF}", _say_hour),
    (r"([012]\d)(\d\d)(?=\s(?:hours|hrs|h)\b)\s\w+", _say_military),
    (r"([012]?\d)h([0-5]\d)(?!\w)", lambda match: time(int(match[1]), int(match[2])) if int(match[1]) < 25 else None),
)
