"""One piece of music as it arrives: collects the chunks of a generation and makes its files; knows no page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contracts import Task
from models.music.contracts import REWRITES, BarSpan, MusicChunk, MusicRequest, TimedNote
from models.music.desk import MixingDesk
from models.music.editing import join_bars
from models.music.piece_builder import PieceBuilder
from models.music.score import Piece
from models.music.source_piece import prepare_source
from studio.io import audio_files
from studio.io.recipes import Recipe, write_recipe
from studio.library.naming import prompt_of, stem_of
from studio.music.controls import FIELDS
from studio.music.history import History, Version
from studio.page.stream_pacing import sound_tail

FloatArray = NDArray[np.float32]
FILES = ("wav", "midi", "mp3", "stems", "score")
ON_DEMAND = FILES[3:]  # made when a button asks for them
SOUND = "whole"  # the WAV file once more, for the page's own player
DRUMS_ASKED = {"any": None, "yes": True, "no": False}
SUNG = ("lyrics", "vocal_language")  # noted where they were given; older files have no such lines
IN_FILES = (  # the order in which files have held the settings since 0.1.0
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
    "first_bar",
    "last_bar",
    "prompt",
    "instruments",
    "drums",
)


@dataclass
class MusicTake:
    """Everything that one piece has given so far; samples are counted in frames of two channels."""

    sample_rate: int = 0
    sounds: list[FloatArray] = field(default_factory=list)
    notes: list[TimedNote] = field(default_factory=list)
    bars: list[BarSpan] = field(default_factory=list)
    tracks: tuple[tuple[int, bool], ...] = ()
    sound_start_s: float = 0.0
    piece: Piece | None = None
    tempo_scale: float = 1.0
    remarks: tuple[str, ...] = ()
    samples_count: int = 0
    done: int = 0
    total: int = 1
    finished: bool = False
    recipe: Recipe | None = None  # how it was made, once it is finished
    desk: MixingDesk = field(default_factory=MixingDesk)
    is_edited: bool = False
    is_streamed: bool = True  # whether the player of what is being made has its sound
    history: History = field(default_factory=History)
    parts: dict[int, Piece] = field(default_factory=dict)  # bars that were written, by their number
    whole: FloatArray | None = None  # the sound of the whole piece where `sounds` is that of a part

    @classmethod
    def from_version(cls, version: Version, history: History) -> MusicTake:
        """Make the finished take of a version, which has no sound yet."""
        builder = PieceBuilder.from_piece(version.piece, version.tempo_scale)
        numbers = range(len(builder.bars))
        return cls(
            notes=[note for index in numbers for note in builder.time_notes(index)],
            bars=[builder.locate_bar(index) for index in numbers],
            tracks=tuple(builder.tracks),
            piece=version.piece,
            tempo_scale=version.tempo_scale,
            remarks=version.piece.remarks,
            done=len(numbers),
            total=len(numbers),
            finished=True,
            recipe=version.recipe,
            desk=version.desk,
            is_edited=version.is_edited,
            is_streamed=False,
            history=history,
        )

    @property
    def version(self) -> Version:
        """Return the piece as it stands.

        Raises:
            ValueError: there is no piece.
        """
        if self.piece is None:
            raise ValueError("There is no piece yet; compose one first.")
        return Version(self.piece, self.tempo_scale, self.desk, self.recipe, self.is_edited)

    @property
    def duration_s(self) -> float:
        """Return the length of the sound so far."""
        return self.samples_count / self.sample_rate if self.sample_rate else 0.0

    @property
    def length_s(self) -> float:
        """Return the length of the bars so far."""
        return self.bars[-1].end_s if self.bars else 0.0

    @property
    def heard_tracks(self) -> tuple[tuple[int, bool], ...]:
        """Return the tracks that have a note."""
        heard = {note.track for note in self.notes}
        return tuple(track for index, track in enumerate(self.tracks) if index in heard)

    def add(self, chunk: MusicChunk) -> None:
        """Take in the next chunk of this piece; a bar that comes again replaces the one before."""
        self.sample_rate, self.sound_start_s = chunk.sample_rate, chunk.sound_start_s
        if chunk.samples.shape[1]:
            self.sounds.append(chunk.samples)
            self.samples_count += chunk.samples.shape[1]
        self.notes += chunk.notes
        self.bars = sorted({bar.number: bar for bar in (*self.bars, *chunk.bars)}.values(), key=lambda bar: bar.number)
        self.tracks, self.remarks, self.tempo_scale = chunk.tracks, chunk.remarks, chunk.tempo_scale
        self.done, self.total = chunk.done, chunk.total
        if chunk.part is not None:
            self.parts |= {bar.number: chunk.part for bar in chunk.bars}
        if chunk.piece is not None:
            self.piece = chunk.piece
        self.finished = self.finished or chunk.piece is not None or chunk.last

    def stop(self, request: MusicRequest) -> MusicTake | None:
        """Return what is written so far of an unfinished piece as a finished one; None where that is nothing.

        Bars that were to be written anew, and are not yet, stay what they were.
        """
        if self.done < 1 or not self.parts:
            return None
        source = prepare_source(request) if request.piece is not None else None
        parts = [self.parts[number] for number in sorted(self.parts)]
        if source is not None and request.action in REWRITES:
            parts.append(source.slice(len(parts), len(source.bars)))
        piece = join_bars(parts, source.tempo_map if source is not None else None)
        if not piece.note_count:
            return None
        kept = MusicTake.from_version(Version(piece, self.tempo_scale, self.desk), self.history)
        kept.remarks, kept.sample_rate = self.remarks, self.sample_rate
        return kept

    def hold(self, sound: FloatArray, sample_rate: int) -> None:
        """Take the sound of the whole finished piece, (2, n)."""
        self.whole, self.sample_rate = sound, sample_rate
        if not self.is_streamed:
            self.sounds, self.samples_count = [sound], sound.shape[1]

    def sound(self) -> FloatArray:
        """Return the sound of the whole piece, or of what was played so far, float32 (2, n)."""
        if self.whole is not None:
            return self.whole
        return np.concatenate(self.sounds, axis=1) if self.sounds else np.zeros((2, 0), dtype=np.float32)

    def sound_since(self, start: int) -> FloatArray:
        """Return what follows sample `start`, float32 (2, n); looks only at the pieces it needs."""
        return sound_tail(self.sounds, self.samples_count, start, (2,))

    def recent(self, bars: int) -> tuple[list[TimedNote], list[BarSpan]]:
        """Return notes and lines of the last bars."""
        lines = self.bars[-bars:]
        first_s = lines[0].start_s - 1e-6 if lines else 0.0
        return [note for note in self.notes if note.start_s >= first_s], lines


def save_take(
    take: MusicTake,
    sound: FloatArray,
    recipe: Recipe,
    folder: str | Path,
    suffix: str = "",
    with_mp3: bool = True,
) -> dict[str, Path | None]:
    """Write WAV, MIDI and MP3 with their recipe, by FILES.

    MIDI is None for sound without notes, MP3 where it cannot be written.

    Args:
        sound: of the whole piece, (2, n).
        with_mp3: encoding takes the longest, so it can be left for later.

    Raises:
        ValueError: the take is not finished.
    """
    if not take.finished:
        raise ValueError("The piece is not finished yet.")
    stem = Path(folder) / f"{file_stem(recipe)}{suffix}"
    midi: Path | None = None
    if take.piece is not None:
        from models.music.midi_io import to_mido

        midi = stem.with_suffix(".mid")
        to_mido(take.piece, take.tempo_scale, take.desk).save(midi)
        write_recipe(midi, recipe)
    wav = audio_files.write_wav(stem.with_suffix(".wav"), sound, take.sample_rate)
    write_recipe(wav, recipe)
    mp3: Path | None = None
    if with_mp3:
        try:
            mp3 = audio_files.write_mp3(stem.with_suffix(".mp3"), sound, take.sample_rate)
            write_recipe(mp3, recipe)
        except audio_files.MediaError:
            mp3 = None
    return {SOUND: wav, "wav": wav, "midi": midi, "mp3": mp3} | dict.fromkeys(ON_DEMAND)


def file_stem(recipe: Recipe) -> str:
    """Return a file name that says what was asked for: "lofi-a-minor-80-bpm-compose-4711"."""
    told, tempo = recipe.settings, float(recipe.settings.get("tempo") or 0)
    action = told.get("action") or "compose"
    if said := prompt_of(told):
        return stem_of(said, action, recipe.seed)
    return stem_of(
        told.get("style") or "music", told.get("key"), f"{tempo:g} bpm" if tempo else "", action, recipe.seed
    )


def recipe_of(request: MusicRequest, model: str, revision: str) -> Recipe:
    """Return the recipe of a take; a piece that was given is not part of it."""
    drums = next(name for name, asked in DRUMS_ASKED.items() if asked is request.drums)
    values: dict[str, Any] = {"instruments": request.programs, "drums": drums}
    values |= {each.name: getattr(request, each.name) for each in FIELDS.fields if hasattr(request, each.name)} | values
    settings = FIELDS.settings(values)
    settings = {name: value for name, value in settings.items() if value or name not in SUNG}
    ordered = {name: settings[name] for name in IN_FILES}
    return Recipe(Task.MUSIC, model, revision, request.seed, ordered | settings)


def join_sound(chunks: Iterable[MusicChunk]) -> FloatArray:
    """Return the sound of chunks of one piece, (2, n)."""
    sounds = [chunk.samples for chunk in chunks]
    return np.concatenate(sounds, axis=1) if sounds else np.zeros((2, 0), dtype=np.float32)
