"""A sheet of frames of finished music videos, to look at.

    python -m benchmarks.music_video_sheet --song FILE --out docs/music_videos.jpg PHOTO_OR_CLIP...

Four videos of the same seconds of a song, a row each: photos and clips alone, the same painted in styles of the
gallery, the same in turn with Drawn scenes, and these alone. A frame stands for a shot: that in its middle.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.music_video import PROMPTS, cut_song, hear_song, load
from benchmarks.style_sheet import draw_sheet
from models.media.clip_info import probe
from models.media.clip_reader import read_frames
from models.music_video.contracts import MusicVideoRequest, Painting, VisualEffects
from models.music_video.generator import MusicVideoGenerator
from models.music_video.plan import plan_video
from models.music_video.storyboard import Storyboard
from models.threads import limit_spinning
from studio.page.style_gallery import PICTURES

Pixels = NDArray[np.uint8]


def hear(
    detector: Any, song: Path, begin_s: float, seconds: float, folder: Path, **fields: Any
) -> MusicVideoRequest:  # fmt: skip
    """Cut a song and find its beats; return the request of a video of it."""
    cut, wav = folder / "cut.wav", folder / "song.wav"
    cut_song(song, seconds, cut, "-ss", str(begin_s))
    duration_s, heard = hear_song(detector, cut, wav)
    return MusicVideoRequest(wav, duration_s, heard.track, heard.features, PROMPTS, folder / "video.mp4", **fields)


def paint_cards(request: MusicVideoRequest) -> MusicVideoRequest:
    """Give each card of a request's storyboard the next style of the gallery."""
    board = plan_video(request).storyboard
    styles = tuple((each.key, each.path) for each in PICTURES)
    shots = tuple(replace(shot, style=styles[at % len(styles)][0]) for at, shot in enumerate(board.shots))
    return replace(request, storyboard=Storyboard(shots, board.seed), painting=Painting(pictures=styles))


def take_frames(maker: MusicVideoGenerator, request: MusicVideoRequest, count: int) -> list[Pixels]:
    """Make a video; return the middles of `count` of its shots, spread over it."""
    *_, last = maker.stream(request)
    assert last.storyboard is not None
    shots = plan_video(replace(request, storyboard=last.storyboard)).shots
    chosen = [shots[round(at)] for at in np.linspace(0, len(shots) - 1, count)]
    middles = [(shot.start + shot.end) // 2 for shot in chosen]
    frames = read_frames(request.out, probe(request.out), *request.frame_size)
    kept = {number: frame for number, frame in enumerate(frames) if number in middles}
    return [kept[middle] for middle in middles]


def main() -> None:
    """Make the videos and write the sheet."""
    limit_spinning()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("media", type=Path, nargs="+")
    parser.add_argument("--song", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--begin", type=float, default=20.0, help="where in the song, in seconds")
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--columns", type=int, default=6)
    parser.add_argument("--width", type=int, default=256, help="of a frame on the sheet")
    options = parser.parse_args()
    detector, video = load()
    maker, rows = MusicVideoGenerator(video, drawer=video.model), []
    with tempfile.TemporaryDirectory(prefix="auralume-") as folder:
        fields: dict[str, Any] = {"media": tuple(options.media), "title": "", "seed": 3}
        photos = hear(detector, options.song, options.begin, options.seconds, Path(folder), **fields)
        videos = {
            "photos": replace(photos, template="clean"),
            "painted": paint_cards(photos),
            "mixed": replace(photos, scene="mixed", template="energetic"),
            "generated": replace(photos, media=(), look=VisualEffects(cuts=1.0)),
        }
        for name, request in videos.items():
            rows.append(take_frames(maker, request, options.columns))
            print(name, flush=True)
    height = round(options.width * 9 / 16)
    draw_sheet(rows, options.width, height, height).save(options.out, quality=84)


if __name__ == "__main__":
    main()
