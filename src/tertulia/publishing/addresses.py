"""Addresses in a text, where they may lead, and what is put on them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.utils.encoding import iri_to_uri

LONGEST = 2000
_ADDRESS = re.compile(
    r"(?<![\w@/])https?://[^\s<>\"'`{}|\\^\u200b-\u200f\u202a-\u202e]{1,4000}", re.IGNORECASE
)  # fmt: skip
_TRAILING = ".,;:!?»”’…*_"
_PAIRS = {")": "(", "]": "["}
_HOST = re.compile(r"(?:[\w-]{1,63}\.)+[^\W\d_][\w-]{1,62}")


def found(text: str) -> Iterator[tuple[int, int]]:
    """Where each address begins and ends, without the signs of the sentence around it."""
    for match in _ADDRESS.finditer(text):
        address = match[0]
        while address and (address[-1] in _TRAILING or _is_lone(address)):
            address = address[:-1]
        yield match.start(), match.start() + len(address)


def _is_lone(address: str) -> bool:
    """It ends with a bracket that was opened before it."""
    opened = _PAIRS.get(address[-1])
    return opened is not None and address.count(opened) < address.count(address[-1])


def listed(text: str) -> list[str]:
    return list(dict.fromkeys(text[begin:end] for begin, end in found(text)))


def replaced(text: str, replace: Callable[[str], str]) -> str:
    parts, last = [], 0
    for begin, end in found(text):
        parts += [text[last:begin], replace(text[begin:end])]
        last = end
    return "".join([*parts, text[last:]])


def plain(address: str) -> str:
    """An address as it travels: ASCII alone, scheme and host in small letters."""
    parts = urlsplit(address.strip())
    return iri_to_uri(urlunsplit(parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower())))


def may_lead_to(address: str) -> bool:
    """Whether one of our links may lead there: https, a host with a whole name, nobody's name or password in it, not
    one of our own links again."""
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname or "", parts.port
        is_whole = len(plain(address)) <= LONGEST and not re.search(r"[\s\\\x00-\x1f\x7f]", address)
    except ValueError:
        return False
    is_named = parts.scheme.lower() == "https" and "@" not in parts.netloc and _HOST.fullmatch(host) is not None
    return is_named and is_whole and "…" not in address and not is_ours(address)


def short(code: str) -> str:
    return f"{settings.PUBLIC_URL}/l/{code}"


def is_known_outside() -> bool:
    """Whether others can find the installation under its address, as far as that tells: no name of this machine or of
    a network at home."""
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".localhost", ".local", ".internal", ".lan"))


def is_ours(address: str) -> bool:
    return address.lower().startswith(f"{settings.PUBLIC_URL}/l/".lower())


def untagged(address: str) -> list[str]:
    """What it may have been before parameters of ours were put on it (`tagged`), itself first."""
    parts, found = urlsplit(address), [address]
    query = parts.query.split("&")
    while query and query[-1].startswith("utm_"):
        query.pop()
        found.append(urlunsplit(parts._replace(query="&".join(query))))
    return found


def tagged(address: str, more: Mapping[str, str]) -> str:
    """With these parameters on it, but for those that it has already. Raises `ValueError` for what is no address."""
    parts = urlsplit(address)
    there = {name for name, _value in parse_qsl(parts.query, keep_blank_values=True)}
    added = urlencode({name: value for name, value in more.items() if value and name not in there}, quote_via=quote)
    return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, added]))))
