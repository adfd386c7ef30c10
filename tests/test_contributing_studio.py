"""The last two recipes of CONTRIBUTING.md, followed word for word in a copy of the studio: a control, and a tab."""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONTROL, TAB = re.findall(
    r"^```python\n(.*?)^```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)
pytestmark = pytest.mark.slow

WITH_CONTROL = """
import asyncio, dataclasses, json, sys, tempfile
from pathlib import Path

@dataclasses.dataclass(frozen=True)
class BreathyRequest(SpeechRequest):  # the model's side: a request with the attribute
    breath: float = 0.0

contracts.SpeechRequest = BreathyRequest

from tests.studio import debug_speech
asked = []
stream = debug_speech.DebugSpeech.stream
debug_speech.DebugSpeech.stream = lambda self, request: asked.append(request) or stream(self, request)

from docs import make_tables
from studio.app import build_studio
from studio.page.events import Outcome
from studio.speech.actions import SpeechActions
from studio.speech.controls import FIELDS

folder = Path(tempfile.mkdtemp())
registry = debug_speech.debug_registry(folder)
page = build_studio(registry)
slider = next(each for each in page.blocks.values() if getattr(each, "elem_id", None) == "speech-breath")
parameters = page.get_api_info()["named_endpoints"]["/speech"]["parameters"]
made, actions = Outcome(), SpeechActions(registry)
for events in actions.run_program("speech/debug", {"text": "Hello.", "breath": 0.5}, str(folder)):
    made.add(events)
try:
    FIELDS.read({"text": "Hello.", "breath": 3})
    refusal = ""
except ValueError as error:
    refusal = str(error)
print(json.dumps({
    "component": [type(slider).__name__, slider.label, slider.minimum, slider.maximum, slider.value],
    "endpoint": next(each for each in parameters if each["parameter_name"] == "breath")["parameter_default"],
    "request": asked[-1].breath,
    "recipe": actions.load_settings(made.files["wav"])[0]["breath"],
    "refusal": refusal,
    "table": [line for line in make_tables.TABLES["/speech"]().splitlines() if "breath" in line],
}))
"""

WITH_TAB = """
import json
import gradio as gr
from gradio_client import Client
from studio.app import build_studio, launch_studio
from tests.studio.debug_speech import debug_registry
import pathlib, tempfile

page = build_studio(debug_registry(pathlib.Path(tempfile.mkdtemp())))
titles = [each.label for each in page.blocks.values() if isinstance(each, gr.Tab)]
launch_studio(page, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
client = Client(page.local_url, verbose=False)
answer = client.predict(text="Ahoy", times=3, api_name="/echo")
try:
    client.predict(text="Ahoy", times=10, api_name="/echo")
    refusal = ""
except Exception as error:
    refusal = str(error)
print(json.dumps({"titles": titles, "answer": answer, "refusal": refusal}), flush=True)
import os
os._exit(0)
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the studio, imported before the real one."""
    shutil.copytree(ROOT / "studio", tmp_path / "studio", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run(copy: Path, code: str) -> dict[str, Any]:
    """Run code with the copy in the place of the studio, and return what it prints last."""
    own = {"PYTHONPATH": os.pathsep.join([str(copy), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=copy, env=os.environ | own
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def insert(file: Path, before: str, text: str) -> None:
    """Put lines before the one line that begins like this, indented as it is."""
    old = file.read_text(encoding="utf-8").splitlines(keepends=True)
    (at,) = [number for number, line in enumerate(old) if line.strip().startswith(before)]
    indent = old[at][: len(old[at]) - len(old[at].lstrip())]
    new = [*old[:at], *(indent + line for line in text.splitlines(keepends=True)), *old[at:]]
    file.write_text("".join(new), encoding="utf-8")


def changed_files(copy: Path) -> dict[str, list[str]]:
    """Return the added and removed lines of every file that differs from the studio's own."""
    found = {}
    for path in sorted(copy.rglob("*.py")):
        own = ROOT / path.relative_to(copy)
        old = own.read_text(encoding="utf-8").splitlines() if own.exists() else []
        lines = [line for line in difflib.ndiff(old, path.read_text(encoding="utf-8").splitlines()) if line[0] in "+-"]
        if lines or not own.exists():
            found[path.relative_to(copy).as_posix()] = lines
    return found


def test_a_control_is_one_entry(copy: Path) -> None:
    insert(copy / "studio/speech/controls.py", "Seed(", CONTROL.rstrip() + ",\n")
    changed = changed_files(copy)
    assert list(changed) == ["studio/speech/controls.py"] and len(changed["studio/speech/controls.py"]) == 1
    code = "from models import contracts\nfrom models.contracts import SpeechRequest\n" + WITH_CONTROL
    assert run(copy, code) == {
        "component": ["Slider", "Breath", 0, 1, 0.25],
        "endpoint": 0.25,
        "request": 0.5,
        "recipe": 0.5,
        "refusal": "Breath is 3; it must be a number from 0 to 1.",
        "table": ["| `breath` | `0.25` | Breath: how much air is in the voice (from 0 to 1) |"],
    }


def test_a_tab_is_one_folder_and_one_line(copy: Path) -> None:
    (copy / "studio/echo").mkdir()
    (copy / "studio/echo/__init__.py").touch()
    (copy / "studio/echo/tab.py").write_text(TAB, encoding="utf-8")
    insert(copy / "studio/app.py", '"speech",', '"echo",\n')
    changed = changed_files(copy)
    assert list(changed) == ["studio/app.py", "studio/echo/__init__.py", "studio/echo/tab.py"]
    assert changed["studio/app.py"] == ['+     "echo",']
    seen = run(copy, WITH_TAB)
    assert seen["titles"] == ["Echo", "Speech", "Models"]
    assert seen["answer"] == {"said": "Ahoy Ahoy Ahoy"}
    assert "Times is 10; it must be a whole number from 1 to 9." in seen["refusal"]


def test_the_page_is_written_as_the_code_is(tmp_path: Path) -> None:
    file = tmp_path / "tab.py"
    file.write_text(TAB, encoding="utf-8")
    for command in (["check"], ["format", "--check"]):
        checked = [sys.executable, "-m", "ruff", *command, "--config", str(ROOT / "pyproject.toml"), str(file)]
        done = subprocess.run(checked, capture_output=True, text=True, check=False, cwd=ROOT)
        assert done.returncode == 0, done.stdout
