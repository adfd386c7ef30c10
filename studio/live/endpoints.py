"""The public endpoints `/live_music` and `/live_video`: they stream chunks to a program."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Iterator
from typing import Any

import gradio as gr

from models.registry.registry import Registry
from studio.live.controls import read_controls
from studio.live.sessions import VIDEO_TASK
from studio.page import jobs


def build(registry: Registry) -> None:
    """Register both; the second where there is a video model."""

    def live_music(
        length_s: float = 30,
        tempo: float = 104,
        tonic: str = "C",
        mode: str = "major",
        density: float = 3,
        instruments: Any = None,
        drums: bool = True,
        intensity: float = 0.6,
        style: str = "pop",
        seed: float = 0,
    ) -> Iterator[tuple[str | None, dict[str, Any] | None]]:
        """Play music without end for `length_s` seconds. Every answer is a WAV file of about two seconds, which goes on
        where the one before ended, and a report."""
        values = {"tempo": tempo, "tonic": tonic, "mode": mode, "density": density}
        values |= {"drums": drums, "intensity": intensity, "style": style}
        if instruments is not None:
            values["instruments"] = instruments
        from studio.live import actions

        yield from _streamed(
            lambda folder: actions.music(registry, read_controls(values), _seed(seed), length_s, folder)
        )

    def live_video(
        prompt: str, length_s: float = 8, seed: float = 0, tempo: float = 104
    ) -> Iterator[tuple[str | None, dict[str, Any] | None]]:
        """Pictures that follow a prompt and the live music of this seed and tempo. Every answer is an MP4 file of two
        seconds, which goes on where the one before ended, and a report."""
        from studio.live import actions

        yield from _streamed(
            lambda folder: actions.video(
                registry, prompt, read_controls({"tempo": tempo}), _seed(seed), length_s, folder
            )
        )

    _endpoint(live_music, "live_music")
    if registry.specs(VIDEO_TASK):
        _endpoint(live_video, "live_video")


def _seed(value: float) -> int:
    if value != int(value) or not 0 <= value < 2**32:
        raise ValueError(f"seed is {value!r}; it must be a whole number from 0 to {2**32 - 1}.")
    return int(value)


def _streamed(work: Any) -> Iterator[Any]:
    try:
        with tempfile.TemporaryDirectory(prefix="auralume-") as folder:
            yield from work(folder)
    except Exception as error:
        raise gr.Error(jobs.sentence(error), print_exception=False) from error


def _input(parameter: inspect.Parameter) -> gr.components.Component:
    """A part that holds the parameter's default: a program may then leave it out."""
    value = None if parameter.default is inspect.Parameter.empty else parameter.default
    if isinstance(value, bool):
        return gr.Checkbox(value, label=parameter.name)
    if isinstance(value, (int, float)):
        return gr.Number(value, label=parameter.name)
    if isinstance(value, str) or parameter.annotation == "str":
        return gr.Textbox(value, label=parameter.name)
    return gr.JSON(value, label=parameter.name)


def _endpoint(function: Any, name: str) -> None:
    with gr.Column(visible=False):
        trigger = gr.Button(name)
        inputs = [_input(parameter) for parameter in inspect.signature(function).parameters.values()]
        outputs = [gr.File(label="chunk"), gr.JSON(label="report")]
    trigger.click(
        function,
        inputs,
        outputs,
        api_name=name,
        concurrency_id=jobs.CPU_QUEUE,
        show_progress="hidden",
    )
