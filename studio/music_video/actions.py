"""What the Music Video tab does, without its page: checked values in, events out."""

from __future__ import annotations

import json
import threading
import time
import weakref
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from cachetools import LRUCache

from models.contracts import Task
from models.registry.catalog import DRAWN_SCENES
from models.registry.registry import Registry
from studio.io import temp_folders
from studio.io.recipes import MAX_TEXT_CHARACTERS, Recipe, read_recipe, write_recipe
from studio.music_video.board import draw_board
from studio.music_video.controls import FIELDS
from studio.music_video.listening import show_song, unpack
from studio.music_video.requests import build_request, check_draws_from_words, needs_model
from studio.music_video.song import Song, beats_json, close, corrected, lend
from studio.page import film, html, jobs, model_card
from studio.page.events import Event, Events, Files, Kept, Pictures, Problem, Report, Status
from studio.page.fields import Upload

DOING = {
    "looking": "Looking at your photos and clips",
    "measuring": "Seeing how fast this machine is",
    "clips": "Filming key clips",
    "frames": "Drawing",
}
READING: Events = (Status(html.status("Reading the song")),)
BEGINNING: Events = (Status(html.status("Getting the video model ready")),)
STOPPED = "Stopped before there was a second of video"
SHORTEST_S = 1.0  # of a video that was stopped: what is drawn of it is kept
NO_SONG = "Choose a song first."


