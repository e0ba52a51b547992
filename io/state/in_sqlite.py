"""State in one SQLite file, for Parquet runs and machines without Redis.

A file that is corrupt, foreign or of a later version is moved aside as `.corrupt-<epoch seconds>` and state starts
empty: that may repeat an alert and loses none.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from ridgeline.io.state.interface import StateError, alert_key, as_timestamp
from ridgeline.io.text import encodable, escape

log = logging.getLogger("ridgeline.state")

APPLICATION_ID = 0x52494447  # "RIDG"
VERSION = 1
SCHEMA = f"""
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS entry (key TEXT PRIMARY KEY, value TEXT NOT NULL, expires REAL NOT NULL, ttl REAL NOT NULL)
        WITHOUT ROWID;
    PRAGMA application_id = {APPLICATION_ID};
    PRAGMA user_version = {VERSION};
    COMMIT;
"""
# An entry with more life left than it was given, plus an hour for clocks that disagree, was written by a broken clock.
SKEW = 3600.0
TIMEOUT = 5.0
_COLUMNS = ["key", "value", "expires", "ttl"]


class SqliteState:
    """State in the file at `path`, opened at the first use; `clock` gives epoch seconds."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._open: sqlite3.Connection | None = None

    def last_alerts(self, pairs: Sequence[tuple[str, str]]) -> list[int | None]:
        """One look-up each."""
        stored = [self._read(alert_key(strategy, metric)) for strategy, metric in pairs]
        return [None if value is None else as_timestamp(value) for value in stored]

    def record_alert(self, strategy: str, metric: str, timestamp: int, expiration: int) -> None:
        """One committed row."""
        self._write(alert_key(strategy, metric), str(int(timestamp)), expiration)

    def get(self, key: str) -> Any | None:
        """Text that is no JSON counts as absent."""
        value = self._read(f"ridgeline.{key}")
        try:
            return None if value is None else json.loads(value)
        except ValueError:
            return None

    def set(self, key: str, value: Any, ttl: int) -> None:
        """One committed row of JSON text."""
        self._write(f"ridgeline.{key}", json.dumps(value, allow_nan=False), ttl)

    def close(self) -> None:
        """Forget what has expired and close the file. What fails here is only logged: there is nothing left to lose."""
        if self._open is None:
            return
        with closing(self._open) as database:
            self._open = None
            try:
                database.execute("DELETE FROM entry WHERE expires <= ?", [self._clock()])
            except sqlite3.Error as error:
                log.warning("cannot tidy the state file %s: %s", self._path, escape(error))

    def _read(self, key: str) -> str | None:
        now = self._clock()
        with self._failures("read") as database:
            row = database.execute("SELECT value, expires, ttl FROM entry WHERE key = ?", [encodable(key)]).fetchone()
        alive = row is not None and now < row[1] <= now + row[2] + SKEW
        return str(row[0]) if alive else None

    def _write(self, key: str, value: str, ttl: float) -> None:
        with self._failures("write") as database:
            row = [encodable(key), value, self._clock() + ttl, ttl]
            database.execute("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)", row)

    @contextmanager
    def _failures(self, what: str) -> Iterator[sqlite3.Connection]:
        """The open database; its errors as StateError."""
        try:
            if self._open is None:
                self._open = open_database(self._path, self._clock)
            yield self._open
        except (sqlite3.Error, OSError) as error:
            raise StateError(f"cannot {what} the state file {self._path}: {escape(error)}") from error


def open_database(path: Path, clock: Callable[[], float]) -> sqlite3.Connection:
    """The database at `path`, made if absent; a file that cannot be ours is moved aside, with a warning."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _connect(path)
    except sqlite3.OperationalError:  # locked, unreadable, disk full: the file itself may be sound
        raise
    except sqlite3.DatabaseError as error:
        aside = _move_aside(path, int(clock()))
        log.warning("%s was unusable (%s); moved to %s, starting empty: alerts may repeat", path, escape(error), aside)
    return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    """Open and check; sqlite3.DatabaseError if the file is corrupt or not ours."""
    database = sqlite3.connect(path, timeout=TIMEOUT, isolation_level=None, check_same_thread=False)
    try:
        _check(database)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")  # a power cut may lose the last rows: repeats, not losses
        database.executescript(SCHEMA)
    except BaseException:
        database.close()
        raise
    return database


def _check(database: sqlite3.Connection) -> None:
    """Raise sqlite3.DatabaseError unless the file is empty or a sound state file of this version."""
    identity = database.execute("PRAGMA application_id").fetchone()[0]
    version = database.execute("PRAGMA user_version").fetchone()[0]
    tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if (identity, version, tables) == (0, 0, 0):
        return
    if identity != APPLICATION_ID:
        raise sqlite3.DatabaseError("not a state file of Ridgeline")
    if version != VERSION:
        raise sqlite3.DatabaseError(f"a state file of version {version}, not {VERSION}")
    found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(found)
    if [row[1] for row in database.execute("PRAGMA table_info(entry)")] != _COLUMNS:
        raise sqlite3.DatabaseError("a state file with other columns")


def _move_aside(path: Path, now: int) -> Path:
    """Rename the file, and its journals, so that nothing of it is read again."""
    for tail in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + tail).unlink(missing_ok=True)
    return path.rename(path.with_name(f"{path.name}.corrupt-{now}"))
