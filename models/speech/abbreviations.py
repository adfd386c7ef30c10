"""Abbreviations: titles, streets, states and those of any text; how one is said depends on what stands around it."""

from __future__ import annotations

import re
from collections.abc import Callable

from models.speech import say_numbers as numbers
from models.speech.pronounce import LETTER_NAMES
from models.speech.say_context import find_next_word, look_ahead, look_back, starts_sentence

LETTERS = dict(zip("abcdefghijklmnopqrstuvwxyz", LETTER_NAMES, strict=True))
# Read with the dot that follows; before a name they need none.
TITLES = {
    **{"mr": "mister", "mrs": "missus", "ms": "miz", "dr": "doctor", "prof": "professor", "messrs": "messers"},
    **{"gen": "general", "sen": "senator", "rep": "representative", "gov": "governor", "capt": "captain"},
    **{"lt": "lieutenant", "col": "colonel", "sgt": "sergeant", "rev": "reverend", "hon": "honorable"},
    **{"pres": "president", "drs": "doctors", "cpl": "corporal", "maj": "major", "cmdr": "commander", "adm": "admiral"},
    **{"supt": "superintendent", "fr": "father", "sr": "sister", "mme": "madam", "mlle": "mademoiselle"},
    **{"pvt": "private", "insp": "inspector", "amb": "ambassador", "det": "detective", "secy": "secretary"},
    **{"sens": "senators", "reps": "representatives", "profs": "professors", "gens": "generals", "revs": "reverends"},
}
_PLACES = {"st": "saint", "mt": "mount", "ft": "fort", "mts": "mountains", "pt": "point", "ste": "saint"}
_STREETS = {
    **{"st": "street", "dr": "drive", "ave": "avenue", "av": "avenue", "blvd": "boulevard", "rd": "road", "ln": "lane"},
    **{"ct": "court", "pl": "place", "sq": "square", "hwy": "highway", "pkwy": "parkway", "ter": "terrace"},
    **{"cir": "circle", "fwy": "freeway", "expy": "expressway", "aly": "alley", "cres": "crescent", "tpke": "turnpike"},
}
_DIRECTIONS = {"N": "north", "S": "south", "E": "east", "W": "west"}
_ROUTES = {"Hwy": "highway", "Rt": "route", "Rte": "route", "Apt": "apartment", "Ste": "suite"}
_ONLY_STREETS = {"ave", "blvd", "rd", "ln", "hwy", "pkwy", "fwy", "expy", "tpke", "st", "dr", "ct"}  # without a dot
ABBREVIATIONS = {
    **{"etc": "et cetera", "vs": "versus", "approx": "approximately", "inc": "incorporated", "ltd": "limited"},
    **{"corp": "corporation", "co": "company", "jr": "junior", "sr": "senior", "dept": "department"},
    **{"est": "established", "assn": "association", "bros": "brothers", "esp": "especially", "incl": "including"},
    **{"misc": "miscellaneous", "intl": "international", "tel": "telephone", "viz": "namely", "cf": "compare"},
    **{
        "ca": "circa",
        "univ": "university",
        "min": "minimum",
        "max": "maximum",
        "avg": "average",
        "temp": "temperature",
    },
    **{"ext": "extension", "apt": "apartment", "govt": "government", "mgr": "manager", "asst": "assistant"},
    **{"orig": "originally", "resp": "respectively", "acct": "account", "admin": "administration", "hosp": "hospital"},
    **{"natl": "national", "mfg": "manufacturing", "dist": "district", "div": "division", "qty": "quantity"},
    **{"attn": "attention", "ref": "reference", "abbr": "abbreviation", "adj": "adjective", "dept's": "department's"},
    **{"tbsp": "tablespoon", "tsp": "teaspoon", "oz": "ounces", "lbs": "pounds", "hrs": "hours", "mins": "minutes"},
    **{"c": "circa", "al": "al", "ibid": "ibid", "op": "op", "def": "definition", "ed": "editor", "eds": "editors"},
    **{"trans": "translated", "vol": "volume", "vols": "volumes", "pg": "page", "fig": "figure", "figs": "figures"},
} | _STREETS
_WORDS_TOO = {"al", "min", "max", "temp", "op", "def", "trans", "ref", "adj", "resp", "div", "ed", "c", "fig", "co"}
_ONLY_BEFORE_SMALL = _WORDS_TOO - {"al", "co"}
"""Said in full only before a small letter, a number or a comma: elsewhere they end their sentence as words."""
NUMBERED = {
    **{"no": "number", "nos": "numbers", "vol": "volume", "ch": "chapter", "pp": "pages", "p": "page", "pg": "page"},
    **{"fig": "figure", "figs": "figures", "sec": "section", "eq": "equation", "ed": "edition", "art": "article"},
    **{"ver": "version", "ex": "exercise", "apt": "apartment", "rm": "room", "ste": "suite", "ext": "extension"},
    **{"c": "circa", "ca": "circa", "est": "established", "op": "opus", "para": "paragraph", "tel": "telephone"},
}
DOTTED = {
    **{"e.g": "for example", "i.e": "that is", "a.m": "ey em", "p.m": "pee em", "ph.d": "pee aitch dee"},
    **{"a.k.a": "also known as", "m.d": "em dee", "b.c": "bee see", "a.d": "ey dee", "p.s": "pee ess"},
}
MAY_END_SENTENCE = {"a.m", "p.m", "am", "pm", "etc", "b.c", "a.d"}
"""They end their sentence before any capital, where others do so only before a word that begins sentences."""
_AFTER_TIMES = re.compile(
    r"[A-Z]{2,5}T|UTC|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|Eastern|Pacific|Central|Mountain|Greenwich"
    r"|January|February|March|April|June|July|August|September|October|November|December"
)
_STATES = (
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA"
    " RI SC SD TN TX UT VT VA WA WV WI WY DC PR AB BC MB NB NL NS NT NU ON PE QC SK YT"
)
_DETERMINED = re.compile(r"\b(?:the|a|an|my|your|his|her|our|their|this|that)\s(?:[a-z]+\s)?$")
_ADDRESS = re.compile(r"\b\d+[A-Z]?\s(?:[NSEW]\.?\s)?(?:[A-Z][a-z]+\s|\d+(?:st|nd|rd|th)\s){1,3}$")
_NAMED_STREET = re.compile(
    r"(?:\b(?:on|along|down|up|of|at|and|near|to|from|off|in|between|corner|opposite|via|into|cross|across)\s(?:the\s)?"
    r"|\d\s(?:[A-Z]\.?\s)?)(?:[A-Z][a-z]+\s|\d+(?:st|nd|rd|th)\s){1,2}$|\d(?:st|nd|rd|th)\s$"
)
_CAPITALISED = re.compile(r"(?:\b[A-Z][a-z]+|\d(?:st|nd|rd|th))\s$")
_PLACE = re.compile(r"\b[A-Z][\w.'-]*[a-z.],\s$|\bD\.C\.,\s$")
_NUMERAL_HEADS = (
    "act appendix article book bowl chapter class division episode figure final fantasy grade group level mark no"
    " number olympiad page part phase psalm section scene session stage superbowl step table title tome type unit"
    " volume war wrestlemania rocky rambo vatican congress canto elementary mission apollo"
)
_HEADS = frozenset(_NUMERAL_HEADS.split())
KINGS = frozenset(
    [
        "henry",
        "louis",
        "elizabeth",
        "charles",
        "george",
        "edward",
        "james",
        "william",
        "richard",
        "pope",
        "philip",
        "nicholas",
        "catherine",
        "frederick",
        "alexander",
        "napoleon",
        "pius",
        "benedict",
        "ferdinand",
        "paul",
        "john",
        "leo",
        "ramesses",
        "ivan",
        "peter",
        "ramses",
        "rameses",
        "francis",
        "gregory",
        "clement",
        "innocent",
        "sixtus",
        "urban",
        "julius",
        "haakon",
        "harald",
        "olav",
        "gustav",
        "christian",
        "margrethe",
        "beatrix",
        "felipe",
        "juan",
        "alfonso",
        "pedro",
        "ptolemy",
        "darius",
        "xerxes",
        "cyrus",
        "otto",
        "conrad",
        "rudolf",
        "maximilian",
        "leopold",
        "albert",
        "victor",
        "emmanuel",
        "umberto",
        "carol",
        "boris",
        "mehmed",
        "murad",
        "suleiman",
        "selim",
        "abdullah",
        "hussein",
        "hassan",
        "mohammed",
        "boniface",
        "adrian",
        "celestine",
        "alexios",
        "constantine",
        "justinian",
        "theodosius",
        "basil",
        "michael",
        "sigismund",
        "stephen",
        "matthias",
        "ladislaus",
        "casimir",
        "vladislav",
        "rama",
        "chulalongkorn",
    ]
)
_RULERS = re.compile(r"\b(?:[Kk]ing|[Qq]ueen|[Pp]ope|[Ee]mperor|[Ee]mpress|[Tt]sar|[Kk]aiser|[Ss]ultan|[Pp]rince)\s$")
_ALONE_AFTER_KING = re.compile(r"\s?(?:[,.;:)!?]|'s|$|\s(?:of|was|died|reigned|became|ruled|had|is|and\s[a-z]|in)\b)")


