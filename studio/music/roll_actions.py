"""What the roll and the desk do, without their page: edit the piece that stands there, and write what it has become."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from models.contracts import Task
from models.music.contracts import MusicRequest, check_piece
from models.music.musicxml import to_musicxml
from models.registry.registry import Registry
from studio.io import temp_folders
from studio.io.recipes import Recipe, Setting
from studio.music.commands import carry_out, read_message
from studio.music.stem_files import write_stems
from studio.music.take import FILES, SOUND, MusicTake, file_stem, save_take
from studio.music.views import show_take, whole_sound
from studio.page import html, jobs, model_card
from studio.page.events import Events, Files, Kept, Problem, Status

GONE = "There is no piece here any more; compose one first."
REPORT_S = 0.3


class RollActions:
    """Edit the piece on the page, and export it.

    Args:
        stops: of the tab's work, which an export is part of.
    """

    def __init__(self, registry: Registry, stops: jobs.StopBoard) -> None:
        self.registry, self.stops = registry, stops
        self.edits = jobs.StopBoard()

    def edit(
        self, session: str, text: str | None, current: MusicTake | None, shows_probability: bool = False
    ) -> Generator[Events]:
        """Carry a message of the page out: the roll at once, then the sound and the files; a later message ends that.

        Failures are events, never exceptions.
        """
        try:
            message = read_message(text)
            current = _check_there(current)
        except ValueError as error:
            yield (Problem(jobs.sentence(error)),)
            return
        try:
            version, history = carry_out(current.version, current.history, message)
            check_piece(version.piece, version.tempo_scale)
        except ValueError as error:
            yield Problem(jobs.sentence(error)), show_take(current, shows_probability, message.serial)
            return
        take = MusicTake.from_version(version, history)
        take.remarks = current.remarks
        nothing = Files(dict.fromkeys((SOUND, *FILES)))
        yield show_take(take, shows_probability, message.serial), Kept({"current": take}), nothing
        self.edits.ask(session)
        yield from jobs.run_stoppable(self.edits, session, lambda stop: self._sound(take, stop))

    def _sound(self, take: MusicTake, should_stop: Callable[[], bool]) -> Generator[Events]:
        """Render an edited take and write its files; ends quietly where it should stop."""

        def work(_key: str, model: Any, request: MusicRequest, stop: Callable[[], bool]) -> Generator[Events]:
            yield from _collect(model, take, request, stop)
            if stop():
                return
            with temp_folders.held() as folder:
                files = save_take(take, take.sound(), self._recipe(take), folder, "-edited", with_mp3=False)
                notes = f"{take.version.piece.note_count:,} notes"
                yield Status(html.finished(f"{notes}, {html.duration(take.length_s)} of music")), Files(files)

        request = MusicRequest(
            action="perform", piece=take.piece, tempo_scale=take.tempo_scale, mix=str(take.version.desk)
        )
        yield from jobs.run_with_model(self.registry, self._model_of(take), request, work, should_stop)

    def keep(self, session: str, current: MusicTake | None) -> Generator[Events]:
        """Write the piece as it stands, to be kept: WAV, MIDI, MP3. Failures are events."""

        def work(model: Any, take: MusicTake, folder: str, _stop: Callable[[], bool]) -> Generator[Events]:
            yield (Status(html.status("Writing the files")),)
            files = save_take(take, whole_sound(model, take), self._recipe(take), folder, "-edited")
            yield Status(html.finished("This version is kept")), Files(files), Kept({"current": take})

        yield from self._export(session, current, work)

    def split(self, session: str, current: MusicTake | None) -> Generator[Events]:
        """Write each part as a WAV file into one ZIP. Failures are events."""

        def work(model: Any, take: MusicTake, folder: str, stop: Callable[[], bool]) -> Generator[Events]:
            path = Path(folder) / f"{file_stem(self._recipe(take))}-stems.zip"
            steps = write_stems(model.model, take.version, path)
            while True:
                try:
                    done, count = next(steps)
                except StopIteration as end:
                    yield Status(html.finished("The stems are ready", f"{count} parts")), Files({"stems": end.value})
                    return
                if stop():
                    raise jobs.Stopped
                yield (Status(html.status(f"Rendering the parts: {done} of {count}", done / max(1, count))),)

        yield from self._export(session, current, work)

    def engrave(self, session: str, current: MusicTake | None) -> Generator[Events]:
        """Write the piece as sheet music, a MusicXML file. Failures are events."""

        def work(_stop: Callable[[], bool]) -> Generator[Events]:
            take = _check_there(current)
            yield (Status(html.status("Writing the sheet music")),)
            with temp_folders.held() as folder:
                stem = file_stem(self._recipe(take))
                path = Path(folder) / f"{stem}.musicxml"
                piece = take.version.piece
                path.write_bytes(to_musicxml(piece, stem.replace("-", " ").capitalize(), take.tempo_scale))
                opens = "MuseScore, Dorico and Sibelius open it"
                yield Status(html.finished("The sheet music is ready", opens)), Files({"score": path})

        yield from jobs.run_stoppable(self.stops, session, work)

    def _export(
        self,
        session: str,
        current: MusicTake | None,
        work: Callable[[Any, MusicTake, str, Callable[[], bool]], Generator[Events]],
    ) -> Generator[Events]:
        def guarded(should_stop: Callable[[], bool]) -> Generator[Events]:
            take = _check_there(current)

            def write(_key: str, model: Any, take: MusicTake, stop: Callable[[], bool]) -> Generator[Events]:
                with temp_folders.held() as folder:
                    yield from work(model, take, folder, stop)

            yield (Status(html.status("Getting the instruments ready")),)
            key = self._model_of(take)
            yield from jobs.run_with_model(self.registry, key, take, write, should_stop)

        yield from jobs.run_stoppable(self.stops, session, guarded)

    def _model_of(self, take: MusicTake) -> str:
        """Return the model that plays a take: the one that composed it, where it is on the shelf."""
        keys = [spec.key for spec in self.registry.specs(Task.MUSIC)]
        return take.recipe.model if take.recipe is not None and take.recipe.model in keys else keys[0]

    def _recipe(self, take: MusicTake) -> Recipe:
        """Return how a take was made; of one that was not composed here, that it was played."""
        told = take.version.told
        if told is not None:
            return told
        key = self._model_of(take)
        settings: dict[str, Setting] = {"action": "perform", "mix": str(take.desk)}
        return Recipe(Task.MUSIC, key, model_card.revision_of(self.registry, key), 0, settings)


def _check_there(current: MusicTake | None) -> MusicTake:
    """Return the take on the page; raises ValueError where it has no piece any more."""
    if current is None or current.piece is None:
        raise ValueError(GONE)
    return current


def _collect(model: Any, take: MusicTake, request: MusicRequest, should_stop: Callable[[], bool]) -> Generator[Events]:
    """Fill a take's sound, telling how far it is."""
    told_s, sounds = time.monotonic(), []
    with closing(model.stream(request)) as chunks:
        for chunk in chunks:
            if should_stop():
                return
            sounds.append(chunk.samples)
            take.sample_rate = chunk.sample_rate
            if time.monotonic() - told_s > REPORT_S:
                told_s = time.monotonic()
                yield (Status(html.status("Playing the changes in", chunk.done / chunk.total)),)
    take.hold(np.concatenate(sounds, axis=1), take.sample_rate)
