"""From folders of recordings to one file that the speech recipes train on.

A folder holds `metadata.csv` (lines of id|...|text; the last field is the normalised text, as in LJ Speech) and the
sound of each id as `<id>.wav` or `.flac`, beside it or in `flac/` or `wavs/`. Sound at any rate is resampled to the mel
convention of `models.audio`; silence at both ends is cut.

For each clip the corpus keeps the symbols, the log-mel frames, F0, the samples and the measured attributes. Some clips
are kept again with another pitch, made by pitch-synchronous overlap-add (Moulines and Charpentier 1990), so that the
pitch encoder sees its whole range; these teach the acoustic model only.
"""

from __future__ import annotations

import math
import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.audio import MelConfig, log_mel, resample, rms_db
from models.speech.attributes import MeasuredAttributes
from models.speech.symbols import BETWEEN_WORDS, BOS, EOS, encode

SILENCE_BELOW_PEAK_DB = 42.0
MARGIN_S = 0.05
SHIFT_RANGE_SEMITONES = 6.5
_NOT_SPOKEN = {BOS, EOS, *BETWEEN_WORDS}


@dataclass
class SpeechClip:
    """One utterance; T mel frames, N samples."""

    name: str
    voice: str
    text: str
    symbols: list[int]
    mel: np.ndarray  # float16 (T, n_mels), natural log
    f0: np.ndarray  # float32 (T,), Hz, 0 where unvoiced
    samples: np.ndarray  # int16 (N,)
    measured: MeasuredAttributes
    shifted: bool
    path: np.ndarray  # int16 (T,), the place in `symbols` that each frame belongs to, by `training.speech.aligner`


def find_sound(folder: Path, name: str) -> Path:
    """Find the path of a clip's sound; FileNotFoundError names the clip."""
    for place in (folder, folder / "flac", folder / "wavs"):
        for ending in (".wav", ".flac"):
            if (path := place / (name + ending)).exists():
                return path
    raise FileNotFoundError(f"{folder} has no sound for {name}")


def trim_silence(samples: np.ndarray, rate: int) -> np.ndarray:
    """Cut what lies more than SILENCE_BELOW_PEAK_DB under the loudest 10 ms at both ends, leaving MARGIN_S."""
    frame = rate // 100
    count = len(samples) // frame
    levels = np.sqrt(np.mean(samples[: count * frame].reshape(count, frame) ** 2, axis=1) + 1e-12)
    loud = np.flatnonzero(levels > levels.max() * 10 ** (-SILENCE_BELOW_PEAK_DB / 20))
    margin = int(MARGIN_S * rate)
    return samples[max(0, loud[0] * frame - margin) : (loud[-1] + 1) * frame + margin]


def measure_f0(samples: np.ndarray, config: MelConfig, frames: int) -> np.ndarray:
    """Measure F0 in Hz at each mel frame (0 where unvoiced), by WORLD's DIO and StoneMask."""
    import pyworld

    wave = samples.astype(np.float64)
    period_ms = 1000.0 * config.hop_length / config.sample_rate
    coarse, times = pyworld.dio(wave, config.sample_rate, f0_floor=60.0, f0_ceil=500.0, frame_period=period_ms)
    f0 = pyworld.stonemask(wave, coarse, times, config.sample_rate).astype(np.float32)
    return np.pad(f0, (0, max(0, frames - len(f0))))[:frames]


def shift_pitch(samples: np.ndarray, config: MelConfig, semitones: float) -> np.ndarray:
    """Speak the same utterance higher or lower, formants and pace kept, by Praat's PSOLA."""
    import parselmouth
    from parselmouth.praat import call

    sound = parselmouth.Sound(samples.astype(np.float64), config.sample_rate)
    manipulation = call(sound, "To Manipulation", 0.01, 60, 500)
    pitch = call(manipulation, "Extract pitch tier")
    call(pitch, "Multiply frequencies", sound.xmin, sound.xmax, 2 ** (semitones / 12))
    call([pitch, manipulation], "Replace pitch tier")
    shifted = call(manipulation, "Get resynthesis (overlap-add)").values[0]
    return np.clip(shifted[: len(samples)], -1.0, 1.0).astype(np.float32)