class MusicVideoActions:
    """Hear songs, correct their beats and draw videos for the tab and for the endpoint `/music_video`."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.stops = jobs.StopBoard()
        self._drawer: Any = None  # draws shots on workers
        self._makers: LRUCache[str, Any] = LRUCache(2)  # by the model's key; "" needs none
        self._store: Any = None
        self._shots = temp_folders.hold()
        weakref.finalize(self, temp_folders.release, self._shots)
        self._lock = threading.Lock()

    # Listening

    def listen(self, session: str, source: Any, trim: tuple[float, float], old: Song | None) -> Generator[Events]:
        """Read a song and find its beats, for the page; failures are events, never exceptions.

        Args:
            source: the path of a file, or a finished piece of the Music tab.
            trim: seconds from and to; a "to" of 0 means the end.
            old: the song before, whose folder is deleted when the new one is there.
        """
        song: Song | None = None
        steps = jobs.run_on_page(
            self.registry, self.stops, session, self._detector_key(), READING, lambda: unpack(source, trim), self._hear
        )
        for events in steps:
            song = next((each.values["song"] for each in events if isinstance(each, Kept)), song)
            yield events
        if song is not None and song is not old:
            close(old)

    def _hear(
        self, _key: str, detector: Any, unpacked: tuple[Path, Path, str, float], should_stop: Callable[[], bool]
    ) -> Generator[Events]:
        """Find the beats of a song that was unpacked; its folder goes where that fails."""
        from models.music_video.analysis import analyse

        folder, sound, name, duration_s = unpacked
        try:
            with closing(analyse(detector, sound, duration_s)) as chunks:
                for chunk in chunks:
                    if should_stop():
                        raise jobs.Stopped
                    yield (Status(html.status("Listening for beats", chunk.done / max(chunk.total, 1e-6))),)
            assert chunk.analysis is not None
            song = Song(folder, sound, name, duration_s, chunk.analysis, chunk.analysis.track)
            nothing = Files({"file": None, "video": None, "poster": None}), Pictures({"notes": "", "picture": ""})
            yield *nothing, *show_song(song)
        except BaseException:
            temp_folders.release(folder)
            raise

    def _detector_key(self) -> str:
        spec = self.registry.default(Task.BEATS)
        assert spec is not None, "the tab is built where there is a detector"
        return spec.key

    def correct(self, song: Song | None, what: str, value: Any = None, clicks: bool = True) -> Events:
        """Change the beats; what cannot be done is a problem.

        Args:
            what: "half", "double", "shift" (value: milliseconds), "delete" and "downbeat" (value: number of the beat,
                from 1), "tap" (value: times in seconds as text), or "undo".
        """
        try:
            if song is None:
                raise ValueError(NO_SONG)
            changed = corrected(song, what, value)
        except ValueError as error:
            return (Problem(jobs.sentence(error)),)
        return show_song(changed, clicks)

    # Drawing

    def arrange(self, values: Mapping[str, Any], song: Song | None) -> Events:
        """Show the shots as they would be drawn now."""
        if song is None:
            return (Pictures({"board": ""}),)
        try:
            request = build_request(song, values, False, song.folder / "video.mp4")
            return (Pictures({"board": draw_board(request, song)}),)
        except ValueError as error:
            return (Pictures({"board": html.problem(jobs.sentence(error))}),)

    def run(
        self, session: str, key: str, values: Mapping[str, Any], song: Song | None, is_preview: bool = False
    ) -> Generator[Events]:
        """Draw the video for the page; failures are events, never exceptions.

        Args:
            song: None hears the file among the values first, and arranges its shots anew.
            is_preview: only the first seconds, small.
        """
        heard_now = None
        if song is None and values.get("song"):
            values = {**FIELDS.defaults(), **values, "storyboard": ""}
            song = heard_now = yield from self._hear_file(session, values)
            if song is None:
                return
        try:
            yield from self._run_heard(session, key, values, song, is_preview)
        finally:
            close(heard_now)

    def _hear_file(self, session: str, values: Mapping[str, Any]) -> Generator[Events, None, Song | None]:
        """Find the beats of the file among the values, telling how far it is; return None where that failed."""
        song: Song | None = None
        for events in self.listen(session, values["song"], (values["start_s"], values["end_s"]), None):
            song = next((each.values["song"] for each in events if isinstance(each, Kept)), song)
            told = tuple(each for each in events if isinstance(each, (Status, Problem)))
            if told:
                yield told
        return song

    def _run_heard(
        self, session: str, key: str, values: Mapping[str, Any], song: Song | None, is_preview: bool
    ) -> Generator[Events]:
        with temp_folders.held() as folder:
            try:
                song = lend(song) if song is not None else None  # the page may close its own meanwhile
                request = self._request(song, values, is_preview, Path(folder))
                used = self._choose_model(key, request)
            except ValueError as error:
                yield Problem(jobs.sentence(error)), Pictures({"picture": ""})
                return

            assert song is not None, "the request was made of it"

            def draw(
                name: str, model: Any, given: Any, should_stop: Callable[[], bool], heard: Song = song
            ) -> Generator[Events]:
                for events in self._draw(values, name, model, given, should_stop):
                    yield events
                    for shot in (each.values["shot"] for each in events if isinstance(each, Kept)):
                        yield (Pictures({"board": draw_board(given, heard, shot.pictures, shot.storyboard)}),)

            ending: Events = (Pictures({"picture": ""}),)
            if used:
                yield from jobs.run_on_page(
                    self.registry, self.stops, session, used, BEGINNING, lambda: request, draw, STOPPED, ending
                )
            else:
                yield from jobs.run_stoppable(
                    self.stops, session, lambda should_stop: draw("", None, request, should_stop), STOPPED, ending
                )

    def run_program(
        self, key: str, values: Mapping[str, Any], folder: str, should_stop: Callable[[], bool] = lambda: False
    ) -> Generator[Events]:
        """Make a video for a program: the last step has its file, and the beats as the report. Raises failures."""
        song: Song | None = None
        trim = values["start_s"], values["end_s"]
        shown = unpack(values["song"], trim) if values.get("beats_from") else None
        try:
            unpacked = unpack(values.get("beats_from") or values["song"], trim)
            for events in jobs.run_with_model(self.registry, self._detector_key(), unpacked, self._hear, should_stop):
                song = next((each.values["song"] for each in events if isinstance(each, Kept)), song)
                yield tuple(each for each in events if isinstance(each, Status))
            assert song is not None
            if shown is not None:  # the beats are those of one sound, what is heard is another
                song = replace(song, sound=shown[1], name=shown[2])
            request = self._request(song, values, bool(values["preview"]), Path(folder))
            used = self._choose_model(key, request)
            shot: Any = None
            draw = partial(self._draw, values)
            work = (
                jobs.run_with_model(self.registry, used, request, draw, should_stop)
                if used
                else draw("", None, request, should_stop)
            )
            for events in work:
                shot = next((each.values["shot"] for each in events if isinstance(each, Kept)), shot)
                yield events
            yield (Report(beats_json(song) | {"storyboard": json.loads(shot.storyboard.to_json())}),)
        finally:
            close(song)
            if shown is not None:
                temp_folders.release(shown[0])

    def _request(self, song: Song | None, values: Mapping[str, Any], is_preview: bool, folder: Path) -> Any:
        if song is None:
            raise ValueError(NO_SONG)
        return build_request(
            song, values, is_preview, folder / f"{song.name}-{'preview' if is_preview else 'video'}.mp4"
        )

    def _choose_model(self, key: str, request: Any) -> str:
        """Return the video model that a request needs; "" where it needs none."""
        if not needs_model(request):
            return ""
        used = key or self.video_key()
        check_draws_from_words(self.registry.get(used))
        return used

    def _draw(
        self, values: Mapping[str, Any], key: str, model: Any, request: Any, should_stop: Callable[[], bool]
    ) -> Generator[Events]:
        """Yield the events of one video; the step before the last has its file."""
        from models.music_video.poster import write_poster

        began_s = time.monotonic()
        notes: tuple[str, ...] = ()
        drawn_s = 0.0
        card: tuple[Event, ...] = (Pictures({"shelf": model_card.line(self.registry, key)}),) if key else ()
        with closing(self._maker(key, model).stream(request, should_stop)) as chunks:
            for chunk in chunks:
                notes, drawn_s = chunk.notes, chunk.frames / request.rate
                if chunk.last:
                    break
                if should_stop() and drawn_s < SHORTEST_S:
                    raise jobs.Stopped
                yield (*card, *_progress(chunk, request))
                card = ()
        is_whole = chunk.frames >= request.frame_count
        recipe = self._recipe(key, values, request.seed, chunk.storyboard)
        if not is_whole:
            recipe = replace(recipe, settings={**recipe.settings, "stopped": round(float(drawn_s), 3)})
        write_recipe(request.out, recipe)
        took_s = time.monotonic() - began_s
        poster = request.out.with_name(f"{request.out.stem}-poster.jpg")
        write_poster(request, chunk.storyboard, chunk.pictures, poster)
        yield (
            Files({"file": request.out, "video": request.out, "poster": poster}),
            Pictures({"picture": "", "notes": html.notes(notes)}),
            Kept({"shot": chunk}),
        )
        width, height = request.frame_size
        what = f"{html.duration(request.shown_s if is_whole else drawn_s)} of video, {width} x {height}"
        what += "" if is_whole else ", stopped early"
        yield (Status(html.finished(what, f"made in {html.duration(took_s)} · seed {request.seed}")),)

    def video_key(self) -> str:
        """Return the video model that the tab begins with.

        Raises:
            ValueError: there is none.
        """
        spec = self.registry.default(Task.VIDEO, DRAWN_SCENES)
        if spec is None:
            raise ValueError("There is no video model on this shelf, so there is nothing that could draw the video.")
        return spec.key

    def _maker(self, key: str, model: Any) -> Any:
        """Return the generator around a video model, or none; it is kept, so that clips of a preview serve the whole
        video.
        """
        from models.music_video.generator import MusicVideoGenerator
        from models.music_video.key_clips import open_key_clips
        from models.music_video.segments import SegmentStore

        with self._lock:
            self._store = self._store or SegmentStore(folder=self._shots)
            known = self._makers.get(key)
            if known is None or known.clips.model is not model:
                opened = open_key_clips(model)
                known = self._makers[key] = MusicVideoGenerator(
                    model, opened.upscale, store=self._store, name=key, drawer=opened.drawer,
                    places=self.registry.home.places, crew=self._gather_crew(key),
                )  # fmt: skip
            return known

    def _gather_crew(self, key: str) -> Any:
        """Return the workers that draw shots with a video model, or none; None where there is one place only."""
        from models.music_video.shot_crew import ShotCrew
        from models.music_video.shot_drawer import DRAWER

        home = self.registry.home
        if home.places == 1:
            return None
        self._drawer = self._drawer or home.build(DRAWER, {})
        network = self.registry.get(key) if key else None
        return ShotCrew(self._drawer, home.places, network if network is not None and network.is_native else None)

    def _recipe(self, key: str, values: Mapping[str, Any], seed: int, storyboard: Any) -> Recipe:
        revision = model_card.revision_of(self.registry, key) if key else ""
        settings = FIELDS.settings(values)
        told = storyboard.to_json()
        settings["storyboard"] = told if len(told) <= MAX_TEXT_CHARACTERS else ""
        names = [Path(each).name for each in values.get("media") or ()]
        if names:
            settings["media_names"] = ", ".join(names)
        uploads = [each.name for each in FIELDS.fields if isinstance(each, Upload) and each.name != "song"]
        files = [Path(str(values[name])).name for name in uploads if values.get(name)]
        if files:
            settings["file_names"] = ", ".join(files)
        return Recipe(Task.MUSIC_VIDEO, key, revision, seed, settings)

    def load_settings(self, path: str) -> tuple[dict[str, Any], str]:
        """Return the controls of a result file by name, and a sentence.

        Raises:
            ValueError: the file holds no settings of this tab, or some that cannot be used.
        """
        recipe = read_recipe(path)
        if recipe.task != Task.MUSIC_VIDEO:
            raise ValueError(f"This file was made by {recipe.task.replace('_', ' ')}, not here.")
        values = FIELDS.restore(recipe.settings, recipe.seed)
        return values, "Settings restored. Choose the song again: it is not part of them." + _list_missing(
            recipe.settings
        )


def _list_missing(settings: Mapping[str, Any]) -> str:
    """Return sentences that name the photos, clips and other files of a recipe, which the file does not hold."""
    known = {"your photos and clips": settings.get("media_names"), "your other files": settings.get("file_names")}
    return "".join(f" So are {what}: {names}." for what, names in known.items() if names)


def _progress(chunk: Any, request: Any) -> Events:
    said = DOING[chunk.stage]
    if chunk.stage == "frames":
        said = f"Drawing frame {chunk.frames:,} of {request.frame_count:,}"
    left = f"{html.duration(chunk.left_s)} left" if chunk.left_s is not None else ""
    share = None if chunk.stage == "measuring" else chunk.done / max(chunk.total, 1e-6)
    status = Status(html.status(said, share, left))
    if chunk.picture is None:
        return (status,)
    return status, Pictures({"picture": picture_html(chunk.picture)})


def picture_html(pixels: Any) -> str:
    """Return a frame while the video is drawn, as a small JPEG within the page."""
    return f'<img class="drawn" alt="What was drawn last" src="{film.jpeg(pixels)}">'
