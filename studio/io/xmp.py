"""What XMP says of a file: the IPTC digital source type and the recipe, put into PNG, WebP, GIF and MP4, and read back.

ISO 16684-3 says where a packet lies in each kind of file. Files come from strangers, so reading is bounded.
"""

from __future__ import annotations

import re
import struct
import zlib
from html import escape, unescape
from pathlib import Path

SOURCES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
GENERATED, COMPOSITE = f"{SOURCES}trainedAlgorithmicMedia", f"{SOURCES}compositeWithTrainedAlgorithmicMedia"
BY_RULE, BY_RULE_COMPOSITE = f"{SOURCES}algorithmicMedia", f"{SOURCES}composite"  # no trained model drew any of it
PNG_START, PNG_KEY = b"\x89PNG\r\n\x1a\n", b"XML:com.adobe.xmp\0\0\0\0\0"
MP4_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
GIF_BLOCK = b"\x21\xff\x0bXMP DataXMP"
GIF_TRAILER = bytes([1, *range(0xFF, -1, -1), 0])
WEBP_XMP_FLAG = 4
MOST_BYTES = 200 * 2**20
_SOURCE = re.compile(  # a term of IPTC's vocabulary alone: a file may hold anything
    rb'Iptc4xmpExt:DigitalSourceType="(https?://cv\.iptc\.org/newscodes/digitalsourcetype/[A-Za-z]{1,60})"'
)
_RECIPE = re.compile(rb'auralume:recipe="([^"]{1,400000})"')


def packet(source: str, recipe: str = "") -> bytes:
    """Return an XMP packet with a digital source type and, where there is one, a recipe's JSON."""
    told = f' auralume:recipe="{escape(recipe)}"' if recipe else ""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        'xmlns:auralume="https://auralume.invalid/ns/1.0/" '
        f'Iptc4xmpExt:DigitalSourceType="{escape(source)}"{told}/></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()


def write_xmp(path: Path, xmp: bytes) -> bool:
    """Put a packet into a finished file; return whether its kind can hold one."""
    with path.open("rb") as file:
        head = file.read(12)
    if head[4:8] == b"ftyp":  # a film, or a long book
        with path.open("ab") as file:
            file.write(struct.pack(">I", 24 + len(xmp)) + b"uuid" + MP4_BOX + xmp)
        return True
    if head[:4] not in {PNG_START[:4], b"RIFF", b"GIF8"} or head[8:12] == b"WAVE":
        return False
    data = path.read_bytes()
    if data[:8] == PNG_START:
        made = _into_png(data, xmp)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        made = _into_webp(data, xmp)
    elif data[:6] in {b"GIF87a", b"GIF89a"}:
        made = _into_gif(data, xmp)
    else:
        return False
    path.write_bytes(made)
    return True


def read_source(path: Path) -> str:
    """Return the digital source type that a file tells, an address of IPTC's vocabulary, or ""."""
    found = _SOURCE.search(_bytes(path))
    return found[1].decode("ascii") if found else ""


def read_recipe_text(path: Path) -> str | None:
    """Return the recipe's JSON in a file's XMP, or None."""
    found = _RECIPE.search(_bytes(path))
    return unescape(found[1].decode("utf-8", "replace")) if found else None


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES)


def _into_gif(data: bytes, xmp: bytes) -> bytes:
    """Put the packet at the end, in the place of an older one."""
    body = data[: data.rindex(b"\x3b")]
    old, end = body.find(GIF_BLOCK), body.find(GIF_TRAILER)
    if 0 <= old < end:
        body = body[:old] + body[end + len(GIF_TRAILER) :]
    return b"GIF89a" + body[6:] + GIF_BLOCK + xmp + GIF_TRAILER + b"\x3b"


def _into_png(data: bytes, xmp: bytes) -> bytes:
    """Put the packet behind the header, in the place of an older one."""
    at, kept = 8, [data[:8]]
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunk = data[at : at + 12 + length]
        if not (chunk[4:8] == b"iTXt" and chunk[8:].startswith(PNG_KEY[:17])):
            kept.append(chunk)
        if chunk[4:8] == b"IHDR":
            body = b"iTXt" + PNG_KEY + xmp
            kept.append(struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)))
        at += 12 + length
    return b"".join(kept)


def _into_webp(data: bytes, xmp: bytes) -> bytes:
    """Put the packet at the end, and say in the extended header, which a plain file gets, that it is there."""
    at, chunks = 12, []
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name != b"XMP ":
            chunks.append((name, data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    if chunks[0][0] == b"VP8X":
        head = chunks[0][1]
        chunks[0] = (b"VP8X", bytes([head[0] | WEBP_XMP_FLAG]) + head[1:])
    else:
        from io import BytesIO

        from PIL import Image

        with Image.open(BytesIO(data)) as image:
            (width, height), flags = image.size, WEBP_XMP_FLAG | (16 if image.mode == "RGBA" else 0)
        size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        chunks.insert(0, (b"VP8X", bytes([flags, 0, 0, 0]) + size))
    chunks.append((b"XMP ", xmp))
    body = b"".join(name + struct.pack("<I", len(each)) + each + b"\0" * (len(each) % 2) for name, each in chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body
