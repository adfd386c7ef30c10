"""The generator of video: previews of the sampler first, then each stretch of the clip as it is done.

A clip longer than the stretch that the model was trained on is made piece by piece: each next stretch is given the last
frames of the one before (Ho et al. 2022, "Video Diffusion Models", section 3.1; here the model was trained with given
frames). A loop is made as a whole, on a ring (`models.video.seamless_loop`).
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.contracts import VideoChunk, VideoRequest
from models.hub.spec import ModelSpec
from models.video.cutouts import CutoutPack
from models.video.diffusion import Guidance, add_noise, predict, sample
from models.video.first_picture import move_picture
from models.video.noise_warping import SHIFTS, draw_warped_noise
from models.video.prompt_parsing import PARSER_WEIGHTS, ParsedPrompt, PromptParser, load_prompt_parser
from models.video.prompt_reader import SCENE_ATTRIBUTES, UNET_WEIGHTS, PromptReader, find_cutouts
from models.video.scene_spec import CAMERAS, DEFAULT_FRAMES, DIRECTIONS, FRAMES_PER_SECOND, SPEEDS
from models.video.seamless_loop import Denoise, draw_ring_noise, make_ring_denoiser
from models.video.staged_clip import StagedClip
from models.video.text_embedding import TEXT_WEIGHTS, TextTable, load_text_table
from models.video.thing_parsing import ThingPrompt
from models.video.unet3d import Condition, UNet3D, UNet3DConfig
from models.video.upscaler import LIGHT_WEIGHTS, UPSCALER_WEIGHTS, Upscaler, load_upscaler
from models.weights_io import load_network

OVERLAP = 4
PICTURE_TIME = 0.5  # of the sampler's way, 0 for noise alone to 1: how much of a given picture is there from the start
DEFAULT_CAMERA = "zoom in"  # over a given picture
ASKED = ("motion", "speed", "camera", "colour", "direction")  # of the attributes; time and kind are in the prompt


def to_pixels(clip: Tensor) -> NDArray[np.uint8]:
    """Convert (1, 3, F, R, S) in [-1, 1] to uint8 (F, R, S, 3)."""
    return ((clip[0].clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 3, 0).contiguous().numpy()


def repeat_condition(condition: Condition, count: int) -> Condition:
    """Repeat a condition for so many clips."""
    return Condition(
        condition.words.expand(count, -1, -1), condition.said.expand(count, -1), condition.attributes.expand(count, -1)
    )


class VideoGenerator(StagedClip):
    """Text to video, one request at a time."""

    takes_turns: ClassVar[bool] = True

    def __init__(
        self,
        model: UNet3D,
        table: TextTable,
        stretch: int = DEFAULT_FRAMES,
        upscaler: Upscaler | None = None,
        parser: PromptParser | None = None,
        light_upscaler: Upscaler | None = None,
        cutouts: CutoutPack | None = None,
    ) -> None:
        """Put the parts together.

        `stretch` is the frames of one run of the sampler, a multiple of the model's patch; `upscaler` makes the frames
        larger, for whoever shows them, and `light_upscaler` for whoever is in a hurry; `parser` puts prompts into the
        model's own words; `cutouts` are things that are laid over the scenes of a model that cannot draw them.
        """
        self.model, self.table, self.stretch = model.eval().requires_grad_(False), table, stretch
        self.upscaler, self.parser = upscaler, parser
        self.light_upscaler = light_upscaler or upscaler
        super().__init__(PromptReader(parser, cutouts, len(model.config.attributes) > SCENE_ATTRIBUTES))
        self._lock = threading.Lock()

    def stream(self, request: VideoRequest) -> Iterator[VideoChunk]:
        """Yield previews and frames; closing the iterator stops the work.

        Raises:
            ValueError: an attribute that the model does not have.
        """
        wanted, unwanted = self.build_conditions(request)
        notes = self.list_notes(request)
        guidance = Guidance(request.guidance, request.rescale)

        def denoise(z: Tensor, t: float, known: Tensor) -> Tensor:
            both = repeat_condition(wanted, len(z)), repeat_condition(unwanted, len(z))
            with self._lock, torch.inference_mode():
                return predict(self.model, z, t, *both, guidance, known if known.any() else None)

        with closing((self._stream_ring if request.loop else self._stream_line)(request, denoise)) as chunks:
            for chunk in chunks:
                yield replace(chunk, notes=notes)

    def list_notes(self, request: VideoRequest) -> tuple[str, ...]:
        """List what the person should know of how the prompt was understood."""
        if request.image is not None:
            return (
                "The camera moves over your picture, and the model adds a little; the prompt has little to say there.",
            )
        notes, told = super().list_notes(request), self.understand(request.prompt)[0]
        return notes if told == request.prompt else (*notes, f'The model was told "{told}".')

    def _stream_line(self, request: VideoRequest, denoise: Denoise) -> Generator[VideoChunk, None, None]:
        """Draw stretch after stretch."""
        random = torch.Generator().manual_seed(request.seed)
        stretches = 1 + max(0, -(-(request.frames - self.stretch) // (self.stretch - OVERLAP)))
        given, known = self._gather_known(request, self.stretch)
        made = 0
        for stretch in range(stretches):
            held_clip, held, fresh = given.clone(), known.clone(), OVERLAP if stretch else 0

            def denoise_stretch(z: Tensor, t: float, held: Tensor = held) -> Tensor:
                return denoise(z, t, held)

            noise = self.draw_noise(request, given.shape[2], random)
            noise, begin = self.begin_with_picture(request, noise, stretch * (self.stretch - OVERLAP))
            clips = sample(denoise_stretch, noise, request.steps, given=held_clip, known=held, begin=begin)
            for step, clean in enumerate(clips, start=1):
                pixels = to_pixels(clean)[fresh:][: request.frames - made]
                finished = step == request.steps
                if finished:
                    made += len(pixels)
                    given[:, :, :OVERLAP] = clean[:, :, -OVERLAP:]
                    known = torch.arange(self.stretch)[None] < OVERLAP
                yield _make_chunk(request, pixels, step, stretch, stretches)

    def _stream_ring(self, request: VideoRequest, denoise: Denoise) -> Generator[VideoChunk, None, None]:
        """Draw the whole loop at once."""
        random = torch.Generator().manual_seed(request.seed)
        given, known = self._gather_known(request, request.frames)
        noise = self.draw_noise(request, request.frames, random)
        ring = make_ring_denoiser(denoise, self.stretch, self.model.config.patch[0], known)
        noise, begin = self.begin_with_picture(request, noise, 0)
        clips = sample(ring, noise, request.steps, given=given, known=known, begin=begin)
        for step, clean in enumerate(clips, start=1):
            yield _make_chunk(request, to_pixels(clean), step, 0, 1)

    def draw_noise(self, request: VideoRequest, frames: int, random: torch.Generator) -> Tensor:
        """Draw the noise (1, 3, frames, R, S) that a clip begins with, moving where the prompt says so."""
        shape = (1, 3, frames, request.size, request.size)
        own = draw_ring_noise(shape, self.stretch, random) if request.loop else torch.randn(shape, generator=random)
        if request.image is not None:  # a given picture moves as it likes
            return own
        parsed = self.understand(request.prompt)[1]
        way, speed = find_movement(parsed) if parsed is not None else ("", "normal")
        if request.direction:
            way = DIRECTIONS[request.direction]
        if request.speed:
            speed = list(SPEEDS)[request.speed - 1]
        return draw_warped_noise(own, way, speed, random, request.loop)

    def begin_with_picture(self, request: VideoRequest, noise: Tensor, first: int) -> tuple[Tensor, float]:
        """Return what the sampler begins with, and its level: noise, or the given picture under a camera and noise.

        Args:
            noise: (1, 3, F, R, S).
            first: number of its first frame in the clip.
        """
        if request.image is None:
            return noise, 1.0
        frames = move_picture(request.image, first + noise.shape[2], self.find_picture_camera(request))[first:]
        clip = torch.from_numpy(frames.astype(np.float32)).permute(3, 0, 1, 2)[None] / 127.5 - 1
        return add_noise(clip, noise, torch.tensor([PICTURE_TIME])), 1 - PICTURE_TIME

    def find_picture_camera(self, request: VideoRequest) -> str:
        """Find how the camera moves over a given picture, one of CAMERAS; in a loop it stands still."""
        parsed = self.understand(request.prompt)[1]
        camera = CAMERAS[request.camera - 1] if request.camera else (parsed.camera if parsed is not None else "")
        return "still" if request.loop else camera or DEFAULT_CAMERA

    def _gather_known(self, request: VideoRequest, frames: int) -> tuple[Tensor, Tensor]:
        """Gather the known frames (1, 3, frames, R, S) and mark which they are, bool (1, frames)."""
        given = torch.zeros(1, 3, frames, request.size, request.size)
        known = torch.zeros(1, frames, dtype=torch.bool)
        if request.image is not None:
            given[0, :, 0] = torch.from_numpy(request.image.astype(np.float32)).permute(2, 0, 1) / 127.5 - 1
            known[0, 0] = True
        return given, known

    def build_conditions(self, request: VideoRequest) -> tuple[Condition, Condition]:
        """Return what is wanted, and what guidance leads away from.

        Raises:
            ValueError: an attribute that the model does not have.
        """
        config = self.model.config
        told, parsed = self.understand(request.prompt)
        if request.image is not None:  # what a picture shows is there already
            told, parsed = (request.prompt, None) if self.draws_things else self.reader.understand_all(request.prompt)
        asked = tuple(getattr(request, name) for name in ASKED)
        for name, value, count in zip(ASKED, asked, config.attributes, strict=False):
            if not 0 <= value <= count:
                raise ValueError(f"{name} is {value}; it must be from 0 to {count}.")
        values = [*asked, *[0] * (len(config.attributes) - len(asked))]
        if parsed is not None:
            read = encode_attributes(parsed, len(values))
            values = [value or other for value, other in zip(values, read, strict=True)]
        words, said = self.table.embed([told, request.negative_prompt], config.max_words)
        attributes = torch.tensor([values, [0] * len(values)])
        return (
            Condition(words[:1], said[:1], attributes[:1]),
            Condition(words[1:], said[1:], attributes[1:]),
        )


def encode_attributes(parsed: ParsedPrompt | ThingPrompt, count: int) -> tuple[int, ...]:
    """Return the numbers of the first `count` attributes, in the order of the recipe; 0 where none is said."""
    read = 0, *parsed.number_attributes()
    return (*read, *(0,) * count)[:count]


def find_movement(parsed: ParsedPrompt | ThingPrompt) -> tuple[str, str]:
    """Find where the picture moves ("" for nowhere) and how fast: as its subject, else as its camera.

    Things move before a picture that stays.
    """
    way = "" if isinstance(parsed, ThingPrompt) else parsed.direction
    return way or SHIFTS.get(parsed.camera, ""), parsed.speed or "normal"


def _make_chunk(
    request: VideoRequest, pixels: NDArray[np.uint8], step: int, stretch: int, stretches: int
) -> VideoChunk:
    finished = step == request.steps
    return VideoChunk(
        frames=pixels if finished else pixels[:0],
        preview=pixels,
        frames_per_second=FRAMES_PER_SECOND,
        step=step,
        steps=request.steps,
        done=stretch * request.steps + step,
        total=stretches * request.steps,
        last=finished and stretch == stretches - 1,
    )


def load_bundled(files: Mapping[str, Path], spec: ModelSpec) -> VideoGenerator:
    """Load the shipped network, its text table and, where they are among the files, its upscaler and its prompt parser.

    Raises:
        ModelError: a file is missing, damaged or of another version.
    """
    model = load_network(files[UNET_WEIGHTS], lambda values: UNet3D(UNet3DConfig.from_dict(values)), "the network")
    upscaler = load_upscaler(files[UPSCALER_WEIGHTS]) if UPSCALER_WEIGHTS in files else None
    light = load_upscaler(files[LIGHT_WEIGHTS]) if LIGHT_WEIGHTS in files else None
    table = load_text_table(files[TEXT_WEIGHTS])
    parser = load_prompt_parser(files[PARSER_WEIGHTS], table) if PARSER_WEIGHTS in files else None
    cutouts = find_cutouts(files)
    return VideoGenerator(model, table, upscaler=upscaler, parser=parser, light_upscaler=light, cutouts=cutouts)
