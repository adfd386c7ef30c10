"""What the studio's own makers of clips share: one reader of prompts, and things laid over finished frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.contracts import VideoRequest
from models.video.composition import compose
from models.video.prompt_parsing import ParsedPrompt
from models.video.prompt_reader import PromptReader
from models.video.prompt_reading import PromptReading
from models.video.scene_spec import DIRECTIONS, FRAMES_PER_SECOND
from models.video.staging import Staging, direct, list_laid
from models.video.thing_parsing import ThingPrompt
from models.video.weather import darken_night


class StagedClip:
    """A reader of prompts, and the things that it finds over finished frames."""

    def __init__(self, reader: PromptReader) -> None:
        self.reader = reader

    @property
    def draws_by_rule(self) -> bool:
        """Tell whether no model draws the scene."""
        return self.reader.by_rule

    @property
    def draws_things(self) -> bool:
        """Tell whether the model knows named things."""
        return self.reader.draws_things

    def understand(self, prompt: str) -> tuple[str, ParsedPrompt | ThingPrompt | None]:
        """Return the condition that a prompt gives the model, and what was read of the prompt."""
        return self.reader.understand(prompt)

    def read(self, prompt: str) -> PromptReading | None:
        """Read what of a prompt will be drawn; None without a parser."""
        return self.reader.read(prompt)

    def list_notes(self, request: VideoRequest) -> tuple[str, ...]:
        """List what the person should know of how the prompt was understood."""
        reading = self.read(request.prompt)
        said = () if reading is None else (reading.to_sentence(), reading.to_credit())
        return tuple(each for each in said if each)

    def compose(
        self, request: VideoRequest, frames: NDArray[np.uint8], rate: float, out: NDArray[np.uint8] | None = None
    ) -> NDArray[np.uint8]:
        """Lay the things that a request names over all finished frames uint8 (F, R, S, 3), of any size.

        What is made may be written into `out`, which may be the frames themselves. Things move as the request's
        controls say where these say anything. Over a given picture nothing is laid. What is to be night and was drawn
        too light is darkened.
        """
        staging, cutouts = self._stage(request), self.reader.cutouts
        if staging is None or cutouts is None:
            parsed = None if request.image is not None else self.understand(request.prompt)[1]
            return darken_night(frames) if isinstance(parsed, ParsedPrompt) and parsed.time == "night" else frames
        staging = direct(staging, DIRECTIONS[request.direction], request.speed, request.camera)
        length_s = request.frames / FRAMES_PER_SECOND
        return compose(frames, rate, staging, cutouts, request.seed, length_s, request.loop, out)

    def list_laid(self, request: VideoRequest) -> tuple[str, ...]:
        """List the things that `compose` lays over the scene."""
        staging = self._stage(request)
        return () if staging is None else list_laid(staging.things)

    def _stage(self, request: VideoRequest) -> Staging | None:
        return None if request.image is not None else self.reader.stage(request.prompt)
