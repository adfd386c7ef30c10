"""Components of a list of fields: their layout in a page, and the endpoint that programs call.

form = Form(FIELDS, registry, "speech")
with gr.Column():
    form.layout("prompt")
endpoint(form, actions.run, name="speech", about=..., results=(...))
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import singledispatch
from itertools import groupby
from pathlib import Path
from random import SystemRandom
from typing import Any

import gradio as gr
from gradio.components import Component

from models.registry.registry import Registry
from studio.io import temp_folders
from studio.io.marking import mark_result
from studio.page import html, jobs
from studio.page.calls import keep_call
from studio.page.components import QUIET
from studio.page.events import Events, Outcome, Status
from studio.page.fields import (
    REQUIRED,
    Choice,
    Choices,
    Field,
    FieldList,
    Flag,
    Model,
    Numeric,
    Pairs,
    Seed,
    Text,
    Upload,
)
from studio.page.given_files import take_given_files
from studio.page.keeping import library_of_page
from studio.page.metrics import note_job
from studio.page.model_picker import model_picker
from studio.page.places import Program, places_of

SEEDS = 1_000_000


class Form:
    """The components of a tab's fields.

    Args:
        fields: the declarations.
        registry: offers models and voices.
        prefix: of every element's id.
    """

    def __init__(self, fields: FieldList, registry: Registry, prefix: str) -> None:
        self.fields, self.registry, self.prefix = fields, registry, prefix
        self._components: dict[str, Component] = {}
        self.keeps_seed: gr.Checkbox | None = None
        self._follow: Callable[[dict[str, Any]], dict[Any, Any]] = lambda _values: {}
        self._followers: tuple[Component, ...] = ()

    def __getitem__(self, name: str) -> Any:
        return self._components[name]

    def layout(self, place: str) -> None:
        """Make the components of a place in the current column, those of one row side by side."""
        for row, fields in groupby(self.fields.at(place), key=lambda each: each.row):
            if not row:
                for each in fields:
                    self.make(each)
            else:
                with gr.Row():
                    for each in fields:
                        self.make(each)

    def make(self, declared: Field) -> Component:
        """Make one component, its checks those of the declaration."""
        words = {"label": declared.label, "elem_id": declared.elem_id or f"{self.prefix}-{declared.name}"}
        words |= {"info": declared.help} if declared.help else {}
        component = make_component(declared, self.registry, {**words, **declared.options})
        if isinstance(declared, Upload):
            take_given_files(component)
        elif not isinstance(declared, Model):
            component.preprocess = _checked(declared)  # type: ignore[assignment,method-assign]
        schema = declared.schema if isinstance(declared, Choice) else None
        if schema is not None:
            component.api_info = lambda: schema  # type: ignore[method-assign]
        self._components[declared.name] = component
        if isinstance(declared, Upload):
            places_of().add_upload(declared, component)
        return component

    def stand_in(self, name: str, component: Component) -> None:
        """Let another component stand for a field that the registry cannot serve."""
        self._components[name] = component

    def layout_hidden(self) -> None:
        """Make, unseen, what only programs give; called once, after the places."""
        with gr.Column(visible=False):
            for each in self.fields.fields:
                if each.name not in self._components:
                    self.make(each)

    def layout_seed(self) -> None:
        """Make the seed in the current column: drawn anew at each press, unless it is kept."""
        with gr.Row(elem_classes="seed-row"):
            seed = self.make(self.fields["seed"])
            dice = gr.Button("Another seed", min_width=120, elem_classes="dice", elem_id=f"{self.prefix}-dice")
        keep = gr.Checkbox(
            False, label="Keep this seed", info="else each press draws a new one", elem_id=f"{self.prefix}-keep-seed"
        )
        self.keeps_seed = keep
        dice.click(lambda: [draw_seed(), True], outputs=[seed, keep], **QUIET)
        seed.input(lambda: True, outputs=keep, **QUIET)  # type: ignore[attr-defined]

    def draw(self, values: dict[str, Any], keeps_seed: bool) -> dict[Any, Any]:
        """Put a new seed into the values of a press, unless it is to be kept; return what the page shows of it."""
        if keeps_seed or self.keeps_seed is None:
            return {}
        values["seed"] = draw_seed()
        return {self._components["seed"]: values["seed"]}

    @property
    def components(self) -> list[Component]:
        """List all components in the order of the fields."""
        return [self._components[name] for name in self.fields.names]

    def values(self, row: Sequence[Any]) -> dict[str, Any]:
        """Name the values of `components`."""
        return dict(zip(self.fields.names, row, strict=True))

    def follow_with(self, follow: Callable[[dict[str, Any]], dict[Any, Any]], also: Sequence[Component]) -> None:
        """Let other parts of the page change with values that are put back, such as the line about a model.

        Args:
            follow: from the values to updates of the form's components and of `also`.
        """
        self._follow, self._followers = follow, tuple(also)

    @property
    def settable(self) -> list[Component]:
        """List everything that `updates` can change."""
        keeps_seed = [self.keeps_seed] if self.keeps_seed is not None else []
        return list(dict.fromkeys([*self.components, *keeps_seed, *self._followers]))

    def updates(self, values: dict[str, Any]) -> dict[Any, Any]:
        """Return the page's updates that set these values, and what follows them."""
        updates: dict[Any, Any] = {self._components[name]: value for name, value in values.items()}
        if "seed" in values and self.keeps_seed is not None:
            updates[self.keeps_seed] = True
        return updates | self._follow(values)

    def uploads(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Return the paths of the files that were given, by the name of the control."""
        names = [each.name for each in self.fields.fields if isinstance(each, Upload)]
        return {name: str(values[name]) for name in names if values.get(name)}

    def readable(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return those of the values that the form can show, such as those of a job that was cut off."""
        found = {}
        for each in self.fields.fields:
            with suppress(ValueError):
                if each.name in values and (not each.holds_files or are_there(values[each.name])):
                    value = each.read(values[each.name])
                    found[each.name] = each.write(value) if isinstance(each, Pairs) else value
        return found


def are_there(given: Any) -> bool:
    """Tell whether the files that were given to a control, by path, can be given again; none at all can."""
    paths = given if isinstance(given, (list, tuple)) else [] if given is None else [given]
    return all(isinstance(each, str) and Path(each).is_file() for each in paths)


def draw_seed() -> int:
    """Return a new seed, short enough to be read out."""
    return SystemRandom().randrange(SEEDS)


def _checked(declared: Field) -> Callable[[Any], Any]:
    def preprocess(payload: Any) -> Any:
        try:
            return declared.read(payload)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return preprocess


@singledispatch
def make_component(declared: Field, registry: Registry, words: dict[str, Any]) -> Component:
    """Make the component that suits a declaration, labelled and described by `words`."""
    raise TypeError(f"There is no component for {type(declared).__name__}.")


@make_component.register
def _text(declared: Text, _registry: Registry, words: dict[str, Any]) -> Component:
    return gr.Textbox(_first(declared), **words)


@make_component.register
def _number(declared: Numeric, _registry: Registry, words: dict[str, Any]) -> Component:
    if declared.slider:
        assert declared.low is not None and declared.high is not None
        return gr.Slider(declared.low, declared.high, _first(declared), step=declared.step, **words)
    least = None if isinstance(declared, Seed) else declared.low
    return gr.Number(_first(declared), precision=0 if declared.is_whole else None, minimum=least, **words)


@make_component.register
def _flag(declared: Flag, _registry: Registry, words: dict[str, Any]) -> Component:
    return gr.Checkbox(bool(_first(declared)), **words)


@make_component.register
def _choice(declared: Choice, registry: Registry, words: dict[str, Any]) -> Component:
    offered, value = _offered(declared, registry), _first(declared)
    if declared.radio:
        return gr.Radio(offered, value=value, **words)
    if value in ("", None) and offered and declared.offered is not None:
        value = offered[0][1]
    options = {"filterable": declared.is_open} | words
    return gr.Dropdown(offered, value=value, allow_custom_value=declared.is_open, **options)


@make_component.register
def _choices(declared: Choices, registry: Registry, words: dict[str, Any]) -> Component:
    return gr.Dropdown(
        _offered(declared, registry), value=_first(declared), multiselect=True, max_choices=declared.most, **words
    )


@make_component.register
def _upload(declared: Upload, _registry: Registry, words: dict[str, Any]) -> Component:
    if declared.media == "audio":
        return gr.Audio(type="filepath", **{"sources": ["upload", "microphone"]} | words)
    return gr.File(type="filepath", file_types=list(declared.file_types) or None, **{"height": 110} | words)


@make_component.register
def _model(declared: Model, registry: Registry, words: dict[str, Any]) -> Component:
    return model_picker(registry, declared.task, words["elem_id"], declared.label, declared.first, declared.help)


def _first(declared: Field) -> Any:
    return None if declared.default is REQUIRED else declared.default


def _offered(declared: Choice, registry: Registry) -> list[tuple[str, Any]]:
    return list(declared.choices if declared.offered is None else declared.offered(registry))


@dataclass(frozen=True)
class Result:
    """What an endpoint returns in one place.

    Attributes:
        name: of the file among an outcome's files; "" is the report.
        component: makes what describes it to programs.
    """

    name: str
    component: Callable[[], Component]


Work = Callable[[str, dict[str, Any], str], Generator[Events]]  # model's key, checked values, a folder for files


def endpoint(
    form: Form, work: Work, *, name: str, about: str, results: Sequence[Result], is_stream: bool = False
) -> None:
    """Register a public endpoint whose parameters are the form's public fields; its files go into the caller's library.

    Args:
        work: yields the events of the work; the files that it names are copied before its folder is deleted.
        about: what it does, in sentences for programs.
        results: what it returns, in order.
        is_stream: whether every report ends an answer of its own, until the work ends, and is not kept; else the first
            ends the work.
    """
    with gr.Column(visible=False):
        trigger = gr.Button(f"/{name}")
        outputs = [each.component() for each in results]
    fields, library = form.fields.public, library_of_page()
    returned = [each.name for each in results if each.name]
    places_of().programs[name] = Program(form.fields, work, tuple(returned))

    def run(request: gr.Request, *row: Any) -> Iterator[Any]:
        row, progress = row[:-1], row[-1]
        values = form.fields.defaults() | dict(zip((each.name for each in fields), row, strict=True))
        key = str(values.pop("model", "") or "")
        outcome, uploads = Outcome(), form.uploads(values)
        began_s, state = time.monotonic(), "stopped"
        try:
            with temp_folders.held() as folder, closing(work(key, values, folder)) as steps:
                for events in steps:
                    outcome.add(events)
                    _tell(progress, events)
                    if outcome.report is None:
                        yield _row([None] * len(results))  # a caller who leaves is noticed at a yield
                        continue
                    for path in set(outcome.files.values()) - set(uploads.values()):
                        mark_result(path)
                    if not is_stream:
                        keep_call(library, request, form.prefix, returned, uploads, outcome)
                    state = "done"
                    yield _row([outcome.files.get(each.name) if each.name else outcome.report for each in results])
                    if not is_stream:
                        break
                    outcome = Outcome()
        except Exception as error:
            state = "failed"
            raise gr.Error(jobs.sentence(error), print_exception=False) from error
        finally:
            note_job(f"/{name}", state, time.monotonic() - began_s)

    describe(run, name, about, fields, [form[each.name] for each in fields])
    trigger.click(
        run,
        [form[each.name] for each in fields],
        outputs,
        api_name=name,
        show_progress="hidden",
        **jobs.queue_of(form.prefix),
    )


def _tell(progress: gr.Progress, events: Events) -> None:
    """Tell a program how far the work is, in the words of the page."""
    for event in events:
        if isinstance(event, Status) and isinstance(event.html, html.StatusLine):
            progress(event.html.share, desc=event.html.what)


def _row(values: list[Any]) -> Any:
    return tuple(values) if len(values) > 1 else values[0]


def describe(function: Any, name: str, about: str, fields: Iterable[Field], components: Iterable[Component]) -> None:
    """Give a function the name, signature and docstring that Gradio, its clients and MCP read."""
    parameters, lines = [], []
    for declared, component in zip(fields, components, strict=True):
        default = REQUIRED if declared.default is REQUIRED else getattr(component, "value", declared.default)
        if isinstance(component, (gr.File, gr.Audio)):
            default = declared.default
        parameters.append(
            inspect.Parameter(
                declared.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=declared.kind
            )
        )
        lines.append(f"    {declared.name}: {declared.description}")
    required = [each for each in parameters if each.default is REQUIRED]
    rest = [each for each in parameters if each.default is not REQUIRED]
    if parameters != required + rest:
        raise ValueError(f"/{name} has a required parameter after one with a default.")
    function.__name__ = function.__qualname__ = name
    asks = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=gr.Request)
    told = inspect.Parameter("progress", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=gr.Progress())
    function.__signature__ = inspect.Signature([asks, *parameters, told])  # Gradio gives both, and tells nobody of them
    function.__annotations__ = {each.name: each.annotation for each in (asks, *parameters)}
    function.__doc__ = "\n".join([about, "", "Args:", *lines])
