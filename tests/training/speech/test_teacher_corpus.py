"""Tests of clips on their way from a teacher to a training."""

from pathlib import Path

import numpy as np
import pytest

from models.speech.hibari_synthesis import count_cycles
from models.speech.symbols import SYMBOLS
from tests.tiny_models import tiny
from tests.training.speech.spoken_clips import HOP, make_clips
from training.speech.teacher_corpus import EDGE_FRAMES, load_clips, read_texts, save_clips, trim_clip, write_texts
from training.speech.teachers import TeacherClip, make_session, sum_durations


def make_padded(before: int, after: int) -> TeacherClip:
    """Make a clip of 40 loud frames with silence around them, that the outer symbols own."""
    count = before + 40 + after
    samples = np.zeros(count * HOP, np.float32)
    samples[before * HOP : (before + 40) * HOP] = 0.5
    durations = np.array([before + 4, 20, 16, after // 2, after - after // 2])
    f0 = np.arange(count, dtype=np.float32)
    return TeacherClip(samples, durations, f0, f0 / count)


def test_a_teacher_tells_inner_values_beside_its_outputs(tmp_path: Path) -> None:
    path = tmp_path / "hibari.onnx"
    path.write_bytes(tiny("hibari")["hibari.onnx"])
    session = make_session(path, ["durations"], 1)
    ids = np.array([[0, 5, 6, 0]], np.int64)
    f0, units = session.run(["f0", "durations"], {"ids": ids, "speed": np.ones(1, np.float32)})
    assert units.tolist() == [12, 3, 3, 12] and f0.shape == (1, 2 * units.sum())


def test_silence_is_cut_from_the_outer_symbols() -> None:
    clip = trim_clip(make_padded(30, 24))
    assert len(clip.f0) == clip.durations.sum() == 40 + 2 * EDGE_FRAMES
    assert len(clip.samples) == len(clip.f0) * HOP
    assert clip.durations.tolist()[1:3] == [20, 16]
    assert clip.durations[0] == EDGE_FRAMES + 4
    assert clip.durations.min() >= 1
    assert clip.f0[0] == 30 - EDGE_FRAMES


def test_a_clip_of_silence_is_left_as_it_is() -> None:
    silent = TeacherClip(np.zeros(10 * HOP, np.float32), np.array([5, 5]), np.zeros(10), np.zeros(10))
    assert trim_clip(silent) is silent


def test_durations_of_letters_become_those_of_symbols() -> None:
    units = np.array([3, 1, 2, 4, 1])  # silence, three letters, silence
    assert sum_durations(units, [0, 2, 1, 0]).tolist() == [6, 6, 8, 2]


def test_a_shard_gives_back_its_clips(tmp_path: Path) -> None:
    clips = make_clips(7)
    save_clips(tmp_path / "a.npz", clips)
    back = load_clips(tmp_path / "a.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
    for mine, theirs in zip(clips, back, strict=True):
        assert theirs.symbols.tolist() == mine.symbols.tolist()
        assert theirs.durations.tolist() == mine.durations.tolist()
        assert theirs.voice == mine.voice
        assert np.abs(theirs.samples / 32767 - mine.samples).max() < 1e-4
        assert np.allclose(theirs.f0, mine.f0, atol=0.1)


def test_cycles_count_periods() -> None:
    hz, cycles = count_cycles(np.full(20, 100.0))
    assert np.allclose(hz, 100.0)
    assert cycles[239] == pytest.approx(0.0, abs=1e-6) or cycles[239] == pytest.approx(1.0, abs=1e-6)
    assert cycles[119] == pytest.approx(0.5)


def test_texts_become_ids_without_stress_on_function_words(tmp_path: Path) -> None:
    book = tmp_path / "texts.csv"
    book.write_text("LJ001-1|x|The key of the house.\nLJ050-1|x|Held out sentence.\n", encoding="utf-8")
    count = write_texts(book, everyday=3, from_book=5, seed=1, path=tmp_path / "texts.npz")
    utterances = read_texts(tmp_path / "texts.npz")
    assert len(utterances) == count >= 4
    spoken = ["".join(SYMBOLS[i] for i in ids) for ids in utterances]
    assert any("ðə kˈi əv ðə hˈaʊs." in text for text in spoken)
    assert not any("hˈɛld" in text for text in spoken)
