"""Speech models of transformers behind the studio's contract: `SpeechRequest` in, `SpeechChunk` out.

A text is spoken sentence by sentence, so that the first is heard while the next is made. Controls that a kind does not
have are left alone, and a note says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import numpy as np

from models.backends.device_placement import choose_placement
from models.backends.library import find_folder, import_backend, locate_model
from models.backends.sentence_splitting import split_sentences
from models.backends.speakers import NO_ALIGNMENT, Speaker, SpokenSentence, make_speaker
from models.backends.spoken_sound import adjust_level, compute_mel, note_unheeded
from models.backends.worker_thread import Channel, run_in_thread, seed_torch
from models.contracts import ModelInfo, SpeechChunk, SpeechRequest, Task, Voice, WordTiming
from models.hub.spec import ModelSpec
from models.speech.markup import to_plain

PAUSE_S = 0.25  # of silence between sentences
Pauses = list[tuple[float, float]]


class HubSpeech:
    """A speech model of transformers."""

    def __init__(self, speaker: Speaker, title: str) -> None:
        self.speaker, self.title = speaker, title

    @property
    def voices(self) -> tuple[Voice, ...]:
        """Return what it can sound like, known once it is loaded."""
        return self.speaker.voices

    @property
    def info(self) -> ModelInfo:
        """Return facts for the model card."""
        model = self.speaker.model  # type: ignore[attr-defined]
        return ModelInfo(sum(weight.numel() for weight in model.parameters()), self.speaker.sample_rate)

    def to_gpu(self) -> None:
        """Move to the GPU that a Space lends."""
        for name in ("model", "vocoder"):
            if hasattr(self.speaker, name):
                getattr(self.speaker, name).to("cuda")

    def stream(self, request: SpeechRequest) -> Iterator[SpeechChunk]:
        """Yield a chunk after every sentence, and empty ones while it is waited for.

        Raises:
            ModelError: the text's language needs a package that is not there, or memory ran out.
        """
        found_notes = list(note_unheeded(request, self.title, self.speaker.controls, mixes_voices=False))
        pieces, pauses = _split_request(request, found_notes)
        notes = tuple(dict.fromkeys(found_notes))
        rate, total = self.speaker.sample_rate, len(request.text)
        words: tuple[WordTiming, ...] = ()
        done, samples_count = 0, 0
        if not pieces:
            yield self._make_chunk(
                SpokenSentence(np.zeros(0, np.float32), NO_ALIGNMENT), 0, 0, (), notes, total, total, True
            )
            return

        def work(channel: Channel[SpokenSentence]) -> None:
            for number, piece in enumerate(pieces):
                with seed_torch(request.seed + number):
                    channel.put(self.speaker.say(piece, request, channel.check))

        number = 0
        items = run_in_thread(work)
        with closing(items) as spoken:
            for each in spoken:
                if each is None:
                    waiting = SpokenSentence(np.zeros(0, np.float32), NO_ALIGNMENT)
                    yield self._make_chunk(
                        waiting, min(number, len(pieces) - 1), len(pieces), words, notes, done, total
                    )
                    continue
                last = number == len(pieces) - 1
                sound, loud = adjust_level(each.samples, request)
                lead, pause = (np.zeros(round(seconds * rate), np.float32) for seconds in pauses[number])
                starts_s = (samples_count + len(lead)) / rate
                words += _time_words(each, starts_s, len(each.samples) / rate, pieces[number])
                sound = np.concatenate([lead, sound, pause])
                samples_count += len(sound)
                done = total if last else min(total, done + len(pieces[number]) + 1)
                notes = notes if not loud or loud in notes else (*notes, loud)
                made = SpokenSentence(sound, each.alignment, each.symbols, each.words, each.verdict)
                yield self._make_chunk(made, number, len(pieces), words, notes, done, total, last)
                number += 1

    def _make_chunk(
        self,
        spoken: SpokenSentence,
        sentence: int,
        sentences_count: int,
        words: tuple[WordTiming, ...],
        notes: tuple[str, ...],
        done: int,
        total: int,
        last: bool = False,
    ) -> SpeechChunk:
        return SpeechChunk(
            samples=spoken.samples,
            sample_rate=self.speaker.sample_rate,
            mel=compute_mel(spoken.samples, self.speaker.sample_rate),
            alignment=spoken.alignment,
            symbols=spoken.symbols,
            sentence=sentence,
            sentences=sentences_count,
            words=words,
            verdict=spoken.verdict,
            notes=notes,
            done=done,
            total=max(total, 1),
            last=last,
        )


def _split_request(request: SpeechRequest, notes: list[str]) -> tuple[list[str], Pauses]:
    """Return the sentences of a request without their markup, and the seconds of silence before and after each."""
    pieces: list[str] = []
    pauses: Pauses = []
    lead_s, was_asked = 0.0, False
    for text, silence_s in to_plain(request.text, request.dictionary, notes):
        found = split_sentences(text)
        if not found:
            lead_s = (silence_s or 0.0) if not pieces else lead_s
            continue
        pieces += found
        pauses += [(0.0, PAUSE_S)] * len(found)
        pauses[-1] = (0.0, PAUSE_S if silence_s is None else silence_s)
        was_asked = silence_s is not None
    if pauses:
        pauses[0] = (lead_s, pauses[0][1])
        pauses[-1] = (pauses[-1][0], pauses[-1][1] if was_asked else 0.0)
    return pieces, pauses


def _time_words(spoken: SpokenSentence, start_s: float, length_s: float, sentence: str) -> tuple[WordTiming, ...]:
    """Return when each word is heard; where the model does not tell, the sentence is one word."""
    if not spoken.samples.size:
        return ()
    if not spoken.words or not spoken.alignment.size:
        return (WordTiming(sentence, start_s, start_s + length_s),)
    path = np.maximum.accumulate(spoken.alignment.argmax(axis=1))
    step_s = length_s / len(path)
    found = []
    for text, first, end in spoken.words:
        begin, stop = (int(np.searchsorted(path, place)) for place in (first, end))
        found.append(WordTiming(text, start_s + begin * step_s, start_s + stop * step_s))
    return tuple(found)


def load(files: Mapping[str, Path], spec: ModelSpec) -> HubSpeech:
    """Open a downloaded repository as a model that speaks.

    Raises:
        ModelError: a package is missing, or the files do not fit the installed library.
    """
    folder, kind = locate_model(files, spec, Task.SPEECH, "is no voice but of")
    placement = choose_placement(prefer="float16")
    companion = find_folder(files, spec.hubs[1]) if len(spec.hubs) > 1 else None
    speaker = make_speaker(kind, import_backend(kind), folder, placement, companion)
    return HubSpeech(speaker, spec.title)
