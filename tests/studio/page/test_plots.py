"""Pictures from plain arrays."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.page import film, plots


def _picture(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"), dtype=float)


def test_the_diagonal_rises_from_the_lower_left() -> None:
    picture = _picture(plots.alignment_png(np.eye(40, 20, dtype=np.float32)))
    assert picture.shape == (20, 40)
    assert picture[-1, 0] > 200
    assert picture[0, 0] < 60


def test_what_is_not_decoded_yet_stays_dark() -> None:
    alignment = np.full((10, 5), 1.0, np.float32)
    picture = _picture(plots.alignment_png(alignment, width_steps=30))
    assert picture.shape == (5, 30)
    assert picture[:, :10].min() > 200 and picture[:, 10:].max() < 60


def test_lightness_of_the_palette_rises_evenly() -> None:
    light = plots.aurora_palette().astype(float) @ (0.299, 0.587, 0.114)
    assert (np.diff(light) > -0.5).all()
    assert light[-1] - light[0] > 200


@pytest.mark.parametrize("shape", [(0, 0), (0, 7), (1, 1), (5000, 900)])
def test_any_size_is_drawn(shape: tuple[int, int]) -> None:
    picture = _picture(plots.alignment_png(np.zeros(shape, np.float32)))
    assert picture.shape[0] <= plots.MAX_ROWS and picture.shape[1] <= plots.MAX_COLUMNS
    _picture(plots.mel_png(np.full(shape, np.nan, np.float32)))


def test_a_peak_survives_the_joining_of_columns() -> None:
    alignment = np.zeros((20_000, 3), np.float32)
    alignment[777, 1] = 1.0
    assert _picture(plots.alignment_png(alignment)).max() > 240


def test_expected_steps() -> None:
    alignment = np.zeros((50, 100), np.float32)
    alignment[np.arange(50), np.arange(50)] = 1.0
    assert plots.expected_steps(alignment) == pytest.approx(100, abs=8)
    assert plots.expected_steps(np.zeros((0, 5), np.float32)) == 0
    assert plots.expected_steps(np.eye(3, 100, dtype=np.float32)) >= 100


def test_axis_labels_do_not_crowd() -> None:
    assert plots.axis_labels([], 300) == []
    assert plots.axis_labels(["a"] * 20, 300) == list(range(20))
    crowded = plots.axis_labels(["a"] * 1000, 300, label_px=10, columns=2)
    assert 1 < len(crowded) <= 60


@pytest.mark.slow
def test_the_figure_to_download(tmp_path: Path) -> None:
    alignment = np.eye(30, 12, dtype=np.float32)
    mel = np.zeros((30, 80), np.float32)
    path = plots.save_speech_figure(tmp_path / "plots.png", [(alignment, "abcdefghijkl")] * 8, mel, 1.5, "a title $x_")
    assert Image.open(path).size[0] > 800
    assert plots.save_speech_figure(tmp_path / "none.png", [], np.zeros((0, 80), np.float32), 0.0, "").stat().st_size


def test_no_pyplot() -> None:
    code = "import sys; from studio.page import plots; import numpy as np; plots.mel_png(np.zeros((9, 80), 'f'));"
    code += "print('matplotlib' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_a_preview_of_large_frames_is_small_and_keeps_its_shape_and_its_time() -> None:
    frames = np.zeros((120, 90, 160, 3), np.uint8).repeat(4, axis=1).repeat(4, axis=2)
    thin, rate = film.thin_out(frames, 24.0)
    assert thin.shape == (40, 180, 320, 3) and len(thin) / rate == 5.0
    assert film.thin_out(frames[:8, :64, :64], 8.0)[0].shape == (8, 64, 64, 3)
    assert film.thin_out(frames[:0], 8.0)[0].shape == (0, 360, 640, 3)
