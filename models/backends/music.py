"""Text-to-music models of transformers and diffusers behind the studio's contract: `MusicRequest`, `MusicChunk`.

They make sound, no notes: their chunks have no bars, no tracks and no piece. MusicGen is heard while it is made; a
diffusion model is done all at once, and tells its steps until then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.backends import pipeline_call
from models.backends.device_placement import choose_placement
from models.backends.library import (
    count_parameters,
    import_backend,
    import_library,
    locate_model,
    open_pretrained,
)
from models.backends.music_prompt import compute_duration_s, write_prompt
from models.backends.musicgen_streaming import MusicGenStreamer, to_stereo
from models.backends.pipelines import open_pipeline
from models.backends.worker_thread import Channel, run_in_thread, seed_torch
from models.contracts import ModelInfo, Task
from models.errors import ModelError
from models.hub.spec import ModelSpec
from models.music.contracts import MusicChunk, MusicRequest

FloatArray = NDArray[np.float32]
SILENCE = np.zeros((2, 0), np.float32)


@dataclass(frozen=True)
class AudioPipelineDefaults:
    """How one pipeline names the length, how many seconds it makes at most, and how many steps it usually takes."""

    length: str
    longest_s: float
    steps: int


PIPELINES = {
    "StableAudioPipeline": AudioPipelineDefaults("audio_end_in_s", 47.0, 100),
    "StableAudio3Pipeline": AudioPipelineDefaults("duration", 384.0, 100),
    "AceStepPipeline": AudioPipelineDefaults("audio_duration", 600.0, 8),
}
MUSICGEN_LONGEST_S = 30.0
SHORT_STEPS = 8  # as the library itself takes where the scheduler draws noise anew at every step


class _TextToMusic:
    """What both kinds share: which requests they take, and the sentences about them."""

    def __init__(self, title: str, longest_s: float, notes: tuple[str, ...] = ()) -> None:
        self.title, self.longest_s, self._notes = title, longest_s, notes
        self.sings = False

    def _check(self, request: MusicRequest) -> tuple[str, ...]:
        if request.action != "compose":
            raise ModelError(
                f"{self.title} makes sound, not notes, so it can only compose anew. For this choose a model that "
                "writes notes.",
                "format",
            )
        asked_s = compute_duration_s(request, 1e9)
        said = [f"{self.title} was asked for: {write_prompt(request)}.", "It makes sound, not notes: there is no MIDI."]
        if asked_s > self.longest_s:
            said.append(f"It makes at most {self.longest_s:g} s at once; the asked bars last {asked_s:.0f} s.")
        if request.lyrics.strip() and not self.sings:
            said.append("It sings no words; the lyrics were left out.")
        return (*said, *self._notes)


class MusicGen(_TextToMusic):
    """MusicGen (Copet et al. 2023): a language model over EnCodec's codes, K of them delayed against each other."""

    def __init__(self, model: Any, processor: Any, title: str) -> None:
        super().__init__(title, MUSICGEN_LONGEST_S)
        self.model, self.processor = model, processor
        self.sample_rate = int(model.config.audio_encoder.sampling_rate)
        self.frame_rate = float(model.config.audio_encoder.frame_rate)

    @property
    def info(self) -> ModelInfo:
        """Return facts for the model card."""
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
        frames = round(compute_duration_s(request, self.longest_s) * self.frame_rate)

        def work(channel: Channel[tuple[FloatArray, int]]) -> None:
            prompt = [write_prompt(request)]
            inputs = self.processor(text=prompt, padding=True, return_tensors="pt").to(self.model.device)
            streamer = MusicGenStreamer(self.model, frames, lambda *item: channel.put(item), channel.check)
            streamer.generate(inputs, request.seed, temperature=max(request.temperature, 0.05), top_p=request.top_p)

        done = 0
        items = run_in_thread(work)
        with closing(items) as portions:
            for portion in portions:
                samples, done = (SILENCE, done) if portion is None else portion
                yield MusicChunk(
                    samples, self.sample_rate, remarks=remarks, done=done, total=frames, last=done >= frames
                )


class SoundDiffusion(_TextToMusic):
    """A text-to-audio pipeline of diffusers."""

    def __init__(self, pipeline: Any, defaults: AudioPipelineDefaults, title: str, notes: tuple[str, ...]) -> None:
        known = getattr(pipeline, "duration_embedder", None)  # what it was told of lengths ends somewhere
        super().__init__(title, defaults.longest_s if known is None else float(known.config.max_val), notes)
        self.pipeline, self.defaults = pipeline, defaults
        self.sings = pipeline_call.accepts(pipeline, "lyrics")
        is_short = pipeline.scheduler.config.get("stochastic_sampling", False)  # distilled to a few steps
        usual = SHORT_STEPS if is_short else defaults.steps
        self.steps = int(pipeline_call.read_default(pipeline, "num_inference_steps", usual))
        self.sample_rate = int(getattr(pipeline, "sample_rate", None) or pipeline.vae.config.sampling_rate)

    @property
    def info(self) -> ModelInfo:
        """Return facts for the model card."""
        return ModelInfo(count_parameters(self.pipeline), self.sample_rate)

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
        length_s = compute_duration_s(request, self.longest_s)
        steps = self.steps

        def work(channel: Channel[tuple[FloatArray, int]]) -> None:
            wanted = {
                "prompt": write_prompt(request),
                self.defaults.length: length_s,
                "num_inference_steps": steps,
                "generator": torch.Generator("cpu").manual_seed(request.seed),
                "output_type": "pt",
                "bpm": round(request.new_tempo) if not request.prompt else None,
                "keyscale": request.key or None,
                "lyrics": request.lyrics.strip() or None,
                "vocal_language": request.vocal_language or None,
            }
            with seed_torch(request.seed), torch.inference_mode():
                made = pipeline_call.call_pipeline(
                    self.pipeline, wanted, lambda step, _latents: channel.put((SILENCE, step))
                )
            sound = np.asarray(torch.as_tensor(made.audios[0]).float().cpu()).reshape(-1, made.audios[0].shape[-1])
            channel.put((to_stereo(sound), steps + 1))

        done = 0
        items = run_in_thread(work)
        with closing(items) as portions:
            for portion in portions:
                samples, done = (SILENCE, done) if portion is None else portion
                yield MusicChunk(
                    samples, self.sample_rate, remarks=remarks, done=done, total=steps + 1, last=done > steps
                )


def load(files: Mapping[str, Path], spec: ModelSpec) -> MusicGen | SoundDiffusion:
    """Open a downloaded repository as a model that makes music.

    Raises:
        ModelError: a package is missing, or the files do not fit the installed library.
    """
    folder, kind = locate_model(files, spec, Task.MUSIC, "makes no music but is of")
    if kind.library == "transformers":
        made, placement = import_backend(kind), choose_placement(prefer="float16")
        processor = open_pretrained(import_library("transformers").AutoProcessor, folder)
        model = open_pretrained(made, folder, use_safetensors=True, dtype=placement.dtype, attn_implementation="eager")
        return MusicGen(model.to(placement.device).eval(), processor, spec.title)
    pipeline, _, notes = open_pipeline(files, spec, folder, kind, prefer="float16", draws=False)
    return SoundDiffusion(pipeline, PIPELINES[kind.name], spec.title, notes)
