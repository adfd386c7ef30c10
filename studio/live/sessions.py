"""Who is playing live: a session each, a limit for all, and an end for those whose page has gone."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from models.contracts import Task
from models.memory import trim_heap
from models.registry.registry import Registry
from studio.io import temp_folders
from studio.live.controls import read_controls, read_number

if TYPE_CHECKING:
    from models.live.session import LiveSession
    from models.live.voice_session import VoiceSession

log = logging.getLogger(__name__)

SILENT_FOR_S = 15.0  # a page that says nothing for so long has gone, even if its line seems to be there
LOOK_EVERY_S = 1.0
GIVE_BACK_EVERY_S = 15.0  # it takes some milliseconds
KEEP_RECORDING_S = 900.0
TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
GONE = "This session has ended; press Start again."


def full_sentence(most: int) -> str:
    """Return what a person is told who comes when all places are taken."""
    people = "One person is" if most == 1 else f"{most} people are"
    return f"The machine is full: {people} playing live just now. Try again when someone has stopped."


@dataclass
class OpenSession:
    """A person's place: session, the line to the page, what it holds, when the page was last heard of."""

    session: LiveSession | VoiceSession
    line: object
    folder: Path
    hold: contextlib.ExitStack
    heard_at: float
    page: dict[str, float] = field(default_factory=dict)  # what the page says of its own playing


