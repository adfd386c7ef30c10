"""Digests of shots: all that their frames depend on, so that equal keys mean equal frames."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from models.music_video.contracts import DRAWN_BY_RULE, FRAME_RATE, MusicVideoRequest
from models.music_video.filming import Filming
from models.music_video.overlays import TITLE_S, find_end_card
from models.music_video.segments import digest_file, make_key

ELSEWHERE = {  # of a request, what no frame depends on but by what is told of its own below
    "song", "duration_s", "track", "features", "prompts", "out", "title", "artist", "captions", "key_clips", "media",
    "storyboard", "finish", "preview", "seed", "shorter_side", "painting",
}  # fmt: skip


def make_shot_key(filming: Filming, number: int, model: str) -> str:
    """Return the digest of a shot; `model` names the video model.

    Raises:
        MediaError: a photo or clip is gone.
    """
    request, plan, span = filming.request, filming.plan, filming.find_span(number)
    begin_s, end_s = span.start / FRAME_RATE, span.stop / FRAME_RATE
    look = {each.name: getattr(request, each.name) for each in fields(request) if each.name not in ELSEWHERE}
    parts: list[Any] = [sorted(look.items()), request.frame_size, span]
    parts += [plan.accents, plan.strengths, request.features.brightness]
    parts += [(request.title, request.artist) if begin_s < TITLE_S[1] else ()]
    parts += [tuple(each for each in request.captions if each.start_s < end_s and each.end_s > begin_s)]
    parts += _list_finish(request, begin_s, end_s)
    parts += [filming.transitions.get(number), filming.transitions.get(number + 1)]
    for each in (number, *filming.find_neighbours(number)):
        parts += _list_seen(filming, request, each, model)
        parts += _list_painting(filming, request, filming.plan.shots[each].style, span)
    return make_key(*parts)


def _list_finish(request: MusicVideoRequest, begin_s: float, end_s: float) -> list[Any]:
    """List what lies over the frames between two times."""
    finish, found = request.finish, list[Any]()
    if finish.end_text and end_s > find_end_card(request):
        found += [finish.end_text, find_end_card(request)]
    if begin_s < finish.fade_in_s:
        found.append(("in", finish.fade_in_s))
    if end_s > request.shown_s - finish.fade_out_s:
        found.append(("out", finish.fade_out_s, request.shown_s))
    if finish.watermark is not None:
        found.append(digest_file(finish.watermark))
    return [*found, finish.karaoke]


def _list_seen(filming: Filming, request: MusicVideoRequest, number: int, model: str) -> list[Any]:
    """List what is seen of a shot."""
    shot, place = filming.plan.shots[number], filming.own.shots[number]
    told: list[Any] = [replace(shot, clip=0, style="")]
    if place is not None:
        return [*told, digest_file(request.media[place])]
    if request.scene in DRAWN_BY_RULE:
        cover = digest_file(request.media[0]) if request.scene == "cover" else ""
        return [*told, digest_file(request.song), request.features.sections, request.frame_count, cover]
    return [*told, filming.plan.clips[shot.clip], model]


def _list_painting(filming: Filming, request: MusicVideoRequest, style: str, span: range) -> list[Any]:
    """List what the painting of a shot depends on."""
    if not style:
        return []
    painting = request.painting
    amounts = filming.painter.amounts[span.start : span.stop]
    return [digest_file(dict(painting.pictures)[style]), str(painting.part), amounts]
