"""What passes between the Music tab and the composer: MusicRequest in, MusicChunk out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contracts import check_number, check_seed
from models.music.chords import parse_chords
from models.music.desk import MixingDesk
from models.music.score import Piece
from models.music.vocabulary import KEYS, METERS, STYLES, TEMPI, find_meter, find_tempo

FloatArray = NDArray[np.float32]

ACTIONS = ("compose", "continue", "rewrite", "ideas", "harmonise", "perform", "vary", "versions")
SEVERAL = ("ideas", "versions")
REWRITES = ("rewrite", "vary", "versions")
NEEDS_PIECE = ("continue", "harmonise", "perform", *REWRITES)
IDEAS = 4
MAX_NEW_BARS, MAX_IDEA_BARS, MAX_REWRITTEN_BARS = 128, 16, 16
MAX_ASKED_TRACKS = 8
MIN_TEMPO, MAX_TEMPO = 30.0, 260.0
NEW_TEMPO = 100.0  # of a new piece whose tempo is left open
MIN_DENSITY, MAX_DENSITY = 0.25, 16.0
MIN_REGISTER, MAX_REGISTER = 36.0, 84.0
MAX_PIECE_S = 15 * 60.0
MAX_NOTES = 60_000
MAX_NOTES_A_SECOND = 400
MAX_PROMPT_CHARACTERS = 1_000


def format_meter(meter: int) -> str:
    """Write a row of METERS as people do: "3/4"."""
    return f"{METERS[meter][0]}/{METERS[meter][1]}"


METER_NAMES = tuple(format_meter(index) for index in range(len(METERS)))


def measure_seconds(piece: Piece, tempo_scale: float = 1.0) -> float:
    """Measure how long a piece lasts, played `tempo_scale` times as fast as it says."""
    return piece.timing.to_seconds(piece.positions) / tempo_scale


def check_piece(piece: Piece, tempo_scale: float = 1.0) -> None:
    """Raise ValueError for a piece that cannot be played in this studio: silent, too long, or too thick."""
    if not piece.note_count:
        raise ValueError("The music holds no notes.")
    length_s = measure_seconds(piece, tempo_scale)
    if length_s > MAX_PIECE_S:
        raise ValueError(
            f"The music lasts {length_s / 60:.0f} minutes; pieces of up to {MAX_PIECE_S / 60:.0f} minutes can be used."
        )
    if piece.note_count > MAX_NOTES:
        raise ValueError(f"The music has {piece.note_count:,} notes; up to {MAX_NOTES:,} can be used.")
    starts, timing = piece.list_bar_starts(), piece.timing
    onsets = np.sort([note.start for track in piece.tracks for note in track.notes])
    for bar, start in zip(piece.bars, starts, strict=False):
        bar_s = (timing.to_seconds(start + bar.positions) - timing.to_seconds(start)) / tempo_scale
        second = bar.positions / max(bar_s, 1e-9)
        inside = onsets[np.searchsorted(onsets, start) : np.searchsorted(onsets, start + bar.positions)]
        if inside.size > MAX_NOTES_A_SECOND:
            crowd = np.searchsorted(inside, inside + second) - np.arange(inside.size)
            if crowd.max() > MAX_NOTES_A_SECOND:
                raise ValueError(
                    f"The music has {crowd.max():,} notes within one second; "
                    f"at most {MAX_NOTES_A_SECOND} can be played."
                )


@dataclass(frozen=True)
class MusicRequest:
    """What a person asks of the composer.

    What is left open ("" or 0 or None) stays as it is in the piece of an action of NEEDS_PIECE; of a new piece the
    model chooses it, but for the tempo, which is NEW_TEMPO.

    Args:
        action: one of ACTIONS. "compose" writes a piece, "continue" writes on, "rewrite" writes some bars anew, "ideas"
            writes IDEAS short pieces at once, "harmonise" keeps a melody and writes the rest, "perform" only plays,
            "vary" keeps the rhythm of some bars and changes pitches, "versions" writes some bars anew IDEAS times.
        style: the collection whose manner is asked, one of STYLES.
        key: one of KEYS, as "C major".
        tempo: quarters a minute; with a piece, those with which it begins: its changes of tempo stay in proportion.
        meter: as "3/4"; "continue" lays new bars in it, "perform" and "harmonise" all bars.
        density: notes that begin in a quarter, all instruments together.
        register: mean pitch of what is not drums; 60 is middle C.
        bars: how many to write ("continue": beyond what is there).
        programs: General MIDI programs of the melodic tracks, () leaves them to the model (with drums asked: none).
        drums: whether there are drums.
        temperature, top_p, repetition: how to choose among what is likely; see `sampling.SamplingSettings`.
        chords: as people write them, "Am F C G": one for each new bar, over and over; "" leaves them to the model.
        ends: whether the last bar ends the music, on a held chord; else it may go on from there, as a loop does.
        seed: fixes every random choice.
        piece: the music to go on from, for the actions of NEEDS_PIECE.
        tempo_scale: how many times as fast as it says that piece is played where `tempo` is left open.
        first_bar, last_bar: for REWRITES, counted from 1, both included.
        keep_bars: "continue" goes on after so many bars of the piece, and those that followed go; 0 keeps them all.
        mix: how loud each part is and where it stands, as `desk.MixingDesk` writes it.
        prompt: a description in words, for models that make sound from text; others leave it alone.
        lyrics: what is sung, for models that sing; sections may be marked, as "[verse]".
        vocal_language: code of ISO 639 of the lyrics; "" leaves it to the model.

    Raises:
        ValueError: names the field, the value and what is allowed.
    """

    action: str = "compose"
    style: str = ""
    key: str = ""
    tempo: float | None = None
    meter: str = ""
    density: float = 0.0
    register: float = 0.0
    bars: int = 16
    programs: tuple[int, ...] = ()
    drums: bool | None = None
    temperature: float = 1.0
    top_p: float = 0.96
    repetition: float = 0.0
    chords: str = ""
    ends: bool = True
    seed: int = 0
    piece: Piece | None = None
    tempo_scale: float = 1.0
    first_bar: int = 1
    last_bar: int = 1
    prompt: str = ""
    keep_bars: int = 0
    mix: str = ""
    lyrics: str = ""
    vocal_language: str = ""

    def __post_init__(self) -> None:
        _check_choice("action", self.action, ACTIONS)
        _check_choice("style", self.style, ("", *STYLES))
        _check_choice("key", self.key, ("", *KEYS[:-1]))
        _check_choice("meter", self.meter, ("", *METER_NAMES))
        if self.tempo is None:
            object.__setattr__(self, "tempo", 0.0)
        if self.tempo:
            check_number("tempo", self.tempo, MIN_TEMPO, MAX_TEMPO)
        if self.density:
            check_number("density", self.density, MIN_DENSITY, MAX_DENSITY)
        if self.register:
            check_number("register", self.register, MIN_REGISTER, MAX_REGISTER)
        _check_whole("bars", self.bars, 1, MAX_IDEA_BARS if self.action == "ideas" else MAX_NEW_BARS)
        if len(self.programs) > MAX_ASKED_TRACKS:
            raise ValueError(f"instruments has {len(self.programs)}; at most {MAX_ASKED_TRACKS} can be asked for.")
        for program in self.programs:
            _check_whole("instrument", program, 0, 127)
        parse_chords(self.chords)
        check_number("temperature", self.temperature, 0.0, 2.0)
        check_number("top_p", self.top_p, 0.05, 1.0)
        check_number("repetition", self.repetition, 0.0, 3.0)
        check_seed(self.seed)
        check_number("tempo_scale", self.tempo_scale, 0.05, 20.0)
        if not isinstance(self.prompt, str) or len(self.prompt) > MAX_PROMPT_CHARACTERS:
            raise ValueError(f"prompt must be text of at most {MAX_PROMPT_CHARACTERS:,} characters.")
        if not isinstance(self.lyrics, str) or len(self.lyrics) > MAX_PROMPT_CHARACTERS:
            raise ValueError(f"lyrics must be text of at most {MAX_PROMPT_CHARACTERS:,} characters.")
        if self.vocal_language and not re.fullmatch("[a-z]{2,3}", self.vocal_language):
            raise ValueError(f"vocal_language is {self.vocal_language!r}; it must be a code such as en, de or yue.")
        MixingDesk.parse(self.mix)
        if self.action in NEEDS_PIECE:
            self._check_source()

    @property
    def new_tempo(self) -> float:
        """Return the quarters a minute of a new piece."""
        return self.tempo or NEW_TEMPO

    @property
    def pace(self) -> float:
        """Return how many times as fast as the bars (or the exact tempi) of the music say it is played."""
        if self.action not in NEEDS_PIECE or self.piece is None:
            return self.new_tempo / TEMPI[find_tempo(self.new_tempo)]
        return self.tempo / self.piece.first_tempo if self.tempo else self.tempo_scale

    @property
    def desk(self) -> MixingDesk:
        """Return how loud each part is."""
        return MixingDesk.parse(self.mix)

    @property
    def meter_row(self) -> int | None:
        """Return the row of METERS that is asked for."""
        if not self.meter:
            return None
        beats, unit = self.meter.split("/")
        return find_meter(int(beats), int(unit))

    def _check_source(self) -> None:
        if self.piece is None:
            raise ValueError(f"There is no piece to {self.action} yet; compose one or open a MIDI file first.")
        check_piece(self.piece, self.pace)
        bars = len(self.piece.bars)
        if self.keep_bars:
            _check_whole("keep_bars", self.keep_bars, 1, bars)
        if self.action in REWRITES:
            _check_whole("first_bar", self.first_bar, 1, bars)
            _check_whole("last_bar", self.last_bar, self.first_bar, min(bars, self.first_bar + MAX_REWRITTEN_BARS - 1))
        if self.action == "harmonise" and not self.piece.melodic:
            raise ValueError("There is no melody to harmonise: the music holds drums alone.")
        if self.action == "harmonise" and bars > MAX_NEW_BARS:
            raise ValueError(f"The melody has {bars} bars; up to {MAX_NEW_BARS} can be harmonised.")
        seconds_added = 0.0 if self.action != "continue" else self.bars * 2.0
        if self.action == "continue" and measure_seconds(self.piece, self.pace) + seconds_added > MAX_PIECE_S:
            raise ValueError(f"The piece is already near {MAX_PIECE_S / 60:.0f} minutes long; it cannot be continued.")


def _check_choice(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        shown = ", ".join(repr(each) for each in allowed if each)
        raise ValueError(f"{name} is {value!r}; it must be one of {shown}, or left open.")


def _check_whole(name: str, value: Any, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} is {value!r}; it must be a whole number from {low} to {high}.")


@dataclass(frozen=True)
class TimedNote:
    """A note for the ear and the piano roll.

    Attributes:
        start_s, end_s: from the start of the piece.
        velocity: 1 to 127.
        track: index of MusicChunk.tracks.
        probability: what the model gave this pitch when it chose it; 1 for what was there before.
    """

    start_s: float
    end_s: float
    pitch: int
    velocity: int
    track: int
    probability: float = 1.0


@dataclass(frozen=True)
class BarSpan:
    """Where bar `number` (from 1) lies, in seconds from the start of the piece."""

    number: int
    start_s: float
    end_s: float


@dataclass(frozen=True)
class MusicChunk:
    """A portion of music, in order. The sound of an idea is the sum of its chunks.

    Attributes:
        samples: float32 (2, n) in [-1, 1], to be appended; n may be 0.
        sample_rate: samples in a second.
        notes: the notes that are new in this chunk.
        bars: the bars that are new in this chunk.
        tracks: (program, is drums) of each track.
        idea: which of the pieces that are written at once, from 0.
        sound_start_s: where in the piece the sound begins; later than 0 where only the new part is played.
        piece: the whole piece, with the last chunk of an idea; None from a model that makes sound and no notes.
        part: the bars that are new in this chunk, as a piece of their own.
        tempo_scale: how many times as fast as its bars say the piece is played.
        remarks: plain sentences for the person, all so far.
        done, total: bars written, of those asked.
        last: whether this chunk closes the work.
    """

    samples: FloatArray
    sample_rate: int
    notes: tuple[TimedNote, ...] = ()
    bars: tuple[BarSpan, ...] = ()
    tracks: tuple[tuple[int, bool], ...] = ()
    idea: int = 0
    sound_start_s: float = 0.0
    piece: Piece | None = None
    part: Piece | None = None
    tempo_scale: float = 1.0
    remarks: tuple[str, ...] = ()
    done: int = 0
    total: int = 1
    last: bool = False
