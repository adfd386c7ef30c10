"""Runs of ffmpeg: what they may take, and that nothing of them stays behind."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.media import command, containers
from models.media.command import Bounds, PipeReader, PipeWriter
from models.media.program import MediaError, find_ffmpeg
from tests.models.media.files import make_flash

ENDLESS = ["-f", "lavfi", "-i", "color=s=640x480:r=1000", "-f", "rawvideo", "pipe:1"]
STARTS = [b"", b"RIFF\0\0\0\0WAVE", b"ID3\4\0\0\0\0\0\0", b"GIF89a", b"\x89PNG\r\n\x1a\n"]
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits another process")


def test_a_run_has_a_deadline() -> None:
    with pytest.raises(MediaError, match="too long"):
        command.run(["-re", "-f", "lavfi", "-i", "color=r=1", "-f", "null", "-"], Bounds(deadline_s=0.5))


@ON_LINUX
def test_a_run_has_so_much_time_of_the_processor() -> None:
    with PipeReader(ENDLESS, Bounds(processor_s=0.5)) as reader:
        while reader.read(2**22):
            pass
        assert not reader.ended_well() and not reader.stalled


@ON_LINUX
def test_a_run_has_so_much_memory() -> None:
    large = ["-f", "lavfi", "-i", "color=s=8192x8192:r=1", "-frames:v", "3", "-pix_fmt", "rgb48le", "-f", "null", "-"]
    assert command.run(large, Bounds())[0] == 0
    assert command.run(large, Bounds(memory_bytes=300 * 2**20))[0] != 0


def test_a_reader_that_hears_nothing_is_ended() -> None:
    silent = ["-re", "-f", "lavfi", "-i", "color=s=16x16:r=1/50", "-f", "rawvideo", "pipe:1"]
    with PipeReader(silent, stall_s=0.4) as reader:
        reader.read(10**9)
        assert reader.stalled


def test_leaving_early_ends_the_program() -> None:
    with PipeReader(ENDLESS) as reader:
        assert len(reader.read(1000)) == 1000
        process = reader._process
    assert process.poll() is not None


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "made.mp4"
    with pytest.raises(ZeroDivisionError), PipeWriter(path, command.frames_input(16, 16, "5/1")) as writer:
        writer.write(bytes(16 * 16 * 3))
        raise ZeroDivisionError
    assert not path.exists()
    with pytest.raises(MediaError, match="could not be written"), PipeWriter(path, ["-f", "nothing"]) as writer:
        for _ in range(1000):
            writer.write(bytes(16 * 16 * 3))
    assert not path.exists()


def test_a_file_is_opened_as_what_its_bytes_show(tmp_path: Path) -> None:
    clip = make_flash(tmp_path / "clip.mp4", find_ffmpeg(), seconds=0.5, flash_s=0.2)
    arguments = command.input_of(clip.rename(tmp_path / "clip.m3u8"))
    assert arguments[arguments.index("-f") + 1] == "mov"
    assert arguments[arguments.index("-protocol_whitelist") + 1] == "file"
    assert "-enable_drefs" in arguments and arguments[-1] == f"file:{tmp_path}/clip.m3u8"


def test_no_other_module_starts_ffmpeg() -> None:
    """The project's own code names the program in one place."""
    root = Path(__file__).resolve().parents[3]
    starts = re.compile(r"subprocess\.(run|Popen|check_output)")
    found = {
        file.relative_to(root).as_posix()
        for folder in ("models", "studio")
        for file in (root / folder).rglob("*.py")
        if starts.search(file.read_text(encoding="utf-8"))
    }
    assert found == {"models/media/command.py", "studio/io/ffprobe.py"}


@given(
    st.binary(max_size=600),
    st.sampled_from(STARTS),
)
def test_any_bytes_are_told(tmp_path_factory: pytest.TempPathFactory, data: bytes, start: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.bin"
    path.write_bytes(start + data)
    found = containers.sniff(path)
    assert found is None or found.demuxer in containers.DEMUXERS | {""}


def test_no_demuxer_reads_playlists() -> None:
    """What may name other files is not among those that are ever tried."""
    assert not containers.DEMUXERS & {
        "hls",
        "dash",
        "concat",
        "ffmetadata",
        "sdp",
        "image2",
        "lavfi",
        "rtsp",
        "svg_pipe",
    }
