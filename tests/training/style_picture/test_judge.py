"""The judge of the recipe: converted from a pickle that may hold arrays alone."""

from __future__ import annotations

import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from models.style.vgg import Vgg, load_vgg
from training.style_picture import judge


def write_archive(path: Path, member: str, tree: object) -> None:
    data = pickle.dumps(tree, protocol=4)
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo(member)
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))


@pytest.mark.slow
def test_the_archive_becomes_a_vgg(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    layers = {}
    for index, layer in enumerate(Vgg("vgg16").features.values()):
        assert isinstance(layer, torch.nn.Conv2d)
        kernel = rng.standard_normal((3, 3, layer.in_channels, layer.out_channels)).astype(np.float32)
        layers[f"Conv_{index}"] = {"kernel": 0.1 * kernel, "bias": np.zeros(layer.out_channels, np.float32)}
    write_archive(tmp_path / "source.tar.gz", judge.MEMBER, {"params": {"VGG16_0": layers}})
    judge.convert_judge(tmp_path / "source.tar.gz", tmp_path / "vgg16.safetensors")
    network = load_vgg(tmp_path / "vgg16.safetensors", "vgg16")
    wanted = torch.from_numpy(layers["Conv_3"]["kernel"]).permute(3, 2, 0, 1)
    torch.testing.assert_close(network.state_dict()["features.7.weight"], wanted, atol=1e-3, rtol=1e-3)


def test_a_pickle_of_anything_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(pickle.UnpicklingError, match="no array"):
        judge.read_arrays(io.BytesIO(pickle.dumps(Path("x"))))
    assert np.array_equal(judge.read_arrays(io.BytesIO(pickle.dumps({"a": np.arange(3)})))["a"], np.arange(3))
    write_archive(tmp_path / "other.tar.gz", "other.ckpt", {})
    with pytest.raises(ValueError, match=judge.MEMBER):
        judge.convert_judge(tmp_path / "other.tar.gz", tmp_path / "vgg16.safetensors")
