"""What stands in Redis and on the disk after a recorded scenario was played once more, on a machine of the recorded name."""

import hashlib
import os
import re
from unittest import mock

from rigs.golden.series import NAMESPACE
from rigs.golden.siblings import UNIQUE

HOST, SYSTEM = "golden-host", os.uname()  # the recorded node name


def node():
    """Lets this machine go by the recorded name."""
    named = os.uname_result((SYSTEM.sysname, HOST, SYSTEM.release, SYSTEM.version, SYSTEM.machine))
    return mock.patch.object(os, "uname", return_value=named)


def series(client):
    """By key the hash of every series."""
    keys = [key.decode() for key in client.keys(f"{NAMESPACE}*") if key.decode() != UNIQUE]
    return {key: hashlib.sha256(client.get(key)).hexdigest() for key in keys}


def rewritten(before, after):
    """The metrics whose series are not what they were."""
    return sorted(key.removeprefix(NAMESPACE) for key in changed(before, after))


def keys(client, frozen):
    """Every key but the series, as `Trace.keys` has them."""
    found = {}
    for key in sorted(key.decode() for key in client.scan_iter()):
        kind = client.type(key).decode()
        if key == UNIQUE or not key.startswith(NAMESPACE):
            found[key] = {"type": kind, "ttl": frozen.left.get(key), "value": _value(client, key, kind)}
    return found


def _value(client, key, kind):
    match kind:
        case "string":
            return _text(client.get(key))
        case "set":
            return sorted(member.decode() for member in client.smembers(key))
        case "hash":
            return {name.decode(): text.decode() for name, text in client.hgetall(key).items()}
    raise AssertionError(f"{key} is a {kind}")


def _text(stored):
    """Text, or for other bytes what the recordings say of them."""
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return {"len": len(stored), "sha256": hashlib.sha256(stored).hexdigest()[:16]}


def files(folder):
    """Content of every file, paths written as in the recordings."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            first, *rest = path.relative_to(folder).parts
            content = re.sub(rf"{folder}/(\w+)".encode(), rb"<\1>", path.read_bytes())
            found["/".join((f"<{first}>", *rest))] = content
    return found


def changed(before, after):
    """What is new or another, and None for what is gone."""
    return {path: after.get(path) for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
