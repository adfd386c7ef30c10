"""One sentence becomes an introduction, a song and a video of both: by the tabs' own work, kept as a family."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import gradio as gr
import numpy as np
import pytest
import soundfile

from models.media.clip_info import probe
from models.media.voice_over import lay_voice_over
from models.music_video import generator
from models.music_video.captions import read_captions
from studio.app import build_studio
from studio.library import jobs as states
from studio.library.items import LibraryItem
from studio.library.store import Library
from studio.make import actions as make_actions
from studio.make.actions import VOICE_STARTS_S
from studio.music.take import MusicTake
from studio.music_video import actions as music_video_actions
from studio.page.runs import BOARDS, BackgroundRun
from studio.page.wiring import RETURNS, Workbench
from tests.studio.debug_studio import whole_registry

PATIENCE_S = 180.0
SENTENCE = "a boat, 120 bpm, 4 bars"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return Library(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def page(library: Library, tmp_path_factory: pytest.TempPathFactory) -> gr.Blocks:
    return build_studio(whole_registry(tmp_path_factory.mktemp("weights")), library)


@pytest.fixture(scope="module")
def bench(page: gr.Blocks) -> Workbench:
    return next(bench for bench in RETURNS[BOARDS[page]] if bench.place == "make")


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(make_actions, "SIDE", 360)
        yield


def end(run: BackgroundRun) -> None:
    """Wait until a run has ended."""
    until = time.monotonic() + PATIENCE_S
    while not run.ended_s:
        assert time.monotonic() < until
        time.sleep(0.02)


def begin(bench: Workbench, about: str) -> BackgroundRun:
    return bench.begin("local", "browser", "page", 0, {"about": about, "seed": 3})


def line(run: BackgroundRun) -> str:
    return str(run.line.html)


@pytest.fixture(scope="module")
def made(bench: Workbench, library: Library) -> Iterator[tuple[BackgroundRun, dict[str, LibraryItem]]]:
    run = begin(bench, SENTENCE)
    end(run)
    yield run, {item.kind: item for item in library.find("local")}


@pytest.mark.slow
def test_all_parts_are_made_and_kept_as_a_family(
    made: tuple[BackgroundRun, dict[str, LibraryItem]], library: Library
) -> None:
    run, items = made
    assert run.state == states.DONE, line(run)
    assert set(items) == {"speech", "music", "make", "music_video"}
    assert set(items["make"].parents) == {items["speech"].id, items["music"].id}
    assert items["music_video"].parents == (items["make"].id,)
    names = {each.role: each.name for each in items["make"].files}
    assert items["music_video"].inputs == {
        "song": (items["make"].id, names["mix"]),
        "captions": (items["make"].id, names["captions"]),
    }
    assert {items[kind].recipe is not None for kind in ("speech", "music", "music_video")} == {True}
    captions = read_captions(library.path("local", items["make"].id, names["captions"]))
    assert captions[0].start_s >= VOICE_STARTS_S
    film = next(each for each in items["music_video"].files if each.role == "film")
    sound = soundfile.info(library.path("local", items["make"].id, names["mix"]))
    assert probe(library.path("local", items["music_video"].id, film.name)).duration_s == pytest.approx(
        sound.duration, abs=0.2
    )


@pytest.mark.slow
def test_stop_keeps_the_parts_that_are_finished(
    bench: Workbench, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {item.id for item in library.find("local")}
    mix = make_actions.mix_parts

    def stop_then_mix(*given: Any) -> Any:
        bench.board.stop(run)
        return mix(*given)

    monkeypatch.setattr(make_actions, "mix_parts", stop_then_mix)
    run = begin(bench, SENTENCE)
    end(run)
    assert run.state == states.STOPPED
    assert "the introduction and the song kept" in line(run)
    new = {item.kind for item in library.find("local") if item.id not in before}
    assert {"speech", "music"} <= new and "music_video" not in new


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["music", "music_video"])
def test_stop_in_the_middle_of_a_part_keeps_what_is_there_of_it(
    kind: str, bench: Workbench, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {item.id for item in library.find("local")}
    add, show = MusicTake.add, music_video_actions._progress

    def stop_in_the_song(take: MusicTake, chunk: Any) -> None:
        add(take, chunk)
        if len(take.bars) == 4:
            bench.board.stop(run)

    def stop_in_the_film(chunk: Any, request: Any) -> Any:
        if chunk.frames >= 2 * request.rate:
            bench.board.stop(run)
        return show(chunk, request)

    if kind == "music":
        monkeypatch.setattr(MusicTake, "add", stop_in_the_song)
    else:
        monkeypatch.setattr(music_video_actions, "_progress", stop_in_the_film)
        monkeypatch.setattr(generator, "REPORT_EVERY_S", 0.0)  # a look at Stop after each frame
    run = begin(bench, "a lake, 120 bpm, 4 bars" if kind == "music_video" else "a boat, 120 bpm, 24 bars")
    end(run)
    assert run.state == states.STOPPED
    assert f"the {'song' if kind == 'music' else 'video'} so far kept" in line(run)
    (item,) = [each for each in library.find("local") if each.id not in before and each.kind == kind]
    assert item.recipe is not None and item.recipe.settings["stopped"]
    assert 0.9 < item.length_s < 12.0


def test_an_empty_box_is_refused_before_anything_is_made(bench: Workbench) -> None:
    run = begin(bench, "  ")
    end(run)
    assert run.state == states.FAILED
    assert "Type what it is about first." in line(run)


def test_the_music_makes_room_for_the_voice() -> None:
    rate = 8_000
    time = np.arange(4 * rate) / rate
    music = np.stack([0.3 * np.sin(2 * np.pi * 440 * time)] * 2).astype(np.float32)
    voice = (0.05 * np.sin(2 * np.pi * 100 * time[:rate])).astype(np.float32)
    mix = lay_voice_over(voice, music, rate, 1.0)
    assert mix.shape == music.shape and np.abs(mix).max() <= 1.0
    assert np.array_equal(mix[:, : rate // 2], music[:, : rate // 2])
    assert np.allclose(mix[:, 3 * rate :], music[:, 3 * rate :])
    spoken = np.abs(np.fft.rfft(mix[0, rate : 2 * rate]))
    assert spoken[100] > 2 * spoken[440]
    with pytest.raises(ValueError, match="no voice"):
        lay_voice_over(voice * 0, music, rate, 1.0)
