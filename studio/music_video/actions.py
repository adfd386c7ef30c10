"""What the Music Video tab does, without its page: checked values in, events out."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from models.contracts import Task
from models.hub.spec import ModelSpec
from models.registry.registry import Registry
from studio.io import audio_files, temp_folders
from studio.io.recipes import Recipe, read_recipe, write_recipe
from studio.music_video.beat_plot import beat_plot
from studio.music_video.controls import FIELDS, STRENGTHS
from studio.music_video.song import (
    LONGEST_SONG_S,
    Song,
    beats_json,
    close,
    corrected,
    new_folder,
    write_beats,
    write_clicks,
)
from studio.page import film, html, jobs, model_card
from studio.page.events import Event, Events, Files, Kept, Pictures, Problem, Report, Status

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
        self._maker_of: tuple[Any, Any] | None = None
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
            nothing = Files({"file": None, "video": None}), Pictures({"notes": "", "picture": ""})
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

    def run(
        self, session: str, key: str, values: Mapping[str, Any], song: Song | None, is_preview: bool = False
    ) -> Generator[Events]:
        """Draw the video for the page; failures are events, never exceptions.

        Args:
            is_preview: only the first seconds, small.
        """
        with temp_folders.held() as folder:
            yield from jobs.run_on_page(
                self.registry,
                self.stops,
                session,
                key or self._video_key_or_none(),
                BEGINNING,
                lambda: self._request(key or self.video_key(), song, values, is_preview, Path(folder)),
                lambda used, model, request, stop: self._draw(used, model, request, values, stop),
                STOPPED,
                (Pictures({"picture": ""}),),
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
            used = key or self.video_key()
            request = self._request(used, song, values, bool(values["preview"]), Path(folder))
            yield from jobs.run_with_model(
                self.registry,
                used,
                request,
                lambda used, model, request, stop: self._draw(used, model, request, values, stop),
                should_stop,
            )
            yield (Report(beats_json(song)),)
        finally:
            close(song)
            if shown is not None:
                temp_folders.release(shown[0])

    def _request(self, key: str, song: Song | None, values: Mapping[str, Any], is_preview: bool, folder: Path) -> Any:
        if song is None:
            raise ValueError(NO_SONG)
        check_draws_from_words(self.registry.get(key))
        return build_request(
            song, values, is_preview, folder / f"{song.name}-{'preview' if is_preview else 'video'}.mp4"
        )

    def _draw(
        self, key: str, model: Any, request: Any, values: Mapping[str, Any], should_stop: Callable[[], bool]
    ) -> Generator[Events]:
        """Yield the events of one video; the step before the last has its file."""
        began_s = time.monotonic()
        notes: tuple[str, ...] = ()
        drawn_s = 0.0
        card: tuple[Event, ...] = (Pictures({"shelf": model_card.line(self.registry, key)}),)
        with closing(self._maker(model).stream(request, should_stop)) as chunks:
            for chunk in chunks:
                notes, drawn_s = chunk.notes, chunk.frames / request.rate
                if chunk.last:
                    break
                if should_stop() and drawn_s < SHORTEST_S:
                    raise jobs.Stopped
                yield (*card, *_progress(chunk, request))
                card = ()
        is_whole = chunk.frames >= request.frame_count
        recipe = self._recipe(key, values, request.seed)
        if not is_whole:
            recipe = replace(recipe, settings={**recipe.settings, "stopped": round(float(drawn_s), 3)})
        write_recipe(request.out, recipe)
        took_s = time.monotonic() - began_s
        yield Files({"file": request.out, "video": request.out}), Pictures({"picture": "", "notes": html.notes(notes)})
        width, height = request.frame_size
        what = f"{html.duration(request.shown_s if is_whole else drawn_s)} of video, {width} x {height}"
        what += "" if is_whole else ", stopped early"
        yield (Status(html.finished(what, f"made in {html.duration(took_s)} · seed {request.seed}")),)

    def _video_key_or_none(self) -> str:
        spec = self.registry.default(Task.VIDEO)
        return "" if spec is None else spec.key

    def video_key(self) -> str:
        """Return the first video model of the shelf.

        Raises:
            ValueError: there is none.
        """
        key = self._video_key_or_none()
        if not key:
            raise ValueError("There is no video model on this shelf, so there is nothing that could draw the video.")
        return key

    def _maker(self, model: Any) -> Any:
        """Return the generator around a video model; it is kept, so that clips of a preview serve the whole video."""
        from models.music_video.generator import MusicVideoGenerator

        with self._lock:
            if self._maker_of is None or self._maker_of[0] is not model:
                upscaler = getattr(model.model, "upscaler", None)
                self._maker_of = model, MusicVideoGenerator(model, upscaler.enlarge if upscaler is not None else None)
            return self._maker_of[1]

    def _recipe(self, key: str, values: Mapping[str, Any], seed: int) -> Recipe:
        revision = model_card.revision_of(self.registry, key)
        settings = FIELDS.settings(values)
        names = [Path(each).name for each in values.get("media") or ()]
        if names:
            settings["media_names"] = ", ".join(names)
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
        return values, "The settings are back. Choose the song again: it is not part of them." + _missing_media(
            recipe.settings
        )


def _missing_media(settings: Mapping[str, Any]) -> str:
    """Return a sentence that names the photos and clips of a recipe, which the file does not hold."""
    names = str(settings.get("media_names", ""))
    return f" So are your photos and clips: {names}." if names else ""


def unpack(source: Any, trim: tuple[float, float]) -> tuple[Path, Path, str, float]:
    """Decode a song into a folder of its own; return the folder, the WAV file in it, a name, and seconds.

    Raises:
        ValueError: there is no song, it cannot be read, or it is too long.
    """
    from models.media.sound import unpack_song

    if source is None:
        raise ValueError("Choose or record a song first.")
    start_s, end_s = trimmed(trim)
    folder = new_folder()
    try:
        path, name = folder / "upload.wav", "music"
        if isinstance(source, (str, Path)):
            path, name = Path(source), safe_name(Path(source).stem)
        else:
            audio_files.write_wav(path, source.sound(), source.sample_rate)
        target = folder / "song.wav"
        longest_s = LONGEST_SONG_S + 1.0
        duration_s = unpack_song(path, target, start_s, end_s, longest_s)
        if duration_s >= longest_s - 0.01:
            raise ValueError(f"The song is longer than {LONGEST_SONG_S / 60:.0f} minutes; trim it.")
    except BaseException:
        temp_folders.release(folder)
        raise
    return folder, target, name, duration_s


def show_song(song: Song, clicks: bool = True) -> Events:
    """Return plot, files, player and state of a song with its present beats."""
    from models.beats.network import FRAME_RATE

    table, data = write_beats(song, song.folder)
    write_clicks(song, song.clicks)
    analysis = song.analysis
    plot = beat_plot(
        song.duration_s, analysis.wave, analysis.activations[:, 0], FRAME_RATE, song.track.times_s,
        song.track.places, song.sections,
    )  # fmt: skip
    files: dict[str, Path | str | None] = {
        "csv": table,
        "json": data,
        "clicks": song.clicks,
        "player": song.played(clicks),
    }
    kept = {"song": song, "beat": 0, "taps": ""}
    return Status(heard(song)), Pictures({"plot": plot}), Files(files), Kept(kept)


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


def build_request(song: Song, values: Mapping[str, Any], is_preview: bool, out: Path) -> Any:
    """Return the request of a form's values.

    Raises:
        ValueError: names the control and what it takes.
    """
    from models.music_video.captions import read_captions
    from models.music_video.contracts import MusicVideoRequest, VisualEffects
    from models.music_video.material import arrange

    row = FIELDS.read({name: value for name, value in values.items() if name in FIELDS} | {"song": song})
    look = VisualEffects(**{name: row[name] for name in STRENGTHS}).scale(row["reactivity"])
    return MusicVideoRequest(
        song=song.sound,
        duration_s=song.duration_s,
        track=song.track,
        features=song.analysis.features,
        prompts=tuple(line.strip() for line in row["prompts"].splitlines() if line.strip()),
        out=out,
        negative_prompt=row["negative_prompt"],
        aspect=row["aspect"],
        shorter_side=row["shorter_side"],
        look=look,
        title=row["title"].strip(),
        artist=row["artist"].strip(),
        captions=read_captions(row["captions"]) if row["captions"] else (),
        steps=row["steps"],
        guidance=row["guidance"],
        key_clips=row["key_clips"],
        media=arrange([Path(each) for each in row["media"]], row["media_order"]),
        scene=row["scene"],
        template=row["template"],
        preview=is_preview,
        seed=row["seed"],
    )


def trimmed(trim: tuple[float, float]) -> tuple[float, float | None]:
    """Start and end in seconds of two fields of the page; raises ValueError with a sentence."""
    start_s, end_s = float(trim[0] or 0.0), float(trim[1] or 0.0)
    if not 0 <= start_s < 1e6 or not 0 <= end_s < 1e6:
        raise ValueError("The trim must be in seconds from the start of the song.")
    if end_s and end_s <= start_s:
        raise ValueError(f"The trim ends at {end_s:g} s, which is not after its start at {start_s:g} s.")
    return start_s, end_s or None


def safe_name(text: str) -> str:
    """Return a file name: letters, digits and dashes of the song's name."""
    return re.sub(r"[^\w]+", "-", text).strip("-")[:40] or "song"


def heard(song: Song) -> str:
    """Return what was heard, as the status line."""
    track = song.track
    if len(track.times_s) < 2:
        return html.finished("No steady beat was heard", "tap it, or let the picture follow the loud moments")
    bars = int((track.places == 1).sum())
    kinds = len({each.label for each in song.sections})
    detail = f"{bars} bars · {len(song.sections)} sections of {kinds} kind{'s' if kinds > 1 else ''}"
    return html.finished(f"{len(track.times_s)} beats at {track.bpm:.0f} a minute", detail)


def check_draws_from_words(spec: ModelSpec) -> None:
    """Raise ValueError with a sentence for a model that sets a picture in motion: there is none to give it."""
    from models.hub.formats import needs_picture

    if needs_picture(spec.backend):
        raise ValueError(f"{spec.title} sets a picture in motion; here choose a model that draws from words alone.")


def picture_html(pixels: Any) -> str:
    """Return a frame while the video is drawn, as a small JPEG within the page."""
    return f'<img class="drawn" alt="What was drawn last" src="{film.jpeg(pixels)}">'
