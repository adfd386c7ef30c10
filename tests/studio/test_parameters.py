"""Every parameter of every endpoint, from the declarations: right values are taken, wrong ones get a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
import numpy as np
import pytest
import soundfile
from gradio.components import Component
from gradio_client import Client, handle_file

from studio.app import build_studio
from studio.live.controls import MUSIC_FIELDS as LIVE_MUSIC
from studio.live.controls import VIDEO_FIELDS as LIVE_VIDEO
from studio.music.controls import FIELDS as MUSIC
from studio.music_video.controls import FIELDS as MUSIC_VIDEO
from studio.page.fields import REQUIRED, Choice, Choices, Field, FieldList, Flag, Model, Numeric, Pairs, Text, Upload
from studio.speech.book_controls import BOOK_FIELDS
from studio.speech.controls import FIELDS as SPEECH
from studio.style.controls import AUDIO_FIELDS, VIDEO_FIELDS
from studio.video.controls import FIELDS as VIDEO
from studio.video.controls import SYNC_FIELDS
from tests.loops import run_coroutine
from tests.studio.debug_studio import serve_studio, whole_registry

ENDPOINTS: dict[str, FieldList] = {
    "speech": SPEECH,
    "music": MUSIC,
    "video": VIDEO,
    "sync": SYNC_FIELDS,
    "music_video": MUSIC_VIDEO,
    "video_style": VIDEO_FIELDS,
    "audio_style": AUDIO_FIELDS,
    "book": BOOK_FIELDS,
    "live_music": LIVE_MUSIC,
    "live_video": LIVE_VIDEO,
}
PARAMETERS = [(name, field) for name, fields in ENDPOINTS.items() for field in fields.public]
IDS = [f"{name}-{field.name}" for name, field in PARAMETERS]
FOREIGN = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> gr.Blocks:
    return build_studio(whole_registry(tmp_path_factory.mktemp("parameters")))


def read(page: gr.Blocks, name: str, field: Field, value: Any) -> Any:
    """Return what the work behind an endpoint is given for a value of one parameter."""
    function = next(each for each in page.fns.values() if each.api_name == name)
    fields = ENDPOINTS[name].public
    if not isinstance(field, Upload):  # what a page does with one input, without all others: a hundred times as fast
        component = function.inputs[fields.index(field)]
        assert isinstance(component, Component)
        return component.preprocess(value)
    row = [component.value if isinstance(each, Model) else each.default for each, component in _pairs(page, name)]
    row = [None if each is REQUIRED else each for each in row]
    row[fields.index(field)] = value
    return run_coroutine(page.preprocess_data(function, row, None))[fields.index(field)]


def _pairs(page: gr.Blocks, name: str) -> Iterator[tuple[Field, Any]]:
    function = next(each for each in page.fns.values() if each.api_name == name)
    return zip(ENDPOINTS[name].public, function.inputs, strict=True)


def pair(said: str, *values: Any) -> Iterator[tuple[Any, str]]:
    """Yield each value with what is said of it."""
    return ((value, said) for value in values)


def wrong_values(field: Field) -> Iterator[tuple[Any, str]]:
    """Yield values that are of a wrong type or out of range, and what the sentence must say beside the control."""
    if isinstance(field, Numeric):
        yield from pair(field.limits, "x", "", None, True, [], {}, [1], float("nan"), float("inf"), "nan", "1e999")
        for bound, step in ((field.low, -1), (field.high, 1)):
            if bound is not None:
                yield bound + step, field.limits
                yield str(bound + step), field.limits
        if field.is_whole:
            yield (field.low or 0) + 0.5, "whole number"
    elif isinstance(field, Flag):
        yield from pair("true or false", "x", "", 2, [], ["x"], {}, 0.5)
    elif isinstance(field, Choices):
        yield from pair("must be", "x", 5, {}, True, ["no such"], [[1]], [None])
    elif isinstance(field, Choice):
        known = "must be text" if field.is_open else str(next(value for _, value in field.choices if value))
        yield from pair(known, [], {}, ["x"], {"a": 1}, True)
        if not field.is_open:
            yield from pair(known, "no such", -7, 0.5)
    elif isinstance(field, Pairs):
        yield from pair("must", "x", True, {"a": 1}, [["a"]], ["x"], [5], 7)
    elif isinstance(field, Text):
        yield from pair("must be text", [], {}, ["x"], True, {"a": 1})
    elif isinstance(field, Upload):
        yield from pair("must be a file", "", "x", 5, [], ["x"], {}, {"path": 5}, True, 0)


@pytest.mark.parametrize(("name", "field"), PARAMETERS, ids=IDS)
def test_wrong_values_get_a_sentence_that_names_control_and_range(page: gr.Blocks, name: str, field: Field) -> None:
    for value, said in wrong_values(field):
        with pytest.raises(gr.Error) as caught:
            read(page, name, field, value)
        message = caught.value.message
        assert message.startswith(field.label) and said in message and message.endswith("."), (value, message)


@pytest.mark.parametrize(("name", "field"), PARAMETERS, ids=IDS)
def test_right_values_are_taken_as_numbers_and_as_text(page: gr.Blocks, name: str, field: Field) -> None:
    if isinstance(field, Numeric):
        for bound in (field.low, field.high, field.default):
            if bound is not None:
                assert read(page, name, field, bound) == read(page, name, field, str(bound)) == bound
                assert not field.is_whole or isinstance(read(page, name, field, float(bound)), int)
    elif isinstance(field, Flag):
        assert [read(page, name, field, value) for value in (True, "true", "False", 0, None)] == [
            True, True, False, False, False,
        ]  # fmt: skip
    elif isinstance(field, Choices):
        values = [value for _, value in field.choices][:2]
        assert read(page, name, field, values) == read(page, name, field, [str(each) for each in values]) == values
    elif isinstance(field, Choice):
        for _, value in field.choices:
            assert read(page, name, field, value) == read(page, name, field, str(value)) == value
    elif isinstance(field, Upload):
        assert read(page, name, field, None) is None
    elif isinstance(field, Text) and not isinstance(field, Pairs):
        assert [read(page, name, field, value) for value in ("a", None, 7, 0.5)] == ["a", "", "7", "0.5"]


@pytest.mark.parametrize("name", [name for name, fields in ENDPOINTS.items() if "model" in fields])
def test_a_model_is_one_of_the_task(page: gr.Blocks, name: str) -> None:
    field = ENDPOINTS[name]["model"]
    own = read(page, name, field, None)
    assert read(page, name, field, "") == read(page, name, field, own) == own
    for value, _ in pair("", "no/such", 5, [], {"a": 1}, True, "beats/debug"):
        with pytest.raises(gr.Error, match=r"There is no model|does not serve here\."):
            read(page, name, field, value)


def test_a_file_of_somebody_else_is_refused_with_a_sentence(page: gr.Blocks) -> None:
    for name, field in PARAMETERS:
        if isinstance(field, Upload):
            with pytest.raises(gr.Error, match="no file that this studio made or was given"):
                read(page, name, field, FOREIGN)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("served")
    with serve_studio(folder) as address:
        yield Client(address, verbose=False, download_files=str(folder))


@pytest.fixture(scope="module")
def required(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Return what each endpoint of a sample cannot do without, and what keeps its work short."""
    tone = tmp_path_factory.mktemp("given") / "tone.wav"
    soundfile.write(tone, 0.2 * np.sin(np.arange(30_000) / 9), 22_050)
    return {
        "speech": {"text": "Hello there."},
        "music": {"bars": 4},
        "audio_style": {"content": handle_file(tone), "style": "hum"},
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["speech", "music", "audio_style"])
def test_left_out_given_and_given_as_text_are_the_same(
    client: Client, required: dict[str, dict[str, Any]], name: str
) -> None:
    given = required[name]
    rest = {
        field.name: field.default
        for field in ENDPOINTS[name].public
        if field.name not in given and not isinstance(field, (Upload, Model)) and field.default is not REQUIRED
    }
    texts = {key: _as_text(value) for key, value in (given | rest).items()}
    answers = [client.predict(**row, api_name=f"/{name}")[-1] for row in (given, given | rest, texts)]
    assert answers[0] == answers[1] == answers[2]


def _as_text(value: Any) -> Any:
    if isinstance(value, list):
        return [str(each) for each in value]
    return str(value) if isinstance(value, (int, float)) else value
