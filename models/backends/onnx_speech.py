"""Voices as ONNX graphs behind the studio's contract: `SpeechRequest` in, `SpeechChunk` out.

The studio's own text front end reads the text, so that dictionary, Markdown, speech markup, pauses and the times of
words are as with its own voices. Utterances are spoken one by one, and each is heard while the next is made.
"""

from __future__ import annotations

import math
from collections.abc import Generator as GeneratorOf
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from models.backends.library import find_folder, get_main_hub, read_json
from models.backends.onnx_session import import_runtime
from models.backends.onnx_speakers import SPEAKERS, FloatArray, OnnxSpeaker, SpokenUtterance
from models.backends.spoken_sound import adjust_level, compute_mel, note_unheeded
from models.backends.worker_thread import Channel, run_in_thread
from models.contracts import ModelInfo, SpeechChunk, SpeechRequest, Voice, WordTiming
from models.errors import ModelError
from models.hub.onnx_layout import find_layout
from models.hub.spec import ModelSpec
from models.speech.alignment import find_soundless_words, name_words, time_words
from models.speech.text import Utterance, iter_utterances

MAX_SYMBOLS = 200
UNIT_S = 0.0125  # of the alignment's rows
LEAD_S, TAIL_S = 0.06, 0.12  # of the silence that stays around an utterance
QUIET = 0.01  # of the loudest sample
PLANNED = "Every word has its time: this model plans how long each sound lasts before it speaks."


