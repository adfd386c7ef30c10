"""Pictures without end, which follow a prompt, the pictures before, and the sound.

Drawn by the video model are stretches of frames of 64 x 64 pixels, in few steps, each given the last frames of the one
before; some of them each second. Everything between is interpolated along the motion (`models.video.interpolation`),
every frame is enlarged four times (`models.video.upscaler`), and the camera's push on a beat and the light's swell with
the loudness are laid over it. Loudness also tells the model how much should move. Things that the prompt names are laid
over what is shown (`models.live.laid_things`).

Another prompt does not cut: what the model is told is led from one prompt's meaning to the other's over some seconds.
The meaning is the vector that the model's own text pooling makes of a prompt.

Letters: F frames, R x S pixels, C width of a condition.
"""

from __future__ import annotations

import copy
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.contracts import MAX_PROMPT_CHARACTERS, check_number
from models.live.audio_features import AudioFeatures
from models.live.laid_things import LaidThings
from models.memory import copy_to_pages
from models.video.diffusion import Guidance, predict, sample
from models.video.generator import OVERLAP, VideoGenerator, encode_attributes, find_movement, to_pixels
from models.video.interpolation import interpolate_pair
from models.video.noise_warping import draw_warped_noise
from models.video.unet3d import Condition, UNet3D
from models.video.upscaler import upscale_bicubic as bicubic

Pixels = NDArray[np.uint8]

DRAWN_SIZE, SHOWN_SIZE = 64, 256
SCALE = SHOWN_SIZE // DRAWN_SIZE
SHOWN_RATE = 15  # twelve are wanted; a page now and then drops one
MORPH_S = 8.0
MOTION_LEVELS = (0.35, 0.7)  # of energy: little, some, much motion
ZOOM, DOWNBEAT_ZOOM = 0.035, 0.03  # of the picture's side, at full beat
LIGHT_FLOOR, LIGHT_SWELL, LIGHT_BEAT = 0.86, 0.2, 0.08


@dataclass(frozen=True)
class Quality:
    """The amount of work for the pictures.

    Attributes:
        shown: frames a second that are shown.
        between: frames made of each drawn one; shown / between are drawn each second.
        steps: of the sampler; guidance: 1 is none, and half the work.
        learned: whether the enlargement is the learned one, else bicubic.
    """

    shown: int
    between: int
    steps: int
    guidance: float
    learned: bool = True

    @property
    def drawn(self) -> float:
        """Return how many frames are drawn each second."""
        return self.shown / self.between


QUALITIES = (
    Quality(SHOWN_RATE, 4, 5, 1.5),
    Quality(SHOWN_RATE, 5, 4, 1.5),
    Quality(SHOWN_RATE, 7, 4, 1.0),
    Quality(8, 8, 4, 1.0),
    Quality(4, 8, 3, 1.0, learned=False),
)


def check_prompt(prompt: str) -> str:
    """Return a prompt without blanks around it; raise ValueError for one that is too long.

    Raises:
        ValueError: it is empty or too long.
    """
    if not isinstance(prompt, str) or not prompt.strip():
        raise ValueError("prompt is empty; type what the pictures should show.")
    if len(prompt) > MAX_PROMPT_CHARACTERS:
        raise ValueError(f"prompt must be text of at most {MAX_PROMPT_CHARACTERS:,} characters.")
    return prompt.strip()


class _GivenText(nn.Module):
    """A stand-in for the text pooling: the condition's words are the pooled vectors already."""

    def forward(self, words: Tensor, said: Tensor) -> Tensor:
        """Map words (B, 1, C) to (B, C)."""
        return words[:, 0]


def share_with_given_text(model: UNet3D) -> UNet3D:
    """Return the same network, sharing all weights, told vectors in the place of words."""
    twin = copy.copy(model)
    twin._modules = {**model._modules, "text": _GivenText()}
    return twin


