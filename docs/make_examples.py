"""Make the finished things that each tab shows before its first press: `python -m docs.make_examples`.

The shipped models make them by the work of the tabs' endpoints; then they are written small, with their recipes and
marks, into `studio/assets/examples`, and `examples.json` there lists them. `python -m docs.make_examples video` makes
those of one tab's form alone.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from models.media.program import find_ffmpeg
from models.registry.catalog import DRAWN_SCENES
from studio.page.examples import FOLDER, LARGEST_BYTES, LIST

Values = dict[str, Any]
SEED = 11
SOUND_LADDER = ("64k", "56k", "48k", "40k", "32k", "24k")  # of an MP3 file
PICTURE_LADDER = (24, 27, 30, 33, 36, 39, 42, 45)  # constant rate factors of H.264
POSTER_SIDE = 320
BEFORE = "before.mp4"  # a clip whose sound was moved


@dataclass(frozen=True)
class Wanted:
    """One example to make.

    Attributes:
        name: of its file, without the ending; title, said: what the page calls it.
        values: of the endpoint, where they are not its first.
        source: name of the example that is given as a file, and the control that takes it.
        late_ms: of a clip to be repaired, which the Video tab makes of the values, how late its sound is moved first.
    """

    name: str
    title: str
    said: str
    values: Values
    source: tuple[str, str] | None = None
    late_ms: int = 0


SPEECH = (
    Wanted("speech-lighthouse", "A lighthouse", "Heart", {
        "text": "Far out at sea, a lighthouse counts the ships that pass, and wishes each of them a quiet night."}),
    Wanted("speech-train", "The night train", "Michael, a little faster", {
        "text": "The night train leaves at ten to twelve, from platform nine. Please mind your dreams.",
        "voice": "michael", "speed": 1.1}),
    Wanted("speech-rain", "A word on rain", "Emma, slow and low", {
        "text": "Rain has no opinion. It falls on the garden, and on the guest, and on the drum.",
        "voice": "emma", "speed": 0.9, "pitch": -1.0}),
)  # fmt: skip
MUSIC = (
    Wanted("music-night-drive", "Night drive", "A minor, 100 beats a minute", {
        "style": "pop", "key": "A minor", "tempo": 100, "meter": "4/4", "instruments": [81, 4, 38], "drums": "yes",
        "bars": 8}),
    Wanted("music-calm-piano", "Calm piano", "F major, 72 beats a minute", {
        "style": "pop", "key": "F major", "tempo": 72, "meter": "4/4", "instruments": [0], "drums": "no", "bars": 6}),
    Wanted("music-chorale", "Chorale", "G major, four voices", {
        "style": "chorales", "key": "G major", "tempo": 80, "meter": "4/4", "instruments": [52, 52, 52, 52],
        "drums": "no", "bars": 6}),
)  # fmt: skip
VIDEO = (
    Wanted("video-sea", "Sea at dusk", "blue ocean waves at dusk, camera pans right", {
        "prompt": "blue ocean waves at dusk, camera pans right"}),
    Wanted("video-lights", "Northern lights", "a green aurora over a lake, slowly", {
        "prompt": "a green aurora over a lake, slowly"}),
    Wanted("video-fire", "Campfire", "an orange campfire with flames at night", {
        "prompt": "an orange campfire with flames at night"}),
    *(Wanted(f"video-{name}", title, prompt, {"prompt": prompt}) for name, title, prompt in (
        ("cat", "A cat on the beach", "a cat walking on the beach at sunset"),
        ("horse", "An astronaut on a horse", "an astronaut riding a horse"),
        ("fox", "A fox in the forest", "a fox walking in the forest"),
        ("rain", "Dancing in the rain", "two children dancing in the rain"),
        ("unicorn", "Under a rainbow", "a unicorn under a rainbow"),
        ("sofa", "At home", "a cat sleeping on a sofa"),
    )),
    Wanted("video-car", "Through the desert", "a red car in the desert, wide, Drawn scenes", {
        "prompt": "a red car driving through the desert", "aspect": "16:9", "model": DRAWN_SCENES}),
    Wanted("video-moon", "On the moon", "an astronaut on the moon, Drawn scenes", {
        "prompt": "an astronaut walking on the moon", "model": DRAWN_SCENES}),
    Wanted("video-rocket", "Into space", "a rocket rising, Drawn scenes", {
        "prompt": "a rocket rising into space", "model": DRAWN_SCENES}),
)  # fmt: skip
MUSIC_VIDEO = (
    Wanted("mv-night-drive", "Night drive", "teal spirals, fireworks", {
        "prompts": "teal spirals turning\norange fireworks in the night sky\na purple galaxy", "end_s": 7.0},
        ("music-night-drive", "song")),
    Wanted("mv-calm-piano", "Calm piano", "a lighthouse by the sea", {
        "prompts": "a lighthouse at dusk by the sea\nblue waves by day\na red sunrise over the sea", "end_s": 7.0,
        "reactivity": 0.6}, ("music-calm-piano", "song")),
    Wanted("mv-chorale", "Chorale", "clouds and mountains", {
        "prompts": "a red sunrise over mountains\nclouds over green hills at noon\na waterfall in a forest",
        "end_s": 7.0, "reactivity": 0.8}, ("music-chorale", "song")),
)  # fmt: skip
SYNC = (
    Wanted("sync-ball", "A bouncing ball", "in time again; its sound was 240 ms late", {
        "prompt": "a red ball bouncing on a floor", "length_s": 4.0, "aspect": "16:9"}, late_ms=240),
    Wanted("sync-fireworks", "Fireworks", "in time again; their sound was 200 ms early", {
        "prompt": "fireworks in the night sky", "length_s": 4.0, "aspect": "16:9"}, late_ms=-200),
    Wanted("sync-storm", "A thunderstorm", "in time again; its sound was 320 ms late", {
        "prompt": "a thunderstorm with lightning over hills", "length_s": 4.0, "aspect": "16:9"}, late_ms=320),
)  # fmt: skip
VIDEO_STYLE = (
    Wanted("style-great-wave", "The sea as a woodblock print", "The Great Wave", {"style": "great_wave"},
           ("video-sea", "content")),
    Wanted("style-wheat-field", "Northern lights in oil", "Wheat Field with Cypresses", {"style": "wheat_field"},
           ("video-lights", "content")),
    Wanted("style-glass", "A campfire of glass", "Glass pieces", {"style": "glass"}, ("video-fire", "content")),
)  # fmt: skip
AUDIO_STYLE = (
    Wanted("sound-glass", "A humming glass says it", "Humming glass", {"style": "ambi_glass_hum"},
           ("speech-lighthouse", "content")),
    Wanted("sound-machine", "A machine says it", "KAL", {"style": "kal16", "strength": 1.0},
           ("speech-train", "content")),
    Wanted("sound-fireplace", "A fireplace says it", "Fireplace", {"style": "fireplace"}, ("speech-rain", "content")),
)  # fmt: skip
LIVE = (
    Wanted("live-bright", "Bright morning", "C major, 112 beats a minute", {
        "tempo": 112, "tonic": "C", "mode": "major", "density": 3.0, "instruments": [73, 25, 33], "drums": True,
        "intensity": 0.6, "style": "pop", "length_s": 16}),
    Wanted("live-strings", "Melancholy strings", "D minor, 66 beats a minute", {
        "tempo": 66, "tonic": "D", "mode": "minor", "density": 2.0, "instruments": [40, 48, 43], "drums": False,
        "intensity": 0.5, "style": "lieder", "length_s": 16}),
    Wanted("live-full-tilt", "Full tilt", "E minor, 138 beats a minute", {
        "tempo": 138, "tonic": "E", "mode": "minor", "density": 5.0, "instruments": [27, 4, 33], "drums": True,
        "intensity": 1.0, "style": "pop", "length_s": 16}),
)  # fmt: skip
# The prefix of a tab's form, the program that does its work, what to make, and the name of its file among the results.
TABS: tuple[tuple[str, str, tuple[Wanted, ...], str], ...] = (
    ("speech", "speech", SPEECH, "wav"),
    ("music", "music", MUSIC, "wav"),
    ("video", "video", VIDEO, "file"),
    ("sync", "sync", SYNC, "file"),
    ("mv", "music_video", MUSIC_VIDEO, "file"),
    ("style-video", "video_style", VIDEO_STYLE, "file"),
    ("style-audio", "audio_style", AUDIO_STYLE, "file"),
    ("live", "live_music", LIVE, "chunk"),
)


def shrink(source: Path, target: Path) -> None:
    """Write a sound as MP3, or a film as MP4, as good as fits.

    Raises:
        ValueError: it does not fit.
    """
    room = LARGEST_BYTES - 30_000  # for the recipe and the signed mark
    is_sound = target.suffix == ".mp3"
    for step in SOUND_LADDER if is_sound else PICTURE_LADDER:
        how = ["-vn", "-ar", "32000", "-b:a", str(step)]
        if not is_sound:
            how = [
                *[
                    "-c:v",
                    "libx264",
                    "-preset",
                    "veryslow",
                    "-pix_fmt",
                    "yuv420p",
                    "-vf",
                    "scale='min(384,iw)':-2",
                    "-crf",
                ],
                str(step),
            ]
            how += ["-c:a", "aac", "-ac", "1", "-b:a", "40k", "-movflags", "+faststart"]
        command = [find_ffmpeg(), "-v", "error", "-y", "-i", str(source), "-map_metadata", "-1", *how, str(target)]
        subprocess.run(command, check=True)
        if target.stat().st_size <= room:
            return
    raise ValueError(f"{target.name} does not fit into {room} bytes.")


def make_all(folder: Path, only: str = "") -> Iterator[tuple[str, Wanted, Path]]:
    """Let the tabs work; yield the prefix of each tab's form, what was wanted, and the finished file."""
    from models.registry.catalog import CATALOG
    from models.registry.store import open_registry
    from studio.app import build_studio
    from studio.io.audio_files import join_wavs
    from studio.io.recipes import read_recipe, write_recipe
    from studio.page.places import places_of

    registry = open_registry(CATALOG)
    programs, made = places_of(build_studio(registry)).programs, dict[str, Path]()
    for prefix, program, several, role in TABS:
        for wanted in several if only in {"", prefix} else ():
            own = folder / wanted.name
            own.mkdir()
            values: Values = {"seed": SEED, **wanted.values}
            key = values.pop("model", "") or _model_of(registry, program)
            values = {name: value for name, value in values.items() if name in programs[program].fields}
            if wanted.late_ms:
                values = {"clip": str(make_late(programs["video"], wanted, own)), "fix": True}
            if wanted.source is not None:
                values[wanted.source[1]] = str(made[wanted.source[0]])
            found = _work(programs[program], key, values, own, role)
            path = found[-1]
            if role == "chunk":
                path = own / "take.wav"
                path.write_bytes(join_wavs([each.read_bytes() for each in found]))
                _tell_live(registry, path, values)
            if wanted.late_ms:
                write_recipe(path, read_recipe(own / BEFORE))
            made[wanted.name] = path
            yield prefix, wanted, path


