"""Controls, declared once: layout, endpoint, request, recipe, checks and documentation are derived from these lists.

A tab's folder has one `FieldList`. `Form` makes the components of it; this module knows names, limits and words, and no
page.
"""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from models.contracts import MAX_SEED, Task
from models.registry.registry import Registry
from studio.page.field_values import read_pairs, read_text, split_words

Option = tuple[str, Any]  # label and value
Request = TypeVar("Request")
LISTED = 12  # values at most that the documentation spells out
REQUIRED: Any = inspect.Parameter.empty


@dataclass(frozen=True, kw_only=True)
class Field:
    """Declare one control.

    Attributes:
        name: of the endpoint's parameter, of the form's value and of the recipe's setting.
        label: on the page.
        default: value at first, and of a program that leaves it out; REQUIRED where a program must give it.
        help: words under the label, unit included; programs are told the same.
        about: what programs are told instead, where the page's words do not suit them.
        place: the group that `Form.layout` puts it in; "" for programs alone.
        rank: order within its place; equal ranks stand in the order of the list.
        row: fields of one place with the same row stand side by side.
        request: name in the request where it differs; None where the request does not hold it.
        is_kept: whether the recipe of a result keeps it.
        is_public: whether it is a parameter of the endpoint.
        elem_id: of the component; "" is the form's prefix with the name.
        options: further arguments of the component, such as `lines` or `placeholder`.
    """

    kind: ClassVar[type] = str
    holds_files: ClassVar[bool] = False  # whether its value is a path, or a list of them

    name: str
    label: str
    default: Any = ""
    help: str = ""
    about: str = ""
    place: str = "main"
    rank: int = 0
    row: str = ""
    request: str | None = ""
    is_kept: bool = True
    is_public: bool = True
    elem_id: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def read(self, value: Any) -> Any:
        """Check a value of the page or of a program, and return it as the request wants it.

        Raises:
            ValueError: names the control and what it takes.
        """
        return value

    @property
    def limits(self) -> str:
        """Say what it takes, for the documentation; "" where there is nothing to say."""
        return ""

    @property
    def description(self) -> str:
        """Say what it is and what it takes, for programs."""
        said = self.about or (f"{self.label}: {self.help}" if self.help else self.label)
        return f"{said} ({self.limits})" if self.limits else said


@dataclass(frozen=True, kw_only=True)
class Text(Field):
    """Declare a line or a box of text."""

    def read(self, value: Any) -> str:
        """Take text, or a number as text; nothing is ""."""
        return read_text(self.label, value)


@dataclass(frozen=True, kw_only=True)
class Pairs(Text):
    """Declare a list of pairs, written one a line as "first = second"; its value is a tuple of pairs."""

    default: Any = ""

    def read(self, value: Any) -> Any:
        """Take lines of text, or pairs; empty lines are left out."""
        return read_pairs(self.label, value)

    def write(self, value: Any) -> str:
        """Return the pairs as lines of text."""
        return "\n".join(" = ".join(pair) for pair in self.read(value))


@dataclass(frozen=True, kw_only=True)
class Numeric(Field):
    """Declare a number between two bounds; `slider` tells how it is set. A whole number has an integral step."""

    kind: ClassVar[type] = float

    low: float | None = None
    high: float | None = None
    step: float | None = None
    slider: bool = True
    is_whole: bool = False

    def read(self, value: Any) -> Any:
        """Take a number, or text that is one; a whole number comes back as int."""
        number = value
        if isinstance(value, str):
            try:
                number = float(value)
            except ValueError:
                number = None
        is_number = isinstance(number, (int, float)) and not isinstance(number, bool) and math.isfinite(number)
        above = is_number and (self.low is None or number >= self.low)
        if not (above and (self.high is None or number <= self.high)):
            raise ValueError(f"{self.label} is {value!r}; it must be {self._wanted()}.")
        if isinstance(number, float) and number.is_integer() and (self.is_whole or isinstance(value, str)):
            return int(number) if self.is_whole else number
        if self.is_whole and not isinstance(number, int):
            raise ValueError(f"{self.label} is {value!r}; it must be {self._wanted()}.")
        return number

    def _wanted(self) -> str:
        return f"a {'whole ' if self.is_whole else ''}number {self.limits}".rstrip()

    @property
    def limits(self) -> str:
        """Say the bounds."""
        if self.low is not None and self.high is not None:
            return (
                f"from {self.low:,g} to {self.high:,g}" if self.high < MAX_SEED else f"from {self.low:g} to {self.high}"
            )
        if self.low is not None:
            return f"of at least {self.low:g}"
        return f"of at most {self.high:g}" if self.high is not None else ""


