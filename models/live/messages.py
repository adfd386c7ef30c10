"""Messages of a session to the page: a byte for the kind, four for the length, then the load; little-endian.

J   a JSON object
A   eight bytes: number of the first sample in the stream; then 16-bit samples, left and right in turn
V   eight bytes: when to show it, in microseconds of the stream; then a JPEG file
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Send = Callable[[bytes], None]
JPEG_QUALITY = 82
HEAD = struct.Struct("<cI")
PLACE = struct.Struct("<Q")


def pack(kind: bytes, load: bytes) -> bytes:
    """Pack one message."""
    return HEAD.pack(kind, len(load)) + load


def pack_json(**values: Any) -> bytes:
    """Pack a JSON message."""
    return pack(b"J", json.dumps(values).encode())


def pack_sound(start: int, pcm: NDArray[np.int16]) -> bytes:
    """Pack int16 (N, 2) as a message."""
    return pack(b"A", PLACE.pack(start) + np.ascontiguousarray(pcm).astype("<i2").tobytes())


def pack_picture(time_s: float, pixels: NDArray[np.uint8]) -> bytes:
    """Pack uint8 (R, S, 3) as a message."""
    return pack(b"V", PLACE.pack(max(0, round(time_s * 1e6))) + encode_jpeg(pixels))


def encode_jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """Encode uint8 (R, S, 3) as a JPEG file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


def unpack(data: bytes) -> Iterator[tuple[str, int, Any]]:
    """Unpack the whole messages of some bytes: kind, place (0 for JSON), load (dict, int16 (N, 2), or bytes)."""
    at = 0
    while at + HEAD.size <= len(data):
        kind, length = HEAD.unpack_from(data, at)
        load = data[at + HEAD.size : at + HEAD.size + length]
        if len(load) < length:
            return
        at += HEAD.size + length
        if kind == b"J":
            yield "J", 0, json.loads(load)
        else:
            (place,) = PLACE.unpack_from(load)
            rest = load[PLACE.size :]
            yield kind.decode(), place, np.frombuffer(rest, "<i2").reshape(-1, 2) if kind == b"A" else rest
