"""Beats: how well they are found, beside librosa's tracker and other neural detectors, and how fast.

    python -m benchmarks.beats --json --recordings FOLDER --pop909 FOLDER --soundfont FILE [--peers PYTHON]

Three sets, none of them heard in training. `recordings`: sound files with a `.beats` file of the same name beside each,
whose first column are beat times in seconds, and whose second, if there is one, are places in the bar. `pop909`: every
fifth of the songs that the recipe holds out (number ending in 9), rendered with a soundfont that the recipe never used,
the first minute. `clicks`: metronomes from 60 to 200 beats a minute, the first of four louder and higher, with softer,
swung notes between the beats. A set whose option is missing is left out.

Measures are mir_eval's with its own settings: F-measure within 70 ms, from 5 s on, and CMLt and AMLt; of downbeats
the F-measure too, where they are known. `online` is the causal detector, told piece by piece. `--peers` is a Python
that has madmom or BeatNet installed (see `benchmarks.beat_peers`): they are heard on the same files, which takes about
half as long as the sound lasts, so `--peer-answers` can keep what they heard. Speed: two torch threads, from samples at
44.1 kHz to beats, median over the recordings, and over the rendered songs; the lower of the two counts.
Needs what requirements-dev.txt installs, and `mir_eval`, `librosa`, `soundfile`, and `symusic<0.6` for rendering.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.results import add_json_option, report_figures
from models.audio import resample
from models.beats.bars import load_bar_reader
from models.beats.detector import BeatDetector, BeatRequest, OnlineBeatDetector, load_beat_network
from models.beats.network import BEAT_MEL
from models.registry.registry import WEIGHTS_DIR
from models.threads import limit_spinning
from training.beats.arrangement import read_pop909
from training.beats.corpus import BeatSources, list_sources, render

Floats = NDArray[np.float64]
Samples = NDArray[np.float32]
Found = dict[str, tuple[Floats, Floats | None]]
"""Of each system: beats, and downbeats where it tells them."""
Answers = dict[str, tuple[list[float], list[float]]]
"""The same of the peers, as JSON."""

RATE = 44_100
POP909_EVERY, POP909_S = 5, 60.0
CLICKS_S = 30.0
CLICK_TEMPI = (60, 75, 90, 105, 120, 135, 150, 165, 180, 200)
SWING = (0.0, 0.08, 0.16)  # how much later than the middle a note between two beats comes, in beats


@dataclass(frozen=True)
class AnnotatedSound:
    """A sound with known beats; downbeats are None where nobody vouches for them."""

    group: str
    name: str
    samples: Samples
    beats: Floats
    downbeats: Floats | None

    @property
    def key(self) -> str:
        """Set and name."""
        return f"{self.group}/{self.name}"


def read_recordings(folder: Path) -> Iterator[AnnotatedSound]:
    """Read sound files with annotations."""
    import soundfile

    for path in sorted(folder.glob("*.beats")):
        sound = next(each for each in sorted(folder.glob(f"{path.stem}.*")) if each != path)
        samples, rate = soundfile.read(str(sound), dtype="float32", always_2d=True)
        mono = resample(np.ascontiguousarray(samples.mean(axis=1)), rate, RATE)
        rows = np.loadtxt(path, ndmin=2)
        downbeats = rows[rows[:, 1] == 1, 0] if rows.shape[1] > 1 else None
        yield AnnotatedSound("recordings", path.stem, mono, rows[:, 0], downbeats)


def render_songs(pop909: Path, soundfont: Path) -> Iterator[AnnotatedSound]:
    """Render held-out songs as the recipe orchestrates them, but with another soundfont and no human warp."""
    songs = list_sources(BeatSources(pop909, None, None, ()), held_out=True)["pop909"]
    for folder in songs[::POP909_EVERY]:
        song = read_pop909(folder, random.Random(int(folder.name))).cut(0.0, POP909_S)
        samples: Samples = render(song, soundfont, RATE)[: int(POP909_S * RATE)].astype(np.float32)
        samples *= 0.8 / max(1e-6, float(np.abs(samples).max()))
        yield AnnotatedSound("pop909", folder.name, samples, song.beats, song.beats[song.places == 1])


def make_clicks() -> Iterator[AnnotatedSound]:
    """Make metronomes with a louder first beat of four and softer notes between the beats, swung."""
    length = RATE // 25
    falling = np.exp(-np.arange(length) / (0.006 * RATE))
    for number, bpm in enumerate(CLICK_TEMPI):
        swing = SWING[number % len(SWING)]
        beats: Floats = np.arange(0.4, CLICKS_S - 0.2, 60 / bpm, dtype=np.float64)
        samples = np.zeros(int(CLICKS_S * RATE), dtype=np.float32)
        rows = [(t, 1500.0 if i % 4 == 0 else 1000.0, 0.8 if i % 4 == 0 else 0.6) for i, t in enumerate(beats)]
        rows += [(t + (0.5 + swing) * 60 / bpm, 1000.0, 0.25) for t in beats[:-1]]
        for time_s, hz, level in rows:
            at = round(time_s * RATE)
            wave = level * falling * np.sin(2 * np.pi * hz * np.arange(length) / RATE)
            samples[at : at + length] += wave[: len(samples) - at].astype(np.float32)
        yield AnnotatedSound("clicks", f"{bpm}", samples, beats, beats[::4])


def detect_offline(detector: BeatDetector, samples: Samples) -> tuple[Floats, Floats, float]:
    """Detect beats and downbeats, and measure how many times faster than the sound."""
    began_s = time.perf_counter()
    track, _ = detector.detect(BeatRequest(samples, RATE))
    return track.times_s, track.downbeats_s, len(samples) / RATE / (time.perf_counter() - began_s)


def detect_online(path: Path, samples: Samples) -> Floats:
    """Detect beats with the causal detector, told blocks of a tenth of a second."""
    detector = OnlineBeatDetector(load_beat_network(path))
    mono = resample(samples, RATE, BEAT_MEL.sample_rate)
    mono = np.concatenate([mono, np.zeros(int(detector.delay_s * BEAT_MEL.sample_rate) + BEAT_MEL.n_fft, np.float32)])
    found: list[float] = []
    for at in range(0, len(mono), BEAT_MEL.sample_rate // 10):
        found += detector.push(mono[at : at + BEAT_MEL.sample_rate // 10])[0]
    return np.array(sorted(found))


def detect_by_librosa(samples: Samples) -> Floats:
    """Detect beats with librosa's dynamic-programming tracker and its defaults."""
    import librosa

    small = resample(samples, RATE, 22_050)
    return np.asarray(librosa.beat.beat_track(y=small, sr=22_050, units="time")[1], dtype=np.float64)


