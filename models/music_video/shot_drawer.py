"""Shots of music videos drawn on a worker: one shot with all that it shows goes there, its file comes back."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contracts import Task
from models.hub.spec import Bundled, ModelSpec
from models.music_video.contracts import MusicVideoRequest
from models.music_video.drawing import Choreography, FramePainter
from models.music_video.filming import REACH, Filming
from models.music_video.key_clips import PREPARED_FRAMES, KeyClips, MadeClip, open_key_clips
from models.music_video.material import OwnMedium
from models.music_video.own_views import OwnShots
from models.music_video.plan import KeyClip, MusicVideoPlan
from models.music_video.shot_files import REPORT_EVERY_S, ShotWriter, shrink
from models.music_video.stylist import StyleShelf, Stylist
from models.music_video.visualiser import Visualiser, number_sections
from models.registry.registry import Registry

Pixels = NDArray[np.uint8]

DRAWER = ModelSpec(
    key="video/shot-drawer",
    task=Task.VIDEO,
    title="Shots of music videos",
    summary="Draws and writes the shots of a music video.",
    licence="MIT",
    commercial_use=True,
    credit="Auralume",
    sources=(Bundled(()),),
    memory_mb=300,
    needs_gpu=False,
    speed="some frames a second",
    loader="models.music_video.shot_drawer:load",
)


@dataclass(frozen=True, eq=False)
class ShotRequest:
    """One shot of a video.

    Attributes:
        film: a name of the video, the same for all its shots and for no other video.
        request, plan: of the video; what the shot does not show may be left out of the request.
        number: of the shot; media: those that it shows, by number; chosen: for each shot its medium, or None.
        is_by_rule: whether what is not of the person's own is drawn by rule; cover: the first of the media, for that.
        clips: the key clips that it shows, as the model made them.
        network: of the studio's own model that made them, which also enlarges and completes them; else None.
    """

    film: str
    request: MusicVideoRequest
    plan: MusicVideoPlan
    number: int
    media: Mapping[int, OwnMedium]
    chosen: tuple[int | None, ...]
    is_by_rule: bool = False
    cover: OwnMedium | None = None
    clips: tuple[tuple[KeyClip, MadeClip], ...] = ()
    network: ModelSpec | None = None


@dataclass(frozen=True, eq=False)
class ShotChunk:
    """How far a shot is, and in the last chunk its file.

    Attributes:
        samples: uint8 (n,), the bytes of the MP4 file; empty before.
        done: frames that are drawn; picture: uint8 (h, w, 3), what was drawn last, and in the last chunk the middle.
        notes: plain sentences for the person.
    """

    samples: NDArray[np.uint8]
    done: int
    picture: Pixels | None
    notes: tuple[str, ...] = ()


@dataclass
class _FilmScene:
    """What the shots of one video share."""

    film: str
    painter: FramePainter
    stylist: Stylist
    visualiser: Visualiser | None = None
    clips: dict[str, KeyClips] = field(default_factory=dict)


class ShotDrawer:
    """The generator of single shots; one request at a time."""

    def __init__(self) -> None:
        self._registry: Registry | None = None
        self._styles = StyleShelf()
        self._scene: _FilmScene | None = None

    def use_registry(self, registry: Registry) -> None:
        """Take the networks that enlarge key clips from this registry."""
        self._registry = registry

    def stream(self, request: ShotRequest) -> Iterator[ShotChunk]:
        """Yield how far the shot is, and at last its file.

        Raises:
            MediaError: a photo or clip has gone, or is damaged; or the file cannot be written.
        """
        filming = self._open(request)
        span, reported_s = filming.find_span(request.number), time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="auralume-shot-") as folder:
            path = Path(folder) / "shot.mp4"
            with (
                closing(filming.draw_shots(request.number, request.number)) as frames,
                ShotWriter(request.request, span, path) as writer,
            ):
                for frame in frames:
                    writer.write(frame)
                    if time.perf_counter() - reported_s > REPORT_EVERY_S:
                        reported_s = time.perf_counter()
                        yield ShotChunk(np.zeros(0, np.uint8), writer.written, shrink(frame))
            file = np.frombuffer(path.read_bytes(), np.uint8)
        yield ShotChunk(file, writer.written, writer.picture, tuple(filming.stylist.notes))

    def _open(self, asked: ShotRequest) -> Filming:
        """Return what draws the shot; what other shots of its video need as well is kept."""
        request, plan, scene = asked.request, asked.plan, self._scene
        if scene is None or scene.film != asked.film:
            painter = FramePainter(Choreography(request, plan, PREPARED_FRAMES))
            scene = self._scene = _FilmScene(asked.film, painter, Stylist(request, self._styles))
        if asked.is_by_rule and scene.visualiser is None:
            scene.visualiser = Visualiser(request, number_sections(request), asked.cover)
        scene.stylist.use(request)
        clips = self._open_clips(scene, asked.network)
        for clip, made in asked.clips:
            clips.put(request, clip, made)
        own = OwnShots(request, plan, asked.media, asked.chosen, REACH)
        filming = Filming(request, plan, scene.painter, own, clips.prepare, scene.stylist)
        filming.visualiser = scene.visualiser if asked.is_by_rule else None
        return filming

    def _open_clips(self, scene: _FilmScene, network: ModelSpec | None) -> KeyClips:
        """Return what prepares key clips with a network, or without."""
        key = network.key if network is not None else ""
        if key not in scene.clips:
            shared: Any = None
            if network is not None and self._registry is not None:
                self._registry.add(network)
                shared = self._registry.load(network.key)
            scene.clips[key] = open_key_clips(shared)
        return scene.clips[key]


def load(_files: Mapping[str, Path], _spec: ModelSpec) -> ShotDrawer:
    """Return the drawer, which has no weights."""
    return ShotDrawer()
