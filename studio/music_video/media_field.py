"""A field that takes many photos and clips at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from studio.page.fields import Field

MOST = 200


@dataclass(frozen=True, kw_only=True)
class Media(Field):
    """Declare any number of files; the value is a list of their paths."""

    kind: ClassVar[type] = list
    holds_files: ClassVar[bool] = True

    def read(self, value: Any) -> list[str]:
        """Take a list of files as the page or a program gives it.

        Raises:
            ValueError: there are more than MOST.
        """
        given = getattr(value, "root", value)
        given = [] if given is None else given if isinstance(given, (list, tuple)) else [given]
        if len(given) > MOST:
            raise ValueError(f"{self.label} holds {len(given)} files; at most {MOST} work.")
        return [str(getattr(each, "path", each)) for each in given]
