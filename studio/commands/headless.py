"""The work of the tabs without a page: the same fields, the same actions, the same recipes in the files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from models.registry.registry import Registry
from studio.io import temp_folders
from studio.io.ffmpeg_path import ensure_ffmpeg
from studio.io.marking import mark_result
from studio.page.events import Events, Outcome, Status
from studio.page.fields import Choice, FieldList

Tell = Callable[[str, float | None], None]  # a sentence, and the share in [0, 1] or None


@dataclass(frozen=True)
class HeadlessProgram:
    """What one command does.

    Attributes:
        name: of the command.
        about: what it makes, in a sentence.
        main: the field that stands without its name.
        fields_in, actions_in: where the declarations and the actions are, as "module:name".
    """

    name: str
    about: str
    main: str
    fields_in: str
    actions_in: str

    @property
    def fields(self) -> FieldList:
        """Return the declarations."""
        found: FieldList = _find(self.fields_in)
        return found

    def values(self, registry: Registry, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is given, checked, over the values that the page shows at first.

        Raises:
            ValueError: names the control and what it takes.
        """
        values = first_values(registry, self.fields) | dict(given)
        self.fields.read(values)
        return values

    def make(self, registry: Registry, values: Mapping[str, Any], folder: str, tell: Tell) -> Outcome:
        """Do the work; the files of the outcome lie in `folder`, and are marked as generated.

        Raises:
            ValueError, ModelError: as the tab's actions.
        """
        ensure_ffmpeg()
        row = dict(values)
        key, outcome = str(row.pop("model", "") or ""), Outcome()
        with closing(_find(self.actions_in)(registry).run_program(key, row, folder)) as steps:
            for events in steps:
                outcome.add(events)
                _tell(tell, events)
                if outcome.report is not None:
                    break
        for path in outcome.files.values():
            mark_result(path)
        return outcome


PROGRAMS: dict[str, HeadlessProgram] = {
    each.name: each
    for each in (
        HeadlessProgram(
            "speak", "Speak a text.", "text", "studio.speech.controls:FIELDS", "studio.speech.actions:SpeechActions"
        ),
        HeadlessProgram(
            "music",
            "Compose, or go on from a piece.",
            "prompt",
            "studio.music.controls:FIELDS",
            "studio.music.actions:MusicActions",
        ),
        HeadlessProgram(
            "video",
            "Make a clip of words.",
            "prompt",
            "studio.video.controls:FIELDS",
            "studio.video.actions:VideoActions",
        ),
        HeadlessProgram(
            "music-video",
            "Cut pictures on the beats of a song.",
            "song",
            "studio.music_video.controls:FIELDS",
            "studio.music_video.actions:MusicVideoActions",
        ),
        HeadlessProgram(
            "style",
            "Paint a clip or a picture.",
            "content",
            "studio.style.controls:VIDEO_FIELDS",
            "studio.style.actions:VideoStyleActions",
        ),
        HeadlessProgram(
            "style-sound",
            "Give a sound another sound.",
            "content",
            "studio.style.controls:AUDIO_FIELDS",
            "studio.style.actions:AudioStyleActions",
        ),
    )
}


def first_values(registry: Registry, fields: FieldList) -> dict[str, Any]:
    """Return the values that a page over this registry shows at first."""
    values = fields.defaults() | fields.first_models(registry)
    for each in fields.fields:
        if isinstance(each, Choice) and each.offered is not None and each.default in ("", None):
            offered = list(each.offered(registry))
            values[each.name] = offered[0][1] if offered else each.default
    return values


def save(program: HeadlessProgram, registry: Registry, values: Mapping[str, Any], target: Path, tell: Tell) -> Saved:
    """Do the work and put its files where they are wanted; nothing half-finished is left there.

    Args:
        target: a file, whose ending chooses among the results, or a folder for all of them.

    Raises:
        ValueError: there is no result with this ending; or as `HeadlessProgram.make`.
    """
    with temp_folders.held() as folder:
        outcome = program.make(registry, values, folder, tell)
        made = list(dict.fromkeys(Path(each) for each in outcome.files.values()))
        if target.is_dir() or not target.suffix:
            target.mkdir(parents=True, exist_ok=True)
            chosen = [(each, target / each.name) for each in made]
        else:
            alike = [each for each in made if each.suffix.lower() == target.suffix.lower()]
            if not alike:
                known = ", ".join(dict.fromkeys(each.suffix for each in made))
                raise ValueError(f"There is no result as {target.suffix}; choose one of {known}.")
            target.parent.mkdir(parents=True, exist_ok=True)
            chosen = [(alike[0], target)]
        for source, place in chosen:
            part = place.with_name(f".{place.name}.part")
            shutil.copyfile(source, part)
            part.replace(place)
    return Saved([place for _, place in chosen], dict(outcome.report or {}))


@dataclass(frozen=True)
class Saved:
    """Files that were written, and the report that programs get."""

    files: list[Path]
    report: dict[str, Any]


def _tell(tell: Tell, events: Events) -> None:
    from studio.page.html import StatusLine

    for event in events:
        if isinstance(event, Status) and isinstance(event.html, StatusLine):
            tell(event.html.what, event.html.share)


def _find(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
