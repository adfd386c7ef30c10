"""Tests of clips that travel as Vorbis."""

from pathlib import Path

import numpy as np
import pytest

from models.audio import MelConfig
from models.speech.symbols import SYMBOLS
from tests.training.speech.spoken_clips import make_clip
from training.speech.retiming import retime_clip
from training.speech.teacher_corpus import VOICES, load_clips
from training.speech.voice_pack import KOKORO_VOICES, VORBIS_LEVEL, pack, unpack


def write_spoken(folder: Path, name: str, seeds: range) -> None:
    """Write clips as Kokoro's job does, one a file."""
    for seed in seeds:
        clip = make_clip(seed)
        np.savez(
            folder / f"{KOKORO_VOICES[name]}-{seed:05}-0.npz",
            symbols=np.array([SYMBOLS[i] for i in clip.symbols]),
            durations=clip.durations,
            f0=clip.f0.astype(np.float16),
            samples=(clip.samples * 32767).astype(np.int16),
        )


def test_a_pack_gives_back_clips_at_the_rate_of_the_networks(tmp_path: Path) -> None:
    for name, seeds in (("emma", range(3)), ("fable", range(4, 6))):
        write_spoken(tmp_path, name, seeds)
    minutes = pack(tmp_path, tmp_path / "packed", 60.0, VORBIS_LEVEL)
    assert set(minutes) == {"emma", "fable"}
    assert unpack(tmp_path / "packed", tmp_path / "shards") == {"emma": 3, "fable": 2}
    back = load_clips(tmp_path / "shards" / "fable.npz")
    for seed, clip in zip(range(4, 6), back, strict=True):
        spoken = make_clip(seed)
        assert (clip.voice, clip.rate, clip.hop) == (VOICES.index("fable"), 22_050, 256)
        assert retime_clip(clip, MelConfig()) is clip
        assert clip.symbols.tolist() == spoken.symbols.tolist()
        assert len(clip.f0) == clip.durations.sum() == len(clip.samples) / 256
        wanted = retime_clip(spoken, MelConfig())
        assert np.corrcoef(wanted.samples.astype(float), clip.samples.astype(float))[0, 1] > 0.95


def test_a_pack_holds_no_more_minutes_than_asked(tmp_path: Path) -> None:
    write_spoken(tmp_path, "emma", range(6))
    everything = pack(tmp_path, tmp_path / "packed", 60.0, VORBIS_LEVEL)["emma"]
    some = pack(tmp_path, tmp_path / "packed", everything / 3, VORBIS_LEVEL)["emma"]
    assert everything / 3 < some < 0.7 * everything
    assert unpack(tmp_path / "packed", tmp_path / "shards")["emma"] < 6


def test_an_empty_pack_has_no_voices(tmp_path: Path) -> None:
    assert unpack(tmp_path, tmp_path / "shards") == {}
    with pytest.raises(FileNotFoundError):
        load_clips(tmp_path / "shards" / "emma.npz")
