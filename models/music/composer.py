"""The music generator: writes bars with the Music Transformer and plays them while the next are written.

The model has learned from rows of so many tokens. A longer piece is written window by window: when a row is
full, the last bars become the prompt of a new one. What is sampled is taken over bar by bar, so that a bar can be
checked for copies before anyone hears it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from models.contracts import MAX_SEED, ModelInfo
from models.hub.spec import ModelSpec
from models.music.constraints import Constraints
from models.music.contracts import IDEAS, MusicChunk, MusicRequest
from models.music.controls import MusicControls, measure_density
from models.music.copy_detector import COPY_INDEX_FILE, CopyDetector, ends_in_copy
from models.music.grammar import Grammar
from models.music.guided_grammar import Guide, GuidedGrammar
from models.music.kv_cache import CachedTransformer
from models.music.melody import Melody, MelodyGrammar, extract_top_line, find_melody_track
from models.music.musical_context import PlannedBar
from models.music.obedience import list_unmet
from models.music.onnx_step import make_step_network
from models.music.piece_builder import PieceBuilder
from models.music.planning import PiecePlan
from models.music.playback import BarParser, ParsedBar, PiecePlayer
from models.music.prompts import (
    TokenPrompt,
    choose_controls,
    make_constraints,
    make_continuation_prompt,
    make_infill_prompt,
    make_later_constraints,
)
from models.music.rendering import StreamRenderer
from models.music.request_plan import (
    choose_grammar,
    keep_controls,
    make_guide,
    make_plan,
    plan_rewriting,
    score_opening,
)
from models.music.sampling import MAX_BATCH_TOKENS, MIN_TOKENS, MusicSampler, SamplingSettings
from models.music.score import Bar, Piece
from models.music.soundfont import load_general_midi
from models.music.soundfont_renderer import SoundFontRenderer
from models.music.source_piece import prepare_source
from models.music.transformer import MusicTransformer
from models.music.vocabulary import BAR, KIND_OF, METER
from models.music.weights import MUSIC_FILE, load_model

PROMPT_SHARE = 0.45  # of a row at most, for what came before
BAR_TOKENS = 256  # more than a bar needs
LEAD_IN_BARS = 2  # heard before the first new bar, and after the last one that was written anew
DEFAULT_ACCOMPANIMENT = (0, 32)  # grand piano, acoustic bass
OPENING_BARS, OPENING_TRIES = 2, 3
COPY_TRIES, LOOK_AHEAD_BARS = 6, 12
ATTEMPT = 1000  # apart lie the seeds of two tries


class MusicComposer:
    """The composer that answers a MusicRequest by `stream`.

    Args:
        model: in eval mode.
        precision: see `CachedTransformer`; None takes the fastest way there is.
        copy_detector: knows the runs of notes of the training pieces; without one nothing is held against them.
    """

    takes_turns: ClassVar[bool] = True

    def __init__(
        self,
        model: MusicTransformer,
        precision: str | None = None,
        copy_detector: CopyDetector | None = None,
    ) -> None:
        self.copy_detector = copy_detector
        self.parameters = sum(parameter.numel() for parameter in model.parameters())
        self.sampler = MusicSampler(CachedTransformer(model, precision) if precision else make_step_network(model))
        self.bank = SoundFontRenderer(load_general_midi())
        self.context_tokens = model.config.context_tokens
        self.prompt_tokens = int(PROMPT_SHARE * self.context_tokens)

    @property
    def info(self) -> ModelInfo:
        """Return facts for the person."""
        return ModelInfo(self.parameters, self.bank.sample_rate)

    def stream(self, request: MusicRequest) -> Iterator[MusicChunk]:
        """Compose, or play; the last chunk has `last` set. Closing the iterator stops the work."""
        actions: dict[str, Callable[[MusicRequest], Iterator[MusicChunk]]] = {
            "compose": self._compose,
            "continue": self._continue,
            "rewrite": self._rewrite,
            "ideas": self._compose_ideas,
            "harmonise": self._harmonise,
            "perform": self._perform,
            "vary": self._rewrite,
            "versions": self._offer_versions,
        }
        yield from actions[request.action](request)

    # ---- the actions

    def _compose(self, request: MusicRequest) -> Iterator[MusicChunk]:
        player, bars, opening = self._write_opening(request)
        for index in opening:
            yield player.make_chunk(index)
        with closing(bars):
            for _, index in bars:
                yield player.make_chunk(index)
        yield from self._go_on(player, request)
        yield self._close(player, request)

    def _continue(self, request: MusicRequest) -> Iterator[MusicChunk]:
        piece = prepare_source(request)
        player = self._make_player(
            request, PieceBuilder.from_piece(piece, request.pace), total=request.bars, source=piece
        )
        yield from self._play_old_bars(player, len(piece.bars) - LEAD_IN_BARS, len(piece.bars))
        controls, there = choose_controls(piece, request), len(piece.bars)
        plan = make_plan(request, controls, there + request.bars, before=piece)
        yield from self._write_on(player, request, controls, plan)
        yield self._close(player, request, there)

    def _rewrite(self, request: MusicRequest) -> Iterator[MusicChunk]:
        piece, first, stop = prepare_source(request), request.first_bar - 1, request.last_bar
        player = self._make_player(
            request, PieceBuilder.from_piece(piece, request.pace), total=stop - first, source=piece
        )
        for index in range(first, stop):
            player.builder.notes[index] = []
        yield from self._play_old_bars(player, first - LEAD_IN_BARS, first)
        plan = plan_rewriting(piece, request)
        for begin in range(first, stop, 4):  # a model that learned to fill a few bars at once
            end = min(begin + 4, stop)
            whole = player.builder.build()
            prompt = make_infill_prompt(whole, begin, end, request, 3 * self.prompt_tokens // 2)
            plans = [plan.list_bars(prompt.order, whole)]
            guides = [make_guide(plan, request, range(begin, end), whole)]
            written = begin
            make = choose_grammar(request, piece, begin, end)
            with closing(self._sample_bars([prompt], request, [Bar()], begin, plans, guides, make)) as bars:
                for _, (_, notes) in bars:
                    if written < end:
                        player.builder.rewrite(written, notes)
                        player.done += 1
                        yield player.make_chunk(written)
                        written += 1
            for index in range(written, end):  # the model had no more to say
                player.done += 1
                yield player.make_chunk(index)
        after = min(len(piece.bars), stop + LEAD_IN_BARS)
        yield from self._play_old_bars(player, stop, after, silent_from=after)
        yield player.make_chunk(None, ends=True, last=True)

    def _offer_versions(self, request: MusicRequest) -> Iterator[MusicChunk]:
        for index in range(IDEAS):
            again = replace(request, action="rewrite", seed=(request.seed + index * ATTEMPT) % MAX_SEED)
            for chunk in self._rewrite(again):
                yield replace(chunk, idea=index, last=chunk.last and index == IDEAS - 1)

    def _compose_ideas(self, request: MusicRequest) -> Iterator[MusicChunk]:
        builders = [PieceBuilder(tempo_scale=request.pace) for _ in range(IDEAS)]
        players = [self._make_player(request, builder, idea, request.bars) for idea, builder in enumerate(builders)]
        prompts = [TokenPrompt((), make_constraints(request))] * IDEAS
        with closing(self._write_first_window(prompts, request, players)) as bars:
            for number, index in bars:
                yield players[number].make_chunk(index)
        for player in players:
            yield from self._go_on(player, request)
            yield self._close(player, request, last=player is players[-1])

    def _harmonise(self, request: MusicRequest) -> Iterator[MusicChunk]:
        piece = prepare_source(request)
        chosen = find_melody_track(piece)
        tune = extract_top_line(piece.tracks[chosen])
        others = request.programs or DEFAULT_ACCOMPANIMENT
        melody = Melody(piece.bars, tune)
        tracks = [(tune.program, False), *((program, False) for program in others), *[(0, True)] * bool(request.drums)]
        alone = Piece(piece.bars, (tune,))
        busier = replace(request, density=request.density or min(16.0, 2.5 * max(0.25, measure_density(alone))))
        controls = choose_controls(alone, replace(busier, style=request.style or "pop"))
        builder = PieceBuilder([], tracks, [], request.pace, piece.tempo_map)
        player = self._make_player(request, builder, total=len(piece.bars), source=piece)
        player.add_remark(f"The melody was taken from track {chosen + 1} of the file.")
        plan = make_plan(request, controls, len(piece.bars), like=alone)

        def make_grammar(constraints: Constraints, guide: Guide) -> Grammar:
            return MelodyGrammar(constraints, melody, guide.bars[0].number or 0, guide)

        yield from self._write_on(player, request, controls, plan, make_grammar, piece.bars[0])
        yield player.make_chunk(None, ends=True, last=True)

    def _perform(self, request: MusicRequest) -> Iterator[MusicChunk]:
        piece = prepare_source(request)
        builder = PieceBuilder.from_piece(piece, request.pace)
        player = self._make_player(request, builder, total=len(piece.bars), source=piece)
        for index in range(len(piece.bars)):
            player.done = index + 1
            yield player.make_chunk(index)
        yield player.make_chunk(None, ends=True, last=True)

    # ---- what they share

    def _write_opening(
        self, request: MusicRequest
    ) -> tuple[PiecePlayer, Generator[tuple[int, int], None, None], list[int]]:
        """Begin a piece: its player, the bars to come, and the first OPENING_BARS, of the best of a few tries.

        The first try that fits the request is taken: every instrument that was asked for plays, and the asked key is
        among the likeliest. A person hears nothing of the others.
        """
        prompts = [TokenPrompt((), make_constraints(request))]
        best: tuple[float, int] = (-1.0, 0)
        remarks: tuple[str, ...] = ()
        for attempt in (*range(OPENING_TRIES), None):
            player = self._make_player(request, PieceBuilder(tempo_scale=request.pace), total=request.bars)
            bars = self._write_first_window(prompts, request, [player], best[1] if attempt is None else attempt)
            opening = [index for _, index in itertools.islice(bars, OPENING_BARS)]
            remarks = player.remarks = tuple(dict.fromkeys((*remarks, *player.remarks)))
            fit = score_opening(player.builder.build(), request)
            if fit >= 1.0 or attempt is None:
                break
            bars.close()
            best = max(best, (fit, attempt), key=lambda each: each[0])
        return player, bars, opening

    def _go_on(self, player: PiecePlayer, request: MusicRequest) -> Iterator[MusicChunk]:
        """Write what is missing of a piece begun by this request."""
        controls = keep_controls(player.builder.build(), request)
        plan = make_plan(request, controls, request.bars, player.idea)
        yield from self._write_on(player, request, controls, plan)

    def _close(self, player: PiecePlayer, request: MusicRequest, first: int = 0, last: bool = True) -> MusicChunk:
        """Say what was asked of the bars from `first` on and not met, and make the last chunk of a piece."""
        for remark in list_unmet(player.builder.build(), request, first):
            player.add_remark(remark)
        return player.make_chunk(None, ends=True, last=last)

    def _is_copied(self, builder: PieceBuilder) -> bool:
        return self.copy_detector is not None and ends_in_copy(self.copy_detector, builder.build())

    def _make_player(
        self, request: MusicRequest, builder: PieceBuilder, idea: int = 0, total: int = 1, source: Piece | None = None
    ) -> PiecePlayer:
        """Make a player that says what is to be said of the piece it goes on from."""
        said = source.remarks if source else ()
        return PiecePlayer(builder, StreamRenderer(self.bank), idea, 0.0, 0, total, said, request.desk)

    def _play_old_bars(
        self, player: PiecePlayer, first: int, stop: int, silent_from: int | None = None
    ) -> Iterator[MusicChunk]:
        """Play all bars that are there, for the roll; from `first` on they are heard.

        Without `silent_from` these are the bars before the new ones, else the bars after them.
        """
        begins = stop if silent_from is None else len(player.builder.bars)
        first = max(0, first)
        if silent_from is None:
            player.start_s = player.builder.locate_bar(first).start_s if first < len(player.builder.bars) else 0.0
        for index in range(0 if silent_from is None else first, begins):
            heard = index >= first if silent_from is None else index < silent_from
            yield player.make_chunk(index, sounding=heard)

    def _write_first_window(
        self, prompts: Sequence[TokenPrompt], request: MusicRequest, players: Sequence[PiecePlayer], attempt: int = 0
    ) -> Generator[tuple[int, int], None, None]:
        """Write pieces from nothing, front and bars, until a row is full; yields (piece, bar).

        A piece that becomes a copy ends before that bar; `_write_on` takes it from there.
        """
        ended: set[int] = set()
        window = attempt * ATTEMPT
        planned = [make_plan(request, None, request.bars, player.idea) for player in players]
        guides = [make_guide(plan, request, range(request.bars)) for plan in planned]
        plans, opening = [plan.bars for plan in planned], [Bar()] * len(prompts)
        with closing(self._sample_bars(prompts, request, opening, window, plans, guides, in_front=True)) as bars:
            for parser, (bar, notes) in bars:
                player = players[parser.number]
                if not player.builder.bars:
                    player.builder.tracks = parser.tracks
                if len(player.builder.bars) < request.bars and parser.number not in ended:
                    index = player.builder.append(bar, notes)
                    if self._is_copied(player.builder):
                        player.take_back()
                        ended.add(parser.number)
                        continue
                    player.done += 1
                    yield parser.number, index

    def _write_on(
        self,
        player: PiecePlayer,
        request: MusicRequest,
        controls: MusicControls,
        plan: PiecePlan,
        grammar: Callable[[Constraints, Guide], Grammar] = GuidedGrammar,
        opening: Bar | None = None,
    ) -> Iterator[MusicChunk]:
        """Append bars to a piece that is begun, window after window."""
        builder = player.builder
        target = len(plan.bars)
        attempt = 0
        while len(builder.bars) < target:
            begun = len(builder.bars)
            constraints = make_later_constraints(request, target - begun)
            bar = builder.bars[-1] if builder.bars else (opening or Bar())
            if request.action == "continue" and request.meter_row is not None:
                bar = replace(bar, meter=request.meter_row)
            whole = builder.build()
            wanted = plan.find_wanted(begun, begun + LOOK_AHEAD_BARS)
            prompt = make_continuation_prompt(whole, controls, constraints, self.prompt_tokens, bar, wanted)
            plans = [plan.list_bars([*prompt.order, *range(begun + 1, target)], whole)]
            guides = [make_guide(plan, request, range(begun, target), whole)]
            copied = False
            window = begun + attempt * ATTEMPT
            with closing(self._sample_bars([prompt], request, [bar], window, plans, guides, grammar)) as bars:
                for _, (bar_written, notes) in bars:
                    if len(builder.bars) < target:
                        index = builder.append(bar_written, notes)
                        copied = self._is_copied(builder)
                        if copied and attempt < COPY_TRIES:
                            player.take_back()
                            break
                        player.done += 1
                        yield player.make_chunk(index)
            if copied and attempt < COPY_TRIES:
                attempt += 1
            elif len(builder.bars) == begun:  # nothing more came: a rest is better than no end
                player.done += 1
                yield player.make_chunk(builder.append(bar, []))

    def _sample_bars(
        self,
        prompts: Sequence[TokenPrompt],
        request: MusicRequest,
        bars: Sequence[Bar],
        window: int,
        plans: Sequence[Sequence[PlannedBar]],
        guides: Sequence[Guide],
        grammar: Callable[[Constraints, Guide], Grammar] = GuidedGrammar,
        in_front: bool = False,
    ) -> Generator[tuple[BarParser, ParsedBar], None, None]:
        """Sample one row for each prompt; yields whole bars as they are finished, with the piece's parser.

        Args:
            bars: meter and tempo that hold before each answer.
            window: makes the seed of each window another.
            plans, guides: for each prompt, of its bars and those that follow, and of the latter.
        """
        tokens, coming = [prompt.tokens for prompt in prompts], iter(guides)
        longest = max(map(len, tokens))
        room = max(MIN_TOKENS, self.context_tokens - longest, BAR_TOKENS)
        settings = SamplingSettings(
            temperature=request.temperature,
            top_p=request.top_p,
            repetition_penalty=request.repetition,
            guidance=SamplingSettings.guidance if request.key or request.density or request.piece else 1.0,
            max_tokens=min(room, MAX_BATCH_TOKENS // len(prompts) - longest),
            seed=int(np.random.SeedSequence([request.seed, window]).generate_state(1)[0]),
        )
        parsers = [BarParser(number, bar, in_front) for number, bar in enumerate(bars)]
        for parser, prompt in zip(parsers, prompts, strict=True):
            parser.is_open = in_front or prompt.tokens[-1] == BAR.first or KIND_OF[prompt.tokens[-1]] is METER
        finished = [0] * len(prompts)

        def make(constraints: Constraints) -> Grammar:
            return grammar(constraints, next(coming))

        with closing(self.sampler.stream(tokens, settings, prompts[0].constraints, make, plans)) as steps:
            for step in steps:
                for parser, token, probability in zip(parsers, step.tokens, step.probabilities, strict=True):
                    written = None if token is None else parser.take(token, probability)
                    if written is not None:
                        finished[parser.number] += 1
                        yield parser, written
        for parser in parsers:
            if parser.is_open and not parser.in_front and not finished[parser.number]:
                yield parser, parser.close()  # a bar longer than a row: what there is of it


def load_bundled(files: Mapping[str, Path], spec: ModelSpec) -> MusicComposer:
    """Load the shipped model from its weight file.

    Raises:
        ModelError: the file is damaged, or belongs to another version.
    """
    detector = CopyDetector.load(files[COPY_INDEX_FILE]) if COPY_INDEX_FILE in files else None
    return MusicComposer(load_model(files[MUSIC_FILE]), copy_detector=detector)