class LiveBoard:
    """Opens and closes sessions.

    Args:
        most: people at once; None is one more than there are cores.
    """

    def __init__(self, registry: Registry, most: int | None = None, silent_for_s: float = SILENT_FOR_S) -> None:
        self.registry = registry
        self.most = most if most is not None else (os.cpu_count() or 2) + 1
        self.silent_for_s = silent_for_s
        self._lock = threading.Lock()
        self._open_sessions: dict[str, OpenSession] = {}
        self._opening: set[str] = set()
        self._kept: dict[str, tuple[Path, float]] = {}  # recordings: folder, until when
        self._watch: threading.Thread | None = None

    # ---- opening

    def open(
        self, token: str, kind: str, wishes: dict[str, Any], send: Callable[[bytes], None], line: object = None
    ) -> None:
        """Begin a session for a page.

        Args:
            token: the page's own secret name.
            kind: "music" or "voice".
            wishes: of "music": controls (as LiveControls), seed, program, pictures, prompt; of "voice": rate, style,
                strength, pictures, prompt.
            line: whatever tells this opening from a later one of the same page.

        Raises:
            ValueError, ModelError: a sentence: the machine is full, a wish that is not possible, a model is missing.
        """
        if not TOKEN.fullmatch(token):
            raise ValueError("The page has no proper name; load it again.")
        self.close(token, keep=False)
        with self._lock:
            if len(self._open_sessions) + len(self._opening) >= self.most:
                raise ValueError(full_sentence(self.most))
            self._opening.add(token)
        folder = temp_folders.hold()
        hold = contextlib.ExitStack()
        try:
            from studio.live import opening

            session = opening.session(self.registry, kind, wishes, folder, send, hold)
            with self._lock:
                self._open_sessions[token] = OpenSession(session, line, folder, hold, time.monotonic())
            session.start()
        except BaseException:
            hold.close()
            temp_folders.release(folder)
            raise
        finally:
            with self._lock:
                self._opening.discard(token)
        self._start_watch()

    # ---- while it goes on

    def has(self, token: str, line: object) -> bool:
        """Tell whether the page still has the session that was opened on this line."""
        with self._lock:
            return token in self._open_sessions and self._open_sessions[token].line is line

    def session(self, token: str) -> LiveSession | VoiceSession:
        """Return the page's session, noted as alive.

        Raises:
            ValueError: there is none.
        """
        with self._lock:
            opened = self._open_sessions.get(token)
            if opened is None:
                raise ValueError(GONE)
            opened.heard_at = time.monotonic()
            return opened.session

    def control(self, wishes: dict[str, Any]) -> dict[str, Any]:
        """Do what a page asks for while it plays: controls, key, prompt; `page` is what it says of its playing.

        Raises:
            ValueError: there is no session, or a wish that is not possible.
        """
        token = str(wishes.get("token"))
        session = self.session(token)
        if isinstance(wishes.get("page"), dict):
            with self._lock:
                if token in self._open_sessions:
                    self._open_sessions[token].page = dict(wishes["page"])
        if "prompt" in wishes:
            session.lead_to(str(wishes["prompt"]), read_number(wishes, "over_s", 8.0))
        if session.kind == "music":
            if "controls" in wishes:
                session.turn(read_controls(wishes["controls"]))
            if isinstance(wishes.get("key"), dict):
                self._key(session, wishes["key"])
        return {}

    def _key(self, session: LiveSession, key: dict[str, Any]) -> None:
        pitch, velocity = round(read_number(key, "pitch", 60)), round(read_number(key, "velocity", 90))
        if not 0 <= pitch < 128 or not 1 <= velocity < 128:
            raise ValueError("A key's pitch must be from 0 to 127 and its velocity from 1 to 127.")
        if "program" in key:
            session.program = min(127, max(0, round(read_number(key, "program", 0))))
        at_s = read_number(key, "at_s", -1.0)
        session.take_key(pitch, velocity, bool(key.get("down")), at_s if at_s >= 0 else None)

    def people(self) -> dict[str, int]:
        """Tell how many play, how many can, and how many threads work for them."""
        with self._lock:
            playing = len(self._open_sessions) + len(self._opening)
        threads = [thread for thread in threading.enumerate() if thread.name.startswith("auralume-live-")]
        return {"playing": playing, "most": self.most, "threads": len(threads)}

    # ---- closing

    def close(self, token: str, keep: bool = True) -> OpenSession | None:
        """End a page's session; with `keep` its recording stays for a while. Returns it, if there was one."""
        with self._lock:
            opened = self._open_sessions.pop(token, None)
        if opened is None:
            return None
        try:
            opened.session.close()
        finally:
            opened.hold.close()
            if keep:
                with self._lock:
                    old = self._kept.pop(token, None)
                    self._kept[token] = (opened.folder, time.monotonic() + KEEP_RECORDING_S)
                self._start_watch()  # it may have ended: while the session closed there was nothing to watch
                if old is not None:
                    temp_folders.release(old[0])
            else:
                temp_folders.release(opened.folder)
        return opened

    def stop(self, token: str, keep: bool = True) -> dict[str, Any]:
        """End a page's session and finish its recording: its length and the names of its files.

        Raises:
            ValueError: there is no session.
        """
        opened = self.close(token, keep)
        if opened is None:
            raise ValueError(GONE)
        if not keep:
            return {}
        from studio.live.files import finished_files

        specs = self.registry.specs(Task.MUSIC)
        files = finished_files(opened.session, opened.folder, self.registry, specs[0].key if specs else "")
        return {"duration_s": round(opened.session.recording.duration_s, 1), "files": files}

    def leave(self, token: str, line: object) -> None:
        """End the session of a line whose page has gone, and forget what it recorded."""
        if self.has(token, line):
            self.close(token, keep=False)

    def recording(self, token: str, name: str) -> Path:
        """Return a file of an ended session; the MP3 is made when it is first asked for.

        Raises:
            ValueError: there is no such file any more, or it cannot be made.
        """
        with self._lock:
            kept = self._kept.get(token)
        if kept is None:
            raise ValueError("This recording is no longer kept.")
        from studio.live.files import recording_file

        return recording_file(kept[0], name)

    def _start_watch(self) -> None:
        with self._lock:
            if self._watch is None or not self._watch.is_alive():
                self._watch = threading.Thread(target=self._look, name="auralume-watch", daemon=True)
                self._watch.start()

    def _look(self) -> None:
        """End sessions whose page has gone, drop old recordings, and give free memory back, which would else grow for
        minutes in the heaps of the sessions' threads; ends when there is nothing to watch.
        """
        given_back = time.monotonic()
        while True:
            time.sleep(LOOK_EVERY_S)
            now = time.monotonic()
            if now - given_back >= GIVE_BACK_EVERY_S:
                given_back = now
                trim_heap()
            with self._lock:
                gone = [t for t, opened in self._open_sessions.items() if now - opened.heard_at > self.silent_for_s]
                stale = [t for t, (_, until) in self._kept.items() if now > until]
                folders = [self._kept.pop(t)[0] for t in stale]
            for folder in folders:
                temp_folders.release(folder)
            for token in gone:
                try:
                    self.close(token, keep=False)
                except Exception:
                    log.exception("A live session could not be closed")
            with self._lock:
                if not self._open_sessions and not self._kept:
                    self._watch = None
                    return


_BOARDS: WeakKeyDictionary[Registry, LiveBoard] = WeakKeyDictionary()


def board_of(registry: Registry) -> LiveBoard:
    """Return the one board of a registry."""
    if registry not in _BOARDS:
        _BOARDS[registry] = LiveBoard(registry)
    return _BOARDS[registry]
