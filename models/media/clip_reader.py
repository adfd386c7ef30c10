"""The frames of clips and pictures, one after the other, at a constant rate from the beginning of the file.

Clips are decoded by ffmpeg and come through a pipe, so that a clip of any length takes the memory of a few frames.
Frames are shown by their times: where a clip has none for a moment, the one before it stays; where its pictures begin
after its sound, the first one stands until then. Turned phone videos come upright, pixels that are not square come
square, high dynamic range comes as on a plain screen, and what is transparent comes white.

Letters: H and W height and width in pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.media import colour, command, pictures
from models.media.clip_info import ClipInfo, probe
from models.media.program import MediaError

Pixels = NDArray[np.uint8]

LEAST_SPEED = 4_000_000  # pixels in a second of the processor's time, under which a decoder is ended
BROKEN_SHARE = 0.02  # of the frames that may be missing at the end before a clip counts as broken off


def read_frames(path: str | Path, info: ClipInfo, width: int, height: int) -> Iterator[Pixels]:
    """Yield all frames of a file, uint8 (height, width, 3) in RGB, as many as `info` says or fewer if it breaks off.

    Closing the iterator ends the reading.

    Raises:
        MediaError: not even one frame can be read.
    """
    path = Path(path)
    source = pictures.read_all(path, width, height) if info.by_pillow else _decode(path, info, width, height)
    count = 0
    for frame in source:
        count += 1
        yield frame
    if not count:
        raise MediaError(f"{path.name} is damaged: not one picture of it can be read.")


def read_picture(path: str | Path, shorter: int, longest: int) -> Pixels:
    """Return one picture, the first frame of a clip or animation, uint8 (H, W, 3).

    Args:
        shorter, longest: what the sides are brought down to; smaller pictures stay as they are. A picture that is much
            longer than wide is cut to its middle.

    Raises:
        MediaError: as `probe` and `read_frames`.
    """
    info = probe(path)
    scale = min(1.0, shorter / min(info.width, info.height))
    width, height = max(1, round(info.width * scale)), max(1, round(info.height * scale))
    frames = read_frames(path, info, width, height)
    try:
        frame = next(frames)
    finally:
        frames.close()  # type: ignore[attr-defined]
    top, left = max(0, (height - longest) // 2), max(0, (width - longest) // 2)
    return frame[top : top + longest, left : left + longest]


def _decode(path: Path, info: ClipInfo, width: int, height: int) -> Iterator[Pixels]:
    """Yield frames by ffmpeg; the last one is repeated where the file ends a moment before `info` says."""
    before = ("-c:v", info.decoder) if info.decoder else ()
    arguments = [*command.input_of(path, *before), "-map", "0:V:0", "-vf", _filters(info, width, height)]
    arguments += ["-fps_mode", "passthrough", "-frames:v", str(info.frames), "-f", "rawvideo", "-pix_fmt", "rgb24"]
    bounds = command.Bounds(processor_s=60 + info.frames * info.width * info.height / LEAST_SPEED)
    size = width * height * 3
    frame, count = None, 0
    arguments += ["pipe:1", *command.keep_time(path, "0:a:0?")]
    with command.PipeReader(arguments, bounds) as reader:
        while len(block := reader.read(size)) == size:
            frame, count = np.frombuffer(block, dtype=np.uint8).reshape(height, width, 3), count + 1
            yield frame
        missing = info.frames - count
        whole = reader.ended_well() and missing <= max(2, math.ceil(info.rate), BROKEN_SHARE * info.frames)
    if frame is not None and whole:
        for _ in range(missing):
            yield frame


def read_stretch(
    path: str | Path, info: ClipInfo, start_s: float, count: int, rate: Fraction, size: tuple[int, int],
    crop: Sequence[float] = (0.0, 0.0, 1.0, 1.0), can_seek: bool = False,
) -> Iterator[Pixels]:  # fmt: skip
    """Yield `count` frames of a clip from a moment on, uint8 (H, W, 3), at a rate; one that ends before begins again.

    Closing the iterator ends the reading.

    Args:
        info: of the clip.
        start_s: from the beginning of the file.
        rate: frames in a second, whatever the clip's own is.
        size: width and height of the frames.
        crop: left, top, width and height of the part that is shown, in shares of the whole.
        can_seek: whether what lies before the moment may be left out. Of files whose list of key frames is wrong, as
            some programs leave them after a cut, what comes then is damaged.

    Raises:
        MediaError: not even one frame can be read.
    """
    path, made = Path(path), 0
    while made < count:
        begin_s = start_s if not made else 0.0
        if info.by_pillow:
            frames = _animate(path, info, begin_s, count - made, rate, size, crop)
        else:
            frames = _decode_stretch(path, info, begin_s, count - made, rate, size, crop, can_seek)
        round_made = 0
        for frame in frames:
            round_made += 1
            yield frame
        made += round_made
        if not round_made:
            if not begin_s:
                raise MediaError(f"{path.name} is damaged: not one picture of it can be read.")
            start_s = 0.0


def _decode_stretch(
    path: Path, info: ClipInfo, start_s: float, count: int, rate: Fraction, size: tuple[int, int],
    crop: Sequence[float], can_seek: bool,
) -> Iterator[Pixels]:  # fmt: skip
    """Yield at most `count` frames by ffmpeg from a moment on, fewer where the clip ends."""
    width, height = size
    can_seek = can_seek and not command.keep_time(path, "0:a:0?")  # else times are told by what comes first
    before = ["-ss", f"{start_s:.6f}"] if start_s > 0 and can_seek else []
    before += ["-c:v", info.decoder] if info.decoder else []
    x, y, across, up = (f"{each:.6f}" for each in crop)
    steps = [] if can_seek or not start_s else [f"trim=start={start_s:.6f},setpts=PTS-{start_s:.6f}/TB"]
    steps.append(f"fps=fps={rate.numerator}/{rate.denominator}:start_time=0")
    if tuple(crop) != (0.0, 0.0, 1.0, 1.0):
        steps.append(f"crop=max(2\\,iw*{across}):max(2\\,ih*{up}):iw*{x}:ih*{y}")
    steps += _picture_steps(info, width, height, "area" if width < info.width * crop[2] else "bicubic")
    arguments = [*command.input_of(path, *before), "-map", "0:V:0", "-vf", ",".join(steps)]
    arguments += ["-fps_mode", "passthrough", "-frames:v", str(count), "-f", "rawvideo", "-pix_fmt", "rgb24"]
    arguments += ["pipe:1", *command.keep_time(path, "0:a:0?")]
    length_s = count / float(rate) + (
        20.0 if can_seek else start_s
    )  # up to the frame that a stretch begins with, some seconds are decoded
    work = info.width * info.height * length_s * float(info.rate)
    length = width * height * 3
    with command.PipeReader(arguments, command.Bounds(processor_s=60 + work / LEAST_SPEED)) as reader:
        while len(block := reader.read(length)) == length:
            yield np.frombuffer(block, dtype=np.uint8).reshape(height, width, 3)


def _animate(
    path: Path, info: ClipInfo, start_s: float, count: int, rate: Fraction, size: tuple[int, int], crop: Sequence[float]
) -> Iterator[Pixels]:
    """Yield at most `count` frames of an animation that Pillow reads from a moment on."""
    width, height = round(size[0] / crop[2]), round(size[1] / crop[3])
    left, top = (
        min(round(each * whole), whole - side)
        for each, whole, side in zip(crop[:2], (width, height), size, strict=True)
    )
    made = 0
    for number, frame in enumerate(pictures.read_all(path, width, height)):
        part = frame[top : top + size[1], left : left + size[0]]
        while made < count and start_s + made / float(rate) < (number + 1) / float(info.rate):
            made += 1
            yield part
        if made >= count:
            return


def _filters(info: ClipInfo, width: int, height: int) -> str:
    steps = [f"setpts=PTS+{info.shift_s:.6f}/TB"] if info.shift_s else []
    steps += [f"fps=fps={info.rate.numerator}/{info.rate.denominator}:start_time=0"]
    return ",".join([*steps, *_picture_steps(info, width, height)])


def _picture_steps(info: ClipInfo, width: int, height: int, scaler: str = "area") -> list[str]:
    """Return the filters that make a frame of a size on white and in the colours of a plain screen."""
    steps = []
    if info.has_alpha:
        steps.append("format=rgba,split[over][under];[under]lutrgb=r=255:g=255:b=255:a=255[white]")
        steps[-1] += ";[white][over]overlay=format=rgb"
    if info.transfer:
        table = colour.table_file(info.transfer).as_posix().replace(":", r"\\:")
        steps.append(f"scale={width}:{height}:flags={scaler}:in_color_matrix=bt2020,setsar=1,format=gbrp16le")
        steps.append(f"lut3d=file={table}:interp=tetrahedral")
    else:
        steps.append(f"scale={width}:{height}:flags={scaler},setsar=1")
    return steps
