"""Weight files: what is written comes back, and nothing damaged, foreign or executable comes in."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from models.errors import ModelError
from models.weights_io import (
    load_into,
    load_metadata,
    load_network,
    load_safetensors,
    load_torch,
    parse_metadata,
    save_safetensors,
)


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        "weight": torch.randn(4, 3, generator=generator),
        "transposed": torch.randn(3, 4, generator=generator).T,
        "steps": torch.tensor(7),
        "mask": torch.tensor([True, False]),
    }


def test_safetensors_round_trip_is_half_on_disk_and_float_in_memory(
    tmp_path: Path, state: dict[str, torch.Tensor]
) -> None:
    path = tmp_path / "folder" / "model.safetensors"
    state["same"] = state["weight"]  # shared memory, which the format itself refuses
    save_safetensors(path, state, {"trained": "here"})
    loaded = load_safetensors(path)
    assert loaded["weight"].dtype == torch.float32
    assert torch.equal(loaded["weight"], state["weight"].half().float())
    assert torch.equal(loaded["transposed"], state["transposed"].half().float())
    assert torch.equal(loaded["steps"], state["steps"])
    assert torch.equal(loaded["mask"], state["mask"])
    assert load_metadata(path) == {"trained": "here"}
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    half_bytes = 2 * 36
    assert path.stat().st_size < half_bytes + 1024


@pytest.mark.parametrize("value", [1e6, float("nan"), float("inf")])
def test_value_that_half_precision_cannot_hold_is_refused(tmp_path: Path, value: float) -> None:
    path = tmp_path / "model.safetensors"
    with pytest.raises(ValueError, match="weight"):
        save_safetensors(path, {"weight": torch.tensor([value])})
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"<html>404</html>", b"PK\x03\x04 not really a zip"])
def test_foreign_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    for load in (load_safetensors, load_metadata, load_torch):
        with pytest.raises(ModelError, match=r"model\.bin") as caught:
            load(path)
        assert caught.value.kind == "weights"


@pytest.mark.parametrize("kept", [0.99, 0.5, 0.1])
def test_files_cut_short_are_refused(tmp_path: Path, state: dict[str, torch.Tensor], kept: float) -> None:
    plain, pickled = tmp_path / "a.safetensors", tmp_path / "a.ckpt"
    save_safetensors(plain, state)
    torch.save(state, pickled)
    for path, load in ((plain, load_safetensors), (pickled, load_torch)):
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * kept)])
        with pytest.raises(ModelError, match="damaged") as caught:
            load(path)
        assert caught.value.__cause__ is not None


@pytest.mark.parametrize("load", [load_safetensors, load_metadata, load_torch])
def test_missing_file_is_a_sentence(tmp_path: Path, load) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ModelError, match="missing"):
        load(tmp_path / "none.bin")
    with pytest.raises(ModelError):
        load(tmp_path)


def test_torch_checkpoint_comes_back(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    path = tmp_path / "model.ckpt"
    torch.save({**state, "half": torch.ones(2, dtype=torch.float16)}, path)
    loaded = load_torch(path)
    assert torch.equal(loaded["weight"], state["weight"])
    assert loaded["half"].dtype == torch.float32


class Malicious:
    """Unpickling this would create a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (self.target,))  # type: ignore[return-value]


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("legacy", [False, True])
def test_pickle_that_would_run_code_is_refused(tmp_path: Path, legacy: bool) -> None:
    path, proof = tmp_path / "model.ckpt", tmp_path / "it_ran"
    content = {"weight": Malicious(proof)}
    if legacy:
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path)
    with pytest.raises(ModelError) as caught:
        load_torch(path)
    assert caught.value.kind == "weights"
    assert not proof.exists()
    if not legacy:
        assert "could run a program" in str(caught.value)
        torch.load(path, weights_only=False)
        assert proof.exists(), "the file must be one that really would have run"


def test_checkpoint_that_is_no_dict_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.ckpt"
    torch.save([torch.ones(1)], path)
    with pytest.raises(ModelError):
        load_torch(path)


def test_load_into_copies_and_names_what_does_not_fit() -> None:
    module = nn.Linear(3, 2)
    wanted = {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}
    load_into(module, wanted, "the test layer")
    assert torch.equal(module.weight, wanted["weight"])
    with pytest.raises(ModelError, match=r"the test layer \(missing: bias; unexpected: scale\)") as caught:
        load_into(module, {"weight": torch.zeros(2, 3), "scale": torch.ones(1)}, "the test layer")
    assert caught.value.kind == "weights"
    with pytest.raises(ModelError, match=r"weight is \(9, 9\) instead of \(2, 3\)"):
        load_into(module, {"weight": torch.zeros(9, 9), "bias": torch.ones(2)}, "the test layer")
    assert torch.equal(module.weight, wanted["weight"]), "a refused state must change nothing"
    assert torch.equal(module.bias, wanted["bias"])


def test_network_is_built_from_its_metadata_and_ready(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    network = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.9))
    save_safetensors(path, network.state_dict(), {"config": "[3, 2]", "voices": '["a", "b"]'})

    def build(sizes: list[int]) -> nn.Sequential:
        inputs, outputs = sizes
        return nn.Sequential(nn.Linear(inputs, outputs), nn.Dropout(0.9))

    loaded = load_network(path, build, "the layer")
    weight = network.state_dict()["0.weight"]
    assert torch.equal(loaded.state_dict()["0.weight"], weight.half().float())
    assert not loaded.training and not loaded[1].training
    with pytest.raises(ModelError, match=r"do not fit the layer in model\.safetensors \(of another shape"):
        load_network(path, lambda sizes: build(sizes[::-1]), "the layer")
    assert parse_metadata(path, lambda *values: values, ["voices", "config"], ["bank"]) == (["a", "b"], [3, 2], None)
    assert parse_metadata(path, lambda *values: values, [], ["voices"]) == (["a", "b"],)


@pytest.mark.parametrize(
    ("metadata", "build"),
    [
        ({}, int),
        ({"config": "{3"}, int),
        ({"config": "[3]"}, int),
        ({"config": '"three"'}, int),
        ({"config": "{}"}, lambda values: values["size"]),
        ({"config": "3"}, lambda values: values.items()),
    ],
)
def test_metadata_that_nothing_can_be_built_from_is_refused(
    tmp_path: Path, metadata: dict[str, str], build: Callable[[Any], Any]
) -> None:
    path = tmp_path / "model.safetensors"
    save_safetensors(path, {"weight": torch.zeros(1)}, metadata)
    with pytest.raises(
        ModelError, match=r"model\.safetensors is of another kind or does not say what it holds"
    ) as caught:
        parse_metadata(path, build, ["config"])
    assert caught.value.kind == "weights"
    with pytest.raises(ModelError, match="does not say what it holds"):
        load_network(path, build, "the layer")
