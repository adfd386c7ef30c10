"""Amounts of money in words: any currency, its sign before or after, ranges, magnitudes, prices for a unit."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from models.speech import say_numbers as numbers
from models.speech.say_context import describes_noun, say_sign
from models.speech.say_numbers import NUM, SCALES


@dataclass(frozen=True)
class Currency:
    """The names of one unit, of many, of one hundredth and of many; "" where there are no hundredths."""

    one: str
    many: str
    one_cent: str = "cent"
    cents: str = "cents"


_SIGNS = {
    "$": Currency("dollar", "dollars"),
    "£": Currency("pound", "pounds", "penny", "pence"),
    "€": Currency("euro", "euros"),
    "¥": Currency("yen", "yen", "", ""),
    "₹": Currency("rupee", "rupees", "paisa", "paise"),
    "₩": Currency("won", "won", "", ""),
    "₽": Currency("ruble", "rubles", "kopeck", "kopecks"),
    "₺": Currency("lira", "lira", "kurush", "kurush"),
    "₪": Currency("shekel", "shekels", "agora", "agorot"),
    "₴": Currency("hryvnia", "hryvnias", "kopiyka", "kopiykas"),
    "₦": Currency("naira", "naira", "kobo", "kobo"),
    "₱": Currency("peso", "pesos", "centavo", "centavos"),
    "₫": Currency("dong", "dong", "", ""),
    "฿": Currency("baht", "baht", "satang", "satang"),
    "₿": Currency("bitcoin", "bitcoins", "", ""),
    "₡": Currency("colon", "colones", "centimo", "centimos"),
    "₲": Currency("guarani", "guaranies", "", ""),
    "R$": Currency("real", "reais", "centavo", "centavos"),
}
_NATIONS = {
    **{"US": "you ess", "CA": "Canadian", "C": "Canadian", "AU": "Australian", "A": "Australian"},
    **{"NZ": "New Zealand", "HK": "Hong Kong", "SG": "Singapore", "S": "Singapore", "NT": "Taiwan"},
    **{"MX": "Mexican", "TT": "Trinidad", "J": "Jamaican", "BZ": "Belize", "FJ": "Fiji"},
}
_SIGNS |= {f"{code}$": Currency(f"{nation} dollar", f"{nation} dollars") for code, nation in _NATIONS.items()}
_SIGNS["MX$"] = Currency("Mexican peso", "Mexican pesos", "centavo", "centavos")
_CODES = {
    **{"EUR": _SIGNS["€"], "GBP": _SIGNS["£"]},
    **{"USD": _SIGNS["US$"], "BRL": _SIGNS["R$"], "JPY": _SIGNS["¥"], "INR": Currency("Indian rupee", "Indian rupees")},
    **{"RMB": Currency("yuan", "yuan", "", ""), "BTC": _SIGNS["₿"], "Rs": Currency("rupee", "rupees")},
    **{"Rs.": Currency("rupee", "rupees"), "Kč": Currency("koruna", "koruna", "", "")},
    **{"zł": Currency("zloty", "zlotys", "grosz", "groszy"), "kr": Currency("krona", "kronor", "", "")},
}
_OTHER_CODES = (
    "AED ARS AUD BGN CAD CHF CLP CNY COP CZK DKK EGP HKD HUF IDR ILS ISK KES KRW MAD MXN MYR NGN NOK NZD PEN PHP PKR"
    " PLN RON RUB SAR SEK SGD THB TRY TWD UAH VND ZAR"
)
SIGNS_AFTER = "$£€¥₹₩₽₺₪₴₦₱₫฿₿"
_SIGN = rf"(?:{'|'.join(sorted(_NATIONS, key=len, reverse=True))}|R)?\$|[{SIGNS_AFTER[1:]}₡₲]"
_CODE = "|".join(re.escape(code) for code in sorted([*_CODES, *_OTHER_CODES.split()], key=len, reverse=True))
_DOTS_PART_THOUSANDS = {"€", "EUR", "R$", "BRL", "₺", "Kč", "zł", "kr"}
_AMOUNT = (
    rf"\d{{1,2}}(?:,\d{{2}})+,\d{{3}}(?!\d)|\d{{1,3}}(?:\.\d{{3}})+,\d{{1,2}}(?!\d)|\d{{1,7}},\d{{2}}(?![\d,])|{NUM}"
)
_SCALE = r"[\s-]?(?:hundred|thousand|million|billion|trillion|lakh|crore)\b|\s?(?:bn|mn|tn|mio|mm|[kKmMbBtT])\b"
_PER = (
    r"(?:/\s?|\sper\s)"
    r"(?P<per>hour|hr|h|day|d|week|wk|month|mo|mth|year|yr|annum|night|person|pp|head|user|seat|item|piece|pc|unit|share|page|"
    r"word|minute|min|second|sec|kg|g|lb|lbs|oz|ton|tonne|t|gal|gallon|liter|litre|L|l|mile|mi|km|m|ft|foot|sq\.?\s?ft|"
    r"sqft|kWh|MWh|GB|TB|MB|barrel|bbl|ounce|pound|dozen|serving|ticket|visit|call|token|M|K)(?![\w/])"
)
_PER_WORDS = {
    **{"hr": "hour", "h": "hour", "d": "day", "wk": "week", "mo": "month", "mth": "month", "yr": "year"},
    **{"pp": "person", "pc": "piece", "min": "minute", "sec": "second", "kg": "kilogram", "g": "gram", "lb": "pound"},
    **{"lbs": "pound", "oz": "ounce", "t": "ton", "gal": "gallon", "litre": "liter", "L": "liter", "l": "liter"},
    **{"mi": "mile", "km": "kilometer", "m": "meter", "ft": "foot", "sqft": "square foot", "kWh": "kilowatt hour"},
    **{"MWh": "megawatt hour", "GB": "gigabyte", "TB": "terabyte", "MB": "megabyte", "bbl": "barrel"},
    **{"M": "million", "K": "thousand"},
}
_DESCRIBED = frozenset(
    [
        "bill",
        "bills",
        "note",
        "notes",
        "coin",
        "coins",
        "fee",
        "fees",
        "loan",
        "loans",
        "deal",
        "deals",
        "fine",
        "fines",
        "ticket",
        "tickets",
        "voucher",
        "vouchers",
        "coupon",
        "budget",
        "lawsuit",
        "settlement",
    ]
)


def say_amount(amount: str, currency: Currency, scale: str = "", describes: bool = False, tail: bool = False) -> str:
    """Say an amount of money.

    Args:
        amount: as written; a comma before one or two last digits is a decimal point.
        currency: its names.
        scale: "million", "k" ... or "".
        describes: whether a noun that it describes follows: "five dollar".
        tail: whether hundredths follow without their name: "two euros seventy-five".
    """
    amount, is_comma = _plain(amount)
    amount = amount.replace(",", "")
    tail = tail or is_comma
    many = currency.one if describes else currency.many
    if scale:
        return f"{numbers.decimal(amount)} {SCALES[scale.strip(' -').lower()]} {many}"
    units, _, parts = amount.partition(".")
    parts = f"{parts}0" if len(parts) == 1 and not units else parts
    if not currency.cents or len(parts) not in {0, 2}:
        return f"{numbers.decimal(amount)} {currency.one if numbers.is_one(amount) else many}"
    in_units = f"{numbers.whole(units or '0')} {currency.one if numbers.is_one(units) else many}"
    if not parts or parts == "00":
        return in_units
    cent = currency.one_cent if parts == "01" or describes else currency.cents
    in_cents = f"{numbers.cardinal(int(parts))} {cent}"
    if not units.strip("0"):
        return in_cents
    return f"{in_units} {numbers.cardinal(int(parts))}" if tail and parts[0] != "0" else f"{in_units} and {in_cents}"


def find_currency(sign: str) -> Currency | None:
    """Find the names of a currency by its sign or its ISO 4217 code, or None."""
    return _SIGNS.get(sign) or _CODES.get(sign) or _by_code(sign)


@cache
def _by_code(code: str) -> Currency | None:
    """Find the names of a currency in Unicode's CLDR; its hundredths have no name."""
    from babel.numbers import get_currency_name

    one, many = (get_currency_name(code, count, locale="en_US") for count in (1, 2))
    return None if one == code else Currency(one, many, "", "")