class PromptMorph:
    """The vector that the model is told, on the way from one prompt's to the next one's."""

    def __init__(self, generator: VideoGenerator, prompt: str) -> None:
        self._model, self._table, self._understand = generator.model, generator.table, generator.understand
        self._lock = threading.Lock()
        self.prompt = check_prompt(prompt)
        self.movement = self._find_movement(self.prompt)
        self._from = self._to = self.embed(self.prompt)
        self._began_s = self._over_s = 0.0

    @torch.inference_mode()
    def embed(self, prompt: str) -> Tensor:
        """Embed a prompt, its words and what was read of them, as (1, C); "" is none."""
        told, parsed = self._understand(prompt)
        words, said = self._table.embed([told], self._model.config.max_words)
        meaning = self._model.text(words, said)
        if parsed is not None:
            numbers = encode_attributes(parsed, len(self._model.attributes))
            for table, number in zip(self._model.attributes, numbers, strict=True):
                meaning = meaning + table.weight[number] - table.weight[0]  # type: ignore[operator, index, union-attr]
        return meaning

    def _find_movement(self, prompt: str) -> tuple[str, str]:
        """Find where the picture moves and how fast."""
        parsed = self._understand(prompt)[1]
        return find_movement(parsed) if parsed is not None else ("", "normal")

    def lead_to(self, prompt: str, now_s: float, over_s: float = MORPH_S) -> None:
        """Begin the way to another prompt.

        Raises:
            ValueError: an empty prompt or one too long, or `over_s` out of range.
        """
        check_number("over_s", over_s, 0.0, 60.0)
        prompt = check_prompt(prompt)
        aim, moving = self.embed(prompt), self._find_movement(prompt)
        with self._lock:
            self._from = self._embed_at(now_s)
            self._to, self._began_s, self._over_s, self.prompt = aim, now_s, over_s, prompt
            self.movement = moving

    def measure_share(self, time_s: float) -> float:
        """Return how much of the way is done, 0 to 1."""
        with self._lock:
            return self._share(time_s)

    def embed_at(self, time_s: float) -> Tensor:
        """Return what the model is told at a time, (1, C)."""
        with self._lock:
            return self._embed_at(time_s)

    def _share(self, time_s: float) -> float:
        if self._over_s <= 0:
            return 1.0
        return min(1.0, max(0.0, (time_s - self._began_s) / self._over_s))

    def _embed_at(self, time_s: float) -> Tensor:
        share = self._share(time_s)
        return self._from + share * (self._to - self._from)


