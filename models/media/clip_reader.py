"""The frames of clips and pictures, one after the other, at a constant rate from the beginning of the file.

Clips are decoded by ffmpeg and come through a pipe, so that a clip of any length takes the memory of a few frames.
Frames are shown by their times: where a clip has none for a moment, the one before it stays; where its pictures begin
after its sound, the first one stands until then. Turned phone videos come upright, pixels that are not square come
square, high dynamic range comes as on a plain screen, and what is transparent comes white.

Letters: H and W height and width in pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
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


def _filters(info: ClipInfo, width: int, height: int) -> str:
    steps = [f"setpts=PTS+{info.shift_s:.6f}/TB"] if info.shift_s else []
    steps += [f"fps=fps={info.rate.numerator}/{info.rate.denominator}:start_time=0"]
    if info.has_alpha:
        steps.append("format=rgba,split[over][under];[under]lutrgb=r=255:g=255:b=255:a=255[white]")
        steps[-1] += ";[white][over]overlay=format=rgb"
    if info.transfer:
        table = colour.table_file(info.transfer).as_posix().replace(":", r"\\:")
        steps.append(f"scale={width}:{height}:flags=area:in_color_matrix=bt2020,setsar=1,format=gbrp16le")
        steps.append(f"lut3d=file={table}:interp=tetrahedral")
    else:
        steps.append(f"scale={width}:{height}:flags=area,setsar=1")
    return ",".join(steps)
