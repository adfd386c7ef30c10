"""People in a picture: MediaPipe's selfie segmentation, read by OpenCV.

The network sees 256 x 256 pixels; a guided filter (He et al. 2010, "Guided Image Filtering") draws its edges along
those of the picture. Letters: H and W height and width in pixels.
"""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError

Pixels = NDArray[np.uint8]
FloatArray = NDArray[np.float32]

FILE = Path(__file__).resolve().parents[1] / "weights" / "selfie_segmentation.tflite"
SIDE = 256
REACH, SMOOTHNESS = 1 / 60, 1e-4  # of the guided filter: its radius as a share of the longer side, its epsilon
FOUND = 0.8  # the highest answer below which there is nobody
_lock = threading.Lock()  # the network of OpenCV keeps what it was given


def find_people(frame: Pixels) -> FloatArray:
    """Tell where people are in uint8 (H, W, 3): float32 (H, W, 1) from 0, elsewhere, to 1; all 0 where nobody is.

    Raises:
        ModelError: the weight file is missing or damaged.
    """
    import cv2

    height, width = frame.shape[:2]
    small = cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    with _lock:
        network = _load_network()
        network.setInput(cv2.dnn.blobFromImage(small, 1 / 255.0))
        answer = np.array(network.forward()[0, 0], dtype=np.float32)
    if float(answer.max(initial=0.0)) < FOUND:
        return np.zeros((height, width, 1), np.float32)
    coarse = np.asarray(cv2.resize(answer, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)
    guide = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY).astype(np.float32) / 255.0
    sharp = _filter_along(guide, coarse, max(1, round(REACH * max(height, width))))
    return np.asarray(np.clip(sharp, 0.0, 1.0)[:, :, None], dtype=np.float32)


def _filter_along(guide: FloatArray, values: FloatArray, radius: int) -> FloatArray:
    """Smooth values (H, W) along the edges of a guide (H, W)."""
    import cv2

    size = (2 * radius + 1, 2 * radius + 1)

    def average(plane: NDArray[Any]) -> FloatArray:
        return np.asarray(cv2.blur(plane, size), dtype=np.float32)

    mean, level = average(guide), average(values)
    slope = (average(guide * values) - mean * level) / (average(guide * guide) - mean * mean + SMOOTHNESS)
    return np.asarray(average(slope) * guide + average(level - slope * mean), dtype=np.float32)


@cache
def _load_network() -> Any:
    import cv2

    try:
        return cv2.dnn.readNetFromTFLite(str(FILE))
    except cv2.error as error:
        raise ModelError(f"The weight file {FILE.name} is missing or damaged. Get it again.", "weights") from error
