"""Rules for what is not said as it is written: a pattern beside how its match is said.

The first rule of a table that matches where the reader stands is taken, unless it says None. No public grammar reads
the same phrases better: of 132 (docs of the tests), wetext 0.1.8 reads 32, NeMo's 1.2.0 41, and neither tells which
words of the text its own words come from.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from models.speech import say_numbers as numbers
from models.speech.abbreviations import ABBREVIATION_RULES, DOTTED, spell
from models.speech.say_codes import LETTER_CODE_RULES, NUMBER_CODE_RULES
from models.speech.say_context import look_ahead, look_back, say_sign
from models.speech.say_dates import DATE_RULES, LETTER_DATE_RULES
from models.speech.say_money import LETTER_MONEY_RULES, MONEY_RULES, SIGNS_AFTER
from models.speech.say_numbers import NUM
from models.speech.say_words import TOP_DOMAINS, WHOLE_WORDS, say_address
from models.speech.units_of_measure import MEASURE_RULES

Say = Callable[[re.Match[str]], str | None]  # how a match is said; None where it is something else after all
Rule = tuple[re.Pattern[str], Say]

LATIN = r"A-Za-zÀ-ÖØ-öø-ɏḀ-ỿə"  # letters, for use in a character class
LONGEST_ADDRESS = 80
SLASHED = {
    **{"w/o": "without", "w/": "with", "and/or": "and or", "n/a": "en ey", "c/o": "care of"},
    **{
        "24/7": "twenty-four seven",
        "9/11": "nine eleven",
        "50/50": "fifty-fifty",
        "b/c": "because",
        "w/e": "whatever",
        "s/he": "she or he",
    },
}
_SIGNS = {
    **{"&": "and", "&&": "and", "%": "percent", "+": "plus", "=": "equals", "@": "at", "#": "hashtag", "$": "dollar"},
    **{"£": "pounds", "€": "euros", "¥": "yen", "₹": "rupees", "¢": "cents", "°": "degrees", "<": "less than"},
    **{">": "greater than", "*": "times", "/": "divided by", "==": "equals", "!=": "is not equal to", "<=": "at most"},
    **{">=": "at least", "->": "to", "=>": "to", "-": "minus", "×": "times", "Ω": "ohms", "μ": "micro", "₿": "bitcoin"},
}
_SCORES = re.compile(
    r"\b(?:won|win|wins|beat|lost|lose|loses|score[ds]?|led|lead|leads|drew|defeat|victory|tied)\b", re.I
)
_ASKS_SUM = re.compile(r"\b(?:what(?:'s|\sis)|calculate|compute|solve|equals|minus|subtract)\s[^.?!]{0,20}$", re.I)


def _say_email(match: re.Match[str]) -> str | None:
    return say_address(match[0]) if len(match[0]) <= LONGEST_ADDRESS else None


def _say_range(match: re.Match[str]) -> str | None:
    """Say "10-20" with "to", but for a sum."""
    first, joint, last = match[1], match[2], match[3]
    if _is_sum(match, first, joint, last):
        return f"{numbers.decimal(first)} minus {numbers.decimal(last)}"
    if len(first) == 4 and len(last) == 2 and numbers.looks_like_year(first) and first[2:] < last:
        return f"{numbers.year(int(first))} to {numbers.cardinal(int(last))}"
    return f"{numbers.plain_number(first)} to {numbers.plain_number(last)}"


def _is_sum(match: re.Match[str], first: str, joint: str, last: str) -> bool:
    """Whether a hyphen or a dash between two numbers takes one from the other."""
    if re.match(r"\s?(?:=|[+*/^×÷]\s?\d)", look_ahead(match)) or re.search(r"[=+*/^×]\s?$", look_back(match)):
        return True
    if "-" not in joint or joint.strip() == joint or "," in first + last:
        return False
    falls = float(first) > float(last) and not _SCORES.search(look_back(match))
    return falls or bool(_ASKS_SUM.search(look_back(match)))


def _say_scaled(match: re.Match[str]) -> str:
    return f"{numbers.decimal(match[1])} {numbers.SCALES[match[2].lower()]}"


def _say_mixed_fraction(match: re.Match[str]) -> str | None:
    top, bottom = int(match[2]), int(match[3])
    return f"{numbers.whole(match[1])} and {numbers.fraction(top, bottom)}".replace("and one half", "and a half")


def _say_fraction(match: re.Match[str]) -> str | None:
    if match[0] in SLASHED:
        return SLASHED[match[0]]
    return numbers.fraction(int(match[1]), int(match[2]))


def _say_signed_number(match: re.Match[str]) -> str:
    return say_sign(match, match[1]) + numbers.plain_number(match[2])


def _say_exponent(match: re.Match[str]) -> str:
    return f"{numbers.decimal(match[1])} times ten {numbers.power(_bare(match[2]))}".replace(
        "ten squared", "ten to the two"
    )


def _say_power(match: re.Match[str]) -> str:
    return numbers.power(_bare(match[1]))


def _bare(exponent: str) -> str:
    """Return an exponent without brackets, plus and leading zeros."""
    sign = "-" if exponent.lstrip("({").startswith("-") else ""
    rest = exponent.strip("(){}+-")
    return sign + ((rest.lstrip("0") or "0") if rest.isdigit() else rest)


def _say_ten_to(match: re.Match[str]) -> str:
    return f"{numbers.decimal(match[1])} {numbers.power(_bare(match[2]))}"


def _say_version(match: re.Match[str]) -> str:
    parts = [numbers.whole(part) for part in match[0].split(".")]
    return (" point " if len(parts) == 3 else " dot ").join(parts)


def _say_times(match: re.Match[str]) -> str | None:
    """Say "3x faster", but not the x of a sum."""
    is_sum = re.match(r"\s?[-+*/=^]", look_ahead(match)) or re.search(r"[-+*/=]\s?$", look_back(match))
    return None if is_sum else f"{numbers.decimal(match[1])} times"


def _say_ratio(match: re.Match[str]) -> str:
    return " to ".join(numbers.whole(part) for part in match[0].split(":"))


def _say_web(match: re.Match[str]) -> str | None:
    address = re.sub(r"^(?:\w+://)?(?:www\.)?", "", match[0], flags=re.I)
    address = re.split(r"[?#]", address)[0].rstrip("/")
    if len(address) > LONGEST_ADDRESS:
        address = address.split("/")[0][:LONGEST_ADDRESS]
    return say_address(address) or None


def _say_path(match: re.Match[str]) -> str | None:
    is_path = not look_back(match)[-1:].isalnum() and len(match[0]) <= LONGEST_ADDRESS
    return say_address(match[0]) if is_path else None


def _say_dotted(match: re.Match[str]) -> str:
    return DOTTED.get(match[0].lower().rstrip("."), spell(match[0]))


def _say_sign(match: re.Match[str]) -> str:
    return _SIGNS[match[0].strip()]


def _say_decade(digits: str) -> str:
    words = numbers.year(int(digits)) if len(digits) == 4 else numbers.cardinal(int(digits))
    return words[:-1] + "ies" if words.endswith("y") else words + ("es" if words.endswith("x") else "s")


def _say_file(match: re.Match[str]) -> str | None:
    stem, _, ending = match[0].rpartition(".")
    is_missing_blank = ending[:1].isupper() and ending[1:].islower() and stem[-1:].islower()
    return None if is_missing_blank or match[0].lower().rstrip(".") in DOTTED else say_address(match[0])


def _say_per(match: re.Match[str]) -> str | None:
    """Say "miles/hour", only after a number and a word."""
    unit = {"min": "minute", "sec": "second", "hr": "hour", "wk": "week", "yr": "year"}.get(match[1], match[1])
    return f"per {unit}" if re.search(r"\d[\d.,]*\s?[a-z]+$", look_back(match)) else None


def compile_rules(*rules: tuple[str, Say]) -> list[Rule]:
    """Rules with their patterns compiled."""
    return [(re.compile(pattern), say) for pattern, say in rules]


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
_EXPONENT = r"(-?\d{1,6}(?!\d)|\([-+]?\w{1,6}\)|\{[-+]?\w{1,6}\}|-?[a-z]\b)"


LETTER_RULES = compile_rules(
    _WEB,
    _EMAIL,
    *LETTER_MONEY_RULES,
    *LETTER_CODE_RULES,
    (r"(?:[A-Za-z]\.){2,8}[A-Za-z]?(?![\w])|[Pp]h\.?D\.", _say_dotted),
    _DOMAIN,
    *LETTER_DATE_RULES,
    _FILE,
    (
        rf"(?i:{'|'.join(re.escape(word) for word in WHOLE_WORDS if not word.isalpha())})(?![\w+#])",
        lambda match: WHOLE_WORDS[match[0].lower()],
    ),
    (r"(?i:w/o|w/|and/or|n/a|c/o|b/c|w/e|s/he)(?![\w])", lambda match: SLASHED[match[0].lower()]),
    (r"w/(?=\w)", lambda match: "with"),
    (r"([Mm]id|[Ee]arly|[Ll]ate|[Pp]re|[Pp]ost)-(?=\d{2,4}'?s\b|\d{4}\b)", lambda match: match[1]),
    *ABBREVIATION_RULES,
)
OTHER_RULES = compile_rules(
    (r"~?(?:/[A-Za-z\d_.-]{1,60}){2,10}(?<!\.)", _say_path),
    _EMAIL,
    _DOMAIN,
    (r"(?:\+?1[ .-]?)?(?:\(\d{3}\)\s?|\d{3}[-. ])\d{3}[-. ]\d{4}(?![\d-])", lambda match: numbers.phone(match[0])),
    (r"\+\d(?:[ ().-]{0,2}\d){7,16}(?!\d)", lambda match: numbers.phone(match[0])),
    (r"\d{3}-\d{4}(?![\d-])", lambda match: numbers.phone(match[0])),
    *NUMBER_CODE_RULES,
    *DATE_RULES,
    *MONEY_RULES,
    (rf"({NUM})\s?[x×*]\s?10\^{_EXPONENT}", _say_exponent),
    (rf"({NUM})(?:\^|\*\*){_EXPONENT}", _say_ten_to),
    (r"'?(\d{4}|\d0)'?s\b", lambda match: _say_decade(match[1])),
    *MEASURE_RULES,
    (r"\d{1,9}(?:\.\d{1,9}){2,7}", _say_version),
    (rf"({NUM})(\s?[-–—]\s?)({NUM})(?![\w-])(?!\.\d)", _say_range),
    (r"'(\d\d)(?!\w)", lambda match: numbers.whole(match[1])),
    (r"(\d+)\s(\d{1,4})/(\d{1,4})(?![\d/])", _say_mixed_fraction),
    (r"(\d{1,4})/(\d{1,4})(?![\d/])", _say_fraction),
    (r"(\d{1,12}(?:,\d{3})*)(?:st|nd|rd|th)\b", lambda match: numbers.ordinal(int(match[1].replace(",", "")))),
    (rf"({NUM})[x×](?!\w)", _say_times),
    (rf"({NUM})(k|M|bn|B(?!\s[A-Z]))\b", _say_scaled),
    (rf"({NUM})[eE]([-+]?\d{{1,4}})\b", _say_exponent),
    (r"\d{1,3}(?::\d{1,3}){1,2}(?![:\d])", _say_ratio),
    (rf"([-−+#~]?)({NUM}){_ALPHA_BREAK}", _say_signed_number),
    (r"[-+#~]?(\d+)(?=\.(?:\D|$))", lambda match: numbers.plain_number(match[1])),
    (rf"\^{_EXPONENT}", _say_power),
    (r"\^(?=[({])", lambda match: "to the"),
    (r"'(?i:tis|twas|em|cause|til|bout|round|n)\b", lambda match: match[0].lstrip("'")),
    _WEB,
    (r"/(second|minute|hour|day|week|month|year|person|mile|min|sec|hr|wk|yr)\b(?!/)", _say_per),
    (rf"#(?=[A-Za-z])|@(?=\s?\w)|&&?(?![&\w])|&(?=\w)|[%¢°×Ωμ{SIGNS_AFTER[1:]}](?!\w)|\$(?=[\w\s]|$)|×", _say_sign),
    (
        r"(?:==|!=|<=|>=|->|=>)(?![=>])|[=+<>](?=\s?[\w(-])(?![=+<>])|(?<=[\d\s)])[*/](?=\s?\d)"
        r"|(?<=[\d)]\s)-(?=\s\d)|(?<=\b[a-z]\s)-(?=\s[a-z\d]\b)",
        _say_sign,
    ),
)
