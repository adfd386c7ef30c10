"""Pictures of what a model does, from plain arrays; knows no model.

While a model works its pictures change twice a second beside the work itself, so they are made cheaply: numpy picks
colours from a palette, PIL writes a small PNG (about 2 ms; a matplotlib figure takes some 250 ms), and the page draws
axes around it as text. The picture a person downloads in the end is a matplotlib figure.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

# "Aurora", from night over sea and mint to light: position, red, green, blue. Lightness rises evenly.
AURORA = (
    (0.00, 0x0E, 0x14, 0x20),
    (0.18, 0x17, 0x2B, 0x4A),
    (0.38, 0x14, 0x56, 0x72),
    (0.58, 0x16, 0x8A, 0x84),
    (0.76, 0x5A, 0xC2, 0x8E),
    (0.90, 0xC3, 0xE8, 0x9B),
    (1.00, 0xFF, 0xF8, 0xD6),
)
MAX_COLUMNS = 1400  # wider than any panel of the page: more columns are joined
MAX_ROWS = 512
LABEL_PX = 9.5  # height of a symbol's name on an axis


@lru_cache(maxsize=1)
def aurora_palette() -> NDArray[np.uint8]:
    """Draw the palette, uint8 (256, 3)."""
    positions, *channels = zip(*AURORA, strict=True)
    grid = np.linspace(0.0, 1.0, 256)
    return np.stack([np.interp(grid, positions, channel) for channel in channels], axis=1).round().astype(np.uint8)


def alignment_png(alignment: FloatArray, width_steps: int = 0) -> bytes:
    """Draw attention weights as a PNG: time to the right, symbols upwards.

    Args:
        alignment: float32 (decoder_steps, symbols) in [0, 1].
        width_steps: steps the picture is wide, at least; what is not yet decoded stays dark.
    """
    steps = max(alignment.shape[0], width_steps, 1)
    canvas = np.zeros((steps, max(alignment.shape[1], 1)), dtype=np.float32)
    canvas[: alignment.shape[0], : alignment.shape[1]] = np.nan_to_num(alignment)
    shades = np.sqrt(np.clip(_pool_columns(canvas), 0.0, 1.0))  # a root, so that faint attention is seen too
    return _png(shades.T[::-1])


def mel_png(mel: FloatArray) -> bytes:
    """Draw log-mel frames, float32 (frames, n_mels), as a PNG: time to the right, pitch upwards."""
    if mel.size == 0:
        return _png(np.zeros((1, 1), dtype=np.float32))
    pooled = _pool_columns(np.nan_to_num(mel.astype(np.float32)))
    low, high = np.percentile(pooled, (5.0, 99.8))
    return _png(np.clip((pooled - low) / max(float(high - low), 1e-3), 0.0, 1.0).T[::-1])


def expected_steps(alignment: FloatArray) -> int:
    """Tell how many steps a sentence may take in all, judged by how far the attention has come."""
    steps, symbols = alignment.shape
    if steps == 0 or symbols == 0:
        return 0
    reached = int(np.nan_to_num(alignment[max(0, steps - 2) :]).mean(axis=0).argmax()) + 1
    share = reached / symbols
    return max(steps, round(steps / share)) if share > 0.1 else max(steps, symbols * 4)


def data_uri(png: bytes) -> str:
    """Draw a PNG as an address that a page can show without another request."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def axis_labels(symbols: Sequence[str], height_px: float, label_px: float = LABEL_PX, columns: int = 2) -> list[int]:
    """Choose the symbols to name on an axis of this height, so that names in `columns` columns do not overlap."""
    if not symbols:
        return []
    stride = max(1, math.ceil(len(symbols) * label_px / (height_px * columns)))
    return list(range(0, len(symbols), stride))


def save_speech_figure(
    path: str | Path,
    alignments: Sequence[tuple[FloatArray, Sequence[str]]],
    mel: FloatArray,
    duration_s: float,
    title: str,
) -> Path:
    """Write alignment and mel spectrogram as one figure for a page or a paper.

    Args:
        alignments: for each sentence float32 (decoder_steps, symbols) and the symbols; shown side by side, at most 6.
        mel: float32 (frames, n_mels) of the whole sound, lasting `duration_s`.
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure  # no pyplot: its global state is not made for threads

    colours = ListedColormap(aurora_palette() / 255.0, name="aurora")
    shown = list(alignments)[:6] or [(np.zeros((1, 1), np.float32), [""])]
    figure = Figure(figsize=(11, 7), dpi=110, layout="constrained")
    rows: Any = figure.subfigures(2, 1, height_ratios=(3, 2))
    widths = [max(alignment.shape[0], 1) for alignment, _ in shown]
    axes = rows[0].subplots(1, len(shown), width_ratios=widths, squeeze=False)[0]
    for axis, (alignment, symbols) in zip(axes, shown, strict=True):
        axis.imshow(
            np.sqrt(np.clip(np.nan_to_num(alignment), 0, 1)).T,
            origin="lower",
            aspect="auto",
            cmap=colours,
            vmin=0,
            vmax=1,
        )
        named = axis_labels(symbols, height_px=330, columns=1)
        axis.set_yticks(named, [symbols[index] for index in named], fontsize=7)
        axis.set_xlabel("decoder step", fontsize=8)
        axis.tick_params(axis="x", labelsize=7)
    axes[0].set_title(title[:90], loc="left", fontsize=10)
    axis = rows[1].subplots()
    if mel.size:
        axis.imshow(mel.T, origin="lower", aspect="auto", cmap=colours, extent=(0, duration_s, 0, mel.shape[1]))
    axis.set_xlabel("seconds", fontsize=8)
    axis.set_ylabel("mel band", fontsize=8)
    axis.tick_params(labelsize=7)
    figure.savefig(path, format="png")
    return Path(path)


def _pool_columns(values: FloatArray) -> FloatArray:
    """Join neighbours by their maximum until there are at most MAX_COLUMNS x MAX_ROWS."""
    for axis, most in ((0, MAX_COLUMNS), (1, MAX_ROWS)):
        length = values.shape[axis]
        if length > most:
            starts = np.linspace(0, length, most, endpoint=False).astype(int)
            values = np.maximum.reduceat(values, starts, axis=axis)
    return values


def _png(shades: FloatArray) -> bytes:
    """Draw shades in [0, 1], float32 (rows, columns), as a PNG in the aurora palette."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray((shades * 255.0).round().astype(np.uint8)))
    image.putpalette(aurora_palette().tobytes())
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=4)
    return buffer.getvalue()
