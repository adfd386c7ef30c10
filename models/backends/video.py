"""Text-to-video and image-to-video pipelines of diffusers behind the studio's contract: `VideoRequest`, `VideoChunk`.

They draw at sizes and rates of their own; a request's frames count at the studio's eight a second, so they say how many
seconds are wanted. Letters: F frames, H and W height and width.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.backends import pipeline_call
from models.backends.device_placement import Placement, place_pipeline
from models.backends.library import count_parameters, import_library, locate_model
from models.backends.musicgen_streaming import to_stereo
from models.backends.pipelines import open_pipeline
from models.backends.worker_thread import Channel, run_in_thread, seed_torch
from models.contracts import ModelInfo, Task, VideoChunk, VideoRequest
from models.errors import ModelError
from models.hub.formats import find_sampler_defaults
from models.hub.spec import ModelSpec
from models.media.clip_reader import read_picture
from models.media.limits import MAX_PICTURE_SIDE

Pixels = NDArray[np.uint8]
FloatArray = NDArray[np.float32]
STUDIO_RATE = 8.0  # what a request's frames are counted in
CPU_LONGEST_SIDE = 256  # a processor draws no larger than that: more would take hours
NOTHING = np.zeros((0, 1, 1, 3), np.uint8)
BROKEN = "{} lost its picture while it drew: its numbers grew beyond all bounds. Try another seed, or a lower guidance."


@dataclass(frozen=True)
class VideoPipelineDefaults:
    """The usual size, rate and length of one pipeline, and which numbers it takes.

    Attributes:
        width, height: in pixels.
        rate: frames in a second.
        most_frames: at once.
        group: the number of frames is a multiple of this, plus one where `plus_one`.
        side: sides are multiples of this.
        length: the name of the argument.
        least_frames: at once; fewer than that it cannot draw.
        template: what is made of a prompt, as the model's page asks for it.
        sizes: (W, H) by the side that the denoiser of a repository names, where not all draw the usual size.
    """

    width: int
    height: int
    rate: float
    most_frames: int
    group: int = 4
    plus_one: bool = True
    side: int = 16
    length: str = "num_frames"
    least_frames: int = 1
    template: str = "{}"
    sizes: Mapping[int, tuple[int, int]] = field(default_factory=dict)

    def fit_frames(self, seconds: float) -> int:
        """Return the nearest number of frames that the pipeline can make in so many seconds."""
        extra = 1 if self.plus_one else 0
        least = max(1, math.ceil((self.least_frames - extra) / self.group))
        groups = max(least, round((seconds * self.rate - extra) / self.group))
        most = (self.most_frames - extra) // self.group
        return min(groups, most) * self.group + extra

    def fit_size(self, device: str) -> tuple[int, int]:
        """Return (W, H) for this device."""
        scale = min(1.0, CPU_LONGEST_SIDE / max(self.width, self.height)) if device == "cpu" else 1.0
        sides = [max(self.side, round(each * scale / self.side) * self.side) for each in (self.width, self.height)]
        return sides[0], sides[1]


WAN = VideoPipelineDefaults(832, 480, 16, 81)
LTX = VideoPipelineDefaults(704, 480, 24, 161, group=8, side=32)
WAN_TI2V = VideoPipelineDefaults(1280, 704, 24, 121, side=32)  # Wan 2.2's small model of words and pictures
SKYREELS = VideoPipelineDefaults(960, 544, 24, 97)
COGVIDEO = VideoPipelineDefaults(720, 480, 8, 49, group=8)
KANDINSKY = VideoPipelineDefaults(768, 512, 24, 121)
LTX_2 = VideoPipelineDefaults(768, 512, 24, 121, group=8, side=32)
SANA = VideoPipelineDefaults(
    832, 480, 16, 81, length="frames", template="{} motion score: 30.", sizes={22: (1280, 704)}
)
PIPELINES: dict[str, VideoPipelineDefaults] = {
    "WanPipeline": WAN,
    "WanImageToVideoPipeline": WAN,
    "LTXPipeline": LTX,
    "LTXImageToVideoPipeline": LTX,
    "CogVideoXPipeline": COGVIDEO,
    "CogVideoXImageToVideoPipeline": COGVIDEO,
    "SkyReelsV2Pipeline": SKYREELS,
    "AnimateDiffPipeline": VideoPipelineDefaults(512, 512, 8, 32, group=1, plus_one=False),
    "TextToVideoSDPipeline": VideoPipelineDefaults(256, 256, 8, 64, group=1, plus_one=False, side=32),
    "HunyuanVideoPipeline": VideoPipelineDefaults(960, 544, 15, 129),
    "HunyuanVideo15Pipeline": VideoPipelineDefaults(848, 480, 24, 121),
    "Kandinsky5T2VPipeline": KANDINSKY,
    "Kandinsky5I2VPipeline": replace(KANDINSKY, least_frames=17),  # it levels the first four latents by the next
    "SanaVideoPipeline": SANA,
    "SanaImageToVideoPipeline": SANA,
    "LTX2Pipeline": LTX_2,
    "WanVACEPipeline": WAN,
    "MochiPipeline": VideoPipelineDefaults(848, 480, 30, 163, group=6),
    "LattePipeline": VideoPipelineDefaults(512, 512, 8, 16, group=16, plus_one=False, length="video_length"),
}


def read_defaults(pipeline: Any, name: str) -> VideoPipelineDefaults:
    """Return the usual numbers of a class, where the configuration of this repository says no others.

    One class runs models of several kinds: what their coder and their patches divide a picture by, the configuration
    tells, and Wan 2.2's model of words and pictures by `expand_timesteps`.
    """
    usual = WAN_TI2V if _is_wan_ti2v(pipeline) else PIPELINES[name]
    config = getattr(getattr(pipeline, "transformer", None), "config", {})
    patch = config.get("patch_size", 1)
    spatial, temporal = (getattr(pipeline, f"vae_scale_factor_{each}", 1) for each in ("spatial", "temporal"))
    side = int(spatial) * int(patch[-1] if isinstance(patch, (list, tuple)) else patch)
    side *= SPARSE_BLOCK if config.get("attention_type") == "nabla" else 1  # attention among blocks of patches
    group = math.lcm(usual.group, int(temporal)) if usual.plus_one else usual.group
    width, height = _read_size(pipeline, config, usual)
    return replace(usual, side=math.lcm(usual.side, side), group=group, width=width, height=height)


def _read_size(pipeline: Any, config: Any, usual: VideoPipelineDefaults) -> tuple[int, int]:
    """Return (W, H) that the configuration of a repository names, or the usual ones of its class."""
    if "target_size" in config:  # HunyuanVideo 1.5: the side of a square with as many pixels
        across, down = pipeline.default_aspect_ratio
        fitted = pipeline.video_processor.calculate_default_height_width(down, across, config["target_size"])
        return int(fitted[1]), int(fitted[0])
    return usual.sizes.get(config.get("sample_size", 0), (usual.width, usual.height))


def find_moving(pipeline: Any) -> Any | None:
    """Return a pipeline of the same weights that sets a picture in motion; None where these weights do not."""
    kind = type(pipeline).__name__
    name = "WanImageToVideoPipeline" if _is_wan_ti2v(pipeline) and kind == "WanPipeline" else MOVING.get(kind)
    if name is None:
        return None
    made = getattr(import_library("diffusers"), name)
    return made(**pipeline.components, **({"expand_timesteps": True} if _is_wan_ti2v(pipeline) else {}))


def _is_wan_ti2v(pipeline: Any) -> bool:
    return bool(getattr(getattr(pipeline, "config", None), "expand_timesteps", False))


# Classes whose weights do both.
MOVING = {"LTXPipeline": "LTXImageToVideoPipeline", "LTX2Pipeline": "LTX2ImageToVideoPipeline"}
SPARSE_BLOCK = 8


class DrawnStep(NamedTuple):
    """What a step of the sampler gives; frames, and the sound (2, N) of a model that makes one, come with the last."""

    done: int
    preview: Pixels = NOTHING
    frames: Pixels = NOTHING
    sound: FloatArray | None = None


class HubVideo:
    """A video pipeline of diffusers.

    Args:
        moving: a pipeline of the same parts for requests with a picture; None where the first takes none or needs one.
    """

    def __init__(
        self,
        pipeline: Any,
        defaults: VideoPipelineDefaults,
        placement: Placement,
        title: str,
        notes: tuple[str, ...] = (),
        moving: Any | None = None,
    ) -> None:
        self.pipeline, self.defaults, self.placement = pipeline, defaults, placement
        self.title, self._notes, self.moving = title, notes, moving
        self._placed = pipeline
        self._guider = getattr(pipeline, "guider", None)

    def _choose(self, request: VideoRequest) -> Any:
        """Return the pipeline for a request, its parts where this pipeline looks for them."""
        chosen = self.moving if request.image is not None and self.moving is not None else self.pipeline
        if chosen is not self._placed:
            place_pipeline(chosen, self.placement)
            self._placed = chosen
        return chosen

    @property
    def info(self) -> ModelInfo:
        """Return facts for the model card."""
        return ModelInfo(count_parameters(self.pipeline))

    def to_gpu(self) -> None:
        """Move to the GPU that a Space lends."""
        self.pipeline.to("cuda")
        self.placement = replace(self.placement, device="cuda")

    def stream(self, request: VideoRequest) -> Iterator[VideoChunk]:
        """Yield what the sampler's numbers look like at every step, then the frames.

        Raises:
            ModelError: a loop was asked for, or a picture to begin from is missing.
            MediaError: the picture to begin from cannot be read.
        """
        if request.loop:
            raise ModelError(f"{self.title} makes no loops. Switch the loop off, or choose another model.", "format")
        pipeline = self._choose(request)
        takes_picture = any(pipeline_call.accepts(pipeline, name) for name in ("image", "reference_images"))
        if request.image is None and pipeline_call.accepts(pipeline, "image"):
            raise ModelError(f"{self.title} sets a picture in motion: give it one to begin from.", "format")
        size = width, height = self.defaults.fit_size(self.placement.device)
        frames = self.defaults.fit_frames(request.frames / STUDIO_RATE)
        notes = tuple(self._write_notes(request, frames, width, height, takes_picture))
        picture = _open_first_picture(request, size) if takes_picture and request.image is not None else None

        def work(channel: Channel[DrawnStep]) -> None:
            channel.put(self._generate(pipeline, request, frames, size, picture, channel))

        drawn = DrawnStep(0)
        items = run_in_thread(work, ahead=1)  # who takes no frames just now has the sampler wait
        with closing(items) as steps:
            for step in steps:
                drawn = drawn._replace(frames=NOTHING, sound=None) if step is None else step
                is_heard = drawn.sound is not None
                yield VideoChunk(
                    frames=drawn.frames,
                    preview=drawn.preview,
                    frames_per_second=self.defaults.rate,
                    step=min(drawn.done, request.steps),
                    steps=request.steps,
                    done=drawn.done,
                    total=request.steps + 1,
                    last=len(drawn.frames) > 0,
                    notes=notes,
                    sound=drawn.sound,
                    sound_rate=int(pipeline.vocoder.config.output_sampling_rate) if is_heard else 0,
                )

    def _generate(
        self,
        pipeline: Any,
        request: VideoRequest,
        frames: int,
        size: tuple[int, int],
        picture: Any,
        channel: Channel[DrawnStep],
    ) -> DrawnStep:
        """Return the last step, with the frames and what the model makes to be heard with them."""
        import torch

        width, height = size

        def on_step(step: int, latents: Any) -> None:
            channel.put(DrawnStep(min(step, request.steps), preview_latents(latents, size)))

        wanted = {
            "prompt": self.defaults.template.format(request.prompt),
            "negative_prompt": request.negative_prompt or None,
            "image": picture,
            "image_crf": 0,  # the picture as it is, not as a film would store it
            "reference_images": None if picture is None else [picture],
            "frame_rate": self.defaults.rate if hasattr(pipeline, "vocoder") else None,  # its sound is as long
            "use_resolution_binning": False,  # the size is one of its own, or small on a processor
            self.defaults.length: frames,
            "width": width,
            "height": height,
            "num_inference_steps": request.steps,
            "guidance_scale": request.guidance,
            "guidance_rescale": request.rescale if request.guidance > 1 else None,
            "generator": torch.Generator("cpu").manual_seed(request.seed),
            "output_type": "np",
        }
        self._guide(pipeline, request.guidance)
        with seed_torch(request.seed), torch.inference_mode():
            made = pipeline_call.call_pipeline(pipeline, wanted, on_step)
        audio = getattr(made, "audio", None)
        sound = None if audio is None else to_stereo(np.asarray(torch.as_tensor(audio[0]).float().cpu()))
        clip = np.asarray(made.frames[0], dtype=np.float32)
        if not np.isfinite(clip).all():
            raise ModelError(BROKEN.format(self.title), "weights")
        return DrawnStep(request.steps + 1, frames=np.round(clip.clip(0, 1) * 255).astype(np.uint8), sound=sound)

    def _guide(self, pipeline: Any, guidance: float) -> None:
        """Tell a pipeline whose guidance is a part of its own; at the usual value the repository's own stays."""
        if self._guider is not None:
            usual = find_sampler_defaults(type(self.pipeline).__name__)
            kept = usual is not None and usual[1] == guidance
            pipeline.guider = self._guider if kept else self._guider.new(guidance_scale=guidance)

    def _write_notes(
        self, request: VideoRequest, frames: int, width: int, height: int, takes_picture: bool
    ) -> Iterator[str]:
        yield f"{self.title} drew {frames} frames of {width} x {height}, {self.defaults.rate:g} a second."
        if self.placement.device == "cpu" and max(width, height) < max(self.defaults.width, self.defaults.height):
            usual = f"{self.defaults.width} x {self.defaults.height}"
            yield f"On a processor it draws small; on a GPU its frames have {usual}."
        if any((request.motion, request.speed, request.camera, request.colour, request.direction)):
            yield "It has no knobs for motion, speed, direction, camera and colours: say such things in the prompt."
        if request.image is not None and not takes_picture:
            yield "It takes no picture to begin from; yours was left out."
        yield from self._notes