def _work(program: Any, key: str, values: Values, folder: Path, role: str) -> list[Path]:
    """Let a tab work; return its files of one role, in the order in which they came."""
    from studio.page.events import Files

    told = (each for events in program.run(key, values, str(folder)) for each in events)
    return [Path(str(each.paths[role])) for each in told if isinstance(each, Files) and role in each.paths]


def make_late(program: Any, wanted: Wanted, folder: Path) -> Path:
    """Make a drawn clip, and move its sound; return the clip, which still tells how it was made."""
    from studio.io.recipes import read_recipe, write_recipe

    clip = _work(program, DRAWN_SCENES, {"seed": SEED, **wanted.values}, folder, "file")[-1]
    late_s, target = wanted.late_ms / 1000, folder / BEFORE
    moved = f"atrim=start={-late_s},asetpts=PTS-STARTPTS,apad=pad_dur={-late_s}"
    moved = f"adelay={wanted.late_ms}:all=1" if late_s > 0 else moved
    command = [find_ffmpeg(), "-v", "error", "-y", "-i", str(clip), "-c:v", "copy", "-af", moved, "-c:a", "aac"]
    subprocess.run([*command, "-shortest", str(target)], check=True)
    write_recipe(target, read_recipe(clip))
    return target


def _model_of(registry: Any, program: str) -> str:
    from models.contracts import Task

    tasks = {
        "speech": Task.SPEECH, "music": Task.MUSIC, "video": Task.VIDEO, "music_video": Task.VIDEO,
        "sync": Task.SYNC, "video_style": Task.STYLE_VIDEO, "audio_style": Task.STYLE_AUDIO, "live_music": Task.MUSIC,
    }  # fmt: skip
    spec = registry.default(tasks[program])
    return str(spec.key)


