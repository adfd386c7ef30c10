"""How a kept result looks on its card: peaks of its sound, and a small picture."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np

log = logging.getLogger(__name__)

PEAKS = 96
LOUDEST = 99
LONGEST_SIDE = 384
SOUNDS = frozenset({".wav", ".flac", ".ogg"})
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif"})
FILMS = frozenset({".mp4", ".webm", ".mov"})
BLOCK = 2**16


def find_peaks(paths: Iterable[Path]) -> tuple[tuple[int, ...], float]:
    """Return the peaks of the first file of sound, 0 to LOUDEST, and its seconds; () and 0.0 where there is none."""
    path = next((each for each in paths if each.suffix.lower() in SOUNDS), None)
    if path is None:
        return (), 0.0
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as sound:
            peaks = np.zeros(PEAKS)
            at, length = 0, max(1, sound.frames)
            while len(block := sound.read(BLOCK, dtype="float32", always_2d=True)):
                loud = np.abs(block).max(axis=1)
                place = ((at + np.arange(len(loud))) * PEAKS // length).clip(0, PEAKS - 1)
                np.maximum.at(peaks, place, np.nan_to_num(loud))
                at += len(block)
            duration_s = at / sound.samplerate
    except (soundfile.LibsndfileError, OSError) as error:
        log.info("No waveform of %s: %s", path.name, error)
        return (), 0.0
    return tuple(int(each) for each in (peaks.clip(0, 1) * LOUDEST).round()), duration_s


def write_picture(paths: Iterable[Path], target: Path) -> tuple[bool, float]:
    """Write a small picture of the first film, or else of the first picture; return whether, and a film's seconds."""
    known = list(paths)
    ordered = [each for kinds in (FILMS, PICTURES) for each in known if each.suffix.lower() in kinds]
    if not ordered:
        return False, 0.0
    from models.media.program import MediaError

    path, duration_s = ordered[0], 0.0
    try:
        if path.suffix.lower() in FILMS:
            duration_s = _write_frame(path, target)
        else:
            from PIL import Image

            with Image.open(path) as image:
                picture = image.convert("RGB")
                picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
                picture.save(target, format="JPEG", quality=82)
    except (MediaError, OSError, ValueError) as error:
        log.info("No preview of %s: %s", path.name, error)
        return False, duration_s
    return True, duration_s


def _write_frame(path: Path, target: Path) -> float:
    """Write the frame after the first third of a film; return how long it is."""
    from PIL import Image

    from models.media.clip_info import probe
    from models.media.clip_reader import read_frames

    info = probe(path)
    width, height = info.fitted(LONGEST_SIDE)
    wanted, frame = info.frames // 3, None
    for number, found in enumerate(read_frames(path, info, width, height)):
        frame = found
        if number >= min(wanted, 240):  # of a long film, ten seconds in: what comes later costs too much to reach
            break
    if frame is None:
        raise ValueError("the film has no frame")
    Image.fromarray(frame).save(target, format="JPEG", quality=82)
    return info.duration_s
