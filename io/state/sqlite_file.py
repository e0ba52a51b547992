"""The SQLite file that state lives in: made, checked, and moved aside where it cannot be used.

A file that is corrupt, foreign or of another version is renamed to `.corrupt-<epoch seconds>` and state starts empty:
that may repeat an alert, and says so.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ridgeline.io.disk.lock import lock_in_turn
from ridgeline.io.text import escape

log = logging.getLogger("ridgeline.state")

APPLICATION_ID: Final = 0x52494447  # "RIDG"
VERSION: Final = 2
TABLES: Final = {
    "entry": ["key", "value", "expires", "ttl"],
    "field": ["key", "name", "value"],
    "member": ["key", "member"],
}
SCHEMA: Final = f"""
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS entry
        (key TEXT PRIMARY KEY, value TEXT NOT NULL, expires REAL NOT NULL, ttl REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS field
        (key TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (key, name)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS member
        (key TEXT NOT NULL, member TEXT NOT NULL, PRIMARY KEY (key, member)) WITHOUT ROWID;
    PRAGMA application_id = {APPLICATION_ID};
    PRAGMA user_version = {VERSION};
    COMMIT;
"""


def open_database(path: Path, clock: Callable[[], float], timeout: float) -> sqlite3.Connection:
    """The database at `path`, made if absent, for its owner alone; what cannot be ours is moved aside, with a warning.

    `timeout`: seconds to wait for another process. Raises sqlite3.OperationalError or OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _refuse_other_kinds(path)
    # One at a time: a half-made file looks like a foreign one, and of two that meet a damaged file the second would
    # move aside what the first has made.
    with lock_in_turn(path.with_name(f"{path.name}.lock"), timeout):
        _make_private(path)
        try:
            return _connect(path, timeout)
        except sqlite3.OperationalError:  # locked, unreadable, disk full: the file itself may be sound
            raise
        except sqlite3.DatabaseError as error:
            aside = _move_aside(path, int(clock()))
            log.warning(
                "%s was unusable (%s); moved to %s, starting empty: alerts may repeat", path, escape(error), aside
            )
        _make_private(path)
        return _connect(path, timeout)


def _refuse_other_kinds(path: Path) -> None:
    """OSError where `path` is there and leads to no regular file: nothing is made beside a device or a pipe."""
    if (path.is_symlink() or path.exists()) and not path.is_file():
        raise OSError(f"{path} is not a regular file")


def _make_private(path: Path) -> None:
    """Make the file if it is absent, and take it from the group and the others.

    SQLite would make it readable for all. It is never opened here once it exists: closing it again would end the locks
    that this process holds through SQLite (a trait of POSIX locks).
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        found = path.stat()
        if found.st_mode & 0o077 and found.st_uid == os.geteuid():
            path.chmod(0o600)


def _connect(path: Path, timeout: float) -> sqlite3.Connection:
    """Open and check; sqlite3.DatabaseError if the file is corrupt or not ours."""
    database = sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
    try:
        _check(database)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")  # a power cut must not lose what waits in the outbox
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
    for table, columns in TABLES.items():
        if [row[1] for row in database.execute(f"PRAGMA table_info({table})")] != columns:
            raise sqlite3.DatabaseError("a state file with other tables")


def _move_aside(path: Path, now: int) -> Path:
    """Rename the file, for people who want to look into it, and drop its journals, so that nothing of it is read again."""
    aside = path.with_name(f"{path.name}.corrupt-{now}")
    while aside.exists():
        aside = aside.with_name(f"{aside.name}-again")
    for tail in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + tail).unlink(missing_ok=True)
    return path.rename(aside)
