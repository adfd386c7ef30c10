"""A project: one ZIP with the song, its beats, the settings, the storyboard, and the photos and clips.

    project.json    what stands below, as plain values
    song.flac       the song as it is cut
    analysis.npz    what was heard in it
    files/          photos, clips and captions, each under its number and name

What is not in the ZIP is named in a sentence, and the rest opens all the same.
"""

from __future__ import annotations

import json
import shutil
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from models.media.limits import MAX_UPLOAD_BYTES
from studio import __version__
from studio.io import temp_folders
from studio.music_video.controls import FIELDS
from studio.music_video.listening import safe_name
from studio.music_video.media_field import MOST
from studio.music_video.requests import build_request
from studio.music_video.song import BLOCK, Song, new_folder
from studio.page.fields import Upload

FORMAT = 1
LARGEST_JSON_BYTES = 4 * 2**20
MOST_BYTES = 8 * MAX_UPLOAD_BYTES  # of all files together
CURVES = ("loudness", "percussion", "bass", "brightness")
NOT_ONE = "{} is no project of Auralume."
DAMAGED = "{} is damaged; save the project again where it was made."
GONE = "{} could not be put into the project: choose it again and save once more."
MISSING = "{} is not in the project: add it to Your photos and clips, under the same name."
NOT_THERE = "{} is not in the project: choose it again under {}."


@dataclass(frozen=True, eq=False)
class OpenedProject:
    """What a project holds: the form's values by name, the song, and sentences about what is missing."""

    values: dict[str, Any]
    song: Song
    notes: tuple[str, ...]


def list_uploads() -> tuple[str, ...]:
    """Return the names of the fields whose file goes into a project beside the song and the media."""
    return tuple(
        each.name for each in FIELDS.fields if isinstance(each, Upload) and each.name not in ("song", "beats_from")
    )


def save_project(values: Mapping[str, Any], song: Song, target: Path) -> tuple[str, ...]:
    """Write a project; return sentences about files that are gone.

    Raises:
        ValueError: a value cannot be used.
    """
    from models.music_video.plan import plan_video

    storyboard = plan_video(build_request(song, values, False, target)).storyboard
    told = FIELDS.settings({**values, "storyboard": storyboard.to_json()})
    uploads = {name: str(values[name]) for name in list_uploads() if values.get(name)}
    media = [str(each) for each in values.get("media") or ()]
    files: dict[str, str] = {}  # of paths, their names in the ZIP
    notes = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for number, path in enumerate([*uploads.values(), *media]):
            try:
                files[path] = f"files/{number:03d}-{Path(path).name}"
                archive.write(path, files[path])
            except OSError:
                notes.append(GONE.format(Path(path).name))
        packed = _pack_song(song)
        archive.write(packed, "song.flac")
        packed.unlink()
        heard = song.analysis
        with archive.open("analysis.npz", "w") as file:
            curves = {name: getattr(heard.features, name) for name in CURVES}
            np.savez_compressed(file, activations=heard.activations, wave=heard.wave, **curves)
        project = {
            "auralume_project": FORMAT,
            "version": __version__,
            "seed": int(values.get("seed") or 0),
            "settings": told,
            "song": {"name": song.name, "duration_s": song.duration_s},
            "beats": [song.track.times_s.tolist(), song.track.places.tolist()],
            "heard_beats": [heard.track.times_s.tolist(), heard.track.places.tolist()],
            "sections": [[each.start_s, each.end_s, each.label] for each in song.sections],
            "uploads": {name: files.get(path, "") for name, path in uploads.items()},
            "media": [[Path(path).name, files.get(path, "")] for path in media],
        }
        archive.writestr("project.json", json.dumps(project, ensure_ascii=False, indent=1))
    return tuple(notes)


def _pack_song(song: Song) -> Path:
    """Write the song as FLAC into its folder, block by block."""
    import soundfile

    path = song.folder / "song.flac"
    with soundfile.SoundFile(str(song.sound)) as source:
        form = {"samplerate": source.samplerate, "channels": source.channels, "subtype": "PCM_16"}
        with soundfile.SoundFile(str(path), "w", **form) as packed:
            for block in source.blocks(BLOCK, dtype="int16"):
                packed.write(block)
    return path


def open_project(path: Path) -> OpenedProject:
    """Open a project; its files lie in the folder of its song.

    Raises:
        ValueError: it is none, is damaged, or is too large.
    """
    name, folder = path.name, new_folder()
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(each.file_size for each in archive.infolist()) > MOST_BYTES:
                raise ValueError(f"{name} holds more than {MOST_BYTES // 2**30} GB, which is too much.")
            project = _read_json(archive, name)
            return _open(archive, project, folder)
    except zipfile.BadZipFile as error:
        temp_folders.release(folder)
        raise ValueError(NOT_ONE.format(name)) from error
    except (
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        OSError,
        EOFError,
        NotImplementedError,
        zlib.error,
    ) as error:
        temp_folders.release(folder)
        raise ValueError(DAMAGED.format(name)) from error
    except BaseException:
        temp_folders.release(folder)
        raise