@dataclass(frozen=True, kw_only=True)
class Seed(Numeric):
    """Declare the seed, with a die beside it."""

    name: str = "seed"
    label: str = "Seed"
    default: Any = 7
    low: float | None = 0
    high: float | None = MAX_SEED
    slider: bool = False
    is_whole: bool = True
    place: str = "seed"


@dataclass(frozen=True, kw_only=True)
class Flag(Field):
    """Declare a tick box."""

    kind: ClassVar[type] = bool

    default: Any = False

    def read(self, value: Any) -> bool:
        """Take true or false, as text too."""
        if isinstance(value, str) and value.lower() in {"true", "false"}:
            return value.lower() == "true"
        if value in (None, 0, 1):
            return bool(value)
        raise ValueError(f"{self.label} is {value!r}; it must be true or false.")


@dataclass(frozen=True, kw_only=True)
class Choice(Field):
    """Declare one of several values.

    Attributes:
        choices: labels and values.
        offered: those that a page over a registry shows, where they depend on it.
        radio: whether all are seen at once; else they drop down.
        is_open: whether other values are taken too, such as the voice of a model that is not chosen yet.
    """

    _wrong: ClassVar[str] = "is {!r}; it must be one of"

    choices: Sequence[Option] = ()
    offered: Callable[[Registry], Sequence[Option]] | None = None
    radio: bool = False
    is_open: bool = False

    def read(self, value: Any) -> Any:
        """Take one of the values, or its text: "480" is 480."""
        if self.is_open:
            return value if isinstance(value, int) and not isinstance(value, bool) else read_text(self.label, value)
        return self.match(value)

    def match(self, value: Any) -> Any:
        """Return the value that is meant."""
        values = [each for _, each in self.choices]
        for each in values:
            if each == value or (value is not None and str(each) == str(value)):
                return each
        if value is None and "" in values:
            return ""
        known = ", ".join(str(each) for each in values if each not in ("", None))
        raise ValueError(f"{self.label} {self._wrong.format(value)} {known}.")

    @property
    def schema(self) -> dict[str, Any] | None:
        """Return the JSON schema of whole numbers, which Gradio's own calls strings; None for other values."""
        values = [value for _, value in self.choices]
        if not values or not all(isinstance(value, int) for value in values):
            return None
        return {"type": "integer"} if self.is_open else {"type": "integer", "enum": values}

    @property
    def limits(self) -> str:
        """List the values."""
        if self.is_open or len(self.choices) > LISTED:
            return ""
        return "one of " + ", ".join(json.dumps(value) for _, value in self.choices)


@dataclass(frozen=True, kw_only=True)
class Choices(Choice):
    """Declare any number of values out of several, at most `most`."""

    kind: ClassVar[type] = list
    _wrong: ClassVar[str] = "holds {!r}; each must be one of"
    most: int | None = None

    @property
    def schema(self) -> dict[str, Any] | None:
        """Return the JSON schema of a list of whole numbers; None for other values."""
        items = super().schema
        return None if items is None else {"type": "array", "items": items}

    def read(self, value: Any) -> list[Any]:
        """Take a list of the values, or of their texts; or one text with commas, semicolons or spaces between."""
        value = split_words(value) if isinstance(value, str) else [] if value is None else value
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"{self.label} is {value!r}; it must be a list.")
        if self.most is not None and len(value) > self.most:
            raise ValueError(f"{self.label} holds {len(value)}; at most {self.most} can be chosen.")
        return [self.match(each) if not self.is_open else self._match_or_keep(each) for each in value]

    def _match_or_keep(self, value: Any) -> Any:
        try:
            return self.match(value)
        except ValueError:
            is_whole = isinstance(value, int) and not isinstance(value, bool)
            if not is_whole and not (isinstance(value, str) and value.isdecimal()):
                raise
            return int(value)


