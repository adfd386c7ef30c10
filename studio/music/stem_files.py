"""The parts of a piece as WAV files in one ZIP."""

from __future__ import annotations

import zipfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

from studio.io import audio_files
from studio.library.naming import stem_of
from studio.music.history import Version
from studio.page.instruments import name_of


def write_stems(composer: Any, version: Version, path: Path) -> Generator[tuple[int, int], None, Path]:
    """Write the stems of a version into a ZIP, named "1-flute.wav"; yield how many of how many are in it.

    Args:
        composer: has the instruments' bank.
    """
    from models.music.stems import StemRenderer

    renderer = StemRenderer(composer.bank, version.piece, version.tempo_scale, version.desk)
    count = len(renderer.list_tracks())
    yield 0, count
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for done, (track, sound) in enumerate(renderer.stream(), 1):
            played = version.piece.tracks[track]
            name = stem_of(str(track + 1), name_of(played.program, played.is_drum))
            archive.writestr(f"{name}.wav", audio_files.wav_bytes(sound, composer.bank.sample_rate))
            yield done, count
    return path