def spell(word: str) -> str:
    """Name a word's letters."""
    return " ".join(LETTERS[char] for char in word.lower() if char in LETTERS)


def say_title(match: re.Match[str]) -> str | None:
    """Say a title with its dot, with a name after it or none."""
    small = match[1].lower()
    following = find_next_word(match.string, match.end())
    is_name = following[:1].isupper() and not starts_sentence(following)
    if small in _STREETS and not (is_name and not _ADDRESS.search(look_back(match))) and _is_street(match):
        return _STREETS[small]
    if small in _PLACES:
        return _PLACES[small] if is_name else None
    if small in {"sr", "fr"} and (not is_name or _CAPITALISED.search(look_back(match))):
        return None
    return TITLES.get(small)


def say_street(match: re.Match[str]) -> str | None:
    """Say "Fifth Ave", "42nd St", "Elm Dr."."""
    small = match[1].lower()
    has_dot = match[0].endswith(".")
    if not has_dot and small not in _ONLY_STREETS:
        return None
    is_closed = not has_dot and re.match(r"[,;]|\s*$|\n", look_ahead(match))
    if small in {"st", "dr", "ct"} and not is_closed and not _is_street(match):
        return None
    return _STREETS[small] if _CAPITALISED.search(look_back(match)) else None


def say_abbreviation(match: re.Match[str]) -> str | None:
    """Say an abbreviation with its dot; in capitals it is an initialism or a code instead."""
    written = match[1]
    small = written.lower()
    if written.isupper() and len(written) > 1 and small not in {"etc", "vs", "inc", "ltd", "corp", "jr", "sr", "bros"}:
        return None
    rest = match.string[match.end() : match.end() + 2]
    if small in _ONLY_BEFORE_SMALL and not re.match(r"\s[a-z\d]|[,;:]", rest):
        return None
    if small == "c":
        return None
    if small == "est" and not re.match(r"\s\d", rest):
        return None
    if small == "co" and written.islower() and not re.match(r"\s[a-z\d]|[,;:]", rest):
        return None
    return ABBREVIATIONS.get(small)


