"""The commands of training/README.md exist, with the options that the page gives them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "training" / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"^(?:python -m )(training\.[^\n]+)", PAGE.replace("\\\n", " "), re.MULTILINE)))


# one process asks them all: most of the time goes into importing what every recipe needs
ASK = """
import contextlib, io, json, runpy, sys
said = {}
for words in json.load(sys.stdin):
    sys.argv = [*words, "--help"]
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    said[" ".join(words)] = out.getvalue()
json.dump(said, sys.stdout)
"""


def split_command(command: str) -> tuple[str, str, list[str]]:
    """Return the module, the action ("" without one), and the options that the page gives."""
    module, *words = command.split()
    action = words[0] if words and not words[0].startswith("--") else ""
    return module, action, [word for word in words if word.startswith("--")]


@pytest.fixture(scope="module")
def helps() -> dict[str, str]:
    """Return what each module, and each with an action, says of itself."""
    parts = list(map(split_command, COMMANDS))
    asked = {(module,) for module, *_ in parts} | {(module, action) for module, action, _ in parts if action}
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        input=json.dumps(sorted(asked)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    said: dict[str, str] = json.loads(done.stdout)
    return said


def test_the_page_has_commands_of_every_recipe() -> None:
    modules = {command.split()[0] for command in COMMANDS}
    recipes = {"speech", "style_picture", "style_audio", "beats", "music"}
    assert {f"training.{name}.train" for name in recipes} <= modules and "training.pack" in modules
    assert {f"training.video.{name}" for name in ("distil_text", "gpu_training", "sync", "upscaler")} <= modules


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_is_understood(command: str, helps: dict[str, str]) -> None:
    module, action, options = split_command(command)
    said = helps[module]
    assert said, f"{module} says nothing"
    if action:
        assert re.search(rf"[{{,]{re.escape(action)}[}},]", said), f"{module} has no {action}"
        said += helps[f"{module} {action}"]
    for option in options:
        assert re.search(rf"{option}\b", said), f"{module} {action} has no {option}"


@pytest.mark.parametrize("file", sorted(path.name for path in (ROOT / "models" / "weights").glob("*.safetensors")))
def test_the_page_says_how_each_weight_file_is_made(file: str) -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("|") and f"`{file}`" in line]
    assert len(rows) == 1
    recipe = re.search(r"`training\.([\w.]+)`", rows[0])
    assert recipe is not None and (ROOT / "training" / (recipe[1].replace(".", "/") + ".py")).is_file()
