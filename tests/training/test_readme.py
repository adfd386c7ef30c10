"""The commands of training/README.md exist, with the options that the page gives them."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "training" / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"^(?:python -m )(training\.[^\n]+)", PAGE.replace("\\\n", " "), re.MULTILINE)))


@cache
def ask_help(*arguments: str) -> str:
    """Return what a module says of itself."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments, "--help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300
    )
    return done.stdout


def test_the_page_has_commands_of_every_recipe() -> None:
    modules = {command.split()[0] for command in COMMANDS}
    recipes = {"speech", "style_picture", "style_audio", "beats", "music"}
    assert {f"training.{name}.train" for name in recipes} <= modules and "training.pack" in modules
    assert {f"training.video.{name}" for name in ("distil_text", "gpu_training", "sync", "upscaler")} <= modules


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_is_understood(command: str) -> None:
    module, *words = command.split()
    said = ask_help(module)
    action = words[0] if words and not words[0].startswith("--") else ""
    if action:
        assert re.search(rf"[{{,]{re.escape(action)}[}},]", said), f"{module} has no {action}"
        if f"{{{action}" in said or f",{action}" in said:
            said += ask_help(module, action)
    for option in (word for word in words if word.startswith("--")):
        assert re.search(rf"{option}\b", said), f"{module} {action} has no {option}"


@pytest.mark.parametrize("file", sorted(path.name for path in (ROOT / "models" / "weights").glob("*.safetensors")))
def test_the_page_says_how_each_weight_file_is_made(file: str) -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("|") and f"`{file}`" in line]
    assert len(rows) == 1
    recipe = re.search(r"`training\.([\w.]+)`", rows[0])
    assert recipe is not None and (ROOT / "training" / (recipe[1].replace(".", "/") + ".py")).is_file()
