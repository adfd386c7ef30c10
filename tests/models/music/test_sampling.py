"""Sampling: equal seeds give equal tokens, what is asked leads, stopping frees the cache."""

from __future__ import annotations

import gc
import itertools
import weakref
from typing import Any

import numpy as np
import pytest
import torch

from models.music.constraints import Constraints
from models.music.controls import measure_controls
from models.music.grammar import Grammar, make_mask
from models.music.kv_cache import CachedTransformer, KeyValueCache
from models.music.sampling import MusicSampler, SamplingSettings, filter_top, penalise_repetition, softmax
from models.music.score import Bar, InstrumentTrack, Note, Piece
from models.music.tokenizer import decode_piece, encode_header, encode_piece
from models.music.transformer import MusicTransformer, MusicTransformerConfig
from models.music.vocabulary import (
    BOS,
    DENSITY,
    DURATIONS,
    EOS,
    KEY,
    PAD,
    PITCH,
    VOCABULARY_SIZE,
    split_token,
)


def make_sampler(seed: int = 0, **changes: object) -> MusicSampler:
    torch.manual_seed(seed)
    return MusicSampler(CachedTransformer(MusicTransformer(MusicTransformerConfig.debug(**changes)).eval()))


def test_top_k_and_top_p_keep_the_likeliest() -> None:
    p = np.array([0.1, 0.4, 0.2, 0.3])
    assert np.flatnonzero(filter_top(p, 2, 1.0)).tolist() == [1, 3]
    assert np.flatnonzero(filter_top(p, 0, 0.69)).tolist() == [1, 3]
    assert np.flatnonzero(filter_top(p, 0, 0.71)).tolist() == [1, 2, 3]
    assert np.flatnonzero(filter_top(p, 3, 0.5)).tolist() == [1, 3]
    assert np.flatnonzero(filter_top(p, 0, 0.0)).tolist() == [1]
    assert filter_top(p, 0, 1.0) is p
    assert softmax(np.array([1e4, 0.0]))[0] == 1.0


@pytest.mark.slow
def test_equal_seeds_give_equal_tokens_and_others_do_not() -> None:
    sampler = make_sampler()
    asked = [SamplingSettings(max_tokens=150, seed=seed) for seed in (3, 3, 4)]
    first, again, other = (sampler.sample(settings=settings)[0] for settings in asked)
    assert first == again
    assert first != other


@pytest.mark.slow
def test_a_batch_writes_different_pieces_all_of_them_music() -> None:
    sampler = make_sampler()
    ideas = sampler.sample([()] * 4, SamplingSettings(max_tokens=300, seed=1), Constraints(bars=2))
    assert len({tuple(idea) for idea in ideas}) == 4
    for idea in ideas:
        assert idea[0] == BOS.to_token()
        assert decode_piece(idea).note_count > 0
        assert EOS.to_token() not in idea[:-1]
    alone = sampler.sample([()], SamplingSettings(max_tokens=300, seed=1), Constraints(bars=2))[0]
    assert alone[:8] == ideas[0][:8]


@pytest.mark.slow
def test_prompts_of_unequal_length_each_go_on_as_if_alone() -> None:
    sampler = make_sampler()
    piece = Piece((Bar(),), (InstrumentTrack.from_notes(0, False, [Note(0, 60, 24, 20)]),))
    prompts = [encode_piece(piece)[:-1], encode_header(piece)]
    settings = SamplingSettings(max_tokens=128, temperature=0)
    together = sampler.sample(prompts, settings)
    assert together == [sampler.sample([prompt], settings)[0] for prompt in prompts]


def test_greedy_takes_the_likeliest_and_tells_its_probability() -> None:
    sampler = make_sampler()
    settings = SamplingSettings(max_tokens=128, temperature=0, guidance=1.0)
    steps = list(sampler.stream(settings=settings))
    assert [step.tokens[0] for step in steps] == sampler.sample(settings=settings)[0][1:]
    grammar, mask, cache = Grammar(), make_mask(), sampler.model.new_cache(1, 60)
    token, open_choices = BOS.to_token(), 0
    for step in steps[:60]:
        grammar.advance(token)
        grammar.allow(mask)
        logits = sampler.model.append(torch.tensor([[token]]), cache)[0]
        probabilities = logits.masked_fill(~torch.from_numpy(mask), float("-inf")).softmax(-1)
        token = int(probabilities.argmax())
        assert step.tokens == (token,)
        assert step.probabilities[0] == pytest.approx(float(probabilities[token]), rel=1e-4)
        open_choices += step.probabilities[0] < 1
    assert open_choices > 30


@pytest.mark.slow
def test_top_k_of_one_is_greedy() -> None:
    sampler = make_sampler()
    greedy = sampler.sample(settings=SamplingSettings(max_tokens=128, temperature=0))
    assert sampler.sample(settings=SamplingSettings(max_tokens=128, top_k=1, seed=9)) == greedy
    assert sampler.sample(settings=SamplingSettings(max_tokens=128, top_p=0.0, seed=9)) == greedy


