"""What a clip or a picture is, told without decoding it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from models.media import command, pictures
from models.media.limits import (
    MAX_ANIMATION_WORK,
    MAX_CLIP_PIXELS,
    MAX_CLIP_S,
    MAX_CLIP_SIDE,
    MAX_CLIP_WORK,
    MAX_FRAMES,
)
from models.media.program import MediaError
from models.media.rates import choose_rate, count_frames, read_listing, shift_onto

PROBE = command.Bounds(deadline_s=60.0, processor_s=120.0)
MOST_PACKETS = 8 * MAX_FRAMES
ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}  # ffmpeg's own leave the transparency out
TRANSFERS = {"smpte2084": "pq", "arib-std-b67": "hlg"}

_VIDEO = re.compile(r"Stream #0:\d+.*?: Video: (\w+)(.*)")
_SOUND = re.compile(r"Stream #0:\d+.*?: Audio: (\w+)(.*)")
_SIZE = re.compile(r", (\d+)x(\d+)")
_ASPECT = re.compile(r"SAR (\d+):(\d+)")
_RATE = re.compile(r"([\d.]+)(k?) (fps|tbr)")
_TURN = re.compile(r"rotation of (-?[\d.]+) degrees")
_ALPHA = re.compile(r"[ ,](yuva\w+|rgba\w*|argb\w*|bgra\w*|abgr\w*|gbrap\w*|ya8|ya16\w*|pal8)\b")
_ALPHA_MODE = re.compile(r"alpha_mode\s*: 1")


@dataclass(frozen=True)
class ClipInfo:
    """What a file holds, as it is read: at a constant rate from the beginning of the file.

    Attributes:
        width, height: in pixels as it is to be seen, upright and with square pixels.
        rate: frames in a second; 1 for a single picture.
        frames: how many there are.
        is_picture: whether it is one picture that does not move.
        codec: of its pictures as ffmpeg calls it, "" where Pillow reads them.
        sound: codec of its sound as ffmpeg calls it, or "".
        sound_profile: of the codec, as "LC", or "".
        by_pillow: whether Pillow reads it.
        decoder: of ffmpeg, where it is not to choose.
        has_alpha: whether it can be transparent.
        transfer: "hlg" or "pq" where the colours are of high dynamic range, else "".
        shift_s: by how much the frames are moved, so that they lie on the places of the constant rate.
    """

    width: int
    height: int
    rate: Fraction
    frames: int
    is_picture: bool = False
    codec: str = ""
    sound: str = ""
    sound_profile: str = ""
    by_pillow: bool = False
    decoder: str = ""
    has_alpha: bool = False
    transfer: str = ""
    shift_s: float = 0.0

    @property
    def duration_s(self) -> float:
        """Return how long it lasts; 0 for a picture."""
        return 0.0 if self.is_picture else float(self.frames / self.rate)

    def fitted(self, longest: int) -> tuple[int, int]:
        """Return width and height of the same shape with `longest` as the longer side at most; even where it moves."""
        scale = min(1.0, longest / max(self.width, self.height))
        width, height = max(1, round(self.width * scale)), max(1, round(self.height * scale))
        if self.is_picture:
            return width, height
        return max(2, 2 * round(width / 2)), max(2, 2 * round(height / 2))


def probe(path: str | Path) -> ClipInfo:
    """Return what a clip or picture is.

    Raises:
        MediaError: it is missing, empty, damaged, too large, too long, or holds no picture.
    """
    path = Path(path)
    try:
        container = command.container_of(path)
    except command.UnknownKindError as error:
        raise _no_picture(path) from error
    if container.is_picture:
        found = pictures.measure(path)
        info = ClipInfo(
            found.width, found.height, found.rate, found.frames, is_picture=found.frames == 1, by_pillow=True
        )
    else:
        info = _probe_clip(path)
    return info if info.is_picture else _check(path, info)


def _check(path: Path, info: ClipInfo) -> ClipInfo:
    """Return `info` of what moves, or raise what is too much about it."""
    size = f"{info.width:,} x {info.height:,} pixels"
    if max(info.width, info.height) > MAX_CLIP_SIDE or info.width * info.height > MAX_CLIP_PIXELS:
        raise MediaError(
            f"{path.name} has {size}, which is too large to be read; scale it down to 3,840 x 2,160 first."
        )
    if info.duration_s > MAX_CLIP_S or info.frames > MAX_FRAMES:
        raise MediaError(f"{path.name} is longer than {MAX_CLIP_S / 60:g} minutes; cut it first.")
    if info.width * info.height * info.frames > (MAX_ANIMATION_WORK if info.by_pillow else MAX_CLIP_WORK):
        raise MediaError(
            f"{path.name} has {info.frames:,} frames of {size}, which is too much; cut it or scale it first."
        )
    return info


def _no_picture(path: Path) -> MediaError:
    return MediaError(f"{path.name} holds no moving picture that can be read; MP4, WebM, MOV and GIF always can.")


def _probe_clip(path: Path) -> ClipInfo:
    listing = ["-map", "0:V:0", "-c", "copy", "-copyinkf", "-copypriorss", "1", "-frames:v", str(MOST_PACKETS)]
    _, made, text = command.run(
        [*command.input_of(path), *listing, "-f", "framecrc", "pipe:1", *command.keep_time(path, "0:a:0?")],
        PROBE,
        level=("-v", "info"),
    )
    text = text.split("\nOutput #0")[0].split("\nStream mapping")[0]
    videos = [each for each in _VIDEO.finditer(text) if "(attached pic)" not in each.group(2)]
    size = _SIZE.search(videos[0].group(2)) if videos else None
    shown = read_listing(made)
    if size is None or not len(shown.starts):
        raise _no_picture(path)
    codec, line = videos[0].groups()
    behind = text[videos[0].end() :].split("  Stream #0:")[0]  # what is said about this stream
    width, height = int(size.group(1)), int(size.group(2))
    aspect = _ASPECT.search(line)
    if aspect and int(aspect.group(1)) and int(aspect.group(2)):
        width = max(1, round(width * int(aspect.group(1)) / int(aspect.group(2))))
    turn = _TURN.search(behind)
    if turn and round(float(turn.group(1)) / 90) % 2:
        width, height = height, width
    alpha_decoder = ALPHA_DECODERS.get(codec, "") if _ALPHA_MODE.search(behind) else ""
    rate = choose_rate(shown.starts, _named_rate(line))
    sound, profile = _sound(text)
    return ClipInfo(
        width,
        height,
        rate,
        count_frames(shown, rate),
        codec=codec,
        sound=sound,
        sound_profile=profile,
        decoder=alpha_decoder,
        has_alpha=bool(alpha_decoder or _ALPHA.search(line)),
        transfer=next((short for name, short in TRANSFERS.items() if name in line), ""),
        shift_s=shift_onto(shown.starts, rate),
    )


def _named_rate(line: str) -> float:
    named = _RATE.search(line)
    return float(named.group(1)) * (1000 if named.group(2) else 1) if named else 0.0


def _sound(text: str) -> tuple[str, str]:
    """Return codec and profile of the first sound."""
    sound = _SOUND.search(text)
    if sound is None:
        return "", ""
    profile = re.match(r" \(([\w -]+)\)", sound.group(2))
    return sound.group(1), profile.group(1) if profile else ""
