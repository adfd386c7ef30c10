"""High dynamic range to the screen's: HLG and PQ in BT.2020 become 8-bit BT.709.

The whole mapping is one table of three dimensions that ffmpeg looks up for every pixel. Diffuse white (203 cd/m2 of
ITU-R BT.2408) becomes the screen's white, brighter lights are rolled off under it, colours outside BT.709 are cut.
"""

from __future__ import annotations

import atexit
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WHITE_NITS = 203.0  # of diffuse white, ITU-R BT.2408
HLG_PEAK_NITS, HLG_GAMMA = 1000.0, 1.2  # of the nominal display, ITU-R BT.2100
SCREEN_GAMMA = 2.4  # ITU-R BT.1886
KNEE = 0.8  # of white, in light; above it lights are rolled off
BRIGHTEST = 1000.0 / WHITE_NITS  # what becomes the screen's brightest
NODES = 49  # on each side of the table

TO_709 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]]
)
_BT2020_LUMA = np.array([0.2627, 0.6780, 0.0593])


def hlg_to_light(signal: Floats) -> Floats:
    """Return display light of HLG signals (..., 3) in [0, 1], in units of diffuse white (ITU-R BT.2100, table 5)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3.0, (np.exp((signal - c) / a) + b) / 12.0)
    luma = np.maximum(scene @ _BT2020_LUMA, 1e-9)[..., None]
    light: Floats = HLG_PEAK_NITS / WHITE_NITS * luma ** (HLG_GAMMA - 1.0) * scene
    return light


def pq_to_light(signal: Floats) -> Floats:
    """Return display light of PQ signals (..., 3) in [0, 1], in units of diffuse white (SMPTE ST 2084)."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    power = np.maximum(signal, 0.0) ** (1.0 / m2)
    light: Floats = 10_000.0 / WHITE_NITS * (np.maximum(power - c1, 0.0) / (c2 - c3 * power)) ** (1.0 / m1)
    return light


def roll_off(light: Floats) -> Floats:
    """Return light whose brightest channel is at most 1; hues stay, and what is under the knee stays as it is."""
    peak = np.maximum(light.max(axis=-1, keepdims=True), 1e-9)
    over = np.maximum(peak - KNEE, 0.0) / (1.0 - KNEE)
    most = (BRIGHTEST - KNEE) / (1.0 - KNEE)
    # A curve of slope 1 at the knee that reaches 1 at the brightest: x (1 + x / m^2) / (1 + x), Reinhard et al. 2002.
    rolled = over * (1.0 + over / most**2) / (1.0 + over)
    target = np.where(peak <= KNEE, peak, KNEE + (1.0 - KNEE) * np.minimum(rolled, 1.0))
    return light * target / peak


def to_screen(signal: Floats, transfer: str) -> Floats:
    """Return BT.709 signals (..., 3) in [0, 1] of BT.2020 ones.

    Args:
        transfer: "hlg" or "pq".
    """
    light = (hlg_to_light if transfer == "hlg" else pq_to_light)(signal)
    narrow = np.maximum(light @ TO_709.T, 0.0)
    return np.clip(roll_off(narrow), 0.0, 1.0) ** (1.0 / SCREEN_GAMMA)


@lru_cache(maxsize=2)
def table_file(transfer: str) -> Path:
    """Return the path of a .cube file with the mapping, which is deleted when this process ends."""
    steps = np.linspace(0.0, 1.0, NODES)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")  # red changes fastest
    rows = to_screen(np.stack([red, green, blue], axis=-1).reshape(-1, 3), transfer)
    with tempfile.NamedTemporaryFile("w", prefix="auralume-", suffix=".cube", delete=False, encoding="ascii") as file:
        file.write(f"LUT_3D_SIZE {NODES}\n")
        np.savetxt(file, rows, fmt="%.6f")
    path = Path(file.name)
    atexit.register(path.unlink, missing_ok=True)
    return path