def _plain(amount: str) -> tuple[str, bool]:
    """Return an amount with a decimal point, and whether it had a decimal comma."""
    comma = re.fullmatch(r"([\d.]+),(\d{1,2})", amount)
    if not comma or re.fullmatch(r"\d{1,3}(?:,\d{3})+", amount):
        return amount, False
    return f"{comma[1].replace('.', '')}.{comma[2]:0<2}", True


def _say(match: re.Match[str]) -> str | None:
    """Say one amount, whatever its order of sign and number."""
    found = match.groupdict()
    currency = find_currency(found["sign"])
    if currency is None:
        return None
    describes = describes_noun(match, _DESCRIBED)
    tail = match.start("sign") > match.start("amount")
    amount = found["amount"]
    if found["sign"] in _DOTS_PART_THOUSANDS and re.fullmatch(r"\d{1,3}(?:\.\d{3})+", amount):
        amount = amount.replace(".", "")
    currency = find_currency(found.get("code") or "") or currency
    said = say_amount(amount, currency, found.get("scale") or "", describes, tail)
    sign = "minus " if found.get("minus2") else say_sign(match, found.get("minus"))
    return sign + said


def _say_range(match: re.Match[str]) -> str | None:
    """Say two amounts of one currency."""
    found = match.groupdict()
    currency = find_currency(found["sign"])
    if currency is None or found.get("sign2") not in {None, found["sign"]}:
        return None
    first, last, scale, scale2 = found["amount"], found["amount2"], found.get("scale") or "", found.get("scale2") or ""
    describes = describes_noun(match, _DESCRIBED)
    if scale == scale2 and "." in _plain(first)[0] + _plain(last)[0] and not scale:
        return f"{say_amount(first, currency, '', describes)} to {say_amount(last, currency, '', describes)}"
    has_own_scale = scale and SCALES.get(scale.strip(" -").lower()) != SCALES.get(scale2.strip(" -").lower())
    begin = numbers.decimal(_plain(first)[0])
    begin += f" {SCALES[scale.strip(' -').lower()]}" if has_own_scale else ""
    if numbers.is_one(last) and not scale2:
        return f"{begin} to {say_amount(last, currency)}"
    return f"{begin} to {say_amount(last, currency, scale2, describes)}"


