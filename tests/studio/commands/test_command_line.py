"""The commands that make things without a page: fields, files, recipes, exit codes, and a batch that goes on."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.contracts import Task
from models.hub.spec import Snapshot
from models.registry.loading import SameProcess
from models.registry.registry import Registry
from studio.commands import batch, entry, make_one, shelf
from studio.commands.headless import PROGRAMS
from studio.io.recipes import read_recipe
from tests.hub_server import HubServer
from tests.studio.debug_speech import debug_spec
from tests.studio.debug_studio import whole_registry

WITHOUT_PAGE = """
import sys
from studio.commands import batch, entry, make_one, shelf
from studio.commands.headless import PROGRAMS, _find
for each in PROGRAMS.values():
    each.fields, _find(each.actions_in)
    make_one.read_arguments(each, [])
print(sorted({"gradio", "torch", "fastapi", "transformers"} & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return whole_registry(tmp_path_factory.mktemp("shelf"))


class TwoPlaces(SameProcess):
    """A home that works on two requests side by side."""

    places = 2


def read_report(folder: Path) -> list[dict[str, str]]:
    with (folder / batch.REPORT).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_sentence_becomes_the_file_that_was_named(
    registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said, report = tmp_path / "said" / "hello.wav", tmp_path / "report.json"
    given = ["Hello there.", "-o", str(said), "--seed", "5", "--speed", "1.5", "--report", str(report)]
    assert make_one.run("speak", given, registry) == make_one.DONE
    assert capsys.readouterr().out.strip() == str(said)
    recipe = read_recipe(said)
    assert (recipe.task, recipe.seed, recipe.settings["speed"]) == (Task.SPEECH, 5, 1.5)
    assert json.loads(report.read_text())["words"][0]["text"] == "Hello"
    assert [each.name for each in said.parent.iterdir()] == ["hello.wav"]


def test_a_folder_gets_all_results(registry: Registry, tmp_path: Path) -> None:
    assert make_one.run("speak", ["Hello there.", "-o", str(tmp_path / "all"), "-q"], registry) == 0
    assert {each.suffix for each in (tmp_path / "all").iterdir()} >= {".wav", ".srt"}


@pytest.mark.slow
def test_one_command_takes_what_another_made(registry: Registry, tmp_path: Path) -> None:
    song, hiss, film = (tmp_path / each for each in ("song.wav", "hiss.wav", "film.mp4"))
    short = ["--bars", "4", "--tempo", "200", "--instruments", "0", "33", "-o", str(song)]
    assert make_one.run("music", short, registry) == 0
    assert make_one.run("style-sound", [str(song), "--style", "hiss", "-o", str(hiss)], registry) == 0
    small = ["--shorter-side", "480", "--preview", "--steps", "4", "-o", str(film)]
    assert make_one.run("music-video", [str(song), *small], registry) == 0
    assert hiss.read_bytes()[:4] == b"RIFF" and film.read_bytes()[4:8] == b"ftyp"


@pytest.mark.parametrize(
    ("name", "given", "code", "said"),
    [
        ("speak", ["Hello.", "--speed", "99"], make_one.WRONG, "Speed is '99'; it must be"),
        ("speak", [""], make_one.FAILED, "empty"),
        ("speak", ["Hello.", "--model", "speech/nothing"], make_one.FAILED, "no model 'speech/nothing'"),
        ("speak", ["Hello.", "-o", "{folder}/x.midi"], make_one.FAILED, "There is no result as .midi"),
        ("style", ["{folder}/nothing.jpg"], make_one.WRONG, "there is no file"),
        ("style", [], make_one.WRONG, "is missing"),
    ],
)
def test_what_is_wrong_is_a_sentence_and_a_code(
    registry: Registry,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    given: list[str],
    code: int,
    said: str,
) -> None:
    assert make_one.run(name, [each.format(folder=tmp_path) for each in given], registry) == code
    assert said in capsys.readouterr().err


def test_a_batch_goes_on_where_it_was_cut_off(
    registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, out = tmp_path / "jobs.csv", tmp_path / "out"
    table.write_text(
        'command,main,speed,output\nspeak,"Hello, you.",,a.wav\nspeak,Again.,99,b.wav\n,Third.,1.5,\n', encoding="utf-8"
    )
    assert batch.run([str(table), "-o", str(out)], registry) == batch.FAILED
    rows = read_report(out)
    assert [row["state"] for row in rows] == ["done", "failed", "done"] and "Speed" in rows[1]["said"]
    assert (out / "a.wav").is_file() and (out / "0003").is_dir()
    made = (out / "a.wav").stat().st_mtime_ns
    table.write_text(table.read_text().replace("Again.,99", "Again.,1.2"), encoding="utf-8")
    capsys.readouterr()
    assert batch.run([str(table), "-o", str(out)], registry) == batch.DONE
    assert "1 done, 0 failed, 2 were done before" in capsys.readouterr().out
    assert (out / "a.wav").stat().st_mtime_ns == made and read_report(out)[1]["state"] == "done"
    (out / "a.wav").unlink()
    assert batch.run([str(table), "-o", str(out)], registry) == 0 and (out / "a.wav").is_file()


def test_rows_done_side_by_side_have_the_report_of_rows_done_one_by_one(
    registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "jobs.csv"
    table.write_text("text,output\n" + "".join(f"Row {at}.,{at}.wav\n" for at in range(6)), encoding="utf-8")
    told = []
    for name, home in (("one", SameProcess()), ("two", TwoPlaces())):
        monkeypatch.setattr(registry, "home", home)
        assert batch.run([str(table), "-o", str(tmp_path / name)], registry) == batch.DONE
        told.append([{**row, "seconds": ""} for row in read_report(tmp_path / name)])
    assert told[0] == told[1] and len(told[0]) == 6
    assert batch.run([str(table), "-o", str(tmp_path), "--workers", "tpu:1"], registry) == batch.WRONG
    assert "gpu:0,gpu:1" in capsys.readouterr().err


def test_a_folder_of_texts_is_a_batch(registry: Registry, tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    for name in ("one", "two"):
        (texts / f"{name}.txt").write_text(f"This is {name}.", encoding="utf-8")
    assert batch.run([str(texts), "-o", str(tmp_path / "out")], registry) == 0
    assert {each.name for each in (tmp_path / "out").iterdir()} == {"one", "two", "report.csv"}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("command,main\ndance,Hello\n", "there is no command 'dance'"),
        ("main,loudness\nHello,3\n", "speak has no parameter 'loudness'"),
        ("main,output\nHello,../x.wav\n", "must be a name within"),
        ("main,speed\nHello, you,1\n", "more values than there are columns"),
        ("main\n", "asks for nothing"),
    ],
)
def test_a_wrong_table_is_refused_before_anything_is_made(
    registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str], table: str, said: str
) -> None:
    (tmp_path / "jobs.csv").write_text(table, encoding="utf-8")
    assert batch.run([str(tmp_path / "jobs.csv"), "-o", str(tmp_path / "out")], registry) == 2
    assert said in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_the_shelf_is_listed(registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    assert shelf.run(["list", "--task", "speech"], registry) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 and lines[0].split()[:2] == ["speech/debug", registry.state("speech/debug")]


def test_check_tells_what_the_hub_says_otherwise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = json.dumps({"model_type": "vits", "architectures": ["VitsModel"]}).encode()
    files = {"config.json": config, "model.safetensors": bytes(2_000_000), "vocab.json": b"{}"}
    with HubServer() as hub:
        page: dict[str, object] = {"cardData": {"license": "mit"}}
        old, strange = "a" * 40, "b" * 40
        commit = hub.add_repo("some/voice", files, page=page, tags=(strange,), history=(old,))
        good = replace(
            debug_spec("good"),
            sources=(Snapshot("some/voice", commit, 2),),
            licence="MIT",
            loader="models.backends.speech:load",
            backend="VitsModel",
            read_on="2026-11-25",
        )

        def check(**changes: Any) -> tuple[int, str]:
            registry = Registry((replace(good, **changes),), tmp_path, endpoint=hub.url)
            return shelf.run(["check"], registry), capsys.readouterr().out

        code, said = check()
        assert code == 0 and "as the catalogue says (read on 2026-11-25)" in said, said
        code, said = check(sources=(Snapshot("some/voice", old, 9),), licence="Apache-2.0")
        assert code == 1 and "the main branch is at" in said and "no commit of the main branch" not in said
        assert "the licence is mit, the catalogue says Apache-2.0" in said and "the catalogue says 9 MB" in said
        code, said = check(sources=(Snapshot("some/voice", strange, 2),))
        assert code == 1 and f"{strange[:12]} is no commit of the main branch, and may vanish" in said
        code, said = check(sources=(Snapshot("some/other", commit, 2),))
        assert code == 1 and "some/other" in said


def test_every_command_is_known_and_the_old_way_still_starts_the_studio(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(PROGRAMS) | {"serve", "batch", "models"} == set(entry.COMMANDS)
    started: list[list[str]] = []
    monkeypatch.setattr(entry, "start", lambda words: started.append(list(words)))
    entry.main(["--port", "7999"])
    entry.main(["serve", "--mcp"])
    entry.main([])
    assert started == [["--port", "7999"], ["--mcp"], []]


@pytest.mark.slow
def test_commands_need_no_page() -> None:
    run = subprocess.run([sys.executable, "-c", WITHOUT_PAGE], capture_output=True, text=True, check=False)
    assert run.returncode == 0 and run.stdout.strip() == "[]", run.stdout + run.stderr
