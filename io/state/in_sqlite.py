"""State in one SQLite file, for Parquet runs and machines without Redis. See `sqlite_file` for the file itself."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from ridgeline.io.state.batch import (
    Add,
    Batch,
    Change,
    Delete,
    Drop,
    Put,
    Remove,
    SetText,
    alert_key,
    from_json,
    own_key,
)
from ridgeline.io.state.interface import MOST, State, StateError, as_timestamp
from ridgeline.io.state.sqlite_file import open_database
from ridgeline.io.text import encodable, escape

log = logging.getLogger("ridgeline.state")

# An entry with more life left than it was given, plus an hour for clocks that disagree, was written by a broken clock.
SKEW: Final = 3600.0
TIMEOUT: Final = 2.0  # seconds to wait for another process' transaction
_ALIVE: Final = "SELECT value, expires FROM entry WHERE key = ? AND expires > ? AND expires <= ? + ttl"


class SqliteState(State):
    """State in the file at `path`, opened at the first use; `clock` gives epoch seconds.

    `timeout`: seconds that an operation may wait for another process.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time, timeout: float = TIMEOUT) -> None:
        self._path = path
        self._clock = clock
        self._timeout = timeout
        self._open: sqlite3.Connection | None = None

    def last_alerts(self, pairs: Sequence[tuple[str, str]]) -> list[int | None]:
        """One look-up each."""
        texts = self._texts([encodable(alert_key(strategy, metric)) for strategy, metric in pairs])
        return [None if text is None else as_timestamp(text) for text in texts]

    def alert_ttls(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """One look-up each."""
        found = self._alive([encodable(alert_key(strategy, metric)) for strategy, metric in pairs])
        now = self._clock()
        return [0.0 if row is None else max(row[1] - now, 0.0) for row in found]

    def get_many(self, keys: Sequence[str]) -> list[Any | None]:
        """One look-up each."""
        return [from_json(text) for text in self._texts([own_key(key) for key in keys])]

    def members(self, key: str, most: int = MOST) -> set[str]:
        """One query."""
        rows = self._rows("SELECT member FROM member WHERE key = ? LIMIT ?", own_key(key), most)
        return {str(member) for (member,) in rows}

    def fields(self, key: str, most: int = MOST) -> dict[str, Any]:
        """One query."""
        rows = self._rows("SELECT name, value FROM field WHERE key = ? LIMIT ?", own_key(key), most)
        return {str(name): from_json(str(value)) for name, value in rows}

    def pick(self, key: str, names: Sequence[str]) -> list[Any | None]:
        """One look-up each."""
        query = "SELECT value FROM field WHERE key = ? AND name = ?"
        with self._failures("read") as database:
            rows = [database.execute(query, [own_key(key), encodable(name)]).fetchone() for name in names]
        return [None if row is None else from_json(str(row[0])) for row in rows]

    def size(self, key: str) -> int:
        """One query."""
        return int(self._rows("SELECT count(*) FROM field WHERE key = ?", own_key(key))[0][0])

    def apply(self, batch: Batch) -> None:
        """One transaction."""
        now = self._clock()
        with self._failures("write") as database:
            try:  # around BEGIN too: a signal's exception may come right behind it
                database.execute("BEGIN IMMEDIATE")
                for _, some in groupby(batch.changes, type):
                    _make(database, list(some), now)
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise

    def abandon(self) -> None:
        """Interrupt the query."""
        if self._open is not None:
            self._open.interrupt()

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

    def _texts(self, keys: Sequence[str]) -> list[str | None]:
        """The text under each key that has not expired."""
        return [None if row is None else str(row[0]) for row in self._alive(keys)]

    def _alive(self, keys: Sequence[str]) -> list[tuple[Any, float] | None]:
        """The value under each key that has not expired, and its end in epoch seconds."""
        now = self._clock()
        with self._failures("read") as database:
            return [database.execute(_ALIVE, [key, now, now + SKEW]).fetchone() for key in keys]

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._failures("read") as database:
            return database.execute(query, values).fetchall()

    @contextmanager
    def _failures(self, what: str) -> Iterator[sqlite3.Connection]:
        """The open database; its errors as StateError."""
        try:
            if self._open is None:
                self._open = open_database(self._path, self._clock, self._timeout)
            yield self._open
        except (sqlite3.Error, OSError) as error:
            raise StateError(f"cannot {what} the state file {self._path}: {escape(error)}") from error


def _make(database: sqlite3.Connection, changes: list[Change], now: float) -> None:
    """Make changes of one kind; texts, of which a storm brings thousands, at once.

    Thousands of rows are written twice as quickly in the order of their keys. Of one key, the last text stays the last.
    """
    texts = [(one.key, one.text, now + one.ttl, one.ttl) for one in changes if isinstance(one, SetText)]
    texts.sort(key=itemgetter(0))
    database.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)", texts)
    for change in changes if not texts else ():
        _make_one(database, change)


def _make_one(database: sqlite3.Connection, change: Change) -> None:
    match change:
        case Delete(key):
            for table in ("entry", "member", "field"):
                database.execute(f"DELETE FROM {table} WHERE key = ?", [key])  # noqa: S608 - our own three tables
        case Add(key, members):
            database.executemany("INSERT OR IGNORE INTO member VALUES (?, ?)", [(key, member) for member in members])
        case Remove(key, members):
            database.executemany("DELETE FROM member WHERE key = ? AND member = ?", [(key, m) for m in members])
        case Put(key, fields):
            rows = [(key, name, value) for name, value in sorted(fields.items())]
            database.executemany("INSERT OR REPLACE INTO field VALUES (?, ?, ?)", rows)
        case Drop(key, names):
            database.executemany(
                "DELETE FROM field WHERE key = ? AND name = ?", [(key, name) for name in sorted(names)]
            )
