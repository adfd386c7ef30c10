"""Tools of the MCP server, results handed from one to the next, by the protocol's own client."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from mcp.shared.session import ProgressFnT

from studio.library.store import Library
from studio.server.access import rules_for
from tests.loops import run_coroutine
from tests.studio.debug_studio import serve_studio

pytestmark = pytest.mark.slow

Tool = Callable[..., list[str]]
Tell = ProgressFnT
SMALL: dict[str, Any] = {"shorter_side": 480, "preview": True, "steps": 4}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("mcp")
    with serve_studio(folder, Library(folder / "library"), mcp_server=True) as address:
        yield address


def call(
    address: str, name: str, /, headers: dict[str, str] | None = None, tell: Tell | None = None, **arguments: Any
) -> Any:
    async def ask() -> Any:
        url = f"{address}/gradio_api/mcp/"
        async with (
            streamablehttp_client(url, headers=headers) as (reader, writer, _),
            ClientSession(reader, writer) as session,
        ):
            await session.initialize()
            names = [each.name for each in (await session.list_tools()).tools]
            full_name = next(each for each in names if each.endswith(name))
            return await session.call_tool(full_name, arguments, progress_callback=tell)

    return run_coroutine(ask())


@pytest.fixture
def tool(address: str) -> Tool:
    def use(name: str, /, **arguments: Any) -> list[str]:
        answer = call(address, name, **arguments)
        assert not answer.isError, answer.content
        return [each.text if each.type == "text" else each.mimeType for each in answer.content]

    return use


def test_speech_becomes_music_becomes_a_music_video_in_a_style(address: str, tool: Tool) -> None:
    wav, srt, report = tool("speech", text="Hello there, world.")
    assert wav.startswith(address) and srt.endswith(".srt")
    assert [word["text"] for word in json.loads(report)["words"]] == ["Hello", "there,", "world."]
    styled, _ = tool("audio_style", content=wav, style="hiss", strength=0.5)
    assert httpx.get(styled, trust_env=False).content[:4] == b"RIFF"
    music, midi, _ = tool("music", bars=4, seed=3)
    more, _, report = tool("music", midi_file=midi, action="continue", bars=4)
    assert json.loads(report)["bars"] > 4 and more != music
    film, beats = tool("music_video", song=music, captions=srt, **SMALL)
    assert film.endswith(".mp4") and json.loads(beats)["beats"]
    painted, _ = tool("video_style", content=film, style="glass", clip_size=128)
    checked, report = tool("sync", clip=painted)
    assert "offset_ms" in json.loads(report) and (checked == "no file" or checked.endswith(".mp4"))
    picture = tool("video_style", content=_path_of(painted), style="woodcut", clip_size=128)[0]  # by path as well
    assert picture.endswith(".mp4")
    assert tool("video", prompt="a red ball", length_s=1, sound="off")[0].endswith(".mp4")


def test_a_long_job_returns_an_id_and_what_it_made_is_handed_on(tool: Tool) -> None:
    def finish(name: str, /, **arguments: Any) -> tuple[dict[str, Any], list[str]]:
        job = json.loads(tool("begin_job", tool=name, arguments=arguments)[0])["job"]
        while True:
            told, *files = tool("ask_job", job=job, wait_s=30)
            said = json.loads(told)
            if said["state"] not in ("waiting", "running"):
                return said, files

    said, files = finish("speech", text="Hello there.")
    assert said["state"] == "done" and said["report"]["words"][0]["text"] == "Hello" and said["share"] == 1
    wav = next(each for each in said["handles"] if each.endswith(".wav"))
    assert wav.startswith("library://") and httpx.get(files[0], trust_env=False).content[:4] == b"RIFF"
    styled, files = finish("audio_style", content=wav, style="hiss")
    assert styled["report"]["style"] == "hiss"
    item = wav.rpartition("/")[0]  # an item's first file, by its id alone
    assert json.loads(tool("audio_style", content=item, style="hum")[1])["style"] == "hum"


def test_what_is_wrong_with_a_job_is_said(address: str, tool: Tool) -> None:
    for arguments, said in (
        ({"tool": "poem"}, "There is no tool 'poem'"),
        ({"tool": "speech", "arguments": {"text": "Hello.", "speed": 99}}, "Speed"),
        ({"tool": "audio_style", "arguments": {"content": "/etc/passwd"}}, "no file that this studio made"),
        ({"tool": "audio_style", "arguments": {"content": "library://nothing"}}, "not in your library"),
        ({"tool": "speech", "arguments": {"words": "Hello."}}, "no control named 'words'"),
    ):
        answer = call(address, "begin_job", **arguments)
        assert answer.isError and said in answer.content[0].text
    assert call(address, "ask_job", job="nothing").isError
    job = json.loads(tool("begin_job", tool="live_music", arguments={"length_s": 30})[0])["job"]
    tool("stop_job", job=job)
    state = json.loads(tool("ask_job", job=job, wait_s=60)[0])["state"]
    assert state in ("stopped", "done")


def test_progress_is_told_in_words_and_grows(address: str) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def tell(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    film = call(address, "video", tell=tell, prompt="a red ball", length_s=1, sound="off")
    assert not film.isError and film.content[0].text.endswith(".mp4")
    shares = [each for each, _, _ in told]
    assert shares and shares == sorted(set(shares)) and all(total == 100 and said for _, total, said in told)


def test_live_tools_play_and_film(address: str, tool: Tool) -> None:
    sound, report = tool("live_music", length_s=3, tempo=120, instruments=[0], drums=False, density=1, seed=5)
    assert httpx.get(sound, trust_env=False).content[:4] == b"RIFF" and json.loads(report)["made_s"] > 0
    film, report = tool("live_video", prompt="a red ball", length_s=2, seed=5)
    assert httpx.get(film, trust_env=False).content[4:8] == b"ftyp" and json.loads(report)["made_s"] > 0
    video, _ = tool("video_style", content=film, style="glass", clip_size=128)
    assert video.endswith(".mp4")


def _path_of(url: str) -> str:
    return url.partition("/gradio_api/file=")[2]


@pytest.mark.parametrize(
    "given",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        "/proc/self/environ",
        "no such file",
        "{folder}/own.wav",
        "x" * 5000,
        "\0",
    ],
)
def test_files_that_are_not_the_studios_are_refused(address: str, tmp_path: Path, given: str) -> None:
    (tmp_path / "own.wav").write_bytes(b"RIFF")
    answer = call(address, "audio_style", content=given.format(folder=tmp_path))
    assert answer.isError and "no file that this studio made or was given" in str(answer.content)


@pytest.mark.parametrize(
    "given",
    [
        "{address}/gradio_api/file=/etc/passwd",
        "{address}/gradio_api/file=/tmp/gradio/../../etc/passwd",
        "{address}/gradio_api/file=%2Fetc%2Fpasswd",
        "{address}/live/people",
        "http://127.0.0.1:1/a.wav",
        "http://169.254.169.254/latest",
        "http://[::1]:1/a",
    ],
)
def test_addresses_of_the_machines_network_are_refused(address: str, given: str) -> None:
    answer = call(address, "audio_style", content=given.format(address=address))
    assert answer.isError and "cannot be fetched" in str(answer.content)


def test_a_link_inside_the_cache_leads_nowhere_else(address: str, tool: Tool) -> None:
    path = Path(_path_of(tool("speech", text="Hello.")[0]))
    link = path.with_name("link.wav")
    link.symlink_to("/etc/passwd")
    try:
        assert call(address, "audio_style", content=str(link)).isError
        assert call(address, "audio_style", content=f"{address}/gradio_api/file={link}").isError
    finally:
        link.unlink()


def test_programs_hand_on_addresses_too(address: str, tool: Tool) -> None:
    wav = tool("speech", text="Hello there.")[0]
    client = Client(address, verbose=False, download_files=False)
    assert client.predict(content=handle_file(wav), style="hum", api_name="/audio_style")[1]["style"] == "hum"
    with pytest.raises(AppError, match="cannot be fetched"):
        client.predict(content=handle_file(f"{address}/gradio_api/file=/etc/passwd"), api_name="/audio_style")


def test_files_are_known_by_their_bytes_not_their_names(address: str, tool: Tool, tmp_path: Path) -> None:
    midi = httpx.get(tool("music", bars=4, seed=3)[1], trust_env=False).content
    client = Client(address, verbose=False)
    for name in ("song.MID", "song.kar", "song"):
        (tmp_path / name).write_bytes(midi)
        given = handle_file(tmp_path / name)
        assert client.predict(midi_file=given, action="perform", api_name="/music")[2]["notes"] > 0
    (tmp_path / "words.mid").write_text("no music at all")
    with pytest.raises(AppError, match=r"(?i)MIDI"):
        client.predict(midi_file=handle_file(tmp_path / "words.mid"), action="perform", api_name="/music")


def test_tools_are_called_with_the_password(tmp_path: Path) -> None:
    rules = rules_for("127.0.0.1", password="me:sesame")
    with serve_studio(tmp_path, rules=rules, mcp_server=True) as address:
        basic = {"Authorization": "Basic " + base64.b64encode(b"me:sesame").decode()}
        answer = call(address, "speech", basic, text="Hello.")
        assert not answer.isError and "Hello." in answer.content[2].text
