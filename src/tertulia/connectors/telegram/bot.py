"""The Bot API: one address per method, and what its answers mean.

The token is part of every address, so no address is ever shown, logged or kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from tertulia.connectors.contract import (
    Account,
    Answer,
    BadPayload,
    Http,
    Outcome,
    Reconnect,
    Refused,
    Retry,
    Unknown,
)
from tertulia.core import multipart

from . import texts

API = "https://api.telegram.org"
_TOKEN = re.compile(r"(\d{3,20}):[A-Za-z0-9_-]{20,100}")
_WORDS = (
    ("bot was blocked", texts.BLOCKED),
    ("user is deactivated", texts.BLOCKED),
    ("can't initiate conversation", texts.BLOCKED),
    ("bot was kicked", texts.PUT_OUT),
    ("bot is not a member", texts.PUT_OUT),
    ("not enough rights", texts.NO_RIGHTS),
    ("need administrator rights", texts.NO_RIGHTS),
    ("chat_admin_required", texts.NO_RIGHTS),
    ("have no rights", texts.NO_RIGHTS),
    ("user is an administrator", texts.IS_ADMINISTRATOR),
    ("can't remove chat owner", texts.IS_ADMINISTRATOR),
    ("can't restrict self", texts.IS_ADMINISTRATOR),
    ("available only for supergroup", texts.ONLY_SUPERGROUPS),
    ("available for supergroup", texts.ONLY_SUPERGROUPS),
    ("message can't be deleted", texts.TOO_OLD),
    ("chat not found", texts.CHAT_GONE),
)
"""Telegram's words for what people can mend; it has no codes for it."""


class Moved(Refused):
    """The group has become a supergroup, with a number of its own."""

    def __init__(self, chat: int) -> None:
        super().__init__(texts.BEFORE_IT_MOVED)
        self.chat = chat


class Conflict(Retry):
    """A webhook is set, or somebody else asks for the bot's updates."""


class Bot:
    def __init__(self, http: Http, account: Account) -> None:
        self._http = http
        self._token = account.secrets.get("token", "")
        self._secrets = [value for value in account.secrets.values() if value]
        self._api = str(account.settings.get("api") or API)

    @property
    def id(self) -> int:
        """The bot's own number, which is the token's first part."""
        return bot_id(self._token)

    def ask(self, method: str, **params: Any) -> Any:
        """Read something; nothing is changed there."""
        return self._call(method, params, is_reading=True)

    def do(self, method: str, **params: Any) -> Any:
        return self._call(method, params, is_reading=False)

    def do_in(self, chat: str, method: str, **params: Any) -> Any:
        """Do something in a chat (number or @name), wherever it has moved to; messages don't keep their numbers."""
        try:
            return self.do(method, chat_id=chat if chat.startswith("@") else int(chat), **params)
        except Moved as moved:
            if "message_id" in params:
                raise
            params.pop("reply_parameters", None)
            return self.do(method, chat_id=moved.chat, **params)

    def do_with(self, method: str, files: Iterable[multipart.File], **params: Any) -> Any:
        """Do something with files along; whatever isn't a text travels as JSON."""
        fields = {name: value if isinstance(value, str) else json.dumps(value) for name, value in params.items()}
        return self._call(method, multipart.encode(fields, files), is_reading=False)

    def _call(self, method: str, params: dict[str, Any] | tuple[str, bytes], *, is_reading: bool) -> Any:
        if not _TOKEN.fullmatch(self._token):
            raise Reconnect(texts.NOT_KNOWN)
        address = f"{_safe(self._api)}/bot{self._token}/{method}"
        if isinstance(params, dict):
            answer = self._http.request("POST", address, json=params)
        else:
            kind, body = params
            answer = self._http.request("POST", address, headers={"content-type": kind}, content=body)
        said = _read(answer)
        if answer.status == 200 and said.get("ok") is True and "result" in said:
            return said["result"]
        if isinstance(words := said.get("description"), str):
            said["description"] = self._without_secrets(words)
        raise _outcome(answer, said, is_reading=is_reading)

    def _without_secrets(self, words: str) -> str:
        """The token stands in every address, and nobody promises that Telegram's words repeat none."""
        for secret in self._secrets:
            words = words.replace(secret, "…")
        return words


def bot_id(token: str) -> int:
    found = _TOKEN.fullmatch(token)
    return int(found[1]) if found else 0


def _safe(api: str) -> str:
    """The server's address. In plain http only inside one's own network, where a server of one's own stands."""
    try:
        parts = urlsplit(api)
        host = parts.hostname or ""
    except ValueError:
        raise Reconnect(texts.NOT_SAFE) from None
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_near(host)):
        raise Reconnect(texts.NOT_SAFE)
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def _is_near(host: str) -> bool:
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host


def _read(answer: Answer) -> dict[str, Any]:
    try:
        said = answer.json()
    except BadPayload:
        return {}
    return said if isinstance(said, dict) else {}


def _outcome(answer: Answer, said: dict[str, Any], *, is_reading: bool) -> Outcome:
    status = answer.status
    more = said.get("parameters")
    more = more if isinstance(more, dict) else {}
    if status == 429:
        return Retry(texts.TOO_MANY, after=_wait(more.get("retry_after"), answer.headers.get("retry-after", "")))
    if status in {401, 404}:
        return Reconnect(texts.NOT_KNOWN)
    if status == 409:
        return Conflict(texts.ANOTHER_READER)
    if status == 504 and not is_reading:
        return Unknown(texts.GAVE_UP)
    if status >= 500:
        return Retry(texts.TROUBLE)
    if status < 400:
        return BadPayload(texts.NOT_READABLE) if is_reading else Unknown(texts.NOT_READABLE)
    if type(more.get("migrate_to_chat_id")) is int:
        return Moved(more["migrate_to_chat_id"])
    return Refused(_meaning(said.get("description")))


def _meaning(words: object) -> str:
    if not isinstance(words, str):
        return texts.REFUSED
    known = (meaning for part, meaning in _WORDS if part in words.lower())
    return next(known, words[:200])


def _wait(told: object, header: str) -> timedelta:
    if type(told) is int and 0 <= told <= 86_400:
        return timedelta(seconds=told)
    return timedelta(seconds=min(int(header[:9]), 86_400) if header.isdecimal() else 60)