def _tell_live(registry: Any, path: Path, values: Values) -> None:
    """Write the recipe of a take: its knobs."""
    from studio.io.recipes import Recipe, write_recipe
    from studio.live.controls import MUSIC_FIELDS
    from studio.page.model_card import revision_of

    key = _model_of(registry, "live_music")
    settings = MUSIC_FIELDS.settings(MUSIC_FIELDS.read(values))
    write_recipe(path, Recipe("live", key, revision_of(registry, key), values["seed"], settings))


def main() -> None:
    """Make all of them anew, or those of one form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="?", default="", choices=("", *(each[0] for each in TABS)))
    only = parser.parse_args().only
    from studio.io.marking import Marker
    from studio.io.recipes import read_recipe, write_recipe
    from studio.library.previews import find_peaks, write_picture

    kept = json.loads(LIST.read_text(encoding="utf-8")) if only else {}
    listed: dict[str, list[Values]] = {prefix: rows for prefix, rows in kept.items() if prefix != only}
    marker = Marker()
    with TemporaryDirectory() as held:
        for prefix, wanted, path in make_all(Path(held), only):
            is_sound = path.suffix == ".wav"
            target = FOLDER / f"{wanted.name}.{'mp3' if is_sound else 'mp4'}"
            row: Values = {"file": target.name, "title": wanted.title, "said": wanted.said}
            written = [(path, target)]
            if wanted.late_ms:
                row["given"] = f"{wanted.name}-{BEFORE}"
                written.append((path.parent / BEFORE, FOLDER / row["given"]))
            for source, small in written:
                shrink(source, small)
                recipe = read_recipe(source)
                write_recipe(small, recipe)
                marker.mark(small, recipe)
            if is_sound:
                peaks, length_s = find_peaks([path])
                row |= {"peaks": [max(peaks[at : at + 2]) for at in range(0, len(peaks), 2)]}
            else:
                picture = Path(held) / "poster.jpg"
                _, length_s = write_picture([path], picture)
                row |= {"poster": _write_poster(picture, FOLDER / f"{wanted.name}.webp")}
            listed.setdefault(prefix, []).append(row | {"length_s": round(length_s, 1)})
            print(f"{target.name}: {target.stat().st_size:,} bytes", flush=True)
    listed = {prefix: listed[prefix] for prefix, *_ in TABS if prefix in listed}
    LIST.write_text(json.dumps(listed, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_poster(picture: Path, target: Path) -> str:
    from PIL import Image

    with Image.open(picture) as image:
        image.thumbnail((POSTER_SIDE, POSTER_SIDE))
        image.save(target, quality=60, method=6)
    return target.name


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    main()
