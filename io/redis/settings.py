"""How to reach a Redis and read a fleet from it: the keys of `[source]`, spelled here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ridgeline.io.redis.address import Place, fault_of_configured, parse_address
from ridgeline.io.secret import Secret

LOOPBACK: Final = {"localhost": "127.0.0.1"}


@dataclass(frozen=True, slots=True)
class RedisSettings:
    """Where a Redis is, how to talk to it, and what to read there. Times in seconds. Nothing here shows a secret.

    `url`: redis://, rediss:// or unix://, with `?db=N` where the path does not say it; a user and a password may stand
    in it, but `username` and `password` go before them. `namespace` stands before every metric's name. `ca_file`:
    trusted certificates beside the system's. `timeout` bounds each wait for an answer, `connect_budget` all attempts
    together until the first answer, and each later connection until it is ready. `max_points`: of longer series, the
    newest are read. `chunk_keys`: keys per MGET.
    """

    url: str = field(
        default="redis://127.0.0.1:6379/0", repr=False, metadata={"needed": True, "fault": fault_of_configured}
    )
    namespace: str = field(default="metrics.", metadata={"empty": True})
    username: str | None = None
    password: Secret | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    connect_budget: float = field(default=5.0, metadata={"positive": True})
    timeout: float = field(default=5.0, metadata={"positive": True})
    max_points: int = field(default=1_000_000, metadata={"low": 1})
    chunk_keys: int = field(default=100, metadata={"low": 1, "high": 100_000})
    retries: int = field(default=3, metadata={"key": False})

    def __str__(self) -> str:
        """The address for messages: scheme, host, port and database, or the socket's path; no user, no password."""
        return self.place().shown

    def place(self) -> Place:
        """The parsed address; InputError, which does not repeat it, where it is none."""
        return parse_address(self.url)

    def identity(self) -> str:
        """`redis`, where it is, the database, the namespace. Names of hosts are not resolved: that may take time.

        A Redis that listens on this machine is named either way; two runs that wrongly took each other for the same
        would keep each other out.
        """
        return f"redis {self.where()} {self.place().database} {self.namespace}"

    def where(self) -> str:
        """The socket's path, or host and port; as in `identity`."""
        place = self.place()
        if place.path is not None:
            return str(Path(place.path).resolve())
        host = place.host.rstrip(".")
        return f"{LOOPBACK.get(host, host)}:{place.port}"
