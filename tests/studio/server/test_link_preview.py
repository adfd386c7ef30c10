"""A shared link shows the studio's own title, sentence and picture, and no other's."""

from __future__ import annotations

import io
import re
import urllib.request

import gradio as gr
import pytest
from PIL import Image

from models.registry.registry import Registry
from studio.app import build_studio, launch_studio
from studio.server.link_preview import ADDRESS, SAID, TITLE, find_base, put_in_preview
from tests.studio.debug_speech import debug_registry, debug_spec


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> gr.Blocks:
    registry: Registry = debug_registry(tmp_path_factory.mktemp("weights"), debug_spec())
    return build_studio(registry)


def read_page(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=60) as answer:
        return bytes(answer.read())


@pytest.mark.slow
def test_the_page_names_its_own_picture_which_is_there(studio: gr.Blocks) -> None:
    launch_studio(studio, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    try:
        address = str(studio.local_url).rstrip("/")
        for asked in ("/", "/?tab=music"):
            page = read_page(address + asked).decode()
            found = dict(re.findall(r'<meta (?:property|name)="((?:og|twitter):[\w:]+)" content="([^"]*)">', page))
            assert (found["og:title"], found["og:description"]) == (TITLE, SAID)
            assert found["og:image"] == found["twitter:image"] == f"{address}{ADDRESS}"
            assert page.count("og:image") == 1 + 3 and "Click to try out" not in page
            assert page.rstrip().endswith("</html>")
        assert Image.open(io.BytesIO(read_page(found["og:image"]))).size == (1200, 630)
    finally:
        studio.close()


def test_another_preview_is_taken_out() -> None:
    page = b'<html><head lang="en"><meta\n property="og:image"\n content="x" /><meta name="viewport"></head>og:image'
    made = put_in_preview(page, "https://a.b").decode()
    assert 'content="x"' not in made and '<meta name="viewport">' in made
    assert made.startswith('<html><head lang="en"><meta name="description"')
    assert 'content="https://a.b/preview.png"' in made


def test_behind_a_proxy_the_address_is_the_one_that_was_asked_for() -> None:
    headers = [(b"host", b"127.0.0.1:7860"), (b"x-forwarded-proto", b"https"), (b"x-forwarded-host", b"me.hf.space")]
    scope = {"type": "http", "scheme": "http", "headers": headers, "root_path": "/studio"}
    assert find_base(scope) == "https://me.hf.space/studio"
    assert find_base({"type": "http", "scheme": "http", "headers": headers[:1]}) == "http://127.0.0.1:7860"