@pytest.mark.slow
def test_the_repetition_penalty_spreads_the_pitches() -> None:
    sampler = make_sampler()
    constraints = Constraints(programs=(0,), drums=False, max_duration=1)

    def pitches(penalty: float) -> list[int]:
        settings = SamplingSettings(max_tokens=600, temperature=0.02, guidance=1.0, repetition_penalty=penalty, seed=2)
        tokens = sampler.sample(settings=settings, constraints=constraints)[0]
        return [token for token in tokens if split_token(token)[0] is PITCH]

    plain, spread = pitches(0.0), pitches(1.0)
    assert min(len(plain), len(spread)) > 20
    assert len(set(spread)) / len(spread) > 1.5 * len(set(plain)) / len(plain)


def test_the_repetition_penalty_leaves_the_chance_of_any_pitch() -> None:
    logits, is_pitch = np.array([1.0, 2.0, 0.5, 0.1]), np.array([False, True, True, True])
    changed = penalise_repetition(logits, is_pitch, np.array([0.0, 3.0, 0.0, 1.0]))
    before, after = softmax(logits), softmax(changed)
    assert after[is_pitch].sum() == pytest.approx(before[is_pitch].sum())
    assert after[0] == pytest.approx(before[0])
    assert after[2] > before[2] > after[1]


def test_an_ended_piece_stays_ended_while_others_go_on() -> None:
    sampler = make_sampler()
    piece = Piece((Bar(),), (InstrumentTrack.from_notes(0, False, [Note(0, 60, 24, 20)]),))
    ended, open_piece = encode_piece(piece), encode_piece(piece)[:-1]
    steps = list(sampler.stream([ended, open_piece], SamplingSettings(max_tokens=128), Constraints(bars=40)))
    assert {step.tokens[0] for step in steps} == {None}
    assert {step.probabilities[0] for step in steps} == {0.0}
    assert len(steps) == 128
    assert list(sampler.stream([ended], SamplingSettings())) == []


@pytest.mark.slow
def test_closing_the_stream_frees_the_cache() -> None:
    sampler = make_sampler()
    made: list[weakref.ref[KeyValueCache]] = []
    new_cache = sampler.model.new_cache

    def remember(batch: int, capacity: int) -> KeyValueCache:
        cache = new_cache(batch, capacity)
        made.append(weakref.ref(cache))
        return cache

    sampler.model.new_cache = remember  # type: ignore[method-assign]
    stream = sampler.stream()
    taken = list(itertools.islice(stream, 5))
    assert len(taken) == 5
    assert made[0]() is not None
    stream.close()  # type: ignore[attr-defined]
    gc.collect()
    assert made[0]() is None
    assert list(stream) == []


@pytest.mark.parametrize(
    ("prompts", "message"),
    [([], "prompts has 0"), ([()] * 17, "prompts has 17"), ([(VOCABULARY_SIZE,)], "outside"), ([(-1,)], "outside"),
     ([(0,) * 20_000], "20,000 tokens"), ([(0,) * 6000] * 10, "Ask for fewer pieces")],
)  # fmt: skip
def test_impossible_prompts_are_refused_at_once(prompts: list[tuple[int, ...]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_sampler().stream(prompts)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temperature": -1}, "temperature is -1"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"top_k": 2.5}, "top_k is 2.5"),
        ({"top_p": 1.5}, "top_p is 1.5"),
        ({"max_tokens": 5}, "max_tokens is 5"),
        ({"seed": -1}, "seed is -1"),
        ({"repetition_window": 0}, "repetition_window is 0"),
    ],
)
def test_impossible_settings_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SamplingSettings(**changes)


def test_the_controls_in_front_are_those_asked() -> None:
    asked = {"Style": 2, "Key": 7, "Tempo": 30, "Meter": 11, "Density": 6, "Register": 5}
    tokens = make_sampler().sample(settings=SamplingSettings(max_tokens=128), constraints=Constraints(controls=asked))[
        0
    ]
    assert {split_token(t)[0].name: split_token(t)[1] for t in tokens[1:7]} == asked
    assert measure_controls(decode_piece(tokens)).tempo in range(64)
    assert max(DURATIONS) == 384


def test_guidance_leads_away_from_what_is_said_without_the_controls() -> None:
    model = CachedTransformer(MusicTransformer(MusicTransformerConfig.debug(position="rotary")).eval())
    tokens = torch.tensor(
        [[1, KEY.to_token(3), DENSITY.to_token(5), 200], [1, KEY.to_token(7), DENSITY.to_token(2), 300]]
    )
    hidden = tokens.clone()
    hidden[:, 1:3] = PAD.to_token()
    asked, free = (model.append(x, model.new_cache(2, 8)) for x in (tokens, hidden))
    guided = MusicSampler(model)._predict(tokens.tolist(), model.new_cache(4, 8), [], 2.5)
    np.testing.assert_allclose(guided, (free + 2.5 * (asked - free)).numpy(), atol=1e-4)
    np.testing.assert_allclose(
        MusicSampler(model)._predict(tokens.tolist(), model.new_cache(2, 8), [], 1.0), asked.numpy(), atol=1e-4
    )
