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

from models.contracts import ModelInfo
from models.hub.spec import ModelSpec
from models.music.constraints import Constraints
from models.music.contracts import IDEAS, MusicChunk, MusicRequest
from models.music.controls import MusicControls, rank_keys
from models.music.copy_detector import COPY_INDEX_FILE, MAX_SHARED_NOTES, CopyDetector
from models.music.grammar import Grammar
from models.music.kv_cache import CachedTransformer, is_int8_available
from models.music.melody import Melody, MelodyGrammar, extract_top_line, find_melody_track
from models.music.piece_builder import PieceBuilder
from models.music.playback import BarParser, ParsedBar, PiecePlayer
from models.music.prompts import (
    TokenPrompt,
    choose_controls,
    is_drums_only,
    make_constraints,
    make_continuation_prompt,
    make_infill_prompt,
)
from models.music.rendering import StreamRenderer
from models.music.sampling import MAX_BATCH_TOKENS, MIN_TOKENS, MusicSampler, SamplingSettings
from models.music.score import Bar, InstrumentTrack, Piece
from models.music.soundfont import load_general_midi
from models.music.soundfont_renderer import SoundFontRenderer
from models.music.source_piece import prepare_source
from models.music.transformer import MusicTransformer
from models.music.vocabulary import BAR, KEYS, KIND_OF, METER
from models.music.weights import MUSIC_FILE, load_model

PROMPT_TOKENS = 320  # of them at most, for what came before
BAR_TOKENS = 256  # more than a bar needs
LEAD_IN_BARS = 2  # heard before the first new bar, and after the last one that was written anew
DEFAULT_ACCOMPANIMENT = (0, 32)  # grand piano, acoustic bass
OPENING_BARS, OPENING_TRIES = 2, 3
LIKELY_KEYS = 2  # the asked key is among so many likeliest ones of an opening
CHECKED_BARS, COPY_TRIES = 12, 6
ATTEMPT = 1000  # apart lie the seeds of two tries