def _say_price(match: re.Match[str]) -> str | None:
    """Say an amount for a unit of something."""
    said = _say(match)
    unit = match["per"]
    if re.match(r"sq\.?\s?ft", unit):
        unit = "sqft"
    return f"{said} per {_PER_WORDS.get(unit, unit)}" if said else None


def _say_cents(match: re.Match[str]) -> str:
    singular = match[1] == "1" or describes_noun(match)
    return f"{numbers.decimal(match[1])} {'cent' if singular else 'cents'}"


def _named(part: str, number: str = "") -> str:
    """Return the patterns of an amount and its magnitude, in groups named for the first or second of a range."""
    return rf"(?P<{part}{number}>{_AMOUNT})(?P<scale{number}>{_SCALE})?"


_BEFORE = rf"(?P<minus>[-−+])?(?P<sign>{_SIGN})\s?(?P<minus2>[-−])?{_named('amount')}"
_CODE_BEFORE = rf"(?P<minus>[-−+])?(?P<sign>{_CODE})\s?{_named('amount')}"
_AFTER = rf"(?P<minus>[-−+])?{_named('amount')}\s?(?P<sign>[{SIGNS_AFTER}])(?![\d.]\d?)"
_CODE_AFTER = rf"(?P<minus>[-−+])?{_named('amount')}\s?(?P<sign>{_CODE})\b"
_THEN_CODE = r"(?:\s?(?P<code>USD|CAD|AUD|NZD|SGD|HKD|MXN)\b)?"
_TO = r"\s?[-–—−]\s?"
_TO_WORD = r"(?:\s?[-–—−]\s?|\sto\s)"
MONEY_RULES: tuple[tuple[str, Callable[[re.Match[str]], str | None]], ...] = (
    (rf"(?P<sign>{_SIGN})\s?{_named('amount')}{_TO_WORD}(?P<sign2>{_SIGN})\s?{_named('amount', '2')}", _say_range),
    (rf"(?P<sign>{_SIGN})\s?{_named('amount')}{_TO}{_named('amount', '2')}(?![\w-])", _say_range),
    (rf"{_named('amount')}{_TO}{_named('amount', '2')}\s?(?P<sign>[{SIGNS_AFTER}]|(?:{_CODE})\b)(?!\d)", _say_range),
    (_BEFORE + _PER, _say_price),
    (_AFTER + _PER, _say_price),
    (_CODE_AFTER + _PER, _say_price),
    (_BEFORE + _THEN_CODE, _say),
    (_AFTER, _say),
    (_CODE_AFTER, _say),
    (rf"({NUM})\s?¢", _say_cents),
)
LETTER_MONEY_RULES = (
    (rf"\b(?P<sign>{_SIGN})\s?{_named('amount')}{_TO_WORD}(?P<sign2>{_SIGN})\s?{_named('amount', '2')}", _say_range),
    (rf"\b(?P<sign>{_SIGN})\s?{_named('amount')}{_TO}{_named('amount', '2')}(?![\w-])", _say_range),
    (r"\b" + _BEFORE + _PER, _say_price),
    (r"\b" + _BEFORE + _THEN_CODE, _say),
    (rf"\b(?P<sign>{_CODE})\s?{_named('amount')}{_TO}{_named('amount', '2')}(?![\w-])", _say_range),
    (r"\b" + _CODE_BEFORE + _PER, _say_price),
    (r"\b" + _CODE_BEFORE, _say),
)
