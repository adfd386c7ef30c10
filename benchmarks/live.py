"""The Live tab: late chunks, real-time factor, how soon a knob and an answer are heard, gaps, frames, memory.

    python -m benchmarks.live --json                      # about 25 minutes; leave the machine alone meanwhile
    python -m benchmarks.live --json --only latency       # also: page, server, alone, hour

`page` plays for `--minutes` in Chromium on the same machine and watches from outside the page's script
(`benchmarks.live_page`). `latency` turns knobs and plays a phrase by the page's own controls; a knob is taken as heard
at the first sample of the recording that differs from the same session played again without that turn, an answer at the
first that differs from the session played again without answers. The recording is what was sent, sample for sample, and
the page's clock tells when each sample sounded. `hour` is an hour of music, recording and hearing by a simulated clock,
with a stretch of pictures every minute.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.threads import limit_spinning

limit_spinning()

from benchmarks import live_page  # noqa: E402
from benchmarks.results import add_json_option, report_figures  # noqa: E402
from models.live.audio_features import MusicFeatureTracker  # noqa: E402
from models.live.bar_generator import BarGenerator  # noqa: E402
from models.live.controls import LiveControls  # noqa: E402
from models.live.frame_stream import FrameGenerator, FrameStream  # noqa: E402
from models.live.messages import pack_sound  # noqa: E402
from models.live.music_stream import MusicStream, Timeline  # noqa: E402
from models.live.recording import SessionRecording, to_int16  # noqa: E402
from models.live.session import LiveSession  # noqa: E402
from models.threads import use_single_thread  # noqa: E402

SETTLE_MS, BETWEEN_MS, PHRASE_KEYS = 12_000, 8_000, ("a", "d", "g", "f")
QUIET_S = 1.5  # before the end of a phrase no earlier answer sounds
HEARD = 0.004  # of full scale: a difference that counts as heard
HOUR_CONTROLS = LiveControls(72, "F", "major", 2.0, (0,), False, 0.35, "pop")
Samples = NDArray[np.float32]


@contextlib.contextmanager
def load_shipped(key: str) -> Iterator[Any]:
    """Load a model of the catalogue, for as long as it is used."""
    from models.registry.catalog import CATALOG
    from models.registry.registry import Registry

    with Registry(CATALOG).load(key).hold() as model:
        yield model


class PlayedSession:
    """The sound, seed and turns of the knobs that a session left."""

    def __init__(self, wav: Path, seed: int, timeline: Timeline) -> None:
        import soundfile

        self.samples, self.rate = soundfile.read(wav, dtype="float32", always_2d=True)
        self.seed, self.timeline = seed, timeline

    @classmethod
    def read_page(cls, wav: bytes) -> PlayedSession:
        """Read a recording that was downloaded; its recipe tells the turns."""
        from studio.io.recipes import read_recipe

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "session.wav"
            path.write_bytes(wav)
            recipe = read_recipe(path)
            turns = json.loads(str(recipe.settings["timeline"]))
            timeline = {
                int(bar): (LiveControls(**values | {"instruments": tuple(values["instruments"])}), effort)
                for bar, (values, effort) in turns.items()
            }
            return cls(path, recipe.seed, timeline)

    def replay(self, bar_generator: BarGenerator, timeline: Timeline, until_s: float) -> Samples:
        """Play the session again with other turns, float32 (N, 2)."""
        stream = MusicStream(bar_generator, bar_generator.composer.bank, timeline[0][0], self.seed, timeline)
        made: list[Samples] = []
        while stream.rendered_s < until_s:
            made.append(stream.render_chunk().samples)
        return np.concatenate(made, axis=1).T

    def find_difference_s(self, other: Samples, after_s: float, same_from_s: float = 0.0) -> float:
        """Find when the recording first differs from another one, from a moment on; before, it must not."""
        first, count = round(after_s * self.rate), min(len(other), len(self.samples))
        apart = np.abs(self.samples[:count] - other[:count]).max(axis=1) > HEARD
        if apart[round(same_from_s * self.rate) : first].any() or not apart[first:].any():
            raise RuntimeError(f"The sessions should be the same until {after_s:.2f} s and differ then; they do not.")
        return (first + int(np.argmax(apart[first:]))) / self.rate


def _read_recording(page: Any, address: str) -> PlayedSession:
    token = page.evaluate(f"() => {live_page.REPORT}.token")
    said = live_page.press_stop(page)
    if "recorded" not in said:
        raise RuntimeError(said)
    with urllib.request.urlopen(f"{address}/live/file/{token}/session.wav") as answer:
        return PlayedSession.read_page(answer.read())


def _find_heard_s(page: Any) -> float:
    return float(page.evaluate(f"() => {live_page.REPORT}.heard_s"))


def _fill(name: str, value: str) -> Any:
    def act(page: Any) -> None:
        page.fill(f"#live-{name} input[type=number]", value)
        page.keyboard.press("Tab")

    return act


TURNS = (
    _fill("intensity", "1"),
    lambda page: page.locator("#live-mode label", has_text="minor").click(),
    _fill("tempo", "140"),
    _fill("density", "5"),
    lambda page: page.locator("#live-drums input").click(),
    _fill("tempo", "84"),
)


def measure_latency() -> Iterator[dict[str, float]]:
    """Turn knobs, then play a phrase, and find in the recordings when each was heard.

    One phrase: once an answer has sounded, the recording and the session played again without it no longer agree.
    """
    with live_page.open_live_page() as (page, address, _):
        live_page.press_start(page)
        page.wait_for_timeout(SETTLE_MS)
        turned = []
        for act in TURNS:
            turned.append(_find_heard_s(page))
            act(page)
            page.wait_for_timeout(BETWEEN_MS)
        knobs = _read_recording(page, address)
        live_page.press_start(page)
        page.wait_for_timeout(SETTLE_MS)
        page.locator("#live-start").focus()
        for before, key in itertools.pairwise(("", *PHRASE_KEYS, "")):
            if key:
                page.keyboard.down(key)
            if before:  # one key after the other is down, without a pause that could end the phrase
                page.keyboard.up(before)
            page.wait_for_timeout(200 if key else 0)
        released = float(
            page.evaluate(f"() => {{ const r = {live_page.REPORT}; return r.heard_s - (r.now - r.released); }}")
        )
        page.wait_for_timeout(2 * BETWEEN_MS)
        phrased = _read_recording(page, address)
    with load_shipped("music/transformer") as composer:
        use_single_thread()
        bar_generator = BarGenerator(composer)
        yield _measure_knobs(knobs, turned, bar_generator)
        plain = phrased.replay(bar_generator, phrased.timeline, len(phrased.samples) / phrased.rate - 1)
        answer_s = phrased.find_difference_s(plain, released, released - QUIET_S) - released
    yield {"answer_latency_s": answer_s, "answer_latency_median_s": answer_s}


def _measure_knobs(session: PlayedSession, turned: list[float], bar_generator: BarGenerator) -> dict[str, float]:
    """Measure the latency of each turn, and the length of the bar in which it was made."""
    turns = dict(sorted(session.timeline.items()))
    bars = list(turns)
    acted = [bar for before, bar in itertools.pairwise(bars) if turns[before][0] != turns[bar][0]]
    if len(acted) != len(turned):
        raise RuntimeError(f"{len(turned)} turns were made and {len(acted)} acted.")
    waits, lengths = [], []
    for at, bar in zip(turned, acted, strict=True):
        without = {each: turn for each, turn in turns.items() if each < bar}
        begins_s = sum(turns[max(each for each in turns if each <= index)][0].bar_s for index in range(bar))
        other = session.replay(bar_generator, without, begins_s + 4)
        lengths.append(without[max(without)][0].bar_s)
        waits.append(session.find_difference_s(other, at) - at)
    worst = int(np.argmax([wait - length for wait, length in zip(waits, lengths, strict=True)]))
    return {
        "knob_latency_s": waits[worst],
        "bar_s": lengths[worst],
        "knob_latency_median_s": statistics.median(waits),
        "knobs_within_bar_and_1s": statistics.mean(w <= b + 1 for w, b in zip(waits, lengths, strict=True)),
    }


@contextlib.contextmanager
def _play(bar_generator: BarGenerator, generator: Any, folder: str) -> Iterator[LiveSession]:
    frames = FrameStream(FrameGenerator(generator, "waves on the sea at sunset", 7), generator.light_upscaler.enlarge)
    session = LiveSession(bar_generator, LiveControls(), 7, frames, Path(folder), lambda _: None, program=11)
    session.start()
    try:
        time.sleep(SETTLE_MS / 1000)
        yield session
    finally:
        session.close()


def measure_server() -> Iterator[dict[str, float]]:
    """Measure the same in a session without a page, pictures drawn.

    The page adds `START_DELAY_S` of its script and the way.
    """
    knob_turns: list[dict[str, Any]] = [{"intensity": 1.0}, {"mode": "minor"}, {"tempo": 140.0}, {"density": 5.0}]
    knob_turns += [{"drums": False}, {"tempo": 84.0}]
    with (
        load_shipped("music/transformer") as composer,
        load_shipped("video/unet3d") as generator,
        tempfile.TemporaryDirectory() as folder,
    ):
        bar_generator, turned = BarGenerator(composer), []
        with _play(bar_generator, generator, folder) as session:
            for turn in knob_turns:
                turned.append(session.get_time_s())
                session.turn(replace(session.music.wanted[0], **turn))
                time.sleep(BETWEEN_MS / 1000)
        use_single_thread()
        wav = session.recording.wav_path
        found = _measure_knobs(PlayedSession(wav, 7, session.music.timeline), turned, bar_generator) | {
            "late": session.meter.late
        }
        yield {f"server_{name}": value for name, value in found.items()}
        with _play(bar_generator, generator, folder) as session:
            for before, pitch in itertools.pairwise((0, 60, 64, 67, 65, 0)):
                if pitch:
                    session.take_key(pitch, 96, True)
                if before:
                    session.take_key(before, 64, False)
                time.sleep(0.2 if pitch else 0.0)
            released = session.get_time_s()
            time.sleep(2 * BETWEEN_MS / 1000)
        phrased = PlayedSession(wav, 7, session.music.timeline)
        plain = phrased.replay(bar_generator, phrased.timeline, len(phrased.samples) / phrased.rate - 1)
        answer_s = phrased.find_difference_s(plain, released, released - QUIET_S) - released
    yield {"server_answer_latency_s": answer_s, "server_answer_latency_median_s": answer_s}


def measure_alone(length_s: float = 40.0) -> Iterator[dict[str, float]]:
    """Measure the real-time factor of the sound without pictures or a browser, on one thread."""
    with load_shipped("music/transformer") as composer:
        use_single_thread()
        stream = MusicStream(BarGenerator(composer), composer.bank, LiveControls(), 7)
        while stream.rendered_s < 10:
            stream.render_chunk()
        began, from_s = time.perf_counter(), stream.rendered_s
        while stream.rendered_s < from_s + length_s:
            stream.render_chunk()
        yield {"audio_rtf_alone": (time.perf_counter() - began) / (stream.rendered_s - from_s)}


def measure_hour(length_s: float = 3600.0) -> Iterator[dict[str, float]]:
    """Measure the memory of an hour by a simulated clock: from the tenth minute on."""
    import os

    with (
        load_shipped("music/transformer") as composer,
        load_shipped("video/unet3d") as generator,
        tempfile.TemporaryDirectory() as folder,
    ):
        use_single_thread()
        stream = MusicStream(BarGenerator(composer), composer.bank, HOUR_CONTROLS, 7)
        recording, features = SessionRecording(Path(folder), stream.sample_rate), MusicFeatureTracker()
        frames = FrameStream(
            FrameGenerator(generator, "waves on the sea at sunset", 7), generator.light_upscaler.enlarge
        )
        memory, minute = [], 0
        while stream.rendered_s < length_s:
            chunk = stream.render_chunk()
            pcm = to_int16(chunk.samples)
            pack_sound(chunk.start, pcm)
            recording.add(chunk, pcm)
            features.add(chunk)
            if stream.rendered_s >= 60 * minute:
                minute += 1
                frames.paint(stream.rendered_s, features.read_at(stream.rendered_s).energy)
                while frames.ready_s > 0:
                    frames.render_frame(stream.rendered_s, features.read_at(stream.rendered_s))
                memory.append(live_page.measure_rss_mb(os.getpid()))
        recording.close()
        yield {
            "hour_growth_mb": live_page.measure_growth(memory, parts=6),
            "hour_mb": memory[-1],
            "hour_simulated_s": length_s,
        }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_json_option(parser, "live")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the page plays")
    parser.add_argument("--hour-s", type=float, default=3600.0, help="simulated seconds of `hour`")
    parser.add_argument("--only", choices=("page", "latency", "server", "alone", "hour"), action="append")
    options = parser.parse_args()
    parts = {
        "alone": measure_alone,
        "server": measure_server,
        "latency": measure_latency,
        "page": lambda: iter([live_page.play_long(options.minutes)]),
        "hour": lambda: measure_hour(options.hour_s),
    }
    results: dict[str, float] = {}
    for name, work in parts.items():
        if options.only is None or name in options.only:
            try:
                for found in work():
                    results |= found
                    print(f"{name}: {found}", file=sys.stderr, flush=True)
            except RuntimeError as error:
                print(f"{name}: {error}", file=sys.stderr)
    results = {name: round(float(value), 4) for name, value in results.items()}
    if options.json:
        report_figures("live", results, options.json)
    else:
        print("\n".join(f"{name:28} {value}" for name, value in results.items()))


if __name__ == "__main__":
    main()
