"""Speaks the Matrix client-server API over the house's door: what comes back is data or an outcome."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from tertulia.connectors.contract import Account, Answer, BadPayload, Http, Reconnect, Refused, Retry, Unknown

from . import texts

MESSAGES = ("m.room.message", "m.room.encrypted", "m.sticker")
STATE = ("m.room.create", "m.room.name", "m.room.canonical_alias", "m.room.encryption", "m.room.power_levels")
PAGE = 100
"""Events a page of history holds: more than that Synapse doesn't give."""
_SESSION_ENDS = frozenset({"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED", "M_USER_LOCKED"})


class Homeserver:
    """The server of one account. Reads raise `Retry` where nothing came back: asking again does no harm."""

    def __init__(self, http: Http, account: Account) -> None:
        self._http = http
        self._token = account.secrets.get("token", "")
        self.address = address_of(account.settings)

    # Reading.

    def me(self) -> str:
        return word(self.get("/v3/account/whoami").get("user_id"))

    def get(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        status, said = self._ask("GET", path, params=params)
        return self._fine(status, said)

    def find(self, path: str) -> dict[str, Any] | None:
        """None where there is no such thing, or none that we may see."""
        status, said = self._ask("GET", path)
        return None if status in {403, 404} else self._fine(status, said)

    def sync(self, since: str, *, wait: int = 0, filter: Mapping[str, Any]) -> dict[str, Any]:
        """What happened since then, in all rooms; with `wait` (seconds) the server answers as soon as there is news."""
        given = dict(filter)
        if not since:
            # The server repeats its answer to a like question for two minutes; a name nobody has makes it another one.
            given["presence"] = {"types": [], "not_senders": [f"@{secrets.token_hex(8)}:tertulia.invalid"]}
        params = {"filter": json.dumps(given), "timeout": str(wait * 1000), "set_presence": "offline"}
        said = self.get("/v3/sync", {**params, **({"since": since} if since else {})})
        if not word(said.get("next_batch")):
            raise BadPayload(texts.UNREADABLE)
        return said

    def history(self, room: str, *, start: str = "", end: str = "", backwards: bool = False) -> dict[str, Any]:
        """A page of a room's past, from a place to another."""
        params = {
            "dir": "b" if backwards else "f",
            "limit": str(PAGE),
            "filter": json.dumps({"types": [*MESSAGES, "m.room.redaction"], "lazy_load_members": True}),
            **({"from": start} if start else {}),
            **({"to": end} if end else {}),
        }
        return self.get(f"/v3/rooms/{quoted(room)}/messages", params)

    def event(self, room: str, event: str) -> dict[str, Any] | None:
        return self.find(f"/v3/rooms/{quoted(room)}/event/{quoted(event)}")

    # Writing.

    def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self.write("PUT", path, body)

    def upload(self, name: str, kind: str, content: bytes) -> str:
        """Hand a file in; gives the address by which events name it."""
        where = self.address.removesuffix("/_matrix/client")
        address = f"{where}/_matrix/media/v3/upload?filename={quoted(name)}"
        headers = {"authorization": f"Bearer {self._token}", "content-type": kind}
        said = self._fine(*ask(self._http, "POST", address, headers, content=content))
        return word(said.get("content_uri"))

    def write(
        self, method: str, path: str, body: Mapping[str, Any], *, is_done_when: Collection[str] = ()
    ) -> dict[str, Any]:
        """`is_done_when` holds the server's words for what already stands as we want it."""
        status, said = self._ask(method, path, json=body)
        if word(said.get("errcode")) in is_done_when:
            return {}
        return self._fine(status, said)

    def _fine(self, status: int, said: dict[str, Any]) -> dict[str, Any]:
        if status == 401 or word(said.get("errcode")) in _SESSION_ENDS:
            raise Reconnect(texts.NO_CREDENTIALS)
        if status >= 300:
            raise Refused(f"Matrix: {words_of(status, said).replace(self._token, '•••')}")
        return said

    def _ask(self, method: str, path: str, **said: Any) -> tuple[int, dict[str, Any]]:
        if not self.address:
            raise Reconnect(texts.NO_ADDRESS)
        if not self._token:
            raise Reconnect(texts.NO_CREDENTIALS)
        return ask(self._http, method, self.address + path, {"authorization": f"Bearer {self._token}"}, **said)


def ask(
    http: Http, method: str, url: str, headers: Mapping[str, str] | None = None, **said: Any
) -> tuple[int, dict[str, Any]]:
    """Status and data of an answer that the server gave for good; raises for all that ends otherwise."""
    try:
        answer = http.request(method, url, headers=headers, **said)
        _check_server(answer)
        return answer.status, _data(answer)
    except Unknown as silence:
        if method == "GET":
            raise Retry(silence.why) from None
        raise


def _check_server(answer: Answer) -> None:
    status = answer.status
    if status == 429:
        raise Retry(texts.TOO_MANY, after=_wait(answer))
    if status == 504:
        raise Unknown(texts.IN_TROUBLE)
    if status >= 500:
        raise Retry(texts.IN_TROUBLE)


def _wait(answer: Answer) -> timedelta:
    seconds = answer.headers.get("retry-after", "")
    if seconds.isdecimal() and len(seconds) < 7:
        return timedelta(seconds=int(seconds))
    try:
        wait = table(answer.json()).get("retry_after_ms")
    except BadPayload:
        wait = None
    return timedelta(milliseconds=wait if isinstance(wait, int) and 0 <= wait < 10**9 else 60_000)


def _data(answer: Answer) -> dict[str, Any]:
    """A refusal may come without data; an answer without data tells nothing."""
    try:
        said = answer.json()
    except BadPayload:
        said = None
    if isinstance(said, dict):
        return said
    if answer.status >= 400:
        return {}
    raise Unknown(texts.UNREADABLE)


def words_of(status: int, said: Mapping[str, Any]) -> str:
    """Why the server said no, in its own words."""
    return word(said.get("error"))[:200] or word(said.get("errcode"))[:80] or str(status)


def address_of(settings: Mapping[str, Any]) -> str:
    """Where the client API is: as `check` found it, or where the settings say the server is."""
    given = server_of(settings)
    found = table(settings.get("found"))
    base = word(found.get("base")) if found.get("homeserver") == given else given
    return f"{base}/_matrix/client" if base else ""


def server_of(settings: Mapping[str, Any]) -> str:
    """The server as the settings name it, as an address."""
    given = word(settings.get("homeserver")).strip().rstrip("/")
    return given if not given or "://" in given else f"https://{given}"


def quoted(part: str) -> str:
    return quote(part, safe="")


# Everything that comes from a server was written by strangers.


def table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def word(value: Any) -> str:
    """The text, without what no database takes; empty for anything else."""
    return value.replace("\x00", "").encode(errors="ignore").decode() if isinstance(value, str) else ""
