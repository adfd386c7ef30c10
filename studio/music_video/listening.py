"""A song as it comes in: unpacked, heard, and shown with its beats."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from studio.io import audio_files, temp_folders
from studio.music_video.beat_plot import beat_plot
from studio.music_video.song import LONGEST_SONG_S, Song, new_folder, write_beats, write_clicks
from studio.page import html
from studio.page.events import Events, Files, Kept, Pictures, Status


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
