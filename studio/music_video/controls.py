"""The controls of the Music Video tab."""

from __future__ import annotations

from models.contracts import Task
from models.registry.catalog import DRAWN_SCENES
from models.registry.registry import Registry
from models.style.video_contracts import StyledPart
from studio.music_video.media_field import Media
from studio.page import style_gallery
from studio.page.fields import REQUIRED, Choice, FieldList, Flag, Model, Numeric, Option, Seed, Text, Upload

# Kept apart from `models.music_video.contracts`, which is heavy to import; a test holds them together.
ASPECTS = ("16:9", "9:16", "1:1")
SIDES = ((480, "480p"), (720, "720p"), (1080, "1080p"))
SMALL_SIDE = (360, "360p")  # for programs
DEFAULT_LOOK = {"cuts": 0.5, "zoom": 0.6, "pan": 0.5, "rotate": 0.4, "flash": 0.4, "colour": 0.4, "motion": 0.8}
STRENGTHS = tuple(DEFAULT_LOOK)
LOOKS = (
    ("Sea", "a lighthouse at dusk by the sea\nblue waves by day\na red sunrise over the sea"),
    ("Hills", "a red sunrise over mountains\nclouds over green hills at noon\na waterfall in a forest"),
    ("Night", "a campfire at night\nteal spirals turning\norange fireworks in the night sky"),
    ("Weather", "rain falling at dusk\nlightning in a storm\nsnow falling at night"),
)
DEFAULT_PROMPTS = (
    "a red sunrise over mountains\na lighthouse at dusk by the sea\nblue waves by day\nteal spirals turning"
)
DEFAULT_STEPS, DEFAULT_GUIDANCE = 10, 1.5
SCENES = (
    ("Your photos and clips", "pictures"),
    ("Yours and the model's in turn", "mixed"),
    ("Spectrum, drawn by rule", "spectrum"),
    ("Waveform ribbon, drawn by rule", "ribbon"),
    ("Particles, drawn by rule", "particles"),
    ("Cover that breathes with the bass, drawn by rule", "cover"),
)
KARAOKE = "karaoke"  # darkens the picture, and lets words light up as they are sung
TEMPLATES = (
    ("None", ""),
    ("Clean", "clean"),
    ("Energetic", "energetic"),
    ("Dreamy", "dreamy"),
    ("Retro", "retro"),
    ("Karaoke", KARAOKE),
)
OWN_STYLE = "own"
STYLES = (*style_gallery.STYLES, ("Your own picture", OWN_STYLE))
ORDERS = (("As they were added", "given"), ("By name", "name"))
DESTINATIONS = (
    ("Anywhere", ""),
    ("YouTube", "youtube"),
    ("YouTube Shorts", "shorts"),
    ("Instagram Reels", "reels"),
    ("TikTok", "tiktok"),
    ("Square post", "square"),
)
FORMS: dict[str, tuple[str, float]] = {  # format, and the longest that is taken, in seconds
    "youtube": ("16:9", 600.0), "shorts": ("9:16", 180.0), "reels": ("9:16", 180.0), "tiktok": ("9:16", 600.0),
    "square": ("1:1", 600.0),
}  # fmt: skip
CAPTION_TYPES = (".srt", ".lrc", ".vtt", ".txt")


def offered_sides(_registry: Registry) -> list[Option]:
    """List the sizes that the page offers."""
    return [(name, side) for side, name in SIDES]


def _trim(name: str, label: str, help_text: str) -> Numeric:
    return Numeric(
        name=name, label=label, default=0, low=0, help=help_text, slider=False, is_kept=False, place="trim",
        row="trim", elem_id=f"mv-{name.removesuffix('_s')}", options={"min_width": 90},
    )  # fmt: skip


def _fade(name: str, label: str) -> Numeric:
    return Numeric(
        name=name, label=label, default=0, low=0, high=5, step=0.5, help="seconds", slider=False, place="finish",
        rank=3, row="end", options={"min_width": 90},
    )  # fmt: skip


def _line(name: str, label: str) -> Text:
    return Text(
        name=name, label=label, place="shape", rank=2, row="names", options={"max_length": 120, "min_width": 120}
    )


