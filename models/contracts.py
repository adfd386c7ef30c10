"""Requests and chunks: the small dataclasses that pass between the studio's tabs and the generators.

Every generator takes a frozen request and yields chunks; the last chunk closes the work. A request checks itself when
it is built, so that a generator never meets a value out of range.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

MAX_SEED = 2**32 - 1
MAX_TEXT_CHARACTERS = 20_000
MAX_ENTRIES, MAX_ENTRY_CHARACTERS = 500, 200
VOCODERS = ("neural", "griffin-lim")


class Task(StrEnum):
    """A task that models and recipes serve; the first part of a model's key in the catalogue."""

    SPEECH = "speech"
    MUSIC = "music"
    VIDEO = "video"
    SYNC = "video_sync"
    BEATS = "beats"
    MUSIC_VIDEO = "music_video"
    STYLE_VIDEO = "style_video"
    STYLE_AUDIO = "style_audio"


def check_number(name: str, value: Any, low: float, high: float) -> None:
    """Raise ValueError unless `value` is a finite number in [low, high]."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not low <= value <= high:
        raise ValueError(f"{name} is {value!r}; it must be a number from {low:g} to {high:g}.")


def check_seed(value: Any) -> None:
    """Raise ValueError unless `value` is a whole number in [0, MAX_SEED]."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SEED:
        raise ValueError(f"seed is {value!r}; it must be a whole number from 0 to {MAX_SEED}.")


def check_entries(dictionary: Any) -> None:
    """Raise ValueError unless `dictionary` is a tuple of pairs of texts that are neither empty nor too long."""
    if not isinstance(dictionary, tuple) or len(dictionary) > MAX_ENTRIES:
        raise ValueError(f"dictionary must be a tuple of at most {MAX_ENTRIES} pairs (word, how it is said).")
    for entry in dictionary:
        is_pair = isinstance(entry, tuple) and len(entry) == 2 and all(isinstance(text, str) for text in entry)
        if not is_pair:
            raise ValueError(f"dictionary has {entry!r}; each entry must be a pair of texts (word, how it is said).")
        if not all(0 < len(text.strip()) <= MAX_ENTRY_CHARACTERS for text in entry):
            raise ValueError(
                f"dictionary has {entry!r}; both texts of an entry must have 1 to {MAX_ENTRY_CHARACTERS} characters."
            )


@dataclass(frozen=True)
class SpeechRequest:
    """What a person asks of a speech generator.

    Args:
        text: what to say, 1 to MAX_TEXT_CHARACTERS characters.
        voice: key of one of the model's voices; "" is the model's first voice.
        seed: fixes every random choice; equal requests give equal sound.
        speed: how fast, relative to the voice's own pace (2.0 is twice as fast).
        pitch_semitones: how much higher or lower than the voice's own mean pitch.
        energy_db: how much louder or softer than the voice's own mean loudness.
        vocoder: "neural", or "griffin-lim" as the yardstick.
        dictionary: words of the person's own, each with its respelling, its /IPA/ or its ARPAbet.
        second_voice: key of a voice that is mixed in, by models that can; "" is none.
        blend: how much of the second voice, from 0 to 1.

    Raises:
        ValueError: names the field, the value and what is allowed.
    """

    text: str
    voice: str = ""
    seed: int = 0
    speed: float = 1.0
    pitch_semitones: float = 0.0
    energy_db: float = 0.0
    vocoder: str = "neural"
    dictionary: tuple[tuple[str, str], ...] = ()
    second_voice: str = ""
    blend: float = 0.5

    def __post_init__(self) -> None:
        if not isinstance(self.text, str) or not self.text.strip():
            raise ValueError("text is empty; type at least one word to speak.")
        if len(self.text) > MAX_TEXT_CHARACTERS:
            raise ValueError(
                f"text has {len(self.text):,} characters; at most {MAX_TEXT_CHARACTERS:,} can be spoken at once."
            )
        check_seed(self.seed)
        check_number("speed", self.speed, 0.5, 2.0)
        check_number("pitch_semitones", self.pitch_semitones, -6.0, 6.0)
        check_number("energy_db", self.energy_db, -10.0, 10.0)
        check_number("blend", self.blend, 0.0, 1.0)
        if self.vocoder not in VOCODERS:
            raise ValueError(f"vocoder is {self.vocoder!r}; it must be one of {', '.join(VOCODERS)}.")
        check_entries(self.dictionary)


@dataclass(frozen=True)
class WordTiming:
    """A word as written and when it is heard, in seconds from the start of the whole sound.

    Attributes:
        marked: the word with the quotes and marks that stand at it, as captions show it; empty where nobody knows them.
    """

    text: str
    start_s: float
    end_s: float
    marked: str = ""

    @property
    def shown(self) -> str:
        """Return the word as captions show it."""
        return self.marked or self.text


