"""Make several things of one sentence: each tab's own work in turn, every part shown as soon as it is there."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from models.contracts import Task
from models.registry.registry import Registry
from studio.io import audio_files, temp_folders
from studio.make.plan import Undertaking, plan_undertaking
from studio.page import html, jobs
from studio.page.events import Events, Files, Lineage, Outcome, Pictures, Problem, Status
from studio.page.keeping import recipe_in
from studio.page.places import Places

NEEDED = (Task.SPEECH, Task.MUSIC, Task.BEATS, Task.VIDEO)  # what the registry must offer
SHOWN = ("introduction", "song", "film")
PARTS = {"introduction": "Speaking the introduction", "song": "Composing the song", "film": "Filming"}
TABS = {"introduction": "Speech", "song": "Music", "film": "Music Video"}
FILES = (*SHOWN, "mix", "captions", "midi")
VOICE_STARTS_S = 0.8
SIDE = 720  # pixels of the film's shorter side: the whole is there within two minutes on two cores
LINEAGE = Lineage(
    {"mix": ("introduction", "song"), "film": ("mix",)}, {"film": {"song": "mix", "captions": "captions"}}
)
NOTHING: Events = (
    Status(html.status("Planning what to make")),
    Pictures({"said": "", "picture": "", **{f"{name}_open": "" for name in SHOWN}}),
    Files(dict.fromkeys(FILES)),
    LINEAGE,
)


@dataclass
class _PartsMade:
    """How far a run is: what it has made, and whether the last part of it was stopped."""

    made: list[str] = field(default_factory=list)
    is_cut: bool = False

    @property
    def kept(self) -> str:
        """Return what is there, in words."""
        said = {"introduction": "the introduction", "song": "the song", "film": "the video"}
        return " and ".join(said[name] for name in self.made) + (" so far" if self.is_cut else "")


class MakeActions:
    """Make an introduction, a song and a music video by the work that the tabs registered.

    Args:
        places: of the page; the tabs may be laid out later.
    """

    def __init__(self, registry: Registry, places: Places) -> None:
        self.registry, self.places = registry, places
        self.stops = jobs.StopBoard()

    def run(self, session: str, _key: str, values: Mapping[str, Any]) -> Generator[Events]:
        """Make all parts for the page; failures are events, never exceptions. What is finished stays."""
        progress = _PartsMade()

        def work(should_stop: Callable[[], bool]) -> Generator[Events]:
            yield NOTHING
            plan = plan_undertaking(str(values.get("about") or ""), int(values["seed"]))
            with temp_folders.held() as folder:
                yield from self._make(plan, Path(folder), progress, should_stop)

        for events in jobs.run_stoppable(self.stops, session, work, ending=(Pictures({"picture": ""}),)):
            yield tuple(_with_kept(each, progress) for each in events)

    def _make(
        self, plan: Undertaking, folder: Path, progress: _PartsMade, should_stop: Callable[[], bool]
    ) -> Generator[Events]:
        yield (Pictures({"said": html.preview(plan.introduction) + html.notes([plan.chosen] if plan.chosen else [])}),)
        spoken = Outcome()
        values: dict[str, Any] = {"text": plan.introduction, "seed": plan.seed}
        yield from self._run_part("introduction", "speech", values, folder, progress, should_stop, spoken)
        yield *_show("introduction", spoken.files["wav"]), Files({"introduction_mp3": spoken.files.get("mp3")})
        _heed(should_stop)
        composed = Outcome()
        yield from self._run_part("song", "music", plan.music, folder, progress, should_stop, composed)
        files = Files({"midi": composed.files.get("midi"), "song_mp3": composed.files.get("mp3")})
        yield *_show("song", composed.files["wav"]), files
        _heed(should_stop)
        yield (Status(html.status("Laying the voice over the song")),)
        mix, captions = mix_parts(plan, folder, spoken, composed)
        yield (Files({"mix": mix, "captions": captions}),)
        filmed = Outcome()
        values = {
            "song": str(mix),
            "beats_from": composed.files["wav"],
            "captions": str(captions) if captions is not None else None,
            "prompts": "\n".join(plan.looks),
            "title": plan.subject if len(plan.subject) <= 60 else "",
            "shorter_side": SIDE,
            "seed": plan.seed,
        }
        yield from self._run_part("film", "music_video", values, folder, progress, should_stop, filmed)
        yield *_show("film", filmed.files["file"]), Pictures({"picture": ""})
        _heed(should_stop)
        yield (Status(html.finished("An introduction, a song and a music video", f"seed {plan.seed}")),)

    def _run_part(
        self,
        name: str,
        program: str,
        values: Mapping[str, Any],
        folder: Path,
        progress: _PartsMade,
        should_stop: Callable[[], bool],
        outcome: Outcome,
    ) -> Generator[Events]:
        """Do the work of a tab in a folder of its own, and tell how far it is; `outcome` takes what it makes.

        What is stopped in the middle leaves what it has.

        Raises:
            Stopped: it has nothing.
        """
        number, own = SHOWN.index(name) + 1, folder / name
        own.mkdir()
        said = f"{number} of {len(SHOWN)}: {PARTS[name]}"
        yield (Status(html.status(said)),)
        work = self.places.programs[program]
        key = work.fields.first_models(self.registry).get("model")
        if not key:
            raise ValueError(f"There is no model on the shelf for this part: {PARTS[name].lower()}.")
        is_cut = False
        with closing(work.run(key, values, str(own), should_stop)) as steps:
            for events in steps:
                is_cut = name == "introduction" and (is_cut or (should_stop() and not outcome.files))
                outcome.add(events)
                yield tuple(_pass_on(each, said) for each in events if isinstance(each, (Status, Pictures)))
        if not outcome.files:
            raise jobs.Stopped
        progress.made.append(name)
        progress.is_cut = is_cut or _is_stopped(outcome)


def mix_parts(plan: Undertaking, folder: Path, spoken: Outcome, composed: Outcome) -> tuple[Path, Path | None]:
    """Lay the spoken introduction over the song, and move its captions to where it is heard; return both files."""
    from models.media.sound import read_in_time, read_sound
    from models.media.voice_over import lay_voice_over
    from models.music_video.captions import read_captions, write_captions

    music, rate = read_sound(composed.files["wav"])
    length_s = float((spoken.report or {})["duration_s"])
    voice = read_in_time(spoken.files["wav"], length_s, rate).mean(axis=1)
    both = lay_voice_over(voice, music if len(music) == 2 else music.repeat(2, axis=0), rate, VOICE_STARTS_S)
    mix = audio_files.write_wav(folder / f"{plan.stem}-voice-over-{plan.seed}.wav", both, rate)
    text = Path(spoken.files["srt"]).read_text(encoding="utf-8") if "srt" in spoken.files else ""
    if not text.strip():
        return mix, None
    captions = mix.with_suffix(".srt")
    captions.write_text(write_captions(read_captions(spoken.files["srt"]), VOICE_STARTS_S), encoding="utf-8")
    return mix, captions


def _heed(should_stop: Callable[[], bool]) -> None:
    """Raise Stopped where nothing more is to be made."""
    if should_stop():
        raise jobs.Stopped


def _is_stopped(outcome: Outcome) -> bool:
    """Tell whether the recipe in one of the files says that the work was stopped."""
    recipes = (recipe_in(Path(each)) for each in outcome.files.values())
    return any(each is not None and "stopped" in each.settings for each in recipes)


def _show(name: str, path: str) -> Events:
    return Files({name: path}), Pictures({f"{name}_open": link(name, path)})


def _pass_on(event: Status | Pictures, said: str) -> Status | Pictures:
    """Return what a part tells with the part's name before it."""
    if isinstance(event, Pictures):
        return Pictures({name: drawn for name, drawn in event.html.items() if name == "picture"})
    line: Any = event.html
    return Status(html.status(said, getattr(line, "share", None), str(getattr(line, "left", "") or "")))


def _with_kept(event: Any, progress: _PartsMade) -> Any:
    """Let the line after Stop, and after a failure, say what is there all the same."""
    if isinstance(event, Status) and getattr(event.html, "what", "") == "Stopped":
        return Status(html.finished("Stopped", f"{progress.kept} kept" if progress.made else ""))
    if isinstance(event, Problem) and progress.made:
        return Problem(f"{event.sentence} What was made before is kept: {progress.kept}.")
    return event


def link(name: str, path: str | Path) -> str:
    """Return the button that opens a part in its own tab."""
    return (
        f'<button type="button" class="open-part" data-tab="{TABS[name]}" data-file="{escape(Path(path).name)}">'
        f"Open in {TABS[name]}</button>"
    )
