"""What a page sends to a live session: knobs and numbers, read and checked."""

from __future__ import annotations

import math
from typing import Any

from models.live.controls import LiveControls


def read_controls(values: dict[str, Any]) -> LiveControls:
    """The knobs from what a page sent.

    Raises:
        ValueError: names the field, the value and what is allowed.
    """
    known = {name: values[name] for name in LiveControls.__dataclass_fields__ if name in values}
    if "instruments" in known:
        try:
            known["instruments"] = tuple(int(each) for each in known["instruments"] or ())
        except (TypeError, ValueError) as error:
            raise ValueError(f"instruments is {known['instruments']!r}; it must be a list of programs.") from error
    return LiveControls(**known)


def number_of(values: dict[str, Any], name: str, default: float) -> float:
    """A number that a page sent.

    Raises:
        ValueError: it is none.
    """
    value = values.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{name} is {value!r}; it must be a number.")
    return float(value)
