"""What keeps the page light: how much of it Gradio's script touches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gradio as gr


def host_progress(functions: Iterable[Any], host: gr.HTML) -> None:
    """Let a component that nobody sees take the progress of all work that shows none.

    At every step of any work Gradio's script looks up, each by a walk through the whole page, all components that ever
    took progress; by default those are all outputs of all work so far.

    Args:
        functions: of the page, once it is wired.
        host: first of the page, so that it is found at once.
    """
    for function in functions:
        if function.show_progress == "hidden" and not function.show_progress_on:
            function.show_progress_on = [host]
