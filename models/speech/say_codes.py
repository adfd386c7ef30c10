"""Numbers and letters that name, time or count rather than measure: rooms, races, phones, degrees, grades."""

from __future__ import annotations

import re
from collections.abc import Callable

from models.speech import say_numbers as numbers
from models.speech.abbreviations import spell
from models.speech.say_context import look_ahead, look_back

_DIGITS_AFTER = re.compile(
    r"\b(?:ISBN(?:-1[03])?|SSN|IBAN|PIN|[Tt]el(?:ephone)?|[Pp]hone|[Ff]ax|[Mm]obile|[Cc]ell|[Cc]all|[Dd]ial|[Tt]ext"
    r"|[Pp]asscode|[Pp]ostcode|[Zz]ip(?:\scode)?)\.?(?:\s(?:me|us|him|her))?(?:\s(?:no\.?|number|is|at|on))*[:#]?\s?$"
)
_CALLED = re.compile(r"\b(?:call(?:s|ed|ing)?|dial(?:s|ed|ing)?|a|the|an)\s$", re.IGNORECASE)
_PLACES = re.compile(
    r"\b(?:[Rr]oom|[Rr]m\.?|[Ss]uite|[Ss]te\.?|[Aa]pt\.?|[Aa]partment|[Gg]ate|[Uu]nit|[Ff]lat|[Bb]lock|[Ss]eat|[Rr]ow"
    r"|[Bb]uilding|[Pp]latform|[Ll]evel|[Ff]loor|[Hh]all|[Ll]ot|[Bb]us|[Cc]oach|[Ww]ard|[Ss]tall|[Aa]isle|[Ss]ection"
    r"|[Ff]ig(?:ure|\.)|[Cc]lass|[Gg]rade|[Hh]ouse|[Nn]o\.?|[Nn]umber)\s#?$"
)
_RUNS = re.compile(r"\b(?:ran|run|runs|running|jogged|finished|raced|walked)\s(?:a|an|the|my|his|her|our|their)\s$")
_RATIO = re.compile(r"\b(?:ratio|proportions?|odds|score|aspect)\b")
_DETERMINED = re.compile(r"\b(?:the|on|next|last|this|every|each|a|by|until|till|since|come|for)\s$", re.IGNORECASE)
_GRADED = re.compile(
    r"\b(?:got|gets|received|earned|gave|grade|graded|of|was|is|and|or|to|from|[Gg]rade)\s(?:an?\s|the\s)?$"
)
_DEGREES = {
    **{"sc": "ess see", "ed": "ed", "eng": "eng", "phil": "fill", "litt": "lit", "com": "com", "tech": "tech"},
    **{"arch": "arch", "mus": "muse", "pharm": "farm", "div": "div", "psych": "sike"},
}
_WEEKDAYS = {
    **{"mon": "Monday", "tue": "Tuesday", "tues": "Tuesday", "wed": "Wednesday", "thu": "Thursday"},
    **{"thur": "Thursday", "thurs": "Thursday", "fri": "Friday", "sat": "Saturday", "sun": "Sunday"},
}


def _count(number: str, unit: str) -> str:
    return f"{numbers.whole(str(int(number)))} {unit}{'' if int(number) == 1 else 's'}"


def _say_duration(match: re.Match[str]) -> str:
    """Say "2h 5m 30s", "5m 30s", "2h 5m"."""
    parts = zip(match.groups(), ("hour", "minute", "second"), strict=True)
    return " ".join(_count(number, unit) for number, unit in parts if number)


def _say_minutes_and_seconds(match: re.Match[str]) -> str | None:
    """Say "45:30" as a runner does; after "ratio" it is one."""
    minutes, seconds = match[1], match[2]
    if _RATIO.search(look_back(match)):
        return None
    if seconds == "00":
        return f"{numbers.whole(minutes)} minutes"
    return f"{numbers.whole(minutes)} {'oh ' if seconds[0] == '0' else ''}{numbers.whole(str(int(seconds)))}"


def _say_digits(match: re.Match[str]) -> str | None:
    return numbers.phone(match[0]) if _DIGITS_AFTER.search(look_back(match)) else None


def _say_place(match: re.Match[str]) -> str | None:
    if not _PLACES.search(look_back(match)):
        return None
    return f"{numbers.plain_number(match[1])} {spell(match[2])}"


def _say_race(match: re.Match[str]) -> str | None:
    is_race = re.match(r"\s(?:run|race|walk|runner)\b", look_ahead(match)) or _RUNS.search(look_back(match))
    return f"{numbers.whole(match[1])} kay" if is_race else None


