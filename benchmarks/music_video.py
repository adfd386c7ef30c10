"""Music videos: accents on the beats, speed, memory, drift; all measured on finished files.

    python -m benchmarks.music_video --json --song FILE [--parts accents speed memory drift media] [--media FOLDER]

`--song` is any song; it is repeated or cut to the length that a part needs. Measured with the video model that the tab
begins with, Drawn scenes, and the shipped beat network. Two torch threads.

accents_on_beat: share of the beats used that have a visual accent within 50 ms. An accent is a frame that differs from
the one before it by more than any neighbour does and by 1.3 times the median of the second around it; a frame counts
from when it is shown. accents_off_beat is the same figure for the times midway between the beats: what chance gives.
media: `--media` holds a person's own photos and clips, such as 20 photos of 4,000 x 3,000 pixels and 5 clips; a minute
of them is drawn at 1,280 x 720 (render_own_s), at 1,080 x 1,920 (render_own_tall_s), and painted in a style of the
gallery at 1,280 x 720 (render_own_painted_s); one shot of each is replaced (reshot_s). moviepy_s: moviepy alone, where
it is installed, with the same cuts, the middle of each picture, and nothing else.
drift_s: over ten minutes, how far the accents at the end lie from the beats, less how far those at the start do.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import add_json_option, report_figures
from models.media.clip_info import probe
from models.media.clip_reader import read_frames
from models.media.program import find_ffmpeg
from models.media.sound import unpack_song
from models.music_video.analysis import SongAnalysis, analyse
from models.threads import limit_spinning

WITHIN_S = 0.05
STYLE = "wheat_field"  # of the gallery, for the painted video
SMALL = (160, 90)
AROUND = 12  # frames on each side that an accent is compared with
STANDS_OUT = 1.3
PROMPTS = (
    "a red sunrise over mountains",
    "a lighthouse at dusk by the sea",
    "blue waves by day",
    "teal spirals turning",
)
Floats = NDArray[np.float64]


def measure_differences(path: Path) -> tuple[Floats, float]:
    """Measure the mean absolute difference of each frame from the one before it, (n,), and the frame rate."""
    info = probe(path)
    found, before = [], None
    for frame in read_frames(path, info, *SMALL):
        now = frame.astype(np.int16)
        found.append(0.0 if before is None else float(np.abs(now - before).mean()))
        before = now
    return np.array(found), float(info.rate)


def find_accents(differences: Floats, rate: float) -> Floats:
    """Find when accents are seen, in seconds."""
    padded = np.pad(differences, AROUND, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * AROUND + 1)
    usual = np.median(windows, axis=1)
    near = np.lib.stride_tricks.sliding_window_view(np.pad(differences, 1), 3).max(axis=1)
    peaks = np.flatnonzero((differences >= near) & (differences > STANDS_OUT * usual) & (differences > 0))
    return peaks / rate


def measure_share_near(times: Floats, accents: Floats, within_s: float = WITHIN_S) -> float:
    """Measure the share of times with an accent near."""
    if not len(times) or not len(accents):
        return 0.0
    return float(np.mean([np.abs(accents - each).min() <= within_s for each in times]))


def measure_offsets(times: Floats, accents: Floats, within_s: float = 0.2) -> Floats:
    """Measure the offset from each time to the nearest accent, signed, where one is near."""
    nearest = np.array([accents[np.abs(accents - each).argmin()] - each for each in times])
    return nearest[np.abs(nearest) <= within_s]


def load() -> tuple[Any, Any]:
    """Load the beat detector and the video model."""
    import torch

    from models.registry.catalog import CATALOG, DRAWN_SCENES
    from models.registry.registry import Registry

    torch.set_num_threads(2)
    registry = Registry(CATALOG)
    return registry.load("beats/tcn"), registry.load(DRAWN_SCENES)


def cut_song(song: Path, seconds: float, out: Path, *how: str) -> None:
    """Cut so many seconds of a song into a WAV file; `how` it is read is said as FFmpeg's options."""
    command = [find_ffmpeg(), "-v", "error", "-y", *how, "-i", str(song), "-t", str(seconds)]
    subprocess.run([*command, "-ac", "2", "-ar", "44100", str(out)], check=True)


def hear_song(detector: Any, song: Path, wav: Path) -> tuple[float, SongAnalysis]:
    """Unpack a song and find its beats; return its length in seconds, and the analysis."""
    duration_s = unpack_song(song, wav)
    *_, last = analyse(detector, wav, duration_s)
    assert last.analysis is not None
    return duration_s, last.analysis


