"""Templates: what leads from shot to shot, where in time it lies, and the colours of a whole video."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.media.clip_info import probe
from models.media.clip_reader import read_frames
from models.music_video.contracts import TEMPLATE_NAMES, VisualEffects
from models.music_video.drawing import Choreography, FramePainter
from models.music_video.features import Section
from models.music_video.filming import Filming
from models.music_video.generator import MusicVideoGenerator
from models.music_video.own_views import OwnShots
from models.music_video.plan import plan_video
from models.music_video.storyboard import Storyboard, StoryShot
from models.music_video.stylist import StyleShelf, Stylist
from models.music_video.templates import TEMPLATES
from models.music_video.transitions import LENGTHS, Transition, blend, choose_transitions, find_transition
from tests.models.music_video.debug_video import BlobVideo, request_for
from tests.models.music_video.test_own_media import BLUE, GREEN, RED, clip, photo

DARK, LIGHT = np.full((36, 64, 3), 20, np.uint8), np.full((36, 64, 3), 200, np.uint8)


def show(kind: str, frame: int, parts: list[np.ndarray]) -> np.ndarray:
    before, after = LENGTHS[kind]
    return blend(Transition(kind, 100 - before, 100, 100 + after), frame, parts)


def test_a_dissolve_goes_evenly_from_one_shot_to_the_other() -> None:
    means = [show("dissolve", frame, [DARK, LIGHT]).mean() for frame in range(91, 109)]
    assert means == sorted(means) and means[0] < 25 and means[-1] > 195
    assert means[8] < 110 < means[9]  # the middle is the cut


def test_a_whip_slides_the_next_shot_in_from_either_side() -> None:
    drawn = show("whip", 99, [DARK, LIGHT])
    assert drawn[:, 0].mean() < 25 and drawn[:, -1].mean() > 195 and drawn.shape == DARK.shape
    other = blend(Transition("whip", 97, 100, 104, -1), 99, [DARK, LIGHT])
    assert other[:, 0].mean() > 195 and other[:, -1].mean() < 25
    halves = [(show("whip", frame, [DARK, LIGHT]) > 110).mean() for frame in (99, 100)]
    assert halves[0] < 0.5 < halves[1]


def test_a_flash_is_brightest_in_the_frame_of_the_cut_and_goes_out() -> None:
    means = [show("flash", frame, [DARK]).mean() for frame in range(100, 107)]
    assert means == sorted(means, reverse=True) and means[0] > 180 and means[-1] < 25


def test_a_zoom_comes_nearest_at_the_cut() -> None:
    picture = np.zeros((90, 160, 3), np.uint8)
    picture[35:55, 60:100] = 255
    shares = [(show("zoom", frame, [picture]) > 128).mean() for frame in range(96, 105)]
    assert max(shares[:4]) == shares[3] and max(shares[4:]) == shares[4] and shares[8] < 1.1 * (picture > 0).mean()


@pytest.mark.parametrize("name", TEMPLATE_NAMES)
def test_transitions_follow_the_sections_and_never_meet(tmp_path: Path, name: str) -> None:
    request = request_for(tmp_path, 12.0, template=name, media=(tmp_path / "a.jpg",) * 9)
    sections = (Section(0.0, 6.2, "A"), Section(6.2, 12.0, "B"))
    request = replace(request, features=replace(request.features, sections=sections))
    plan = plan_video(request)
    found = choose_transitions(request, plan)
    assert found == choose_transitions(request, plan)
    turn = next(number for number, shot in enumerate(plan.shots) if shot.section == 1)
    assert found[turn].kind == TEMPLATES[name].turn
    for number, each in found.items():
        shot = plan.shots[number]
        assert each.cut == shot.start and each.end <= shot.end and each.start >= plan.shots[number - 1].start
        assert number + 1 not in found or each.end <= found[number + 1].start
        assert find_transition(found, number, shot.start) == (number, each)
        assert find_transition(found, number - 1, shot.start - 1) == ((number, each) if each.start < each.cut else None)


def test_no_template_means_cuts_alone(tmp_path: Path) -> None:
    request = request_for(tmp_path, 8.0, media=(tmp_path / "a.jpg",) * 4)
    assert choose_transitions(request, plan_video(request)) == {}
    with pytest.raises(ValueError, match="template"):
        request_for(tmp_path, 2.0, template="disco")


def test_what_is_all_drawn_by_rule_has_no_transitions_and_own_shots_among_it_have(tmp_path: Path) -> None:
    def film(*shots: StoryShot) -> Filming:
        request = request_for(
            tmp_path,
            8.0,
            scene="spectrum",
            template="energetic",
            media=(tmp_path / "a.jpg",),
            storyboard=Storyboard(shots),
        )
        plan = plan_video(request)
        painter, own = FramePainter(Choreography(request, plan, 1)), OwnShots(request, plan, {}, (None,) * len(shots))
        return Filming(request, plan, painter, own, lambda _request, _clip: DARK, Stylist(request, StyleShelf()))

    assert film(StoryShot(4), StoryShot(4)).transitions == {}
    assert list(film(StoryShot(4), StoryShot(4, "a.jpg")).transitions) == [1]


def test_moves_and_colours_are_the_templates_own() -> None:
    look = VisualEffects(zoom=0.8, flash=0.4, cuts=0.9)
    assert TEMPLATES["clean"].apply(look).flash == 0 and TEMPLATES["energetic"].apply(look).zoom == 1
    assert TEMPLATES["energetic"].apply(look).cuts == 1 and TEMPLATES["dreamy"].apply(look).cuts < 0.9
    picture = np.random.default_rng(0).integers(30, 220, (36, 64, 3), np.uint8)
    np.testing.assert_array_equal(TEMPLATES["clean"].grade(picture, 1), picture)
    retro = TEMPLATES["retro"].grade(picture, 1)
    np.testing.assert_array_equal(retro, TEMPLATES["retro"].grade(picture, 1))
    assert not np.array_equal(retro, TEMPLATES["retro"].grade(picture, 2))  # the grain moves
    assert retro[..., 0].mean() > retro[..., 2].mean() + 15  # warm
    dark = np.full((36, 64, 3), 20, np.uint8)
    assert abs(float(TEMPLATES["dreamy"].grade(dark, 0).mean()) - 20) < 30  # nothing dark is turned round


@pytest.mark.slow
@pytest.mark.parametrize(("name", "scene"), [("dreamy", "pictures"), ("energetic", "mixed"), ("retro", "spectrum")])
def test_a_whole_video_with_a_template(tmp_path: Path, name: str, scene: str) -> None:
    media = (
        photo(tmp_path / "a.jpg", (320, 240), (0.5, 0.5), GREEN),
        clip(tmp_path / "b.mp4", "color=blue:s=64x64:d=1:r=30"),
        photo(tmp_path / "c.jpg", (240, 320), (0.5, 0.5), RED),
        photo(tmp_path / "d.jpg", (240, 320), (0.5, 0.5), BLUE),
    )
    request = request_for(tmp_path, 4.0, aspect="1:1", media=media, template=name, scene=scene)
    *_, last = MusicVideoGenerator(BlobVideo()).stream(request)
    assert last.last and probe(request.out).frames == 96
    assert sum(1 for _ in read_frames(request.out, probe(request.out), 36, 36)) == 96
