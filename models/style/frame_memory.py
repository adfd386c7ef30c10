"""What is remembered of the frames of clips, so that another strength is decoded only."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


@dataclass
class RememberedFrame:
    """One frame of a content in one style: half precision, on the CPU.

    Attributes:
        sketch: (1, 3, H, W).
        features: of the sketch, where the painter has any.
        own: what the painter measured of the content, smoothed over time.
        offsets, certain: the motion from the frame before and how far it is trusted; None at a beginning or a cut.
        finished: a picture at its own size and at full strength, (H, W, 3), where the painter goes over it.
    """

    sketch: Tensor
    features: tuple[Tensor, ...]
    own: Any
    offsets: NDArray[np.float16] | None
    certain: NDArray[np.uint8] | None
    finished: NDArray[np.uint8] | None = None

    @property
    def size_bytes(self) -> int:
        """Return the bytes of its arrays."""
        arrays = [array.nbytes for array in (self.offsets, self.certain, self.finished) if array is not None]
        return sum(2 * level.numel() for level in (self.sketch, *self.features)) + sum(arrays)


class FrameMemory:
    """Frames by clip and number, the least recently used clip forgotten first; at most `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._clips: OrderedDict[Any, dict[int, RememberedFrame]] = OrderedDict()
        self._bytes = 0

    def find(self, clip: Any, number: int) -> RememberedFrame | None:
        """Return the frame, or None."""
        frames = self._clips.get(clip)
        if frames is None:
            return None
        self._clips.move_to_end(clip)
        return frames.get(number)

    def keep(self, clip: Any, number: int, frame: RememberedFrame) -> None:
        """Remember the frame if there is room, forgetting other clips first."""
        while self._bytes + frame.size_bytes > self.limit and self._clips and next(iter(self._clips)) != clip:
            _, gone = self._clips.popitem(last=False)
            self._bytes -= sum(each.size_bytes for each in gone.values())
        if self._bytes + frame.size_bytes <= self.limit:
            frames = self._clips.setdefault(clip, {})
            self._bytes += frame.size_bytes - (frames[number].size_bytes if number in frames else 0)
            frames[number] = frame
