"""Models of transformers that restyle sound, behind the studio's contract: `AudioStyleRequest`, `AudioStyleChunk`.

SpeechT5 says with another voice what a voice says; MusicGen Melody plays a melody anew as words describe it. Both go
piece by piece through long sounds, and the first piece is heard while the next is made. Neither has the studio's
strength: they go the whole way, but for 0, which leaves the sound as it is.

Letters: N samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.audio import rms_db
from models.backends.device_placement import Placement, choose_placement
from models.backends.library import find_folder, import_backend, import_library, locate_model, open_pretrained
from models.backends.musicgen_streaming import MusicGenStreamer
from models.backends.speakers import SpeakerEmbeddings, open_speecht5_vocoder
from models.backends.worker_thread import Channel, run_in_thread, seed_torch
from models.contracts import AudioStyleChunk, AudioStyleRequest, ModelInfo, Task, Voice
from models.hub.spec import ModelSpec
from models.style.sound_input import SILENCE_DB, prepare_mono

FloatArray = NDArray[np.float32]
Sounds = Channel[tuple[FloatArray, int]]  # the next samples, and how much of the content is done
NOTHING = np.zeros(0, np.float32)

VOICE_LONGEST_S, VOICE_CUT_FROM = 10.0, 0.5  # a piece of speech ends at its quietest moment after this share of it
LOOK_S, EDGE_S = 0.05, 0.01
VOICE_MIN_RATIO, VOICE_MAX_RATIO = 0.3, 2.5  # of the decoder's length to the content's, as the library counts it
MELODY_LONGEST_S, MELODY_OVERLAP_S = 28.0, 2.0
GUIDANCE_LEAST, GUIDANCE_RANGE = 1.0, 4.0


class _SoundStyle:
    """What both share: content in, chunks out."""

    sample_rate: int
    model: Any

    def __init__(self, title: str) -> None:
        self.title = title

    @property
    def info(self) -> ModelInfo:
        """Return facts for the model card."""
        return ModelInfo(sum(weight.numel() for weight in self.model.parameters()), self.sample_rate)

    def stream(self, request: AudioStyleRequest) -> Iterator[AudioStyleChunk]:
        """Restyle a request; the last chunk has `last` set and no samples.

        Raises:
            ValueError: content or style cannot be used; one sentence.
            ModelError: memory ran out.
        """
        notes = self._write_notes(request)
        samples = prepare_mono(request.content, request.content_rate, self.sample_rate, "content")
        total = len(samples)

        def chunk(made: FloatArray, done: int, last: bool = False) -> AudioStyleChunk:
            return AudioStyleChunk(made, self.sample_rate, "restyling", done, total, notes=notes, last=last)

        if request.strength == 0:
            yield chunk(samples, total)
        else:
            done = 0
            items = run_in_thread(lambda channel: self._restyle(samples, request, channel))
            with closing(items) as portions:
                for portion in portions:
                    made, done = (NOTHING, done) if portion is None else portion
                    yield chunk(np.clip(made, -1.0, 1.0).astype(np.float32), done)
        yield chunk(NOTHING, total, last=True)

    def _restyle(self, samples: FloatArray, request: AudioStyleRequest, channel: Sounds) -> None:
        raise NotImplementedError

    def _write_notes(self, request: AudioStyleRequest) -> tuple[str, ...]:
        raise NotImplementedError


class VoiceConverter(_SoundStyle):
    """SpeechT5 (Ao et al. 2022) for speech to speech: the words of a voice, frame by frame, with another voice."""

    def __init__(self, made: Any, folder: Path, companion: Path | None, placement: Placement, title: str) -> None:
        super().__init__(title)
        self.extractor = open_pretrained(import_library("transformers").SpeechT5FeatureExtractor, folder)
        self.model = open_pretrained(made, folder, use_safetensors=True).to(placement.device).eval()
        self.vocoder = open_speecht5_vocoder(companion, placement)
        self.sample_rate = int(self.vocoder.config.sampling_rate)
        self.embeddings = SpeakerEmbeddings(folder)

    @property
    def voices(self) -> tuple[Voice, ...]:
        """Return what it can sound like, known once it is loaded."""
        return self.embeddings.voices

    def to_gpu(self) -> None:
        """Move to the GPU that a Space lends."""
        self.model.to("cuda")
        self.vocoder.to("cuda")

    def _restyle(self, samples: FloatArray, request: AudioStyleRequest, channel: Sounds) -> None:
        done = 0
        for number, piece in enumerate(split_at_pauses(samples, self.sample_rate)):
            done += len(piece)
            with seed_torch(request.seed + number):
                made = self._convert(piece, request, channel)
            channel.put((made, done))

    def _convert(self, piece: FloatArray, request: AudioStyleRequest, channel: Sounds) -> FloatArray:
        """Return a piece with the other voice, filled with silence to its length so that the next comes in time."""
        import torch

        if rms_db(piece) < SILENCE_DB:
            return np.zeros_like(piece)
        inputs = self.extractor(audio=piece, sampling_rate=self.sample_rate, return_tensors="pt").to(self.model.device)
        vector = self.embeddings.get(self.model, request.preset, request.seed)
        hook = self.model.speech_decoder_postnet.feat_out.register_forward_hook(lambda *_: channel.check())
        try:
            with torch.inference_mode():
                mel = self.model.generate_speech(
                    inputs["input_values"],
                    vector,
                    attention_mask=torch.ones_like(inputs["input_values"], dtype=torch.long),
                    minlenratio=VOICE_MIN_RATIO,
                    maxlenratio=VOICE_MAX_RATIO,
                )
                made = self.vocoder(mel).reshape(-1).float().cpu().numpy()
        finally:
            hook.remove()
        edge = min(round(EDGE_S * self.sample_rate), len(made))
        made[len(made) - edge :] *= np.linspace(1, 0, edge, dtype=np.float32)
        return np.pad(made, (0, max(0, len(piece) - len(made))))

    def _write_notes(self, request: AudioStyleRequest) -> tuple[str, ...]:
        said = [f"{self.title} speaks with voices of its own. It has no strength in between: it goes the whole way."]
        if request.strength == 0:
            said = ["At strength 0 the sound stays as it is."]
        elif request.preset not in {voice.key for voice in self.voices}:
            said.append(f"It spoke with its first voice, “{self.voices[0].title}”.")
        if request.style is not None or request.words:
            said.append("It cannot learn a voice from a sound or from words; yours was left out.")
        return tuple(said)


class MelodyPlayer(_SoundStyle):
    """MusicGen Melody (Copet et al. 2023): keeps which of the twelve tones is loudest, and plays it as words say."""

    def __init__(self, made: Any, folder: Path, placement: Placement, title: str) -> None:
        super().__init__(title)
        self.processor = open_pretrained(import_library("transformers").AutoProcessor, folder)
        self.model = open_pretrained(
            made, folder, use_safetensors=True, dtype=placement.dtype, attn_implementation="eager"
        )
        self.model.to(placement.device).eval()
        self.sample_rate = int(self.model.config.audio_encoder.sampling_rate)
        self.frame_rate = float(self.model.config.audio_encoder.frame_rate)

    def to_gpu(self) -> None:
        """Move to the GPU that a Space lends."""
        self.model.to("cuda")

    def _restyle(self, samples: FloatArray, request: AudioStyleRequest, channel: Sounds) -> None:
        rate = self.sample_rate
        overlap = round(MELODY_OVERLAP_S * rate)
        pieces = split_overlapping(len(samples), round(MELODY_LONGEST_S * rate), overlap)
        crossfader = Crossfader(overlap)
        for number, (start, end) in enumerate(pieces):
            crossfader.begin(is_last=number == len(pieces) - 1)
            left = end - start

            def put(sound: FloatArray, frames: int, start: int = start, end: int = end) -> None:
                nonlocal left
                mono = sound.mean(axis=0)[:left]
                left -= len(mono)
                channel.put((crossfader.push(mono), min(end, start + round(frames / self.frame_rate * rate))))

            frames = -(-(end - start) * self.frame_rate // rate)
            inputs = self._prepare_inputs(samples[start:end], request.words)
            streamer = MusicGenStreamer(self.model, int(frames), put, channel.check)
            streamer.generate(inputs, request.seed + number, guidance_scale=compute_guidance(request.strength))
            channel.put((crossfader.end(), end))

    def _prepare_inputs(self, melody: FloatArray, words: str) -> dict[str, Any]:
        made = self.processor(
            audio=melody, sampling_rate=self.sample_rate, text=[words], padding=True, return_tensors="pt"
        ).to(self.model.device)
        return {name: each.to(self.model.dtype) if each.is_floating_point() else each for name, each in made.items()}

    def _write_notes(self, request: AudioStyleRequest) -> tuple[str, ...]:
        if not request.words.strip():
            raise ValueError(f"{self.title} plays a melody as words say: write the style in words.")
        if request.strength == 0:
            return ("At strength 0 the sound stays as it is.",)
        return (
            f"{self.title} plays the melody anew: which tone sounds when is kept, words and timbre are not.",
            f"It has no strength of its own; {request.strength:g} was taken as how closely it follows the words "
            f"(guidance {compute_guidance(request.strength):g}).",
        )


class Crossfader:
    """Pieces that overlap, joined while they grow: the end of one melts into the beginning of the next."""

    def __init__(self, overlap: int) -> None:
        self._overlap = overlap
        self._tail, self._held, self._mixed = NOTHING, NOTHING, 0
        self._is_last = True

    def begin(self, is_last: bool) -> None:
        """Begin another piece."""
        self._tail, self._held, self._mixed, self._is_last = self._held, NOTHING, 0, is_last

    def push(self, samples: FloatArray) -> FloatArray:
        """Take in the next samples of the piece, and return what is settled."""
        count = min(len(samples), len(self._tail) - self._mixed)
        if count > 0:
            turn = (np.arange(self._mixed, self._mixed + count, dtype=np.float32) + 0.5) / len(self._tail) * np.pi / 2
            tail = self._tail[self._mixed : self._mixed + count]
            samples = np.concatenate([tail * np.cos(turn) + samples[:count] * np.sin(turn), samples[count:]])
            self._mixed += count
        joined = np.concatenate([self._held, samples]).astype(np.float32)
        keep = 0 if self._is_last else min(self._overlap, len(joined))
        self._held = joined[len(joined) - keep :]
        return joined[: len(joined) - keep]

    def end(self) -> FloatArray:
        """End the piece; return what was held back of the last one."""
        if not self._is_last:
            return NOTHING
        rest, self._held = self._held, NOTHING
        return rest


def compute_guidance(strength: float) -> float:
    """Return how closely MusicGen follows the words: 1 is not at all, and 3 its own default."""
    return round(GUIDANCE_LEAST + GUIDANCE_RANGE * strength, 2)


def split_overlapping(total: int, longest: int, overlap: int) -> list[tuple[int, int]]:
    """Return pieces (start, end) of even length, at most `longest`, each begins `overlap` before the last ends."""
    if total <= longest:
        return [(0, total)]
    count = -(-(total - overlap) // (longest - overlap))
    starts = [number * (total - overlap) // count for number in range(count + 1)]
    return [(start, after + overlap) for start, after in pairwise(starts)]


def split_at_pauses(samples: FloatArray, rate: int) -> Iterator[FloatArray]:
    """Yield pieces of at most VOICE_LONGEST_S, cut at the quietest moments: the pauses, where there are any."""
    longest, look = round(VOICE_LONGEST_S * rate), round(LOOK_S * rate)
    while len(samples) > longest:
        first = round(VOICE_CUT_FROM * longest)
        powers = (samples[first : first + (longest - first) // look * look].reshape(-1, look) ** 2).mean(axis=1)
        cut = first + int(powers.argmin()) * look + look // 2
        yield samples[:cut]
        samples = samples[cut:]
    yield samples


def load(files: Mapping[str, Path], spec: ModelSpec) -> VoiceConverter | MelodyPlayer:
    """Open a downloaded repository as a model that restyles sound.

    Raises:
        ModelError: a package is missing, or the files do not fit the installed library.
    """
    folder, kind = locate_model(files, spec, Task.STYLE_AUDIO, "restyles no sound but is of")
    placement = choose_placement(prefer="float16")
    if kind.name == "musicgen_melody":
        return MelodyPlayer(import_backend(kind), folder, placement, spec.title)
    companion = find_folder(files, spec.hubs[1]) if len(spec.hubs) > 1 else None
    return VoiceConverter(import_backend(kind), folder, companion, placement, spec.title)