def _open_first_picture(request: VideoRequest, size: tuple[int, int]) -> Any:
    """Return the first frame at this (W, H): of a picture file or a clip where one is given, else the small picture."""
    from PIL import Image

    pixels = read_picture(request.picture_path, max(size), MAX_PICTURE_SIDE) if request.picture_path else request.image
    return Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB").resize(size, Image.Resampling.LANCZOS)


def preview_latents(latents: Any, size: tuple[int, int]) -> Pixels:
    """Show the first three channels of the sampler's latents as colours, uint8 (F, h, w, 3).

    Latents are (1, C, F, h, w), (1, F, C, h, w), or packed as (1, F h w, C) in the shape of the frames.
    """
    import torch

    if latents is None:
        return NOTHING
    values = latents.detach()[0].float().cpu()
    if values.ndim == 2:  # packed: the shape of the frames tells rows and columns
        tokens = values.shape[0]
        sides = [(r, round(r * size[0] / size[1])) for r in range(1, tokens + 1)]
        fitting = [(r, c) for r, c in sides if c and tokens % (r * c) == 0 and size[1] % r == 0 and size[0] % c == 0]
        rows, columns = fitting[-1] if fitting else (1, tokens)
        values = values.reshape(-1, rows, columns, values.shape[1]).permute(0, 3, 1, 2)
    elif values.ndim == 4 and values.shape[0] in (4, 8, 12, 16, 32, 48, 128):  # channels first
        values = values.transpose(0, 1)
    if values.ndim != 4:
        return NOTHING
    colours = values[:, torch.arange(3) % values.shape[1]]
    low, high = colours.amin(), colours.amax()
    pixels = ((colours - low) / (high - low).clamp_min(1e-6) * 255).byte()
    return pixels.permute(0, 2, 3, 1).contiguous().numpy()


def load(files: Mapping[str, Path], spec: ModelSpec) -> HubVideo:
    """Open a downloaded repository as a model that makes clips.

    Raises:
        ModelError: a package is missing, or the files do not fit the installed library.
    """
    folder, kind = locate_model(files, spec, Task.VIDEO, "makes no video but is of")
    pipeline, placement, notes = open_pipeline(files, spec, folder, kind)
    moving = find_moving(pipeline)
    return HubVideo(pipeline, read_defaults(pipeline, kind.name), placement, spec.title, notes, moving)
