"""Numbers, money, dates and times in English words, American style."""

from __future__ import annotations

import re

MAX_CARDINAL_DIGITS = 15
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SCALES = {
    **{"k": "thousand", "thousand": "thousand", "m": "million", "mn": "million", "million": "million"},
    **{"b": "billion", "bn": "billion", "billion": "billion", "t": "trillion", "tn": "trillion"},
    "trillion": "trillion",
}
CURRENCIES = {  # sign: (one, many, one hundredth, hundredths)
    "$": ("dollar", "dollars", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "€": ("euro", "euros", "cent", "cents"),
    "¥": ("yen", "yen", "", ""),
    "₹": ("rupee", "rupees", "paisa", "paise"),
}
FRACTIONS = {2: ("half", "halves"), 4: ("quarter", "quarters")}


def cardinal(number: int) -> str:
    """ "two hundred fifty-one" """
    from num2words import num2words

    return str(num2words(number)).replace(",", "").replace(" and ", " ")


def ordinal(number: int) -> str:
    """ "twenty-first" """
    from num2words import num2words

    return str(num2words(number, to="ordinal")).replace(",", "").replace(" and ", " ")


def year(number: int) -> str:
    """ "nineteen ninety-nine", "two thousand five", "twenty twenty-four" """
    from num2words import num2words

    words = str(num2words(number, to="year")) if 1000 <= number <= 2999 else cardinal(number)
    return words.replace(" and ", " ").replace("oh-", "oh ")


def digits(text: str) -> str:
    """The digits of a text one by one."""
    return " ".join(DIGITS[int(char)] for char in text if char in "0123456789")


def whole(text: str) -> str:
    """A whole number as written ("1,200", "007", forty digits) in words."""
    bare = text.replace(",", "")
    if len(bare) > MAX_CARDINAL_DIGITS or (len(bare) > 1 and bare[0] == "0"):
        return digits(bare)
    return cardinal(int(bare))


def plain_number(text: str) -> str:
    """A number as written with no sign of its kind: four digits alone read as a year, else as `decimal`."""
    looks_like_year = len(text) == 4 and text.isdigit() and (1100 <= int(text) <= 1999 or 2010 <= int(text) <= 2099)
    return year(int(text)) if looks_like_year else decimal(text)


def decimal(text: str) -> str:
    """ "1,234.05" as "one thousand two hundred thirty-four point zero five"."""
    before, _, after = text.partition(".")
    words = whole(before) if before else "zero"
    return f"{words} point {digits(after)}" if after else words


def is_one(text: str) -> bool:
    """Whether a number as written takes the singular."""
    return text in {"1", "-1", "+1"}


def fraction(numerator: int, denominator: int) -> str:
    """ "three quarters", "one twenty-fifth"; "five over one" where no such word is said."""
    if not 0 < numerator < denominator or denominator > 1000:
        return f"{cardinal(numerator)} over {cardinal(denominator)}"
    many = numerator > 1
    if denominator in FRACTIONS:
        return f"{cardinal(numerator)} {FRACTIONS[denominator][many]}"
    return f"{cardinal(numerator)} {ordinal(denominator)}{'s' if many else ''}"


def money(sign: str, amount: str, scale: str = "") -> str:
    """ "$12.50" as "twelve dollars and fifty cents", "$3.5 million" as "three point five million dollars"."""
    one, many, one_cent, cents = CURRENCIES[sign]
    if scale:
        return f"{decimal(amount)} {SCALES[scale.lower()]} {many}"
    units, _, parts = amount.replace(",", "").partition(".")
    if not cents or len(parts) not in {0, 2}:
        return f"{decimal(amount)} {many}"
    in_units = f"{whole(units)} {one if is_one(units) else many}"
    if not parts or parts == "00":
        return in_units
    in_cents = f"{cardinal(int(parts))} {one_cent if parts == '01' else cents}"
    return in_cents if not units.strip("0") else f"{in_units} and {in_cents}"


def date(month: int, day: int, in_year: str = "") -> str:
    """ "January fifteenth, twenty twenty-four" """
    words = f"{MONTHS[month - 1]} {ordinal(day)}"
    return f"{words}, {year(_full_year(in_year))}" if in_year else words


def is_date(month: int, day: int) -> bool:
    """Whether there is such a day."""
    return 1 <= month <= 12 and 1 <= day <= (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]


def time(hour: int, minute: int | None, second: int | None = None, half: str = "") -> str:
    """ "ten oh five p m"; an hour alone is "o'clock" unless a half of the day follows."""
    words = cardinal(hour)
    if minute:
        words += f" {'oh ' if minute < 10 else ''}{cardinal(minute)}"
    elif not half and minute is not None:
        words += " o'clock" if 1 <= hour <= 12 else " hundred hours"
    if second:
        words += f" and {cardinal(second)} second{'s' if second != 1 else ''}"
    return words + {"a": " ey em", "p": " pee em", "": ""}[half[:1].lower()]


def phone(text: str) -> str:
    """A phone number digit by digit, with a breath between its groups."""
    groups = [digits(group) for group in re.findall(r"\d+", text)]
    return ("plus " if text.lstrip().startswith("+") else "") + ", ".join(groups)


def _full_year(text: str) -> int:
    """A year of four digits from two: the years up to 49 are of this century."""
    number = int(text)
    return number if len(text) > 2 else number + (2000 if number < 50 else 1900)
