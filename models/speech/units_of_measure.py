"""Measures in words: any prefix of any unit, quotients, powers, dimensions and ranges."""

from __future__ import annotations

import re
from collections.abc import Callable

from models.speech import say_numbers as numbers
from models.speech.say_context import LOOK_AHEAD, LOOK_BACK, describes_noun, say_sign
from models.speech.say_numbers import NUM

_PREFIXES = {
    **{"p": "pico", "n": "nano", "μ": "micro", "u": "micro", "m": "milli", "c": "centi", "d": "deci", "h": "hecto"},
    **{"k": "kilo", "K": "kilo", "M": "mega", "G": "giga", "T": "tera", "P": "peta"},
    **{"Ki": "kibi", "Mi": "mebi", "Gi": "gibi", "Ti": "tebi"},
}
_SI = {  # symbol: (name, prefixes it is written with; "-" where the symbol stands alone as well)
    "m": ("meter", "- p n μ u m c d k"),
    "g": ("gram", "- n μ u m k"),
    "s": ("second", "- n μ u m"),
    "sec": ("second", "- m"),
    "l": ("liter", "- μ u m c d h"),
    "L": ("liter", "- μ u m c d"),
    "Hz": ("hertz", "- k M G T"),
    "Pa": ("pascal", "- h k M G"),
    "W": ("watt", "- μ m k M G T"),
    "Wh": ("watt hour", "- k M G T"),
    "V": ("volt", "- μ m k M"),
    "A": ("amp", "μ m k"),
    "Ah": ("amp hour", "- m"),
    "Ω": ("ohm", "- μ m k M G"),
    "F": ("farad", "p n μ u m"),
    "H": ("henry", "μ u m n"),
    "J": ("joule", "m k M G"),
    "N": ("newton", "m k M"),
    "eV": ("electron volt", "- m k M G T"),
    "cal": ("calorie", "- k"),
    "mol": ("mole", "- μ m n k"),
    "Sv": ("sievert", "- μ m"),
    "Bq": ("becquerel", "- k M"),
    "bar": ("bar", "- m"),
    "T": ("tesla", "m μ"),
    "K": ("kelvin", "m"),
    "B": ("byte", "k K M G T P Ki Mi Gi Ti"),
    "b": ("bit", "k M G"),
    "bit": ("bit", "- k M G"),
    "lm": ("lumen", "-"),
    "lx": ("lux", "-"),
    "rad": ("radian", "-"),
}
_PLAIN = {  # symbol: (one, many); one name alone takes an s
    **{"%": "percent percent", "°C": "degree_celsius degrees_celsius", "°F": "degree_fahrenheit degrees_fahrenheit"},
    **{"°": "degree degrees", "ft": "foot feet", "in": "inch inches", "lb": "pound", "lbs": "pound pounds"},
    **{"oz": "ounce", "fl oz": "fluid_ounce", "fl. oz.": "fluid_ounce", "mph": "mile_per_hour miles_per_hour"},
    **{"kph": "kilometer_per_hour kilometers_per_hour", "kmh": "kilometer_per_hour kilometers_per_hour"},
    **{"mpg": "mile_per_gallon miles_per_gallon", "rpm": "revolution_per_minute revolutions_per_minute"},
    **{"bpm": "beat_per_minute beats_per_minute", "fps": "frame_per_second frames_per_second"},
    **{"kbps": "kilobit_per_second kilobits_per_second", "Mbps": "megabit_per_second megabits_per_second"},
    **{"Gbps": "gigabit_per_second gigabits_per_second", "dpi": "dot_per_inch dots_per_inch"},
    **{"ppm": "part_per_million parts_per_million", "ppb": "part_per_billion parts_per_billion"},
    **{"psi": "pound_per_square_inch pounds_per_square_inch", "sqft": "square_foot square_feet"},
    **{"sqm": "square_meter square_meters", "cc": "cubic_centimeter", "mmHg": "millimeter_of_mercury"},
    **{"mi": "mile", "yd": "yard", "yds": "yard yards", "gal": "gallon", "tbsp": "tablespoon", "tsp": "teaspoon"},
    **{
        "qt": "quart",
        "qts": "quart quarts",
        "pt": "pint",
        "pts": "point points",
        "hr": "hour",
        "hrs": "hour hours",
        "h": "hour",
        "min": "minute",
    },
    **{"mins": "minute minutes", "secs": "second seconds", "wk": "week", "wks": "week weeks", "yr": "year"},
    **{"yrs": "year years", "mos": "month months", "mcg": "microgram", "ly": "light_year", "ha": "hectare"},
    **{"dB": "decibel", "dBA": "decibel decibels", "px": "pixel", "MP": "megapixel", "hp": "horsepower horsepower"},
    **{"kn": "knot", "kt": "knot", "nmi": "nautical_mile", "atm": "atmosphere", "BTU": "bee_tee_you"},
    **{"IU": "international_unit", "N-m": "newton_meter", "Nm": "newton_meter", "kgs": "kilogram kilograms"},
    **{
        "kms": "kilometer kilometers",
        "KB": "kilobyte",
        "ac": "acre",
        "doz": "dozen dozen",
        "ton": "ton",
        "t": "ton",
        "kp": "kilopond",
    },
}
_NAMES: dict[str, tuple[str, str]] = {}
for _symbol, (_name, _prefixes) in _SI.items():
    for _prefix in _prefixes.split():
        _whole = ("" if _prefix == "-" else _PREFIXES[_prefix]) + _name
        _many = _whole if _name in {"hertz", "lux"} else "henries" if _name == "henry" else f"{_whole}s"
        _NAMES[("" if _prefix == "-" else _prefix) + _symbol] = (_whole, _many)
