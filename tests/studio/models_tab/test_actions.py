"""What the Models tab does, without its page."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.contracts import SpeechRequest, Task
from models.registry.hub_catalog import HUB_CATALOG
from models.registry.registry import Registry
from models.registry.store import open_registry
from studio.models_tab.actions import ShelfActions
from studio.page import model_card
from studio.page.events import Events
from studio.page.shelf import CLOSED_SAID, is_open
from tests.hub_server import Fault, HubServer
from tests.studio.debug_speech import debug_spec
from tests.studio.events import flatten
from tests.tiny_models import tiny

KEY = "speech/tiny--vits"


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with HubServer() as server:
        server.add_repo("tiny/vits", tiny("vits"))
        yield server


@pytest.fixture
def actions(hub: HubServer, tmp_path: Path) -> ShelfActions:
    (tmp_path / "debug.bin").write_bytes(b"debug")
    registry = open_registry(
        (debug_spec(),), cache_dir=tmp_path / "cache", endpoint=hub.url, memory_budget_mb=4_000, weights_dir=tmp_path
    )
    return ShelfActions(registry)


def last(steps: Iterator[Events]) -> str:
    return status(list(steps)[-1])


def status(events: Events) -> str:
    return str(flatten(events)["status"])


@pytest.mark.slow
def test_from_an_id_to_a_download_and_back(actions: ShelfActions) -> None:
    registry = actions.registry
    assert "is on the shelf of Speech" in last(actions.add(" https://huggingface.co/tiny/vits ", ""))
    assert KEY in [key for _, key in actions.choices()] and registry.state(KEY) == "absent"
    usable = {"download": True, "verify": False, "free": False, "delete": True, "off": True}
    assert actions.usable(KEY) == usable, "its configuration is here, and can be deleted"
    assert "not downloaded" in actions.overview() and "to download first" in model_card.line(registry, KEY)
    said = [status(step) for step in actions.download("s", KEY)]
    assert any("Downloading" in each for each in said) and "is here" in said[-1]
    assert registry.state(KEY) == "here" and "on disk" in model_card.line(registry, KEY)
    assert "complete and undamaged" in last(actions.verify("s", KEY))
    assert "on this machine already" in last(actions.download("s", "speech/debug"))
    assert model_card.pace_of(registry, KEY) == ""
    list(registry.load(KEY).stream(SpeechRequest(text="hello the sea and the boat")))
    assert actions.usable(KEY)["free"] and "s for 100 characters on this machine" in model_card.line(registry, KEY)
    assert "memory of tiny/vits is free" in status(actions.free(KEY)) and registry.state(KEY) == "here"
    again = open_registry((), cache_dir=registry.cache_dir, memory_budget_mb=4_000)
    assert "on this machine" in model_card.pace_of(again, KEY), "the pace is kept over a restart"
    assert "deleted" in status(actions.delete(KEY)) and registry.state(KEY) == "absent"
    assert "off the shelf" in status(actions.take_off(KEY))
    assert KEY not in [key for _, key in actions.choices()]


def test_stop_throws_away_what_is_not_complete(actions: ShelfActions, hub: HubServer) -> None:
    list(actions.add("tiny/vits", ""))
    hub.gate.clear()
    seen: list[str] = []
    began = threading.Event()

    def work() -> None:
        for update in actions.download("s", KEY):
            seen.append(status(update))
            if "Downloading" in seen[-1]:
                began.set()

    thread = threading.Thread(target=work)
    thread.start()
    assert began.wait(60) and actions.stops.ask("s")
    thread.join(60)
    hub.gate.set()
    assert "Stopped" in seen[-1] and actions.registry.state(KEY) == "absent"
    assert "is here" in last(actions.download("s", KEY))


def test_what_fails_is_a_sentence_and_the_shelf_stays(actions: ShelfActions, hub: HubServer) -> None:
    before = actions.choices()
    assert "Type the id" in last(actions.add("  ", ""))
    assert "not on the Hub" in last(actions.add("nobody/nothing", ""))
    hub.fault = Fault(status=403, error_code="GatedRepo")
    assert "accept its conditions" in last(actions.add("tiny/vits", ""))
    hub.fault = None
    assert "ships with the studio" in status(actions.delete("speech/debug"))
    assert "belongs to the catalogue" in status(actions.take_off("speech/debug"))
    assert "There is no model" in last(actions.verify("s", "speech/none"))
    assert actions.choices() == before


def test_damaged_files_are_found_and_deleted(actions: ShelfActions) -> None:
    list(actions.add("tiny/vits", ""))
    list(actions.download("s", KEY))
    (weights,) = Path(str(actions.registry.cache_dir)).rglob("snapshots/*/model.safetensors")
    weights.resolve().write_bytes(b"x" * weights.stat().st_size)
    assert "lacks model.safetensors" in last(actions.verify("s", KEY))
    assert actions.registry.state(KEY) == "absent"


def test_too_big_is_said_with_the_reason(hub: HubServer, tmp_path: Path) -> None:
    actions = ShelfActions(Registry((), cache_dir=tmp_path, endpoint=hub.url, memory_budget_mb=10))
    assert "needs" in last(actions.add("tiny/vits", "")) and "too big" in actions.overview()
    assert "too big for this machine" in model_card.choices(actions.registry, Task.SPEECH)[0][0]
    assert 'class="too-big"' in model_card.line(actions.registry, KEY)


def test_a_gpu_that_is_too_small_is_not_said_to_be_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wan = next(spec for spec in HUB_CATALOG if spec.backend == "WanPipeline")
    assert wan.needs_gpu
    actions = ShelfActions(Registry((wan,), cache_dir=tmp_path, memory_budget_mb=100_000))
    monkeypatch.setattr("models.registry.registry.measure_card_mb", lambda: 2_000.0)
    for has, said, brief in ((False, "needs a GPU", "needs a GPU"), (True, "too big for this machine", "too big")):
        for place in ("models.registry.registry", "studio.page.model_card"):
            monkeypatch.setattr(f"{place}.has_gpu", lambda has=has: has)
        assert model_card.label(actions.registry, wan).endswith(said)
        assert f">{brief}<" in actions.overview()


def test_visitors_of_a_public_space_cannot_change_the_shelf(
    actions: ShelfActions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/auralume")
    assert not is_open()
    for said in (last(actions.add("tiny/vits", "")), last(actions.download("s", "speech/debug"))):
        assert CLOSED_SAID in said
    assert CLOSED_SAID in status(actions.delete("speech/debug"))
    assert CLOSED_SAID in last(actions.verify("s", "speech/debug"))
    monkeypatch.setenv("AURALUME_SHELF", "open")
    assert is_open() and "is on the shelf" in last(actions.add("tiny/vits", ""))


def test_what_this_machine_cannot_run_is_not_offered_and_what_would_run_it_is_said(actions: ShelfActions) -> None:
    list(actions.add("tiny/vits", ""))
    assert actions.usable(KEY)["download"]
    actions.registry.memory_budget_mb = 0.5
    assert not actions.usable(KEY)["download"]
    said = model_card.line(actions.registry, KEY)
    assert "A machine or a Space with about 2 GB of memory runs it." in said
    assert "too big" in actions.overview()
    assert "runs it" not in model_card.line(actions.registry, "speech/debug")
