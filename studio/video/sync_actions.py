"""What "Check and fix sync" does, without its page: an uploaded clip in; offset, picture and repaired clip out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contracts import Task
from models.media.clip_info import ClipInfo, probe
from models.media.clip_reader import read_frames
from models.media.program import MediaError
from models.media.sound import read_in_time
from models.media.write import PLAYED_FILES, replace_sound, write_anew
from models.registry.registry import Registry
from studio.io import audio_files, temp_folders
from studio.page import film, html, jobs
from studio.page.events import Event, Events, Files, Pictures, Report, Status

MOST_S = 120.0
SIDE = 96  # of the frames that are compared
SHOWN_SIDE = 960  # at most, of a copy that is shown
SAMPLE_RATE = 44_100
NOTHING: Events = (
    Status(html.status("Looking at the clip")),
    Files({"before": None, "after": None, "file": None}),
    Pictures({"plot": "", "notes": ""}),
)


class SyncActions:
    """Check clips for the page and for the endpoint `/sync`."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.stops = jobs.StopBoard()

    @property
    def key(self) -> str:
        """Return the key of the network that compares."""
        spec = self.registry.default(Task.SYNC)
        assert spec is not None, "the page is built where there is a network for it"
        return spec.key

    def run(self, session: str, _key: str, values: Mapping[str, Any]) -> Generator[Events]:
        """Check and repair for the page; failures are events, never exceptions."""
        with temp_folders.held() as folder:
            yield from jobs.run_on_page(
                self.registry,
                self.stops,
                session,
                self.key,
                NOTHING,
                lambda: open_clip(values["clip"]),
                lambda _used, model, info, stop: self._check(model, info, values, folder, stop),
            )

    def run_program(self, _key: str, values: Mapping[str, Any], folder: str) -> Generator[Events]:
        """Check and repair for a program: the last step has the report, and the file where the clip was repaired."""
        yield from jobs.run_with_model(
            self.registry,
            self.key,
            open_clip(values["clip"]),
            lambda _used, model, info, stop: self._check(model, info, values, folder, stop),
        )

    def _check(
        self, model: Any, info: ClipInfo, values: Mapping[str, Any], folder: str, should_stop: Callable[[], bool]
    ) -> Generator[Events]:
        from models.video.sync_model import SyncRequest

        path = str(values["clip"])
        frames = []
        for frame in read_frames(path, info, SIDE, SIDE):
            frames.append(frame)
            if len(frames) % 48 == 0:
                if should_stop():
                    raise jobs.Stopped
                yield (Status(html.status("Reading the picture", len(frames) / info.frames)),)
        sound = read_in_time(path, info.duration_s, SAMPLE_RATE)
        before = show_upload(Path(path), info, sound, Path(folder))
        yield (Status(html.status("Comparing picture and sound", None)),)
        request = SyncRequest(np.stack(frames), float(info.rate), sound, SAMPLE_RATE, bool(values["fix"]))
        chunk: Any = None
        with closing(model.stream(request)) as chunks:
            for chunk in chunks:
                if should_stop():
                    raise jobs.Stopped
                said = "Moving the sound" if not chunk.last else "Writing the clip"
                yield Status(html.status(said, None)), Pictures({"plot": draw_findings(chunk.report)})
        files: tuple[Event, ...] = (Files({"before": before}),)  # players that come up one after another may get lost
        if chunk.samples is not None:
            target = Path(folder) / f"{Path(path).stem[:60]}-in-sync.mp4"
            write_with_sound(Path(path), info, chunk.samples, target)
            files = (Files({"before": before, "file": target, "after": target}),)
        status = Status(html.finished(verdict(chunk), f"confidence {chunk.report.confidence:.0%}"))
        yield status, *files, Pictures({"notes": html.notes(remarks(chunk))}), _report(chunk)


def open_clip(path: str | None) -> ClipInfo:
    """Tell what an upload is; raises ValueError with a sentence for what cannot be compared."""
    if not path:
        raise ValueError("Choose a clip with sound first.")
    info = probe(path)
    name = Path(path).name
    if info.is_picture:
        raise MediaError(f"{name} is a picture that does not move; choose a clip with sound.")
    if not info.sound:
        raise MediaError(f"{name} has no sound, so there is nothing to compare the picture with.")
    if info.duration_s > MOST_S:
        raise MediaError(f"{name} is longer than {MOST_S / 60:g} minutes; cut it first.")
    return info


def show_upload(source: Path, info: ClipInfo, samples: NDArray[np.float32], folder: Path) -> Path:
    """Return a file that a browser plays: the upload itself where it is one, else a small copy with its sound (N, 2).

    Raises:
        MediaError: the copy cannot be written.
    """
    if (source.suffix.lower(), info.codec) in PLAYED_FILES and not info.transfer:
        return source
    target = folder / "before.mp4"
    wav = audio_files.write_wav(folder / "before.wav", np.ascontiguousarray(samples.T), SAMPLE_RATE)
    try:
        return write_anew(source, info, target, wav, info.fitted(SHOWN_SIDE))
    finally:
        wav.unlink(missing_ok=True)


def write_with_sound(source: Path, info: ClipInfo, samples: NDArray[np.float32], target: Path) -> None:
    """Write the picture of `source` with another sound (N, 2) as MP4; the picture is copied where browsers play it.

    Raises:
        MediaError: it cannot be written.
    """
    wav = audio_files.write_wav(target.with_suffix(".wav"), np.ascontiguousarray(samples.T), SAMPLE_RATE)
    try:
        replace_sound(source, info, wav, target)
    finally:
        wav.unlink(missing_ok=True)


def verdict(chunk: Any) -> str:
    """Say what was found, in one sentence."""
    from models.video.sync_model import FRAME_S, LEAST_CONFIDENCE

    report = chunk.report
    if report.confidence < LEAST_CONFIDENCE:
        return "I cannot tell whether sound and picture are in time: too little happens in this clip"
    if abs(report.offset_s) <= FRAME_S / 2:
        return "Sound and picture are in time"
    return f"The sound comes {abs(1000 * report.offset_s):.0f} ms {'late' if report.offset_s > 0 else 'early'}"


def remarks(chunk: Any) -> list[str]:
    """Say what else a person should know."""
    said = [
        "The network learned from this studio's own scenes: it is sure of impacts, flashes and bursts, not of talk."
    ]
    if chunk.after is not None:
        said.insert(
            0, f"The sound was moved. Measured again, it is {abs(1000 * chunk.after.offset_s):.0f} ms from the picture."
        )
    return said


def draw_findings(report: Any) -> str:
    """Draw the attention and the likelihood of every offset."""
    seconds = len(report.attention) / 24
    milliseconds = 1000 * report.offsets_s
    labels = f"{milliseconds[0]:.0f} ms: early", f"{milliseconds[-1]:+.0f} ms: late"
    return film.likelihood(report.probabilities, labels) + film.attention(report.attention, seconds)


def _report(chunk: Any) -> Report:
    report, after = chunk.report, chunk.after
    return Report(
        {
            "offset_ms": round(1000 * report.offset_s, 1),
            "confidence": round(report.confidence, 3),
            "verdict": verdict(chunk),
            "repaired": after is not None,
            "offset_after_ms": None if after is None else round(1000 * after.offset_s, 1),
        }
    )
