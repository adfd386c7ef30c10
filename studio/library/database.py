"""The index of the library and of jobs: one SQLite file, one writer, migrations, and a fresh start where it is damaged.

The index holds nothing that the files do not hold too, except for jobs: what is lost is rebuilt from them.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

WAIT_S = 10.0  # for another process that writes
MIGRATIONS = (
    """
    CREATE TABLE items (
        id TEXT PRIMARY KEY, owner TEXT NOT NULL, kind TEXT NOT NULL, favourite INTEGER NOT NULL,
        bytes INTEGER NOT NULL, deleted_s REAL, words TEXT NOT NULL, data TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX items_of_owner ON items (owner, id);
    CREATE TABLE files (digest TEXT NOT NULL, owner TEXT NOT NULL, item TEXT NOT NULL, name TEXT NOT NULL);
    CREATE INDEX files_by_digest ON files (digest, owner);
    CREATE INDEX files_of_item ON files (item);
    CREATE TABLE parents (item TEXT NOT NULL, parent TEXT NOT NULL, PRIMARY KEY (item, parent)) WITHOUT ROWID;
    CREATE INDEX children ON parents (parent);
    """,
    """
    CREATE TABLE jobs (
        id TEXT PRIMARY KEY, owner TEXT NOT NULL, browser TEXT NOT NULL, place TEXT NOT NULL, starter INTEGER NOT NULL,
        title TEXT NOT NULL, state TEXT NOT NULL, lane TEXT NOT NULL, model TEXT NOT NULL, row TEXT NOT NULL,
        asked_s REAL NOT NULL, began_s REAL, ended_s REAL, said TEXT NOT NULL, item TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX jobs_of_owner ON jobs (owner, id);
    """,
    """
    ALTER TABLE jobs RENAME COLUMN model TO process;
    CREATE INDEX jobs_of_place ON jobs (place, id);
    """,
)
DAMAGED = ("malformed", "not a database", "disk image", "file is encrypted")


class NewerIndexError(ValueError):
    """The index was written by a later version, which this one must not touch."""


class Database:
    """One connection behind a lock, which every thread of the process shares.

    Args:
        path: of the file; None keeps it in memory.
        on_fresh: called when an empty index takes the place of a lost or damaged one.
    """

    def __init__(self, path: Path | None, on_fresh: Callable[[], None] = lambda: None) -> None:
        self.path, self.on_fresh = path, on_fresh
        self._lock = threading.RLock()
        self._connection = self._open()

    def close(self) -> None:
        """Close the file; nothing works after it."""
        with self._lock:
            self._connection.close()

    def read(self, question: str, *values: Any) -> list[sqlite3.Row]:
        """Return the rows of a question."""
        return self._repairing(lambda: self._connection.execute(question, values).fetchall())

    def write(self, *changes: tuple[str, tuple[Any, ...]]) -> None:
        """Make all of the changes, or none."""

        def apply() -> None:
            with self._transaction():
                for statement, values in changes:
                    self._connection.execute(statement, values)

        self._repairing(apply)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _repairing(self, work: Callable[[], Any]) -> Any:
        """Do what `work` does; where the file turns out to be damaged, begin a new one and do it again."""
        with self._lock:
            try:
                return work()
            except sqlite3.DatabaseError as error:
                if self.path is None or not _is_damage(error):
                    raise
                log.warning("The index of the library is damaged (%s); it is rebuilt.", error)
                self._connection.close()
                set_aside(self.path)
                self._connection = self._open()
                self.on_fresh()
                return work()

    def _open(self) -> sqlite3.Connection:
        if self.path is None:
            return _connect(":memory:")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _connect(str(self.path))
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            log.warning("The index of the library is damaged (%s); it is rebuilt.", error)
            set_aside(self.path)
            return _connect(str(self.path))


def _connect(path: str) -> sqlite3.Connection:
    """Open the file, check it, and bring it to the present form."""
    connection = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(f"database disk image is malformed: {found}")
        _migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")  # two processes may start at once
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        connection.execute("ROLLBACK")
        raise NewerIndexError("The library was written by a later version of Auralume; start that one.")
    for script in MIGRATIONS[version:]:
        for statement in script.split(";"):
            if statement.strip():
                connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    connection.execute("COMMIT")


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    return any(word in str(error) for word in DAMAGED)


def set_aside(path: Path) -> None:
    """Rename a damaged file, so that a person can still look at it; its log goes with it."""
    for suffix in ("", "-wal", "-shm"):
        file = path.with_name(path.name + suffix)
        if not file.exists():
            continue
        if suffix:
            file.unlink()
        else:
            file.replace(path.with_name(f"{path.stem}-damaged-{time.time_ns()}{path.suffix}"))