def say_state(match: re.Match[str]) -> str | None:
    """Say the code of a state after a place and a comma by its letters, with the digits of a postal code."""
    if not _PLACE.search(look_back(match)):
        return None
    code = f", {numbers.digits(match[2])}" if match[2] else ""
    return spell(match[1]) + code


def _say_roman(match: re.Match[str]) -> str | None:
    if numbers.roman(match[0]) and re.match(r"\s(?:[Cc]entury|[Cc]enturies|Olympiad)\b", look_ahead(match)):
        return numbers.ordinal(numbers.roman(match[0]))
    said = say_roman(match)
    return f"{said}'s" if said and match[0].endswith("s") else said


def say_roman(match: re.Match[str]) -> str | None:
    """Say a roman numeral after a ruler's name ("the eighth") or what is counted ("fifty-eight")."""
    words = look_back(match).split()
    last = words[-1] if words else ""
    number = numbers.roman(match[1])
    if not number or not last[:1].isupper() or (last.isupper() and len(last) > 1):
        return None
    rest = match[0][len(match[1]) :] + look_ahead(match)
    is_ruler = last.lower() in KINGS or bool(_RULERS.search(" ".join(words[:-1]) + " "))
    if len(match[1]) == 1:
        if last.lower() in _HEADS and (match[1] in "IVX" or last == "Bowl"):
            return numbers.cardinal(number)
        is_ruler = is_ruler and (match[1] != "I" or bool(_ALONE_AFTER_KING.match(rest)))
        return f"the {numbers.ordinal(number)}" if is_ruler and match[1] in "IVX" else None
    if is_ruler and number < 40:
        return f"the {numbers.ordinal(number)}"
    if set(match[1]) <= set("IVX") or last.lower() in _HEADS or len(match[1]) > 3:
        return numbers.plain_number(str(number))
    return None