for _symbol, _names in _PLAIN.items():
    _words = [name.replace("_", " ") for name in _names.split()]
    _NAMES[_symbol] = (_words[0], _words[1] if len(_words) > 1 else f"{_words[0]}s")

_LENGTHS = ("km", "m", "cm", "mm", "μm", "nm", "ft", "in", "mi", "yd")
_LENGTH = "|".join(sorted(_LENGTHS, key=len, reverse=True))
_SQUARES = {"sq": "square", "cu": "cubic"}
_SIMPLE = "|".join(re.escape(name) for name in sorted(_NAMES, key=len, reverse=True))
_SQUARED = rf"(?:sq|cu)\.?\s?(?:{_LENGTH})"
_LENGTH_POWER = rf"(?:{_LENGTH})\^?[23]"
_ONE = rf"(?:{_SQUARED}|{_LENGTH_POWER}|(?:{_SIMPLE})(?:\^-?\d)?)"
_WORD_BELOW = "second|minute|hour|day|week|month|year|person|capita|mile|inch|foot|page|mo|d"
UNIT_NAMES = rf"(?:{_ONE})(?:-(?:{_ONE}))?(?:\s?/\s?(?:{_WORD_BELOW}|{_ONE})){{0,2}}"
"""Pattern of a unit, of a power or a quotient of units, as they are written after a number."""
_UNIT_END = r"(?![\w/^°])"
_DOTTED = "ft in oz lb lbs hr hrs min sec mi yd gal tsp tbsp qt qts pt pts yr yrs km cm kg"
_DOT = "(?:" + "|".join(f"(?<={name})" for name in _DOTTED.split()) + ")"
_DOT += r"\.(?=\s?[a-z(,;:x×]|\s\d+\s?(?:in|oz|min|sec)\b)"
_UNIT = rf"({UNIT_NAMES}){_UNIT_END}(?:{_DOT})?"
_BELOW = {"mo": "month", "d": "day"}
# Letters that are units only where the words around them speak of it.
_IN_CONTEXT = {
    "A": ("amp", "fuse|current|circuit|battery|breaker|charger|volt|draws|electric|wire|rated"),
    "N": ("newton", "force|thrust|load|pull|push|weigh|tension|exert"),
    "J": ("joule", "energy|heat|work|joule|released|absorb"),
    "K": ("kelvin", "temperature|cool|absolute|star|surface|heated|kelvin|superconduct|melts|boils"),
    "T": ("tesla", "magnet|field|scanner"),
    "C": ("degree celsius", "temperature|degrees|oven|bake|weather|warm|cold|hot|heat|cool|boil|freez|water|outside"),
    "F": (
        "degree fahrenheit",
        "temperature|degrees|oven|bake|weather|warm|cold|hot|heat|cool|boil|freez|water|outside",
    ),
}
_NOT_MEASURED = re.compile(
    r"\b(?:[Rr]oom|[Gg]ate|[Ss]eat|[Rr]ow|[Gg]rade|[Cc]lass|[Ff]ig(?:ure|\.)|[Uu]nit|[Aa]partment|[Aa]pt\.?|[Ss]ection"
    r"|[Ff]light|[Ll]evel|[Pp]art|[Ss]tep|[Tt]able|[Ll]ine|[Bb]us|[Aa]rticle|[Pp]latform|[Ss]uite|[Cc]hapter)\s$"
)


