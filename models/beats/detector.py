"""Beats and downbeats of a song: the offline detector, and the one for sound that arrives now.

The networks are `models.beats.network`; what they hear is turned into beats by
`models.beats.decoding`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from models.audio import resample
from models.beats.bars import BarReader, load_bar_reader
from models.beats.decoding import (
    BAR_LENGTHS,
    BEAT_SHARE,
    DECODE_RATE,
    OnlineTracker,
    TempoStates,
    add_missed_beats,
    decode_bars,
    decode_beats,
    drop_weak_beats,
    follow_median,
    read_activation,
)
from models.beats.mel import compute_mel, compute_whole_mel
from models.beats.network import BEAT_MEL, FRAME_RATE, BeatNetwork, BeatNetworkConfig, ConvolutionState
from models.beats.slips import mend_slips
from models.beats.steady import SteadyBeats
from models.weights_io import load_network

if TYPE_CHECKING:
    from models.hub.spec import ModelSpec

WINDOW_S = 60.0  # the offline network runs over windows, so that memory does not grow with the song
MAX_SONG_S = 3600.0
AUDIBLE_LOG_MEL = -11.0  # the floor of log_mel is -11.5
BPM_BEATS = 8  # a single interval is only as exact as a frame
SILENCE_FRAMES = 2 * FRAME_RATE  # nothing has a beat that is farther than this from the last and next sound
Floats = NDArray[np.float64]
ReadBars = Callable[[Floats, Floats, tuple[int, ...]], NDArray[np.int64]]


def check_length(duration_s: float) -> None:
    """Raise ValueError for a song that is too long."""
    if duration_s > MAX_SONG_S:
        raise ValueError(f"the song lasts {duration_s / 60:.0f} minutes; at most {MAX_SONG_S / 60:.0f} work.")


@dataclass(frozen=True)
class BeatRequest:
    """A song to listen to: float32 (n,) or (channels, n) in [-1, 1], and its rate in Hz.

    Raises:
        ValueError: names the field, the value and what is allowed.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    bar_lengths: tuple[int, ...] = BAR_LENGTHS

    def __post_init__(self) -> None:
        if self.samples.ndim not in (1, 2) or self.samples.shape[-1] == 0:
            raise ValueError("samples is empty; the song must have sound.")
        if not 1_000 <= self.sample_rate <= 768_000:
            raise ValueError(f"sample_rate is {self.sample_rate}; it must be from 1,000 to 768,000 Hz.")
        if not np.isfinite(self.samples).all():
            raise ValueError("samples has values that are no numbers; the file may be damaged.")
        check_length(self.duration_s)
        if not self.bar_lengths or any(not 1 <= length <= 16 for length in self.bar_lengths):
            raise ValueError(f"bar_lengths is {self.bar_lengths}; each must be from 1 to 16.")

    @property
    def duration_s(self) -> float:
        """Return the length of the song."""
        return self.samples.shape[-1] / self.sample_rate

    @property
    def mono(self) -> NDArray[np.float32]:
        """Return the channels' mean, float32 (n,)."""
        return self.samples if self.samples.ndim == 1 else self.samples.mean(axis=0, dtype=np.float32)

    def to_mel(self) -> NDArray[np.float32]:
        """Return what the network hears, float32 (T, M)."""
        return compute_whole_mel(resample(self.mono, self.sample_rate, BEAT_MEL.sample_rate))


@dataclass(frozen=True)
class FramesRequest:
    """A song whose frames are made already: float32 (T, M), as `models.beats.mel` makes them.

    Raises:
        ValueError: the song is too long.
    """

    mel: NDArray[np.float32]
    duration_s: float
    bar_lengths: tuple[int, ...] = BAR_LENGTHS

    def __post_init__(self) -> None:
        check_length(self.duration_s)

    def to_mel(self) -> NDArray[np.float32]:
        """Return what the network hears, float32 (T, M)."""
        return self.mel


