"""From the values of the form to the request of a music video."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.hub.spec import ModelSpec
from studio.music_video.controls import FIELDS, STRENGTHS
from studio.music_video.song import Song


def build_request(song: Song, values: Mapping[str, Any], is_preview: bool, out: Path) -> Any:
    """Return the request of a form's values.

    Raises:
        ValueError: names the control and what it takes.
    """
    from models.music_video.captions import read_captions
    from models.music_video.contracts import MusicVideoRequest, VisualEffects
    from models.music_video.material import arrange
    from models.music_video.storyboard import read_storyboard

    row = FIELDS.read({name: value for name, value in values.items() if name in FIELDS} | {"song": song})
    look = VisualEffects(**{name: row[name] for name in STRENGTHS}).scale(row["reactivity"])
    return MusicVideoRequest(
        song=song.sound,
        duration_s=song.duration_s,
        track=song.track,
        features=song.analysis.features,
        prompts=tuple(line.strip() for line in row["prompts"].splitlines() if line.strip()),
        out=out,
        negative_prompt=row["negative_prompt"],
        aspect=row["aspect"],
        shorter_side=row["shorter_side"],
        look=look,
        title=row["title"].strip(),
        artist=row["artist"].strip(),
        captions=read_captions(row["captions"]) if row["captions"] else (),
        steps=row["steps"],
        guidance=row["guidance"],
        key_clips=row["key_clips"],
        media=arrange([Path(each) for each in row["media"]], row["media_order"]),
        scene=row["scene"],
        template=row["template"],
        storyboard=read_storyboard(row["storyboard"]),
        preview=is_preview,
        seed=row["seed"],
    )


def check_draws_from_words(spec: ModelSpec) -> None:
    """Raise ValueError with a sentence for a model that sets a picture in motion: there is none to give it."""
    from models.hub.formats import needs_picture

    if needs_picture(spec.backend):
        raise ValueError(f"{spec.title} sets a picture in motion; here choose a model that draws from words alone.")


def needs_model(request: Any) -> bool:
    """Tell whether a shot of a request is drawn by the video model.

    Raises:
        ValueError: the storyboard does not fit.
    """
    from models.music_video.contracts import DRAWN_BY_RULE
    from models.music_video.plan import plan_video

    if request.scene in DRAWN_BY_RULE:
        return False
    return any(not shot.source and shot.start < request.frame_count for shot in plan_video(request).shots)
