"""A box for many photos and clips at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import gradio as gr
from gradio.components import Component

from models.registry.registry import Registry
from studio.page.fields import Field
from studio.page.form import make_component
from studio.page.given_files import take_given_files

MOST = 200
TYPES = (
    ".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif", ".tif", ".tiff", ".bmp", ".gif",
    ".mp4", ".mov", ".webm", ".mkv", ".avi", ".m4v", ".mpg",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Media(Field):
    """Declare any number of files; the value is a list of their paths."""

    kind: ClassVar[type] = list

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


@make_component.register
def make_media_box(declared: Media, _registry: Registry, words: dict[str, Any]) -> Component:
    """Make the box."""
    box = gr.File(file_count="multiple", file_types=list(TYPES), **{"height": 140} | words)
    take_given_files(box)
    return box
