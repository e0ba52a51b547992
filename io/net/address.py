"""Where we may connect to: URLs from configuration, names resolved once, and addresses nothing of ours may reach."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolved = Sequence[tuple[Any, Any, Any, Any, Any]]
Resolve = Callable[..., Resolved]

METADATA = frozenset(
    map(
        ipaddress.ip_address,
        (
            "100.100.100.200",  # Alibaba Cloud
            "168.63.129.16",  # Azure wire server
            "192.0.0.192",  # Oracle Cloud
            "fd00:ec2::254",  # AWS over IPv6; 169.254.169.254 is link-local
            "fd20:ce::254",  # Google Cloud over IPv6
        ),
    )
)
# IPv6 networks whose last 32 bits are the IPv4 address that is reached: NAT64 (RFC 6052, RFC 8215), IPv4-compatible.
TRANSLATED = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")))
# Networks that are no place to connect to whatever lies in them.
NOWHERE = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8",  # this host on this network (RFC 791): Linux takes 0.x as local
            "2001::/32",  # Teredo: a tunnel to an IPv4 host that its own address hides
            "fec0::/10",  # site-local, withdrawn (RFC 3879)
        ),
    )
)


class AddressRefusedError(Exception):
    """An address that nothing must be sent to."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A parsed http or https URL. Shown as scheme, host and port only: the rest may be secret."""

    scheme: str
    host: str
    port: int
    target: str

    @classmethod
    def parse(cls, url: str) -> Endpoint:
        """Read a URL from configuration; ValueError, which never repeats the URL, for one that cannot be used."""
        if not url.isascii() or not url.isprintable() or " " in url:
            raise ValueError("url must be plain ASCII without spaces; percent-encode other characters")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ValueError("url is malformed: give http://HOST[:PORT]/PATH or https://...") from error
        if parts.scheme not in {"http", "https"}:
            raise ValueError(f"url must begin with http:// or https://, not {parts.scheme or 'nothing'}")
        if not parts.hostname or port == 0:
            raise ValueError("url names no host or no usable port")
        if parts.username is not None or parts.password is not None:
            raise ValueError("url must not hold a user or password: there are keys for secrets")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80), target)

    @property
    def authority(self) -> str:
        """Host and, unless it is the scheme's own, port: the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"

    __repr__ = __str__


def resolve(host: str, port: int, kind: int, timeout: float, lookup: Resolve = socket.getaddrinfo) -> Resolved:
    """All addresses of `host`, looked up once, each allowed; the caller connects to these and asks no more.

    Raises AddressRefusedError if any of them is not allowed, TimeoutError, or OSError if there are none.
    """
    found = look_up(host, port, kind, timeout, lookup)
    for *_, sockaddr in found:
        check(str(sockaddr[0]))
    return found


def look_up(host: str, port: int, kind: int, timeout: float, lookup: Resolve = socket.getaddrinfo) -> Resolved:
    """All addresses of `host`; TimeoutError, or OSError if there are none.

    The lookup runs on a thread of its own because the system's resolver knows no deadline.
    """
    answers: list[Resolved | OSError] = []

    def ask() -> None:
        try:
            answers.append(lookup(host, port, type=kind))
        except (OSError, UnicodeError) as error:  # UnicodeError: a label that is empty or too long
            answers.append(error if isinstance(error, OSError) else OSError("not a host name"))

    if _is_literal(host):
        ask()
    else:
        thread = threading.Thread(target=ask, name="resolve", daemon=True)
        thread.start()
        thread.join(max(timeout, 0.0))
    if not answers:
        raise TimeoutError("the name lookup took too long")
    if isinstance(answers[0], OSError):
        raise answers[0]
    return answers[0]


def check(address: str) -> None:
    """Raise AddressRefusedError for link-local, metadata, multicast, unspecified, tunnelled and reserved addresses.

    Loopback and private addresses are normal for webhooks. IPv4 inside IPv6 (mapped, compatible, 6to4, NAT64, ISATAP) is
    judged as IPv4 too.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    for each in {ip, _embedded(ip)}:
        _check(each)


def _check(ip: Address) -> None:
    if ip.is_link_local or ip in METADATA:
        raise AddressRefusedError(f"{ip} is a link-local or metadata address, where nothing of ours may go")
    nowhere = any(ip.version == network.version and ip in network for network in NOWHERE)
    if (
        nowhere
        or ip.is_multicast
        or ip.is_unspecified
        or (ip.is_reserved and not _carries_ipv4(ip) and not ip.is_loopback)
    ):
        raise AddressRefusedError(f"{ip} is not the address of one host")


def _embedded(ip: Address) -> Address:
    """The IPv4 address inside an IPv6 one, where there is one."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if _carries_ipv4(ip):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.sixtofour or ip


def _carries_ipv4(ip: Address) -> bool:
    """Whether the last 32 bits are an IPv4 address."""
    if isinstance(ip, ipaddress.IPv4Address) or ip.is_loopback or ip.is_unspecified:
        return False
    isatap = int(ip) >> 32 & 0xFDFFFFFF == 0x00005EFE  # RFC 5214, with either value of the universal bit
    return ip.ipv4_mapped is not None or isatap or any(ip in network for network in TRANSLATED)


def _is_literal(host: str) -> bool:
    """Whether `host` is an address already, so that no lookup can hang."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
