"""A box for many photos and clips at once."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.components import Component

from models.registry.registry import Registry
from studio.library.media import OTHER, media_of
from studio.music_video.media_field import Media
from studio.page.given_files import take_given_files
from studio.page.places import Intake, labels_here, places_of

TYPES = (
    ".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif", ".tif", ".tiff", ".bmp", ".gif",
    ".mp4", ".mov", ".webm", ".mkv", ".avi", ".m4v", ".mpg",
)  # fmt: skip


def make_media_box(declared: Media, _registry: Registry, words: dict[str, Any]) -> Component:
    """Make the box."""
    box = gr.File(file_count="multiple", file_types=list(TYPES), **{"height": 140} | words)
    take_given_files(box)
    media = {media_of(f"any{ending}") for ending in TYPES} - {OTHER}
    places_of().intakes.append(
        Intake(declared.name, declared.label, str(box.elem_id), labels_here(), tuple(sorted(media)), is_many=True)
    )
    return box
