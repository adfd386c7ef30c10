"""Sampling of music under the grammar: several pieces at once, one token of each at every step.

Temperature; top-k (Fan et al. 2018, section 5.4); top-p (Holtzman et al. 2020, section 3.1); a penalty on pitches heard
lately. Each piece of a batch has its own random generator, made of the seed and its number. Equal requests give equal
tokens on the same machine.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from models.contracts import check_number, check_seed
from models.music.constraints import Constraints
from models.music.grammar import Allowed, Grammar, make_mask
from models.music.musical_context import ContextTracer, MusicalContext, PlannedBar, trace_context
from models.music.vocabulary import BOS, DENSITY, EOS, KEY, PAD, PITCH, VOCABULARY_SIZE

MIN_TOKENS = 128  # enough for the longest front, the most empty bars and a note: no piece is without music
MAX_TOKENS = 16_384
MAX_BATCH = 16
MAX_BATCH_TOKENS = 65_536  # all pieces together, prompts counted: bounds the cache


def _check_whole(name: str, value: object, low: int, high: int) -> None:
    """Raise ValueError unless `value` is a whole number in [low, high]."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} is {value!r}; it must be a whole number from {low:,} to {high:,}.")


@dataclass(frozen=True)
class SamplingSettings:
    """How to choose among what the model thinks likely.

    Args:
        temperature: under 1 bolder for the likely, over 1 for the unlikely; 0 always takes the likeliest.
        top_k: only the k likeliest tokens; 0 is all.
        top_p: only the likeliest tokens that together have this probability; 1 is all.
        repetition_penalty: taken from a pitch's logit for each time it was struck lately, in favour of other pitches;
            the chance that there is a note at all stays. 0 is none.
        repetition_window: how many of the last struck pitches are "lately".
        guidance: how much more the key and density asked for count than the model would let them: classifier-free
            guidance (Ho and Salimans 2022) against the same piece without these controls. 1 is none, and the fastest.
        max_tokens: how many tokens to write at most, beyond the prompt.
        seed: fixes every random choice.

    Raises:
        ValueError: names the field, the value and what is allowed.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    repetition_penalty: float = 0.0
    repetition_window: int = 32
    guidance: float = 2.0
    max_tokens: int = 2048
    seed: int = 0

    def __post_init__(self) -> None:
        check_number("temperature", self.temperature, 0.0, 10.0)
        _check_whole("top_k", self.top_k, 0, VOCABULARY_SIZE)
        check_number("top_p", self.top_p, 0.0, 1.0)
        check_number("repetition_penalty", self.repetition_penalty, 0.0, 10.0)
        _check_whole("repetition_window", self.repetition_window, 1, 1024)
        check_number("guidance", self.guidance, 1.0, 5.0)
        _check_whole("max_tokens", self.max_tokens, MIN_TOKENS, MAX_TOKENS)
        check_seed(self.seed)


@dataclass(frozen=True)
class SamplingStep:
    """One step of a batch.

    Attributes:
        tokens: for each piece the token chosen, None after its end.
        probabilities: what the model gave that token among those that the grammar allowed, after guidance, before
            temperature and the rest; 0 after the end.
    """

    tokens: tuple[int | None, ...]
    probabilities: tuple[float, ...]


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn logits (n,) into probabilities (n,)."""
    exponentials = np.exp(logits - logits.max())
    return exponentials / exponentials.sum()


def filter_top(probabilities: NDArray[np.float64], top_k: int, top_p: float) -> NDArray[np.float64]:
    """Keep the top_k likeliest (0: all), and of these the fewest that reach top_p of their sum; the rest becomes 0."""
    if top_k <= 0 and top_p >= 1.0:
        return probabilities
    order = np.argsort(-probabilities, kind="stable")[: top_k or None]
    cumulative = np.cumsum(probabilities[order])
    kept = order[: int(np.searchsorted(cumulative, top_p * cumulative[-1])) + 1]
    result = np.zeros_like(probabilities)
    result[kept] = probabilities[kept]
    return result


