"""The recipe of the music model: Muon, and a training that is stopped, goes on and is exported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.music.transformer import MusicTransformer, MusicTransformerConfig
from models.music.vocabulary import PAD
from models.music.weights import MUSIC_FILE, load_model
from tests.training.music.test_examples import corpus
from training.music import train
from training.music.optimizers import make_optimizers

pytestmark = pytest.mark.slow


class Matrix(nn.Module):
    """One weight of a layer, under the name that Muon takes."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.layers = nn.ParameterList([torch.randn(shape, generator=torch.Generator().manual_seed(0))])
        self.gain = nn.Parameter(torch.ones(3))


def newton_schulz(matrix: Tensor) -> Tensor:
    """Five iterations of Muon's quintic polynomial in double precision, as the paper's code states them."""
    x = matrix.double() / matrix.double().norm()
    x = x.T if x.shape[0] > x.shape[1] else x
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


@pytest.mark.parametrize(("shape", "blocks"), [((16, 16), 1), ((32, 8), 1), ((8, 32), 1), ((48, 16), 3)])
def test_muon_follows_its_equations_and_takes_queries_keys_and_values_apart(
    shape: tuple[int, int], blocks: int
) -> None:
    model = Matrix(*shape)
    weight, momentum = model.layers[0].detach().clone().double(), torch.zeros(shape, dtype=torch.float64)
    muon, _ = make_optimizers(model, 0.02, 0.003)
    random = torch.Generator().manual_seed(1)
    for _ in range(3):
        gradient = torch.randn(shape, generator=random)
        model.layers[0].grad = gradient.clone()
        muon.step()
        momentum = momentum.lerp(gradient.double(), 0.05)
        update = torch.cat([newton_schulz(part) for part in gradient.double().lerp(momentum, 0.95).chunk(blocks)])
        scale = max(1.0, shape[0] / blocks / shape[1]) ** 0.5
        weight = weight * (1 - 0.02 * 0.01) - 0.02 * scale * update
    torch.testing.assert_close(model.layers[0].detach().double(), weight, atol=0.002, rtol=0.0)  # bfloat16


def test_muon_takes_matrices_of_layers_and_adam_the_rest() -> None:
    model = MusicTransformer(MusicTransformerConfig.debug())
    muon, adam = make_optimizers(model, 0.02, 0.003)
    assert isinstance(muon, torch.optim.Muon)
    counts = [sum(p.numel() for group in o.param_groups for p in group["params"]) for o in (muon, adam)]
    assert sum(counts) == sum(p.numel() for p in model.parameters())
    shapes = [tuple(p.shape) for p in muon.param_groups[0]["params"]]
    width = model.config.width
    assert all(len(shape) == 2 for shape in shapes) and len(shapes) == 12  # of 8 matrices, two for q, k and v at once
    assert (3 * width, width) not in shapes and shapes.count((width, width)) == 8


def test_an_older_torch_is_told_to_bring_muon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.optim, "Muon")
    with pytest.raises(RuntimeError, match=r"needs torch 2\.9 or later, which brings Muon; this is torch \d"):
        make_optimizers(Matrix(4, 4), 0.02, 0.003)


def test_padding_is_never_a_target() -> None:
    model = MusicTransformer(MusicTransformerConfig.debug()).eval()
    rows = torch.randint(1, 800, (1, 9))
    padded = torch.cat([rows, torch.full((1, 4), PAD.first)], dim=1)
    torch.testing.assert_close(train.compute_loss(model, padded), train.compute_loss(model, rows))


def test_the_rate_warms_up_and_ends_at_nothing() -> None:
    assert train.compute_learning_rate(0, 0.0) < 0.1
    assert train.compute_learning_rate(train.WARMUP_STEPS, 0.0) == 1.0
    assert train.compute_learning_rate(10_000, 0.25) == 0.75
    assert train.compute_learning_rate(10_000, 1.5) == 0.0


@pytest.fixture
def small_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(train, "CONFIG", MusicTransformerConfig.debug(position="rotary"))
    monkeypatch.setattr(train, "CONTEXT_TOKENS", 96)
    monkeypatch.setattr(train, "ROWS", 2)
    monkeypatch.setattr(train, "WARMUP_STEPS", 2)
    monkeypatch.setattr(train, "HELD_OUT_ROWS", 1)
    monkeypatch.setattr(train, "WEIGHTS", tmp_path / "weights")
    corpus().save(tmp_path / "corpus.npz")
    return tmp_path


def test_a_training_learns_goes_on_where_it_stopped_and_is_exported(small_recipe: Path) -> None:
    torch.set_num_threads(1)
    pieces = train.Corpus.load(small_recipe / "corpus.npz")
    state = train.MusicTraining(pieces, small_recipe, minutes=1.0)
    rows = train.Examples(train.Corpus.load(small_recipe / "corpus.npz"), 96).draw_rows(np.random.default_rng(0))
    batch = torch.from_numpy(np.stack([next(rows) for _ in range(2)]))
    losses = [state.learn(batch) for _ in range(25)]
    assert losses[-1] < 0.8 * losses[0]
    state.elapsed_s = 12.0
    state.save()
    resumed = train.MusicTraining(pieces, small_recipe, minutes=1.0)
    assert (resumed.step, resumed.elapsed_s) == (25, 12.0)
    assert resumed.learn(batch) == pytest.approx(state.learn(batch))
    exported = load_model(train.export(small_recipe, small_recipe / "weights"))
    for name, parameter in exported.named_parameters():
        torch.testing.assert_close(parameter.detach(), resumed.average[name], atol=0.01, rtol=0.02)


def test_the_whole_command_runs_and_logs_each_collection(small_recipe: Path) -> None:
    train.run(small_recipe / "corpus.npz", small_recipe, minutes=0.002)
    header, row = (small_recipe / "log.csv").read_text().splitlines()
    assert header == "step,minutes,train,pop,lieder,drums,chorales"
    assert all(float(value) > 0 for value in row.split(",")[2:])
    assert (small_recipe / "checkpoint.pt").is_file() and not (small_recipe / MUSIC_FILE).exists()
