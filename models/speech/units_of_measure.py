"""Units of measure after a number: as written, and their names in words."""

from __future__ import annotations

import re

_UNITS = {  # as written: (one, many)
    "%": ("percent", "percent"),
    "°C": ("degree celsius", "degrees celsius"),
    "°F": ("degree fahrenheit", "degrees fahrenheit"),
    "°": ("degree", "degrees"),
    "km/h": ("kilometer per hour", "kilometers per hour"),
    "kph": ("kilometer per hour", "kilometers per hour"),
    "m/s": ("meter per second", "meters per second"),
    "mph": ("mile per hour", "miles per hour"),
    "ft": ("foot", "feet"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "Hz": ("hertz", "hertz"),
    "kHz": ("kilohertz", "kilohertz"),
    "MHz": ("megahertz", "megahertz"),
    "GHz": ("gigahertz", "gigahertz"),
    "rpm": ("revolution per minute", "revolutions per minute"),
    "bpm": ("beat per minute", "beats per minute"),
    "fps": ("frame per second", "frames per second"),
    "kbps": ("kilobit per second", "kilobits per second"),
    "Mbps": ("megabit per second", "megabits per second"),
    "Gbps": ("gigabit per second", "gigabits per second"),
}
_REGULAR = {
    **{"km": "kilometer", "cm": "centimeter", "mm": "millimeter", "nm": "nanometer", "μm": "micrometer", "m": "meter"},
    **{"mi": "mile", "yd": "yard", "kg": "kilogram", "mg": "milligram", "μg": "microgram", "g": "gram"},
    **{"ml": "milliliter", "mL": "milliliter", "cl": "centiliter", "L": "liter", "gal": "gallon", "tbsp": "tablespoon"},
    **{"tsp": "teaspoon", "hr": "hour", "hrs": "hour", "h": "hour", "min": "minute", "mins": "minute", "sec": "second"},
    **{"secs": "second", "s": "second", "ms": "millisecond", "μs": "microsecond", "ns": "nanosecond"},
    **{"KB": "kilobyte", "kB": "kilobyte", "MB": "megabyte", "GB": "gigabyte", "TB": "terabyte", "kW": "kilowatt"},
    **{"kWh": "kilowatt hour", "MW": "megawatt", "W": "watt", "V": "volt", "mV": "millivolt", "mA": "milliamp"},
    **{"mAh": "milliamp hour", "dB": "decibel", "px": "pixel", "MP": "megapixel", "cal": "calorie", "ha": "hectare"},
    **{"kcal": "kilocalorie", "yr": "year", "yrs": "year", "ly": "light year"},
}
_UNITS |= {written: (name, name + "s") for written, name in _REGULAR.items()}
for _length in ("km", "m", "cm", "mm", "ft", "mi"):
    _one, _many = _UNITS[_length]
    _UNITS |= {
        f"{_length}^2": (f"square {_one}", f"square {_many}"),
        f"{_length}^3": (f"cubic {_one}", f"cubic {_many}"),
    }

UNIT_NAMES = "|".join(re.escape(name) for name in sorted(_UNITS, key=len, reverse=True))


def say_unit(written: str, many: bool) -> str:
    """A unit in words: "km/h" as "kilometers per hour"."""
    return _UNITS[written][many]