def say_year_in_roman(match: re.Match[str]) -> str | None:
    """Say a year such as "MCMXCIX"."""
    number = numbers.roman(match[0])
    return numbers.year(number) if 1500 <= number <= 2100 else None


def _is_street(match: re.Match[str]) -> bool:
    line = look_back(match)
    return bool(_NAMED_STREET.search(line) or _ADDRESS.search(line))


def ends_sentence(match: re.Match[str]) -> bool:
    """Whether the dot of an abbreviation ("p.m.", "etc.") is a full stop as well."""
    if not match[0].endswith("."):
        return False
    last = re.split(r"[\s\d]", match[0])[-1].rstrip(".").lower()
    following = match.string[match.end() : match.end() + 3].lstrip("\"')")
    if not following[:1].isspace():
        return False
    word = find_next_word(match.string, match.end())
    if not word[:1].isupper() or (last[-1:] == "m" and _AFTER_TIMES.fullmatch(word)):
        return False
    is_bare_title = bool(_DETERMINED.search(look_back(match))) or _is_street(match)
    if last in {"dr", "prof", "gen", "rev", "sen", "rep", "gov", "capt"} and not is_bare_title:
        return False
    return last in MAY_END_SENTENCE or (starts_sentence(word) and last not in {"mr", "mrs", "ms", "messrs"})


_Rules = tuple[tuple[str, Callable[[re.Match[str]], "str | None"]], ...]
_TITLE = "|".join(sorted((t.capitalize() for t in {*TITLES, *_PLACES}), key=len, reverse=True))
_STREET = "|".join(sorted((s.capitalize() for s in _STREETS), key=len, reverse=True))
ABBREVIATION_RULES: _Rules = (
    (rf"({_TITLE}|MR|MRS|DR|PROF)\.(?!\w)(?!\s[^\w\s]?$)", say_title),
    (r"(Mr|Mrs|Ms|Dr|Prof|Drs|Messrs)(?=\s[A-Z]|\s(?:and|or|&)\s[A-Z])(?!\.)", lambda match: TITLES[match[1].lower()]),
    (r"(St)(?=\s[A-Z][a-z]+)(?!\s(?:and|or)\b)", lambda match: None if _is_street(match) else "saint"),
    (rf"({_STREET})\b\.?(?!\w)", say_street),
    (rf"({_STATES.replace(' ', '|')})\b(?![.'-]\w)(?:\s(\d{{5}})(?:-\d{{4}})?(?!\d))?", say_state),
    (
        r"([Nn]os?|[Vv]ol|[Cc]h|pp?|pg|[Ff]igs?|[Ss]ec|[Ee]q|[Ee]d|[Aa]rt|[Vv]er|[Ee]x|[Aa]pt|[Rr]m|[Ss]te|[Ee]xt|ca?"
        r"|[Ee]st|[Oo]p|[Pp]ara|[Tt]el)\.(?=\s?\d)",
        lambda match: NUMBERED[match[1].lower()],
    ),
    (r"(v)\.?(?=\s[A-Z])", lambda match: "versus" if re.search(r"\b[A-Z]\w+\s$", look_back(match)) else None),
    (r"[Ee]t\sal\b\.?", lambda match: "et al"),
    (r"([A-Za-z]{2,7}|c)\.(?!\w)", say_abbreviation),
    (r"([IVXLCDM]{1,15})(?:'s)?(?![\w'-])", _say_roman),
    (r"M[CDLXVIM]{3,14}(?![\w'-])", say_year_in_roman),
    (
        r"([NSEW])\.?(?=\s(?:[A-Z][a-z]+|\d+(?:st|nd|rd|th))\s(?:Street|Avenue|Road|Drive|St|Ave|Rd|Blvd|Dr|Ln)\b)",
        lambda match: _DIRECTIONS[match[1]],
    ),
    (r"(Hwy|Rte?|Apt|Ste)\.?(?=\s#?\d)", lambda match: _ROUTES[match[1]]),
    (
        r"([A-Z])\.(?=\s[A-Z][a-z]|\s?[A-Z]\.)",
        lambda match: (
            None if match[1] == "I" or starts_sentence(find_next_word(match.string, match.end())) else spell(match[1])
        ),
    ),
)