@dataclass(frozen=True, kw_only=True)
class Upload(Field):
    """Declare a file that is given; its value is a path, or None.

    Attributes:
        file_types: endings that the page offers; () is any. media: "file", or "audio" for one that also records.
        takes: media of results, see `studio.library.media`; () are those of the endings.
    """

    holds_files: ClassVar[bool] = True

    default: Any = None
    file_types: tuple[str, ...] = ()
    media: str = "file"
    takes: tuple[str, ...] = ()
    is_kept: bool = False


@dataclass(frozen=True, kw_only=True)
class Model(Field):
    """Declare the menu of the models of a task."""

    name: str = "model"
    label: str = "Model"
    task: Task = Task.SPEECH
    first: str = ""  # key of the model that it begins with where that is on the shelf
    request: str | None = None
    is_kept: bool = False


class FieldList:
    """All controls of a form, in the order of the endpoint's parameters."""

    def __init__(self, fields: Iterable[Field]) -> None:
        self.fields = tuple(fields)
        self._by_name = {each.name: each for each in self.fields}
        if len(self._by_name) != len(self.fields):
            raise ValueError("Two fields have the same name.")

    def __getitem__(self, name: str) -> Field:
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    @property
    def names(self) -> tuple[str, ...]:
        """List the names in order."""
        return tuple(self._by_name)

    def first_models(self, registry: Registry) -> dict[str, str]:
        """Return the keys of the models that the menus show at first, "" where there is none, by name."""
        models = (each for each in self.fields if isinstance(each, Model))
        return {each.name: getattr(registry.default(each.task, each.first), "key", "") for each in models}

    @property
    def public(self) -> tuple[Field, ...]:
        """List the parameters of the endpoint."""
        return tuple(each for each in self.fields if each.is_public)

    def at(self, place: str) -> tuple[Field, ...]:
        """List the fields of a place in the order in which they are laid out."""
        return tuple(sorted((each for each in self.fields if each.place == place), key=lambda each: each.rank))

    def defaults(self) -> dict[str, Any]:
        """Return the first value of every field that has one."""
        return {each.name: each.default for each in self.fields if each.default is not REQUIRED}

    def read(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Check every value; what is left out gets its default.

        Raises:
            ValueError: names the control and what it takes; or an unknown name.
        """
        unknown = [name for name in values if name not in self]
        if unknown:
            raise ValueError(f"There is no control named {unknown[0]!r}.")
        row = self.defaults() | dict(values)
        missing = [each.label for each in self.fields if each.name not in row]
        if missing:
            raise ValueError(f"{missing[0]} is missing.")
        return {each.name: each.read(row[each.name]) for each in self.fields}

    def request(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the request: values under the request's own names."""
        held = (each for each in self.fields if each.request is not None and each.name in values)
        return {each.request or each.name: values[each.name] for each in held}

    def build(self, request: Callable[..., Request], values: Mapping[str, Any], **more: Any) -> Request:
        """Check a form's values and make the request of them.

        Raises:
            ValueError: names the control and what it takes.
        """
        return request(**self.request(self.read(values)), **more)

    def settings(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a recipe keeps; the seed stands in the recipe itself."""
        kept = (each for each in self.fields if each.is_kept and each.name != "seed" and each.name in values)
        row = [(each, values[each.name]) for each in kept]
        return {
            each.request or each.name: each.write(value) if isinstance(each, Pairs) else _plain(value)
            for each, value in row
            if value or not isinstance(each, Pairs)  # nothing is not noted: older results have no such line
        }

    def restore(self, settings: Mapping[str, Any], seed: int | None = None) -> dict[str, Any]:
        """Return the form's values from a recipe's settings; what the form does not know is left out.

        Raises:
            ValueError: names the control whose value cannot be used.
        """
        found = {}
        for each in self.fields:
            key = each.request or each.name
            if each.is_kept and key in settings:
                value = each.read(settings[key])
                found[each.name] = each.write(value) if isinstance(each, Pairs) else value
        if seed is not None and "seed" in self:
            found["seed"] = self["seed"].read(seed)
        return found

    def table(self) -> str:
        """Return the documentation of the parameters as rows of a Markdown table."""
        rows = ["| parameter | default | what |", "|---|---|---|"]
        for each in self.public:
            default = "required" if each.default is REQUIRED else f"`{each.default!r}`".replace("'", '"')
            rows.append(f"| `{each.name}` | {default} | {each.description.replace('|', '/')} |")
        return "\n".join(rows)


def _plain(value: Any) -> Any:
    """Turn a list into text: a setting is one plain value."""
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
