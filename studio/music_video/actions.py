"""What the Music Video tab does, without its page: plain values in, named plain values out."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from models.hub.spec import ModelSpec
from models.registry.registry import Registry
from studio.io import audio_files, temp_folders
from studio.io.recipes import Recipe, read_recipe, write_recipe
from studio.music_video.beat_plot import beat_plot
from studio.music_video.song import LONGEST_SONG_S, Song, beats_json, close, new_folder, write_beats, write_clicks
from studio.page import film, html, jobs, model_card
from studio.page.fields import whole
from studio.page.loading import for_page, load_for_page, or_shipped

BEATS_TASK, VIDEO_TASK = "beats", "video"
TASK = "music_video"
MAX_SONG_BYTES = 300 * 2**20
STRENGTHS = ("cuts", "zoom", "pan", "rotate", "flash", "colour", "motion")
DEFAULT_PROMPTS = (
    "a red sunrise over mountains\na lighthouse at dusk by the sea\nblue waves by day\nteal spirals turning"
)
DOING = {"measuring": "Seeing how fast this machine is", "clips": "Filming key clips", "frames": "Drawing"}

Update = dict[str, Any]


class MusicVideoActions:
    """The actions of the tab and of the endpoint `/music_video`."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.stops = jobs.StopBoard()
        self._maker_of: tuple[Any, Any] | None = None
        self._lock = threading.Lock()

    # Listening

    def listen(self, session: str, source: Any, trim: tuple[float, float], old: Song | None) -> Iterator[Update]:
        """Read a song and find its beats, for the page; failures are a status, never an exception.

        Args:
            source: the path of a file, or a finished piece of the Music tab.
            trim: seconds from and to; a "to" of 0 means the end.
        """

        def work(should_stop: Callable[[], bool]) -> Iterator[Update]:
            song: Song | None = None
            for update in self._listen(source, trim, should_stop):
                song = update.get("song", song)
                yield update
            if song is not None and song is not old:
                close(old)

        yield from for_page(self.stops, session + "listen", work)

    def _listen(self, source: Any, trim: tuple[float, float], should_stop: Callable[[], bool]) -> Iterator[Update]:
        from models.music_video.analysis import analyse

        yield {"status": html.status("Reading the song")}
        folder = new_folder()
        try:
            sound, name, duration_s = self._unpack(source, trim, folder)
            detector = yield from load_for_page(self.registry, self._detector_key(), should_stop)
            with closing(analyse(detector, sound, duration_s)) as chunks:
                for chunk in chunks:
                    if should_stop():
                        raise jobs.Stopped
                    yield {"status": html.status("Listening for beats", chunk.done / max(chunk.total, 1e-6))}
            assert chunk.analysis is not None
            song = Song(folder, sound, name, duration_s, chunk.analysis, chunk.analysis.track)
            yield {"status": heard(song), **self.shown(song), "song": song}
        except BaseException:
            temp_folders.release(folder)
            raise

    def _unpack(self, source: Any, trim: tuple[float, float], folder: Path) -> tuple[Path, str, float]:
        from models.music_video.encoder import decode_song

        if source is None:
            raise ValueError("Choose or record a song first.")
        start_s, end_s = trimmed(trim)
        path = folder / "upload.wav"
        name = "music"
        if isinstance(source, (str, Path)):
            path, name = Path(source), safe_name(Path(source).stem)
            if path.is_file() and path.stat().st_size > MAX_SONG_BYTES:
                raise ValueError(f"{path.name} is larger than {MAX_SONG_BYTES // 2**20} MB; songs are smaller.")
        else:
            audio_files.write_wav(path, source.sound(), source.sample_rate)
        target = folder / "song.wav"
        longest_s = LONGEST_SONG_S + 1.0
        duration_s = decode_song(path, target, start_s, end_s, longest_s)
        if duration_s >= longest_s - 0.01:
            raise ValueError(f"The song is longer than {LONGEST_SONG_S / 60:.0f} minutes; trim it.")
        return target, name, duration_s

    def _detector_key(self) -> str:
        return self.registry.specs(BEATS_TASK)[0].key

    def shown(self, song: Song, clicks: bool = True) -> Update:
        """Plot, files and player of a song with its present beats."""
        from models.beats.network import FRAME_RATE

        table, data = write_beats(song, song.folder)
        write_clicks(song, song.clicks)
        analysis = song.analysis
        plot = beat_plot(
            song.duration_s, analysis.wave, analysis.activations[:, 0], FRAME_RATE, song.track.times_s,
            song.track.places, song.sections,
        )  # fmt: skip
        return {
            "plot": plot,
            "csv": str(table),
            "json": str(data),
            "clicks": str(song.clicks),
            "player": song.played(clicks),
        }

    def correct(self, song: Song | None, what: str, value: Any = None, clicks: bool = True) -> Update:
        """Change the beats; failures are a status.

        Args:
            what: "half", "double", "shift" (value: milliseconds), "delete" and "downbeat" (value: number of the beat,
                from 1), "tap" (value: times in seconds as text), or "undo".
        """
        try:
            if song is None:
                raise ValueError("Choose a song first.")
            changed = corrected(song, what, value)
        except ValueError as error:
            return {"status": html.problem(jobs.sentence(error))}
        return {"status": heard(changed), **self.shown(changed, clicks=clicks), "song": changed}

    # Drawing

    def make(self, session: str, song: Song | None, fields: Update, preview: bool, folder: str) -> Iterator[Update]:
        """Draw the video for the page; failures are a status, never an exception.

        Args:
            fields: the controls by name, see `request_of`.
            preview: only the first seconds, small.
            folder: where the file is written; the caller deletes it after the last update.
        """

        def work(should_stop: Callable[[], bool]) -> Iterator[Update]:
            key = str(fields.get("model") or self.video_key())
            yield from or_shipped(
                self.registry,
                key,
                lambda key: self.draw(song, {**fields, "model": key}, preview, Path(folder), should_stop),
            )

        yield from for_page(
            self.stops, session + "make", work, "Stopped; nothing is left of the unfinished video", picture=""
        )

    def draw(
        self,
        song: Song | None,
        fields: Update,
        preview: bool,
        folder: Path,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[Update]:
        """Updates for the page; the one before the last has "file". Raises what fails."""
        if song is None:
            raise ValueError("Choose a song first.")
        key = str(fields.get("model") or self.video_key())
        check_draws_from_words(self.registry.get(key))
        out = folder / f"{song.name}-{'preview' if preview else 'video'}.mp4"
        request = request_of(song, fields, preview, out)
        yield {"status": html.status("Getting the video model ready")}
        model = yield from load_for_page(self.registry, key, should_stop)
        yield {"shelf": model_card.line(self.registry, key)}
        began_s = time.monotonic()
        notes: tuple[str, ...] = ()
        with closing(self._maker(model).stream(request)) as chunks:
            for chunk in chunks:
                if should_stop():
                    raise jobs.Stopped
                notes = chunk.notes
                if chunk.last:
                    break
                said = DOING[chunk.stage]
                if chunk.stage == "frames":
                    said = f"Drawing frame {chunk.frames:,} of {request.frame_count:,}"
                left = f"{html.duration(chunk.left_s)} left" if chunk.left_s is not None else ""
                share = None if chunk.stage == "measuring" else chunk.done / max(chunk.total, 1e-6)
                update: Update = {"status": html.status(said, share, left)}
                if chunk.picture is not None:
                    update["picture"] = picture_html(chunk.picture)
                yield update
        write_recipe(out, self._recipe(key, fields, request.seed))
        took_s = time.monotonic() - began_s
        yield {"file": str(out), "video": str(out), "picture": "", "notes": html.notes(notes)}
        width, height = request.frame_size
        what = f"{html.duration(request.shown_s)} of video, {width} x {height}"
        yield {"status": html.finished(what, f"made in {html.duration(took_s)} · seed {request.seed}")}

    def video_key(self) -> str:
        """The first video model of the shelf.

        Raises:
            ValueError: there is none.
        """
        specs = self.registry.specs(VIDEO_TASK)
        if not specs:
            raise ValueError("There is no video model on this shelf, so there is nothing that could draw the video.")
        return specs[0].key

    def _maker(self, model: Any) -> Any:
        """The generator around a video model; kept, so that clips of a preview serve the whole video."""
        from models.music_video.generator import MusicVideoGenerator

        with self._lock:
            if self._maker_of is None or self._maker_of[0] is not model:
                upscaler = getattr(model.model, "upscaler", None)
                self._maker_of = model, MusicVideoGenerator(model, upscaler.enlarge if upscaler is not None else None)
            return self._maker_of[1]

    def _recipe(self, key: str, fields: Update, seed: int) -> Recipe:
        settings = {
            name: value
            for name, value in fields.items()
            if name not in {"model", "seed", "captions"} and isinstance(value, (str, int, float, bool))
        }
        return Recipe(TASK, key, model_card.revision_of(self.registry, key), seed, settings)

    def load_settings(self, path: str, names: tuple[str, ...]) -> tuple[Update, str]:
        """Controls from a result file and a sentence; raises ValueError with one."""
        recipe = read_recipe(path)
        if recipe.task != TASK:
            raise ValueError(f"This file was made by {recipe.task.replace('_', ' ')}, not here.")
        values: Update = {name: recipe.settings[name] for name in names if name in recipe.settings}
        values["seed"] = recipe.seed
        check_fields(values)
        return values, "The settings are back. Choose the song again: it is not part of them."

    def program(self, source: str | None, trim: tuple[float, float], fields: Update, folder: str) -> Iterator[Any]:
        """Make a video for a program: yields None while it works, then the file and the beats; raises failures."""
        song: Song | None = None
        file: str | None = None
        try:
            for update in self._listen(source, trim, lambda: False):
                song = update.get("song", song)
                yield None
            for update in self.draw(song, fields, bool(fields.get("preview")), Path(folder)):
                file = update.get("file", file)
                yield None
            assert song is not None
            yield file, beats_json(song)
        finally:
            close(song)


def trimmed(trim: tuple[float, float]) -> tuple[float, float | None]:
    """Start and end in seconds of two fields of the page; raises ValueError with a sentence."""
    start_s, end_s = float(trim[0] or 0.0), float(trim[1] or 0.0)
    if not 0 <= start_s < 1e6 or not 0 <= end_s < 1e6:
        raise ValueError("The trim must be in seconds from the start of the song.")
    if end_s and end_s <= start_s:
        raise ValueError(f"The trim ends at {end_s:g} s, which is not after its start at {start_s:g} s.")
    return start_s, end_s or None


def safe_name(text: str) -> str:
    """Of a file: letters, digits and dashes of the song's name."""
    return re.sub(r"[^\w]+", "-", text).strip("-")[:40] or "song"


def check_fields(fields: Update) -> Any:
    """The look and the other settings of a form; raises ValueError naming the field, the value and what is allowed."""
    from models.contracts import check_number
    from models.music_video.contracts import VisualEffects

    reactivity = fields.get("reactivity", 1.0)
    check_number("reactivity", reactivity, 0.0, 2.0)
    return VisualEffects(**{name: fields[name] for name in STRENGTHS if fields.get(name) is not None}).scale(reactivity)


def request_of(song: Song, fields: Update, preview: bool, out: Path) -> Any:
    """The request of a form; raises ValueError naming the field, the value and what is allowed."""
    from models.music_video.captions import read_captions
    from models.music_video.contracts import MusicVideoRequest

    prompts = tuple(line.strip() for line in str(fields.get("prompts") or "").splitlines() if line.strip())
    captions = fields.get("captions")
    return MusicVideoRequest(
        song=song.sound,
        duration_s=song.duration_s,
        track=song.track,
        features=song.analysis.features,
        prompts=prompts,
        out=out,
        negative_prompt=str(fields.get("negative_prompt") or ""),
        aspect=str(fields.get("aspect") or "16:9"),
        shorter_side=whole(fields.get("shorter_side", 720)),
        look=check_fields(fields),
        title=str(fields.get("title") or "").strip(),
        artist=str(fields.get("artist") or "").strip(),
        captions=read_captions(captions) if captions else (),
        steps=whole(fields.get("steps", 10)),
        guidance=fields.get("guidance", 1.5),
        key_clips=whole(fields.get("key_clips", 0)),
        preview=preview,
        seed=whole(fields.get("seed", 0)),
    )


def heard(song: Song) -> str:
    """What was heard, as the status line."""
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
    """A frame while the video is drawn, as a small JPEG within the page."""
    return f'<img class="drawn" alt="What was drawn last" src="{film.jpeg(pixels)}">'


def corrected(song: Song, what: str, value: Any) -> Song:
    """The song with corrected beats, see `MusicVideoActions.correct`; raises ValueError with a sentence."""
    track = song.track
    if what == "undo":
        return song.undone()
    if what == "half":
        return song.corrected(track.halve())
    if what == "double":
        return song.corrected(track.double())
    if what == "shift":
        return song.corrected(track.shift(float(value or 0) / 1000))
    if what == "tap":
        from models.beats.detector import BeatTrack

        taps = [float(each) for each in re.findall(r"\d+(?:\.\d+)?", str(value or ""))]
        return song.corrected(BeatTrack.from_taps(taps, song.duration_s, track.bar_length))
    return song.corrected(_with_chosen_beat(track, what, int(value or 0)))


def _with_chosen_beat(track: Any, what: str, number: int) -> Any:
    if number < 1:
        raise ValueError("Click a beat in the plot first.")
    if number > len(track.times_s):
        raise ValueError(f"Beat {number} does not exist; there are {len(track.times_s)}.")
    changes = {
        "delete": lambda: track.remove_beat(number - 1),
        "downbeat": lambda: track.set_downbeat(number - 1, track.bar_length),
    }
    if what not in changes:
        raise ValueError(f"There is no correction named {what!r}.")
    return changes[what]()