def make(song: Path, seconds: float, out: Path, **fields: Any) -> dict[str, Any]:
    """Make one music video; return the beats used, and how long everything took."""
    from models.music_video.contracts import MusicVideoRequest
    from models.music_video.generator import MusicVideoGenerator

    detector, video = load()
    wav = out.with_suffix(".wav")
    looped = out.with_suffix(".loop.wav")
    cut_song(song, seconds, looped, "-stream_loop", "-1")
    began_s = time.perf_counter()
    duration_s, heard = hear_song(detector, looped, wav)
    heard_s = time.perf_counter() - began_s
    request = MusicVideoRequest(wav, duration_s, heard.track, heard.features, PROMPTS, out, **fields)
    stages: dict[str, float] = {}
    stage, since_s = "measuring", time.perf_counter()
    for chunk in MusicVideoGenerator(video, drawer=video.model).stream(request):
        now_s = time.perf_counter()
        stages[stage] = stages.get(stage, 0.0) + now_s - since_s
        stage, since_s = chunk.stage, now_s
    stages = {name: round(value, 1) for name, value in stages.items()}
    looped.unlink()
    wav.unlink()
    return {
        "beats": [round(float(each), 3) for each in heard.track.times_s],
        "analysis_s": round(heard_s, 2),
        "render_s": round(time.perf_counter() - began_s, 1),
        "stages_s": stages,
        "mb": round(out.stat().st_size / 1e6, 1),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def make_own(
    song: Path, folder: Path, seconds: float, out: Path, side: int, aspect: str, style: str
) -> dict[str, Any]:  # fmt: skip
    """Make a video of one's own photos and clips, painted if a style is named, and again with one shot replaced."""
    from dataclasses import replace

    from models.music_video.contracts import MusicVideoRequest, Painting
    from models.music_video.generator import MusicVideoGenerator
    from models.music_video.storyboard import Storyboard
    from studio.page.style_gallery import PICTURES

    media = tuple(sorted(each for each in folder.iterdir() if each.is_file()))
    wav, looped = out.with_suffix(".wav"), out.with_suffix(".loop.wav")
    cut_song(song, seconds, looped, "-stream_loop", "-1")
    duration_s, heard = hear_song(load()[0], looped, wav)
    painting = Painting(style, tuple((each.key, each.path) for each in PICTURES))
    request = MusicVideoRequest(
        wav, duration_s, heard.track, heard.features, PROMPTS, out, media=media, shorter_side=side, aspect=aspect,
        painting=painting,
    )  # fmt: skip
    maker, began_s = MusicVideoGenerator(None), time.perf_counter()
    *_, last = maker.stream(request)
    took_s, board = time.perf_counter() - began_s, last.storyboard
    assert board is not None
    middle = len(board.shots) // 2
    changed = replace(board.shots[middle], source=board.shots[0].source)
    shots = (*board.shots[:middle], changed, *board.shots[middle + 1 :])
    began_s = time.perf_counter()
    list(maker.stream(replace(request, storyboard=Storyboard(shots, board.seed))))
    reshot_s = time.perf_counter() - began_s
    found = {
        "render_own_s": round(took_s, 1), "reshot_s": round(reshot_s, 1), "shots": len(shots),
        "peak_rss_mb_own": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }  # fmt: skip
    if aspect == "16:9" and not style and find_spec("moviepy") is not None:
        found["moviepy_s"] = round(measure_moviepy_s(request, board), 1)
    return found


def measure_moviepy_s(request: Any, board: Any) -> float:
    """Measure how long moviepy takes for the same cuts, without moves."""
    from dataclasses import replace

    from models.music_video.contracts import FRAME_RATE
    from models.music_video.plan import plan_video
    from models.music_video.storyboard import name_media

    moviepy = import_module("moviepy")
    began_s = time.perf_counter()
    width, height = request.frame_size
    paths = dict(zip(name_media(request.media), request.media, strict=True))
    parts = []
    for shot in plan_video(replace(request, storyboard=board)).shots:
        seconds, path = (shot.end - shot.start) / FRAME_RATE, str(paths[shot.source])
        if probe(Path(path)).is_picture:
            clip = moviepy.ImageClip(path, duration=seconds)
        else:
            whole = moviepy.VideoFileClip(path, audio=False)
            clip = whole.subclipped(0, min(seconds, whole.duration)).with_duration(seconds)
        scale = max(width / clip.w, height / clip.h)
        clip = clip.resized(scale).cropped(
            x_center=clip.w * scale / 2, y_center=clip.h * scale / 2, width=width, height=height
        )
        parts.append(clip)
    film = moviepy.concatenate_videoclips(parts).with_audio(moviepy.AudioFileClip(str(request.song)))
    film.write_videofile(str(request.out.with_suffix(".moviepy.mp4")), fps=FRAME_RATE, preset="veryfast", logger=None)
    return time.perf_counter() - began_s


def run_in_own_process(
    arguments: argparse.Namespace, seconds: float, out: Path, side: int, *more: str
) -> dict[str, Any]:
    """Make one in a fresh process, so that its peak memory is its own."""
    command = [sys.executable, "-m", "benchmarks.music_video", "--song", str(arguments.song), "--one", str(out)]
    command += ["--seconds", str(seconds), "--side", str(side), *more]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(run.stdout.strip().splitlines()[-1]))


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure all parts that were asked for."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="auralume-") as folder:
        out = Path(folder) / "video.mp4"
        if {"accents", "speed"} & set(arguments.parts):
            one = run_in_own_process(arguments, 60.0, out, 720)
            differences, rate = measure_differences(out)
            beats, accents = np.array(one["beats"]), find_accents(differences, rate)
            between = (beats[:-1] + beats[1:]) / 2
            found |= {
                "render_s_60": one["render_s"],
                "stages_s": one["stages_s"],
                "accents_on_beat": round(measure_share_near(beats, accents), 3),
                "accents_off_beat": round(measure_share_near(between, accents), 3),
                "accents_a_beat": round(len(accents) / max(1, len(beats)), 2),
                "peak_rss_mb_1_minute": one["peak_rss_mb"],
                "size_mb": one["mb"],
            }
        if "media" in arguments.parts and arguments.media:
            given = "--media", str(arguments.media)
            found |= run_in_own_process(arguments, 60.0, out, 720, *given)
            tall = run_in_own_process(arguments, 60.0, out, 1080, *given, "--aspect", "9:16")
            found |= {"render_own_tall_s": tall["render_own_s"], "reshot_tall_s": tall["reshot_s"]}
            painted = run_in_own_process(arguments, 60.0, out, 720, *given, "--style", STYLE)
            found |= {"render_own_painted_s": painted["render_own_s"], "reshot_painted_s": painted["reshot_s"]}
        if {"memory", "drift"} & set(arguments.parts):
            if "peak_rss_mb_1_minute" not in found or arguments.long_side != 720:
                found["peak_rss_mb_1_minute"] = run_in_own_process(arguments, 60.0, out, arguments.long_side)[
                    "peak_rss_mb"
                ]
            ten = run_in_own_process(arguments, 600.0, out, arguments.long_side)
            found |= {"peak_rss_mb_10_minutes": ten["peak_rss_mb"], "render_s_600": ten["render_s"]}
            differences, rate = measure_differences(out)
            beats, accents = np.array(ten["beats"]), find_accents(differences, rate)
            first, last = measure_offsets(beats[beats < 60], accents), measure_offsets(beats[beats > 540], accents)
            found["drift_s"] = round(float(np.median(last) - np.median(first)), 4)
            found["accents_on_beat_10_minutes"] = round(measure_share_near(beats, accents), 3)
            found["picture_less_sound_s"] = round(measure_gap_s(out), 4)
    return found


