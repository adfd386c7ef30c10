"""The network as a graph of onnxruntime: its logits, its prompts, and a cache that is written in place."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.music.kv_cache import CachedTransformer
from models.music.onnx_step import PROMPT_TOKENS, OnnxTransformer, count_padded, make_step_network
from models.music.sampling import MusicSampler, SamplingSettings
from models.music.transformer import MusicTransformer, MusicTransformerConfig
from models.music.vocabulary import VOCABULARY_SIZE


def make(position: str = "rotary", **changes: object) -> MusicTransformer:
    torch.manual_seed(3)
    network = MusicTransformer(MusicTransformerConfig.debug(position=position, **changes)).eval()
    with torch.no_grad():
        network.embedding.weight.mul_(20)  # so that tokens differ as in a trained network
    return network


def random_tokens(batch: int, length: int, seed: int = 1) -> torch.Tensor:
    return torch.randint(0, VOCABULARY_SIZE, (batch, length), generator=torch.Generator().manual_seed(seed))


def assert_near(logits: torch.Tensor, exact: torch.Tensor) -> None:
    assert logits.shape == exact.shape
    assert not torch.equal(logits, exact)
    assert float((logits - exact).std()) < 0.06 * float(exact.std())


@pytest.fixture(scope="module")
def network() -> MusicTransformer:
    return make()


@pytest.fixture(scope="module")
def fast(network: MusicTransformer) -> OnnxTransformer:
    return OnnxTransformer(network)


@torch.inference_mode()
@pytest.mark.parametrize("blocks", [[24], [1] * 24, [7, 1, 4, 12]])
def test_logits_are_near_the_exact_ones(network: MusicTransformer, fast: OnnxTransformer, blocks: list[int]) -> None:
    tokens = random_tokens(3, 24)
    exact, cache, at = network(tokens), fast.new_cache(3, 24), 0
    for block in blocks:
        logits = fast.append(tokens[:, at : at + block], cache)
        at += block
        assert_near(logits, exact[:, at - 1])
    assert cache.used == 24
    with pytest.raises(ValueError, match="holds 24 of 24 tokens; 1 more"):
        fast.append(random_tokens(3, 1), cache)


@torch.inference_mode()
def test_sequences_of_unequal_length_go_on_as_if_alone(network: MusicTransformer, fast: OnnxTransformer) -> None:
    lengths, more = (9, 4, 1), random_tokens(3, 6, seed=5)
    tokens = random_tokens(3, 9)
    padding = torch.tensor([[i < 9 - length for i in range(9)] for length in lengths])
    cache = fast.new_cache(3, 15)
    logits = [fast.append(tokens, cache, padding).clone()]
    logits += [fast.append(more[:, i : i + 1], cache).clone() for i in range(6)]
    for row, length in enumerate(lengths):
        whole = torch.cat([tokens[row, 9 - length :], more[row]])[None]
        assert_near(torch.stack(logits)[:, row], network(whole)[0, length - 1 :])
    with pytest.raises(ValueError, match="before the first tokens only"):
        cache.capacity += 1
        fast.append(random_tokens(3, 1), cache, torch.tensor([[True], [False], [False]]))


@torch.inference_mode()
def test_a_prompt_longer_than_a_block_is_taken_in_whole(network: MusicTransformer, fast: OnnxTransformer) -> None:
    tokens = random_tokens(1, PROMPT_TOKENS + 5)
    cache = fast.new_cache(1, PROMPT_TOKENS + 5)
    assert_near(fast.append(tokens, cache), network(tokens)[:, -1])


def test_a_step_writes_into_the_cache_and_leaves_the_past(fast: OnnxTransformer) -> None:
    cache = fast.new_cache(2, 4)
    fast.append(random_tokens(2, 3), cache)
    before = cache.keys_values[..., :3, :].copy()
    fast.append(random_tokens(2, 1), cache)
    assert np.array_equal(cache.keys_values[..., :3, :], before)
    assert cache.keys_values[..., 3, :].any()
    assert cache.keys_values.shape[-1] == count_padded(fast.config) == 16
    cache.clear()
    assert cache.keys_values.size == 0


def test_the_sampler_takes_the_graph_for_rotary_positions_and_torch_for_others() -> None:
    rotary = make_step_network(make())
    assert isinstance(rotary, OnnxTransformer)
    sampler, settings = MusicSampler(rotary), SamplingSettings(max_tokens=128, seed=4)
    written = sampler.sample([(), ()], settings)
    assert written == sampler.sample([(), ()], settings)
    assert len(written[0]) > 20
    assert isinstance(make_step_network(make("relative")), CachedTransformer)
    with pytest.raises(ValueError, match="'relative'; the graph is of rotary ones"):
        OnnxTransformer(make("relative"))