class FrameGenerator:
    """A generator of stretches, each of which goes on from the last frames of the one before.

    Args:
        generator: its network and its text table are used; both may be shared.
        seed: the same seed and the same conditions give the same frames.
    """

    def __init__(self, generator: VideoGenerator, prompt: str, seed: int = 0, size: int = DRAWN_SIZE) -> None:
        self.morph = PromptMorph(generator, prompt)
        self._model = share_with_given_text(generator.model)
        self._nothing = self.morph.embed("")
        self._random = torch.Generator().manual_seed(seed)
        self._stretch, self._size = generator.stretch, size
        self._last: Tensor | None = None  # (1, 3, OVERLAP, R, S)

    def draw(
        self,
        time_s: float,
        energy: float,
        quality: Quality = QUALITIES[0],
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Pixels:
        """Draw the next frames, uint8 (F, R, S, 3); none when stopped.

        Args:
            time_s: of the stream, when they will be shown: where the prompt is on its way then.
            energy: 0 to 1, how loud it is of late.
        """
        shape = (1, 3, self._stretch, self._size, self._size)
        given, known = torch.zeros(shape), torch.zeros(1, self._stretch, dtype=torch.bool)
        fresh = 0
        if self._last is not None:
            given[:, :, :OVERLAP], known[0, :OVERLAP], fresh = self._last, True, OVERLAP
        wanted, unwanted = self._build_conditions(time_s, energy)
        guidance = Guidance(quality.guidance)
        held = known if known.any() else None

        def denoise(z: Tensor, t: float) -> Tensor:
            with torch.inference_mode():
                return predict(self._model, z, t, wanted, unwanted, guidance, held)

        noise = torch.randn(shape, generator=self._random)
        noise = draw_warped_noise(noise, *self.morph.movement, self._random)
        steps: list[Tensor] = []
        for clean in sample(denoise, noise, quality.steps, given=given, known=known):
            steps = [clean]
            if should_stop():
                return np.zeros((0, self._size, self._size, 3), np.uint8)
        (clean,) = steps
        self._last = clean[:, :, -OVERLAP:].clamp(-1, 1).clone()
        return to_pixels(clean)[fresh:]

    def _build_conditions(self, time_s: float, energy: float) -> tuple[Condition, Condition]:
        motion = 1 + sum(energy > level for level in MOTION_LEVELS)
        count = len(self._model.config.attributes)
        said = torch.ones(1, 1, dtype=torch.bool)
        asked = torch.tensor([[motion, *[0] * (count - 1)]])
        return (
            Condition(self.morph.embed_at(time_s)[:, None], said, asked),
            Condition(self._nothing[:, None], said, torch.zeros_like(asked)),
        )


def apply_sound(frame: Pixels, heard: AudioFeatures) -> Pixels:
    """Push the camera in on a beat and let the light swell with the loudness; uint8 (R, S, 3)."""
    import cv2

    rows, columns = frame.shape[:2]
    zoom = 1.0 + ZOOM * heard.beat + DOWNBEAT_ZOOM * heard.downbeat
    light = LIGHT_FLOOR + LIGHT_SWELL * heard.energy + LIGHT_BEAT * heard.beat
    turn = np.array([[zoom, 0.0, (1 - zoom) * columns / 2], [0.0, zoom, (1 - zoom) * rows / 2]], np.float32)
    moved = cv2.warpAffine(frame, turn, (columns, rows), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return cv2.convertScaleAbs(moved, alpha=light).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class LiveFrame:
    """A frame to be shown.

    Attributes:
        pixels: uint8 (R, S, 3).
        time_s: of the stream, when it is to be shown.
        drawn: whether the model drew it; else it lies between two that it drew, or holds the last one.
        held: whether there was nothing new to show.
    """

    pixels: Pixels
    time_s: float
    drawn: bool
    held: bool


class FrameStream:
    """A stream of drawn stretches in, shown frames out. `paint` and `render_frame` may be called from two threads.

    Args:
        painter: draws; None where others make the frames ready.
        enlarge: the learned enlargement, or None for bicubic always.
        things: what the prompt names and is laid over what is drawn; None for nothing.
    """

    AHEAD_S = 3.0  # of frames that are ready before more are drawn

    def __init__(
        self,
        frame_generator: FrameGenerator | None,
        enlarge: Callable[[Pixels], Pixels] | None,
        things: LaidThings | None = None,
    ) -> None:
        self.frame_generator, self.enlarge, self.things = frame_generator, enlarge, things
        self.quality = QUALITIES[0]
        self.drawn_frames = self.shown_frames = self.held_frames = 0
        self.draw_s = 0.0  # of the last stretch
        self._lock = threading.Lock()
        self._ready: deque[tuple[Pixels, bool]] = deque()  # enlarged frames, whether drawn
        self._last_small: Pixels | None = None
        self._shown: Pixels | None = None

    @property
    def ready_s(self) -> float:
        """Return how long the frames that are ready last."""
        with self._lock:
            return len(self._ready) / self.quality.shown

    @property
    def has_picture(self) -> bool:
        """Return whether a frame was shown."""
        return self._shown is not None

    def wants_more(self) -> bool:
        """Return whether another stretch should be drawn now."""
        return self.ready_s < self.AHEAD_S

    def paint(self, time_s: float, energy: float, should_stop: Callable[[], bool] = lambda: False) -> None:
        """Draw a stretch and the frames between, and enlarge them."""
        assert self.frame_generator is not None
        began = time.perf_counter()
        quality = self.quality
        frames = self.frame_generator.draw(time_s, energy, quality, should_stop)
        moments = [step / quality.between for step in range(1, quality.between)]
        larger = self.enlarge if self.enlarge is not None and quality.learned else bicubic
        for frame in frames:
            made = frame[None]
            if self._last_small is not None and moments:
                made = np.concatenate([interpolate_pair(self._last_small, frame, moments), made])
            self._last_small = frame
            enlarged = copy_to_pages(larger(made))  # outside the lock: showing a frame does not wait for it
            with self._lock:
                self._ready.extend((each, index == len(made) - 1) for index, each in enumerate(enlarged))
                self.drawn_frames += 1
        self.draw_s = time.perf_counter() - began

    def lead_to(self, prompt: str, now_s: float, over_s: float) -> None:
        """Begin the way to another prompt; raises ValueError for one that cannot be used."""
        if self.frame_generator is not None:
            self.frame_generator.morph.lead_to(prompt, now_s, over_s)
            if self.things is not None:
                self.things.lead_to(prompt, now_s, over_s)

    def describe(self, now_s: float) -> dict[str, Any]:
        """Return facts for the meter."""
        facts: dict[str, Any] = {
            "shown": self.quality.shown,
            "drawn": round(self.quality.drawn, 2),
            "draw_s": round(self.draw_s, 2),
            "drawn_frames": self.drawn_frames,
            "shown_frames": self.shown_frames,
            "held_frames": self.held_frames,
        }
        if self.frame_generator is not None:
            facts |= {
                "morph": round(self.frame_generator.morph.measure_share(now_s), 2),
                "prompt": self.frame_generator.morph.prompt,
            }
        return facts

    def render_frame(self, time_s: float, heard: AudioFeatures) -> LiveFrame | None:
        """Render the frame for a time of the stream; None before the first is drawn."""
        with self._lock:
            found = self._ready.popleft() if self._ready else None
        if found is not None:
            self._shown = found[0]
        elif self._shown is None:
            return None
        else:
            self.held_frames += 1
        self.shown_frames += 1
        shown = self._shown if self.things is None else self.things.lay(self._shown, time_s)
        pixels = apply_sound(shown, heard)
        return LiveFrame(pixels, time_s, found is not None and found[1], found is None)