_DESCRIBED = frozenset(
    [
        "angle",
        "apartment",
        "bulb",
        "lamp",
        "light",
        "bag",
        "bar",
        "barrel",
        "bat",
        "battery",
        "beam",
        "belt",
        "block",
        "board",
        "bottle",
        "box",
        "break",
        "bucket",
        "cable",
        "cake",
        "can",
        "capacitor",
        "card",
        "climb",
        "column",
        "container",
        "cup",
        "deck",
        "depth",
        "disk",
        "dive",
        "drive",
        "drop",
        "fence",
        "flat",
        "flight",
        "fuse",
        "hike",
        "house",
        "jar",
        "journey",
        "jug",
        "ladder",
        "lake",
        "lens",
        "limit",
        "line",
        "magazine",
        "map",
        "monitor",
        "motor",
        "nail",
        "pack",
        "package",
        "pan",
        "penalty",
        "pipe",
        "pizza",
        "plank",
        "plot",
        "pole",
        "pool",
        "race",
        "radius",
        "resistor",
        "ride",
        "ring",
        "road",
        "rod",
        "roll",
        "rope",
        "rule",
        "ruler",
        "run",
        "screen",
        "sheet",
        "shift",
        "sofa",
        "speaker",
        "stick",
        "strip",
        "subwoofer",
        "tank",
        "tape",
        "television",
        "trip",
        "tube",
        "turkey",
        "tyre",
        "tire",
        "voyage",
        "waist",
        "walk",
        "wall",
        "wheel",
        "wire",
        "wrench",
    ]
)


def say_unit(written: str, many: bool) -> str:
    """Say a unit: "km/h" as "kilometers per hour"; KeyError where a part of it is none."""
    above, *below = [part.strip() for part in written.split("/")]
    return " per ".join([_say_factor(above, many), *(_say_factor(part, many=False, is_below=True) for part in below)])


def _say_factor(written: str, many: bool, is_below: bool = False) -> str:
    if is_below and (written in _BELOW or re.fullmatch(_WORD_BELOW, written)):
        return _BELOW.get(written, written)
    if written in _NAMES:
        return _NAMES[written][many]
    if "-" in written[1:] and not re.search(r"-\d$", written):
        first, second = written.split("-", 1)
        return f"{_say_factor(first, many=False)} {_say_factor(second, many)}"
    square = re.fullmatch(rf"(sq|cu)\.?\s?({_LENGTH})", written)
    if square:
        return f"{_SQUARES[square[1]]} {_NAMES[square[2]][many]}"
    unit, exponent = re.fullmatch(r"(.+?)\^?(-?\d)", written).groups()  # type: ignore[union-attr]
    if unit in _LENGTHS and exponent in {"2", "3"}:
        return f"{'square' if exponent == '2' else 'cubic'} {_NAMES[unit][many]}"
    return f"{_NAMES[unit][many]} {numbers.power(exponent)}"


def _say_measure(match: re.Match[str]) -> str | None:
    sign, number, joint, unit = match[1], match[2], match[3], match[4]
    if re.fullmatch(r"\d+,\d{1,2}", number):
        number = number.replace(",", ".")
    if (
        joint == "-"
        and not describes_noun(match, _DESCRIBED)
        and not match.string[match.end() : match.end() + 1].isspace()
    ):
        return None
    if unit == "in" and joint and not match[0].endswith("."):
        return None  # "12 in the room"
    if len(unit) == 1 and unit.isalpha() and joint and _NOT_MEASURED.search(match.string[: match.start()][-LOOK_BACK:]):
        return None
    many = not numbers.is_one(number) and joint != "-" and not describes_noun(match, _DESCRIBED)
    return f"{say_sign(match, sign)}{numbers.decimal(number)} {say_unit(unit, many)}"


def _say_in_context(match: re.Match[str]) -> str | None:
    name, context = _IN_CONTEXT[match[3]]
    around = match.string[max(0, match.start() - LOOK_BACK) : match.end() + LOOK_AHEAD]
    if not re.search(context, around, re.I) or _NOT_MEASURED.search(match.string[: match.start()][-LOOK_BACK:]):
        return None
    one, *rest = name.split()
    many = not numbers.is_one(match[2]) and not describes_noun(match, _DESCRIBED)
    words = " ".join([one + ("s" if many else ""), *rest])
    return f"{say_sign(match, match[1])}{numbers.decimal(match[2])} {words}"


def _say_range(match: re.Match[str]) -> str | None:
    first, unit, last, joint, unit2 = match.groups()
    if (unit2 == "in" and joint) or (unit and unit != unit2):
        return None
    many = joint != "-" and not describes_noun(match, _DESCRIBED)
    return f"{numbers.decimal(first)} to {numbers.decimal(last)} {say_unit(unit2, many)}"