def make_clip(name: str, voice: str, text: str, samples: np.ndarray, config: MelConfig, shifted: bool) -> SpeechClip:
    """Measure one trimmed utterance (float32 at the config's rate)."""
    from models.speech.text import phonemize

    symbols = phonemize(text)
    mel = log_mel(torch.from_numpy(samples), config).numpy()
    f0 = measure_f0(samples, config, len(mel))
    spoken = sum(symbol not in _NOT_SPOKEN for symbol in symbols)
    voiced = f0[f0 > 0]
    measured = MeasuredAttributes(
        symbols_per_s=spoken / (len(samples) / config.sample_rate),
        log_f0=float(np.log(voiced).mean()) if len(voiced) else math.log(150.0),
        level_db=rms_db(samples),
    )
    return SpeechClip(
        name=name,
        voice=voice,
        text=text,
        symbols=encode(symbols),
        mel=mel.astype(np.float16),
        f0=f0,
        samples=(samples * 32767).clip(-32768, 32767).astype(np.int16),
        measured=measured,
        shifted=shifted,
        path=np.zeros(len(mel), dtype=np.int16),
    )


def _make_clips(job: tuple[Path, str, str, str, float | None]) -> list[SpeechClip]:
    folder, voice, name, text, semitones = job
    torch.set_num_threads(1)
    config = MelConfig()
    import soundfile

    samples, rate = soundfile.read(find_sound(folder, name), dtype="float32", always_2d=True)
    mono = trim_silence(resample(samples.mean(axis=1), rate, config.sample_rate), config.sample_rate)
    clips = [make_clip(name, voice, text, mono, config, shifted=False)]
    if semitones is not None:
        clips.append(make_clip(name, voice, text, shift_pitch(mono, config, semitones), config, shifted=True))
    return clips


def prepare_clips(
    folders: dict[str, Path], hold_out: tuple[str, ...], shifted_share: dict[str, float], seed: int, workers: int
) -> list[SpeechClip]:
    """Read, phonemise and measure every clip of the folders (voice -> folder); `aligner.align_clips` does the rest.

    Args:
        hold_out: ids that begin with one of these are left out.
        shifted_share: voice -> share of its clips that also get a version with another pitch.
    """
    rng = random.Random(seed)
    jobs: list[tuple[Path, str, str, str, float | None]] = []
    for voice, folder in folders.items():
        for line in (folder / "metadata.csv").read_text(encoding="utf-8").splitlines():
            fields = line.split("|")
            if not fields[0].startswith(hold_out):
                shift = rng.uniform(-SHIFT_RANGE_SEMITONES, SHIFT_RANGE_SEMITONES)
                shifted = rng.random() < shifted_share.get(voice, 0.0)
                jobs.append((folder, voice, fields[0], fields[-1], shift if shifted else None))
    with ProcessPoolExecutor(workers) as pool:
        return [clip for clips in pool.map(_make_clips, jobs, chunksize=8) for clip in clips]


def save(path: Path, clips: list[SpeechClip]) -> None:
    """Write a corpus as plain values and tensors, so that it loads with weights_only."""
    rows: list[dict[str, Any]] = [
        {
            "name": c.name,
            "voice": c.voice,
            "text": c.text,
            "symbols": c.symbols,
            "mel": torch.from_numpy(c.mel),
            "f0": torch.from_numpy(c.f0),
            "samples": torch.from_numpy(c.samples),
            "measured": (c.measured.symbols_per_s, c.measured.log_f0, c.measured.level_db),
            "shifted": c.shifted,
            "path": torch.from_numpy(c.path),
        }
        for c in clips
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(rows, path)


def load(path: Path) -> list[SpeechClip]:
    """Read what `save` wrote."""
    return [
        SpeechClip(
            name=row["name"],
            voice=row["voice"],
            text=row["text"],
            symbols=row["symbols"],
            mel=row["mel"].numpy(),
            f0=row["f0"].numpy(),
            samples=row["samples"].numpy(),
            measured=MeasuredAttributes(*row["measured"]),
            shifted=row["shifted"],
            path=row["path"].numpy(),
        )
        for row in torch.load(path, weights_only=True, mmap=True)
    ]
