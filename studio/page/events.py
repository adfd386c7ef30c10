"""What actions tell a page or a program while they work: a few frozen dataclasses, one tuple of them a step.

Actions yield `Events`. A page shows them through its `Panels.show`; an endpoint folds them with `Outcome`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from studio.page import html


@dataclass(frozen=True)
class Status:
    """The line above the result, as HTML."""

    html: str


@dataclass(frozen=True)
class Problem:
    """What could not be done, as a sentence for a person."""

    sentence: str

    @property
    def html(self) -> str:
        """Return the line above the result."""
        return html.problem(self.sentence)


@dataclass(frozen=True)
class Sound:
    """The next piece of a sound that is being made, as a WAV file."""

    wav: bytes


@dataclass(frozen=True)
class Pictures:
    """Drawings and sentences of the result so far: HTML by the panel's name; "" empties a panel."""

    html: Mapping[str, str]


@dataclass(frozen=True)
class Compared:
    """A picture before and after, uint8 (height, width, 3) each."""

    before: NDArray[np.uint8]
    after: NDArray[np.uint8]


@dataclass(frozen=True)
class Files:
    """Finished files by the name of what shows or offers them; None takes one away."""

    paths: Mapping[str, Path | str | None]


@dataclass(frozen=True)
class Report:
    """What a program is told of a finished result, as plain values."""

    values: Mapping[str, Any]


@dataclass(frozen=True)
class Kept:
    """What the page remembers of a result, by the state's name."""

    values: Mapping[str, Any]


@dataclass(frozen=True)
class Offers:
    """The values that a control offers now, such as the voices of a model that was just loaded.

    Attributes:
        name: of the control.
        choices: labels and values; value: the one that is chosen.
        shows_one: whether the control is seen also where there is one choice alone.
    """

    name: str
    choices: tuple[tuple[str, Any], ...]
    value: Any
    shows_one: bool = False


@dataclass(frozen=True)
class Lineage:
    """What finished files of one run were made from.

    Attributes:
        parents: by a file's name, the names of the files that it was made from.
        inputs: by a file's name, which of them was given to which control.
    """

    parents: Mapping[str, tuple[str, ...]]
    inputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class ShelfChange:
    """What is on the shelf, on disk or in memory has changed around a model; "" names none."""

    key: str = ""


Event: TypeAlias = (
    Status | Problem | Sound | Pictures | Compared | Files | Report | Kept | Offers | Lineage | ShelfChange
)
Events: TypeAlias = tuple[Event, ...]


@dataclass
class Outcome:
    """What a program gets of the events of an action."""

    files: dict[str, str] = field(default_factory=dict)
    report: dict[str, Any] | None = None

    def add(self, events: Iterable[Event]) -> None:
        """Fold a step in.

        Raises:
            ValueError: the step is a problem.
        """
        for event in events:
            match event:
                case Files(paths):
                    self.files |= {name: str(path) for name, path in paths.items() if path is not None}
                case Report(values):
                    self.report = dict(values)
                case Problem(sentence):
                    raise ValueError(sentence)
                case _:
                    pass