@dataclass(frozen=True)
class BeatTrack:
    """The beats of a song, which a person may correct.

    Attributes:
        times_s: (n,), rising; places: int (n,), 1 is a downbeat.
    """

    times_s: Floats
    places: NDArray[np.int64]

    @property
    def downbeats_s(self) -> Floats:
        """Return times of the beats that begin a bar."""
        return self.times_s[self.places == 1]

    @property
    def bpm(self) -> float:
        """Return the median tempo in beats a minute, over stretches of BPM_BEATS; 0 with fewer than two beats."""
        if len(self.times_s) < 2:
            return 0.0
        lag = min(BPM_BEATS, len(self.times_s) - 1)
        return float(60.0 * lag / np.median(self.times_s[lag:] - self.times_s[:-lag]))

    @property
    def bar_length(self) -> int:
        """Return the beats in most bars; 4 where fewer than two downbeats tell."""
        downs = np.flatnonzero(self.places == 1)
        return int(np.median(np.diff(downs))) if len(downs) > 1 else 4

    def compute_tempo_curve(self, smooth_beats: int = 5) -> tuple[Floats, Floats]:
        """Compute the times (n - 1,) between beats and the tempo there, each the median of some intervals around it."""
        return (self.times_s[:-1] + self.times_s[1:]) / 2, 60.0 / follow_median(np.diff(self.times_s), smooth_beats)

    def double(self) -> BeatTrack:
        """Put a beat between every two; bars have twice as many."""
        if len(self.times_s) < 2:
            return self
        between = (self.times_s[:-1] + self.times_s[1:]) / 2
        times = np.sort(np.concatenate([self.times_s, between]))
        places = np.zeros(len(times), dtype=np.int64)
        places[0::2] = 2 * self.places - 1
        places[1::2] = 2 * self.places[:-1]
        return BeatTrack(times, places)

    def halve(self) -> BeatTrack:
        """Keep every other beat: the half that holds more downbeats."""
        phase = int(np.argmax([np.sum(self.places[p::2] == 1) for p in (0, 1)])) if len(self.places) > 1 else 0
        places = (self.places[phase::2] + 1) // 2
        return BeatTrack(self.times_s[phase::2], places)

    def shift(self, by_s: float) -> BeatTrack:
        """Move all beats later by so many seconds; those before the start are dropped."""
        times = self.times_s + by_s
        return BeatTrack(times[times >= 0], self.places[times >= 0])

    def remove_beat(self, index: int) -> BeatTrack:
        """Leave one beat out.

        Raises:
            ValueError: there is no such beat.
        """
        if not 0 <= index < len(self.times_s):
            raise ValueError(f"beat {index + 1} does not exist; there are {len(self.times_s)}.")
        keep = np.arange(len(self.times_s)) != index
        return BeatTrack(self.times_s[keep], self.places[keep])

    def set_downbeat(self, index: int, bar_length: int) -> BeatTrack:
        """Count the bars afresh, so that one beat is a downbeat."""
        return replace(self, places=(np.arange(len(self.times_s)) - index) % bar_length + 1)

    @classmethod
    def from_taps(cls, taps_s: list[float], duration_s: float, bar_length: int = 4) -> BeatTrack:
        """Lay even beats over the whole song through taps: the tempo and phase that fit them best.

        Raises:
            ValueError: fewer than four taps, or taps that are no steady beat.
        """
        taps = np.sort(np.array(taps_s, dtype=np.float64))
        if len(taps) < 4:
            raise ValueError(f"there are {len(taps)} taps; tap at least four beats.")
        interval = float(np.median(np.diff(taps)))
        if not 0.2 <= interval <= 2.0:
            raise ValueError(f"the taps are {interval:.2f} s apart; tap at 30 to 300 beats a minute.")
        numbers = np.round((taps - taps[0]) / interval)
        slope, start = np.polyfit(numbers, taps, 1)
        first = start - np.floor(start / slope) * slope
        times = np.arange(first, duration_s, slope)
        offset = round((taps[0] - first) / slope)
        return cls(times, (np.arange(len(times)) - offset) % bar_length + 1)


