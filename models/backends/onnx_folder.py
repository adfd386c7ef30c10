"""A catalogue entry for ONNX voices in a folder of one's own: files that people have already."""

from __future__ import annotations

from pathlib import Path

from models.backends.library import read_json
from models.backends.native_weights import make_slug
from models.contracts import Task
from models.errors import ModelError
from models.hub.describe import allows_commercial_use
from models.hub.formats import BY_NAME
from models.hub.onnx_layout import HIBARI, KOKORO, find_layout, list_voices
from models.hub.spec import MEMORY_EXTRA_MB, MEMORY_SHARE, Bundled, ModelSpec

LICENCES = {KOKORO: "Apache-2.0", HIBARI: "Apache-2.0"}
CREDITS = {KOKORO: "Kokoro-82M by hexgrad", HIBARI: "hibari by Maureese Williams, learned from Kokoro-82M by hexgrad"}
MOST_FILES = 2_000


def describe_onnx_folder(folder: Path) -> ModelSpec | None:
    """Return a catalogue entry for the voices in a folder; None where there are none.

    Raises:
        ModelError: there is a voice, but a file of it is missing, or it is not one that the studio can run.
    """
    folder = folder.resolve()
    paths = [path for pattern in ("*", "*/*") for path in folder.glob(pattern) if path.is_file()][:MOST_FILES]
    names = [path.relative_to(folder).as_posix() for path in paths]
    try:
        layout = find_layout(names, lambda path: read_json(folder / path))
    except ModelError as error:
        raise ModelError(f"{folder.name} is a voice as ONNX that cannot be used. {error}", error.kind) from error
    if layout is None:
        return None
    kind = BY_NAME[layout.kind]
    weights_mb = sum((folder / path).stat().st_size for path in layout.graphs) / 1e6
    licence = LICENCES.get(layout.kind, "not named")
    return ModelSpec(
        key=f"{Task.SPEECH}/own--{make_slug(folder)}",
        task=Task.SPEECH,
        title=folder.name,
        summary=kind.summary,
        licence=licence,
        commercial_use=allows_commercial_use(licence),
        credit=CREDITS.get(layout.kind, "Your own"),
        sources=(Bundled(tuple(str(folder / path) for path in layout.paths)),),
        memory_mb=round(MEMORY_SHARE * weights_mb) + MEMORY_EXTRA_MB,
        needs_gpu=False,
        speed="how fast it is shows after the first use",
        loader=kind.loader,
        voices=list_voices(layout, lambda path: read_json(folder / path), folder.name),
        added=True,
        mixes_voices=kind.mixes_voices,
    )
