"""The wheel holds all that the studio needs, its command starts it, and the version stands in one place."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import studio
from studio.commands.entry import read_options
from studio.server.health import HEALTH

ROOT = Path(__file__).resolve().parent.parent
BUILT_FROM = ("studio", "models", "pyproject.toml", "requirements.txt", "README.md", "LICENSE")

SPEAK = """
import studio, models
from models.contracts import SpeechRequest, Task
from models.registry.catalog import CATALOG
from models.registry.store import open_registry
from studio.app import build_studio
registry = open_registry(CATALOG)
page = build_studio(registry)
missing = [spec.key for spec in registry.specs() if not spec.is_remote and registry.state(spec.key) == "absent"]
assert not missing, missing
model = registry.load(registry.default(Task.SPEECH).key)
print(studio.__file__, models.__file__, sum(len(chunk.samples) for chunk in model.stream(SpeechRequest("Hi."))))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel, built from a copy: a build leaves files in the folder that it builds from."""
    copy = tmp_path_factory.mktemp("source")
    for name in BUILT_FROM:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    command = [sys.executable, "-m", "pip", "wheel", str(copy), "--no-deps", "--no-build-isolation", "-w", str(copy)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return next(copy.glob("auralume-*.whl"))


@pytest.mark.slow
def test_the_wheel_holds_the_house_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    ours = [
        path.relative_to(ROOT).as_posix()
        for folder in ("studio", "models")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".md"
    ]
    assert set(ours) - names == set()
    rest = names - set(ours)
    assert {name.split("/")[0] for name in rest} == {f"auralume-{studio.__version__}.dist-info"}


@pytest.mark.slow
def test_the_wheel_needs_what_the_space_installs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        name = next(name for name in packed.namelist() if name.endswith("METADATA"))
        text = packed.read(name).decode()
    needs = [Requirement(line.split(": ")[1]) for line in text.splitlines() if line.startswith("Requires-Dist: ")]
    needed = {need for need in needs if need.marker is None}
    listed = {Requirement(line) for line in _read("requirements.txt").splitlines() if line and line[0] != "#"}
    assert needed == listed


@pytest.mark.slow
def test_the_installed_studio_speaks_and_has_a_command(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", str(wheel), "--no-deps", "--target", str(site)]
    subprocess.run(install, capture_output=True, check=True)
    environment = os.environ | {"PYTHONPATH": str(site)}

    def run(*command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip().splitlines()[-1]

    studio_file, models_file, samples = run(sys.executable, "-c", SPEAK).split()
    assert Path(studio_file).is_relative_to(site) and Path(models_file).is_relative_to(site)
    assert int(samples) > 1000
    command = next((site / "bin").glob("auralume*")) if (site / "bin").exists() else site / "Scripts" / "auralume.exe"
    assert run(str(command), "--version") == f"Auralume {studio.__version__}"


def test_constraints_name_one_version_of_all_that_is_required() -> None:
    lines = [line for line in _read("constraints.txt").splitlines() if not line.startswith("#")]
    pinned = dict(line.split("==") for line in lines)
    assert not [line for line in lines if "+" in line or ";" in line]  # versions of every platform
    known = {canonicalize_name(name): version for name, version in pinned.items()}
    for line in (_read("requirements.txt") + _read("requirements-dev.txt")).splitlines():
        if line and not line.startswith(("#", "-")):
            need = Requirement(line)
            assert need.specifier.contains(known[canonicalize_name(need.name)]), line
    assert list(known) == sorted(known)


def test_ci_runs_what_a_person_runs() -> None:
    command = re.search(r"^python3 -m venv .* -m pytest .*$", _read("README.md"), re.MULTILINE)
    assert command is not None and "-r requirements-dev.txt -c constraints.txt" in command[0]
    job = yaml.safe_load(_read(".github/workflows/ci.yml"))["jobs"]["checks"]
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    lowest = Requirement(f"python{tomllib.loads(_read('pyproject.toml'))['project']['requires-python']}").specifier
    tested = job["strategy"]["matrix"]["python"]
    assert all(lowest.contains(version) for version in tested) and not lowest.contains("3.10")


def test_the_container_starts_what_there_is() -> None:
    lines = _read("Containerfile").replace("\\\n", " ").splitlines()
    command = json.loads(next(line for line in lines if line.startswith("CMD ")).removeprefix("CMD "))
    options = read_options(command[1:])
    assert command[0] == "auralume" and (options.port, options.library) == (7860, "/data/library")
    assert any(line.startswith("HEALTHCHECK") and f"7860{HEALTH}" in line for line in lines)
    compose = yaml.safe_load(_read("compose.yaml"))
    assert all(each["build"]["args"] == {"TORCH_INDEX": "${TORCH_INDEX:-}"} for each in compose["services"].values())
    assert "ARG TORCH_INDEX=" in lines and not any("http" in line for line in lines if line.startswith("RUN "))
    assert len(compose["services"]) == 2
    assert all(each["volumes"] == ["auralume:/data"] for each in compose["services"].values())


def test_hooks_of_pre_commit_call_tools_that_are_installed() -> None:
    hooks = [hook for repo in yaml.safe_load(_read(".pre-commit-config.yaml"))["repos"] for hook in repo["hooks"]]
    tools = {hook["entry"].split()[2] for hook in hooks if hook["entry"].startswith("python -m ")}
    assert tools == {"ruff", "mypy", "pytest"} and all(importlib.util.find_spec(tool) for tool in tools)


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads(_read("pyproject.toml"))
    assert "version" in project["project"]["dynamic"] and "version" not in project["project"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", studio.__version__)
    texts = [path for folder in ("studio", "models") for path in (ROOT / folder).rglob("*.py")]
    assert [str(path) for path in texts if f'"{studio.__version__}"' in path.read_text()] == [studio.__file__]
