"""The page is light: how much is sent, and how much of it Gradio's script touches at every step of any work."""

from __future__ import annotations

import gzip
import json
import urllib.request
from collections.abc import Iterator
from email.message import Message
from typing import Any

import gradio as gr
import pytest

from models.registry.catalog import CATALOG
from models.registry.registry import Registry
from studio.app import build_studio, launch_studio
from studio.library.store import Library
from studio.page.theme import ASSETS, SCRIPTS
from studio.server.sent_page import FOR_PROGRAMS, SCRIPT_NAME, lighten, script_version

MOST_KB, MOST_COMPRESSED_KB, MOST_TOUCHED = 880, 110, 40


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gr.Blocks]:
    folder = tmp_path_factory.mktemp("studio")
    studio = build_studio(Registry(CATALOG, cache_dir=folder), Library(folder / "library"))
    launch_studio(studio, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield studio
    studio.close()


def read(studio: gr.Blocks, path: str, encoding: str = "identity") -> tuple[bytes, Message]:
    asked = urllib.request.Request(f"{studio.local_url}{path}", headers={"Accept-Encoding": encoding})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return bytes(answer.read()), answer.headers


@pytest.mark.slow
def test_the_page_is_small(studio: gr.Blocks) -> None:
    page, headers = read(studio, "")
    assert int(headers["Content-Length"]) == len(page) < 1000 * MOST_KB
    packed, headers = read(studio, "", "gzip")
    assert headers["Content-Encoding"] == "gzip" and len(packed) < 1000 * MOST_COMPRESSED_KB
    assert len(gzip.decompress(packed)) == len(page)
    packed, _ = read(studio, "config", "gzip")
    assert len(packed) < 1000 * MOST_COMPRESSED_KB


@pytest.mark.slow
def test_programs_are_told_what_the_page_leaves_out(studio: gr.Blocks) -> None:
    page, _ = read(studio, "")
    said, _ = json.JSONDecoder().raw_decode(page.decode().partition("window.gradio_config = ")[2])
    whole = json.loads(read(studio, "config")[0])
    left_out: set[str] = set()
    for ours, theirs in zip(said["components"], whole["components"], strict=True):
        left_out |= theirs.keys() - ours.keys()
        assert {**theirs, **ours}.keys() == theirs.keys() and ours["props"] == theirs["props"]
    assert left_out == FOR_PROGRAMS
    assert said["dependencies"] == whole["dependencies"] and said["layout"] == whole["layout"]


@pytest.mark.slow
def test_a_browser_keeps_the_script_until_it_changes(studio: gr.Blocks) -> None:
    page, _ = read(studio, "")
    named = f'<script defer src="./{SCRIPT_NAME}?v={script_version()}"></script>'
    assert page.decode().index(named) < page.decode().index('<script type="module"')
    script, headers = read(studio, f"{SCRIPT_NAME}?v={script_version()}")
    assert "immutable" in headers["Cache-Control"]
    assert script.decode() == "".join((ASSETS / name).read_text() for name in SCRIPTS)
    assert read(studio, f"{SCRIPT_NAME}?v=of-before")[1]["Cache-Control"] == "no-cache"


@pytest.mark.slow
def test_work_that_shows_no_progress_touches_one_part_of_the_page(studio: gr.Blocks) -> None:
    config: dict[str, Any] = {**studio.config}
    first = config["layout"]["children"][0]["id"]
    host = next(each for each in config["components"] if each["id"] == first)
    assert host["props"]["visible"] is False
    quiet = [each for each in config["dependencies"] if each["show_progress"] == "hidden"]
    assert len(quiet) > 100 and all(each["show_progress_on"] for each in quiet)
    working = [each for each in config["dependencies"] if each["backend_fn"]]
    touched = {part for each in working for part in each["show_progress_on"] or each["outputs"]}
    assert len(touched) < MOST_TOUCHED, "each costs a walk through the page at every step of any work"


def test_what_is_left_stays_safe_within_the_script() -> None:
    parts = [{"id": 1, "api_info": {"a": 1}, "props": {"value": "</script>&'é"}}]
    page = f"<head></head><script>window.gradio_config = {json.dumps({'components': parts})};</script><p>x"
    made = lighten(page)
    assert "api_info" not in made and made.count("</script>") == 1 and made.endswith(";</script><p>x")
    said = made.partition("window.gradio_config = ")[2].partition(";</script>")[0]
    assert json.loads(said) == {"components": [{"id": 1, "props": {"value": "</script>&'é"}}]}
    assert not set("<>&'") & set(said)
    assert lighten("<p>no page of Gradio's") == "<p>no page of Gradio's"
