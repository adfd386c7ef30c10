"""The mixing desk: how loud each part is, where it stands between left and right, and which parts are heard.

As text, one strip a part, in the order of the tracks, with a comma between them:

    0dB, -6dB L30, 3dB R100 solo, 0dB mute

is what recipes, programs and the page write; a strip that says nothing is as it was recorded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

MIN_DB, MAX_DB = -36, 6
MAX_PAN = 100
MAX_STRIPS = 17
MAX_TEXT = 600
AS_RECORDED = (1.0, 1.0)


@dataclass(frozen=True)
class ChannelStrip:
    """The settings of one part.

    Args:
        volume_db: from MIN_DB to MAX_DB.
        pan: from -MAX_PAN, left alone, to MAX_PAN, right alone; 0 leaves the instrument where it was recorded.
        is_muted: not heard.
        is_solo: heard, and of the others only those that are solo too.

    Raises:
        ValueError: names the control and what it takes.
    """

    volume_db: int = 0
    pan: int = 0
    is_muted: bool = False
    is_solo: bool = False

    def __post_init__(self) -> None:
        if not MIN_DB <= self.volume_db <= MAX_DB:
            raise ValueError(f"Volume is {self.volume_db} dB; it must be from {MIN_DB} to {MAX_DB}.")
        if not -MAX_PAN <= self.pan <= MAX_PAN:
            raise ValueError(f"Pan is {self.pan}; it must be from {-MAX_PAN} (left) to {MAX_PAN} (right).")

    @classmethod
    def parse(cls, text: str) -> ChannelStrip:
        """Read one strip; raises ValueError for words that it does not know."""
        strip = cls()
        for word in text.split():
            if re.fullmatch(r"[+-]?\d{1,3}dB", word):
                strip = replace(strip, volume_db=int(word[:-2]))
            elif re.fullmatch(r"[LR]\d{1,3}", word):
                strip = replace(strip, pan=int(word[1:]) * (-1 if word[0] == "L" else 1))
            elif word in ("mute", "solo"):
                strip = replace(strip, **{"is_muted" if word == "mute" else "is_solo": True})
            else:
                raise ValueError(
                    f"Mixing desk has {word[:20]!r}; a part reads like this: -6dB L30 mute solo, a comma between parts."
                )
        return strip

    def __str__(self) -> str:
        words = [f"{self.volume_db}dB"]
        if self.pan:
            words.append(f"{'L' if self.pan < 0 else 'R'}{abs(self.pan)}")
        return " ".join([*words, *["mute"] * self.is_muted, *["solo"] * self.is_solo])


@dataclass(frozen=True)
class MixingDesk:
    """The strips of a piece's tracks, in their order; tracks beyond the last strip are as they were recorded."""

    strips: tuple[ChannelStrip, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.strips)
        while count and self.strips[count - 1] == ChannelStrip():
            count -= 1
        if count > MAX_STRIPS:
            raise ValueError(f"Mixing desk has {count} parts; a piece has at most {MAX_STRIPS}.")
        object.__setattr__(self, "strips", self.strips[:count])

    @classmethod
    def parse(cls, text: str) -> MixingDesk:
        """Read a desk from its text; "" is one on which nothing is set.

        Raises:
            ValueError: says what cannot be read.
        """
        if len(text) > MAX_TEXT:
            raise ValueError(f"Mixing desk must be text of at most {MAX_TEXT} characters.")
        return cls(tuple(ChannelStrip.parse(part) for part in text.split(",")) if text.strip() else ())

    def __str__(self) -> str:
        return ", ".join(map(str, self.strips))

    def find_strip(self, track: int) -> ChannelStrip:
        """Return the strip of a track."""
        return self.strips[track] if track < len(self.strips) else ChannelStrip()

    def change(self, track: int, strip: ChannelStrip) -> MixingDesk:
        """Return a desk with another strip for a track."""
        strips = [*self.strips, *[ChannelStrip()] * (track + 1 - len(self.strips))]
        return MixingDesk((*strips[:track], strip, *strips[track + 1 :]))

    def is_heard(self, track: int) -> bool:
        """Tell whether a track is heard."""
        strip = self.find_strip(track)
        return not strip.is_muted and (strip.is_solo or not any(each.is_solo for each in self.strips))

    def find_gains(self, track: int) -> tuple[float, float]:
        """Return what a track's left and right are multiplied by."""
        strip = self.find_strip(track)
        if strip == ChannelStrip(is_muted=strip.is_muted, is_solo=strip.is_solo):
            return AS_RECORDED
        level, pan = 10.0 ** (strip.volume_db / 20), strip.pan / MAX_PAN
        return level * min(1.0, 1.0 - pan), level * min(1.0, 1.0 + pan)
