"""The Music Transformer: causality, relative attention against its definition, rotary shifts, padding, the cache."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from models.music.kv_cache import BLOCK_TOKENS, CachedTransformer, is_int8_available
from models.music.musical_context import (
    FEATURES,
    FIRST_ROWS,
    ContextTracer,
    MusicalContext,
    PlannedBar,
    trace_context,
)
from models.music.relative import RelativeLogits, compute_distance_logits, skew
from models.music.transformer import (
    POSITION_KINDS,
    MusicTransformer,
    MusicTransformerConfig,
    compute_rotary_angles,
    make_attention_mask,
    rotate,
)
from models.music.vocabulary import BAR, POSITION, VOCABULARY_SIZE

needs_int8 = pytest.mark.skipif(not is_int8_available(), reason="this build of torch has no int8 products")


def make(position: str = "relative", seed: int = 0, **changes: object) -> MusicTransformer:
    """Return a debug model with weights large enough that attention is far from even."""
    torch.manual_seed(seed)
    model = MusicTransformer(MusicTransformerConfig.debug(position=position, **changes)).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("weight") and parameter.dim() == 2:
                parameter.mul_(8)
            elif name.endswith("bias"):
                parameter.normal_(std=0.2)
    return model


def random_tokens(batch: int, length: int, seed: int = 1) -> Tensor:
    return torch.randint(0, VOCABULARY_SIZE, (batch, length), generator=torch.Generator().manual_seed(seed))


# ---- relative attention


def naive_relative_logits(queries: Tensor, table: Tensor, keys: int) -> Tensor:
    """Follow the definition, in O(L^2 D): one embedding for every pair. queries (B, H, Q, D), table (H, D, M)."""
    new, distances = queries.shape[2], table.shape[-1]
    pairs = torch.zeros(table.shape[0], new, keys, table.shape[1])  # (H, Q, T, D)
    for i in range(new):
        for j in range(keys - new + i + 1):
            distance = min(keys - new + i - j, distances - 1)
            pairs[:, i, j] = table[:, :, distances - 1 - distance]
    return torch.einsum("bhqd,hqtd->bhqt", queries, pairs)


@pytest.mark.parametrize(("new", "keys"), [(1, 1), (7, 7), (1, 9), (4, 11), (12, 12), (20, 20), (5, 31)])
def test_skewed_relative_logits_equal_the_definition(new: int, keys: int) -> None:
    torch.manual_seed(0)
    relative = RelativeLogits(heads=3, head_dim=8, max_distance=12)
    queries = torch.randn(2, 3, new, 8)
    causal = make_attention_mask(new, keys, None, queries.device)
    naive = naive_relative_logits(queries, relative.table, keys)
    assert torch.allclose(relative(queries, keys)[..., causal], naive[..., causal], atol=1e-5)
    assert naive[..., causal].abs().min() > 0


def test_skewed_and_naive_gradients_are_equal() -> None:
    torch.manual_seed(0)
    relative = RelativeLogits(heads=2, head_dim=4, max_distance=5)
    queries, weights = torch.randn(1, 2, 9, 4), torch.randn(1, 2, 9, 9).tril()
    fast = torch.autograd.grad((relative(queries, 9) * weights).sum(), relative.table)[0]
    naive = torch.autograd.grad((naive_relative_logits(queries, relative.table, 9) * weights).sum(), relative.table)[0]
    assert torch.allclose(fast, naive, atol=1e-5)
    assert fast.abs().min() > 0


def test_skew_moves_each_row_by_its_place() -> None:
    by_distance = torch.arange(12.0).view(3, 4)  # three queries, four keys
    skewed = skew(by_distance)
    assert skewed[2].tolist() == [8, 9, 10, 11]
    assert skewed[1, :3].tolist() == [5, 6, 7]
    assert skewed[0, :2].tolist() == [2, 3]


def test_far_distances_share_an_embedding() -> None:
    logits = compute_distance_logits(torch.randn(2, 1, 4), torch.randn(2, 4, 3), 6)
    assert (logits[..., :4] == logits[..., :1]).all()
    assert len(logits[0, 0, 3:].unique()) == 3


def test_the_whole_attention_equals_softmax_over_equation_3() -> None:
    model = make("relative")
    attention: Any = model.layers[0].attention
    x = torch.randn(2, 15, 32)
    q, k, v = attention.qkv(x).view(2, 15, 3, 4, 8).permute(2, 0, 3, 1, 4)
    logits = (q @ k.transpose(-2, -1) + naive_relative_logits(q, attention.relative.table, 15)) / 8**0.5
    weights = logits.masked_fill(~torch.ones(15, 15, dtype=torch.bool).tril(), float("-inf")).softmax(-1)
    expected = attention.out((weights @ v).transpose(1, 2).reshape(2, 15, 32))
    assert torch.allclose(attention(x, make_attention_mask(15, 15, None, x.device)), expected, atol=1e-5)


# ---- rotary embeddings


def test_rotary_products_depend_on_distance_alone() -> None:
    torch.manual_seed(0)
    q, k = torch.randn(16), torch.randn(16)

    def product(query_place: int, key_place: int) -> Tensor:
        angles = compute_rotary_angles(torch.tensor([query_place, key_place]), 16, 10_000.0)
        return rotate(q, angles[0].cos(), angles[0].sin()) @ rotate(k, angles[1].cos(), angles[1].sin())

    for shift in (1, 50, 3000):
        assert torch.allclose(product(9, 4), product(9 + shift, 4 + shift), atol=1e-3)
    assert (product(9, 4) - product(9, 5)).abs() > 1e-3
    assert torch.allclose(product(7, 7), q @ k, atol=1e-5)


@pytest.mark.parametrize("position", ["relative", "rotary"])
def test_shifted_sequences_give_equal_logits(position: str) -> None:
    """Left padding moves every place, and changes nothing where only distances count."""
    model, tokens = make(position), random_tokens(1, 10)
    padding = torch.tensor([[True] * 17 + [False] * 10])
    shifted = model(torch.cat([torch.zeros(1, 17, dtype=torch.long), tokens], dim=1), padding)[:, 17:]
    assert torch.allclose(shifted, model(tokens), atol=1e-4)


@pytest.mark.parametrize("position", POSITION_KINDS)
def test_order_matters(position: str) -> None:
    model, tokens = make(position), random_tokens(1, 10)
    swapped = tokens[:, [1, 0, *range(2, 10)]]
    assert (model(tokens)[0, -1] - model(swapped)[0, -1]).abs().max() > 1e-3


# ---- the network


@pytest.mark.parametrize("position", POSITION_KINDS)
def test_no_token_sees_what_follows(position: str) -> None:
    model, tokens = make(position), random_tokens(1, 16)
    seen: list[Tensor] = []

    def keep(module: object, arguments: object, output: Tensor) -> Tensor:
        seen.append(output.detach().requires_grad_())
        return seen[0]

    handle = model.embedding.register_forward_hook(keep)
    logits = model(tokens)
    handle.remove()
    for place in (0, 7, 15):
        gradient = torch.autograd.grad(logits[0, place].square().sum(), seen[0], retain_graph=True)[0][0]
        assert (gradient[: place + 1].abs().amax(dim=-1) > 0).all()
        assert (gradient[place + 1 :] == 0).all()


@pytest.mark.parametrize("position", POSITION_KINDS)
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_padded_batch_equals_its_items(position: str, side: str) -> None:
    model, lengths = make(position), (12, 5, 1)
    items = [random_tokens(1, length, seed) for seed, length in enumerate(lengths)]
    tokens, padding = torch.full((3, 12), 3), torch.ones(3, 12, dtype=torch.bool)
    for i, (item, length) in enumerate(zip(items, lengths, strict=True)):
        places = slice(12 - length, 12) if side == "left" else slice(0, length)
        tokens[i, places], padding[i, places] = item[0], False
    logits = model(tokens, padding)
    assert logits.isfinite().all()
    for i, item in enumerate(items):
        assert torch.allclose(logits[i][~padding[i]], model(item)[0], atol=1e-4)


def test_the_embedding_is_shared_and_dropout_is_only_for_training() -> None:
    model = make(dropout=0.5)
    names = [name for name, parameter in model.named_parameters() if parameter.shape[0] == VOCABULARY_SIZE]
    assert names == ["embedding.weight"]
    tokens = random_tokens(1, 8)
    assert torch.equal(model(tokens), model(tokens))
    model.train()
    assert not torch.equal(model(tokens), model(tokens))


@pytest.mark.slow
def test_a_small_network_learns_a_pattern() -> None:
    torch.manual_seed(0)
    model = MusicTransformer(MusicTransformerConfig.debug(n_tokens=9))
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(60):
        tokens = (torch.randint(0, 9, (8, 1)) + torch.arange(20)) % 9
        loss = torch.nn.functional.cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.1


# ---- the cache


@pytest.mark.parametrize("position", POSITION_KINDS)
@pytest.mark.parametrize("blocks", [[20], [1] * 20, [6, 1, 1, 5, 7]])
def test_cached_logits_equal_uncached_ones(position: str, blocks: list[int]) -> None:
    model, tokens = make(position), random_tokens(3, 20)
    expected = model(tokens)
    fast = CachedTransformer(model)
    cache, at = fast.new_cache(3, 20), 0
    for block in blocks:
        logits = fast.append(tokens[:, at : at + block], cache)
        at += block
        assert torch.allclose(logits, expected[:, at - 1], atol=1e-4)
    assert cache.used == 20


@pytest.mark.parametrize("position", POSITION_KINDS)
def test_cached_logits_equal_uncached_ones_for_one_sequence(position: str) -> None:
    model, tokens = make(position, max_distance=5), random_tokens(1, 16)
    fast = CachedTransformer(model)
    cache = fast.new_cache(1, 64)
    for at in range(16):
        assert torch.allclose(fast.append(tokens[:, at : at + 1], cache), model(tokens)[:, at], atol=1e-4)


@pytest.mark.parametrize("position", POSITION_KINDS)
def test_cached_logits_with_left_padding_equal_uncached_ones(position: str) -> None:
    model, lengths = make(position), (9, 4, 1)
    tokens, more = random_tokens(3, 9), random_tokens(3, 6, seed=5)
    padding = torch.tensor([[i < 9 - length for i in range(9)] for length in lengths])
    fast = CachedTransformer(model)
    cache = fast.new_cache(3, 15)
    logits = [fast.append(tokens, cache, padding)]
    logits += [fast.append(more[:, i : i + 1], cache) for i in range(6)]
    for row, length in enumerate(lengths):
        whole = torch.cat([tokens[row, 9 - length :], more[row]])[None]
        expected = model(whole)[0, length - 1 :]
        assert torch.allclose(torch.stack(logits)[:, row], expected, atol=1e-4)


def test_a_long_prompt_is_taken_in_by_blocks() -> None:
    model, tokens = make("relative"), random_tokens(1, BLOCK_TOKENS + 30)
    fast = CachedTransformer(model)
    logits = fast.append(tokens, fast.new_cache(1, BLOCK_TOKENS + 30))
    assert torch.allclose(logits, model(tokens)[:, -1], atol=1e-4)


def test_a_full_cache_is_told_and_a_step_reads_no_past_token_again() -> None:
    model = make()
    fast = CachedTransformer(model)
    cache = fast.new_cache(1, 4)
    fast.append(random_tokens(1, 3), cache)
    before = cache.keys_values[..., :3, :].clone()
    fast.append(random_tokens(1, 1), cache)
    assert torch.equal(cache.keys_values[..., :3, :], before)
    with pytest.raises(ValueError, match="holds 4 of 4 tokens; 1 more"):
        fast.append(random_tokens(1, 1), cache)
    cache.clear()
    assert cache.keys_values.numel() == 0


@needs_int8
@pytest.mark.parametrize("position", POSITION_KINDS)
def test_int8_logits_are_near_the_exact_ones(position: str) -> None:
    model, tokens = make(position), random_tokens(2, 24)
    fast = CachedTransformer(model, "int8")
    cache = fast.new_cache(2, 24)
    logits = torch.stack([fast.append(tokens[:, i : i + 1], cache) for i in range(24)], dim=1)
    exact = model(tokens)
    assert not torch.equal(logits, exact)
    assert (logits - exact).std() < 0.06 * exact.std()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [("position", "sideways", "one of relative, rotary, absolute"), ("width", 36, "even multiple of the 4 heads")],
)
def test_impossible_configurations_are_refused(field: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MusicTransformerConfig.debug(**{field: value})


def test_an_unknown_precision_is_refused_and_a_configuration_survives_its_dictionary() -> None:
    with pytest.raises(ValueError, match="one of float32, int8"):
        CachedTransformer(make(), "int3")
    config = MusicTransformerConfig.debug(position="rotary")
    assert MusicTransformerConfig.from_dict(config.to_dict()) == config
    with pytest.raises(TypeError):
        MusicTransformerConfig.from_dict({"no_such_field": 1})


# ---- the context of musical positions


def draw_context(batch: int, length: int, seed: int = 2) -> MusicalContext:
    random = torch.Generator().manual_seed(seed)
    counts = torch.tensor([count + 1 for _, count in FEATURES])
    features = (torch.rand(batch, length, len(counts), generator=random) * counts).long() + torch.tensor(FIRST_ROWS)
    times = torch.rand(batch, length, generator=random).cumsum(dim=1) * 4
    return MusicalContext(features, times, times - 16 * (torch.rand(batch, length, generator=random) < 0.5))


@pytest.mark.parametrize("new", [1, 7])
def test_the_cache_computes_what_the_network_does_with_a_context(new: int) -> None:
    model, tokens, context = make("musical"), random_tokens(2, 21), draw_context(2, 21)
    cached = CachedTransformer(model)
    cache = cached.new_cache(2, 32)
    whole = model(tokens, context=context)
    for first in range(0, 21, new):
        part = slice(first, first + new)
        logits = cached.append(tokens[:, part], cache, context=context.cut(part))
        torch.testing.assert_close(logits, whole[:, first + new - 1], atol=1e-3, rtol=1e-3)


def test_features_times_and_references_all_count() -> None:
    model, tokens, context = make("musical"), random_tokens(1, 12), draw_context(1, 12)
    logits = model(tokens, context=context)
    for changed in (
        replace(context, features=draw_context(1, 12, 3).features),
        replace(context, times=context.times * 1.5),
        replace(context, reference_times=context.times),
    ):
        assert (model(tokens, context=changed) - logits).abs().max() > 1e-3
    later = replace(context, times=context.times + 64, reference_times=context.reference_times + 64)
    torch.testing.assert_close(model(tokens, context=later), logits, atol=1e-3, rtol=1e-3)


def test_a_hidden_key_is_like_one_that_was_never_said() -> None:
    told, open_ = ([PlannedBar(key=key, likeness=1)] for key in (3, None))
    tokens = [[BAR.first, POSITION.first + 5]]
    hidden = trace_context([ContextTracer(told)], tokens).hide_key()
    assert torch.equal(hidden.features, trace_context([ContextTracer(open_)], tokens).features)


def test_heads_that_are_no_multiple_of_four_are_refused() -> None:
    with pytest.raises(ValueError, match="heads is 2; musical positions need a multiple of 4"):
        MusicTransformerConfig.debug(position="musical", heads=2)