FIELDS = FieldList(
    (
        Upload(
            name="song",
            label="Song, or a video with sound",
            takes=("sound", "film"),
            default=REQUIRED,
            about="song, or a video with sound, of up to ten minutes",
            place="song",
        ),
        Upload(
            name="beats_from",
            label="Beats from",
            about="a sound to hear the beats in, where the song has a voice laid over it",
            place="",
            request=None,
            is_kept=False,
            is_public=False,
        ),
        Text(
            name="prompts",
            label="Look",
            default=DEFAULT_PROMPTS,
            help="one for the whole song, or one a line for each kind of section: A, B, C …",
            place="look",
            options={"lines": 3, "max_lines": 8},
        ),
        Choice(
            name="aspect",
            label="Format",
            default="16:9",
            choices=tuple((each, each) for each in ASPECTS),
            radio=True,
            place="shape",
        ),
        Choice(
            name="shorter_side",
            label="Size",
            default=720,
            choices=tuple((name, side) for side, name in (SMALL_SIDE, *SIDES)),
            offered=offered_sides,
            about="pixels of the shorter side",
            place="more",
            elem_id="mv-size",
        ),
        Numeric(
            name="reactivity",
            label="Reactivity",
            default=1,
            low=0,
            high=2,
            step=0.05,
            help="how strongly the picture follows the beat",
            place="shape",
            rank=1,
        ),
        _trim("start_s", "Start", "seconds"),
        _trim("end_s", "End", "0 is the song's"),
        _line("title", "Title"),
        _line("artist", "Artist"),
        Upload(
            name="captions",
            label="Lyrics with times (SRT or LRC)",
            file_types=CAPTION_TYPES,
            place="shape",
            rank=3,
            options={"height": 100},
        ),
        Flag(name="preview", label="Preview", about="draw only the first seconds, small", place=""),
        Seed(),
        Numeric(
            name="steps",
            label="Steps",
            default=DEFAULT_STEPS,
            low=4,
            high=64,
            step=1,
            is_whole=True,
            help="of the video model",
            place="more",
            rank=2,
        ),
        Numeric(
            name="key_clips",
            label="Key clips",
            default=0,
            low=0,
            high=40,
            step=1,
            is_whole=True,
            help="0: by the song's length",
            place="more",
            rank=4,
            elem_id="mv-clips",
        ),
        Model(task=Task.VIDEO, first=DRAWN_SCENES, label="Video model", place="model"),
        *(
            Numeric(
                name=name,
                label=name.capitalize(),
                default=strength,
                low=0,
                high=1,
                step=0.05,
                place="more",
                is_public=False,
            )
            for name, strength in DEFAULT_LOOK.items()
        ),
        Text(
            name="negative_prompt",
            label="Keep away from",
            place="more",
            rank=1,
            is_public=False,
            elem_id="mv-negative",
        ),
        Numeric(
            name="guidance",
            label="Guidance",
            default=DEFAULT_GUIDANCE,
            low=1,
            high=10,
            step=0.5,
            place="more",
            rank=3,
            is_public=False,
        ),
        Media(
            name="media",
            label="Your photos and clips, many at once",
            default=None,
            about="photos and clips of your own, files that are shown one a shot",
            place="",
            is_kept=False,
        ),
        Choice(
            name="media_order",
            label="Order",
            default="given",
            choices=ORDERS,
            help="of your photos and clips",
            place="media",
            row="media",
            elem_id="mv-order",
        ),
        Choice(
            name="scene",
            label="Show",
            default="pictures",
            choices=SCENES,
            place="media",
            row="media",
        ),
        Choice(
            name="template",
            label="Template",
            default="",
            choices=TEMPLATES,
            help="transitions, moves and colours that go together",
            place="media",
            rank=1,
            radio=True,
        ),
        Choice(
            name="style",
            label="Painted in the style of",
            default="",
            choices=(("Nothing: as it is", ""), *STYLES),
            about="the style in which it is painted, most where the song is loud and on its beats; own is `style_file`",
            place="media",
            rank=2,
            row="paint",
            elem_id="mv-style",
        ),
        Choice(
            name="style_part",
            label="Paint",
            default=StyledPart.ALL.value,
            choices=style_gallery.PARTS,
            about="what is painted; the rest stays as it is",
            place="media",
            rank=2,
            row="paint",
        ),
        Upload(
            name="style_file",
            label="A style picture of your own",
            takes=("picture",),
            about="a picture of your own, which `style` and the cards of a storyboard name own",
            place="paint",
            options={"height": 120},
        ),
        Numeric(
            name="style_strength",
            label="How strongly",
            default=1,
            low=0,
            high=1,
            step=0.05,
            help="where the song is loudest",
            about="how strongly it is painted where the song is loudest",
            place="paint",
        ),
        Choice(
            name="destination",
            label="Where it goes",
            default="",
            choices=DESTINATIONS,
            help="sets format, size and loudness, and tells where a song is too long",
            about="where it goes, which sets the format and tells where the song is too long",
            place="finish",
            row="destination",
        ),
        Flag(
            name="levelled",
            label="Loudness of -14 LUFS",
            about="bring the song to -14 LUFS",
            place="finish",
            row="destination",
        ),
        Text(
            name="lyrics",
            label="Lyrics",
            help="one line each; tap through them to give them their times, or paste LRC",
            about="lyrics as the text of an SRT, VTT or LRC file, where no file is given",
            place="finish",
            rank=1,
            options={"lines": 3, "max_lines": 12},
        ),
        Flag(
            name="karaoke",
            label="Karaoke: words light up as they are sung",
            about="let the words of the lyrics light up one after the other",
            place="finish",
            rank=2,
        ),
        Text(
            name="end_text",
            label="End card",
            help="over the last seconds",
            place="finish",
            rank=3,
            row="end",
            options={"max_length": 120, "min_width": 120},
        ),
        _fade("fade_in_s", "Fade in"),
        _fade("fade_out_s", "Fade out"),
        Upload(
            name="watermark",
            label="Watermark, a picture",
            file_types=(".png", ".jpg", ".jpeg", ".webp"),
            place="finish",
            rank=4,
            options={"height": 100},
        ),
        Text(
            name="storyboard",
            label="Storyboard",
            about="the shots in their order as JSON, such as the result's report holds; empty arranges them",
            place="",
            options={"visible": "hidden"},
        ),
    )
)
