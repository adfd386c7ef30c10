"""The endpoints as tools of an MCP server, through the protocol's own client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client

from models.registry.catalog import CATALOG
from models.registry.registry import Registry
from studio.app import build_studio, launch_studio
from tests.loops import run_coroutine
from tests.studio.debug_music import debug_music_spec

TOOLS = {
    "speech", "music", "video", "sync", "music_video", "video_style", "audio_style", "live_music", "live_video",
}  # fmt: skip


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the whole catalogue, of which nothing is loaded, and its tools."""
    studio = build_studio(Registry(CATALOG, offline=True))
    launch_studio(studio, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", mcp_server=True)
    yield f"{studio.local_url}gradio_api/mcp/"
    studio.close()


def tools_of(address: str) -> dict[str, Any]:
    async def ask() -> dict[str, Any]:
        async with streamablehttp_client(address) as (reader, writer, _), ClientSession(reader, writer) as session:
            await session.initialize()
            return {tool.name: tool for tool in (await session.list_tools()).tools}

    return run_coroutine(ask())


def call(address: str, tool: str, **arguments: Any) -> Any:
    async def ask() -> Any:
        async with streamablehttp_client(address) as (reader, writer, _), ClientSession(reader, writer) as session:
            await session.initialize()
            return await session.call_tool(tool, arguments)

    return run_coroutine(ask())


def test_every_tool_says_what_each_parameter_takes(address: str) -> None:
    tools = {name.removeprefix("auralume_"): tool for name, tool in tools_of(address).items()}
    assert set(tools) >= TOOLS
    for name in TOOLS:
        schema = tools[name].inputSchema
        assert tools[name].description
        for parameter, row in schema["properties"].items():
            assert row.get("description"), (name, parameter)
            enum, kind = row.get("enum"), row.get("type")
            kinds: dict[str, Any] = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
            assert enum is None or all(isinstance(value, kinds[str(kind)]) for value in enum), (name, parameter, row)
    assert "midi_file" not in tools["music"].inputSchema.get("required", [])
    assert tools["music"].inputSchema["properties"]["instruments"]["items"]["type"] == "integer"
    tempo, style_file = tools["music"].inputSchema["properties"]["tempo"], tools["video_style"].inputSchema
    assert (tempo["minimum"], tempo["maximum"], tempo["default"]) == (0, 200, 0)
    assert "library://" in style_file["properties"]["style_file"]["format"]
    assert 720 in tools["music_video"].inputSchema["properties"]["shorter_side"]["enum"]


def test_a_tool_is_called_with_numbers_and_with_their_texts(tmp_path: Path) -> None:
    studio = build_studio(Registry((debug_music_spec(tmp_path),), weights_dir=tmp_path))
    launch_studio(studio, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", mcp_server=True)
    try:
        address = f"{studio.local_url}gradio_api/mcp/"
        name = next(each for each in tools_of(address) if each.endswith("music") and "live" not in each)
        answer = call(address, name, bars=4, instruments=[0, 33], drums="no", seed=3)
        assert not answer.isError, answer.content
        wrong = call(address, name, bars=4, tempo=999)
        assert wrong.isError and "Tempo" in str(wrong.content)
    finally:
        studio.close()
