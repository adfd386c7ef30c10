"""The synchronisation network as a generator: first the report, then the repaired sound and its report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.hub.spec import ModelSpec
from models.video.sync import SYNC_WEIGHTS, SyncChecker, SyncReport, load_sync

FRAME_S = 1 / 24
LEAST_CONFIDENCE = 0.3


@dataclass(frozen=True, eq=False)
class SyncRequest:
    """A clip with its sound, both from the same moment on.

    Args:
        frames: uint8 (F, R, S, 3) of any size.
        frames_per_second: of the frames.
        samples: floating point (N,) or (N, channels).
        sample_rate: samples in a second.
        fix: whether the sound is to be repaired where it is out of time.
    """

    frames: NDArray[np.uint8]
    frames_per_second: float
    samples: NDArray[np.float32]
    sample_rate: int
    fix: bool = True


@dataclass(frozen=True, eq=False)
class SyncChunk:
    """The results so far.

    Attributes:
        report: of the clip as it was given.
        samples: the repaired sound, float32 (N, 2), or None where nothing was to be repaired or it is not done yet.
        after: report of the clip with the repaired sound.
        last: whether this chunk closes the work.
    """

    report: SyncReport
    samples: NDArray[np.float32] | None = None
    after: SyncReport | None = None
    last: bool = False


class SyncModel:
    """A generator that checks and repairs the timing of a clip's sound."""

    def __init__(self, checker: SyncChecker) -> None:
        self.checker = checker

    def stream(self, request: SyncRequest) -> Iterator[SyncChunk]:
        """Yield the report, then the repair where one is asked for, needed, and sure enough.

        Raises:
            ValueError: a sentence: no clip, too short, silent.
        """
        clip = request.frames, request.frames_per_second
        report = self.checker.check(*clip, request.samples, request.sample_rate)
        if not request.fix or not needs_repair(report):
            yield SyncChunk(report, last=True)
            return
        yield SyncChunk(report)
        samples, _ = self.checker.align(*clip, request.samples, request.sample_rate)
        after = self.checker.check(*clip, samples, request.sample_rate)
        yield SyncChunk(report, samples, after, last=True)


def needs_repair(report: SyncReport) -> bool:
    """Return whether the sound is surely more than half a frame late or early."""
    return report.confidence >= LEAST_CONFIDENCE and abs(report.offset_s) > FRAME_S / 2


def load_bundled(files: Mapping[str, Path], spec: ModelSpec) -> SyncModel:
    """Load the shipped network.

    Raises:
        ModelError: the file is missing, damaged or of another version.
    """
    del spec
    return SyncModel(load_sync(files[SYNC_WEIGHTS]))
