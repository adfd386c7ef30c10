"""The page is built without the heavy parts, has its look, and its endpoint can be called by keyword."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from models.registry.registry import Registry
from models.threads import WAITING, limit_spinning
from studio.app import build_studio, launch_studio
from studio.page import html, theme
from tests.studio.debug_speech import debug_registry, debug_spec

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "torch",
    "torchaudio",
    "pretty_midi",
    "cv2",
    "transformers",
    "diffusers",
    "gruut",
    "scipy",
    "matplotlib",
    "soundfile",
    "moviepy",
    "mutagen",
)


@pytest.mark.slow
def test_nothing_heavy_is_imported_for_the_page() -> None:
    assert _start_without_serving(f"[name for name in {HEAVY!r} if name in sys.modules]") == "[]"


@pytest.mark.slow
def test_threads_wait_briefly_unless_told_otherwise() -> None:
    environment = {"GOMP_SPINCOUNT": "5"}
    limit_spinning(environment)
    assert environment == WAITING | {"GOMP_SPINCOUNT": "5"}
    assert _start_without_serving("os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules") == "PASSIVE False"


def _start_without_serving(expression: str) -> str:
    """Return an expression's value where the command would begin to serve the finished page."""
    code = f"""
import os, sys
import gradio
def end(studio, **options):
    print({expression}, flush=True)
    os._exit(0)
gradio.Blocks.launch = end
from studio.commands.entry import start
start([])
"""
    clean = {name: value for name, value in os.environ.items() if name not in WAITING}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, env=clean)
    return run.stdout.strip().splitlines()[-1]


def test_only_the_studio_imports_gradio() -> None:
    offenders = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "models").rglob("*.py")
        if re.search(r"^\s*(import|from)\s+(gradio|studio)\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert offenders == []


def test_a_tab_appears_only_with_a_model(tmp_path: Path) -> None:
    def titles(studio: gr.Blocks) -> list[str]:
        return [str(block.label) for block in studio.blocks.values() if isinstance(block, gr.Tab)]

    assert titles(build_studio(debug_registry(tmp_path))) == ["Speech", "Models"]
    assert titles(build_studio(Registry(()))) == []


def test_every_parameter_but_the_first_has_a_default(tmp_path: Path) -> None:
    api: Any = build_studio(debug_registry(tmp_path)).get_api_info()
    assert set(api["named_endpoints"]) == {"/speech", "/book", "/begin_job", "/ask_job", "/stop_job"}
    assert not api["unnamed_endpoints"]
    speech = api["named_endpoints"]["/speech"]
    names = [parameter["parameter_name"] for parameter in speech["parameters"]]
    assert names == [
        "text",
        "model",
        "voice",
        "speed",
        "pitch",
        "energy",
        "vocoder",
        "seed",
        "dictionary",
        "second_voice",
        "blend",
    ]
    assert all(parameter["parameter_has_default"] for parameter in speech["parameters"][1:])
    assert speech["returns"][0]["python_type"]["type"] == "filepath"


def test_the_look_asks_no_other_server_for_anything() -> None:
    options = theme.launch_options()
    texts = [
        options["head"],
        theme.read_script(),
        *(path.read_text() for path in options["css_paths"]),
        html.header(),
        html.footer(),
    ]
    assert not any(re.search(r"(https?:)?//[a-z0-9-]+\.[a-z]", text.replace("http://www.w3.org", "")) for text in texts)
    assert options["theme"]._stylesheets == []


def test_the_fonts_hold_the_letters() -> None:
    from fontTools.ttLib import TTFont
    from gradio.themes.utils.fonts import STATIC_FONTS_DIR, font_file_path

    files = [font_file_path(theme.BODY_FONT, weight) for weight in (400, 700)]
    files.append(STATIC_FONTS_DIR.parents[1] / theme.TITLE_FONT_FILE)
    for file in files:
        assert set(range(0x21, 0x7F)) <= set(TTFont(file).getBestCmap()), file.name


def test_every_text_on_the_page_is_escaped() -> None:
    evil = "<img src=x onerror=alert(1)>"
    from models.contracts import WordTiming

    pieces = [
        html.status(evil, 0.5, evil),
        html.finished(evil, evil),
        html.problem(evil),
        html.words([WordTiming(evil, 0, 1)]),
        html.verdicts([evil, evil]),
        html.verdicts([evil, "Fine."]),
        html.notes([evil]),
    ]
    assert all("<img" not in piece and "&lt;img" in piece for piece in pieces)


def test_launch_options_fit_this_gradio(tmp_path: Path) -> None:
    studio = build_studio(debug_registry(tmp_path, debug_spec()))
    launch_studio(studio, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    try:
        assert studio.local_url
    finally:
        studio.close()


@pytest.mark.parametrize("name", ["studio.css", "studio.js", "favicon.png"])
def test_assets_are_there(name: str) -> None:
    assert (theme.ASSETS / name).stat().st_size > 500
