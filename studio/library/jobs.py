"""What is asked of the studio: jobs that wait, run, or have ended, kept over restarts beside the results.

A job names the process that works on it. Each process holds a lock as long as it lives; jobs of a process whose lock
can be had were cut off with it, and are offered again.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.io.temp_folders import try_lock
from studio.library.database import Database

WAITING, RUNNING, DONE, STOPPED, FAILED, LOST = "waiting", "running", "done", "stopped", "failed", "lost"
OPEN_STATES = (WAITING, RUNNING)
KEPT_S = 7 * 86_400.0
LISTED = 30
RECENT = 8  # ended jobs of a place whose time tells how long the next will take
MOST_ROW_CHARACTERS = 200_000
LOCKS = "processes"


@dataclass(frozen=True)
class Job:
    """One press of a button.

    Attributes:
        owner, browser: whose it is, and where it was pressed.
        place: prefix of the form; starter: number of its button.
        row: the values of the form by name.
        said: the last words about it, such as why it failed.
        items: ids of what it left in the library.
    """

    id: str
    owner: str
    browser: str
    place: str
    starter: int
    title: str
    state: str
    row: dict[str, Any]
    asked_s: float
    began_s: float | None = None
    ended_s: float | None = None
    said: str = ""
    items: tuple[str, ...] = ()


class JobStore:
    """Jobs in the index of the library.

    Args:
        folder: of the library, for the locks of the processes.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database, self._locks = database, folder / LOCKS
        self._locks.mkdir(parents=True, exist_ok=True)
        self.process = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._held = os.open(self._locks / self.process, os.O_RDWR | os.O_CREAT)
        try_lock(self._held)
        self._mark_lost()

    def add(self, job: Job) -> None:
        """Note a new job."""
        row = json.dumps(job.row, default=str)
        if len(row) > MOST_ROW_CHARACTERS:
            row = "{}"
        values = (job.id, job.owner, job.browser, job.place, job.starter, job.title, job.state, "", self.process, row)
        self._database.write(
            (
                "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, job.asked_s, job.began_s, job.ended_s, job.said, ",".join(job.items)),
            ),
            (
                "DELETE FROM jobs WHERE ended_s < ? OR (ended_s IS NULL AND asked_s < ?)",
                (time.time() - KEPT_S, time.time() - 4 * KEPT_S),
            ),
        )

    def begin(self, job_id: str) -> None:
        """Note that a job runs now."""
        self._database.write(("UPDATE jobs SET state = ?, began_s = ? WHERE id = ?", (RUNNING, time.time(), job_id)))

    def end(self, job_id: str, state: str, said: str = "", items: Iterable[str] = ()) -> None:
        """Note how a job ended, and what it left."""
        change = "UPDATE jobs SET state = ?, ended_s = ?, said = ?, item = ? WHERE id = ?"
        self._database.write((change, (state, time.time(), said, ",".join(items), job_id)))

    def get(self, owner: str, job_id: str) -> Job | None:
        """Return a job of an owner."""
        rows = self._database.read("SELECT * FROM jobs WHERE id = ? AND owner = ?", job_id, owner)
        return _job(rows[0]) if rows else None

    def find_maker(self, owner: str, item_id: str) -> Job | None:
        """Return the job that left a result in the library; None where it is not remembered any more."""
        question = "SELECT * FROM jobs WHERE owner = ? AND instr(item, ?) ORDER BY id DESC LIMIT 1"
        rows = self._database.read(question, owner, item_id)
        return _job(rows[0]) if rows else None

    def forget(self, owner: str, job_id: str) -> None:
        """Remove a job from the list."""
        self._database.write(("DELETE FROM jobs WHERE id = ? AND owner = ?", (job_id, owner)))

    def list_lost(self, owner: str) -> list[Job]:
        """Return the jobs that were cut off, the newest first."""
        question = f"SELECT * FROM jobs WHERE owner = ? AND state = ? ORDER BY id DESC LIMIT {LISTED}"
        return [_job(row) for row in self._database.read(question, owner, LOST)]

    def usual_s(self, place: str) -> float | None:
        """Return how long jobs of a place took of late, their median; None before the first."""
        question = (
            "SELECT ended_s - began_s AS took FROM jobs WHERE place = ? AND state = ? AND began_s IS NOT NULL"
            f" ORDER BY id DESC LIMIT {RECENT}"
        )
        took = sorted(row["took"] for row in self._database.read(question, place, DONE))
        return float(took[len(took) // 2]) if took else None

    def _mark_lost(self) -> None:
        """Mark what dead processes were working on, and clear their locks away."""
        alive = set()
        for path in self._locks.iterdir():
            if path.name == self.process:
                alive.add(path.name)
                continue
            file = os.open(path, os.O_RDWR)
            is_free = try_lock(file)
            os.close(file)
            if is_free:
                path.unlink(missing_ok=True)
            else:
                alive.add(path.name)
        marks = ", ".join("?" * len(alive))
        change = f"UPDATE jobs SET state = ?, ended_s = ? WHERE state IN (?, ?) AND process NOT IN ({marks})"
        self._database.write((change, (LOST, time.time(), *OPEN_STATES, *alive)))


def _job(row: Any) -> Job:
    try:
        values = json.loads(row["row"])
    except ValueError:
        values = {}
    return Job(
        id=row["id"],
        owner=row["owner"],
        browser=row["browser"],
        place=row["place"],
        starter=row["starter"],
        title=row["title"],
        state=row["state"],
        row=values if isinstance(values, dict) else {},
        asked_s=row["asked_s"],
        began_s=row["began_s"],
        ended_s=row["ended_s"],
        said=row["said"],
        items=tuple(each for each in row["item"].split(",") if each),
    )
