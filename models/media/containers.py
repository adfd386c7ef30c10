"""The container of a file, told from its bytes.

ffmpeg guesses a file's format from its content and its name, and some formats are playlists or scripts that name other
files (HLS, DASH, concat, SDP, image sequences). Uploads are opened only as what this module recognises, so that none of
these is ever tried. It imports the standard library alone, as `studio.io.ffprobe` runs without any package.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, NamedTuple

HEAD_BYTES = 64 * 1024
SEARCHED_BYTES = 256 * 1024  # for the first frame of MPEG audio, behind whatever stands before it
CHAINED_FRAMES = 3  # of MPEG audio that must follow one another
MOST_CHUNKS = 10_000  # of a RIFF file that are looked at

_MP3_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_MP3_KBITS = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_W64_GUID = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_ASF_GUID = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_BOXES = {b"ftyp", b"moov", b"mdat", b"moof", b"styp", b"sidx", b"free", b"skip", b"wide", b"pnot"}
_PICTURE_BRANDS = {b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\x1a\x45\xdf\xa3", "matroska"),
    (b"OggS", "ogg"),
    (b"fLaC", "flac"),
    (b"FLV\x01", "flv"),
    (_ASF_GUID, "asf"),
    (_W64_GUID, "w64"),
    (b"caff", "caf"),
    (b"#!AMR", "amr"),
    (b".snd", "au"),
    (b"wvpk", "wv"),
    (b"MAC ", "ape"),
    (b"TTA1", "tta"),
    (b"MPCK", "mpc8"),
    (b"MP+", "mpc"),
    (b"DSD ", "dsf"),
    (b"\x0b\x77", "ac3"),
    (b"\x00\x00\x01\xba", "mpeg"),
    (b"\x00\x00\x01\xb3", "mpegvideo"),
)
DEMUXERS = {each for _, each in _STARTS} | {"wav", "avi", "aiff", "mov", "mpegts", "mp3", "aac", "gif", "apng"}
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class Container(NamedTuple):
    """How a file is to be opened.

    Attributes:
        demuxer: ffmpeg's name, "" for a picture that Pillow reads.
        options: of that demuxer.
    """

    demuxer: str
    options: tuple[str, ...] = ()

    @property
    def is_picture(self) -> bool:
        """Tell whether Pillow reads it."""
        return not self.demuxer


PICTURE = Container("")
_CHUNKED = {
    b"WEBP": PICTURE,
    b"WAVE": Container("wav"),
    b"AVI ": Container("avi"),
    b"AVIX": Container("avi"),
    b"AIFF": Container("aiff"),
    b"AIFC": Container("aiff"),
}


def sniff(path: str | Path) -> Container | None:
    """Return the container that the bytes of a file show, or None for what is not read.

    Raises:
        OSError: the file cannot be read.
    """
    with Path(path).open("rb") as file:
        head = file.read(HEAD_BYTES)
        size = file.seek(0, 2)
        begin = _id3_end(head)
        if begin:
            file.seek(begin)
            head = file.read(SEARCHED_BYTES)
            return Container("flac") if head[:4] == b"fLaC" else _mpeg_audio(head)
        found = _by_start(head)
        if found is not None:
            return _with_details(found, Path(path), head, size)
        if _is_transport_stream(head):
            return Container("mpegts")
        file.seek(0)
        return _mpeg_audio(file.read(SEARCHED_BYTES))


def _by_start(head: bytes) -> Container | None:
    kind = head[8:12]
    if head[:4] in {b"RIFF", b"RF64", b"BW64", b"RIFX", b"FORM"}:
        return _CHUNKED.get(kind)
    if head[4:8] in _BOXES:
        if head[4:8] == b"ftyp" and kind in _PICTURE_BRANDS:
            return PICTURE
        return Container("mov", ("-enable_drefs", "0", "-use_absolute_path", "0"))
    if head.startswith(_PICTURES):
        return PICTURE
    return next((Container(demuxer) for start, demuxer in _STARTS if head.startswith(start)), None)


def _with_details(found: Container, path: Path, head: bytes, size: int) -> Container:
    """Return the container with what more than its first bytes tell: lengths that are wrong, pictures that move."""
    if found.demuxer == "wav":
        return Container("wav", _wav_options(path, size))
    if head.startswith(b"\x89PNG"):
        at = head.find(b"acTL", 8)
        moves = 0 < at < len(head) - 8 and int.from_bytes(head[at + 4 : at + 8], "big") > 1
        return Container("apng", ("-ignore_loop", "1")) if moves else PICTURE
    if head.startswith(b"GIF8"):
        with path.open("rb") as file:
            return Container("gif", ("-ignore_loop", "1")) if _gif_moves(file) else PICTURE
    return found


def _gif_moves(file: BinaryIO) -> bool:
    """Tell whether a GIF has a second frame."""
    flags = file.read(13).ljust(13, b"\0")[10]
    file.seek(_table_bytes(flags), 1)
    frames = 0
    while mark := file.read(1):
        if mark == b"!":
            file.seek(1, 1)  # what kind of extension
        elif mark == b",":
            frames += 1
            if frames == 2:
                return True
            flags = (file.read(9) or b"\0")[-1]
            file.seek(_table_bytes(flags) + 1, 1)  # the colours, and how wide the codes begin
        else:
            return False
        while length := file.read(1):
            if length == b"\0":
                break
            file.seek(length[0], 1)
    return False


def _table_bytes(flags: int) -> int:
    """Return the size of the table of colours that the flags of a GIF announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _id3_end(head: bytes) -> int:
    """Return where the ID3v2 tag ends, 0 where there is none."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size + (10 if head[5] & 0x10 else 0)


def _is_transport_stream(head: bytes) -> bool:
    """Tell whether packets of a transport stream begin here, those of a camera with a time before each."""
    marks = [head[begin : begin + 5 * step : step] for begin, step in ((0, 188), (4, 192), (0, 204))]
    return any(len(found) == 5 and set(found) == {0x47} for found in marks)


def _mpeg_audio(data: bytes) -> Container | None:
    """Find frames of MP3 or ADTS that follow one another."""
    at = data.find(0xFF)
    while 0 <= at < len(data) - 8:
        if data[at + 1] & 0xE0 == 0xE0:
            for length, name in ((_mp3_length, "mp3"), (_adts_length, "aac")):
                if _follow(data, at, length):
                    return Container(name)
        at = data.find(0xFF, at + 1)
    return None


def _follow(data: bytes, at: int, length_of: object) -> bool:
    """Tell whether CHAINED_FRAMES frames stand one behind the other, fewer where the data ends."""
    assert callable(length_of)
    for number in range(CHAINED_FRAMES):
        if number and at >= len(data) - 8:
            return True
        length = length_of(data, at)
        if not length:
            return False
        at += length
    return True


def _mp3_length(data: bytes, at: int) -> int:
    """Return the bytes of the MPEG audio frame that begins here, 0 where none does."""
    if data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:
        return 0
    version, layer = data[at + 1] >> 3 & 3, 4 - (data[at + 1] >> 1 & 3)
    rate_at, bits_at, padding = data[at + 2] >> 2 & 3, data[at + 2] >> 4, data[at + 2] >> 1 & 1
    if version == 1 or layer == 4 or rate_at == 3 or bits_at in {0, 15}:
        return 0
    rate = _MP3_RATES[version][rate_at]
    bits = 1000 * _MP3_KBITS[(1, layer) if version == 3 else (2, min(layer, 2))][bits_at - 1]
    if layer == 1:
        return 4 * (12 * bits // rate + padding)
    return (144 if layer == 2 or version == 3 else 72) * bits // rate + padding


def _adts_length(data: bytes, at: int) -> int:
    """Return the bytes of the AAC frame that begins here, 0 where none does."""
    if data[at] != 0xFF or data[at + 1] & 0xF6 != 0xF0 or data[at + 2] >> 2 & 15 > 12:
        return 0
    length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    return length if length >= 7 else 0


def _wav_options(path: str | Path, size: int) -> tuple[str, ...]:
    """Have the length of the samples ignored where it cannot be right: neither a chunk nor the end stands behind it."""
    with Path(path).open("rb") as file:
        order = "big" if file.read(4) == b"RIFX" else "little"
        at = 12
        for _ in range(MOST_CHUNKS):
            file.seek(at)
            name, length = file.read(4), int.from_bytes(file.read(4), order)  # type: ignore[arg-type]
            if len(name) < 4:
                return ()
            behind = at + 8 + length + length % 2
            if name == b"data":
                file.seek(behind)
                after = file.read(8)
                right = size - (at + 8 + length) <= 1 or _is_chunk(after, order, size - behind)
                return () if length and right else ("-ignore_length", "1")
            at = behind
    return ()


def _is_chunk(head: bytes, order: str, room: int) -> bool:
    """Tell whether a chunk of RIFF begins here: a name of letters, and a length that fits in what is left."""
    name, length = head[:4], int.from_bytes(head[4:8], order)  # type: ignore[arg-type]
    return len(head) == 8 and name.replace(b" ", b"").isalnum() and length <= room
