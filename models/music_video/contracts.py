"""What passes between the Music Video tab and its generator.

Letters: H and W height and width of a frame in pixels, T frames of a curve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.beats.detector import BeatTrack
from models.contracts import MAX_PROMPT_CHARACTERS, check_number, check_seed
from models.music_video.captions import Caption
from models.music_video.features import MusicFeatures
from models.music_video.storyboard import UNPAINTED, Storyboard
from models.style.video_contracts import StyledPart

ASPECTS: dict[str, tuple[int, int]] = {"16:9": (16, 9), "9:16": (9, 16), "1:1": (1, 1)}
SHORTER_SIDES = (360, 480, 720, 1080)
FRAME_RATE = 24
MAX_VIDEO_S = 10 * 60.0 + 1.0
MIN_VIDEO_S = 0.5
MAX_PROMPTS = 26
MAX_KEY_CLIPS = 40
MAX_TITLE_CHARACTERS = 120
PREVIEW_S, PREVIEW_SIDE = 10.0, 360
MAX_MEDIA = 200
MAX_FADE_S = 5.0
TARGET_LUFS = -14.0  # what the large platforms play at
DRAWN_BY_RULE = ("spectrum", "ribbon", "particles", "cover")
TEMPLATE_NAMES = ("clean", "energetic", "dreamy", "retro", "karaoke")
SCENES = ("pictures", "mixed", *DRAWN_BY_RULE)


@dataclass(frozen=True)
class VisualEffects:
    """How strongly the picture follows the music, each from 0 (not at all) to 1.

    Args:
        cuts: how often the shot changes: once a section at 0, every bar at 1.
        zoom, pan, rotate: of the camera, its kicks on the beats and its slow moves.
        flash: of light on the beats.
        colour: how far the colours turn with sections and brightness of the sound.
        motion: how much the shown motion hurries at the beats and rests between them.

    Raises:
        ValueError: names the field, the value and what is allowed.
    """

    cuts: float = 0.5
    zoom: float = 0.6
    pan: float = 0.5
    rotate: float = 0.4
    flash: float = 0.4
    colour: float = 0.4
    motion: float = 0.8

    def __post_init__(self) -> None:
        for field in fields(self):
            check_number(field.name, getattr(self, field.name), 0.0, 1.0)

    def scale(self, reactivity: float) -> VisualEffects:
        """Multiply everything but the cuts by `reactivity`; nothing is over 1."""
        values = {f.name: min(1.0, getattr(self, f.name) * reactivity) for f in fields(self) if f.name != "cuts"}
        return VisualEffects(cuts=self.cuts, **values)


@dataclass(frozen=True)
class VideoFinish:
    """What makes a video ready to be posted.

    Args:
        end_text: of a card over the last seconds, "" for none.
        fade_in_s, fade_out_s: of picture and sound, from and to black and silence.
        watermark: a picture for the upper right corner, or None.
        karaoke: whether the words of the lyrics light up one after the other.
        is_levelled: whether the song is brought to TARGET_LUFS.

    Raises:
        ValueError: names the field, the value and what is allowed.
    """

    end_text: str = ""
    fade_in_s: float = 0.0
    fade_out_s: float = 0.0
    watermark: Path | None = None
    karaoke: bool = False
    is_levelled: bool = False

    def __post_init__(self) -> None:
        check_number("fade_in_s", self.fade_in_s, 0.0, MAX_FADE_S)
        check_number("fade_out_s", self.fade_out_s, 0.0, MAX_FADE_S)
        if len(self.end_text) > MAX_TITLE_CHARACTERS:
            raise ValueError(f"the end card may have at most {MAX_TITLE_CHARACTERS} characters.")


@dataclass(frozen=True)
class Painting:
    """What of a video is painted, and in which styles.

    Args:
        style: name of the style of every shot whose card names none; "" leaves them as they are.
        pictures: of the styles, by name.
        strength: of the painting where the music is strongest, 0 to 1.
        part: what of a picture is painted.

    Raises:
        ValueError: names the field, the value and what is allowed.
    """

    style: str = ""
    pictures: tuple[tuple[str, Path], ...] = ()
    strength: float = 1.0
    part: StyledPart = StyledPart.ALL

    def __post_init__(self) -> None:
        check_number("strength", self.strength, 0.0, 1.0)
        if self.part not in list(StyledPart):
            raise ValueError(f"part is {self.part!r}; it must be one of {', '.join(StyledPart)}.")
        if self.style and self.style not in dict(self.pictures):
            raise ValueError(f"style is {self.style!r}; it must be one of {', '.join(dict(self.pictures))}.")

    def choose(self, told: str) -> str:
        """Return the style of a shot whose card says `told`, "" where it stays as it is."""
        return "" if told == UNPAINTED or self.strength == 0 else told or self.style


@dataclass(frozen=True, eq=False)
class MusicVideoRequest:
    """What a person asks of the music video generator.

    Args:
        song: a sound file; what is shown begins at its start.
        duration_s: of the song, MIN_VIDEO_S to ten minutes.
        track: its beats, perhaps corrected; features: its curves and sections.
        prompts: one for the whole song, or one for each kind of section in the order in which they are first heard;
            with fewer prompts than kinds they take turns, with more a kind has several.
        out: the MP4 file to write.
        aspect: a key of ASPECTS; shorter_side: of the frame in pixels, one of SHORTER_SIDES.
        look: strengths of the effects.
        title, artist: of the title card, "" for none.
        captions: lyrics with their times.
        steps, guidance: of the video model's sampler; size: of its frames.
        key_clips: how many the video model makes, 0 leaves it to the length of the song.
        media: a person's own photos and clips, in the order in which they are shown.
        scene: "pictures" shows the media, and where there are none what the video model draws; "mixed" lets both take
            turns; "spectrum", "ribbon", "particles" and "cover", the first of the media, are drawn by rule.
        template: one of TEMPLATE_NAMES, which sets transitions, moves and colours; "" cuts and changes nothing.
        storyboard: the shots as a person has them; None arranges them by `look`, `scene` and `seed`.
        finish: cards, fades, watermark, and the level of the sound.
        painting: which shots are painted, and how.
        preview: draw the first PREVIEW_S seconds only, small.
        seed: fixes every random choice.

    Raises:
        ValueError: names the field, the value and what is allowed.
    """

    song: Path
    duration_s: float
    track: BeatTrack
    features: MusicFeatures
    prompts: tuple[str, ...]
    out: Path
    negative_prompt: str = ""
    aspect: str = "16:9"
    shorter_side: int = 720
    look: VisualEffects = VisualEffects()
    title: str = ""
    artist: str = ""
    captions: tuple[Caption, ...] = ()
    steps: int = 10
    guidance: float = 1.5
    size: int = 64
    key_clips: int = 0
    media: tuple[Path, ...] = ()
    scene: str = "pictures"
    template: str = ""
    storyboard: Storyboard | None = None
    finish: VideoFinish = VideoFinish()
    painting: Painting = Painting()
    preview: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if not MIN_VIDEO_S <= self.duration_s <= MAX_VIDEO_S:
            raise ValueError(
                f"the song lasts {self.duration_s:.1f} s; from {MIN_VIDEO_S:g} s to {MAX_VIDEO_S / 60:.0f} minutes "
                "work. Trim it, or choose another."
            )
        if not self.prompts or not all(isinstance(each, str) and each.strip() for each in self.prompts):
            raise ValueError("prompts is empty; describe at least one look.")
        if len(self.prompts) > MAX_PROMPTS:
            raise ValueError(f"there are {len(self.prompts)} prompts; at most {MAX_PROMPTS} work.")
        if any(len(each) > MAX_PROMPT_CHARACTERS for each in (*self.prompts, self.negative_prompt)):
            raise ValueError(f"a prompt is longer than {MAX_PROMPT_CHARACTERS:,} characters.")
        if self.aspect not in ASPECTS:
            raise ValueError(f"aspect is {self.aspect!r}; it must be one of {', '.join(ASPECTS)}.")
        if self.shorter_side not in SHORTER_SIDES:
            allowed = ", ".join(str(side) for side in SHORTER_SIDES)
            raise ValueError(f"shorter_side is {self.shorter_side!r}; it must be one of {allowed}.")
        if max(len(self.title), len(self.artist)) > MAX_TITLE_CHARACTERS:
            raise ValueError(f"title and artist may have at most {MAX_TITLE_CHARACTERS} characters.")
        if len(self.media) > MAX_MEDIA:
            raise ValueError(f"there are {len(self.media)} photos and clips; at most {MAX_MEDIA} work.")
        if self.scene not in SCENES:
            raise ValueError(f"scene is {self.scene!r}; it must be one of {', '.join(SCENES)}.")
        if self.template and self.template not in TEMPLATE_NAMES:
            raise ValueError(f"template is {self.template!r}; it must be one of {', '.join(TEMPLATE_NAMES)}.")
        if self.scene == "cover" and not self.media:
            raise ValueError("the cover that breathes is a picture of yours: add it to Your photos and clips.")
        check_number("steps", self.steps, 1, 100)
        check_number("guidance", self.guidance, 0.0, 15.0)
        check_number("key_clips", self.key_clips, 0, MAX_KEY_CLIPS)
        check_seed(self.seed)

    @property
    def shown_s(self) -> float:
        """Return the seconds that are drawn."""
        return min(self.duration_s, PREVIEW_S) if self.preview else self.duration_s

    @property
    def frame_count(self) -> int:
        """Return the frames that are drawn: the picture covers the sound and ends less than a frame later."""
        return max(1, math.ceil(self.shown_s * FRAME_RATE - 1e-6))

    @property
    def is_tall(self) -> bool:
        """Tell whether the frame is as a phone's, which lays its buttons over the lower part and the top."""
        across, up = ASPECTS[self.aspect]
        return up > across

    @property
    def rate(self) -> Fraction:
        """Return the frames in a second."""
        return Fraction(FRAME_RATE)

    @property
    def frame_size(self) -> tuple[int, int]:
        """Return width and height of a frame, both even."""
        across, up = ASPECTS[self.aspect]
        side = min(self.shorter_side, PREVIEW_SIDE) if self.preview else self.shorter_side
        scale = side / min(across, up)
        return 2 * round(across * scale / 2), 2 * round(up * scale / 2)


@dataclass(frozen=True, eq=False)
class MusicVideoChunk:
    """How far a music video is; the last chunk says that the file is finished.

    Attributes:
        stage: "looking" at the media, "measuring", "clips" while the video model works, "frames", "finished".
        done, total: of the whole work, in seconds as they were estimated.
        left_s: how long the rest will take at the pace so far; None while that is a guess.
        picture: uint8 (H, W, 3), small: what was made last, or None.
        frames: how many are drawn so far.
        notes: plain sentences for the person, all so far.
        last: whether this chunk closes the work.
        storyboard: what was shot, in the last chunk; pictures: uint8 (H, W, 3), small, of each of its shots that was
            drawn, or None.
    """

    stage: str
    done: float
    total: float
    left_s: float | None = None
    picture: NDArray[np.uint8] | None = None
    frames: int = 0
    notes: tuple[str, ...] = ()
    last: bool = False
    storyboard: Storyboard | None = None
    pictures: tuple[NDArray[np.uint8] | None, ...] = ()
