"""Every usual GPU has a way to run a pipeline, the way is said, and it changes where weights lie, not what is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.backends import pipelines
from models.backends.device_placement import Placement, is_offloaded
from models.backends.memory_plan import (
    ROOM_SHARE,
    PipelineSize,
    Way,
    choose_plan,
    describe_plan,
    estimate_size,
    find_least,
    is_pipeline,
    list_plans,
    measure_size,
)
from models.contracts import VideoRequest
from models.hub.download import Hub, HubFile
from models.registry.hub_catalog import HUB_CATALOG
from models.registry.registry import Registry
from tests.tiny_models import tiny, write_tiny

WAN = PipelineSize({"text_encoder": 11_400.0, "transformer": 2_800.0, "vae": 300.0})
GIBIBYTE_MB = 2**30 / 1e6
SIZES = st.floats(10, 60_000)


@pytest.mark.parametrize(("card_gb", "way"), [(8, "layers"), (12, "layers"), (16, "parts"), (24, "whole")])
def test_every_usual_card_has_a_way(card_gb: int, way: str) -> None:
    plan = choose_plan(WAN, card_gb * GIBIBYTE_MB * 0.98, 32_000)
    assert (plan.way, plan.float8) == (Way(way), False)


def test_every_pipeline_of_the_menu_runs_on_8_gb() -> None:
    specs = [spec for spec in HUB_CATALOG if is_pipeline(spec)]
    assert specs
    for spec in HUB_CATALOG:
        size = estimate_size(spec)
        assert (size is not None) == (spec in specs)
        assert find_least(size)[0] < 8 * GIBIBYTE_MB if size is not None else spec.memory_mb < 8_000, spec.key


def test_a_small_main_memory_has_the_denoiser_in_eight_bits() -> None:
    large = PipelineSize({"text_encoder": 11_400.0, "transformer": 28_000.0})
    exact, rounded = choose_plan(large, 16_000, 64_000), choose_plan(large, 16_000, 40_000)
    assert (exact.way, exact.float8) == (Way.LAYERS, False) and rounded.float8
    assert rounded.main_mb < exact.main_mb and "eight bits" in rounded.describe()
    packed = replace(large, quantised=("transformer",))
    assert not any(plan.float8 for plan in list_plans(packed)), "what is quantised is not rounded again"


@given(st.dictionaries(st.sampled_from(["text_encoder", "transformer", "vae"]), SIZES, min_size=1), SIZES, SIZES)
def test_what_is_chosen_fits_and_nothing_better_does(parts: dict[str, float], card: float, main: float) -> None:
    size = PipelineSize(parts)
    plans = list_plans(size)
    fitting = [plan for plan in plans if plan.card_mb <= ROOM_SHARE * card and plan.main_mb <= main]
    chosen = choose_plan(size, card, main)
    assert chosen in plans and (not fitting or chosen == fitting[0])
    richer = choose_plan(size, 2 * card, 2 * main)
    assert not fitting or plans.index(richer) <= plans.index(chosen)


def test_the_line_says_which_way_and_why() -> None:
    spec = next(spec for spec in HUB_CATALOG if spec.backend == "WanPipeline")
    assert describe_plan(spec, 25_000, 40_000) == "this GPU of 23 GB runs it as a whole"
    said = describe_plan(spec, 8 * GIBIBYTE_MB, 40_000)
    assert "8 GB runs it layer by layer, because the whole takes 17 GB" in said
    assert "eight bits" in describe_plan(spec, 8 * GIBIBYTE_MB, 16_000)
    assert "main memory" in describe_plan(spec, 8 * GIBIBYTE_MB, 16_000)
    assert "8 GB layer by layer" in describe_plan(spec, None, 0) and "whole" in describe_plan(spec, None, 0)
    assert describe_plan(HUB_CATALOG[0], 8_000, 8_000) == ""


def test_a_reason_is_said_where_even_the_least_way_does_not_fit() -> None:
    files = (HubFile("text_encoder/model.safetensors", 11 * 10**9), HubFile("q.gguf", 8 * 10**9))
    wan = next(spec for spec in HUB_CATALOG if spec.backend == "WanPipeline")
    spec = replace(wan, memory_mb=22_000, sources=(Hub("tiny/wan", "0" * 40, files),))
    said = describe_plan(spec, 80_000, 8_000)
    assert said.endswith("layer by layer, because its weights take 22 GB of main memory")


def test_the_registry_refuses_only_what_no_way_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = next(spec for spec in HUB_CATALOG if spec.backend == "WanPipeline")
    registry = Registry((spec,), memory_budget_mb=spec.memory_mb - 500)
    monkeypatch.setattr("models.registry.registry.has_gpu", lambda: True)
    for card_mb, refused in ((8 * GIBIBYTE_MB, False), (4 * GIBIBYTE_MB, True), (None, False)):
        monkeypatch.setattr("models.registry.registry.measure_card_mb", lambda card_mb=card_mb: card_mb)
        assert bool(registry.find_obstacle(spec.key)) == refused, card_mb
    registry.memory_budget_mb = 5_000
    assert "5,000 MB" in registry.find_obstacle(spec.key)


def test_sizes_are_those_of_the_files(tmp_path: Path) -> None:
    from safetensors.numpy import load

    size = measure_size(write_tiny("wan", tmp_path))
    weights = load(tiny("wan")["transformer/diffusion_pytorch_model.safetensors"])
    assert size.parts["transformer"] == pytest.approx(2e-6 * sum(each.size for each in weights.values()))
    assert set(size.parts) == {"transformer", "text_encoder", "vae"} and 0 < size.layer_mb < size.total_mb


@pytest.fixture
def draw(load: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[np.ndarray, str, Any]]:
    """Load a tiny pipeline in one way, and draw with it."""
    monkeypatch.setattr("models.backends.video.CPU_LONGEST_SIDE", 64)

    def drawn(kind: str, way: Way, float8: bool = False) -> tuple[np.ndarray, str, Any]:
        place = Placement("cpu", torch.float32, way, float8)
        monkeypatch.setattr(pipelines, "choose_placement", lambda *_asked: place)
        model = load(kind, f"{way}{float8}/{kind}".lower())
        chunks = list(model.stream(VideoRequest("the sea", frames=4, steps=2, seed=5)))
        return chunks[-1].frames, " ".join(chunks[-1].notes), model.model

    return drawn


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["wan", "ltx", "animatediff"])
def test_layers_that_come_over_draw_the_same_and_eight_bits_nearly(
    draw: Callable[..., tuple[np.ndarray, str, Any]], kind: str
) -> None:
    whole, notes, _ = draw(kind, Way.WHOLE)
    assert "memory" not in notes
    layered, notes, model = draw(kind, Way.LAYERS)
    assert np.array_equal(layered, whole) and "layer by layer" in notes
    assert is_offloaded(model.pipeline.text_encoder)
    rounded, notes, model = draw(kind, Way.LAYERS, True)
    assert "eight bits" in notes and 0 < np.abs(rounded.astype(float) - whole.astype(float)).mean() < 4
    denoiser = getattr(model.pipeline, "transformer", None) or model.pipeline.unet
    assert torch.float8_e4m3fn in {weight.dtype for weight in denoiser.parameters()}


@pytest.mark.slow
def test_a_picture_between_leaves_layers_where_they_are(draw: Callable[..., tuple[np.ndarray, str, Any]]) -> None:
    first, _, model = draw("ltx", Way.LAYERS)
    picture = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    of_picture = list(model.stream(VideoRequest("the sea", frames=4, steps=2, seed=5, image=picture)))[-1].frames
    again = list(model.stream(VideoRequest("the sea", frames=4, steps=2, seed=5)))[-1].frames
    assert np.array_equal(again, first) and not np.array_equal(of_picture, first)
