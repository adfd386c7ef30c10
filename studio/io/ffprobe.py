"""A small ffprobe made of ffmpeg: answers what Gradio, pydub and moviepy ask, and nothing else.

It runs `ffmpeg -i FILE -map 0 -c copy -f framecrc -`: the log names container, streams and codecs, the packet list
gives each stream's own start and duration. Started as a program by the `ffprobe` that `studio.io.ffmpeg_path` places on
PATH, so it imports the standard library alone, and of the project what does the same.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # started as a program, it knows no package
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from models.media import containers

LARGEST_COUNTED_FILE_BYTES = 64 * 2**20  # of larger files the packets are not counted: the container's duration serves
DEADLINE_S = 60
OPTIONS_WITH_VALUE = {"-v", "-loglevel", "-print_format", "-of", "-select_streams", "-show_entries", "-f", "-i"}
OPTIONS_WITH_VALUE |= {"-read_ahead_limit", "--ffmpeg", "-analyzeduration", "-probesize"}

_STREAM = re.compile(
    r"^\s*Stream #0:(?P<index>\d+)(?:\[\w+\])?(?:\((?P<language>\w+)\))?: "
    r"(?P<kind>Video|Audio|Subtitle|Data): (?P<rest>.*)$"
)
_DURATION = re.compile(r"Duration: (\d+):(\d+):(\d+(?:\.\d+)?)(?:, start: (-?[\d.]+))?")
_CHAPTER = re.compile(
    r"^ +Chapter #0:(\d+): start (-?[\d.]+), end (-?[\d.]+)\n(?: +Metadata:\n +title +: (.*)\n)?", re.MULTILINE
)
_LAYOUT_CHANNELS = {"mono": 1, "stereo": 2, "quad": 4, "5.0": 5, "5.1": 6, "5.1(side)": 6, "7.1": 8}


def main(arguments: list[str]) -> int:
    """Answer one command line; returns the exit status."""
    options, source = parse_arguments(arguments)
    ffmpeg = options.get("--ffmpeg", "ffmpeg")
    if "-version" in options:
        print("ffprobe version auralume (made of ffmpeg)")
        return 0
    if source is None:
        print("No input file was named.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        if source in {"-", "pipe:", "pipe:0", "cache:pipe:0"}:
            path = str(Path(folder) / "input")
            Path(path).write_bytes(sys.stdin.buffer.read())
        else:
            path = source.removeprefix("file:")
        found = probe(path, ffmpeg)
    if options.get("-v", "info") in {"info", "verbose", "debug"}:
        sys.stderr.write(found["log"])
    if not found["streams"]:
        print(f"{source}: Invalid data found when processing input", file=sys.stderr)
        return 1
    print(answer(found, options))
    return 0


def parse_arguments(arguments: list[str]) -> tuple[dict[str, str], str | None]:
    """Options (flags map to "") and the input's name."""
    options: dict[str, str] = {}
    source: str | None = None
    words = iter(arguments)
    for word in words:
        if word in OPTIONS_WITH_VALUE:
            value = next(words, "")
            if word == "-i":
                source = value
            options[word] = value
        elif word.startswith("-") and word != "-":
            options[word] = ""
        else:
            source = word
    return options, source


def probe(path: str, ffmpeg: str = "ffmpeg") -> dict[str, Any]:
    """Tell what ffmpeg says about a file: {"format": {...}, "streams": [{...}], "chapters": [{...}], "log": text}."""
    file = Path(path)
    command = [ffmpeg, "-hide_banner", "-nostdin", *open_safely(file)]
    if file.is_file() and file.stat().st_size <= LARGEST_COUNTED_FILE_BYTES:
        command += ["-map", "0:v?", "-map", "0:a?", "-c", "copy", "-f", "framecrc", "-"]
    try:
        run = subprocess.run(command, capture_output=True, check=False, timeout=DEADLINE_S)
    except subprocess.TimeoutExpired:
        nothing = {"format": {"filename": path, "nb_streams": 0}, "streams": [], "chapters": []}
        return {**nothing, "log": "It took too long.\n"}
    log = run.stderr.decode("utf-8", "replace")
    input_log = log.split("\nOutput #0")[0].split("\nStream mapping")[0]
    streams = [stream for stream in map(read_stream, input_log.splitlines()) if stream]
    add_packet_times(streams, run.stdout.decode("ascii", "replace"))
    container: dict[str, Any] = {"filename": path, "nb_streams": len(streams), "probe_score": 100}
    if name := re.search(r"Input #0, (\S+), from", log):
        container["format_name"] = name[1]
    if time := _DURATION.search(input_log):
        seconds = int(time[1]) * 3600 + int(time[2]) * 60 + float(time[3])
        container["duration"] = f"{seconds:.6f}"
        container["start_time"] = f"{float(time[4] or 0):.6f}"
    elif counted := [float(stream["duration"]) for stream in streams if "duration" in stream]:
        container["duration"] = f"{max(counted):.6f}"
    if file.is_file():
        container["size"] = str(file.stat().st_size)
    if rate := re.search(r"bitrate: (\d+) kb/s", input_log):
        container["bit_rate"] = str(int(rate[1]) * 1000)
    return {"format": container, "streams": streams, "chapters": read_chapters(input_log), "log": input_log + "\n"}


