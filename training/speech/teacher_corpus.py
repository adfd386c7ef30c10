"""What the teachers say, from texts to sound: utterances as ids in a small file, spoken by many processes into shards.

    python -m training.speech.teacher_corpus texts --lj texts_13100.csv --out PACK/texts.npz
    python -m training.speech.teacher_corpus speak --pack PACK --out SHARDS --workers 12

`texts` needs the text front end; `speak` only numpy, scipy and onnxruntime. A pack holds `texts.npz`, Hibari's
`hibari.onnx` and `vocab.json`, and perhaps `kokoro.npz`, other voices' clips from `pack_clips`.

A shard is a file of arrays: `samples` int16, `f0` and `cycles` float16, `durations` uint16, `symbols` uint8, each of
all clips one after another, `counts` (clips, 3) the samples, frames and symbols of each, `voices` uint8, `speeds`,
`semitones` float32, and `grids` (clips, 2) the sample rate and the samples in a frame.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import os
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.speech.hibari_synthesis import HOP, RATE
from models.speech.kokoro_alphabet import spell
from models.speech.symbols import SYMBOLS, encode
from training.speech.everyday_texts import EverydayTexts
from training.speech.teachers import HibariTeacher, TeacherClip

VOICES = ("heart", "emma", "michael", "fable")
HOLD_OUT = "LJ050"
OCTAVES, SPEED_CHANCE = 0.4, 0.25  # faster and slower: beyond, the teacher itself is hard to understand
SEMITONES, PITCH_CHANCE = 6.0, 0.2
EDGE_FRAMES, QUIET = 6, 2e-3  # silence that is left at both ends; the loudest sample of what counts as silence


@dataclass(frozen=True)
class SpokenClip:
    """A teacher's clip without its long silences, with what was asked of the teacher; fields as `TeacherClip`'s.

    `rate` in Hz and `hop` in samples are the teacher's, or those that `training.speech.retiming` brought it to.
    """

    symbols: np.ndarray
    samples: np.ndarray
    durations: np.ndarray
    f0: np.ndarray
    cycles: np.ndarray
    voice: int = 0
    speed: float = 1.0
    semitones: float = 0.0
    rate: int = RATE
    hop: int = HOP


def trim_clip(clip: TeacherClip) -> TeacherClip:
    """Leave at most `EDGE_FRAMES` of silence at either end, and take what is cut from the outer symbols' durations."""
    frames = np.abs(clip.samples[: len(clip.f0) * HOP].reshape(-1, HOP)).max(axis=1)
    loud = np.flatnonzero(frames > QUIET)
    if not len(loud):
        return clip
    first, last = max(0, int(loud[0]) - EDGE_FRAMES), min(len(frames), int(loud[-1]) + 1 + EDGE_FRAMES)
    durations = clip.durations.copy()
    first = min(first, int(durations[0]) - 1)
    durations[0] -= first
    rest = len(frames) - last
    for place in range(len(durations) - 1, 0, -1):
        taken = min(rest, int(durations[place]) - 1)
        durations[place] -= taken
        rest -= taken
    last = first + int(durations.sum())
    return TeacherClip(clip.samples[first * HOP : last * HOP], durations, clip.f0[first:last], clip.cycles[first:last])


def save_clips(path: Path, clips: Sequence[SpokenClip]) -> None:
    """Write a shard whole or not at all; samples are floats in [-1, 1] or int16 already."""
    part = path.with_suffix(".part.npz")
    np.savez(
        part,
        samples=np.concatenate([quantise(c.samples) for c in clips]),
        f0=np.concatenate([c.f0.astype(np.float16) for c in clips]),
        cycles=np.concatenate([c.cycles.astype(np.float16) for c in clips]),
        durations=np.concatenate([c.durations.astype(np.uint16) for c in clips]),
        symbols=np.concatenate([c.symbols.astype(np.uint8) for c in clips]),
        counts=np.array([[len(c.samples), len(c.f0), len(c.symbols)] for c in clips]),
        voices=np.array([c.voice for c in clips], np.uint8),
        speeds=np.array([c.speed for c in clips], np.float32),
        semitones=np.array([c.semitones for c in clips], np.float32),
        grids=np.array([[c.rate, c.hop] for c in clips]),
    )
    part.replace(path)


def quantise(samples: np.ndarray) -> np.ndarray:
    """Return samples as int16 of full scale."""
    return samples if samples.dtype == np.int16 else (np.clip(samples, -1, 1) * 32767).astype(np.int16)


def keep_clip(clip: SpokenClip) -> SpokenClip:
    """Return a clip as it is."""
    return clip


def load_clips(path: Path) -> list[SpokenClip]:
    """Read a shard; samples come as int16 of full scale, f0 as float16."""
    with np.load(path) as shard:
        ends = np.cumsum(shard["counts"], axis=0)[:-1]
        rows = [np.split(shard[key], ends[:, column]) for key, column in (("samples", 0), ("f0", 1), ("cycles", 1))]
        rows += [np.split(shard[key], ends[:, 2]) for key in ("durations", "symbols")]
        asked = (shard["voices"].tolist(), shard["speeds"].tolist(), shard["semitones"].tolist())
        grids = shard["grids"].tolist() if "grids" in shard else [[RATE, HOP]] * len(asked[0])
    return [
        SpokenClip(symbols, samples, durations.astype(np.int64), f0, cycles, voice, speed, semitones, *grid)
        for samples, f0, cycles, durations, symbols, voice, speed, semitones, grid in zip(
            *rows, *asked, grids, strict=True
        )
    ]