class OnnxSpeech:
    """The generator of speech from one ONNX voice or several."""

    takes_turns: ClassVar[bool] = True

    def __init__(self, speaker: OnnxSpeaker, title: str) -> None:
        self.speaker, self.title = speaker, title

    @property
    def voices(self) -> tuple[Voice, ...]:
        """Return what it can sound like."""
        return self.speaker.voices

    @property
    def info(self) -> ModelInfo:
        """Return facts for the model card; how many parameters a graph of packed integers has is not told."""
        return ModelInfo(0, self.speaker.sample_rate, {"graph": f"{self.speaker.size_mb:,.0f} MB"})

    def stream(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        """Yield a chunk after every utterance, and empty ones while it is waited for.

        Raises:
            ValueError: the text holds nothing that can be spoken, or a voice is not one of this model.
        """
        self._check_voices(request)
        found_notes = list(note_unheeded(request, self.title, ("speed",), self.speaker.mixes_voices))
        total, rate = len(request.text), self.speaker.sample_rate
        words: tuple[WordTiming, ...] = ()
        done = samples_count = index = 0
        pause_s = 0.0
        utterances = iter_utterances(request.text, MAX_SYMBOLS, found_notes, request.dictionary, False)
        for index, utterance in enumerate(utterances):
            if utterance.turns:
                found_notes.append(
                    f"{self.title} says a whole sentence in one way; changes of its prosody were left out."
                )
            lead_s = pause_s if index else utterance.lead_s
            spoken: SpokenUtterance | None = None
            with closing(self._say(utterance, request, index)) as waited:
                for spoken in waited:
                    if spoken is None:
                        yield self._make_chunk(request, index, words, found_notes, done)
            if spoken is None:  # the worker ends with what was spoken, or raises
                raise ModelError(f"{self.title} fell silent. Try again.", "loader")
            spoken = trim_silence(spoken, rate)
            silence = np.zeros(int(lead_s * rate + 1e-6), np.float32)
            starts_s = (samples_count + len(silence)) / rate
            alignment, timed = place_words(spoken, utterance, starts_s, rate)
            words += timed
            sound, note = adjust_level(spoken.samples, request)
            found_notes += [note] if note else []
            sound = np.concatenate([silence, sound])
            samples_count += len(sound)
            done = min(total, done + len(utterance.text) + 1)
            yield replace(
                self._make_chunk(request, index, words, found_notes, done),
                samples=sound,
                mel=compute_mel(sound, rate),
                alignment=alignment,
                symbols=utterance.symbols if alignment.size else (),
                verdict=judge(utterance, alignment),
            )
            pause_s = utterance.pause_s
        end = np.zeros(int(pause_s * rate + 1e-6) if utterance.pause_is_asked else 0, np.float32)
        last = self._make_chunk(request, index, words, found_notes, total)
        yield replace(last, samples=end, mel=compute_mel(end, rate), last=True)

    def _say(self, utterance: Utterance, request: SpeechRequest, index: int) -> GeneratorOf[SpokenUtterance | None]:
        """Yield None while an utterance is made, then the utterance; closing it ends the work at the next operator."""
        options = import_runtime().RunOptions()
        seed = int(np.random.SeedSequence([request.seed, index]).generate_state(1)[0])

        def work(channel: Channel[SpokenUtterance | None]) -> None:
            channel.put(self.speaker.say(utterance.symbols, request, seed, options))

        with closing(run_in_thread(work)) as items:
            try:
                yield from items
            finally:
                options.terminate = True

    def _check_voices(self, request: SpeechRequest) -> None:
        known = [voice.key for voice in self.voices]
        for key in (request.voice, request.second_voice if self.speaker.mixes_voices else ""):
            if key and key not in known:
                raise ValueError(f"voice is {key!r}; this model has {', '.join(known)}.")

    def _make_chunk(
        self, request: SpeechRequest, index: int, words: tuple[WordTiming, ...], notes: list[str], done: int
    ) -> SpeechChunk:
        silent = np.zeros(0, np.float32)
        return SpeechChunk(
            samples=silent,
            sample_rate=self.speaker.sample_rate,
            mel=compute_mel(silent, self.speaker.sample_rate),
            alignment=np.zeros((0, 0), np.float32),
            symbols=(),
            sentence=index,
            sentences=index + 1,
            words=words,
            notes=tuple(dict.fromkeys(notes)),
            done=done,
            total=len(request.text),
        )


def trim_silence(spoken: SpokenUtterance, rate: int) -> SpokenUtterance:
    """Leave LEAD_S and TAIL_S of the silence around an utterance; what belongs to a letter is never cut."""
    loud = np.flatnonzero(np.abs(spoken.samples) > QUIET * np.abs(spoken.samples).max(initial=0.0))
    if not len(loud):
        return spoken
    count = len(spoken.samples)
    start = max(0, int(loud[0]) - int(LEAD_S * rate))
    end = min(count, int(loud[-1]) + int(TAIL_S * rate))
    if spoken.durations is None:
        return SpokenUtterance(spoken.samples[start:end], None)
    durations = spoken.durations.copy()
    start = min(start, int(durations[0]))
    end = max(end, count - int(durations[-1]))
    durations[0] -= start
    durations[-1] -= count - end
    return SpokenUtterance(spoken.samples[start:end], durations)


def place_words(
    spoken: SpokenUtterance, utterance: Utterance, starts_s: float, rate: int
) -> tuple[FloatArray, tuple[WordTiming, ...]]:
    """Return the alignment (S, L), a row each UNIT_S, and the words' times; one for the whole where none are told."""
    length_s = len(spoken.samples) / rate
    if spoken.durations is None:
        return np.zeros((0, 0), np.float32), (WordTiming(utterance.text, starts_s, starts_s + length_s),)
    rows = max(1, math.ceil(length_s / UNIT_S))
    ends_s = np.cumsum(spoken.durations) / rate
    path = np.minimum(np.searchsorted(ends_s, (np.arange(rows) + 0.5) * UNIT_S, side="right"), len(ends_s) - 1)
    alignment = np.eye(len(ends_s), dtype=np.float32)[path]
    return alignment, time_words(utterance.words, path.tolist(), UNIT_S, starts_s, ended=True)


def judge(utterance: Utterance, alignment: FloatArray) -> str:
    """Say in one sentence whether every word was planned; "" where the model does not tell."""
    missing = find_soundless_words(utterance)
    if missing:
        return f"The model may have skipped {name_words(missing)}."
    return PLANNED if alignment.size else ""


def load(files: Mapping[str, Path], spec: ModelSpec) -> OnnxSpeech:
    """Open a downloaded repository, or a folder of one's own, as a voice.

    Raises:
        ModelError: onnxruntime is missing, or the files are damaged, not safe, or of another kind.
    """
    if spec.hubs:
        hub = get_main_hub(spec)
        folder, paths = find_folder(files, hub), [file.path for file in hub.files]
    else:
        folder = _find_common_folder(list(files.values()))
        paths = [path.relative_to(folder).as_posix() for path in files.values()]
    layout = find_layout(paths, lambda path: read_json(folder / path))
    if layout is None:
        raise ModelError("The files of this model are of no known kind. Delete it and get it again.", "weights")
    return OnnxSpeech(SPEAKERS[layout.kind](folder, layout, spec.title), spec.title)


def _find_common_folder(paths: list[Path]) -> Path:
    return next(folder for folder in paths[0].parents if all(folder in path.parents for path in paths))