@dataclass(frozen=True)
class SpeechChunk:
    """A piece of speech, in order; the whole result is the sum of its chunks.

    Attributes:
        samples: float32 (n,) in [-1, 1], to be appended to what came before; n may be 0.
        sample_rate: samples in a second.
        mel: float32 (frames, n_mels), the natural-log mel frames that are new in this chunk.
        alignment: float32 (decoder_steps, symbols), attention of the sentence being spoken, so far.
        symbols: labels of the alignment's second axis, one a symbol.
        sentence: index of the sentence being spoken, from 0.
        sentences: how many are known so far, this one included.
        words: every word finished so far, over all sentences.
        verdict: a plain sentence about the alignment of the sentence that just ended, else "".
        notes: plain sentences for the person, all so far (what was left out of the text, a retry ...).
        done, total: progress in characters of the text.
        last: whether this chunk closes the work.
    """

    samples: FloatArray
    sample_rate: int
    mel: FloatArray
    alignment: FloatArray
    symbols: tuple[str, ...]
    sentence: int
    sentences: int
    words: tuple[WordTiming, ...] = ()
    verdict: str = ""
    notes: tuple[str, ...] = ()
    done: int = 0
    total: int = 1
    last: bool = False


@dataclass(frozen=True)
class Voice:
    """A voice that a speech model offers."""

    key: str
    title: str
    licence: str
    credit: str = ""


@dataclass(frozen=True, eq=False)
class AudioStyleRequest:
    """What a person asks of an audio style model: the content's words and rhythm in the style's timbre and texture.

    Args:
        content: float32 (n,) or (channels, n) in [-1, 1], or the path of a sound file.
        style: likewise, or None where a preset is meant.
        preset: key of one of the model's presets; exactly one of `style` and `preset` is given.
        content_rate, style_rate: samples in a second of arrays; a file knows its own.
        strength: 0 leaves the content as it is, 1 goes the whole way to the style.
        move_pitch: whether a voice's pitch goes to the pitch of the style's voice.
        low_latency: small chunks from the start, at the price of more work.
        seed: of the noise source; equal requests give equal sound.
        words: the style in words, for models that take it so; it then stands in the place of `style` and `preset`.

    Raises:
        ValueError: names the field, the value and what is allowed.
    """

    FILE_FIELDS: ClassVar[tuple[str, ...]] = ("content", "style")

    content: FloatArray | str | Path
    style: FloatArray | str | Path | None = None
    preset: str = ""
    content_rate: int = 22_050
    style_rate: int = 22_050
    strength: float = 0.8
    move_pitch: bool = True
    low_latency: bool = False
    seed: int = 0
    words: str = ""

    def __post_init__(self) -> None:
        if [self.style is not None, bool(self.preset), bool(self.words)].count(True) != 1:
            raise ValueError("Choose either a style sound or one of the presets, and not both.")
        if not isinstance(self.words, str) or len(self.words) > MAX_PROMPT_CHARACTERS:
            raise ValueError(f"words must be text of at most {MAX_PROMPT_CHARACTERS:,} characters.")
        check_number("strength", self.strength, 0.0, 1.0)
        check_number("content_rate", self.content_rate, 4_000, 384_000)
        check_number("style_rate", self.style_rate, 4_000, 384_000)
        check_seed(self.seed)


@dataclass(frozen=True, eq=False)
class AudioStyleStatistics:
    """What was moved from where to where, for the plot: decibels over mel bands, of frames that are not silent.

    Attributes:
        band_hz: float32 (bands,), centres.
        content_mean_db, style_mean_db, wanted_mean_db, result_mean_db: float32 (bands,), mean level over time.
        content_std_db, style_std_db, wanted_std_db, result_std_db: float32 (bands,), standard deviation over time.
        content_pitch_hz, style_pitch_hz, result_pitch_hz: median pitch; 0 where there is none or it is no part of the
            style. Wanted is what the strength asks for; result is what has come out so far.
    """

    band_hz: FloatArray
    content_mean_db: FloatArray
    content_std_db: FloatArray
    style_mean_db: FloatArray
    style_std_db: FloatArray
    wanted_mean_db: FloatArray
    wanted_std_db: FloatArray
    result_mean_db: FloatArray
    result_std_db: FloatArray
    content_pitch_hz: float = 0.0
    style_pitch_hz: float = 0.0
    result_pitch_hz: float = 0.0


@dataclass(frozen=True, eq=False)
class AudioStyleChunk:
    """A piece of restyled sound, in order; the whole result is the sum of its chunks.

    Attributes:
        samples: float32 (n,) in [-1, 1], to be appended to what came before; n may be 0.
        sample_rate: samples in a second.
        stage: "listening" while content and style are analysed, then "restyling".
        done, total: progress in samples of the content (at `sample_rate`) within the stage.
        statistics: what was moved so far; None while listening.
        notes: plain sentences for the person, all so far.
        last: whether this chunk closes the work.
    """

    samples: FloatArray
    sample_rate: int
    stage: str
    done: int
    total: int
    statistics: AudioStyleStatistics | None = None
    notes: tuple[str, ...] = ()
    last: bool = False


