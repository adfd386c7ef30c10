"""A song on the Music Video tab: its sound in a folder of its own, what was heard in it, its beats as files."""

from __future__ import annotations

import csv
import json
import re
import shutil
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.io import temp_folders

if TYPE_CHECKING:
    from models.beats.detector import BeatTrack
    from models.music_video.analysis import SongAnalysis

LONGEST_SONG_S = 600.0
GONE = "The song is gone; choose it again."
CLICK_HZ, DOWNBEAT_HZ, CLICK_S = 1000.0, 1600.0, 0.03
BLOCK = 2**18


@dataclass(frozen=True, eq=False)
class Song:
    """What the tab holds.

    Attributes:
        folder: its own, deleted by `close`; sound: a WAV of 44,100 Hz and two channels in it.
        name: for people and file names.
        analysis: what was heard; track: the beats as they are now; before: the beats before each correction.
    """

    folder: Path
    sound: Path
    name: str
    duration_s: float
    analysis: SongAnalysis
    track: BeatTrack
    before: tuple[BeatTrack, ...] = field(default=())

    @property
    def clicks(self) -> Path:
        """Return where the song with a click on every beat is written."""
        return self.folder / f"{self.name}-clicks.wav"

    def played(self, clicks: bool) -> str:
        """Return the file to listen to."""
        return str(self.clicks if clicks else self.sound)

    def corrected(self, track: BeatTrack) -> Song:
        """Return the song with other beats; the present ones can be had back."""
        return replace(self, track=track, before=(*self.before[-19:], self.track))

    def undone(self) -> Song:
        """Return the song with the beats before the last correction."""
        return replace(self, track=self.before[-1], before=self.before[:-1]) if self.before else self

    @property
    def sections(self) -> tuple[Any, ...]:
        """Return its parts."""
        return self.analysis.features.sections


def new_folder() -> Path:
    """Make a folder for one song, which does not outlive this process for long."""
    return temp_folders.hold()


def close(song: Song | None) -> None:
    """Delete the song's folder."""
    if song is not None:
        temp_folders.release(song.folder)


def lend(song: Song) -> Song:
    """Return the song in a folder of its own, which is deleted once nobody has this song any more.

    Raises:
        ValueError: its sound is gone.
        OSError: the disk is full.
    """
    lent = copy_song(song)
    weakref.finalize(lent, temp_folders.release, lent.folder)
    return lent


def copy_song(song: Song) -> Song:
    """Return the song in a folder of its own, for `close` to delete; raises what `lend` raises."""
    folder = new_folder()
    try:
        return replace(song, folder=folder, sound=_link(song.sound, folder / song.sound.name))
    except FileNotFoundError as error:
        temp_folders.release(folder)
        raise ValueError(GONE) from error
    except BaseException:
        temp_folders.release(folder)
        raise


def _link(source: Path, target: Path) -> Path:
    """Give a file, which nobody writes to any more, a second name, or copy it where the disk has no such names."""
    try:
        target.hardlink_to(source)
    except (OSError, NotImplementedError):
        shutil.copyfile(source, target)
    return target


def beats_json(song: Song) -> dict[str, Any]:
    """Return beats, bars, tempo and sections as plain values, in seconds from the (trimmed) song's start."""
    middle, bpm = song.track.compute_tempo_curve()
    return {
        "duration_s": round(song.duration_s, 3),
        "bpm": round(song.track.bpm, 2),
        "beats": [
            {"time_s": round(float(time), 4), "place": int(place)}
            for time, place in zip(song.track.times_s, song.track.places, strict=True)
        ],
        "downbeats_s": [round(float(time), 4) for time in song.track.downbeats_s],
        "tempo": [[round(float(a), 3), round(float(b), 2)] for a, b in zip(middle, bpm, strict=True)],
        "sections": [
            {"start_s": round(each.start_s, 3), "end_s": round(each.end_s, 3), "label": each.label}
            for each in song.sections
        ],
    }


def write_beats(song: Song, folder: str | Path) -> tuple[Path, Path]:
    """Write the beats as a CSV and a JSON file."""
    stem = Path(folder) / f"{song.name}-beats"
    table, data = stem.with_suffix(".csv"), stem.with_suffix(".json")
    with table.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("time_s", "place_in_bar"))
        rows.writerows(
            (f"{time:.4f}", int(place)) for time, place in zip(song.track.times_s, song.track.places, strict=True)
        )
    data.write_text(json.dumps(beats_json(song), indent=1), encoding="utf-8")
    return table, data


def _clicks(song: Song, rate: int) -> Iterator[tuple[int, np.ndarray]]:
    """Return where each click begins, in samples, and its sound (n,)."""
    count = int(CLICK_S * rate)
    fade = np.exp(-np.arange(count) / (0.25 * count))
    sounds = {hz: (0.5 * np.sin(2 * np.pi * hz * np.arange(count) / rate) * fade) for hz in (CLICK_HZ, DOWNBEAT_HZ)}
    for time, place in zip(song.track.times_s, song.track.places, strict=True):
        yield round(float(time) * rate), sounds[DOWNBEAT_HZ if place == 1 else CLICK_HZ]


def write_clicks(song: Song, target: str | Path) -> Path:
    """Write the song with a click on every beat, higher on downbeats, as a WAV file, block by block."""
    import soundfile

    with soundfile.SoundFile(str(song.sound)) as source:
        rate = source.samplerate
        clicks = list(_clicks(song, rate))
        with soundfile.SoundFile(str(target), "w", rate, source.channels, "PCM_16") as made:
            start, number = 0, 0
            while len(block := source.read(BLOCK, dtype="float32", always_2d=True)):
                mixed, end = 0.6 * block, start + len(block)
                while number > 0 and clicks[number - 1][0] + len(clicks[number - 1][1]) > start:
                    number -= 1  # a click may lie over the edge of two blocks
                while number < len(clicks) and clicks[number][0] < end:
                    at, sound = clicks[number]
                    first, last = max(at, start), min(at + len(sound), end)
                    if last > first:
                        mixed[first - start : last - start] += sound[first - at : last - at, None].astype(np.float32)
                    number += 1
                made.write(np.clip(mixed, -1.0, 1.0))
                start = end
    return Path(target)


def corrected(song: Song, what: str, value: Any) -> Song:
    """Return the song with corrected beats, see `MusicVideoActions.correct`; raises ValueError with a sentence."""
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
