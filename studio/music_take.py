"""One take of music: collects the chunks of a generation and makes its files; knows no page."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import mido
import numpy as np
from numpy.typing import NDArray

from models.music.contracts import BarLine, HeardNote, MusicChunk, MusicRequest, meter_name, seconds_of
from models.music.controls import measure_key
from models.music.draft import Draft
from models.music.midi_io import to_mido
from models.music.score import Piece, Track
from models.music.vocabulary import KEYS, PITCH_CLASSES, TEMPI
from studio import media
from studio.music_presets import INSTRUMENTS, track_name
from studio.recipes import Recipe, write_recipe

FloatArray = NDArray[np.float32]
SETTINGS = (
    "action",
    "style",
    "key",
    "tempo",
    "meter",
    "density",
    "register",
    "bars",
    "temperature",
    "top_p",
    "repetition",
)


@dataclass
class MusicTake:
    """Everything that one piece has given so far. The sound is float32 (2, n)."""

    sample_rate: int = 44_100
    sounds: list[FloatArray] = field(default_factory=list)
    samples_count: int = 0
    notes: list[HeardNote] = field(default_factory=list)
    bars: list[BarLine] = field(default_factory=list)
    tracks: tuple[tuple[int, bool], ...] = ()
    sound_start_s: float = 0.0
    new_from: int = 1  # the first bar that was not there before
    new_to: int = 0  # the last one
    piece: Piece | None = None
    tempo_scale: float = 1.0
    remarks: tuple[str, ...] = ()
    done: int = 0
    total: int = 1
    finished: bool = False

    @property
    def duration_s(self) -> float:
        """Length of the sound so far."""
        return self.samples_count / self.sample_rate

    @property
    def length_s(self) -> float:
        """Length of the bars so far."""
        return max((bar.end_s for bar in self.bars), default=0.0)

    @property
    def is_excerpt(self) -> bool:
        """Whether the sound is only a part of the piece."""
        return self.sound_start_s > 0 or self.duration_s + 0.05 < self.length_s

    def add(self, chunk: MusicChunk) -> None:
        """Take in the next chunk."""
        self.sample_rate, self.tracks = chunk.sample_rate, chunk.tracks
        self.sound_start_s, self.tempo_scale = chunk.sound_start_s, chunk.tempo_scale
        self.remarks, self.done, self.total = chunk.remarks, chunk.done, chunk.total
        self.notes += chunk.notes
        self.bars += chunk.bars
        if chunk.samples.size:
            self.sounds.append(chunk.samples)
            self.samples_count += chunk.samples.shape[1]
        if chunk.piece is not None:
            self.piece = chunk.piece
        self.finished = self.finished or chunk.last

    def sound(self) -> FloatArray:
        """The whole sound so far, float32 (2, n)."""
        return np.concatenate(self.sounds, axis=1) if self.sounds else np.zeros((2, 0), np.float32)

    def sound_since(self, start: int) -> FloatArray:
        """What follows sample `start`, float32 (2, n); looks only at the pieces it needs."""
        pieces: list[FloatArray] = []
        end = self.samples_count
        for piece in reversed(self.sounds):
            if end <= start:
                break
            begin = end - piece.shape[1]
            pieces.append(piece[:, max(0, start - begin) :])
            end = begin
        return np.concatenate(pieces[::-1], axis=1) if pieces else np.zeros((2, 0), np.float32)


@dataclass(frozen=True)
class Current:
    """The piece that the tab holds: what Continue, Rewrite, Harmonise and the change of key or tempo go on from."""

    piece: Piece
    tempo_scale: float
    notes: tuple[HeardNote, ...]
    bars: tuple[BarLine, ...]
    name: str = ""

    @classmethod
    def of(cls, piece: Piece, tempo_scale: float = 1.0, name: str = "") -> Current:
        """A piece with its notes and bars laid out in time."""
        draft = Draft.of(piece, tempo_scale)
        notes = tuple(note for index in range(len(piece.bars)) for note in draft.heard(index))
        bars = tuple(draft.bar_line(index) for index in range(len(piece.bars)))
        return cls(piece, tempo_scale, notes, bars, name)

    @property
    def tempo(self) -> float:
        """Quarters a minute in the first bar."""
        return TEMPI[self.piece.bars[0].tempo] * self.tempo_scale

    @property
    def tracks(self) -> tuple[tuple[int, bool], ...]:
        """(program, is drums) of each track."""
        return tuple((track.program, track.is_drum) for track in self.piece.tracks)

    def facts(self) -> str:
        """What it is, in a line."""
        key = KEYS[measure_key(self.piece)]
        parts = [
            f"{len(self.piece.bars)} bars of {meter_name(self.piece.bars[0].meter)}",
            f"{self.piece.note_count:,} notes",
            f"{self.tempo:.0f} beats a minute",
            *([] if key == "none" else [key]),
        ]
        return ", ".join(parts)

    def changed(self, key: str, tempo: float) -> Current:
        """The same music in another key (its mode stays), at another tempo; "" and 0 leave it as it is.

        Raises:
            ValueError: the key is unknown, or the tempo out of range.
        """
        piece = self.piece
        if key:
            if key not in PITCH_CLASSES:
                raise ValueError(f"key is {key!r}; it must be one of {', '.join(PITCH_CLASSES)}.")
            measured = measure_key(piece)
            if KEYS[measured] == "none":
                raise ValueError("This piece has no key: it holds drums alone. Its tempo can be changed.")
            up = (PITCH_CLASSES.index(key) - measured % 12) % 12
            piece = transposed(piece, up if up <= 6 else up - 12)
        scale = self.tempo_scale
        if tempo:
            request = MusicRequest(tempo=tempo)  # checks the range
            scale *= request.tempo / self.tempo
        return Current.of(piece, scale, self.name)


def transposed(piece: Piece, semitones: int) -> Piece:
    """All but the drums higher or lower; what would leave the keyboard comes back by an octave."""

    def moved(pitch: int) -> int:
        pitch += semitones
        return pitch + 12 if pitch < 0 else pitch - 12 if pitch > 127 else pitch

    tracks = []
    for track in piece.tracks:
        notes = track.notes
        if not track.is_drum:
            notes = tuple(type(note)(note.start, moved(note.pitch), note.duration, note.velocity) for note in notes)
        tracks.append(Track.of(track.program, track.is_drum, notes))
    return Piece(piece.bars, tuple(tracks))


@dataclass(frozen=True)
class MusicFiles:
    """Where the files of a take are."""

    wav: Path
    midi: Path
    mp3: Path | None


def save_midi(piece: Piece, tempo_scale: float, path: Path, recipe: Recipe | None) -> Path:
    """Write a piece as a MIDI file with named tracks and its recipe."""
    song = to_mido(piece, tempo_scale)
    sounding = [track for track in piece.tracks if track.notes]
    for track, written in zip(sounding, song.tracks[1:], strict=True):
        written.insert(0, mido.MetaMessage("track_name", name=track_name(track.program, track.is_drum)))
    song.save(path)
    if recipe is not None:
        write_recipe(path, recipe)
    return path


def save_sound(sound: FloatArray, sample_rate: int, recipe: Recipe, stem: Path) -> tuple[Path, Path | None]:
    """Write WAV and MP3 with their recipe; MP3 is left out where it cannot be written."""
    wav = media.write_wav(stem.with_suffix(".wav"), sound, sample_rate)
    write_recipe(wav, recipe)
    try:
        mp3 = media.write_mp3(stem.with_suffix(".mp3"), sound, sample_rate)
        write_recipe(mp3, recipe)
    except media.MediaError:
        return wav, None
    return wav, mp3


def recipe_of(request: MusicRequest, model: str, revision: str) -> Recipe:
    """The recipe of a take. Of the music it went on from, only that there was some can be told."""
    settings: dict[str, str | int | float | bool] = {name: getattr(request, name) for name in SETTINGS}
    settings["instruments"] = ", ".join(INSTRUMENTS[program] for program in request.programs)
    settings["drums"] = "any" if request.drums is None else "with" if request.drums else "without"
    if request.action == "rewrite":
        settings |= {"first_bar": request.first_bar, "last_bar": request.last_bar}
    return Recipe("music", model, revision, request.seed, settings)


def file_stem(request: MusicRequest) -> str:
    """A short file name: "music-pop-c-major-7"."""
    words = ["music", request.action if request.action != "compose" else "", request.style, request.key]
    return "-".join([*(word.lower().replace(" ", "-") for word in words if word), str(request.seed)])


def length_of(piece: Piece, tempo_scale: float) -> float:
    """Seconds from the first bar to the end of the last."""
    return seconds_of(piece, tempo_scale)
