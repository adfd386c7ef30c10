"""Rules for what is not said as it is written: a pattern beside how its match is said.

The first rule of a table that matches where the reader stands is taken, unless it says None.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from models.speech import say_numbers as numbers
from models.speech.say_words import (
    ABBREVIATIONS,
    DOTTED,
    MONTH_ABBREVIATIONS,
    NUMBERED,
    SLASHED,
    TITLES,
    TOP_DOMAINS,
    WHOLE_WORDS,
    say_address,
    spell,
)
from models.speech.units_of_measure import UNIT_NAMES, say_unit

Say = Callable[[re.Match[str]], str | None]  # how a match is said; None where it is something else after all
Rule = tuple[re.Pattern[str], Say]

LATIN = r"A-Za-zÀ-ÖØ-öø-ɏḀ-ỿə"  # letters, for use in a character class
LONGEST_ADDRESS = 80

_NUM = r"(?:\d{1,3}(?:,\d{3}){1,6}(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?!\d)"
_INT = r"(?:\d{1,3}(?:,\d{3}){1,6}|\d+)"
_MONTH = "(" + "|".join([*numbers.MONTHS, *(m.capitalize() for m in MONTH_ABBREVIATIONS)]) + r")\b\.?"
_SCALE = r"(?:\s?(thousand|million|billion|trillion|bn|mn|tn|[kKmMbBtT])\b)?"
_HALF = r"([ap]\.m\.|[ap]\.?m)(?![a-z])"
_STREET_BEFORE = re.compile(r"(?:\b(?:on|along|down|of|at|and|near)\s|\d\s(?:[A-Z]\.?\s)?)(?:[A-Z][a-z]+\s){1,2}$")


def _say_email(match: re.Match[str]) -> str | None:
    return say_address(match[0]) if len(match[0]) <= LONGEST_ADDRESS else None


def _say_date(month: str, day: str, year: str | None) -> str | None:
    if not (month.isdigit() and day.isdigit()) or not numbers.is_date(int(month), int(day)):
        return None
    return numbers.date(int(month), int(day), year or "")


def _say_named_date(month: str, day: str, year: str | None) -> str | None:
    small = month.rstrip(".").lower()
    names = [name.lower() for name in numbers.MONTHS]
    index = names.index(small) + 1 if small in names else MONTH_ABBREVIATIONS[small]
    return _say_date(str(index), day, year)


def _say_slash_date(match: re.Match[str]) -> str | None:
    return _say_date(match[1], match[2], match[3]) or _say_date(match[2], match[1], match[3])


def _say_time(match: re.Match[str]) -> str | None:
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if hour > 24 or minute > 59 or second > 59:
        return None
    return numbers.time(hour, minute, second, match[4] or "")


def _say_range(match: re.Match[str]) -> str | None:
    first, last, rest = match[1], match[2], match[3]
    said = f"{numbers.plain_number(first)} to {numbers.plain_number(last)}"
    if not rest:
        return said
    return f"{said} {say_unit(rest.strip(), many=True)}"


def _say_measure(match: re.Match[str]) -> str | None:
    sign, number, unit = match[1], match[2], match[3]
    minus = "minus " if sign == "-" else "plus " if sign == "+" else ""
    return f"{minus}{numbers.decimal(number)} {say_unit(unit, many=not numbers.is_one(number))}"


def _say_scaled(match: re.Match[str]) -> str:
    return f"{numbers.decimal(match[1])} {numbers.SCALES[match[2].lower()]}"


def _say_mixed_fraction(match: re.Match[str]) -> str | None:
    top, bottom = int(match[2]), int(match[3])
    return f"{numbers.whole(match[1])} and {numbers.fraction(top, bottom)}".replace("and one half", "and a half")


def _say_fraction(match: re.Match[str]) -> str | None:
    if match[0] in SLASHED:
        return SLASHED[match[0]]
    if match[0] == "9/11":
        return "nine eleven"
    return numbers.fraction(int(match[1]), int(match[2]))


def _say_signed_number(match: re.Match[str]) -> str:
    before = match.string[match.start() - 1 : match.start()]
    signs = {"-": "minus ", "+": "plus ", "#": "number ", "~": "about "}
    sign = signs.get(match[1], "") if match[1] != "-" or not before.isalnum() else ""
    return sign + numbers.plain_number(match[2])


def _say_exponent(match: re.Match[str]) -> str:
    minus = "minus " if match[2].startswith("-") else ""
    return f"{numbers.decimal(match[1])} times ten to the {minus}{numbers.whole(match[2].lstrip('+-'))}"


def _say_version(match: re.Match[str]) -> str:
    parts = [numbers.whole(part) for part in match[0].split(".")]
    return (" point " if len(parts) == 3 else " dot ").join(parts)


def _say_power(match: re.Match[str]) -> str:
    return {"2": "squared", "3": "cubed"}.get(match[1], f"to the {numbers.whole(match[1])}")


def _say_web(match: re.Match[str]) -> str | None:
    address = re.sub(r"^(?:\w+://)?(?:www\.)?", "", match[0], flags=re.I)
    address = re.split(r"[?#]", address)[0].rstrip("/")
    if len(address) > LONGEST_ADDRESS:
        address = address.split("/")[0][:LONGEST_ADDRESS]
    return say_address(address) or None


def _say_path(match: re.Match[str]) -> str | None:
    before = match.string[match.start() - 1 : match.start()]
    return say_address(match[0]) if not before.isalnum() and len(match[0]) <= LONGEST_ADDRESS else None


def _say_title(match: re.Match[str]) -> str | None:
    is_street = match[1] == "St" and _STREET_BEFORE.search(match.string[max(0, match.start() - 60) : match.start()])
    return ABBREVIATIONS["st"] if is_street else TITLES[match[1].lower()]


def _say_abbreviation(match: re.Match[str]) -> str | None:
    small = match[1].lower()
    return ABBREVIATIONS.get(small) if small != "al" else None


def _say_initial(match: re.Match[str]) -> str | None:
    return None if match[1] == "I" else spell(match[1])


def _say_dotted(match: re.Match[str]) -> str:
    return DOTTED.get(match[0].lower().rstrip("."), spell(match[0]))


def _say_sign(match: re.Match[str]) -> str:
    return _SIGNS[match[0].strip()]


def _month_name(month: str) -> str:
    small = month.lower()
    return numbers.MONTHS[MONTH_ABBREVIATIONS[small] - 1] if small in MONTH_ABBREVIATIONS else month


def _say_money(minus: str, sign: str, amount: str, scale: str | None) -> str:
    return {"-": "minus ", "+": "plus ", "": ""}[minus] + numbers.money(sign, amount, scale or "")


def _say_decade(digits: str) -> str:
    words = numbers.year(int(digits)) if len(digits) == 4 else numbers.cardinal(int(digits))
    return words[:-1] + "ies" if words.endswith("y") else words + ("es" if words.endswith("x") else "s")


def _say_file(match: re.Match[str]) -> str | None:
    before, _, after = match[0].rpartition(".")
    is_missing_blank = after[:1].isupper() and after[1:].islower() and before[-1:].islower()
    return None if is_missing_blank or match[0].lower().rstrip(".") in DOTTED else say_address(match[0])


def _compiled(*rules: tuple[str, Say]) -> list[tuple[re.Pattern[str], Say]]:
    return [(re.compile(pattern), say) for pattern, say in rules]


_SIGNS = {
    **{"&": "and", "&&": "and", "%": "percent", "+": "plus", "=": "equals", "@": "at", "#": "hashtag", "$": "dollar"},
    **{"£": "pounds", "€": "euros", "¥": "yen", "₹": "rupees", "¢": "cents", "°": "degrees", "<": "less than"},
    **{">": "greater than", "*": "times", "/": "slash", "==": "equals", "!=": "is not equal to", "<=": "at most"},
    **{">=": "at least", "->": "to", "=>": "to", "-": "minus"},
}
_WEB = (r"(?:https?://|ftp://|[wW]{3}\.)[^\s<>\"]{1,2000}(?<![.,;:!?)\]}'*_])", _say_web)
_EMAIL = (
    r"[\w.+-]{1,64}(?<=\w)@[A-Za-z\d-]{1,63}(?:\.[A-Za-z\d-]{1,63}){1,6}(?<!-)",
    _say_email,
)
_DOMAIN = (
    rf"(?:[A-Za-z\d][A-Za-z\d-]{{0,62}}\.){{1,6}}(?:{TOP_DOMAINS})(?![\w@-])(?:/[^\s<>\"]{{0,2000}}(?<![.,;:!?)\]}}'*_]))?",
    _say_web,
)
_FILE = (r"[A-Za-z][\w-]{0,60}(?:\.[A-Za-z\d_]{1,8}){1,3}(?<!\.[A-Z])(?![\w'])", _say_file)
_ALPHA_BREAK = rf"(?![{LATIN}\d'])"


LETTER_RULES = _compiled(
    _WEB,
    _EMAIL,
    (r"(?:[A-Za-z]\.){2,8}[A-Za-z]?(?![\w])|[Pp]h\.?D\.", _say_dotted),
    _DOMAIN,
    _FILE,
    (
        rf"(?i:{'|'.join(re.escape(word) for word in WHOLE_WORDS if not word.isalpha())})(?![\w+#])",
        lambda match: WHOLE_WORDS[match[0].lower()],
    ),
    (r"(?i:w/o|w/|and/or|n/a|c/o)(?![\w])", lambda match: SLASHED[match[0].lower()]),
    (r"w/(?=\w)", lambda match: "with"),
    (
        rf"{_MONTH}\s(\d{{1,2}})(?:st|nd|rd|th)?(?![\d:.,]\d|\d)(?:,?\s(\d{{4}})(?!\d))?(?!\s?[ap]\.?m\b)",
        lambda match: _say_named_date(match[1], match[2], match[3]),
    ),
    (rf"{_MONTH}(?=\s\d{{4}}(?!\d))", lambda match: _month_name(match[1])),
    (r"(Mr|Mrs|Ms|Messrs|Drs|Dr|Prof|St|Gen|Sen|Rep|Gov|Capt|Lt|Col|Sgt|Rev|Hon|Mt|Ft|Pres)\.(?=\s?[A-Z])", _say_title),
    (r"(Mr|Mrs|Ms|Dr)(?=\s[A-Z])", _say_title),
    (r"([Nn]os?|[Vv]ol|[Cc]h|pp?|pg|[Ff]ig|[Ss]ec|[Ee]q|[Aa]rt)\.(?=\s?\d)", lambda match: NUMBERED[match[1].lower()]),
    (r"([A-Za-z]{2,7})\.(?!\w)", _say_abbreviation),
    (r"([A-Z])\.(?=\s[A-Z][a-z]|\s[A-Z]\.)", _say_initial),
)
OTHER_RULES = _compiled(
    (r"~?(?:/[A-Za-z\d_.-]{1,60}){2,10}(?<!\.)", _say_path),
    (rf"(?<=\d)/({UNIT_NAMES})(?![\w/])", lambda match: f"per {say_unit(match[1], many=False)}"),
    _EMAIL,
    _DOMAIN,
    (r"(?:\+?1[ .-]?)?(?:\(\d{3}\)\s?|\d{3}[-. ])\d{3}[-. ]\d{4}(?![\d-])", lambda match: numbers.phone(match[0])),
    (r"\+\d(?:[ ().-]{0,2}\d){7,16}(?!\d)", lambda match: numbers.phone(match[0])),
    (r"\d{3}-\d{4}(?![\d-])", lambda match: numbers.phone(match[0])),
    (r"(\d{4})-(\d{2})-(\d{2})(?![\d-])", lambda match: _say_date(match[2], match[3], match[1])),
    (r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?![\d/])", _say_slash_date),
    (r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\d|\.\d)", lambda match: _say_date(match[2], match[1], match[3])),
    (
        rf"(\d{{1,2}})(?:st|nd|rd|th)?\s(?:of\s)?{_MONTH}(?:,?\s(\d{{4}})(?!\d))?",
        lambda match: _say_named_date(match[2], match[1], match[3]),
    ),
    (rf"(\d{{1,2}}):(\d{{2}})(?::(\d{{2}}))?(?![\d:])(?:\s?{_HALF})?", _say_time),
    (rf"(\d{{1,2}})\s?{_HALF}", lambda match: numbers.time(int(match[1]), None, None, match[2])),
    (
        rf"([-+]?)(?:US|CA|AU)?([$£€¥₹])\s?({_NUM}){_SCALE}",
        lambda match: _say_money(match[1], match[2], match[3], match[4]),
    ),
    (rf"(-?)({_NUM})\s?([£€¥₹])", lambda match: _say_money(match[1], match[3], match[2], None)),
    (rf"({_INT})\s?¢", lambda match: f"{numbers.whole(match[1])} {'cent' if match[1] == '1' else 'cents'}"),
    (r"\d{1,9}(?:\.\d{1,9}){2,7}", _say_version),
    (rf"({_NUM})\s?[-–—]\s?({_NUM})(\s?(?:{UNIT_NAMES})(?![\w/]))?(?![\w-])", _say_range),
    (r"'?(\d{4}|\d0)'?s\b", lambda match: _say_decade(match[1])),
    (r"'(\d\d)(?!\w)", lambda match: numbers.whole(match[1])),
    (r"(\d+)\s(\d{1,4})/(\d{1,4})(?![\d/])", _say_mixed_fraction),
    (r"(\d{1,4})/(\d{1,4})(?![\d/])", _say_fraction),
    (r"(\d{1,12}(?:,\d{3})*)(?:st|nd|rd|th)\b", lambda match: numbers.ordinal(int(match[1].replace(",", "")))),
    (
        r"(\d{1,2})'\s?(\d{1,2})(?:\"|'')",
        lambda match: f"{numbers.whole(match[1])} feet {numbers.whole(match[2])} inches",
    ),
    (rf"({_NUM})\s?[xX]\s?({_NUM})(?!\w)", lambda match: f"{numbers.decimal(match[1])} by {numbers.decimal(match[2])}"),
    (rf"([-+~]?)({_NUM})\s?({UNIT_NAMES})(?![\w/])", _say_measure),
    (rf"({_NUM})(k|M|bn|B)\b", _say_scaled),
    (rf"({_NUM})[eE]([-+]?\d{{1,4}})\b", _say_exponent),
    (rf"([-+#~]?)({_NUM}){_ALPHA_BREAK}", _say_signed_number),
    (r"[-+#~]?(\d+)(?=\.(?:\D|$))", lambda match: numbers.plain_number(match[1])),
    (r"\^(\d{1,6})(?!\d)", _say_power),
    (r"'(?i:tis|twas|em|cause|til|bout|round|n)\b", lambda match: match[0].lstrip("'")),
    _WEB,
    (r"#(?=[A-Za-z])|@(?=\s?\w)|&&?(?![&\w])|&(?=\w)|[%£€¥₹¢°](?!\w)|\$(?=[\w\s]|$)", _say_sign),
    (
        r"(?:==|!=|<=|>=|->|=>)(?![=>])|[=+<>](?=\s?[\w(-])(?![=+<>])|(?<=[\d\s])[*/](?=\s?\d)|(?<=\d\s)-(?=\s\d)",
        _say_sign,
    ),
)
