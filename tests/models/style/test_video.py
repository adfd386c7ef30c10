"""Picture and video style transfer: AdaIN and colours by formula, streaming, steadiness, strength, and bad files."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, features

from models.media.clip_info import probe
from models.media.clip_reader import read_frames, read_picture
from models.media.program import MediaError, find_ffmpeg
from models.style import video
from models.style.painters import AdainPainter
from models.style.picture_network import PictureStyleConfig, PictureStyleNetwork
from models.style.video import VideoStyle, VideoStyleRequest
from models.style.video_contracts import StyledPart
from training.style_picture.patterns import draw_pattern


@pytest.fixture(scope="module")
def model() -> VideoStyle:
    torch.manual_seed(0)
    network = PictureStyleNetwork(PictureStyleConfig.debug())
    torch.nn.init.normal_(network.decoder.leave.weight, std=0.05)
    return VideoStyle(AdainPainter(network))


@pytest.fixture(scope="module")
def style_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("style") / "tiles.png"
    Image.fromarray(draw_pattern("tiles", 3, 96)).save(path)
    return str(path)


@pytest.fixture(scope="module")
def clip_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """21 frames of a square that moves over a textured ground, with sound."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    ground = draw_pattern("wash", 2, 128)[:80]
    frames = []
    for number in range(21):
        frame = ground.copy()
        frame[20:50, 10 + 3 * number : 40 + 3 * number] = (230, 60, 40)
        frames.append(frame)
    command = [find_ffmpeg(), "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "128x80"]
    command += ["-r", "12", "-i", "pipe:0", "-f", "lavfi", "-i", "sine=d=1.75", "-c:v", "libx264"]
    command += ["-pix_fmt", "yuv420p", "-c:a", "aac", str(path)]
    subprocess.run(command, input=np.stack(frames).tobytes(), check=True)
    return str(path)


def collected(model: VideoStyle, request: VideoStyleRequest) -> np.ndarray:
    return np.concatenate([chunk.frames for chunk in model.stream(request)])


@pytest.mark.slow
def test_strength_0_returns_the_content_and_more_is_further(model: VideoStyle, clip_file: str, style_file: str) -> None:
    source = np.concatenate([c.source for c in model.stream(VideoStyleRequest(clip_file, style_file))])
    moved = []
    for strength in (0.0, 0.3, 0.7, 1.0):
        result = collected(model, VideoStyleRequest(clip_file, style_file, strength=strength))
        assert result.shape == source.shape == (21, 80, 128, 3)
        moved.append(float(np.abs(result.astype(int) - source).mean()))
    assert moved[0] == 0.0
    assert moved == sorted(moved) and moved[-1] > 10


@pytest.mark.slow
def test_another_strength_encodes_nothing_again(clip_file: str, style_file: str, model: VideoStyle) -> None:
    fresh = VideoStyle(model.painter)
    first = collected(fresh, VideoStyleRequest(clip_file, style_file, strength=0.4))
    assert fresh.sketched_frames == 21
    collected(fresh, VideoStyleRequest(clip_file, style_file, strength=0.9))
    again = collected(fresh, VideoStyleRequest(clip_file, style_file, strength=0.4))
    assert fresh.sketched_frames == 21
    assert np.abs(first.astype(int) - again).max() <= 3  # what is remembered is in half precision, the first run too


@pytest.mark.slow
def test_chunks_together_are_the_whole_in_order(model: VideoStyle, clip_file: str, style_file: str) -> None:
    chunks = list(model.stream(VideoStyleRequest(clip_file, style_file)))
    assert [chunk.number for chunk in chunks] == [0, 8, 16]
    assert [len(chunk.frames) for chunk in chunks] == [8, 8, 5]
    assert [chunk.last for chunk in chunks] == [False, False, True]
    assert chunks[-1].done == chunks[-1].total == 21 and chunks[0].rate == 12
    part = collected(model, VideoStyleRequest(clip_file, style_file, frames=11))
    assert np.array_equal(part, np.concatenate([chunk.frames for chunk in chunks])[:11])


def test_colours_can_be_kept(model: VideoStyle, clip_file: str, style_file: str) -> None:
    chunk = next(model.stream(VideoStyleRequest(clip_file, style_file, keep_colours=True, frames=1)))
    result, source = (np.asarray(each[0], dtype=float) for each in (chunk.frames, chunk.source))
    inside = ((result > 2) & (result < 253)).all(axis=2)
    chroma = (result - source) - (result - source).mean(axis=2, keepdims=True)
    assert inside.mean() > 0.3 and np.abs(chroma[inside]).max() < 2


def paint(model: VideoStyle, content: str, style: str, **changes: Any) -> np.ndarray:
    return collected(model, VideoStyleRequest(content, style, frames=1, **changes))[0].astype(float)


@pytest.fixture(scope="module")
def other_style(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("other") / "strokes.png"
    Image.fromarray(draw_pattern("strokes", 5, 96)).save(path)
    return str(path)


def test_styles_are_mixed_by_their_weights(
    model: VideoStyle, clip_file: str, style_file: str, other_style: str
) -> None:
    alone = paint(model, clip_file, style_file)
    other = paint(model, clip_file, other_style)
    assert np.array_equal(alone, paint(model, clip_file, style_file, others=((other_style, 0.0),)))
    some, half = (paint(model, clip_file, style_file, others=((other_style, weight),)) for weight in (0.3, 1.0))
    gaps = [float(np.abs(each - other).mean()) for each in (alone, some, half)]
    assert gaps == sorted(gaps, reverse=True) and gaps[0] > gaps[-1] > 0


def test_the_brush_changes_the_result_and_never_its_size(model: VideoStyle, clip_file: str, style_file: str) -> None:
    usual = paint(model, clip_file, style_file)
    coarse = paint(model, clip_file, style_file, brush=2.0)
    assert coarse.shape == usual.shape and np.abs(coarse - usual).mean() > 1


def test_person_and_background_share_the_picture(
    model: VideoStyle, clip_file: str, style_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The left half counts as a person: there the one is painted, and on the right the other."""

    def find_left(frame: np.ndarray) -> np.ndarray:
        found = np.zeros((*frame.shape[:2], 1), np.float32)
        found[:, : frame.shape[1] // 2] = 1
        return found

    monkeypatch.setattr(video, "find_people", find_left)
    source = next(model.stream(VideoStyleRequest(clip_file, style_file, frames=1))).source[0]
    whole = paint(model, clip_file, style_file)
    person = paint(model, clip_file, style_file, part=StyledPart.PERSON)
    background = paint(model, clip_file, style_file, part=StyledPart.BACKGROUND)
    middle = source.shape[1] // 2
    assert np.array_equal(person[:, middle:], source[:, middle:])
    assert np.array_equal(background[:, :middle], source[:, :middle])
    assert np.array_equal(person[:, :middle], whole[:, :middle])
    assert np.array_equal(background[:, middle:], whole[:, middle:])


def test_a_picture_without_people_says_so(model: VideoStyle, style_file: str, tmp_path: Path) -> None:
    Image.new("RGB", (60, 40), (120, 140, 90)).save(tmp_path / "wall.png")
    request = VideoStyleRequest(str(tmp_path / "wall.png"), style_file, part=StyledPart.PERSON)
    chunk = next(model.stream(request))
    assert np.array_equal(chunk.frames, chunk.source) and any("Nobody" in note for note in chunk.notes)


def test_a_large_picture_is_seen_small_first(model: VideoStyle, style_file: str, tmp_path: Path) -> None:
    Image.fromarray(draw_pattern("wash", 1, 96)).resize((600, 300)).save(tmp_path / "large.png")
    preview, whole = model.stream(VideoStyleRequest(str(tmp_path / "large.png"), style_file, size=1920))
    assert preview.is_preview and preview.frames.shape == (1, 192, 384, 3) and not preview.last
    assert not whole.is_preview and whole.frames.shape == (1, 300, 600, 3) and whole.last and whole.done == 1


def test_frames_that_stand_still_stay_the_same(model: VideoStyle, style_file: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    still = draw_pattern("wash", 4, 64).astype(int)
    frames = [
        Image.fromarray((still + rng.integers(-4, 5, still.shape)).clip(0, 255).astype(np.uint8)) for _ in "12345"
    ]
    frames[0].save(tmp_path / "still.webp", save_all=True, append_images=frames[1:], duration=50, lossless=True)

    def flicker(steadiness: float) -> float:
        request = VideoStyleRequest(str(tmp_path / "still.webp"), style_file, steadiness=steadiness)
        result = collected(model, request).astype(float)
        return float(np.abs(np.diff(result, axis=0)).mean())

    assert flicker(0.8) < 0.6 * flicker(0.0)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1, 1), (3, 200), (37, 21), (15, 16)])
def test_pictures_of_any_size(model: VideoStyle, style_file: str, tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "small.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), np.uint8)).save(path)
    for content, style in ((str(path), style_file), (style_file, str(path))):
        chunk = next(model.stream(VideoStyleRequest(content, style)))
        assert chunk.is_picture and chunk.last and chunk.frames.shape == chunk.source.shape
    content_chunk = next(model.stream(VideoStyleRequest(str(path), style_file)))
    assert content_chunk.frames.shape == (1, size[1], size[0], 3)


def test_a_picture_of_12000_pixels(model: VideoStyle, style_file: str, tmp_path: Path) -> None:
    path = tmp_path / "wide.jpg"
    Image.new("RGB", (12_000, 2_000), (200, 30, 30)).save(path)
    assert probe(path).width == 12_000
    assert read_picture(path, 192, 384).shape == (192, 384, 3)
    chunk = next(model.stream(VideoStyleRequest(str(path), style_file, size=256)))
    assert chunk.frames.shape == (1, 43, 256, 3) and "12,000" in chunk.notes[0]


def test_transparent_comes_white_and_turned_comes_upright(tmp_path: Path) -> None:
    Image.new("RGBA", (20, 10), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert read_picture(tmp_path / "clear.png", 64, 64).min() == 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20), "blue").save(tmp_path / "turned.jpg", exif=exif)
    assert (probe(tmp_path / "turned.jpg").width, probe(tmp_path / "turned.jpg").height) == (20, 40)
    assert read_picture(tmp_path / "turned.jpg", 64, 64).shape == (40, 20, 3)


def test_an_animated_gif_is_a_clip(model: VideoStyle, style_file: str, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (40, 30), (50 * number, 90, 20)) for number in range(5)]
    frames[0].save(tmp_path / "move.gif", save_all=True, append_images=frames[1:], duration=100)
    info = probe(tmp_path / "move.gif")
    assert (info.frames, info.rate, info.is_picture) == (5, Fraction(10), False)
    assert collected(model, VideoStyleRequest(str(tmp_path / "move.gif"), style_file)).shape == (5, 30, 40, 3)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_avif(tmp_path: Path) -> None:
    Image.new("RGB", (64, 48), "green").save(tmp_path / "leaf.avif")
    assert read_picture(tmp_path / "leaf.avif", 32, 64).shape == (32, 43, 3)


def test_a_phone_video_comes_upright(clip_file: str, tmp_path: Path) -> None:
    turned = tmp_path / "phone.mp4"
    command = [
        find_ffmpeg(),
        "-v",
        "error",
        "-display_rotation",
        "90",
        "-i",
        clip_file,
        "-c",
        "copy",
        str(turned),
    ]
    subprocess.run(command, check=True)
    info = probe(turned)
    assert (info.width, info.height, info.frames, info.sound) == (80, 128, 21, "aac")
    frames = list(read_frames(turned, info, 80, 128))
    straight = list(read_frames(clip_file, probe(clip_file), 128, 80))
    assert len(frames) == 21
    assert np.abs(np.rot90(straight[0], 1).astype(int) - frames[0]).mean() < 6


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.mp4", b"", "empty"),
        ("noise.mp4", b"\x00\x01\x02" * 999, "no moving picture"),
        ("text.png", b"hello, this is no picture", "no moving picture"),
        ("cut.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "(damaged|no moving picture)"),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "no moving picture"),
    ],
)
def test_broken_files_are_sentences(
    model: VideoStyle, style_file: str, tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    for request in (VideoStyleRequest(str(path), style_file), VideoStyleRequest(style_file, str(path))):
        with pytest.raises(MediaError, match=sentence):
            list(model.stream(request))


def test_a_cut_clip_gives_what_is_left(model: VideoStyle, clip_file: str, style_file: str, tmp_path: Path) -> None:
    path = tmp_path / "cut.png"
    picture = Path(style_file).read_bytes()
    path.write_bytes(picture[: len(picture) // 3])
    with pytest.raises(MediaError, match="damaged"):
        list(model.stream(VideoStyleRequest(str(path), style_file)))
    with pytest.raises(MediaError, match="gone"):
        list(model.stream(VideoStyleRequest(str(tmp_path / "nothing.mp4"), style_file)))


@pytest.mark.parametrize(
    ("field", "value"),
    [("strength", 1.5), ("strength", float("nan")), ("size", 10), ("size", 99_999), ("steadiness", -1), ("path", ""),
     ("style", ""), ("keep_colours", 1), ("frames", -1), ("first_frame", 0.5), ("brush", 0.1),
     ("part", "sky"), ("others", (("b.png", 7.0),)), ("others", (("b.png", 1.0),) * 8)],
)  # fmt: skip
def test_impossible_requests_name_the_field(field: str, value: object) -> None:
    values = {"path": "a.mp4", "style": "b.png"} | {field: value}
    with pytest.raises(ValueError, match=field):
        VideoStyleRequest(**values)  # type: ignore[arg-type]
