"""The public endpoints `/live_music` and `/live_video`: they stream chunks to a program."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import gradio as gr

from models.contracts import Task
from models.registry.registry import Registry
from studio.live.controls import MUSIC_FIELDS, VIDEO_FIELDS
from studio.page.events import Events
from studio.page.form import Form, Result, endpoint

RESULTS = (Result("chunk", lambda: gr.File(label="chunk")), Result("", lambda: gr.JSON(label="report")))
ABOUT_MUSIC = (
    "Play music without end for `length_s` seconds. Every answer is a WAV file of about two seconds, which goes on "
    "where the one before ended, and a report."
)
ABOUT_VIDEO = (
    "Show pictures that follow a prompt and the live music of this seed and tempo. Every answer is an MP4 file of two "
    "seconds, which goes on where the one before ended, and a report."
)


def build(registry: Registry) -> None:
    """Register both; the second where there is a video model."""

    def play(_key: str, values: dict[str, Any], folder: str) -> Generator[Events]:
        from studio.live import actions  # heavy, and only programs need it

        yield from actions.run_music(registry, values, folder)

    def show(_key: str, values: dict[str, Any], folder: str) -> Generator[Events]:
        from studio.live import actions

        yield from actions.run_video(registry, values, folder)

    music = Form(MUSIC_FIELDS, registry, "live-music")
    music.layout_hidden()
    endpoint(music, play, name="live_music", about=ABOUT_MUSIC, results=RESULTS, is_stream=True)
    if registry.default(Task.VIDEO) is not None:
        video = Form(VIDEO_FIELDS, registry, "live-video")
        video.layout_hidden()
        endpoint(video, show, name="live_video", about=ABOUT_VIDEO, results=RESULTS, is_stream=True)