def penalise_repetition(
    logits: NDArray[np.float64], is_pitch: NDArray[np.bool_], penalties: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Take the penalties from the pitches' logits and lift all pitches so that their joint probability stays.

    All (n,); the others' logits are returned as they are.
    """
    if not is_pitch.any():
        return logits
    lowered = logits[is_pitch] - penalties[is_pitch]
    lift = np.logaddexp.reduce(logits[is_pitch]) - np.logaddexp.reduce(lowered)
    changed = logits.copy()
    changed[is_pitch] = lowered + lift
    return changed


def _draw(weights: NDArray[np.float64], random: np.random.Generator) -> int:
    """Draw an index, as often as its weight says; never one of weight zero."""
    cumulative = np.cumsum(weights)
    point = min(random.random() * cumulative[-1], np.nextafter(cumulative[-1], 0.0))
    return int(np.searchsorted(cumulative, point, side="right"))


class _PieceSampler:
    """The sampler of one piece of a batch: its grammar, its random generator, the pitches struck lately."""

    def __init__(self, prompt: Sequence[int], settings: SamplingSettings, grammar: Grammar, index: int) -> None:
        self.settings = settings
        self.random = np.random.default_rng([settings.seed, index])
        self.grammar = grammar
        self.recent: deque[int] = deque()
        self.struck = np.zeros(VOCABULARY_SIZE)
        self.mask: Allowed = make_mask()
        self.allowed: NDArray[np.int64] | None = None
        for token in prompt:
            self._take(token)
        self.grammar.start_sampling()

    def _take(self, token: int) -> None:
        """Advance the grammar and remember a pitch."""
        self.grammar.advance(token)
        self.allowed = None
        if PITCH.first <= token < PITCH.stop:
            self.recent.append(token)
            self.struck[token] += 1
            if len(self.recent) > self.settings.repetition_window:
                self.struck[self.recent.popleft()] -= 1

    def _list_allowed(self) -> NDArray[np.int64]:
        """List the tokens that may come next; kept until one is taken."""
        if self.allowed is None:
            self.grammar.allow(self.mask)
            self.allowed = np.flatnonzero(self.mask)
        return self.allowed

    def take_forced(self) -> int | None:
        """Take the one token that may come next; None where there are several, or the piece has ended."""
        if self.grammar.ended:
            return None
        tokens = self._list_allowed()
        if len(tokens) != 1:
            return None
        self._take(int(tokens[0]))
        return int(tokens[0])

    def choose(self, logits: NDArray[np.float32]) -> tuple[int, float]:
        """Choose the next token given the model's logits (V,), and its probability among the allowed ones."""
        forced = self.take_forced()
        if forced is not None:
            return forced, 1.0
        tokens = self._list_allowed()
        allowed = logits[tokens].astype(np.float64)
        favoured = self.grammar.weigh(tokens)
        wanted = allowed if favoured is None else allowed + favoured
        if self.settings.repetition_penalty and self.recent:
            is_pitch = (tokens >= PITCH.first) & (tokens < PITCH.stop)
            wanted = penalise_repetition(wanted, is_pitch, self.settings.repetition_penalty * self.struck[tokens])
        if self.settings.temperature == 0:
            at = int(wanted.argmax())
        else:
            weights = softmax(wanted / self.settings.temperature)
            at = _draw(filter_top(weights, self.settings.top_k, self.settings.top_p), self.random)
        token = int(tokens[at])
        self._take(token)
        return token, float(softmax(allowed)[at])


def _pad_left(prompts: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Pad prompts on the left: int64 (B, L), and bool (B, L), True at padding, or None where there is none."""
    length = max(len(prompt) for prompt in prompts)
    tokens = torch.tensor([[PAD.to_token()] * (length - len(prompt)) + list(prompt) for prompt in prompts])
    if all(len(prompt) == length for prompt in prompts):
        return tokens, None
    return tokens, torch.tensor([[i < length - len(prompt) for i in range(length)] for prompt in prompts])


class Past(Protocol):
    """What a network remembers of a batch of sequences."""

    def clear(self) -> None:
        """Free the memory."""


class StepNetwork(Protocol):
    """A network that takes tokens in and says what may follow: `CachedTransformer` or `OnnxTransformer`."""

    @property
    def features(self) -> torch.Tensor | None:
        """Return the embeddings of a musical context; None where the network takes none in."""

    def new_cache(self, batch: int, capacity: int) -> Any:
        """Make an empty past."""

    def append(
        self,
        tokens: torch.Tensor,
        cache: Any,
        padding: torch.Tensor | None = None,
        context: MusicalContext | None = None,
    ) -> torch.Tensor:
        """Take tokens (B, N) in; return the logits (B, V) of the next."""


class MusicSampler:
    """A sampler of tokens with a trained network, under the grammar."""

    def __init__(self, model: StepNetwork) -> None:
        self.model = model

    def stream(
        self,
        prompts: Sequence[Sequence[int]] = ((),),
        settings: SamplingSettings | None = None,
        constraints: Constraints | None = None,
        grammar: Callable[[Constraints], Grammar] = Grammar,
        plans: Sequence[Sequence[PlannedBar]] | None = None,
    ) -> Generator[SamplingStep, None, None]:
        """Write on from each prompt, one step at a time, until all have ended or `max_tokens` are written.

        Closing the iterator stops the work and frees the cache.

        Args:
            prompts: one for each piece, as the tokenizer writes them; an empty one begins a piece.
            grammar: makes each piece's grammar of the constraints.
            plans: for each piece what is planned for its bars, in the order in which the sequence has them; without
                any nothing is planned. Networks without a musical context take none of it in.

        Raises:
            ValueError: no prompt or too many, a prompt with a token outside the vocabulary, too long a prompt.
        """
        settings, constraints = settings or SamplingSettings(), constraints or Constraints()
        if not 1 <= len(prompts) <= MAX_BATCH:
            raise ValueError(f"prompts has {len(prompts)} pieces; it must have 1 to {MAX_BATCH}.")
        begun = [list(prompt) or [BOS.to_token()] for prompt in prompts]
        for prompt in begun:
            if any(not 0 <= token < VOCABULARY_SIZE for token in prompt):
                raise ValueError(f"a prompt has a token outside the vocabulary of {VOCABULARY_SIZE}.")
            if len(prompt) > MAX_TOKENS:
                raise ValueError(f"a prompt has {len(prompt):,} tokens; at most {MAX_TOKENS:,} are possible.")
        asked = len(begun) * (max(map(len, begun)) + settings.max_tokens)
        if asked > MAX_BATCH_TOKENS:
            raise ValueError(
                f"{len(begun)} pieces need up to {asked:,} tokens; at most {MAX_BATCH_TOKENS:,} are possible. "
                "Ask for fewer pieces, a shorter prompt or a smaller max_tokens."
            )
        tracers = [ContextTracer(plan) for plan in plans or [()] * len(begun)]
        return self._sample_steps(begun, settings, [grammar(constraints) for _ in begun], tracers)

    def _sample_steps(
        self,
        prompts: list[list[int]],
        settings: SamplingSettings,
        grammars: list[Grammar],
        tracers: list[ContextTracer],
    ) -> Generator[SamplingStep, None, None]:
        pieces = [
            _PieceSampler(prompt, settings, grammar, index)
            for index, (prompt, grammar) in enumerate(zip(prompts, grammars, strict=True))
        ]
        pending = prompts  # taken by the grammars and not yet by the network
        guided = settings.guidance != 1.0
        cache = self.model.new_cache(len(prompts) * (1 + guided), max(map(len, prompts)) + settings.max_tokens)
        written = 0
        try:
            while written < settings.max_tokens and not all(piece.grammar.ended for piece in pieces):
                logits = self._predict(pending, cache, tracers, settings.guidance)
                chosen: list[int | None] = []
                probabilities = []
                for piece, row in zip(pieces, logits, strict=True):
                    token, probability = (None, 0.0) if piece.grammar.ended else piece.choose(row)
                    chosen.append(token)
                    probabilities.append(probability)
                yield SamplingStep(tuple(chosen), tuple(probabilities))
                written += 1
                pending = [[EOS.first if token is None else token] for token in chosen]
                while len(pieces) == 1 and written < settings.max_tokens:
                    forced = pieces[0].take_forced()  # what alone may follow needs no network
                    if forced is None:
                        break
                    yield SamplingStep((forced,), (1.0,))
                    written += 1
                    pending[0].append(forced)
        finally:
            cache.clear()

    def _predict(
        self, pending: list[list[int]], cache: Past, tracers: list[ContextTracer], guidance: float
    ) -> NDArray[np.float32]:
        """Take tokens in, as many for each piece or padded on the left; return the logits (B, V) of the next.

        With guidance the logits are moved away from what the model says without the key and density asked for: the
        cache holds 2 B sequences, as they are, then with Pad in place of these controls, as in training.
        """
        tokens, padding = _pad_left(pending)
        context = self._trace(pending, tokens.shape[1], tracers)
        if guidance == 1.0:
            return self.model.append(tokens, cache, padding, context).numpy()
        hidden = tokens.clone()
        for kind in (KEY, DENSITY):
            hidden[(tokens >= kind.first) & (tokens < kind.stop)] = PAD.to_token()
        padding = None if padding is None else torch.cat([padding, padding])
        if context is not None:
            context = MusicalContext.join([context, context.hide_key()])
        asked, free = self.model.append(torch.cat([tokens, hidden]), cache, padding, context).chunk(2)
        return (free + guidance * (asked - free)).numpy()

    def _trace(self, pending: list[list[int]], length: int, tracers: list[ContextTracer]) -> MusicalContext | None:
        """Trace the context of tokens padded on the left to a length; padding has that of the first token."""
        if self.model.features is None:
            return None
        contexts = [trace_context([tracer], [row]) for tracer, row in zip(tracers, pending, strict=True)]
        return MusicalContext.join([context.pad_left(length) for context in contexts])

    def sample(
        self,
        prompts: Sequence[Sequence[int]] = ((),),
        settings: SamplingSettings | None = None,
        constraints: Constraints | None = None,
    ) -> list[list[int]]:
        """Sample whole sequences, prompts included: the sum of `stream`'s steps. Raises as `stream` does."""
        sequences = [list(prompt) or [BOS.to_token()] for prompt in prompts]
        for step in self.stream(prompts, settings, constraints):
            for sequence, token in zip(sequences, step.tokens, strict=True):
                if token is not None:
                    sequence.append(token)
        return sequences
