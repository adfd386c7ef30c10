"""Values of a form's controls on their way to a request."""

from __future__ import annotations

from typing import Any

from models.contracts import MAX_SEED


def whole(value: Any) -> Any:
    """A float that is a whole number as int; anything else as it is, for the request to refuse."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_SEED else value
