"""The Speech tab with a voice that is an ONNX graph: put on the shelf from a folder, picked, heard, mixed, kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.registry.registry import Registry
from studio.io import recipes
from studio.page import model_card, shelf
from studio.speech.actions import SpeechActions
from tests.studio.events import flatten
from tests.tiny_models import write_tiny


@pytest.mark.slow
def test_a_kokoro_in_a_folder_is_put_on_the_shelf_picked_and_mixed(tmp_path: Path) -> None:
    folder = write_tiny("kokoro", tmp_path / "Kokoro of mine")
    registry = Registry((), cache_dir=tmp_path / "cache", memory_budget_mb=4_000)
    spec = shelf.put_on_shelf(registry, str(folder))
    assert "from your folder" in shelf.status_of_new(registry, spec)
    assert ("George, British English, a man", "bm_george") in model_card.voices(registry, spec.key)
    assert model_card.second_voices(registry, spec.key)[0] == ("None", "")
    card = model_card.line(registry, spec.key, "bm_george")
    assert "Apache-2.0 (Kokoro-82M)" in card and "largely on synthetic speech of other systems" in card

    values: dict[str, Any] = {"text": "Hello there, world.", "voice": "af_heart", "seed": 7}
    values |= {"second_voice": "bm_george", "blend": 0.3}
    page: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    for update in map(flatten, SpeechActions(registry).run("session", spec.key, values)):
        page |= update
        if update.get("wav"):  # the files last as long as the run
            settings = dict(recipes.read_recipe(Path(update["wav"])).settings)
    assert "s of speech" in page["status"] and page["words"].count("data-start") == 3
    assert "alignment-picture" in page["alignment"] and "Every word has its time" in page["verdict"]
    assert (settings["voice"], settings["second_voice"], settings["blend"]) == ("af_heart", "bm_george", 0.3)