def detect_by_peers(python: Path, pieces: list[AnnotatedSound]) -> list[Answers]:
    """Detect beats with the peers of another Python, piece by piece."""
    import soundfile

    with tempfile.TemporaryDirectory(prefix="auralume-") as folder:
        files = [Path(folder) / f"{number}.wav" for number in range(len(pieces))]
        for path, piece in zip(files, pieces, strict=True):
            soundfile.write(path, piece.samples, RATE)
        script = Path(__file__).with_name("beat_peers.py")
        run = subprocess.run(
            [str(python), str(script), *map(str, files)], check=True, stdout=subprocess.PIPE, text=True
        )
    return list(json.loads(run.stdout.strip().splitlines()[-1]))


def collect_peer_answers(arguments: argparse.Namespace, pieces: list[AnnotatedSound]) -> list[Found]:
    """Collect the peers' answers.

    What stands in the file `--peer-answers` is not asked again, what is asked is added to it.
    """
    file: Path | None = arguments.peer_answers
    known: dict[str, Answers] = json.loads(file.read_text()) if file and file.exists() else {}
    missing = [piece for piece in pieces if piece.key not in known]
    if missing and arguments.peers:
        known |= dict(zip((p.key for p in missing), detect_by_peers(arguments.peers, missing), strict=True))
        if file:
            file.write_text(json.dumps(known))
    rows = [known.get(piece.key, {}) for piece in pieces]
    return [{name: (np.array(b), np.array(d)) for name, (b, d) in row.items()} for row in rows]


def score_beats(piece: AnnotatedSound, beats: Floats, downbeats: Floats | None) -> dict[str, float]:
    """Score one piece with mir_eval's measures."""
    import mir_eval.beat as measure

    wanted, found = measure.trim_beats(piece.beats), measure.trim_beats(beats)
    _, cmlt, _, amlt = measure.continuity(wanted, found) if len(found) > 1 else (0.0, 0.0, 0.0, 0.0)
    row = {"f": measure.f_measure(wanted, found), "cmlt": cmlt, "amlt": amlt}
    if downbeats is not None and piece.downbeats is not None:
        row["downbeat_f"] = measure.f_measure(
            measure.trim_beats(piece.downbeats), measure.trim_beats(np.asarray(downbeats))
        )
    return {name: float(value) for name, value in row.items()}


