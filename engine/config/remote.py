"""Reads `[[remote]]` and `[remote_files]`: other hosts' Skyline, and where their files go."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from ridgeline.engine.config.model import RemoteFiles
from ridgeline.engine.config.reader import Table
from ridgeline.io.net.address import Endpoint

if TYPE_CHECKING:
    from ridgeline.io.net.peer import Peer

MOST: Final = 100  # remote instances


def read_remotes(top: Table, environ: Mapping[str, str] = os.environ) -> tuple[Peer, ...]:
    """Read every `[[remote]]`; those with problems are left out."""
    found: dict[str, Peer] = {}
    for table in top.tables("remote"):
        from ridgeline.io.net.peer import Peer

        name, base = table.string("name", None), _read_url(table)
        username, password = table.string("username", ""), table.secret("password", environ=environ)
        ca_file = table.file("ca_file", None)
        table.finish()
        if name is None and "name" not in table:
            table.refuse("name", "is missing: the name of its host, as its own `[shards] host`")
        if ":" in username:
            table.refuse("username", "must not hold a colon: it ends the name in Basic authentication")
        given = {"password_env", "password_file"} & table.values.keys()
        if bool(username) != bool(given):
            table.refuse("username", "and a password (password_env or password_file) belong together")
        if name in found:
            table.refuse("name", f'"{name}" is the name of another one')
        elif len(found) == MOST:
            table.problems.add(table.path, f"there may be {MOST} of them at most")
        elif name is not None and base is not None:
            if username and base.scheme == "http" and not _is_here(base.host):
                table.problems.warn((*table.path, "url"), "is http: the password and the files travel unencrypted")
            found[name] = Peer(name, base, username, password, ca_file)
    return tuple(found.values())


def read_remote_files(top: Table) -> RemoteFiles:
    """Read `[remote_files]`."""
    table, usual = top.table("remote_files"), RemoteFiles()
    files = RemoteFiles(
        directory=table.file("directory", None),
        max_file=table.size("max_file", usual.max_file),
        max_total=table.size("max_total", usual.max_total),
    )
    if "remote_files" in top and "directory" not in table:
        table.refuse("directory", "is missing: name the folder for files of remote instances")
    for key, size in (("max_file", files.max_file), ("max_total", files.max_total)):
        if size < 1:
            table.refuse(key, "must be at least one byte")
    if files.max_file > files.max_total:
        table.refuse("max_total", "is less than max_file, which counts towards it")
    table.finish()
    return files


def _read_url(table: Table) -> Endpoint | None:
    url = table.string("url", None)
    if url is None:
        if "url" not in table:
            table.refuse("url", "is missing: the address of its web application")
        return None
    try:
        base = Endpoint.parse(url)
    except ValueError as error:
        table.refuse("url", str(error).removeprefix("url "))
        return None
    if "?" in base.target or "#" in url:
        table.refuse("url", "must end with a path: what is asked for follows it")
        return None
    return base


def _is_here(host: str) -> bool:
    """Whether what is sent to a host leaves this machine never."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