@dataclass(frozen=True)
class BeatChunk:
    """A window of a song, heard; the last chunk carries the beats.

    Attributes:
        activations: float32 (frames, 2), beat and downbeat in [0, 1], new in this chunk; FRAME_RATE a second.
        done, total: progress in seconds of the song.
        track: the beats, in the last chunk only.
        last: whether this chunk closes the work.
    """

    activations: NDArray[np.float32]
    done: float
    total: float
    track: BeatTrack | None = None
    last: bool = False


class BeatDetector:
    """The detector of a whole song's beats; without `bars` the activations alone tell the places in the bar."""

    def __init__(self, network: BeatNetwork, bars: BarReader | None = None) -> None:
        if network.config.causal:
            raise ValueError("the offline detector wants the network that sees the future.")
        self.network, self.bars = network.eval(), bars
        self.states = TempoStates.build()
        self.margin = network.config.reach_frames  # context on both sides of a window

    def stream(self, request: BeatRequest | FramesRequest) -> Generator[BeatChunk, None, None]:
        """Listen window by window; closing the iterator stops the work."""
        mel, duration_s = request.to_mel(), request.duration_s
        window, frames = int(WINDOW_S * FRAME_RATE), len(mel)
        heard = []
        for start in range(0, frames, window):
            stop = min(frames, start + window)
            heard.append(self._compute_activations(mel, start, stop))
            if stop < frames:
                yield BeatChunk(heard[-1], stop / FRAME_RATE, duration_s)
        read_bars = None if self.bars is None else partial(self.bars.read, mel)
        track = decode_track(np.concatenate(heard), request.bar_lengths, self.states, read_bars)
        yield BeatChunk(heard[-1], duration_s, duration_s, track, last=True)

    @torch.inference_mode()
    def _compute_activations(self, mel: NDArray[np.float32], start: int, stop: int) -> NDArray[np.float32]:
        """Compute the activations of the frames start to stop - 1, seen in their context, float32 (stop - start, 2)."""
        first = max(0, start - self.margin)
        seen = torch.from_numpy(mel[first : stop + self.margin])
        heard = torch.sigmoid(self.network(seen[None])[0]) * mark_near_sound(seen)[:, None]
        return heard[start - first : stop - first].numpy().copy()

    def detect(self, request: BeatRequest) -> tuple[BeatTrack, NDArray[np.float32]]:
        """Find the beats, and return the activations (frames, 2): the sum of `stream`'s chunks."""
        chunks = list(self.stream(request))
        track = chunks[-1].track
        assert track is not None
        return track, np.concatenate([chunk.activations for chunk in chunks])


def mark_near_sound(mel: torch.Tensor) -> torch.Tensor:
    """Return 1 for frames (T,) that lie within SILENCE_FRAMES of a sound in mel (T, M), else 0."""
    audible = (mel.amax(dim=1) > AUDIBLE_LOG_MEL).float()
    return torch.nn.functional.max_pool1d(audible[None, None], 2 * SILENCE_FRAMES + 1, 1, SILENCE_FRAMES)[0, 0]


def decode_track(
    activations: NDArray[np.float32],
    bar_lengths: tuple[int, ...] = BAR_LENGTHS,
    states: TempoStates | None = None,
    read_bars: ReadBars | None = None,
) -> BeatTrack:
    """Find beats and their places in the bar from activations (frames, 2) at FRAME_RATE.

    Args:
        read_bars: from the beats' times, how much each looks like a downbeat, and the lengths of bars to the places; by
            the activations alone where there is none.
    """
    beat, downbeat = activations.T.astype(np.float64)
    followed = decode_beats(beat, FRAME_RATE, states)
    times = drop_weak_beats(beat, FRAME_RATE, followed)
    if len(times) == len(followed):
        times = add_missed_beats(beat, downbeat, FRAME_RATE, times)
    times = mend_slips(beat, FRAME_RATE, times)
    firsts = read_activation(downbeat, FRAME_RATE, times)
    return BeatTrack(times, read_bars(times, firsts, bar_lengths) if read_bars else decode_bars(firsts, bar_lengths))


