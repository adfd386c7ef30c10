"""Text-to-music models of transformers and diffusers behind the studio's contract: `MusicRequest`, `MusicChunk`.

They make sound, no notes: their chunks have no bars, no tracks and no piece. MusicGen is heard while it is made; a
diffusion model is done all at once, and tells its steps until then.

Letters: K codebooks, T tokens, N samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.backends import calls
from models.backends.description import described, seconds
from models.backends.library import backend, library, main_hub, opened, opened_kind, parameters_of, variant_of
from models.backends.placing import choose, put
from models.backends.running import Feed, run, seeded
from models.contracts import ModelInfo
from models.errors import ModelError
from models.music.contracts import MusicChunk, MusicRequest
from models.spec import ModelSpec

FloatArray = NDArray[np.float32]
SILENCE = np.zeros((2, 0), np.float32)
FIRST_S, GROWTH = 1.0, 0.25  # of music before it is decoded first; then again when it has grown by this share
HELD_FRAMES = 8  # at the end of what is decoded: they change when more comes, for the decoder looks ahead


@dataclass(frozen=True)
class SoundPipeline:
    """A line of data for a pipeline: how it names the length, and how long it can go."""

    length: str
    longest_s: float
    steps: int


PIPELINES = {
    "StableAudioPipeline": SoundPipeline("audio_end_in_s", 47.0, 100),
    "AceStepPipeline": SoundPipeline("audio_duration", 240.0, 8),
}
MUSICGEN_LONGEST_S = 30.0


class _Sound:
    """What both kinds share: which requests they take, and the words about them."""

    def __init__(self, title: str, longest_s: float, notes: tuple[str, ...] = ()) -> None:
        self.title, self.longest_s, self._notes = title, longest_s, notes

    def _check(self, request: MusicRequest) -> tuple[str, ...]:
        if request.action != "compose":
            raise ModelError(
                f"{self.title} makes sound, not notes, so it can only compose anew. For this choose a model that "
                "writes notes.",
                "format",
            )
        asked_s = seconds(request, 1e9)
        said = [f"{self.title} was asked for: {described(request)}.", "It makes sound, not notes: there is no MIDI."]
        if asked_s > self.longest_s:
            said.append(f"It makes at most {self.longest_s:g} s at once; the asked bars last {asked_s:.0f} s.")
        return (*said, *self._notes)


class MusicGen(_Sound):
    """MusicGen (Copet et al. 2023): a language model over EnCodec's codes, K of them delayed against each other."""

    def __init__(self, model: Any, processor: Any, title: str) -> None:
        super().__init__(title, MUSICGEN_LONGEST_S)
        self.model, self.processor = model, processor
        self.sample_rate = int(model.config.audio_encoder.sampling_rate)
        self.frame_rate = float(model.config.audio_encoder.frame_rate)

    @property
    def info(self) -> ModelInfo:
        """Facts for the shelf."""
        return ModelInfo(sum(weight.numel() for weight in self.model.parameters()), self.sample_rate)

    def to_gpu(self) -> None:
        """Move to the GPU that a Space lends."""
        self.model.to("cuda")

    def stream(self, request: MusicRequest) -> Iterator[MusicChunk]:
        """Yield the sound as it grows; the sum of the chunks is what one call of the library gives.

        Raises:
            ModelError: another action than "compose" was asked for.
        """
        remarks = self._check(request)
        frames = round(seconds(request, self.longest_s) * self.frame_rate)

        def work(feed: Feed[tuple[FloatArray, int]]) -> None:
            _MusicGenRun(self, feed, frames).go(request)

        done = 0
        running = run(work)
        with closing(running) as portions:
            for portion in portions:
                samples, done = (SILENCE, done) if portion is None else portion
                yield MusicChunk(
                    samples, self.sample_rate, remarks=remarks, done=done, total=frames, last=done >= frames
                )


class _MusicGenRun:
    """One request: it looks at the tokens at every step of the library's loop, and decodes what has come."""

    def __init__(self, owner: MusicGen, feed: Feed[tuple[FloatArray, int]], frames: int) -> None:
        self.model, self.processor, self.feed, self.frames = owner.model, owner.processor, feed, frames
        self.rate, self.frame_rate = owner.sample_rate, owner.frame_rate
        self.channels = int(getattr(owner.model.config.decoder, "audio_channels", 1))
        self.sent = 0  # samples
        self.decoded_at = 0  # tokens

    def go(self, request: MusicRequest) -> None:
        """Generate, and put (samples, frames done) into the feed; what the library returns closes it."""
        import torch

        inputs = self.processor(text=[described(request)], padding=True, return_tensors="pt").to(self.model.device)
        late = int(self.model.decoder.num_codebooks) // self.channels - 1
        options = {"temperature": max(request.temperature, 0.05), "top_p": request.top_p, "do_sample": True}
        length = self.frames + late
        with seeded(request.seed), torch.inference_mode():
            made = self.model.generate(**inputs, **options, max_new_tokens=length, logits_processor=[self.look])
        sound = stereo(made[0].float().cpu().numpy())
        self.feed.put((np.ascontiguousarray(sound[:, self.sent :]), self.frames))

    def look(self, input_ids: Any, scores: Any) -> Any:
        """Called by the library before each token with all tokens so far (K, T); the scores stay as they are."""
        self.feed.check()
        count = input_ids.shape[1]
        if count - self.decoded_at >= max(FIRST_S * self.frame_rate, GROWTH * count):
            self.decoded_at = count
            self._send(undelayed(input_ids[:, 1:], self.channels))
        return scores

    def _send(self, codes: Any) -> None:
        """Decode codes (K, T) and send what is new and settled."""
        if codes.shape[1] == 0:
            return
        coder = self.model.audio_encoder
        parts = [codes] if self.channels == 1 else [codes[0::2], codes[1::2]]
        sounds = [coder.decode(part[None, None], audio_scales=[None]).audio_values.reshape(-1) for part in parts]
        samples = stereo(np.stack([each.float().cpu().numpy() for each in sounds]))
        settled = samples.shape[1] - HELD_FRAMES * round(self.rate / self.frame_rate)
        if settled > self.sent:
            self.feed.put((np.ascontiguousarray(samples[:, self.sent : settled]), min(codes.shape[1], self.frames - 1)))
            self.sent = settled


