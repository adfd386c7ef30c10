"""The index that finds copies of training pieces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.errors import ModelError
from models.music.copy_detector import RUN_NOTES, CopyDetector, hash_runs
from models.music.score import Bar, InstrumentTrack, Note, Piece
from models.weights_io import save_safetensors
from tests.models.music.variations import transpose

SMALL = 2**18


def tune(seed: int, notes: int = 64) -> Piece:
    """Return a random walk in eighths and quarters."""
    random = np.random.default_rng(seed)
    starts = np.cumsum(random.choice([12, 24, 6], notes)) - 6
    pitches = 60 + np.clip(np.cumsum(random.integers(-4, 5, notes)), -30, 30)
    made = [Note(int(s), int(p), 6, 20) for s, p in zip(starts, pitches, strict=True)]
    return Piece((Bar(),) * (int(starts[-1]) // 96 + 1), (InstrumentTrack.from_notes(0, False, made),))


def test_a_copy_is_found_in_another_key_tempo_and_loudness() -> None:
    detector = CopyDetector.from_pieces([tune(1), tune(2)], SMALL)
    assert detector.find_longest_run(transpose(tune(1), 5, 7, -3)).notes == 64
    assert detector.is_copied(tune(2)) and not detector.is_copied(tune(2), limit=64)


def test_new_music_shares_nothing() -> None:
    detector = CopyDetector.from_pieces([tune(1), tune(2)], SMALL)
    assert detector.find_longest_run(tune(3)).notes == 0


def test_a_quotation_is_measured_and_located() -> None:
    original, new = tune(1), tune(4)
    quoted = original.tracks[0].notes[20:36]
    shift = new.tracks[0].notes[-1].start + 24 - quoted[0].start
    notes = (*new.tracks[0].notes, *(replace(note, start=note.start + shift) for note in quoted))
    bars = (Bar(),) * (notes[-1].start // 96 + 1)
    run = CopyDetector.from_pieces([original], SMALL).find_longest_run(
        Piece(bars, (InstrumentTrack.from_notes(0, False, notes),))
    )
    assert (run.notes, run.start) == (16, quoted[0].start + shift)


def test_a_figure_that_belongs_to_everybody_is_no_copy() -> None:
    alberti = (Note(12 * i, (60, 67, 64, 67)[i % 4], 12, 20) for i in range(64))
    piece = Piece((Bar(),) * 8, (InstrumentTrack.from_notes(0, False, alberti),))
    assert CopyDetector.from_pieces([piece], SMALL).find_longest_run(piece).notes == 0


def test_few_notes_have_no_run() -> None:
    hashes, counts = hash_runs(tune(1).tracks[0].notes[: RUN_NOTES - 1])
    assert len(hashes) == len(counts) == 0


def test_the_index_is_read_back_and_another_file_refused(tmp_path: Path) -> None:
    path = tmp_path / "detector.safetensors"
    CopyDetector.from_pieces([tune(1)], SMALL).save(path)
    assert CopyDetector.load(path).find_longest_run(tune(1)).notes == 64
    save_safetensors(path, {"weight": torch.zeros(2)})
    with pytest.raises(ModelError, match="holds no index"):
        CopyDetector.load(path)
