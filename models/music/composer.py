"""The music generator: writes bars with the Music Transformer and plays them while the next are written.

The model has learned from rows of CONTEXT_TOKENS tokens. A longer piece is written window by window: when a row is
full, the last bars become the prompt of a new one. What is sampled is taken over bar by bar, so that a bar can be
looked at (is it copied?) before anyone hears it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.contracts import ModelInfo
from models.hub.spec import ModelSpec
from models.music.constraints import Constraints
from models.music.contracts import IDEAS, MusicChunk, MusicRequest
from models.music.controls import Controls, likeliest_keys
from models.music.draft import Draft
from models.music.grammar import Grammar
from models.music.guard import GUARD_FILE, MAX_SHARED_NOTES, CopyGuard
from models.music.incremental import IncrementalTransformer, int8_is_available
from models.music.melody import Melody, MelodyGrammar, melody_track, top_line
from models.music.portions import Splitter, Voice, WrittenBar
from models.music.prompts import Prompt, around, compose_constraints, controls_for, only_drums, onward
from models.music.rendering import StreamRenderer
from models.music.sampling import MAX_BATCH_TOKENS, MIN_TOKENS, MusicSampler, SamplingSettings
from models.music.score import Bar, Piece, Track
from models.music.soundfont import general_midi
from models.music.transformer import MusicTransformer
from models.music.vocabulary import BAR, KEYS, TEMPI, tempo_index
from models.music.voices import VoiceBank
from models.music.weights import CONTEXT_TOKENS, MUSIC_FILE, load_model

PROMPT_TOKENS = 320  # of them at most, for what came before
BAR_TOKENS = 256  # more than a bar needs
LEAD_IN_BARS = 2  # heard before the first new bar, and after the last one that was written anew
DEFAULT_ACCOMPANIMENT = (0, 32)  # grand piano, acoustic bass
OPENING_BARS, OPENING_TRIES = 2, 3
LIKELY_KEYS = 2  # the asked key is among so many likeliest ones of an opening
GUARDED_BARS, COPY_TRIES = 12, 6
ATTEMPT = 1000  # apart lie the seeds of two tries


class MusicComposer:
    """Answers a MusicRequest; `stream` is its contract.

    Args:
        model: in eval mode.
        precision: see `IncrementalTransformer`; None takes int8 where there is any.
        context_tokens: how long a row the model has learned from.
        guard: knows the runs of notes of the training pieces; without one nothing is held against them.
    """

    def __init__(
        self,
        model: MusicTransformer,
        precision: str | None = None,
        context_tokens: int = CONTEXT_TOKENS,
        guard: CopyGuard | None = None,
    ) -> None:
        self.guard = guard
        precision = precision or ("int8" if int8_is_available() else "float32")
        self.parameters = sum(parameter.numel() for parameter in model.parameters())
        self.sampler = MusicSampler(IncrementalTransformer(model, precision))
        self.bank = VoiceBank(general_midi())
        self.context_tokens = context_tokens

    @property
    def info(self) -> ModelInfo:
        """Facts for the person."""
        return ModelInfo(self.parameters, self.bank.sample_rate)

    def stream(self, request: MusicRequest) -> Iterator[MusicChunk]:
        """Compose, or play; the last chunk has `last` set. Closing the iterator stops the work."""
        actions: dict[str, Callable[[MusicRequest], Iterator[MusicChunk]]] = {
            "compose": self._compose,
            "continue": self._continue,
            "rewrite": self._rewrite,
            "ideas": self._ideas,
            "harmonise": self._harmonise,
            "perform": self._perform,
        }
        yield from actions[request.action](request)

    # ---- the actions

    def _compose(self, request: MusicRequest) -> Iterator[MusicChunk]:
        voice, bars, opening = self._opening(request)
        for index in opening:
            yield voice.chunk(index)
        with closing(bars):
            for _, index in bars:
                yield voice.chunk(index)
        yield from self._write_on(voice, request, _kept_controls(voice, request))
        yield voice.chunk(None, ends=True, last=True)

    def _continue(self, request: MusicRequest) -> Iterator[MusicChunk]:
        piece = _source(request)
        voice = self._voice(Draft.of(piece, request.tempo_scale), total=request.bars)
        yield from self._old_bars(voice, len(piece.bars) - LEAD_IN_BARS, len(piece.bars))
        yield from self._write_on(voice, request, controls_for(piece, request), len(piece.bars) + request.bars)
        yield voice.chunk(None, ends=True, last=True)

    def _rewrite(self, request: MusicRequest) -> Iterator[MusicChunk]:
        piece, first, stop = _source(request), request.first_bar - 1, request.last_bar
        voice = self._voice(Draft.of(piece, request.tempo_scale), total=stop - first)
        for index in range(first, stop):
            voice.draft.notes[index] = []
        yield from self._old_bars(voice, first - LEAD_IN_BARS, first)
        # A model that learned to fill a few bars at once fills more of them a few at a time.
        for begin in range(first, stop, 4):
            end = min(begin + 4, stop)
            prompt = around(voice.draft.piece(), begin, end, request, self.context_tokens // 2 + PROMPT_TOKENS // 2)
            written = begin
            with closing(self._sampled([prompt], request, [Bar()], begin, in_front=False)) as bars:
                for _, (_, notes) in bars:
                    if written < end:
                        voice.draft.rewrite(written, notes)
                        voice.done += 1
                        yield voice.chunk(written)
                        written += 1
            for index in range(written, end):  # the model had no more to say
                voice.done += 1
                yield voice.chunk(index)
        after = min(len(piece.bars), stop + LEAD_IN_BARS)
        yield from self._old_bars(voice, stop, after, silent_from=after)
        yield voice.chunk(None, ends=True, last=True)

    def _ideas(self, request: MusicRequest) -> Iterator[MusicChunk]:
        voices = [self._voice(Draft(tempo_scale=_scale(request)), index, request.bars) for index in range(IDEAS)]
        bars = self._first_window([Prompt((), compose_constraints(request))] * IDEAS, request, voices)
        with closing(bars):
            for number, index in bars:
                yield voices[number].chunk(index)
        for voice in voices:
            yield from self._write_on(voice, request, _kept_controls(voice, request))
            yield voice.chunk(None, ends=True, last=voice is voices[-1])

    def _harmonise(self, request: MusicRequest) -> Iterator[MusicChunk]:
        piece = _source(request)
        chosen = melody_track(piece)
        tune = top_line(piece.tracks[chosen])
        others = request.programs or DEFAULT_ACCOMPANIMENT
        melody = Melody(piece.bars, tune)
        silent = Piece(piece.bars, (tune, *(Track(program, False, ()) for program in others)))
        if request.drums:
            silent = Piece(piece.bars, (*silent.tracks, Track(0, True, ())))
        alone = Piece(piece.bars, (tune,))
        busier = replace(request, density=request.density or min(16.0, 2.5 * _density(alone)))
        controls = controls_for(alone, replace(busier, style=request.style or "pop"))
        voice = self._voice(
            Draft([], [(track.program, track.is_drum) for track in silent.tracks], [], request.tempo_scale),
            total=len(piece.bars),
        )
        voice.remarks = (f"The melody was taken from track {chosen + 1} of the file.",)
        yield from self._write_on(
            voice,
            request,
            controls,
            len(piece.bars),
            grammar=lambda constraints, first: MelodyGrammar(constraints, melody, first),
            opening=piece.bars[0],
        )
        yield voice.chunk(None, ends=True, last=True)

    def _perform(self, request: MusicRequest) -> Iterator[MusicChunk]:
        piece = _source(request)
        voice = self._voice(Draft.of(piece, request.tempo_scale), total=len(piece.bars))
        for index in range(len(piece.bars)):
            voice.done = index + 1
            yield voice.chunk(index)
        yield voice.chunk(None, ends=True, last=True)

    # ---- what they share

    def _opening(self, request: MusicRequest) -> tuple[Voice, Generator[tuple[int, int], None, None], list[int]]:
        """Begin a piece: its voice, the bars to come, and the first OPENING_BARS, of the best of a few tries.

        The first try that fits the request is taken: every instrument that was asked for plays, and the asked key is
        among the likeliest. A person hears nothing of the others.
        """
        prompts = [Prompt((), compose_constraints(request))]
        best: tuple[float, int] = (-1.0, 0)
        remarks: tuple[str, ...] = ()
        for attempt in (*range(OPENING_TRIES), None):
            voice = self._voice(Draft(tempo_scale=_scale(request)), total=request.bars)
            bars = self._first_window(prompts, request, [voice], best[1] if attempt is None else attempt)
            opening = [index for _, index in itertools.islice(bars, OPENING_BARS)]
            remarks = voice.remarks = tuple(dict.fromkeys((*remarks, *voice.remarks)))
            fit = opening_fit(voice.draft.piece(), request)
            if fit >= 1.0 or attempt is None:
                break
            bars.close()
            best = max(best, (fit, attempt), key=lambda each: each[0])
        return voice, bars, opening

    def _is_copied(self, draft: Draft) -> bool:
        """Whether the last bar made a run of notes that the guard knows too long."""
        if self.guard is None:
            return False
        count = len(draft.bars)
        recent = draft.piece().slice(max(0, count - GUARDED_BARS), count)
        after = self.guard.longest_run(recent).notes
        return after > MAX_SHARED_NOTES and after > self.guard.longest_run(recent.slice(0, len(recent.bars) - 1)).notes

    def _voice(self, draft: Draft, idea: int = 0, total: int = 1) -> Voice:
        return Voice(draft, StreamRenderer(self.bank), idea, total=total)

    def _old_bars(self, voice: Voice, first: int, stop: int, silent_from: int | None = None) -> Iterator[MusicChunk]:
        """All bars that are there, for the roll; from `first` on they are heard.

        Without `silent_from` these are the bars before the new ones, else the bars after them.
        """
        begins = stop if silent_from is None else len(voice.draft.bars)
        first = max(0, first)
        if silent_from is None:
            voice.start_s = voice.draft.bar_line(first).start_s if first < len(voice.draft.bars) else 0.0
        for index in range(0 if silent_from is None else first, begins):
            heard = index >= first if silent_from is None else index < silent_from
            yield voice.chunk(index, sounding=heard)

    def _first_window(
        self, prompts: Sequence[Prompt], request: MusicRequest, voices: Sequence[Voice], attempt: int = 0
    ) -> Generator[tuple[int, int], None, None]:
        """Write pieces from nothing, front and bars, until a row is full; yields (piece, bar).

        A piece that becomes a copy ends before that bar; `_write_on` takes it from there.
        """
        ended: set[int] = set()
        window = attempt * ATTEMPT
        with closing(self._sampled(prompts, request, [Bar()] * len(prompts), window, in_front=True)) as bars:
            for splitter, (bar, notes) in bars:
                voice = voices[splitter.number]
                if not voice.draft.bars:
                    voice.draft.tracks = splitter.tracks
                if len(voice.draft.bars) < request.bars and splitter.number not in ended:
                    index = voice.draft.append(bar, notes)
                    if self._is_copied(voice.draft):
                        voice.take_back()
                        ended.add(splitter.number)
                        continue
                    voice.done += 1
                    yield splitter.number, index

    def _write_on(
        self,
        voice: Voice,
        request: MusicRequest,
        controls: Controls,
        bars_in_all: int | None = None,
        grammar: Callable[[Constraints, int], Grammar] | None = None,
        opening: Bar | None = None,
    ) -> Iterator[MusicChunk]:
        """Append bars to a piece that is begun, window after window."""
        draft = voice.draft
        target = request.bars if bars_in_all is None else bars_in_all
        attempt = 0
        while len(draft.bars) < target:
            begun = len(draft.bars)
            constraints = Constraints(bars=target - begun, may_change_meter=False, may_change_tempo=False)
            bar = draft.bars[-1] if draft.bars else (opening or Bar())
            prompt = onward(
                draft.piece(), replace(controls, meter=bar.meter, tempo=bar.tempo), constraints, PROMPT_TOKENS
            )
            make = (lambda c, first=begun: grammar(c, first)) if grammar else Grammar
            copied = False
            window = begun + attempt * ATTEMPT
            with closing(self._sampled([prompt], request, [bar], window, in_front=False, grammar=make)) as bars:
                for _, (bar_written, notes) in bars:
                    if len(draft.bars) < target:
                        index = draft.append(bar_written, notes)
                        copied = self._is_copied(draft)
                        if copied and attempt < COPY_TRIES:
                            voice.take_back()
                            break
                        voice.done += 1
                        yield voice.chunk(index)
            if copied and attempt < COPY_TRIES:
                attempt += 1
            elif len(draft.bars) == begun:  # nothing more came: a rest is better than no end
                draft.append(bar, [])
                voice.done += 1
                yield voice.chunk(begun)

    def _sampled(
        self,
        prompts: Sequence[Prompt],
        request: MusicRequest,
        bars: Sequence[Bar],
        window: int,
        in_front: bool,
        grammar: Callable[[Constraints], Grammar] = Grammar,
    ) -> Generator[tuple[Splitter, WrittenBar], None, None]:
        """Sample one row for each prompt; yields whole bars as they are finished, with the piece's splitter.

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
        splitters = [Splitter(number, bar, in_front) for number, bar in enumerate(bars)]
        for splitter, prompt in zip(splitters, prompts, strict=True):
            splitter.is_open = in_front or prompt.tokens[-1] == BAR.first
        finished = [0] * len(prompts)
        tokens = [prompt.tokens for prompt in prompts]
        with closing(self.sampler.stream(tokens, settings, prompts[0].constraints, grammar)) as steps:
            for step in steps:
                for splitter, token, probability in zip(splitters, step.tokens, step.probabilities, strict=True):
                    written = None if token is None else splitter.take(token, probability)
                    if written is not None:
                        finished[splitter.number] += 1
                        yield splitter, written
        for splitter in splitters:
            if splitter.is_open and not splitter.in_front and not finished[splitter.number]:
                yield splitter, splitter.close()  # a bar longer than a row: what there is of it


