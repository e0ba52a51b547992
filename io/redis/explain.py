"""Redis' errors as sentences: the one place where what a server or the library says becomes a message of ours."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from redis import exceptions as failed

from ridgeline.io.errors import AuthenticationFailed, InputError, RidgelineError, SourceUnavailable
from ridgeline.io.redis.connection import TimeIsUpError
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.text import escape, truncate

_LONGEST: Final = 200  # bytes of a server's own words that a message repeats
_UNASKED: Final = "unauthenticated multibulk"  # how a server refuses long commands before it asks for a password
_REMARK: Final = re.compile(r"^Command # \d+ \(.*\) of pipeline caused error: ", re.DOTALL)
Kind = tuple[type[RidgelineError], str]
_CLUSTER: Final = (InputError, "Redis Cluster is not supported; {where} is a node of one")
_REFUSED: Final = (AuthenticationFailed, "{where} refused the user or the password ({said})")

# By the first word of an error reply.
_BY_CODE: Final[Mapping[str, Kind]] = MappingProxyType({
    "NOAUTH": _REFUSED,
    "WRONGPASS": _REFUSED,
    "NOPERM": (AuthenticationFailed, "{where} does not let this user do that ({said}); grant it in the user's ACL"),
    "DENIED": (AuthenticationFailed, "{where} refuses clients from other machines until it has a password ({said})"),
    "MOVED": _CLUSTER,
    "ASK": _CLUSTER,
    "CLUSTERDOWN": _CLUSTER,
    "CROSSSLOT": _CLUSTER,
    "TRYAGAIN": _CLUSTER,
    "LOADING": (SourceUnavailable, "{where} is still loading its data; try again later"),
    "MASTERDOWN": (
        SourceUnavailable,
        "{where} is a replica that has lost its master and will not answer from old data (replica-serve-stale-data no)",
    ),
    "READONLY": (SourceUnavailable, "{where} is a replica, which takes no writes; give the address of its master"),
    "OOM": (SourceUnavailable, "{where} is full and takes no writes ({said}); raise its maxmemory"),
})  # fmt: skip

# By the library's class, for what has no such word; the first that fits.
_BY_CLASS: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], Kind], ...]] = (
    (
        (failed.AuthenticationError, failed.AuthorizationError, failed.AuthenticationWrongNumberOfArgsError),
        _REFUSED,
    ),
    (TimeIsUpError, (SourceUnavailable, "{where} did not answer in the time that was left")),
    ((failed.TimeoutError, TimeoutError), (SourceUnavailable, "{where} did not answer within {timeout:g} s")),
    (failed.InvalidResponse, (SourceUnavailable, "what answers at {place} does not speak Redis' protocol ({said})")),
    (failed.ResponseError, (SourceUnavailable, "{where} answered with an error: {said}")),
    (Exception, (SourceUnavailable, "cannot reach {where}: {said}")),
)


@contextlib.contextmanager
def explained(settings: RedisSettings) -> Iterator[None]:
    """Turn the library's and the socket's errors within the block into ours."""
    try:
        yield
    except (failed.RedisError, OSError) as error:
        raise explain(error, settings) from error


def explain(error: Exception, settings: RedisSettings) -> RidgelineError:
    """Our error for one of the library's or the socket's: one sentence, which holds no secret."""
    judged = _cause(error, TimeIsUpError) or error
    kind, sentence = _BY_CODE.get(_code(error)) or next(
        made for classes, made in _BY_CLASS if isinstance(judged, classes)
    )
    place = str(settings)
    return kind(sentence.format(where=f"Redis at {place}", place=place, said=_words(error), timeout=settings.timeout))


def is_refusal(error: failed.ResponseError) -> bool:
    """Whether this refuses what was asked for, rather than tells why the server answers nothing at all."""
    code = _code(error)
    return code == "NOPERM" or (code not in _BY_CODE and code != "BUSY")


def _code(error: Exception) -> str:
    """The first word of the error reply that this is, "" where it is none."""
    if _UNASKED in str(error):
        return "NOAUTH"
    code: str | None = getattr(error, "status_code", None)
    if code is None and isinstance(error, failed.ResponseError):
        code = _said(error).partition(" ")[0]
    return code or ""


def _words(error: Exception) -> str:
    """What the error says, shortened and escaped; the system's own words where it comes from there."""
    text, system = _said(error), _cause(error, OSError)
    if system is not None and "ssl" in type(system).__module__:
        text = f"TLS: {getattr(system, 'verify_message', '') or getattr(system, 'reason', '') or system}"
    elif isinstance(system, OSError) and system.strerror:
        text = system.strerror.lower()
    return truncate(escape(text.rstrip(".")), _LONGEST)


def _said(error: Exception) -> str:
    """The error's own text, without the library's remark which command of a pipeline it was."""
    return _REMARK.sub("", str(error))


def _cause(error: BaseException | None, kind: type[Exception]) -> BaseException | None:
    """The error itself or the nearest one it came from that is of this kind: the library wraps what it catches."""
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or error.__context__
    return error