def _say_dimensions(match: re.Match[str]) -> str | None:
    """Say "10 x 20 cm", "4x4", "2 m x 3 m x 5 m"."""
    sides = re.findall(rf"({NUM})\s?({UNIT_NAMES})?\.?", match[0])
    if "×" in match[0] and not any(unit for _, unit in sides):
        return None  # a product
    describes = describes_noun(match, _DESCRIBED)
    said = []
    for number, unit in sides:
        many = not numbers.is_one(number) and not describes
        said.append(f"{numbers.decimal(number)} {say_unit(unit, many)}" if unit else numbers.decimal(number))
    return " by ".join(said)


def _say_angle(match: re.Match[str]) -> str:
    parts = zip((match[1], match[2], match[3]), ("degree", "minute", "second"), strict=True)
    return " ".join(f"{numbers.decimal(n)} {name}{'' if numbers.is_one(n) else 's'}" for n, name in parts if n)


def _say_feet(match: re.Match[str]) -> str:
    return f"{numbers.whole(match[1])} {'foot' if match[1] == '1' else 'feet'}" + (
        f" {numbers.decimal(match[2])} {'inch' if match[2] == '1' else 'inches'}" if match[2] else ""
    )


def _say_inches(match: re.Match[str]) -> str | None:
    line = match.string[max(0, match.start() - LOOK_BACK) : match.start()]
    if line.count('"') % 2:  # it closes a quotation
        return None
    return f"{numbers.decimal(match[1])} {'inch' if match[1] == '1' or describes_noun(match, _DESCRIBED) else 'inches'}"


def _say_part(match: re.Match[str]) -> str | None:
    """Say a part of a unit: "1/4 in."."""
    top, bottom = int(match[1]), int(match[2])
    unit = "in" if match[3] in {'"', "in."} else match[3]
    return f"{numbers.fraction(top, bottom)} {say_unit(unit, many=False)}" if top < bottom else None


def _say_mixed(match: re.Match[str]) -> str:
    """Say a mixed number before a unit: "3 1/2 inch"."""
    fraction = numbers.fraction(int(match[2]), int(match[3]))
    words = f"{numbers.whole(match[1])} and {fraction}".replace("and one half", "and a half")
    unit = "in" if match[4] == '"' else match[4]
    return f"{words} {say_unit(unit, many=not describes_noun(match, _DESCRIBED))}"


_SIDE = rf"{NUM}(?:\s?(?:{UNIT_NAMES})(?![\w/]))?"
MEASURE_RULES: tuple[tuple[str, Callable[[re.Match[str]], str | None]], ...] = (
    (r"(\d{1,4})°\s?(\d{1,2})'(?:\s?(\d{1,2}(?:\.\d+)?)(?:\"|''))?", _say_angle),
    (r"(\d{1,2})'\s?(\d{1,2}(?:\.\d+)?)(?:\"|'')", _say_feet),
    (r"(\d{1,2})\s?ft\.?\s?(\d{1,2}(?:\.\d+)?)\s?in\b(?:\.(?=\s[a-z]))?", _say_feet),
    (r"(\d{1,3})'()(?=\s(?:tall|high|wide|long|deep|by|x)\b)", _say_feet),
    (rf"(\d{{1,4}})[\s-](\d{{1,2}})/(\d{{1,3}})[\s-]?(\"|{UNIT_NAMES})(?!\w)(?:{_DOT})?", _say_mixed),
    (rf"{_SIDE}(?:\s?[x×X]\s?{_SIDE}){{1,2}}(?![\w^])", _say_dimensions),
    (
        rf"({NUM})(?:\s?({UNIT_NAMES}))?\s?[-–—]\s?({NUM})([\s-]?)({UNIT_NAMES}){_UNIT_END}(?:{_DOT})?",
        _say_range,
    ),
    (rf"(\d{{1,3}})/(\d{{1,3}})[\s-]?(\"|in\.|(?!in\s){UNIT_NAMES})(?!\w)", _say_part),
    (rf"([-−+~]?)(\d{{1,6}},\d{{1,2}}(?![\d,])|{NUM})([\s-]?){_UNIT}", _say_measure),
    (rf"([-−+~]?)({NUM})\s?([ANJKTCF])(?![\w'°])", _say_in_context),
    (rf"({NUM})\"(?!\w)", _say_inches),
    (rf"(?<=\d)/({UNIT_NAMES})(?![\w/])", lambda match: f"per {say_unit(match[1], many=False)}"),
)