def opening_fit(piece: Piece, request: MusicRequest) -> float:
    """How well the first bars answer a request, 1 is wholly: the share of tracks that play, less for a far key."""
    if not piece.tracks:
        return 1.0 if not request.programs else 0.0
    fit = sum(bool(track.notes) for track in piece.tracks) / len(piece.tracks)
    pitched = sum(len(track.notes) for track in piece.melodic)
    if request.key and pitched and KEYS.index(request.key) not in likeliest_keys(piece)[:LIKELY_KEYS]:
        fit -= 0.5
    return fit


def _source(request: MusicRequest) -> Piece:
    """The request's piece; a request of these actions has one."""
    if request.piece is None:
        raise ValueError(f"There is no piece to {request.action}.")
    return request.piece


def _scale(request: MusicRequest) -> float:
    """How many times as fast as the nearest row of TEMPI the asked tempo is."""
    return request.tempo / TEMPI[tempo_index(request.tempo)]


def _density(piece: Piece) -> float:
    return max(0.25, piece.note_count * 24 / max(piece.positions, 1))


def _kept_controls(voice: Voice, request: MusicRequest) -> Controls:
    """The controls of a piece begun by this request: what was asked, and for the rest what it has turned out to be."""
    return controls_for(voice.draft.piece(), request if not only_drums(request) else replace(request, style="drums"))


def load_bundled(files: Mapping[str, Path], spec: ModelSpec) -> MusicComposer:
    """The shipped model from its weight file.

    Raises:
        ModelError: the file is damaged, or belongs to another version.
    """
    guard = CopyGuard.load(files[GUARD_FILE]) if GUARD_FILE in files else None
    return MusicComposer(load_model(files[MUSIC_FILE]), guard=guard)
