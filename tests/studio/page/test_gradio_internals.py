"""Gradio's insides that the studio relies on and that Gradio documents for nobody: each is named and tried here.

requirements.txt admits the minor version for which these tests have passed. To move it, run them with the new one.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio import audio_stream_encoder, routes
from gradio.context import Context
from gradio.mcp import GradioMCPServer
from gradio.queueing import Event

from studio.app import STREAM_STARTUP_WAIT_S, build_studio
from tests.loops import run_coroutine
from tests.studio.debug_speech import debug_registry

ROOT = Path(__file__).resolve().parents[3]

# Modules of Gradio's inside that the studio touches, and for what.
INTERNALS = {
    "gradio.audio_stream_encoder": "STARTUP_WAIT, so that the first sound need not be asked for twice",
    "gradio.context": "Context.root_block, the page that is being built",
    "gradio.routes": "CustomCORSMiddleware, whose place the studio's access rules take",
    "gradio.networking": "url_ok, with which `launch` looks whether it is reached",
    "gradio.mcp": "GradioMCPServer, whose place the studio's tools take",
    "gradio.utils": "get_upload_folder, where uploads and results lie",
}
DOCUMENTED = {"gradio", "gradio.blocks", "gradio.components", "gradio.themes.base", "gradio.themes.utils"}


def _modules_of_gradio(path: Path) -> Iterator[str]:
    """Yield the modules of Gradio that a file imports or reaches by way of `gr`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "gradio":
            for alias in node.names:
                inner = importlib.util.find_spec(f"{node.module}.{alias.name}") if node.module == "gradio" else None
                yield inner.name if inner is not None else str(node.module)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "gr":
            reached = getattr(gr, node.attr)
            yield reached.__name__ if inspect.ismodule(reached) else "gradio"


def test_requirements_admit_one_minor_version() -> None:
    needed = re.findall(r"^gradio(?:\[mcp\])?>=(\d+)\.(\d+),<(\d+)\.(\d+)", _requirements(), re.MULTILINE)
    assert len(needed) == 2  # the studio's own, and the one with MCP that the tests install
    for low_major, low_minor, high_major, high_minor in needed:
        assert (low_major, int(low_minor) + 1) == (high_major, int(high_minor))
    major, minor = gr.__version__.split(".")[:2]
    assert needed[0][:2] == (major, minor)
    space = re.search(r"^sdk_version: (\S+)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert space is not None and space[1].startswith(f"{major}.{minor}.")


def _requirements() -> str:
    return "".join((ROOT / name).read_text() for name in ("requirements.txt", "requirements-dev.txt"))


def test_every_inner_module_that_the_studio_touches_is_named_here() -> None:
    used = {name for path in (ROOT / "studio").rglob("*.py") for name in _modules_of_gradio(path)}
    assert used - DOCUMENTED == set(INTERNALS)


def test_the_encoder_reads_its_wait_when_it_waits(tmp_path: Path) -> None:
    members = inspect.getmembers(audio_stream_encoder.AacStreamEncoder, inspect.isfunction)
    readers = [name for name, member in members if "STARTUP_WAIT" in member.__code__.co_names]
    assert readers
    build_studio(debug_registry(tmp_path))
    assert audio_stream_encoder.STARTUP_WAIT == STREAM_STARTUP_WAIT_S


def test_the_server_asks_for_what_the_studio_replaces() -> None:
    assert "CustomCORSMiddleware" in routes.App.create_app.__code__.co_names
    assert {"networking", "url_ok"} <= set(gr.Blocks.launch.__code__.co_names)
    assert "gradio.mcp.GradioMCPServer(" in inspect.getsource(routes.App)


def test_the_servers_tools_ask_for_what_the_studio_replaces() -> None:
    calls = inspect.getsource(GradioMCPServer.create_mcp_server)
    for name in ("_execute_tool_without_progress", "_get_or_create_client", "postprocess_output_data"):
        assert f"self.{name}" in calls
    assert "self.convert_strings_to_filedata" in inspect.getsource(GradioMCPServer._prepare_tool_call_args)


def test_the_queue_tells_who_waits_and_what_runs() -> None:
    with gr.Blocks() as page:
        page.queue()
    assert isinstance(page._queue.active_jobs, list) and page._queue.event_queue_per_concurrency_id == {}
    assert inspect.iscoroutinefunction(page._queue.clean_events)
    assert {"enqueue_time", "alive", "session_hash"} <= set(Event.__init__.__code__.co_names)


def test_the_page_that_is_being_built_is_known() -> None:
    assert Context.root_block is None
    with gr.Blocks() as page:
        assert Context.root_block is page
        with gr.Row():
            assert Context.root_block is page
    assert Context.root_block is None


@pytest.mark.slow
def test_a_replaced_preprocess_is_what_a_call_goes_through() -> None:
    with gr.Blocks() as page:
        box = gr.Textbox()
        shown = gr.Textbox()
        box.change(str.upper, box, shown, api_name="shout")

    def refuse(payload: Any) -> str:
        if payload == "no":
            raise gr.Error("Refused.", print_exception=False)
        return f"{payload}!"

    box.preprocess = refuse  # type: ignore[method-assign]
    function = next(each for each in page.fns.values() if each.api_name == "shout")

    def call(value: str) -> list[Any]:
        return run_coroutine(page.process_api(function, [value]))["data"]

    assert call("yes") == ["YES!"]
    with pytest.raises(gr.Error, match=r"Refused\."):
        call("no")
