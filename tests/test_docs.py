"""The documentation is true: what is generated is up to date, links lead somewhere, every example runs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import studio
from benchmarks.results import BENCHMARKS, read_results
from docs import make_measured, make_tables
from models.registry.catalog import CATALOG
from models.registry.registry import Registry
from studio.app import build_studio, launch_studio
from tests.models.music_video.debug_video import click_song
from tests.studio.debug_video import ball_clip

ROOT = Path(__file__).resolve().parent.parent
PAGES = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs/api.md",
    "docs/hub.md",
    "docs/measured.md",
    "models/README.md",
    "training/README.md",
)
FOLLOWED = "CONTRIBUTING.md"  # its entries are put where they belong by tests/test_contributing_studio.py
LONGEST_README_LINES = 150
ADDRESS = "http://127.0.0.1:7860"


def read(page: str) -> str:
    """Return the text of a page."""
    return (ROOT / page).read_text(encoding="utf-8")


def find_examples(page: str) -> list[str]:
    """Return the Python blocks of a page."""
    return re.findall(r"^```python\n(.*?)^```", read(page), re.MULTILINE | re.DOTALL)


def test_the_page_of_figures_is_what_the_files_make() -> None:
    made = make_measured.make_page(read_results(name) for name in BENCHMARKS)
    assert read("docs/measured.md") == made, "run `python -m docs.make_measured`"


def test_a_figure_that_changes_changes_the_page() -> None:
    result = read_results("speech")
    before = make_measured.make_page([result])
    row = result["rows"][0]
    row |= {"shown": "98.7 %", "reached": False, "verdict": "", "date": "2031-01-02"}
    after = make_measured.make_page([result])
    changed = [line for line in after.splitlines() if line not in before.splitlines()]
    assert len(changed) == 2
    assert f"on 2031-01-02 (two cores): `{row['key']}`" in changed[0]
    assert "98.7 %" in changed[1] and changed[1].endswith("| **not reached** |")


def test_the_tables_of_parameters_are_what_the_tabs_declare() -> None:
    marked = []
    for name in make_tables.PAGES:
        text = read(f"docs/{name}")
        assert make_tables.make_page(text) == text, "run `python -m docs.make_tables`"
        marked += [found[1] for found in make_tables.TABLE.finditer(text)]
    assert sorted(marked) == sorted(make_tables.TABLES)
    with pytest.raises(KeyError):
        make_tables.make_page("<!-- table: /nothing -->\n<!-- end of the table -->")


def test_the_readme_is_a_page_for_newcomers() -> None:
    text = read("README.md")
    assert len(text.splitlines()) <= LONGEST_README_LINES
    assert len(re.findall(r"^python3 -m venv ", text, re.MULTILINE)) == 2  # one command starts, one tests
    assert not re.findall(r"^\|.*\| (reached|\*\*not reached\*\*) \|$", text, re.MULTILINE)  # figures are elsewhere


def test_the_changelog_begins_with_this_version() -> None:
    versions = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", read("CHANGELOG.md"), re.MULTILINE)
    assert versions[0] == studio.__version__
    assert versions == sorted(versions, key=lambda each: tuple(map(int, each.split("."))), reverse=True)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = re.sub(r"^```.*?^```|`[^`\n]+`", "", read(page), flags=re.MULTILINE | re.DOTALL)  # code is no link
    links = re.findall(r"\]\((?!https?://|mailto:)([^)#]*)(?:#([\w-]+))?\)", text)
    broken = []
    for path, anchor in links:
        target = (ROOT / page).parent / path if path else ROOT / page
        if not target.exists() or (anchor and anchor not in find_anchors(target)):
            broken.append(f"{path}#{anchor}")
    assert broken == []


def find_anchors(path: Path) -> set[str]:
    """Return the places of a page that a link can name."""
    text = path.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each).strip().lower().replace(" ", "-") for each in headings} | set(
        re.findall(r'id="([\w-]+)"', text)
    )


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_exist(page: str) -> None:
    named = re.findall(r"`([\w.-]+(?:/[\w.-]+)+\.(?:py|md|json|toml|txt|yml|yaml))`", read(page))
    folders = (ROOT, (ROOT / page).parent)  # models/README.md names files of its own folder
    assert [name for name in named if not any((folder / name).exists() for folder in folders)] == []


@pytest.fixture(scope="module")
def shipped_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a studio over the shipped models."""
    folder = tmp_path_factory.mktemp("shipped")
    page = build_studio(Registry((spec for spec in CATALOG if not spec.is_remote), cache_dir=folder))
    launch_studio(page, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield str(page.local_url).rstrip("/")
    page.close()


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files that the examples name."""
    folder = tmp_path_factory.mktemp("material")
    click_song(folder / "song.wav", 4.0)
    sound, rate = soundfile.read(folder / "song.wav")
    soundfile.write(folder / "song.mp3", sound, rate, format="MP3")
    at = np.arange(22_050) / 22_050
    soundfile.write(folder / "me.wav", 0.2 * np.sin(2 * np.pi * 220 * at * (1 + 0.1 * at)), 22_050)
    shutil.copy(ball_clip(folder / "late.mp4", late_s=0.2), folder / "me.mp4")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if find_examples(page) and page != FOLLOWED])
def test_every_example_runs(
    page: str, shipped_studio: str, material: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(material, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    values: dict[str, Any] = {}
    for example in find_examples(page):
        exec(compile(example.replace(ADDRESS, shipped_studio), page, "exec"), values)  # one after another, as read
    files = [value for value in values.values() if isinstance(value, str) and Path(value).is_file()]
    assert all(Path(file).stat().st_size > 20 for file in files)
    assert files or len(values["samples"]) > 1000