class OnlineBeatDetector:
    """Beats of sound that arrives now; a beat is told `delay_s` after it sounded, or a little later."""

    def __init__(self, network: BeatNetwork) -> None:
        if not network.config.causal:
            raise ValueError("the online detector wants the causal network.")
        self.network = network.eval()
        self.memory: ConvolutionState = {}
        self.tracker, self.steady = OnlineTracker(), SteadyBeats()
        self.pending = np.zeros(BEAT_MEL.n_fft // 2, dtype=np.float32)
        self.frames = 0
        self.previous: float | None = None
        self.silent_frames = SILENCE_FRAMES  # since the last sound

    @property
    def delay_s(self) -> float:
        """Return the time from a beat's sound to the frame that knows of it."""
        return self.network.config.delay_frames / FRAME_RATE + BEAT_MEL.n_fft / 2 / BEAT_MEL.sample_rate

    @property
    def bpm(self) -> float:
        """Return the likeliest tempo now."""
        return self.tracker.bpm

    @torch.inference_mode()
    def push(self, samples: NDArray[np.float32]) -> tuple[list[float], NDArray[np.float32]]:
        """Hear some more.

        Args:
            samples: float32 (n,) at BEAT_MEL's rate, n may be anything.

        Returns:
            times in seconds (from the start of the sound) of the beats noticed now; activations (frames, 2), new.
        """
        self.pending = np.concatenate([self.pending, samples])
        count = (len(self.pending) - BEAT_MEL.n_fft) // BEAT_MEL.hop_length + 1
        if count < 1:
            return [], np.zeros((0, 2), dtype=np.float32)
        used = (count - 1) * BEAT_MEL.hop_length + BEAT_MEL.n_fft
        mel = compute_mel(torch.from_numpy(self.pending[:used].copy()))
        self.pending = self.pending[count * BEAT_MEL.hop_length :]
        activations = torch.sigmoid(self.network(mel[None], self.memory)[0]).numpy()
        for row, audible in enumerate((mel.amax(dim=1) > AUDIBLE_LOG_MEL).tolist()):
            self.silent_frames = 0 if audible else self.silent_frames + 1
            if self.silent_frames > SILENCE_FRAMES:
                activations[row] = 0.0
        return self._track_beats(activations), activations

    def _track_beats(self, activations: NDArray[np.float32]) -> list[float]:
        beats: list[float] = []
        ratio, delay_s = DECODE_RATE // FRAME_RATE, self.network.config.delay_frames / FRAME_RATE
        for row in activations:
            now = float(row[0])
            before = now if self.previous is None else self.previous
            for step in range(1, ratio + 1):
                between = before + (now - before) * step / ratio
                followed: float | None = None
                if self.tracker.push(between):
                    middle = 30.0 / self.tracker.bpm / BEAT_SHARE  # of the stretch in which a beat is expected
                    followed = self.tracker.last_beat / DECODE_RATE + middle
                beats += [max(0.0, time_s - delay_s) for time_s in self.steady.push(between, followed)]
            self.previous = now
            self.frames += 1
        return beats


def load_beat_network(path: Path) -> BeatNetwork:
    """Load a network from its weight file.

    Raises:
        ModelError: the file is damaged or belongs to another version.
    """
    return load_network(path, lambda values: BeatNetwork(BeatNetworkConfig.from_dict(values)), "the beat network")


def load_bundled(files: Mapping[str, Path], spec: ModelSpec) -> BeatDetector:
    """Load the detector for the catalogue."""
    bars = load_bar_reader(files["beats_bars.safetensors"])
    return BeatDetector(load_beat_network(files["beats.safetensors"]), bars)
