"""Making something: one sentence on the first screen becomes three things to play, also over a reload."""

from __future__ import annotations

from typing import Any

from tests.browser.conftest import open_page, settle

STATUS = "(document.querySelector('#make-status')?.innerText ?? '')"


def test_one_sentence_becomes_a_played_video(chromium: Any, address: str) -> None:
    for page in open_page(chromium, address):
        settle(page)
        page.fill("#make-about input, #make-about textarea", "a boat, 160 bpm, 4 bars")
        page.keyboard.press("Enter")
        page.wait_for_selector("#make-introduction-part")
        page.wait_for_selector("#make-stop:enabled")
        page.reload()  # the work goes on in the server
        page.wait_for_selector("#make-introduction-part")
        page.wait_for_selector("#make-film-part video")
        page.wait_for_function(f"() => {STATUS}.includes('An introduction, a song and a music video')")
        length = "async () => { const film = document.querySelector('#make-film-part video'); film.muted = true; "
        length += "await film.play(); return film.duration; }"
        assert page.evaluate(length) > 4
        page.wait_for_selector("#make-start:enabled")
        page.wait_for_selector("#library-shelf-root .result-card:nth-child(4)")
        page.click("#make-song-open .open-part")
        page.wait_for_function("() => document.title.startsWith('Music ·')")
        page.wait_for_function("() => document.querySelector('#music-tempo input[type=number]')?.value === '160'")
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_many_lines_are_queued_and_a_press_waits_for_none_of_them(chromium: Any, address: str) -> None:
    for page in open_page(chromium, address):
        page.set_default_timeout(30_000)
        settle(page)
        page.locator("button", has_text="Many at once").locator("visible=true").click()
        settle(page)
        page.fill("#speech-batch textarea", "text,speed\nOne.,2\nTwo.,2\nThree.,2\nFour.,fast")
        page.click("#speech-batch-start")
        page.wait_for_function("() => document.querySelector('#speech-batch-note').innerText.includes('Line 4: Speed')")
        page.fill("#speech-batch textarea", "One.\nTwo.")
        page.click("#speech-batch-start")
        page.wait_for_function("() => document.querySelector('#speech-batch-note').innerText.includes('2 are in')")
        page.fill("#speech-text textarea", "Now.")
        page.click("#speech-generate")
        page.wait_for_function("() => document.querySelectorAll('#library-shelf-root .result-card').length === 3")
        titles = page.locator("#library-shelf-root .result-card b").all_text_contents()
        assert set(titles) == {"One.", "Two.", "Now."}
        page.wait_for_selector("#library-jobs .job", state="detached")
