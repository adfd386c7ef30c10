"""Tests of the voices of others in the speech benchmark, with tiny ones."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import recogniser
from benchmarks.speech_peers import OURS, VITS, measure_peers, open_peers
from tests.tiny_models import write_tiny


@pytest.mark.slow
def test_every_voice_gets_its_figures_in_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = open_peers({name: write_tiny(name, tmp_path / name) for name in ("hibari", "kokoro")})
    assert {name: voice for name, (_, voice) in found.items()} == {
        "hibari": "heart",
        "kokoro_af_heart": "af_heart",
        "kokoro_bm_george": "bm_george",
    }
    monkeypatch.setattr(
        recogniser, "measure_word_error_rate", lambda said, heard: sum(map(str.__ne__, said, heard)) / len(said)
    )
    asked: list[str] = []

    def transcribe(_samples: np.ndarray, _rate: int) -> str:
        asked.append("the boat")
        return asked[-1]

    listener = (SimpleNamespace(transcribe=transcribe), lambda samples, rate: len(samples) / rate)
    figures = dict(
        measure_peers(
            {OURS: found["kokoro_af_heart"], "hibari": found["hibari"]},
            lambda: 2.0,
            listener,
            ["the boat", "the sea"],
            "the boat",
            repeats=1,
        )
    )
    assert figures["peers.ours.wer"] == figures["peers.hibari.wer"] == 0.5 and len(asked) == 4
    assert figures["peers.ours.distillmos"] > 0.1
    assert {f"peers.{name}.cpu_s_per_s" for name in (OURS, "hibari", VITS)} <= set(figures)
    assert figures["peers.hibari.first_sound_ms"] > 0 and figures["peers.ours.first_sound_cpu_ms"] > 0
    assert figures["cpu_ratio_vs_hibari"] == figures["peers.ours.cpu_s_per_s"] / figures["peers.hibari.cpu_s_per_s"]


def test_a_folder_without_a_voice_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="holds no voice"):
        open_peers({"piper": tmp_path})
