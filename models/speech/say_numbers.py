"""Numbers in English words, American style, and the patterns of numbers as they are written."""

from __future__ import annotations

import re

from num2words import num2words

NUM = r"(?:\d{1,3}(?:,\d{3}){1,6}(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?!\d)"
INT = r"(?:\d{1,3}(?:,\d{3}){1,6}|\d+)"

MAX_CARDINAL_DIGITS = 15
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SCALES = {
    **{"k": "thousand", "thousand": "thousand", "m": "million", "mn": "million", "mm": "million", "mio": "million"},
    **{"million": "million", "b": "billion", "bn": "billion", "billion": "billion", "t": "trillion", "tn": "trillion"},
    **{"trillion": "trillion", "hundred": "hundred", "lakh": "lakh", "crore": "crore"},
}
FRACTIONS = {2: ("half", "halves"), 4: ("quarter", "quarters")}
ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_ROMAN_NUMERAL = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")


def cardinal(number: int) -> str:
    """Say a number as "two hundred fifty-one"."""
    return str(num2words(number)).replace(",", "").replace(" and ", " ")


def ordinal(number: int) -> str:
    """Say a number as "twenty-first"."""
    return str(num2words(number, to="ordinal")).replace(",", "").replace(" and ", " ")


def year(number: int) -> str:
    """Say a year: "nineteen ninety-nine", "two thousand five", "twenty twenty-four"."""
    words = str(num2words(number, to="year")) if 1000 <= number <= 2999 else cardinal(number)
    return words.replace(" and ", " ").replace("oh-", "oh ")


def digits(text: str) -> str:
    """Say the digits of a text one by one."""
    return " ".join(DIGITS[int(char)] for char in text if char in "0123456789")


def whole(text: str) -> str:
    """Say a whole number as written: "1,200", "007", forty digits."""
    bare = text.replace(",", "")
    if len(bare) > MAX_CARDINAL_DIGITS or (len(bare) > 1 and bare[0] == "0"):
        return digits(bare)
    return cardinal(int(bare))


def looks_like_year(text: str) -> bool:
    """Whether a number as written, with no sign of its kind, is read in two halves."""
    return len(text) == 4 and text.isdigit() and (1001 <= int(text) <= 1999 or 2010 <= int(text) <= 2099)


def plain_number(text: str) -> str:
    """Say a number as written with no sign of its kind: four digits alone read as a year, else as `decimal`."""
    is_hundreds = text[2:] in {"00", "01", "02", "03", "04", "05", "06", "07", "08", "09"} and text < "1100"
    return year(int(text)) if looks_like_year(text) and not is_hundreds else decimal(text)


def decimal(text: str) -> str:
    """Say "1,234.05" as "one thousand two hundred thirty-four point zero five"."""
    before, _, after = text.partition(".")
    words = whole(before) if before else "zero"
    return f"{words} point {digits(after)}" if after else words


def is_one(text: str) -> bool:
    """Whether a number as written takes the singular."""
    return text in {"1", "-1", "+1"}


def fraction(numerator: int, denominator: int) -> str:
    """Say a fraction: "three quarters", "one twenty-fifth"; "five over one" where no such word is said."""
    if not 0 < numerator < denominator or denominator > 1000:
        return f"{cardinal(numerator)} over {cardinal(denominator)}"
    many = numerator > 1
    if denominator in FRACTIONS:
        return f"{cardinal(numerator)} {FRACTIONS[denominator][many]}"
    return f"{cardinal(numerator)} {ordinal(denominator)}{'s' if many else ''}"


def power(exponent: str) -> str:
    """Say a power: "squared", "to the minus three", "to the en"."""
    sign = "minus " if exponent.startswith("-") else ""
    bare = exponent.lstrip("+-")
    if not bare.isdigit():
        return f"to the {sign}{bare}"
    return {"2": "squared", "3": "cubed"}.get(exponent, f"to the {sign}{whole(bare)}")


def roman(word: str) -> int:
    """Read a roman numeral, from one to 3,999; else 0."""
    if not word or not _ROMAN_NUMERAL.fullmatch(word):
        return 0
    values = [ROMAN[char] for char in word]
    return sum(-v if v < following else v for v, following in zip(values, [*values[1:], 0], strict=True))


def phone(text: str) -> str:
    """Say a phone number digit by digit, with a breath between its groups."""
    groups = [digits(group) for group in re.findall(r"\d+", text)]
    return ("plus " if text.lstrip().startswith("+") else "") + ", ".join(groups)