def measure_all(pieces: list[AnnotatedSound], arguments: argparse.Namespace) -> dict[str, Any]:
    """Score all systems, set by set, with the means over the sets."""
    torch.set_num_threads(arguments.threads)
    detector = BeatDetector(load_beat_network(arguments.weights), load_bar_reader(arguments.bars))
    detect_offline(detector, pieces[0].samples)  # warm
    found: list[Found] = []
    speeds: dict[str, list[float]] = {}
    for piece in pieces:
        beats, downbeats, speed = detect_offline(detector, piece.samples)
        row: Found = {"ours": (beats, downbeats)}
        if piece.group != "clicks":
            speeds.setdefault(piece.group, []).append(speed)
        if not arguments.alone:
            row["librosa"] = (detect_by_librosa(piece.samples), None)
        if arguments.causal.exists() and not arguments.alone:
            row["online"] = (detect_online(arguments.causal, piece.samples), None)
        found.append(row)
    if arguments.peers or arguments.peer_answers:
        for row, more in zip(found, collect_peer_answers(arguments, pieces), strict=True):
            row.update(more)
    factors = {group: round(statistics.median(values), 1) for group, values in speeds.items()}
    result: dict[str, Any] = {"beats_realtime_factor": min(factors.values(), default=None), "realtime_factors": factors}
    by_set: dict[str, dict[str, dict[str, float]]] = {}
    for group in dict.fromkeys(piece.group for piece in pieces):
        members = [(p, row) for p, row in zip(pieces, found, strict=True) if p.group == group]
        if arguments.verbose:
            for piece, row in members:
                print(group, piece.name, {name: round(score_beats(piece, *each)["f"], 2) for name, each in row.items()})
        by_set[group] = {name: _average([score_beats(p, *row[name]) for p, row in members]) for name in members[0][1]}
    result["sets"] = by_set
    overall = {name: _average_sets(by_set, name, "f") for name in found[0]}
    peers = {name: value or 0.0 for name, value in overall.items() if name not in {"ours", "online", "librosa"}}
    result["f_measure"] = overall["ours"]
    result["f_online"], result["f_librosa"] = overall.get("online"), overall.get("librosa")
    best = max(peers, key=lambda name: peers[name], default=None)
    result["best_peer"], result["f_best_peer"] = best, peers[best] if best else None
    result["downbeat_f"] = _average_sets(by_set, "ours", "downbeat_f")
    result["downbeat_f_best_peer"] = _average_sets(by_set, best, "downbeat_f") if best else None
    return result


def _average(rows: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(statistics.fmean(row[key] for row in rows), 3) for key in rows[0]}


def _average_sets(by_set: dict[str, dict[str, dict[str, float]]], name: str, key: str) -> float | None:
    values = [systems[name][key] for systems in by_set.values() if key in systems[name]]
    return round(statistics.fmean(values), 3) if values else None


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_json_option(parser, "beats")
    parser.add_argument("--recordings", type=Path, help="folder of sound files with .beats files")
    parser.add_argument("--pop909", type=Path, help="folder of POP909's songs")
    parser.add_argument("--soundfont", type=Path, help="one that the recipe did not use")
    parser.add_argument("--peers", type=Path, help="a Python with madmom or BeatNet")
    parser.add_argument("--peer-answers", type=Path, help="JSON file that keeps what the peers heard")
    parser.add_argument("--weights", type=Path, default=WEIGHTS_DIR / "beats.safetensors")
    parser.add_argument("--bars", type=Path, default=WEIGHTS_DIR / "beats_bars.safetensors")
    parser.add_argument("--causal", type=Path, default=WEIGHTS_DIR / "beats_causal.safetensors")
    parser.add_argument("--threads", type=int, default=2, help="of torch; one where other programs are busy")
    parser.add_argument("--alone", action="store_true", help="our offline detector only")
    parser.add_argument("--verbose", action="store_true", help="a line for every piece")
    arguments = parser.parse_args()
    limit_spinning()
    readers: list[Callable[[], Iterator[AnnotatedSound]]] = [make_clicks]
    if arguments.pop909 and arguments.soundfont:
        readers.insert(0, lambda: render_songs(arguments.pop909, arguments.soundfont))
    if arguments.recordings:
        readers.insert(0, lambda: read_recordings(arguments.recordings))
    result = measure_all([piece for read in readers for piece in read()], arguments)
    if arguments.json:
        measured = {key: value for key, value in result.items() if value is not None}  # the rest stays as it was
        report_figures("beats", measured, arguments.json)
    else:
        print("\n".join(f"{key}: {value}" for key, value in result.items()))


if __name__ == "__main__":
    main()