class MusicComposer:
    """The composer that answers a MusicRequest by `stream`.

    Args:
        model: in eval mode.
        precision: see `CachedTransformer`; None takes int8 where there is any.
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
        precision = precision or ("int8" if is_int8_available() else "float32")
        self.parameters = sum(parameter.numel() for parameter in model.parameters())
        self.sampler = MusicSampler(CachedTransformer(model, precision))
        self.bank = SoundFontRenderer(load_general_midi())
        self.context_tokens = model.config.context_tokens

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
        yield from self._write_on(player, request, _keep_controls(player, request))
        yield player.make_chunk(None, ends=True, last=True)

    def _continue(self, request: MusicRequest) -> Iterator[MusicChunk]:
        piece = prepare_source(request)
        player = self._make_player(PieceBuilder.from_piece(piece, request.pace), total=request.bars, source=piece)
        yield from self._play_old_bars(player, len(piece.bars) - LEAD_IN_BARS, len(piece.bars))
        yield from self._write_on(player, request, choose_controls(piece, request), len(piece.bars) + request.bars)
        yield player.make_chunk(None, ends=True, last=True)

    def _rewrite(self, request: MusicRequest) -> Iterator[MusicChunk]:
        piece, first, stop = prepare_source(request), request.first_bar - 1, request.last_bar
        player = self._make_player(PieceBuilder.from_piece(piece, request.pace), total=stop - first, source=piece)
        for index in range(first, stop):
            player.builder.notes[index] = []
        yield from self._play_old_bars(player, first - LEAD_IN_BARS, first)
        # A model that learned to fill a few bars at once fills more of them a few at a time.
        for begin in range(first, stop, 4):
            end = min(begin + 4, stop)
            prompt = make_infill_prompt(
                player.builder.build(), begin, end, request, self.context_tokens // 2 + PROMPT_TOKENS // 2
            )
            written = begin
            with closing(self._sample_bars([prompt], request, [Bar()], begin, in_front=False)) as bars:
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

    def _compose_ideas(self, request: MusicRequest) -> Iterator[MusicChunk]:
        players = [
            self._make_player(PieceBuilder(tempo_scale=request.pace), index, request.bars) for index in range(IDEAS)
        ]
        bars = self._write_first_window([TokenPrompt((), make_constraints(request))] * IDEAS, request, players)
        with closing(bars):
            for number, index in bars:
                yield players[number].make_chunk(index)
        for player in players:
            yield from self._write_on(player, request, _keep_controls(player, request))
            yield player.make_chunk(None, ends=True, last=player is players[-1])

    def _harmonise(self, request: MusicRequest) -> Iterator[MusicChunk]:
        piece = prepare_source(request)
        chosen = find_melody_track(piece)
        tune = extract_top_line(piece.tracks[chosen])
        others = request.programs or DEFAULT_ACCOMPANIMENT
        melody = Melody(piece.bars, tune)
        silent = Piece(piece.bars, (tune, *(InstrumentTrack(program, False, ()) for program in others)))
        if request.drums:
            silent = Piece(piece.bars, (*silent.tracks, InstrumentTrack(0, True, ())))
        alone = Piece(piece.bars, (tune,))
        busier = replace(request, density=request.density or min(16.0, 2.5 * _measure_density(alone)))
        controls = choose_controls(alone, replace(busier, style=request.style or "pop"))
        tracks = [(track.program, track.is_drum) for track in silent.tracks]
        player = self._make_player(
            PieceBuilder([], tracks, [], request.pace, piece.tempo_map), total=len(piece.bars), source=piece
        )
        player.add_remark(f"The melody was taken from track {chosen + 1} of the file.")
        yield from self._write_on(
            player,
            request,
            controls,
            len(piece.bars),
            grammar=lambda constraints, first: MelodyGrammar(constraints, melody, first),
            opening=piece.bars[0],
        )
        yield player.make_chunk(None, ends=True, last=True)

    def _perform(self, request: MusicRequest) -> Iterator[MusicChunk]:
        piece = prepare_source(request)
        player = self._make_player(PieceBuilder.from_piece(piece, request.pace), total=len(piece.bars), source=piece)
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
            player = self._make_player(PieceBuilder(tempo_scale=request.pace), total=request.bars)
            bars = self._write_first_window(prompts, request, [player], best[1] if attempt is None else attempt)
            opening = [index for _, index in itertools.islice(bars, OPENING_BARS)]
            remarks = player.remarks = tuple(dict.fromkeys((*remarks, *player.remarks)))
            fit = score_opening(player.builder.build(), request)
            if fit >= 1.0 or attempt is None:
                break
            bars.close()
            best = max(best, (fit, attempt), key=lambda each: each[0])
        return player, bars, opening

    def _is_copied(self, builder: PieceBuilder) -> bool:
        """Check whether the last bar made a run of notes that the copy detector knows too long."""
        if self.copy_detector is None:
            return False
        count = len(builder.bars)
        recent = builder.build().slice(max(0, count - CHECKED_BARS), count)
        after = self.copy_detector.find_longest_run(recent).notes
        return (
            after > MAX_SHARED_NOTES
            and after > self.copy_detector.find_longest_run(recent.slice(0, len(recent.bars) - 1)).notes
        )

    def _make_player(
        self, builder: PieceBuilder, idea: int = 0, total: int = 1, source: Piece | None = None
    ) -> PiecePlayer:
        """Make a player that says what is to be said of the piece it goes on from."""
        return PiecePlayer(
            builder, StreamRenderer(self.bank), idea, total=total, remarks=source.remarks if source else ()
        )

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
        with closing(self._sample_bars(prompts, request, [Bar()] * len(prompts), window, in_front=True)) as bars:
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
        bars_in_all: int | None = None,
        grammar: Callable[[Constraints, int], Grammar] | None = None,
        opening: Bar | None = None,
    ) -> Iterator[MusicChunk]:
        """Append bars to a piece that is begun, window after window."""
        builder = player.builder
        target = request.bars if bars_in_all is None else bars_in_all
        attempt = 0
        while len(builder.bars) < target:
            begun = len(builder.bars)
            constraints = Constraints(bars=target - begun, may_change_meter=False, may_change_tempo=False)
            bar = builder.bars[-1] if builder.bars else (opening or Bar())
            if request.action == "continue" and request.meter_row is not None:
                bar = replace(bar, meter=request.meter_row)
            prompt = make_continuation_prompt(builder.build(), controls, constraints, PROMPT_TOKENS, bar)
            make = (lambda c, first=begun: grammar(c, first)) if grammar else Grammar
            copied = False
            window = begun + attempt * ATTEMPT
            with closing(self._sample_bars([prompt], request, [bar], window, in_front=False, grammar=make)) as bars:
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
                builder.append(bar, [])
                player.done += 1
                yield player.make_chunk(begun)

    def _sample_bars(
        self,
        prompts: Sequence[TokenPrompt],
        request: MusicRequest,
        bars: Sequence[Bar],
        window: int,
        in_front: bool,
        grammar: Callable[[Constraints], Grammar] = Grammar,
    ) -> Generator[tuple[BarParser, ParsedBar], None, None]:
        """Sample one row for each prompt; yields whole bars as they are finished, with the piece's parser.

        Args:
            bars: meter and tempo that hold before each answer.
            window: makes the seed of each window another.
        """
        longest = max(len(prompt.tokens) for prompt in prompts)
        room = max(MIN_TOKENS, self.context_tokens - longest, BAR_TOKENS)
        settings = SamplingSettings(
            temperature=request.temperature,
            top_p=request.top_p,
            repetition_penalty=request.repetition,
            guidance=SamplingSettings.guidance if request.key or request.density else 1.0,
            max_tokens=min(room, MAX_BATCH_TOKENS // len(prompts) - longest),
            seed=int(np.random.SeedSequence([request.seed, window]).generate_state(1)[0]),
        )
        parsers = [BarParser(number, bar, in_front) for number, bar in enumerate(bars)]
        for parser, prompt in zip(parsers, prompts, strict=True):
            parser.is_open = in_front or prompt.tokens[-1] == BAR.first or KIND_OF[prompt.tokens[-1]] is METER
        finished = [0] * len(prompts)
        tokens = [prompt.tokens for prompt in prompts]
        with closing(self.sampler.stream(tokens, settings, prompts[0].constraints, grammar)) as steps:
            for step in steps:
                for parser, token, probability in zip(parsers, step.tokens, step.probabilities, strict=True):
                    written = None if token is None else parser.take(token, probability)
                    if written is not None:
                        finished[parser.number] += 1
                        yield parser, written
        for parser in parsers:
            if parser.is_open and not parser.in_front and not finished[parser.number]:
                yield parser, parser.close()  # a bar longer than a row: what there is of it


def score_opening(piece: Piece, request: MusicRequest) -> float:
    """Score how well the first bars answer a request: 1 is wholly; the share of tracks that play, less for a far
    key.
    """
    if not piece.tracks:
        return 1.0 if not request.programs else 0.0
    fit = sum(bool(track.notes) for track in piece.tracks) / len(piece.tracks)
    pitched = sum(len(track.notes) for track in piece.melodic)
    if request.key and pitched and KEYS.index(request.key) not in rank_keys(piece)[:LIKELY_KEYS]:
        fit -= 0.5
    return fit


def _measure_density(piece: Piece) -> float:
    return max(0.25, piece.note_count * 24 / max(piece.positions, 1))


def _keep_controls(player: PiecePlayer, request: MusicRequest) -> MusicControls:
    """Measure the controls of a piece begun by this request, with those that were asked for in their place."""
    return choose_controls(
        player.builder.build(), request if not is_drums_only(request) else replace(request, style="drums")
    )


def load_bundled(files: Mapping[str, Path], spec: ModelSpec) -> MusicComposer:
    """Load the shipped model from its weight file.

    Raises:
        ModelError: the file is damaged, or belongs to another version.
    """
    detector = CopyDetector.load(files[COPY_INDEX_FILE]) if COPY_INDEX_FILE in files else None
    return MusicComposer(load_model(files[MUSIC_FILE]), copy_detector=detector)
