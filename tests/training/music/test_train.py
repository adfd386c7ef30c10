"""The recipe of the music model: Muon, and a training that is stopped, goes on and is exported."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from models.music.transformer import MusicTransformer, MusicTransformerConfig
from models.music.vocabulary import PAD
from models.music.weights import MUSIC_FILE, load_model
from tests.training.music.made_up import make_table
from training.music import train
from training.music.arranging import NoteTensors, arrange, cut_loops
from training.music.optimizers import make_optimizers
from training.music.rows import RowDrawer, Rows
from training.music.token_stream import encode_stream

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


def draw_rows(count: int = 2, length: int = 96) -> Rows:
    notes = NoteTensors(make_table(), torch.device("cpu"))
    stream = encode_stream(notes, arrange(notes, cut_loops(make_table(), notes.device), None))
    return RowDrawer(notes, stream, length, 0).draw(count)


def test_padding_is_never_a_target() -> None:
    model = MusicTransformer(MusicTransformerConfig.debug(position="musical")).eval()
    rows = draw_rows(1)
    shorter = Rows(rows.tokens[:, :61], rows.context.cut(slice(0, 60)))
    padded = rows.tokens.clone()
    padded[:, 61:] = PAD.first
    torch.testing.assert_close(
        train.compute_loss(model, Rows(padded, rows.context)), train.compute_loss(model, shorter)
    )


def test_a_forgotten_plan_leaves_the_key_and_what_the_tokens_say() -> None:
    rows = draw_rows()
    free = train.forget_plan(rows)
    same = (free.context.features == rows.context.features).all(dim=(0, 1))
    assert same[[0, 1, 7]].all() and not same[[2, 3, 4]].any()
    assert torch.equal(free.context.reference_times, rows.context.times)


def test_the_rate_warms_up_and_ends_at_nothing() -> None:
    assert train.compute_learning_rate(0, 0.0, 60) < 0.1
    assert train.compute_learning_rate(60, 0.0, 60) == 1.0
    assert train.compute_learning_rate(10_000, 0.25, 60) == 0.75
    assert train.compute_learning_rate(10_000, 1.5, 60) == 0.0


RECIPE = replace(train.SMALL, length=96)


def test_a_training_learns_goes_on_where_it_stopped_and_is_exported(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    state = train.MusicTraining(make_table(), tmp_path, 1e6, RECIPE)
    batch = draw_rows()
    losses = [float(state.learn(batch)) for _ in range(25)]
    assert losses[-1] < 0.8 * losses[0]
    state.elapsed_s = 12.0
    state.save()
    resumed = train.MusicTraining(make_table(), tmp_path, 1e6, RECIPE)
    assert (resumed.step, resumed.elapsed_s) == (25, 12.0)
    assert resumed.measure_clock() >= 12.0
    assert float(resumed.learn(batch)) == pytest.approx(float(state.learn(batch)))
    exported = load_model(train.export(tmp_path, tmp_path / "weights", RECIPE.config))
    for name, parameter in exported.named_parameters():
        torch.testing.assert_close(parameter.detach(), resumed.average[name], atol=0.01, rtol=0.02)


def test_a_run_ends_by_the_clock_logs_each_collection_and_writes_weights(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    training = train.run(make_table(), tmp_path, 4.0, replace(RECIPE, test_every_s=1.0, arrange_every=2))
    assert training.step >= 1 and training.measure_progress() >= 1
    lines = [json.loads(line) for line in (tmp_path / "checkpoint.log").read_text().splitlines()]
    held_out = [line["held_out"] for line in lines if "held_out" in line]
    assert set(held_out[-1]) == {f"{name}{suffix}" for name in train.MIX for suffix in ("", "_free")}
    assert all(value > 0 for value in held_out[-1].values())
    written = load_model(tmp_path / MUSIC_FILE)
    assert written.config == RECIPE.config
