"""Small parts that every tab uses."""

from __future__ import annotations

from typing import Any

import gradio as gr


def html(value: str, **options: Any) -> gr.HTML:
    """A piece of the page that only the studio's own style sheet dresses."""
    return gr.HTML(value, apply_default_css=False, **options)