def read_chapters(log: str) -> list[dict[str, Any]]:
    """Return the chapters that ffmpeg's log names: number, times and title."""
    return [
        {"id": int(found[1]), "start_time": found[2], "end_time": found[3], "tags": {"title": (found[4] or "").strip()}}
        for found in _CHAPTER.finditer(log)
    ]


def open_safely(file: Path) -> list[str]:
    """Return ffmpeg's arguments that open a file as what its bytes show: never as a playlist that names other files."""
    container = containers.sniff(file) if file.is_file() else None
    form = container.demuxer if container is not None and container.demuxer else "wav"  # which refuses what is none
    options = container.options if container is not None else ()
    return ["-protocol_whitelist", "file", "-f", form, *options, "-i", f"file:{file}"]


def read_stream(line: str) -> dict[str, Any] | None:
    """One stream as ffmpeg's log names it, or None for any other line."""
    match = _STREAM.match(line)
    if not match:
        return None
    rest = match["rest"]
    stream: dict[str, Any] = {"index": int(match["index"]), "codec_type": match["kind"].lower()}
    stream["codec_name"] = re.split(r"[ ,]", rest, maxsplit=1)[0]
    if match["language"]:
        stream["tags"] = {"language": match["language"]}
    if rate := re.search(r"(\d+) kb/s", rest):
        stream["bit_rate"] = str(int(rate[1]) * 1000)
    if stream["codec_type"] == "audio":
        read_audio(stream, rest)
    elif stream["codec_type"] == "video":
        read_video(stream, rest)
    return stream


def read_audio(stream: dict[str, Any], rest: str) -> None:
    """Add sample rate, channels and sample format."""
    if match := re.search(r"(\d+) Hz, ([^,]+)(?:, (\w+))?", rest):
        layout = match[2].strip()
        counted = re.match(r"(\d+) channels", layout)
        stream["sample_rate"] = match[1]
        stream["channels"] = int(counted[1]) if counted else _LAYOUT_CHANNELS.get(layout, 2)
        stream["channel_layout"] = layout
        stream["sample_fmt"] = match[3] or ""


def read_video(stream: dict[str, Any], rest: str) -> None:
    """Add size, pixel format and frame rate."""
    if size := re.search(r"\b(\d{2,5})x(\d{2,5})\b", rest):
        stream["width"], stream["height"] = int(size[1]), int(size[2])
    if pixel := re.search(r", (yuv\w+|rgb\w+|gray\w*|gbr\w+|nv12)", rest):
        stream["pix_fmt"] = pixel[1]
    if rate := re.search(r"([\d.]+) fps", rest):
        thousandths = round(float(rate[1]) * 1000)
        stream["r_frame_rate"] = stream["avg_frame_rate"] = f"{thousandths}/1000"


def add_packet_times(streams: list[dict[str, Any]], listing: str) -> None:
    """Give each stream the start and duration that its packets have, from ffmpeg's framecrc listing."""
    bases: dict[int, float] = {}
    kinds: dict[int, str] = {}
    spans: dict[int, tuple[float, float]] = {}
    for line in listing.splitlines():
        if base := re.match(r"#tb (\d+): (\d+)/(\d+)", line):
            bases[int(base[1])] = int(base[2]) / int(base[3])
        elif kind := re.match(r"#media_type (\d+): (\w+)", line):
            kinds[int(kind[1])] = kind[2]
        elif packet := re.match(r"(\d+),\s*(-?\d+),\s*(-?\d+),\s*(\d+),", line):
            index, shown, length = int(packet[1]), int(packet[3]), int(packet[4])
            tick = bases.get(index, 0.0)
            start, end = spans.get(index, (shown * tick, shown * tick))
            spans[index] = (min(start, shown * tick), max(end, (shown + length) * tick))
    ordered = [s for s in streams if s["codec_type"] == "video"] + [s for s in streams if s["codec_type"] == "audio"]
    for index, (start, end) in spans.items():
        if index < len(ordered) and kinds.get(index, ordered[index]["codec_type"]) == ordered[index]["codec_type"]:
            ordered[index]["start_time"] = f"{start:.6f}"
            ordered[index]["duration"] = f"{end - start:.6f}"


def answer(found: dict[str, Any], options: dict[str, str]) -> str:
    """Write the reply in the form asked for: JSON, or the bare values of -show_entries."""
    kind = {"v": "video", "a": "audio", "s": "subtitle"}.get(options.get("-select_streams", "")[:1])
    streams = [s for s in found["streams"] if kind is None or s["codec_type"] == kind]
    form = options.get("-print_format") or options.get("-of") or "default"
    if entries := options.get("-show_entries"):
        section, _, names = entries.partition("=")
        holders = [found["format"]] if section == "format" else streams
        values = [str(holder.get(name, "N/A")) for holder in holders for name in names.split(",") if name]
        if not form.startswith("json"):
            return ("," if form.startswith("csv") else "\n").join(values)
    reply: dict[str, Any] = {}
    if "-show_streams" in options or "-show_entries" in options:
        reply["streams"] = streams
    if "-show_format" in options or "-show_entries" in options:
        reply["format"] = found["format"]
    if "-show_chapters" in options:
        reply["chapters"] = found["chapters"]
    return json.dumps(reply, indent=1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
