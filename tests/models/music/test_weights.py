"""The music model's weight file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.errors import ModelError
from models.music.weights import load_model, save_debug, save_model
from models.weights_io import load_metadata, save_safetensors


def test_a_network_is_read_back_with_its_configuration(tmp_path: Path) -> None:
    path = tmp_path / "music.safetensors"
    written = save_debug(path, position="relative")
    read = load_model(path)
    tokens = torch.arange(20)[None]
    assert read.config == written.config and not read.training
    assert torch.equal(read(tokens), written(tokens))


def test_facts_of_the_training_stand_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "music.safetensors"
    save_model(path, save_debug(tmp_path / "debug.safetensors"), {"steps": "7"})
    assert load_metadata(path)["steps"] == "7"


@pytest.mark.parametrize("metadata", [{}, {"config": "{"}, {"config": '{"colour": 3}'}, {"config": '{"width": 7}'}])
def test_a_file_of_something_else_is_refused_in_a_sentence(tmp_path: Path, metadata: dict[str, str]) -> None:
    path = tmp_path / "other.safetensors"
    save_safetensors(path, {"weight": torch.zeros(3)}, metadata)
    with pytest.raises(ModelError, match="does not say what it holds"):
        load_model(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nothing\.safetensors is missing"):
        load_model(tmp_path / "nothing.safetensors")
