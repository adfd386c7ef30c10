"""The load of a session: the time that each chunk took, and the quality that is given up before sound is lost."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from models.live.frame_stream import QUALITIES
from models.live.music_stream import LiveChunk

KEPT_S = 10.0
LOW_SHARE = 0.5  # of the wished lead: below, something is given up at once
WORK_SHARE = 0.75  # sound that takes longer than this share of its length: likewise
CALM_S = 15.0  # without trouble before something is given back
STEP_EVERY_S = 1.5
STOPPED = len(QUALITIES)  # the level at which no frames are drawn
LEAST_WORK = STOPPED + 1  # and at which the music, too, is written with half the work
LEVEL_SAYS = (
    "Everything at full quality.",
    "Fewer pictures are drawn: the machine is busy.",
    "Fewer pictures are drawn, with less work for each: the machine is busy.",
    "Eight frames a second: the machine is busy.",
    "Four frames a second, plainly enlarged: the machine is busy.",
    "The picture stands still, so that the sound goes on.",
    "The picture stands still and the music is written with half the work, so that the sound goes on.",
)


@dataclass(frozen=True)
class LoadReport:
    """The figures that the meter shows.

    Attributes:
        share: of the last KEPT_S of sound, how long writing and rendering it took; 1 is as long as it lasts.
        last_took_s, last_lasts_s: of the last chunk.
        buffer_s: sound that is rendered and not yet heard; ahead_s: written and not yet rendered.
        chunks, late: chunks so far, and how many came too late.
        level: 0 is full quality; says: what that means.
    """

    share: float
    last_took_s: float
    last_lasts_s: float
    buffer_s: float
    ahead_s: float
    chunks: int
    late: int
    level: int
    says: str


class LoadMonitor:
    """A counter of chunks that steps the quality down and up.

    Args:
        has_pictures: where there are none, only the music's own work is stepped down.
    """

    def __init__(self, has_pictures: bool = True) -> None:
        self.has_pictures = has_pictures
        self.level = 0
        self.chunks = self.late = 0
        self._recent: deque[tuple[float, float]] = deque()  # took, lasts
        self._last = (0.0, 0.0)
        self._stepped_s = self._trouble_s = 0.0
        self._waits = 0

    @property
    def share(self) -> float:
        """Return the time that sound took, as a share of its length, of late."""
        lasts_s = sum(lasts for _, lasts in self._recent)
        return sum(took for took, _ in self._recent) / lasts_s if lasts_s else 0.0

    def count(self, chunk: LiveChunk, margin_s: float) -> None:
        """Take a chunk in; `margin_s` is how long before its time it was sent, negative if it came too late.

        The first one waits for the first bar, which nobody hears; it does not count as trouble.
        """
        self._last = (chunk.took_s, chunk.lasts_s)
        if self.chunks:
            self._recent.append((chunk.took_s + chunk.wrote_s, chunk.lasts_s))
            self._waits += chunk.waited
        while len(self._recent) > 1 and sum(lasts for _, lasts in self._recent) > KEPT_S:
            self._recent.popleft()
        self.chunks += 1
        self.late += margin_s < 0

    def govern(self, now_s: float, buffer_s: float, wished_s: float) -> int:
        """Choose the level; call it after each chunk."""
        troubled = buffer_s < LOW_SHARE * wished_s or self.share > WORK_SHARE or self._waits > 0
        self._waits = 0
        if troubled:
            self._trouble_s = now_s
            if now_s - self._stepped_s > STEP_EVERY_S and self.level < LEAST_WORK:
                self.level = self.level + 1 if self.has_pictures else LEAST_WORK
                self._stepped_s = now_s
        elif self.level and now_s - max(self._trouble_s, self._stepped_s) > CALM_S:
            self.level = self.level - 1 if self.has_pictures else 0
            self._stepped_s = now_s
        return self.level

    def report(self, buffer_s: float, ahead_s: float) -> LoadReport:
        """Return what to show."""
        says = LEVEL_SAYS[self.level]
        if not self.has_pictures and self.level:
            says = "The music is written with half the work: the machine is busy."
        return LoadReport(self.share, *self._last, buffer_s, ahead_s, self.chunks, self.late, self.level, says)
