"""Files that name other files of the machine: nothing of those comes out, and the error is a sentence."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.media.clip_info import probe
from models.media.clip_reader import read_frames, read_picture
from models.media.program import MediaError
from models.media.sound import read_mono, read_sound, unpack_song
from studio.io import ffprobe
from tests.models.media.files import RATE, make_flash, make_voice, run, write_wav

SECRET_WORDS = "the secret of the house"


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory, maker: str) -> Path:
    """Make a folder with a sound, a clip, a picture and a text that nobody may see."""
    folder = tmp_path_factory.mktemp("secret")
    sound = write_wav(folder / "secret.wav", make_voice())
    make_flash(folder / "secret.mp4", maker)
    run(
        maker,
        "-i",
        folder / "secret.mp4",
        "-i",
        sound,
        "-c:v",
        "copy",
        "-c:a",
        "aac",
        "-f",
        "mpegts",
        folder / "secret.ts",
    )
    run(maker, "-i", sound, "-c:a", "libmp3lame", folder / "secret.mp3")
    Image.fromarray(np.full((64, 64, 3), 250, np.uint8)).save(folder / "secret.png")
    (folder / "secret.txt").write_text(SECRET_WORDS)
    return folder


def hls(folder: Path) -> bytes:
    head = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXT-X-MEDIA-SEQUENCE:0\n"
    return f"{head}#EXTINF:3.0,\nfile:{folder}/secret.ts\n#EXT-X-ENDLIST\n".encode()


def hls_master(folder: Path) -> bytes:
    return f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nfile://{folder}/secret.ts\n".encode()


def dash(folder: Path) -> bytes:
    return f"""<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"
 mediaPresentationDuration="PT4S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet
 mimeType="video/mp4"><Representation id="1" bandwidth="1" codecs="avc1.64000a"><BaseURL>{folder}/secret.mp4</BaseURL>
 <SegmentBase indexRange="0-900"/></Representation></AdaptationSet></Period></MPD>""".encode()


def concat(folder: Path) -> bytes:
    return f"ffconcat version 1.0\nfile '{folder}/secret.mp4'\n".encode()


def xspf(folder: Path) -> bytes:
    return f"""<?xml version="1.0"?><playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList><track><location>
file://{folder}/secret.mp3</location></track></trackList></playlist>""".encode()


def ffmetadata(folder: Path) -> bytes:
    return f";FFMETADATA1\ntitle=x\n[STREAM]\ntitle=file:{folder}/secret.mp3\n".encode()


def sdp(folder: Path) -> bytes:
    return f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\na=control:file:{folder}/secret.ts\nm=audio 5004 RTP/AVP 0\n".encode()


def svg(folder: Path) -> bytes:
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f"""<svg {names} width="64" height="64">
<image width="64" height="64" xlink:href="file://{folder}/secret.png"/></svg>""".encode()


def script(folder: Path) -> bytes:
    return f'DirectShowSource("{folder}/secret.mp4")\n'.encode()


def eps(folder: Path) -> bytes:
    return f"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n({folder}/secret.txt) run\n".encode()


def hls_in_id3(folder: Path) -> bytes:
    return b"ID3\x04\0\0\0\0\0\0" + hls(folder)


def hls_before_packets(folder: Path) -> bytes:
    packets = (folder / "secret.ts").read_bytes()[: 188 * 20]
    return hls(folder).ljust(188, b"\n")[: max(188, len(hls(folder)))] + packets


def dash_before_a_box(folder: Path) -> bytes:
    """Return an MP4 whose first box is padding with a DASH manifest inside."""
    manifest = dash(folder)
    return (
        struct.pack(">I4s", 16, b"ftyp") + b"isom\0\0\0\0" + struct.pack(">I4s", 8 + len(manifest), b"free") + manifest
    )


KINDS: tuple[Callable[[Path], bytes], ...] = (
    hls, hls_master, dash, concat, xspf, ffmetadata, sdp, svg, script, eps, hls_in_id3, hls_before_packets,
    dash_before_a_box,
)  # fmt: skip


@pytest.mark.parametrize("suffix", [".mp3", ".mp4", ".wav", ".png", ".m3u8"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_playlists_and_scripts_are_refused(
    kind: Callable[[Path], bytes], suffix: str, secrets: Path, tmp_path: Path, program: str
) -> None:
    upload = tmp_path / f"upload{suffix}"
    upload.write_bytes(kind(secrets))
    for reading in (probe, read_sound, read_mono, lambda path: unpack_song(path, tmp_path / "out.wav")):
        with pytest.raises(MediaError) as told:
            reading(upload)
        assert str(told.value)[0].isupper() or upload.name in str(told.value)
        assert "secret" not in str(told.value)
    assert not (tmp_path / "out.wav").exists()
    found = ffprobe.probe(str(upload), program)
    assert found["streams"] == [] and "secret" not in str(found["log"])


def with_reference(movie: bytes, target: str) -> bytes:
    """Return a MOV whose tracks say that their data lie in another file: a `dref` with an alias and a URL."""
    at = movie.index(b"dref")
    size = int.from_bytes(movie[at - 4 : at], "big")
    url = target.encode() + b"\0"
    entry = struct.pack(">I4sI", 12 + len(url), b"url ", 0) + url
    made = struct.pack(">I4sII", 16 + len(entry), b"dref", 0, 1) + entry
    grown = len(made) - size
    movie = movie[: at - 4] + made + movie[at - 4 + size :]
    for name in (b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        place = movie.rindex(name, 0, at)
        length = int.from_bytes(movie[place - 4 : place], "big") + grown
        movie = movie[: place - 4] + length.to_bytes(4, "big") + movie[place:]
    return movie


def test_a_movie_whose_data_lie_elsewhere(secrets: Path, tmp_path: Path, maker: str, program: str) -> None:
    own = write_wav(tmp_path / "own.wav", np.zeros(RATE, np.float32))
    run(maker, "-i", own, "-c:a", "pcm_s16le", "-f", "mov", tmp_path / "own.mov")
    movie = (tmp_path / "own.mov").read_bytes()
    for target in (f"file://{secrets}/secret.wav", f"{secrets}/secret.wav"):
        (tmp_path / "upload.mov").write_bytes(with_reference(movie, target))
        try:
            samples, _ = read_sound(tmp_path / "upload.mov")
        except MediaError as error:
            assert "secret" not in str(error)
        else:
            assert np.abs(samples).max() < 0.01  # its own silence


def test_attachments_of_a_movie_are_left_alone(secrets: Path, tmp_path: Path, maker: str, program: str) -> None:
    clip = make_flash(tmp_path / "clip.mp4", maker, seconds=1.0, flash_s=0.5)
    (tmp_path / "note.svg").write_bytes(svg(secrets))
    upload = tmp_path / "upload.mkv"
    attached = ("-attach", tmp_path / "note.svg", "-metadata:s:t", "mimetype=image/svg+xml")
    run(maker, "-i", clip, "-c", "copy", *attached, upload)
    info = probe(upload)
    frames = np.stack(list(read_frames(upload, info, info.width, info.height)))
    assert info.codec == "h264" and info.frames in {25, 26} and frames[0].mean() < 100


def test_a_picture_that_is_a_playlist_is_no_style(secrets: Path, tmp_path: Path, program: str) -> None:
    for kind in (svg, eps, hls):
        (tmp_path / "style.png").write_bytes(kind(secrets))
        with pytest.raises(MediaError):
            read_picture(tmp_path / "style.png", 64, 64)
