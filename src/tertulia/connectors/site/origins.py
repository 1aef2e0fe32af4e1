"""Which pages may talk to the desk: whole origins, compared exactly."""

from __future__ import annotations

from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


def allowed(setting: object) -> frozenset[str]:
    """The origins of the account's setting, a list or one a line; what isn't one is left out."""
    lines = setting.splitlines() if isinstance(setting, str) else setting if isinstance(setting, list) else []
    return frozenset(filter(None, (origin(line) for line in lines if isinstance(line, str))))


def origin(address: str) -> str:
    """`scheme://host[:port]` as a browser writes it; empty for anything that has none, such as `*` and `null`."""
    try:
        parts = urlsplit(address.strip())
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.username is not None or "*" in parts.hostname:
        return ""
    try:
        host = parts.hostname.encode("idna").decode() if ":" not in parts.hostname else f"[{parts.hostname}]"
    except UnicodeError:
        return ""
    return f"{parts.scheme}://{host}" + ("" if port in {None, DEFAULT_PORTS[parts.scheme]} else f":{port}")