def measure_gap_s(path: Path) -> float:
    """Measure how much longer the picture lasts than the sound, by decoding both."""
    info = probe(path)
    command = [
        find_ffmpeg(),
        "-v",
        "error",
        "-i",
        str(path),
        "-map",
        "0:a",
        "-ac",
        "1",
        "-ar",
        "8000",
        "-f",
        "u8",
        "-",
    ]
    sound = len(subprocess.run(command, check=True, capture_output=True).stdout) / 8000
    return info.duration_s - sound


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_json_option(parser, "music_video")
    parser.add_argument("--song", type=Path, required=True)
    parser.add_argument("--parts", nargs="+", default=["accents", "speed", "memory", "drift", "media"])
    parser.add_argument("--media", type=Path, help="folder of photos and clips for the part media")
    parser.add_argument("--aspect", default="16:9", help=argparse.SUPPRESS)
    parser.add_argument("--style", default="", help=argparse.SUPPRESS)
    parser.add_argument("--long-side", type=int, default=360, help="shorter side of the ten-minute video")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=60.0, help=argparse.SUPPRESS)
    parser.add_argument("--side", type=int, default=720, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    limit_spinning()
    if arguments.one:
        if arguments.media:
            place = arguments.one, arguments.side, arguments.aspect, arguments.style
            own = make_own(arguments.song, arguments.media, arguments.seconds, *place)
            print(json.dumps(own))
            return
        made = make(arguments.song, arguments.seconds, arguments.one, shorter_side=arguments.side)
        print(json.dumps(made))
        return
    found = measure(arguments)
    if arguments.json:
        report_figures("music_video", found, arguments.json)
    else:
        print("\n".join(f"{key}: {value}" for key, value in found.items()))


if __name__ == "__main__":
    main()
