"""A person whose page or studio ends in the middle of work: nothing is lost, and everything goes on."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from tests.browser.conftest import (
    end_studio,
    find_free_port,
    open_more_settings,
    open_page,
    open_tab,
    settle,
    start_studio,
)
from tests.hub_server import HubServer

STATUS = "(document.querySelector('#music-status')?.innerText ?? '')"
JOBS = "#library-jobs .job"
SHELF = "#library-shelf-root .result-card"


def begin_long_piece(page: Any, bars: int) -> None:
    """Begin a piece that takes a while, and wait until its first bars are heard of."""
    open_tab(page, "Music")
    page.wait_for_selector("#music-compose")
    open_more_settings(page)
    page.locator("#music-model").scroll_into_view_if_needed()
    page.click("#music-model input")
    page.get_by_role("option", name="Debug music slow").click()
    page.fill("#music-bars input[type=number]", str(bars))
    page.keyboard.press("Tab")
    page.click("#music-compose")
    page.wait_for_function(f"() => {STATUS}.includes('Composing: bar')")


def test_a_page_that_is_reloaded_finds_its_running_and_its_finished_work(chromium: Any, address: str) -> None:
    for page in open_page(chromium, address):
        page.set_default_timeout(40_000)
        settle(page)
        begin_long_piece(page, 12)
        page.wait_for_selector(JOBS)
        page.reload()
        page.wait_for_function(f"() => {STATUS}.includes('Composing: bar')")
        page.wait_for_selector("#music-stop:enabled")
        page.wait_for_selector("#music-compose:disabled")
        page.wait_for_function(f"() => {STATUS}.includes('12 bars')")
        page.wait_for_selector("#music-compose:enabled")
        page.wait_for_selector(SHELF)
        page.wait_for_selector(JOBS, state="detached")
        page.reload()
        page.wait_for_function(f"() => {STATUS}.includes('12 bars')")
        page.wait_for_selector("#music-roll .roll-picture")
        page.wait_for_selector("#music-wav:enabled, #music-wav a[href]")
        page.fill("#music-bars input[type=number]", "64")  # long enough to be stopped on any machine
        page.keyboard.press("Tab")
        page.click("#music-continue")  # the piece is still on the table
        page.wait_for_function(f"() => {STATUS}.includes('Writing on')")
        page.locator(f"{JOBS} .cancel").click()  # stopped from the list of jobs
        page.wait_for_selector("#music-compose:enabled")
        assert "Stopped" in page.evaluate(f"() => {STATUS}")


def test_four_more_like_a_result_are_made_while_one_does_something_else(chromium: Any, address: str) -> None:
    for page in open_page(chromium, address):
        settle(page)
        page.fill("#speech-text textarea", "Hello there.")
        page.click("#speech-generate")
        page.wait_for_selector(SHELF)
        page.locator(f"{SHELF} .about").click()
        page.click("#library-more-like")
        page.wait_for_function(f"() => document.querySelectorAll('{SHELF}').length === 5")
        told = "async () => (await (await fetch('library/items')).json()).items.map((each) => each.id)"
        asked = "async (id) => (await (await fetch(`library/item?id=${id}`)).json()).seed"
        seeds = {page.evaluate(asked, each) for each in page.evaluate(told)}
        assert len(seeds) == 5


def test_a_killed_studio_offers_again_what_it_was_doing(chromium: Any, hub: HubServer, tmp_path: Path) -> None:
    port = find_free_port()
    process = start_studio(tmp_path, port, hub)
    try:
        for page in open_page(chromium, f"http://127.0.0.1:{port}"):
            page.set_default_timeout(40_000)
            settle(page)
            page.fill("#speech-text textarea", "Nothing is lost.")
            page.click("#speech-generate")
            page.wait_for_selector(SHELF)
            begin_long_piece(page, 24)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            process = start_studio(tmp_path, port, hub)
            page.goto(f"http://127.0.0.1:{port}")
            lost = page.locator(JOBS)
            lost.wait_for()
            assert "The studio was ended while it made this" in lost.inner_text()
            page.locator(f"{SHELF} b", has_text="Nothing is lost.").wait_for()
            lost.locator(".again").click()
            page.wait_for_function(f"() => {STATUS}.includes('of 24')")
            page.wait_for_function("() => document.title.startsWith('Music')")
            page.wait_for_selector("#music-stop:enabled")
            page.click("#music-stop")
            page.wait_for_selector("#music-compose:enabled")
    finally:
        end_studio(process)
