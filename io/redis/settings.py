"""How to reach a Redis and read a fleet from it: `[source]` of a configuration, spelled here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ridgeline.io.redis.address import Place, parse_address
from ridgeline.io.text import conceal


@dataclass(frozen=True, slots=True)
class RedisSettings:
    """Where a Redis is, how to talk to it, and what to read there. Times in seconds. Nothing here shows a secret.

    `url`: redis://, rediss:// or unix://, with `?db=N` where the path does not say it; a user and a password may stand
    in it, but `username` and `password` go before them. `namespace` stands before every metric's name. `ca_file`:
    trusted certificates beside the system's. `timeout` bounds each wait for an answer, `connect_budget` all attempts
    together until the first answer, and each later connection until it is ready. `max_points`: of longer series, the
    newest are read. `chunk_keys`: keys per MGET.
    """

    url: str = field(repr=False)
    namespace: str = "metrics."
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    connect_budget: float = 5.0
    timeout: float = 5.0
    max_points: int = 1_000_000
    chunk_keys: int = 100
    retries: int = 3

    def __post_init__(self) -> None:
        if self.password:
            conceal(self.password)

    def __str__(self) -> str:
        """The address for messages: scheme, host, port and database, or the socket's path; no user, no password."""
        return self.place().shown

    def place(self) -> Place:
        """The parsed address; InputError, which does not repeat it, where it is none."""
        return parse_address(self.url)
