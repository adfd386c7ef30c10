"""The plan of the house holds: which folder imports which, no circles, short files, one name a class."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("studio", "models", "training", "benchmarks", "docs", "tests")
SHARED_ROOMS = (
    "page",
    "io",
    "library",
)  # what every tab of the studio may import beside itself, `models` and `studio/__init__`
AROUND_TABS = {"commands", "server", "programs"}  # these may import every room; no tab imports them
LONGEST_FILE_LINES = 400
NAMED_FUNCTION = re.compile(r"([a-z_]\w*(?:\.\w+)+):[a-z_]\w*")  # a loader: "package.module:function"


class Import(NamedTuple):
    """One import of one module by another, wherever in the file it stands."""

    importer: str
    imported: str
    line: int
    is_named: bool = False  # a loader's name in a string, imported by the registry when the model is wanted

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


@cache
def find_modules() -> dict[str, Path]:
    """Return every module of the project by its dotted name; a package by the name of its folder."""
    paths = [ROOT / "app.py", *(path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


@cache
def parse(module: str) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(find_modules()[module].read_text(encoding="utf-8"))


@cache
def find_imports(module: str) -> tuple[Import, ...]:
    """Return all that a module imports: at its top, inside functions, for type checking, and as named loaders."""
    return tuple(each for each in _read_imports(module) if each.imported != module)


def _read_imports(module: str) -> Iterator[Import]:
    is_package = find_modules()[module].name == "__init__.py"
    for node in ast.walk(parse(module)):
        if isinstance(node, ast.Import):
            yield from (Import(module, alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: len(module.split(".")) - node.level + is_package] if node.level else []
            base = ".".join([*above, *(node.module or "").split(".")]).strip(".")
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield Import(module, inner if inner in find_modules() else base, node.lineno)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            named = NAMED_FUNCTION.fullmatch(node.value)
            if named and named[1] in find_modules():
                yield Import(module, named[1], node.lineno, is_named=True)


def imports_within(*folders: str) -> list[Import]:
    """Return the imports of all modules of the folders."""
    return [each for module in find_modules() if module.split(".")[0] in folders for each in find_imports(module)]


def find_circles(modules: set[str], imports: list[Import]) -> set[frozenset[str]]:
    """Return the groups of modules each of which reaches every other one of its group by imports.

    Names of loaders in strings do not count: they are there so that a list of kinds imports none of its backends.
    """
    following: dict[str, set[str]] = defaultdict(set)
    for each in imports:
        if each.importer in modules and each.imported in modules and not each.is_named:
            following[each.importer].add(each.imported)
    reached: dict[str, set[str]] = {}
    for module in modules:
        seen: set[str] = set()
        todo = [module]
        while todo:
            new = following[todo.pop()] - seen
            seen |= new
            todo.extend(new)
        reached[module] = seen
    circles = (frozenset(b for b in reached[a] if a in reached[b]) for a in modules if a in reached[a])
    return set(circles)


def test_the_scanner_sees_every_kind_of_import(monkeypatch: pytest.MonkeyPatch) -> None:
    source = """
from __future__ import annotations
from typing import TYPE_CHECKING
import models.audio
from . import contracts
from .hub import names
from .hub.spec import ModelSpec
if TYPE_CHECKING:
    import studio.app
def lazy() -> None:
    from training import loop
LOADER = "models.backends.speech:load"
"""
    monkeypatch.setattr(sys.modules[__name__], "parse", lambda _module: ast.parse(source))
    found = {each.imported for each in _read_imports("models.errors")}
    assert found >= {"models.audio", "models.contracts", "models.hub.names", "models.hub.spec"}
    assert found >= {"studio.app", "models.backends.speech"}
    assert any(name.startswith("training") for name in found)


def test_a_circle_is_found() -> None:
    imports = [Import("a", "b", 1), Import("b", "c", 1), Import("c", "a", 1), Import("c", "d", 1)]
    assert find_circles({"a", "b", "c", "d"}, imports) == {frozenset("abc")}


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("models", ("gradio", "gradio_client", "studio", "training", "benchmarks", "tests", "app")),
        ("studio", ("training", "benchmarks", "tests", "app")),
        ("training", ("gradio", "studio", "benchmarks", "tests", "app")),
        ("benchmarks", ("tests",)),
    ],
)
def test_arrows_point_one_way(folder: str, forbidden: tuple[str, ...]) -> None:
    wrong = [str(each) for each in imports_within(folder) if each.imported.split(".")[0] in forbidden]
    assert wrong == []


def test_a_tab_imports_no_other_tab() -> None:
    rooms = {path.name for path in (ROOT / "studio").iterdir() if (path / "__init__.py").exists()} - AROUND_TABS
    wrong = []
    for each in imports_within("studio"):
        importer, imported = each.importer.split("."), each.imported.split(".")
        if len(importer) < 2 or importer[1] not in rooms or imported[0] != "studio" or len(imported) == 1:
            continue
        if imported[1] not in {importer[1], *SHARED_ROOMS}:
            wrong.append(str(each))
    assert wrong == []


def test_no_import_circles() -> None:
    inner = {module for module in find_modules() if module.split(".")[0] in {"studio", "models", "training"}}
    circles = find_circles(inner, imports_within("studio", "models", "training"))
    assert [sorted(circle) for circle in circles] == []


def test_no_file_is_too_long() -> None:
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in find_modules().values()}
    assert {name: count for name, count in lines.items() if count > LONGEST_FILE_LINES} == {}


def test_class_names_are_unique() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for module in find_modules():
        if module.split(".")[0] != "tests":
            for node in ast.walk(parse(module)):
                if isinstance(node, ast.ClassDef):
                    places[node.name].append(module)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


RUN_STUDIO = """
import importlib, pkgutil, sys
import models, studio
for package in (models, studio):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(found.name)
from models.contracts import SpeechRequest
from models.registry.catalog import CATALOG
registry = models.registry.store.open_registry(CATALOG)
page = studio.app.build_studio(registry)
model = registry.load(registry.default("speech").key)
samples = sum(len(chunk.samples) for chunk in model.stream(SpeechRequest(text="Hi.")))
assert samples > 1000, samples
print(sorted(name for name in sys.modules if name.split(".")[0] in ("training", "benchmarks", "tests")))
"""


@pytest.mark.slow
def test_the_running_studio_loads_no_training() -> None:
    run = subprocess.run([sys.executable, "-c", RUN_STUDIO], capture_output=True, text=True, check=False, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "[]"
