"""From the values of the form to the request of a music video."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.hub.spec import ModelSpec
from studio.music_video.controls import DESTINATIONS, FIELDS, FORMS, KARAOKE, OWN_STYLE, STRENGTHS
from studio.music_video.song import Song
from studio.page.style_gallery import PICTURES

NO_TIMES = "The lyrics have no times yet: press Tap the lyrics and tap at the start of each line, or paste LRC."
NO_STYLE = "Your own picture is to be the style: choose it under A style picture of your own."


def build_request(song: Song, values: Mapping[str, Any], is_preview: bool, out: Path) -> Any:
    """Return the request of a form's values.

    Raises:
        ValueError: names the control and what it takes.
    """
    from models.music_video.captions import read_captions
    from models.music_video.contracts import MusicVideoRequest, VideoFinish, VisualEffects
    from models.music_video.material import arrange
    from models.music_video.storyboard import read_storyboard

    row = FIELDS.read({name: value for name, value in values.items() if name in FIELDS} | {"song": song})
    aspect = choose_aspect(row["destination"], row["aspect"], song.duration_s)
    finish = VideoFinish(
        end_text=row["end_text"].strip(),
        fade_in_s=row["fade_in_s"],
        fade_out_s=row["fade_out_s"],
        watermark=Path(row["watermark"]) if row["watermark"] else None,
        karaoke=row["karaoke"] or row["template"] == KARAOKE,
        is_levelled=row["levelled"],
    )
    look = VisualEffects(**{name: row[name] for name in STRENGTHS}).scale(row["reactivity"])
    storyboard = read_storyboard(row["storyboard"])
    return MusicVideoRequest(
        song=song.sound,
        duration_s=song.duration_s,
        track=song.track,
        features=song.analysis.features,
        prompts=tuple(line.strip() for line in row["prompts"].splitlines() if line.strip()),
        out=out,
        negative_prompt=row["negative_prompt"],
        aspect=aspect,
        shorter_side=row["shorter_side"],
        look=look,
        title=row["title"].strip(),
        artist=row["artist"].strip(),
        captions=read_captions(row["captions"]) if row["captions"] else read_lyrics(row["lyrics"]),
        steps=row["steps"],
        guidance=row["guidance"],
        key_clips=row["key_clips"],
        media=arrange([Path(each) for each in row["media"]], row["media_order"]),
        scene=row["scene"],
        template=row["template"],
        storyboard=storyboard,
        finish=finish,
        painting=choose_painting(row, {shot.style for shot in storyboard.shots} if storyboard else set()),
        preview=is_preview,
        seed=row["seed"],
    )


def choose_aspect(destination: str, aspect: str, duration_s: float) -> str:
    """Return the format of where a video goes.

    Raises:
        ValueError: the song is too long for it.
    """
    if not destination:
        return aspect
    own, longest_s = FORMS[destination]
    if duration_s > longest_s + 1:
        title = next(title for title, name in DESTINATIONS if name == destination)
        raise ValueError(
            f"{title} takes at most {longest_s / 60:g} minutes, and the song lasts {duration_s / 60:.1f}: trim it "
            "under Record or trim, and listen again."
        )
    return own


def choose_painting(row: Mapping[str, Any], of_cards: set[str]) -> Any:
    """Return what is painted, and in which styles.

    Args:
        of_cards: the styles that cards of the storyboard name.

    Raises:
        ValueError: a style picture of one's own is chosen, and none is given.
    """
    from models.music_video.contracts import Painting
    from models.style.video_contracts import StyledPart

    pictures = [(each.key, each.path) for each in PICTURES]
    if row["style_file"]:
        pictures.append((OWN_STYLE, Path(row["style_file"])))
    elif OWN_STYLE in {row["style"], *of_cards}:
        raise ValueError(NO_STYLE)
    return Painting(row["style"], tuple(pictures), row["style_strength"], StyledPart(row["style_part"]))


def read_lyrics(text: str) -> Any:
    """Return the captions of lyrics that were pasted.

    Raises:
        ValueError: they have no times.
    """
    from models.music_video.captions import parse_captions

    if not text.strip():
        return ()
    try:
        return parse_captions(text)
    except ValueError as error:
        raise ValueError(f"{NO_TIMES} ({error})" if "No line" not in str(error) else NO_TIMES) from error


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
