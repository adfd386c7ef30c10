"""A whole studio of debug models: every tab, endpoint and tool, each in a moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from models.registry.registry import Registry
from studio.app import build_studio, launch_studio
from studio.library.store import Library
from tests.studio.debug_beats import music_video_specs
from tests.studio.debug_music import debug_music_spec
from tests.studio.debug_speech import debug_entry, debug_registry, debug_spec
from tests.studio.debug_style import style_specs
from tests.studio.debug_video import debug_sync_spec


def whole_registry(folder: Path) -> Registry:
    """Return a registry with a debug model for every task; weights are written into `folder`."""
    video = debug_entry("video/debug", "Debug video", "debug_beats:load_debug_video")
    specs = (
        debug_spec(), debug_music_spec(folder), video, debug_sync_spec(), music_video_specs()[0], *style_specs(),
    )  # fmt: skip
    return debug_registry(folder, *specs, memory_budget_mb=1_000)


@contextmanager
def serve_studio(folder: Path, library: Library | None = None, **options: Any) -> Iterator[str]:
    """Serve it inside the `with`, and give its address, without a slash at the end."""
    studio = build_studio(whole_registry(folder), library)
    settings: dict[str, Any] = {"prevent_thread_lock": True, "quiet": True, "server_name": "127.0.0.1"} | options
    launch_studio(studio, **settings)
    try:
        yield str(studio.local_url).rstrip("/")
    finally:
        studio.close()