def _say_share(match: re.Match[str]) -> str:
    return f"{numbers.whole(match[1])} {numbers.whole(match[2])}"


def _say_port(match: re.Match[str]) -> str:
    address = " dot ".join(numbers.whole(part) for part in match[1].split("."))
    return f"{address} port {numbers.plain_number(match[2])}"


def _say_of_ten(match: re.Match[str]) -> str:
    return f"{numbers.whole(match[1])} out of {numbers.whole(match[2])}"


def _say_feet_by_feet(match: re.Match[str]) -> str:
    sides = re.findall(r"\d{1,4}", match[0])
    return " by ".join(f"{numbers.whole(side)} {'foot' if side == '1' else 'feet'}" for side in sides)


def _say_war(match: re.Match[str]) -> str:
    return f"World War {'one' if match[1] in {'I', '1'} else 'two'}"


def _say_degree(match: re.Match[str]) -> str:
    return f"{spell(match[1])} {_DEGREES[match[2].lower()]}"


def _say_weekday(match: re.Match[str]) -> str | None:
    return _WEEKDAYS[match[1].lower()] if _DETERMINED.search(look_back(match)) else None


def _say_grade(match: re.Match[str]) -> str | None:
    return f"{spell(match[1])} minus" if _GRADED.search(look_back(match)) else None


def _say_signs_as_letters(match: re.Match[str]) -> str:
    return match[0].replace("$", "s").replace("!", "i")


_Rules = tuple[tuple[str, Callable[[re.Match[str]], "str | None"]], ...]
LETTER_CODE_RULES: _Rules = (
    (r"WW(II|I|2|1)(?![\w'])", _say_war),
    (rf"([BMD])\.(?i:({'|'.join(_DEGREES)}))\b\.?(?!\w)", _say_degree),
    (rf"({'|'.join(sorted((day.capitalize() for day in _WEEKDAYS), key=len, reverse=True))})\.(?!\w)", _say_weekday),
    (r"[Nn]o\.(?=\sof\b)", lambda match: "number"),
    (r"Xmas\b", lambda match: "Christmas"),
    (r"([A-F])-(?=\s(?:in|on|for|average|grade|student|minus|and|or|to)\b|[.,;!?)]|\s?$)", _say_grade),
    (r"[A-Za-z]{1,10}\$[A-Za-z]{1,10}(?![\w$])|[A-Z]![a-z]{2}(?!\w)", _say_signs_as_letters),
)
NUMBER_CODE_RULES: _Rules = (
    (r"(?:(\d{1,3})\s?h(?:rs?)?\s?)?(\d{1,3})\s?m(?:in)?\s?(\d{1,2})\s?s(?:ec)?(?!\w)", _say_duration),
    (r"(\d{1,3})\s?h(?:rs?)?\s?(\d{1,2})\s?m(?:in)?()(?!\w)", _say_duration),
    (r"(2[5-9]|[345]\d):([0-5]\d)(?![:\d])", _say_minutes_and_seconds),
    (r"\d(?:[ -]?\d){4,18}(?![\d.,]\d|\w|[-/]\d)", _say_digits),
    (
        r"(?:911|999|112)(?![\d.,:%])",
        lambda match: numbers.digits(match[0]) if _CALLED.search(look_back(match)) else None,
    ),
    (r"0\d{2,4}[ -]\d{3,4}[ -]\d{3,4}(?![\d-])", lambda match: numbers.phone(match[0])),
    (r"(\d{1,3}(?:\.\d{1,3}){3}):(\d{2,5})(?!\d)", _say_port),
    (r"(\d{1,4})([A-Z])(?!\w)", _say_place),
    (r"(\d{1,3})[kK](?!\w)", _say_race),
    (r"(\d{1,4})'(?:\s?[x×]\s?\d{1,4}'){1,2}(?!\w)", _say_feet_by_feet),
    (r"(\d{1,3})!(?=\s?[=+*/×]\s?\w|\s?\))", lambda match: f"{numbers.whole(match[1])} factorial"),
    (
        r"(\d{1,2})/(\d{1,2})(?=\s(?:rule|split|chance|mix|ratio|principle|custody|deal|joint|partnership|share)s?\b)",
        _say_share,
    ),
    (
        r"(\d)/(10|100)(?=\s(?!of\b)[a-z]{3,}s\b(?<!seconds)(?<!inches)(?<!miles)(?<!feet)(?<!meters))",
        _say_of_ten,
    ),
    (r"0,(\d{1,3})(?![\d,]|\.\d)", lambda match: f"zero point {numbers.digits(match[1])}"),
)
