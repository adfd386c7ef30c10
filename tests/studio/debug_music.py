"""A debug composer for tests: the real one over a tiny untrained network, as slow as asked."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from models.contracts import Task
from models.hub.spec import Bundled, ModelSpec
from models.music.composer import MusicComposer
from models.music.contracts import MusicChunk, MusicRequest
from models.music.weights import MUSIC_FILE, save_debug

SLOW_S = 0.5  # a bar


class SlowComposer(MusicComposer):
    """Waits at each bar, so that a test can watch it work."""

    def stream(self, request: MusicRequest) -> Iterator[MusicChunk]:
        for chunk in super().stream(request):
            time.sleep(SLOW_S)
            yield chunk


def load_music(files: Mapping[str, Path], spec: ModelSpec) -> MusicComposer:
    """Load the debug model for the catalogue."""
    from models.music.weights import load_model

    made = SlowComposer if spec.key.endswith("slow") else MusicComposer
    return made(load_model(files[MUSIC_FILE]), "float32")


def debug_music_spec(folder: Path, name: str = "debug") -> ModelSpec:
    """Write the weights into a folder, and return their catalogue entry."""
    if not (folder / MUSIC_FILE).exists():
        save_debug(folder / MUSIC_FILE)
    return ModelSpec(
        key=f"music/{name}",
        task=Task.MUSIC,
        title=f"Debug music {name}",
        summary="A composer for tests.",
        licence="MIT",
        commercial_use=True,
        credit="Nobody",
        sources=(Bundled((MUSIC_FILE,)),),
        memory_mb=50,
        needs_gpu=False,
        speed="fast",
        loader="tests.studio.debug_music:load_music",
    )