MAX_PROMPT_CHARACTERS = 2_000
MAX_VIDEO_FRAMES = 256
MAX_VIDEO_STEPS = 100
ASPECTS = {"": (1, 1), "1:1": (1, 1), "16:9": (16, 9), "9:16": (9, 16)}  # width to height; "" for as the model draws


@dataclass(frozen=True, eq=False)
class VideoRequest:
    """What a person asks of a video generator.

    Args:
        prompt: what to show, 1 to MAX_PROMPT_CHARACTERS characters.
        negative_prompt: what to keep away from; "" for nothing.
        frames: how many, 2 to MAX_VIDEO_FRAMES.
        size: rows and columns in pixels, a multiple of 16 from 32 to 128.
        steps: of the sampler, 1 to MAX_VIDEO_STEPS; guidance: 0 to 15, 1 is none.
        motion, speed, camera, colour, direction: number of a value of the model's attribute, 0 where it is not said.
        image: uint8 (size, size, 3), the first frame, or None.
        picture_path: of the same first frame at its full size, for models that draw larger; "" where there is none.
        loop: whether the first frame follows the last as any other; the number of frames must then be even.
        aspect: width to height, one of ASPECTS; pixels: of the shorter side, 64 to 1080. Both are for models that draw
            in any shape at any size; others draw as they do, and whoever shows their frames cuts them.

    Raises:
        ValueError: names the field, the value and what is allowed.
    """

    prompt: str
    negative_prompt: str = ""
    frames: int = 16
    size: int = 64
    steps: int = 16
    guidance: float = 1.5
    rescale: float = 0.0
    seed: int = 0
    motion: int = 0
    speed: int = 0
    camera: int = 0
    colour: int = 0
    direction: int = 0
    image: NDArray[np.uint8] | None = None
    loop: bool = False
    picture_path: str = ""
    aspect: str = ""
    pixels: int = 256

    def __post_init__(self) -> None:
        if not isinstance(self.prompt, str) or not self.prompt.strip():
            raise ValueError("prompt is empty; type what the clip should show.")
        for name, text in (("prompt", self.prompt), ("negative_prompt", self.negative_prompt)):
            if not isinstance(text, str) or len(text) > MAX_PROMPT_CHARACTERS:
                raise ValueError(f"{name} must be text of at most {MAX_PROMPT_CHARACTERS:,} characters.")
        for name, low, high in (
            ("frames", 2, MAX_VIDEO_FRAMES),
            ("size", 32, 128),
            ("steps", 1, MAX_VIDEO_STEPS),
            ("pixels", 64, 1080),
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ValueError(f"{name} is {value!r}; it must be a whole number from {low} to {high}.")
        if self.size % 16:
            raise ValueError(f"size is {self.size}; it must be a multiple of 16.")
        if self.aspect not in ASPECTS:
            raise ValueError(f"aspect is {self.aspect!r}; it must be one of {', '.join(filter(None, ASPECTS))}.")
        if self.loop and self.frames % 2:
            raise ValueError(f"frames is {self.frames}; a loop needs an even number.")
        check_number("guidance", self.guidance, 0.0, 15.0)
        check_number("rescale", self.rescale, 0.0, 1.0)
        check_seed(self.seed)
        if self.image is not None and (self.image.dtype != np.uint8 or self.image.shape != (self.size, self.size, 3)):
            raise ValueError(f"image must be {self.size} x {self.size} pixels of three colours, 8 bits each.")


@dataclass(frozen=True, eq=False)
class VideoChunk:
    """A piece of a clip, in order; the whole clip is the sum of the frames of its chunks.

    Attributes:
        frames: uint8 (n, size, size, 3), to be appended; n is 0 while the sampler works.
        preview: uint8 (m, size, size, 3), what the sampler makes of the frames in work, at this step.
        frames_per_second: of the clip.
        step, steps: of the sampler, in the present stretch of the clip.
        done, total: progress in sampler steps over all stretches.
        last: whether this chunk closes the work.
        notes: plain sentences for the person, all so far.
        sound: float32 (2, n) in [-1, 1] for the whole clip, with its last chunk; None of a model that makes none.
        sound_rate: samples a second.
    """

    frames: NDArray[np.uint8]
    preview: NDArray[np.uint8]
    frames_per_second: float
    step: int
    steps: int
    done: int
    total: int
    last: bool = False
    notes: tuple[str, ...] = ()
    sound: NDArray[np.float32] | None = None
    sound_rate: int = 0


@dataclass(frozen=True)
class Progress:
    """How far a download or a load is; total 0 means unknown."""

    stage: str
    done: int = 0
    total: int = 0
    unit: str = "bytes"


@runtime_checkable
class Generator(Protocol):
    """What the registry loads and every tab uses."""

    def stream(self, request: Any) -> Iterator[Any]:
        """Yield the chunks of one request; closing the iterator stops the work and frees what it held."""
        ...


@dataclass(frozen=True)
class ModelInfo:
    """Facts of a loaded model that a tab may show."""

    parameters: int
    sample_rate: int = 0
    extra: dict[str, str] = field(default_factory=dict)