def read_book(path: Path) -> tuple[list[str], list[str]]:
    """Return the LJ texts to learn from, and the words in them that are written small."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = [
            row for row in csv.reader(lines, delimiter="|", quoting=csv.QUOTE_NONE) if not row[0].startswith(HOLD_OUT)
        ]
    texts = [row[-1] for row in rows]
    return texts, sorted({word for text in texts for word in re.findall(r"\b[a-z]{3,}\b", text)})


def iter_symbols(texts: Sequence[str]) -> Iterator[list[int]]:
    """Yield the ids of each utterance of texts, as the studio will read them."""
    from models.speech.text import iter_utterances

    for text in texts:
        for utterance in iter_utterances(text, function_word_stress=False):
            yield encode(utterance.symbols)


def write_texts(book: Path, everyday: int, from_book: int, seed: int, path: Path) -> int:
    """Write utterances as ids, in random order; return how many."""
    read, words = read_book(book)
    texts = [
        *random.Random(seed).sample(read, min(from_book, len(read))),
        *EverydayTexts(seed, words).iter_texts(everyday),
    ]
    utterances = list(iter_symbols(texts))
    random.Random(seed).shuffle(utterances)
    lengths = np.array([len(ids) for ids in utterances], np.uint16)
    np.savez_compressed(path, symbols=np.concatenate([np.array(ids, np.uint8) for ids in utterances]), lengths=lengths)
    return len(utterances)


def read_texts(path: Path) -> list[list[int]]:
    """Read what `write_texts` wrote."""
    with np.load(path) as file:
        return [part.tolist() for part in np.split(file["symbols"], np.cumsum(file["lengths"])[:-1])]


def speak_share(
    pack: Path,
    out: Path,
    worker: int,
    workers: int,
    until: float,
    skip: int = 0,
    change: Callable[[SpokenClip], SpokenClip] = keep_clip,
    shard_clips: int = 200,
) -> None:
    """Speak every `workers`-th utterance after the first `skip` into shards until the time `until`.

    Some are said faster, slower, higher or deeper; each clip is what `change` makes of it.
    """
    os.environ["OMP_NUM_THREADS"] = "1"
    teacher = HibariTeacher(pack / "hibari.onnx", pack / "vocab.json")
    chance = random.Random(worker)
    clips: list[SpokenClip] = []
    written = 0
    for index, ids in enumerate(read_texts(pack / "texts.npz")[skip + worker :: workers]):
        if time.time() > until:
            break
        speed = 2 ** chance.uniform(-OCTAVES, OCTAVES) if chance.random() < SPEED_CHANCE else 1.0
        semitones = chance.uniform(-SEMITONES, SEMITONES) if chance.random() < PITCH_CHANCE else 0.0
        letters, counts = spell([SYMBOLS[i] for i in ids])
        clip = trim_clip(teacher.speak(teacher.encode(letters), counts, speed, semitones, seed=index))
        said = (clip.samples, clip.durations, clip.f0, clip.cycles)
        clips.append(change(SpokenClip(np.array(ids), *said, 0, speed, semitones)))
        if len(clips) == shard_clips:
            save_clips(out / f"heart-{worker:02}-{written:04}.npz", clips)
            clips, written = [], written + 1
    if clips:
        save_clips(out / f"heart-{worker:02}-{written:04}.npz", clips)


def speak(
    pack: Path,
    out: Path,
    workers: int,
    seconds: float,
    skip: int = 0,
    change: Callable[[SpokenClip], SpokenClip] = keep_clip,
) -> None:
    """Speak a pack's texts in several processes, at most for so many seconds; `skip` and `change` as `speak_share`."""
    out.mkdir(parents=True, exist_ok=True)
    until = time.time() + seconds
    arguments = [(pack, out, worker, workers, until, skip, change) for worker in range(workers)]
    processes = [multiprocessing.get_context("spawn").Process(target=speak_share, args=a) for a in arguments]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


def main() -> None:
    """Run what the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    texts = actions.add_parser("texts")
    texts.add_argument("--lj", type=Path, required=True)
    texts.add_argument("--out", type=Path, required=True)
    texts.add_argument("--everyday", type=int, default=12_000)
    texts.add_argument("--book", type=int, default=6_000)
    texts.add_argument("--seed", type=int, default=1)
    spoken = actions.add_parser("speak")
    spoken.add_argument("--pack", type=Path, required=True)
    spoken.add_argument("--out", type=Path, required=True)
    spoken.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    spoken.add_argument("--seconds", type=float, default=3600.0)
    a = parser.parse_args()
    if a.action == "texts":
        print(write_texts(a.lj, a.everyday, a.book, a.seed, a.out), "utterances")
    else:
        speak(a.pack, a.out, a.workers, a.seconds)


if __name__ == "__main__":
    main()
