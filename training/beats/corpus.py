"""Sound with known beats for training and measuring the beat detector: songs rendered with soundfonts and roughened.

Needs `symusic` and soundfonts; the folders hold POP909, the OpenScore Lieder as MIDI, and the Groove MIDI dataset.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from models.audio import log_mel
from models.beats.network import BEAT_MEL
from training.beats.arrangement import (
    DRUMS,
    AnnotatedSong,
    draw_warp,
    invent_song,
    make_click_song,
    read_groove,
    read_lied,
    read_pop909,
)

Item = TypeVar("Item")

EXCERPT_S = 30.0
HELD_OUT_POP909 = "9"  # songs whose number ends so are never trained on
TICKS_A_SECOND = 960
DISTORTED_GUITARS = (29, 30)
SHARES = {"pop909": 0.25, "lieder": 0.1, "groove": 0.22, "made_up": 0.39, "clicks": 0.04}  # of the kinds of songs


@dataclass
class Excerpt:
    """Mel frames float16 (T, M) at FRAME_RATE, and the times of beats and downbeats in seconds."""

    mel: np.ndarray
    beats: np.ndarray
    downbeats: np.ndarray


@dataclass(frozen=True)
class BeatSources:
    """Where the material is; a missing folder is left out."""

    pop909: Path | None
    lieder: Path | None
    groove: Path | None
    soundfonts: tuple[Path, ...]


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """Let a command line say where the material is."""
    for name in ("pop909", "lieder", "groove"):
        parser.add_argument(f"--{name}", type=Path, help="folder of that collection")
    parser.add_argument("--soundfont", type=Path, action="append", required=True, help="may be given again")


def read_source_options(arguments: argparse.Namespace) -> BeatSources:
    """Return where the command line says that the material is."""
    return BeatSources(arguments.pop909, arguments.lieder, arguments.groove, tuple(arguments.soundfont))


@lru_cache(maxsize=4)
def _make_synthesizer(soundfont: Path, sample_rate: int) -> Any:
    """Make a synthesizer; it is kept, because a compressed soundfont takes a second to unpack."""
    from symusic import Synthesizer

    return Synthesizer(sf_path=str(soundfont), sample_rate=sample_rate)


def render(song: AnnotatedSong, soundfont: Path, sample_rate: int = BEAT_MEL.sample_rate) -> np.ndarray:
    """Render a song by a General MIDI soundfont, mono float32."""
    from symusic import Note, Score, Track

    score = Score(TICKS_A_SECOND // 2)  # at the default 120 quarters a minute
    by_program: dict[int, list[tuple[float, float, int, int, int]]] = {}
    for note in song.notes:
        by_program.setdefault(note[4], []).append(note)
    for program, notes in by_program.items():
        track = Track("", 0 if program == DRUMS else program, program == DRUMS)
        for start, end, pitch, velocity, _ in sorted(notes):
            first = round(start * TICKS_A_SECOND)
            track.notes.append(Note(first, max(1, round(end * TICKS_A_SECOND) - first), pitch, velocity))
        score.tracks.append(track)
    sound = _make_synthesizer(soundfont, sample_rate).render(score, stereo=False)
    return np.asarray(sound[0], dtype=np.float32)


def render_loud(song: AnnotatedSong, soundfont: Path, rng: random.Random) -> np.ndarray:
    """Render the same, but its distorted guitars often go through a driven amplifier and stand as a wall before the
    rest.
    """
    heavy = [n for n in song.notes if n[4] in DISTORTED_GUITARS]
    if not heavy or rng.random() < 0.3:
        return render(song, soundfont)
    from scipy.signal import butter, sosfilt

    rest = render(replace(song, notes=[n for n in song.notes if n[4] not in DISTORTED_GUITARS]), soundfont)
    guitars = render(replace(song, notes=heavy), soundfont)
    driven = np.tanh(guitars / max(1e-6, float(np.abs(guitars).max())) * rng.uniform(5.0, 60.0))
    cabinet = butter(
        2, (rng.uniform(70, 150), rng.uniform(3000, 7000)), "bandpass", fs=BEAT_MEL.sample_rate, output="sos"
    )
    driven = sosfilt(cabinet, driven)
    mixed = np.zeros(max(len(rest), len(driven)), dtype=np.float32)
    mixed[: len(rest)] += rest / max(1e-6, float(np.sqrt(np.mean(rest**2))))
    mixed[: len(driven)] += rng.uniform(0.3, 2.0) * driven / max(1e-6, float(np.sqrt(np.mean(driven**2))))
    return mixed


def roughen(samples: np.ndarray, rate: int, rng: random.Random) -> np.ndarray:
    """Do to a sound what a recording may have suffered: filters, distortion, compression, noise, another level."""
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import butter, sosfilt

    sound = samples / max(1e-6, float(np.abs(samples).max()))
    if rng.random() < 0.3:
        sound = np.tanh(sound * rng.uniform(1.5, 12.0))
    if rng.random() < 0.35:
        kind = rng.choice(("lowpass", "highpass"))
        cutoff = rng.uniform(2000, 8000) if kind == "lowpass" else rng.uniform(60, 400)
        sound = sosfilt(butter(2, cutoff, kind, fs=rate, output="sos"), sound)
    if rng.random() < 0.3:  # a compressor: the level of 50 ms, evened out by a power
        level = np.sqrt(np.maximum(uniform_filter1d(sound**2, rate // 20), 0.0)) + 1e-4
        sound = sound * level ** -rng.uniform(0.2, 0.6)
    sound = sound / max(1e-6, float(np.abs(sound).max()))
    if rng.random() < 0.4:
        noise = np.random.default_rng(rng.getrandbits(32)).standard_normal(len(sound))
        if rng.random() < 0.5:
            noise = sosfilt(butter(1, 800, "lowpass", fs=rate, output="sos"), noise) * 5
        sound = sound + noise * 10 ** (-rng.uniform(15, 45) / 20)
    return (sound * 10 ** (-rng.uniform(0, 20) / 20)).astype(np.float32)


def draw_song(
    sources: dict[str, list[Path]], rng: random.Random, shares: Mapping[str, float] = SHARES
) -> AnnotatedSong | None:
    """Draw a random song of a kind drawn by its share; None where the one drawn has no clear beats."""
    kinds = [k for k in ("pop909", "lieder", "groove") if sources.get(k)] + ["made_up", "clicks"]
    kind = rng.choices(kinds, [shares[k] for k in kinds])[0]
    if kind == "made_up":
        song, speed, rubato = invent_song(rng, EXCERPT_S + 2), 1.0, rng.choice((0.0, 0.0, 0.02))
    elif kind == "clicks":
        song, speed, rubato = make_click_song(rng, EXCERPT_S + 2), 1.0, rng.choice((0.0, 0.1))
    else:
        path = rng.choice(sources[kind])
        try:
            song = {"pop909": read_pop909, "lieder": read_lied, "groove": read_groove}[kind](path, rng)
        except (ValueError, RuntimeError):
            return None
        speed = rng.uniform(0.8, 1.25)
        rubato = rng.uniform(0.0, 0.25) if kind == "lieder" else rng.choice((0.0, 0.03, 0.06))
    if len(song.beats) < 8:
        return None
    end_s = float(song.beats[-1]) + 2
    song = song.warp(draw_warp(rng, end_s, speed, rubato))
    latest = max(0.0, float(song.beats[-1]) - EXCERPT_S)
    start_s = rng.uniform(0.0, latest) if rng.random() < 0.9 else 0.0
    return song.cut(start_s, start_s + EXCERPT_S)


def render_excerpt(
    sources: dict[str, list[Path]], soundfonts: tuple[Path, ...], seed: int, shares: Mapping[str, float] = SHARES
) -> Excerpt | None:
    """Render the excerpt of a seed; None where the song drawn has no clear beats."""
    torch.set_num_threads(1)
    rng = random.Random(seed)
    song = draw_song(sources, rng, shares)
    if song is None or len(song.notes) < 8 or len(song.beats) < 4:
        return None
    samples = render_loud(song, rng.choice(soundfonts), rng)
    wanted = int(EXCERPT_S * BEAT_MEL.sample_rate)
    samples = np.pad(samples, (0, max(0, wanted - len(samples))))[:wanted]
    samples = roughen(samples, BEAT_MEL.sample_rate, rng)
    mel = log_mel(torch.from_numpy(samples), BEAT_MEL).numpy().astype(np.float16)
    return Excerpt(mel, song.beats, song.beats[song.places == 1])


def list_sources(sources: BeatSources, held_out: bool = False) -> dict[str, list[Path]]:
    """List the files of each collection, without (or only) those held out by name."""
    found: dict[str, list[Path]] = {}
    if sources.pop909:
        songs = sorted(p for p in sources.pop909.iterdir() if (p / "beat_midi.txt").exists())
        found["pop909"] = [p for p in songs if p.name.endswith(HELD_OUT_POP909) == held_out]
    if sources.lieder and not held_out:
        found["lieder"] = sorted(sources.lieder.glob("*.mid"))
    if sources.groove and not held_out:
        found["groove"] = sorted(p for p in sources.groove.rglob("*_beat_*.mid") if "eval_session" not in str(p))
    return found


def build(
    sources: BeatSources, count: int, seed: int, workers: int, shares: Mapping[str, float] = SHARES
) -> list[Excerpt]:
    """Render `count` random excerpts (a few fewer where a song has no clear beats)."""
    files = list_sources(sources)
    render = partial(render_excerpt, files, sources.soundfonts, shares=shares)
    seeds = range(seed * 1_000_003, seed * 1_000_003 + count)
    with ProcessPoolExecutor(workers) as pool:
        return [e for e in pool.map(render, seeds, chunksize=8) if e is not None]


def save(path: Path, items: Sequence[Any]) -> None:
    """Write excerpts, or other dataclasses of arrays, as plain tensors."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{k: torch.from_numpy(np.asarray(v)) for k, v in vars(item).items()} for item in items]
    torch.save(rows, path)


def load(path: Path, make: Callable[..., Item]) -> list[Item]:
    """Read what `save` wrote of one kind of items."""
    return [make(**{k: v.numpy() for k, v in row.items()}) for row in torch.load(path, weights_only=True, mmap=True)]
