"""The storyboard: its JSON, how it lies over the beats, and that a changed shot costs that shot alone."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from models.media.clip_info import probe
from models.media.clip_reader import read_frames
from models.media.program import find_ffmpeg
from models.music_video.contracts import MusicVideoRequest
from models.music_video.cutting import make_grid
from models.music_video.features import Section
from models.music_video.generator import MusicVideoGenerator
from models.music_video.plan import plan_video
from models.music_video.segments import SegmentStore
from models.music_video.storyboard import MOTIONS, Storyboard, StoryShot, name_media, read_storyboard
from tests.models.music_video.debug_video import BlobVideo, request_for

SHOTS = st.builds(
    StoryShot,
    beats=st.integers(1, 50),
    source=st.text(max_size=20),
    motion=st.sampled_from(MOTIONS),
    prompt=st.text(max_size=20),
    take=st.integers(0, 9),
    seed=st.integers(0, 10**6),
    locked=st.booleans(),
)


@given(st.lists(SHOTS, min_size=1, max_size=6), st.integers(0, 10**6))
def test_what_is_written_is_read_again(shots: list[StoryShot], seed: int) -> None:
    storyboard = Storyboard(tuple(shots), seed)
    assert read_storyboard(storyboard.to_json()) == storyboard


@given(st.one_of(st.text(), st.recursive(st.none() | st.integers() | st.text(), st.lists).map(str)))
def test_any_other_text_is_a_sentence(text: str) -> None:
    try:
        found = read_storyboard(text)
    except ValueError as error:
        assert "storyboard" in str(error)
    else:
        assert found is None and not text.strip()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"shots": []}', "0 shots"),
        ('{"shots": [{}]}', "Shot 1 of the storyboard: beats is 0"),
        ('{"shots": [{"beats": 2}, {"beats": 2, "colour": "red"}]}', "Shot 2 of the storyboard has 'colour'"),
        ('{"shots": [{"beats": 2, "motion": "sideways"}]}', "motion of a shot is 'sideways'"),
        ('{"shots": [{"beats": true}]}', "beats is True"),
        ('{"shots": [{"beats": 1}], "seed": -1}', "seed is -1"),
        ("[" * 2000, "cannot be read"),
    ],
)
def test_what_is_wrong_is_named(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_storyboard(text)


def test_equal_names_are_numbered() -> None:
    paths = [Path("a/x.jpg"), Path("b/x.jpg"), Path("c/y.jpg"), Path("d/x.jpg")]
    assert name_media(paths) == ("x.jpg", "x (2).jpg", "y.jpg", "x (3).jpg")


def colours(folder: Path, *names: str) -> tuple[Path, ...]:
    """Write a photo of each colour, named after it."""
    paths = []
    for name in names:
        Image.new("RGB", (96, 64), name).save(folder / f"{name}.png")
        paths.append(folder / f"{name}.png")
    return tuple(paths)


@pytest.fixture
def request_8s(tmp_path: Path) -> MusicVideoRequest:
    request = request_for(tmp_path, 8.0, aspect="1:1", media=colours(tmp_path, "red", "lime", "blue"))
    sections = (Section(0.0, 4.2, "A"), Section(4.2, 8.0, "B"))
    return replace(request, features=replace(request.features, sections=sections))


def test_the_grid_goes_on_where_no_beat_is_heard(request_8s: MusicVideoRequest) -> None:
    grid = make_grid(request_8s)
    assert grid[0] == 0 and (np.diff(grid) > 0).all() and len(grid) == 17  # the lead of 0.2 s, and 16 beats
    track = request_8s.track
    kept = (track.times_s > 2) & ((track.times_s < 4) | (track.times_s > 6))
    broken = replace(request_8s, track=replace(track, times_s=track.times_s[kept], places=track.places[kept]))
    np.testing.assert_array_equal(make_grid(broken), grid)


def test_a_storyboard_lies_on_the_beats_and_the_last_shot_goes_on_to_the_end(request_8s: MusicVideoRequest) -> None:
    arranged = plan_video(request_8s)
    again = plan_video(replace(request_8s, storyboard=arranged.storyboard, seed=99))
    assert again.shots == arranged.shots and again.clips == arranged.clips
    assert sum(shot.beats for shot in arranged.storyboard.shots) == len(make_grid(request_8s))
    told = Storyboard(
        (StoryShot(3, "blue.png"), StoryShot(2, motion="left"), StoryShot(4), StoryShot(400), StoryShot(1))
    )
    plan = plan_video(replace(request_8s, storyboard=told))
    grid = make_grid(request_8s)
    assert [shot.start for shot in plan.shots] == [0, grid[3], grid[5], grid[9]] and plan.shots[-1].end == 192
    assert "too short for the last 1 shots" in plan.notes[-1]
    with pytest.raises(ValueError, match=r"shows gone\.jpg"):
        plan_video(replace(request_8s, storyboard=Storyboard((StoryShot(3, "gone.jpg"),))))


@pytest.mark.slow
def test_a_changed_shot_is_drawn_alone_and_joined(request_8s: MusicVideoRequest) -> None:
    maker = MusicVideoGenerator(None)
    told = Storyboard(
        tuple(StoryShot(4, f"{name}.png", seed=seed) for seed, name in enumerate(("red", "lime", "blue")))
    )
    request = replace(request_8s, storyboard=told, title="T", template="clean")
    *_, last = maker.stream(request)
    assert last.storyboard == told and [each is not None for each in last.pictures] == [True] * 3
    before = list(read_frames(request.out, probe(request.out), 32, 32))
    shots = (*told.shots[:2], replace(told.shots[2], source="lime.png"))
    drawn = {chunk.frames for chunk in maker.stream(replace(request, storyboard=replace(told, shots=shots)))}
    first = plan_video(request).shots[1].start
    assert min(drawn - {0}) >= first  # what is kept counts as drawn
    info = probe(request.out)
    after = list(read_frames(request.out, info, 32, 32))
    assert (info.frames, info.sound, len(after)) == (192, "aac", 192)
    np.testing.assert_array_equal(np.stack(before[:first]), np.stack(after[:first]))
    assert after[-8][..., 1].mean() > 150 > before[-8][..., 1].mean()
    said = subprocess.run(
        [find_ffmpeg(), "-i", str(request.out), "-map", "0:v", "-vf", "showinfo", "-f", "null", "-"],
        capture_output=True, text=True, check=True,
    ).stderr  # fmt: skip
    times = [float(line.split("pts_time:")[1].split()[0]) for line in said.splitlines() if "pts_time:" in line]
    np.testing.assert_allclose(times, np.arange(192) / 24, atol=0.002)


def test_without_a_model_only_shots_of_ones_own_are_drawn(request_8s: MusicVideoRequest) -> None:
    told = Storyboard((StoryShot(4, "red.png"), StoryShot(4)))
    with pytest.raises(ValueError, match="no video model"):
        list(MusicVideoGenerator(None).stream(replace(request_8s, storyboard=told)))


def test_the_least_used_shots_make_room_but_none_that_is_in_use(tmp_path: Path) -> None:
    store = SegmentStore(most_bytes=250)
    picture = np.zeros((2, 2, 3), np.uint8)

    def keep(key: str) -> None:
        path = store.make_path()
        path.write_bytes(bytes(100))
        store.keep(key, path, picture)

    with store.hold("abc"):
        for key in "abc":
            keep(key)
        with store.hold("a"):
            pass
        assert all(map(store.has, "abc"))
    assert [store.has(key) for key in "abc"] == [False, True, True]
    assert not store.find_path("a").exists() and store.find_picture("b") is not None


@pytest.mark.slow
def test_a_model_draws_what_a_shot_says(tmp_path: Path) -> None:
    request = request_for(
        tmp_path, 2.0, aspect="1:1", storyboard=Storyboard((StoryShot(2), StoryShot(2, prompt="a fire")))
    )
    maker = MusicVideoGenerator(BlobVideo())
    list(maker.stream(request))
    again = Storyboard((StoryShot(2), StoryShot(2, prompt="a fire", take=5)))
    stages = [chunk.stage for chunk in maker.stream(replace(request, storyboard=again))]
    assert stages.count("clips") > 1, "another take is another clip"
    assert plan_video(request).clips[-1].prompt == "a fire"
