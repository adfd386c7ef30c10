"""A person at the Live tab: starts, turns a knob, plays a phrase, stops, downloads; two pages; one that is closed."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mido
import pytest
import soundfile

from tests.browser.conftest import download, open_page, open_tab, pick, put_on_shelf, settle
from tests.hub_server import HubServer

REPORT = "window.auralumeLive.report()"
LINE = "document.querySelector('#live-line').innerText"


@pytest.fixture
def live_page(chromium: Any, address: str) -> Iterator[Any]:
    for page in open_page(chromium, address):
        to_tab(page)
        yield page


def to_tab(page: Any) -> None:
    open_tab(page, "Live")
    page.wait_for_selector("#live-start")
    page.wait_for_selector("#live-keys [data-pitch='60']")
    settle(page)


def start(page: Any) -> None:
    page.click("#live-start")
    page.wait_for_function(f"() => {REPORT}.heard_s > 0.5 && {REPORT}.pictures > 0")


def stop(page: Any) -> None:
    page.click("#live-stop")
    page.wait_for_function("() => document.querySelector('#live-file-wav, #live-line.problem')")
    assert "recorded" in page.evaluate(f"() => {LINE}")


def people(address: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{address}/live/people") as answer:
        found: dict[str, int] = json.load(answer)
    return found


def wait_for(what: Callable[[], object], limit_s: float = 30.0) -> None:
    end = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


def test_start_turn_a_knob_play_a_phrase_stop_and_download(live_page: Any, address: str, tmp_path: Path) -> None:
    page = live_page
    start(page)
    assert people(address)["playing"] == 1
    page.fill("#live-tempo input[type=number]", "150")
    page.keyboard.press("Tab")
    page.wait_for_function(f"() => {REPORT}.turns.some((turn) => turn.heard !== undefined)")
    turn = page.evaluate(f"() => {REPORT}.turns.find((each) => each.heard !== undefined)")
    assert turn["heard"] > turn["at"]

    page.locator("#live-start").focus()
    for key in ("a", "d", "g"):
        page.keyboard.down(key)
        assert page.locator("#live-keys .down").count() == 1
        page.wait_for_timeout(120)
        page.keyboard.up(key)
    page.wait_for_function(f"() => {REPORT}.answers.length > 0")
    key = page.locator("#live-keys [data-pitch='72']")
    key.hover()
    page.mouse.down()
    page.mouse.up()

    page.fill("#live-prompt textarea", "a blue fire")
    page.click("#live-lead")
    page.wait_for_function("() => document.querySelector('#live-meter-recorded').innerText !== '–'")
    assert "frames a second" in page.inner_text("#live-meter-pictures")
    stop(page)
    wav, midi, mp3 = (download(page, f"#live-file-{kind}", tmp_path) for kind in ("wav", "mid", "mp3"))
    assert soundfile.info(wav).duration > 2
    assert soundfile.info(mp3).duration == pytest.approx(soundfile.info(wav).duration, abs=0.2)
    song = mido.MidiFile(midi)
    tempi = {round(mido.tempo2bpm(m.tempo)) for track in song.tracks for m in track if m.type == "set_tempo"}
    assert tempi == {104, 150}
    mine = next(t for t in song.tracks if any(m.type == "track_name" and m.name == "You" for m in t))
    assert [m.note for m in mine if m.type == "note_on"][:3] == [60, 64, 67]
    assert people(address)["threads"] == 0


def test_a_hub_model_films_while_the_music_plays(live_page: Any, address: str, hub: HubServer) -> None:
    page = live_page
    put_on_shelf(page, hub, "live-film", "ltx")
    to_tab(page)
    pick(page, "#live-model", "tiny/live-film")
    page.wait_for_function("() => document.querySelector('#live-shelf').innerText.includes('to download first')")
    told = "document.querySelector('#live-meter-pictures').innerText"
    hub.gate.clear()
    try:
        start(page)
        page.wait_for_function(f"() => {told}.includes('shipped model draws meanwhile; tiny/live-film is downloading')")
    finally:
        hub.gate.set()
    page.wait_for_function(f"() => {told}.includes('of tiny/live-film shown in turn')")
    seen = page.evaluate(f"() => {REPORT}.pictures")
    page.wait_for_function(f"() => {REPORT}.pictures > {seen} + 5")
    assert page.locator("#live-line.problem").count() == 0
    stop(page)
    wait_for(lambda: people(address)["threads"] == 0, 60)


def test_two_pages_play_apart_and_a_closed_one_ends_its_work(chromium: Any, address: str, live_page: Any) -> None:
    start(live_page)
    context = chromium.new_context(viewport={"width": 1000, "height": 900})
    other = context.new_page()
    other.set_default_timeout(120_000)
    other.goto(address)
    to_tab(other)
    start(other)
    assert people(address)["playing"] == 2
    assert live_page.evaluate(f"() => {REPORT}.token") != other.evaluate(f"() => {REPORT}.token")
    before = people(address)["threads"]
    context.close()  # midway
    wait_for(lambda: people(address)["playing"] == 1, 60)
    wait_for(lambda: people(address)["threads"] < before, 60)
    heard = live_page.evaluate(f"() => {REPORT}.heard_s")
    live_page.wait_for_function(f"() => {REPORT}.heard_s > {heard} + 1")
    stop(live_page)
    wait_for(lambda: people(address) == people(address) | {"playing": 0, "threads": 0}, 60)