def stereo(sound: FloatArray) -> FloatArray:
    """(1 or 2, N) to (2, N), within [-1, 1]."""
    both = np.repeat(sound, 2, axis=0) if len(sound) == 1 else sound[:2]
    return np.clip(both, -1.0, 1.0).astype(np.float32)


def undelayed(tokens: Any, channels: int = 1) -> Any:
    """Codes without their delay pattern: book k comes k steps late, (K, T + K - 1) -> (K, T); stereo books in pairs.

    Args:
        tokens: as they are generated, without the first beginning-of-sequence token.
    """
    import torch

    books = tokens.shape[0]
    late = [book // channels for book in range(books)]
    length = max(0, tokens.shape[1] - max(late))
    return torch.stack([tokens[book, late[book] : late[book] + length] for book in range(books)])


class SoundDiffusion(_Sound):
    """A text-to-audio pipeline of diffusers."""

    def __init__(self, pipeline: Any, line: SoundPipeline, title: str, notes: tuple[str, ...]) -> None:
        super().__init__(title, line.longest_s, notes)
        self.pipeline, self.line = pipeline, line
        self.steps = int(calls.default(pipeline, "num_inference_steps", line.steps))
        coder = getattr(pipeline, "vae", None)
        rate = getattr(pipeline, "sample_rate", None) or getattr(coder, "sampling_rate", None)
        self.sample_rate = int(rate or coder.config.sampling_rate)  # type: ignore[union-attr]

    @property
    def info(self) -> ModelInfo:
        """Facts for the shelf."""
        return ModelInfo(parameters_of(self.pipeline), self.sample_rate)

    def to_gpu(self) -> None:
        """Move to the GPU that a Space lends."""
        self.pipeline.to("cuda")

    def stream(self, request: MusicRequest) -> Iterator[MusicChunk]:
        """Yield empty chunks while the sampler works, then the whole sound.

        Raises:
            ModelError: another action than "compose" was asked for.
        """
        import torch

        remarks = self._check(request)
        length_s = seconds(request, self.longest_s)
        steps = self.steps

        def work(feed: Feed[tuple[FloatArray, int]]) -> None:
            wanted = {
                "prompt": described(request),
                self.line.length: length_s,
                "num_inference_steps": steps,
                "generator": torch.Generator("cpu").manual_seed(request.seed),
                "output_type": "pt",
                "bpm": round(request.tempo) if not request.prompt else None,
                "keyscale": request.key or None,
            }
            with seeded(request.seed), torch.inference_mode():
                made = calls.call(self.pipeline, wanted, lambda step, _latents: feed.put((SILENCE, step)))
            sound = np.asarray(torch.as_tensor(made.audios[0]).float().cpu()).reshape(-1, made.audios[0].shape[-1])
            feed.put((stereo(sound), steps + 1))

        done = 0
        running = run(work)
        with closing(running) as portions:
            for portion in portions:
                samples, done = (SILENCE, done) if portion is None else portion
                yield MusicChunk(
                    samples, self.sample_rate, remarks=remarks, done=done, total=steps + 1, last=done > steps
                )


def load(files: Mapping[str, Path], spec: ModelSpec) -> MusicGen | SoundDiffusion:
    """A downloaded repository as a maker of music.

    Raises:
        ModelError: a package is missing, or the files do not fit the installed library.
    """
    folder, kind = opened_kind(files, spec, "music", "makes no music but is of")
    made = backend(kind)
    place = choose(spec.memory_mb, prefer="float16")
    if kind.library == "transformers":
        processor = opened(library("transformers").AutoProcessor, folder)
        model = opened(made, folder, use_safetensors=True, dtype=place.dtype, attn_implementation="eager")
        return MusicGen(model.to(place.device).eval(), processor, spec.title)
    pipeline = opened(made, folder, use_safetensors=True, dtype=place.dtype, variant=variant_of(main_hub(spec)))
    return SoundDiffusion(pipeline, PIPELINES[kind.name], spec.title, put(pipeline, place, draws=False))
