"""Clips: frames at their times, colours and transparency as on a screen, and no more work than is allowed."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from models.media import clip_info, clip_reader, colour
from models.media.clip_info import probe
from models.media.clip_reader import read_frames
from models.media.program import MediaError
from models.media.sound import read_in_time
from tests.models.media.files import HEIGHT, WIDTH, make_flash, run, when_beeps, when_flashes, write_frames

FLASH_S = 2.0
PATCHES = ((200, 200, 200), (200, 30, 30), (30, 160, 60), (40, 60, 200), (220, 180, 40), (250, 250, 250), (16, 16, 16))
HDR = {"hlg": "arib-std-b67", "pq": "smpte2084"}


def frames_of(path: Path) -> tuple[clip_info.ClipInfo, NDArray[np.uint8]]:
    info = probe(path)
    return info, np.stack(list(read_frames(path, info, info.width, info.height)))


def check_flash(path: Path, flash_s: float, within_s: float | None = None) -> clip_info.ClipInfo:
    """Flash and beep are where they belong, and together."""
    info, frames = frames_of(path)
    assert len(frames) == info.frames
    frame_s = float(1 / info.rate)
    flash = when_flashes(frames, float(info.rate))
    beep = when_beeps(read_in_time(path, info.duration_s), 44_100)
    assert flash == pytest.approx(flash_s, abs=within_s or 1.01 * frame_s)
    assert flash == pytest.approx(beep, abs=1.5 * frame_s)
    return info


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, maker: str) -> Path:
    """Make a clip of constant rate, 4 s long, that flashes and beeps at FLASH_S."""
    return make_flash(tmp_path_factory.mktemp("flash") / "plain.mp4", maker, FLASH_S)


def test_a_constant_rate_stays_as_it_is(plain: Path, program: str) -> None:
    info = check_flash(plain, FLASH_S, within_s=0.001)
    assert (info.rate, info.frames, info.sound, info.sound_profile, info.shift_s) == (25, 100, "aac", "LC", 0.0)


@pytest.mark.parametrize("chosen", ["not(mod(n\\,5))*lt(n\\,50)+gte(n\\,50)", "lt(n\\,12)+gt(n\\,40)", "mod(n\\,3)"])
def test_variable_rates(plain: Path, tmp_path: Path, maker: str, program: str, chosen: str) -> None:
    path = tmp_path / "variable.mp4"
    options = ("-vf", f"select='{chosen}'", "-fps_mode", "vfr", "-c:v", "libx264", "-c:a", "copy")
    run(maker, "-i", plain, *options, path)
    info = check_flash(path, FLASH_S, within_s=0.041)
    assert info.duration_s == pytest.approx(4.0, abs=0.1)


def test_a_clip_cut_without_encoding(plain: Path, tmp_path: Path, maker: str, program: str) -> None:
    run(maker, "-ss", "1.52", "-i", plain, "-t", "2", "-c", "copy", tmp_path / "cut.mp4")
    info = check_flash(tmp_path / "cut.mp4", FLASH_S - 1.52)
    assert info.rate == 25 and info.duration_s == pytest.approx(2.0, abs=0.13)


@pytest.mark.parametrize(("late", "flash_s"), [("picture", FLASH_S + 0.7), ("sound", FLASH_S)])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".ts"])
def test_what_begins_late(
    plain: Path, tmp_path: Path, maker: str, program: str, late: str, flash_s: float, suffix: str
) -> None:
    """The later one is shifted against a copy of itself: flash and beep stay where the file puts them."""
    path = tmp_path / f"late{suffix}"
    maps = ("-map", "1:v", "-map", "0:a") if late == "picture" else ("-map", "0:v", "-map", "1:a")
    run(maker, "-i", plain, "-itsoffset", "0.7", "-i", plain, *maps, "-c", "copy", path)
    info, frames = frames_of(path)
    sound = read_in_time(path, info.duration_s)
    assert when_flashes(frames, float(info.rate)) == pytest.approx(flash_s, abs=0.061)
    assert when_beeps(sound, 44_100) == pytest.approx(2 * FLASH_S + 0.7 - flash_s, abs=0.061)
    assert info.duration_s == pytest.approx(4.7 if late == "picture" else 4.0, abs=0.1)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("recorded.webm", ("-c:v", "libvpx", "-auto-alt-ref", "1", "-lag-in-frames", "12", "-c:a", "libopus")),
        ("tv.ts", ("-c:v", "mpeg2video", "-c:a", "mp2")),
        ("old.avi", ("-c:v", "mpeg4", "-c:a", "libmp3lame")),
        ("camera.mov", ("-c:v", "prores_ks", "-c:a", "pcm_s16le")),
        ("windows.wmv", ("-c:v", "wmv2", "-c:a", "wmav2")),
        ("fields.mp4", ("-c:v", "libx264", "-flags", "+ildct+ilme", "-c:a", "aac")),
    ],
)
def test_every_container_tells_the_same_times(
    plain: Path, tmp_path: Path, maker: str, program: str, name: str, options: tuple[str, ...]
) -> None:
    run(maker, "-i", plain, *options, tmp_path / name)
    info = check_flash(tmp_path / name, FLASH_S, within_s=0.081)
    assert info.rate == 25 and info.duration_s == pytest.approx(4.0, abs=0.13)


def test_a_gif_of_changing_pace(tmp_path: Path, program: str) -> None:
    frames = [Image.new("P", (40, 30), number) for number in range(4)]
    for number, frame in enumerate(frames):
        frame.putpalette([60 * number, 90, 20] * 256)
    frames[0].save(tmp_path / "pace.gif", save_all=True, append_images=frames[1:], duration=[100, 500, 50, 50], loop=0)
    info, read = frames_of(tmp_path / "pace.gif")
    assert info.rate == 20 and [len(read), info.frames] == [14, 14]
    assert [int(frame[5, 5, 0]) for frame in read] == [0] * 2 + [60] * 10 + [120, 180]


def test_a_webp_of_changing_pace(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (40, 30), (60 * number, 90, 20)) for number in range(4)]
    times = [100, 500, 50, 50]
    path = tmp_path / "pace.webp"
    frames[0].save(path, save_all=True, append_images=frames[1:], lossless=True, duration=times)
    info, read = frames_of(tmp_path / "pace.webp")
    assert info.rate == 20 and len(read) == info.frames == 14
    assert [int(frame[5, 5, 0]) for frame in read] == [0] * 2 + [60] * 10 + [120, 180]


def patches() -> NDArray[np.uint8]:
    frame = np.concatenate([np.full((HEIGHT, 32, 3), patch, np.uint8) for patch in PATCHES], axis=1)
    return np.stack([frame] * 5)


@pytest.mark.parametrize("kind", ["hlg", "pq"])
def test_high_dynamic_range_comes_as_on_a_plain_screen(kind: str, tmp_path: Path, maker: str, program: str) -> None:
    """The made file's signals are those of ITU-R BT.2100 for light whose diffuse white is 203 cd/m2."""
    light = (patches().astype(np.float64) / 255) ** colour.SCREEN_GAMMA @ np.linalg.inv(colour.TO_709).T
    signal = encode_hlg(light) if kind == "hlg" else encode_pq(light)
    frames = np.round(signal * 65535).astype("<u2")
    tags = f"setparams=color_primaries=bt2020:color_trc={HDR[kind]}:colorspace=bt2020nc:range=tv"
    shape = f"scale=out_color_matrix=bt2020:out_range=tv,format=yuv420p10le,{tags}"
    options = ("-vf", shape, "-c:v", "libx265", "-x265-params", "log-level=error:crf=8")
    path = write_frames(maker, tmp_path / f"{kind}.mov", frames, "10", *options, pixels="rgb48le")
    info, read = frames_of(path)
    assert info.transfer == kind
    found = read[2, HEIGHT // 2, 16::32].astype(int)
    assert np.abs(found - np.array(PATCHES)).max() <= 20, found.tolist()
    plain_tags = ("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709")
    plain = write_frames(maker, tmp_path / "plain.mp4", patches(), "10", "-pix_fmt", "yuv420p", *plain_tags)
    assert probe(plain).transfer == ""


def encode_hlg(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Invert the display's curve, ITU-R BT.2100 table 5."""
    nits = light.clip(0) * colour.WHITE_NITS / colour.HLG_PEAK_NITS
    luma = (nits @ np.array([0.2627, 0.6780, 0.0593]))[..., None].clip(1e-9)
    scene = nits * luma ** ((1 - colour.HLG_GAMMA) / colour.HLG_GAMMA)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c).clip(0, 1)


def encode_pq(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Apply SMPTE ST 2084's curve for signals."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    power = (light.clip(0) * colour.WHITE_NITS / 10_000) ** m1
    return ((c1 + c2 * power) / (1 + c3 * power)) ** m2


def test_bright_lights_keep_their_order_and_hue() -> None:
    signal = np.linspace(0, 1, 200)[:, None] * np.array([[1.0, 1.0, 1.0]])
    for transfer in ("hlg", "pq"):
        screen = colour.to_screen(signal, transfer)
        assert (np.diff(screen[:, 0]) >= -1e-9).all() and screen.max() <= 1 and screen[-1, 0] > 0.99
        assert np.abs(screen - screen[:, :1]).max() < 1e-3


ALPHA = {
    "prores.mov": ("-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"),
    "animation.mov": ("-c:v", "qtrle", "-pix_fmt", "argb"),
    "nine.webm": ("-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p"),
    "eight.webm": ("-c:v", "libvpx", "-pix_fmt", "yuva420p", "-auto-alt-ref", "0"),
    "png.mov": ("-c:v", "png", "-pix_fmt", "rgba"),
    "moving.apng": ("-f", "apng", "-plays", "0"),
    "lossless.mkv": ("-c:v", "ffv1", "-pix_fmt", "bgra"),
}


@pytest.mark.parametrize("name", ALPHA)
def test_what_is_transparent_comes_white(name: str, tmp_path: Path, maker: str, program: str) -> None:
    frames = np.zeros((6, HEIGHT, WIDTH, 4), np.uint8)
    frames[:, 20:70, 40:120] = (200, 40, 40, 255)
    frames[:, 72:96, 40:120] = (200, 40, 40, 128)
    path = write_frames(maker, tmp_path / name, frames, "10", *ALPHA[name], pixels="rgba")
    info, read = frames_of(path)
    assert info.has_alpha and len(read) == 6
    for frame in read:
        assert frame[4, 4].min() > 245
        assert np.abs(frame[45, 80].astype(int) - (200, 40, 40)).max() < 16
        assert np.abs(frame[86, 80].astype(int) - (228, 148, 148)).max() < 16


def test_turned_and_wide_pixels(plain: Path, tmp_path: Path, maker: str, program: str) -> None:
    run(maker, "-display_rotation", "90", "-i", plain, "-c", "copy", tmp_path / "turned.mp4")
    assert (probe(tmp_path / "turned.mp4").width, probe(tmp_path / "turned.mp4").height) == (HEIGHT, WIDTH)
    run(maker, "-i", plain, "-vf", "setsar=2", "-c:v", "libx264", tmp_path / "wide.mp4")
    info, frames = frames_of(tmp_path / "wide.mp4")
    assert (info.width, info.height) == (2 * WIDTH, HEIGHT) and frames.shape[1:3] == (HEIGHT, 2 * WIDTH)


def test_a_cover_is_no_clip(tmp_path: Path, maker: str, program: str) -> None:
    Image.new("RGB", (64, 64), "red").save(tmp_path / "cover.png")
    sound = ("-f", "lavfi", "-i", "sine=d=1", "-i", tmp_path / "cover.png", "-map", "0", "-map", "1")
    run(maker, *sound, "-disposition:v", "attached_pic", "-c:v", "mjpeg", tmp_path / "song.m4a")
    with pytest.raises(MediaError, match="no moving picture"):
        probe(tmp_path / "song.m4a")


def test_a_clip_that_breaks_off_gives_what_is_left(plain: Path, tmp_path: Path, maker: str, program: str) -> None:
    run(maker, "-i", plain, "-c", "copy", tmp_path / "whole.mkv")
    data = (tmp_path / "whole.mkv").read_bytes()
    (tmp_path / "half.mkv").write_bytes(data[: len(data) // 2])
    info, frames = frames_of(tmp_path / "half.mkv")
    assert 10 < len(frames) <= info.frames < 100


def gif_of(width: int, height: int, frames: int) -> bytes:
    """Return a GIF whose frames are one colour each, in a few bytes."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes([0, 0, 0, 255, 255, 255])
    image = b"!\xf9\x04\x00\x04\0\0\0" + b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\0"
    return head + image * frames + b";"


def png_of(width: int, height: int) -> bytes:
    """Return a PNG that declares a size and holds one line of zeros packed well."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packed = zlib.compress(b"\0" * min(height * (width // 8 + 1), 50_000_000), 9)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 8 + len(data)) + name + data


@pytest.mark.parametrize(("width", "height", "frames"), [(12_000, 400, 600), (4_000, 2_000, 6_000), (400, 12_000, 3)])
def test_huge_animations_are_refused_before_they_are_decoded(
    tmp_path: Path, program: str, width: int, height: int, frames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "huge.gif").write_bytes(gif_of(width, height, frames))
    monkeypatch.setattr(clip_reader, "_decode", None)
    with pytest.raises(MediaError, match=r"huge\.gif has .*(too large|too much)"):
        probe(tmp_path / "huge.gif")


def test_a_huge_clip_is_refused_before_it_is_decoded(tmp_path: Path, maker: str, program: str) -> None:
    run(maker, "-f", "lavfi", "-i", "color=s=7680x4320:r=25", "-frames:v", "2", "-c:v", "mjpeg", tmp_path / "huge.mp4")
    with pytest.raises(MediaError, match="7,680 x 4,320 pixels, which is too large"):
        probe(tmp_path / "huge.mp4")


def test_a_long_clip_of_large_pictures_is_refused(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_info, "MAX_CLIP_WORK", WIDTH * HEIGHT * 99)
    with pytest.raises(MediaError, match="100 frames of 160 x 96 pixels, which is too much"):
        probe(plain)


@pytest.mark.parametrize(("width", "height"), [(50_000, 50_000), (16_000, 12_000), (20_000, 10)])
def test_picture_bombs_are_refused(tmp_path: Path, width: int, height: int) -> None:
    (tmp_path / "bomb.png").write_bytes(png_of(width, height))
    with pytest.raises(MediaError, match=r"too (large|many)"):
        probe(tmp_path / "bomb.png")


def test_a_tiff_bomb_is_refused(tmp_path: Path) -> None:
    Image.new("1", (16_000, 8_000)).save(tmp_path / "bomb.tif", compression="group4")
    with pytest.raises(MediaError, match="too large"):
        probe(tmp_path / "bomb.tif")


def test_a_jpeg_of_a_thousand_scans_is_refused(tmp_path: Path) -> None:
    Image.new("L", (4_000, 3_000), 90).save(tmp_path / "scans.jpg", progressive=True)
    data = (tmp_path / "scans.jpg").read_bytes()
    at = data.rindex(b"\xff\xda")
    (tmp_path / "scans.jpg").write_bytes(data[:at] + data[at:-2] * 1000 + b"\xff\xd9")
    with pytest.raises(MediaError, match="scans"):
        probe(tmp_path / "scans.jpg")


def test_a_large_picture_that_is_transparent_and_turned(tmp_path: Path) -> None:
    image = Image.new("RGBA", (6_000, 3_000), (200, 40, 40, 255))
    image.paste((0, 0, 0, 0), (0, 0, 3_000, 3_000))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "large.png", exif=exif, compress_level=1)
    info = probe(tmp_path / "large.png")
    assert (info.width, info.height) == (3_000, 6_000)
    frame = next(read_frames(tmp_path / "large.png", info, 150, 300))
    assert frame.shape == (300, 150, 3) and frame[50, 75].min() > 250
    assert np.abs(frame[250, 75].astype(int) - (200, 40, 40)).max() < 3


def test_a_stream_that_grows_while_it_is_read_is_ended(tmp_path: Path, maker: str, program: str) -> None:
    """Its header says 64 x 64; later frames are of 4,096 x 4,096, and those are brought to the size that was asked."""
    small, large = tmp_path / "small.ts", tmp_path / "large.ts"
    for path, size, count in ((small, "64x64", "90"), (large, "4096x4096", "2")):
        source = f"color=red:s={size}:r=10"
        run(maker, "-f", "lavfi", "-i", source, "-frames:v", count, "-c:v", "libx264", "-preset", "ultrafast", path)
    (tmp_path / "both.ts").write_bytes(small.read_bytes() + large.read_bytes())
    info, frames = frames_of(tmp_path / "both.ts")
    assert (info.width, info.height) == (64, 64) and frames.shape[1:] == (64, 64, 3)


def test_pictures_of_all_sorts(tmp_path: Path) -> None:
    Image.fromarray(np.full((30, 40), 40_000, np.uint16)).save(tmp_path / "deep.png")
    assert abs(int(next(read_frames(tmp_path / "deep.png", probe(tmp_path / "deep.png"), 40, 30)).mean()) - 156) < 2
    (tmp_path / "broken.heic").write_bytes(box(b"ftyp", b"heic\0\0\0\0mif1heic") + bytes(200))
    with pytest.raises(MediaError, match=r"broken\.heic is damaged"):
        probe(tmp_path / "broken.heic")


def test_a_photograph_of_a_phone_stands_upright() -> None:
    """It was drawn as 64 x 48 in four colours, and is to be turned by a quarter."""
    path = Path(__file__).parent / "turned.heic"
    clip = probe(path)
    assert (clip.width, clip.height, clip.is_picture) == (48, 64, True)
    shown = next(read_frames(path, clip, 48, 64))
    corners = [shown[y, x] for y in (8, 56) for x in (8, 40)]
    blue, red, yellow, green = (40, 70, 220), (220, 40, 40), (235, 220, 60), (40, 200, 60)
    assert np.abs(np.array(corners, float) - np.array([blue, red, yellow, green], float)).max() < 12


@pytest.mark.parametrize(
    "rate", [Fraction(24_000, 1001), Fraction(30_000, 1001), Fraction(25, 2), Fraction(60), Fraction(7)]
)
def test_rates_are_exact(tmp_path: Path, maker: str, program: str, rate: Fraction) -> None:
    for suffix in (".mp4", ".webm"):
        path = tmp_path / f"rate{suffix}"
        run(maker, "-f", "lavfi", "-i", f"testsrc=s=32x32:r={rate.numerator}/{rate.denominator}:d=6", path)
        assert probe(path).rate == rate