def _read_json(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    try:
        facts = archive.getinfo("project.json")
        text = archive.read(facts) if facts.file_size <= LARGEST_JSON_BYTES else b""
        project = json.loads(text)
    except (KeyError, ValueError, RecursionError) as error:
        raise ValueError(NOT_ONE.format(name)) from error
    if not isinstance(project, dict) or project.get("auralume_project") != FORMAT:
        raise ValueError(NOT_ONE.format(name))
    return project


def _open(archive: zipfile.ZipFile, project: dict[str, Any], folder: Path) -> OpenedProject:
    song = _open_song(archive, project, folder)
    values = FIELDS.restore(dict(project["settings"]), int(project["seed"]))
    known = set(archive.namelist())
    found, notes = _extract_media(archive, [(str(name), stored) for name, stored in project["media"]][:MOST], folder)
    values["media"] = [str(path) for path in found] or None
    for name in list_uploads():
        stored = project["uploads"].get(name, "")
        is_there = stored in known
        values[name] = str(_extract(archive, stored, folder / name, stored[10:])) if is_there else None
        if stored and not is_there:
            notes.append(NOT_THERE.format(stored[10:], FIELDS[name].label))
    return OpenedProject(values, song, tuple(notes))


def _extract_media(
    archive: zipfile.ZipFile, media: list[tuple[str, str]], folder: Path
) -> tuple[list[Path], list[str]]:
    """Write the photos and clips of a project; return them, and sentences about those that are missing.

    A name of several may stand for another once one of them is missing; then a file gets that by which the storyboard
    knows it.
    """
    from models.music_video.storyboard import name_media

    known, wanted = set(archive.namelist()), name_media([_take_name(name) for name, _ in media])
    found: list[Path] = []
    notes = []
    for number, (name, stored) in enumerate(media):
        if stored not in known:
            notes.append(MISSING.format(name))
            continue
        own = name_media([*found, _take_name(name)])[-1]
        told = name if own == wanted[number] else wanted[number]
        found.append(_extract(archive, stored, folder / f"media-{number}", told))
    return found, notes


def _take_name(name: str) -> Path:
    """Return a file's name without the folders that it names."""
    return Path(PurePosixPath(name.replace("\\", "/")).name or "file")


def _extract(archive: zipfile.ZipFile, stored: str, folder: Path, name: str) -> Path:
    """Write a file of the ZIP under its own name, whatever folders that names."""
    folder.mkdir()
    target = folder / _take_name(str(name))
    with archive.open(stored) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file)
    return target


def _open_song(archive: zipfile.ZipFile, project: dict[str, Any], folder: Path) -> Song:
    from models.beats.detector import BeatTrack
    from models.media.sound import unpack_song
    from models.music_video.analysis import SongAnalysis
    from models.music_video.features import MusicFeatures, Section

    given = _extract(archive, "song.flac", folder / "song", "song.flac")
    sound = folder / "song.wav"
    duration_s = unpack_song(given, sound)

    def read_beats(name: str) -> BeatTrack:
        times, places = project[name]
        return BeatTrack(np.asarray(times, dtype=np.float64), np.asarray(places, dtype=np.int64))

    curves, activations, wave = _read_curves(archive)
    sections = tuple(Section(float(a), float(b), str(label)[:4]) for a, b, label in project["sections"])
    features = MusicFeatures(**curves, sections=sections)
    heard = SongAnalysis(duration_s, read_beats("heard_beats"), activations, features, wave)
    return Song(folder, sound, safe_name(str(project["song"]["name"])), duration_s, heard, read_beats("beats"))


def _read_curves(archive: zipfile.ZipFile) -> tuple[dict[str, Any], Any, Any]:
    """Read the curves of a song, its activations and its outline.

    Raises:
        TypeError: they are none.
    """
    try:
        with archive.open("analysis.npz") as file, np.load(file, allow_pickle=False) as kept:
            curves = {name: np.asarray(kept[name], dtype=np.float32) for name in CURVES}
            activations, wave = np.asarray(kept["activations"], np.float32), np.asarray(kept["wave"], np.float32)
    except (ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise TypeError("the curves cannot be read") from error
    if activations.ndim != 2 or any(curve.ndim != 1 for curve in (*curves.values(), wave)):
        raise TypeError("the curves have other shapes")
    return curves, activations, wave
