"""Speaks with one server for one account, and turns what goes wrong into outcomes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

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
    Unsupported,
)

from . import texts

Query = Sequence[tuple[str, str]]

SNAC_ID = re.compile(r"\d{10}([0-9a-f]{32})", re.IGNORECASE)
MOST_WAIT = timedelta(hours=1)


class Gone(Refused):
    """What was asked for isn't there, or no longer."""


class Invalid(Refused):
    """The server takes nothing like that."""


class Missing(Unsupported):
    """The server knows no such address: it doesn't implement that part of the API."""


class Server:
    """Requests to the account's server. `url` is its root, without a slash at the end."""

    def __init__(self, http: Http, account: Account, *, needs_token: bool = True) -> None:
        self.http = http
        self.url = root(account.settings.get("server"))
        self.token = account.secrets.get("token", "")
        self._secrets = [value for value in account.secrets.values() if value]
        self.answered: Mapping[str, str] = {}
        """The headers of the latest answer."""
        if needs_token and not self.token:
            raise Reconnect(texts.NO_ACCESS)

    def get(self, path: str, query: Query = ()) -> Any:
        """What stands there. Reading changes nothing, so whatever falls silent is simply read again."""
        url = self.url + path + ("?" + urlencode(query) if query else "")
        try:
            answer = self.http.request("GET", url, headers=self.headers())
        except Unknown as silent:
            raise Retry(silent.why) from None
        self.judge(answer, is_read=True)
        return answer.json()

    def listed(self, path: str, query: Query = ()) -> list[Any]:
        found = self.get(path, query)
        if not isinstance(found, list):
            raise BadPayload(texts.NO_WHOLE_ANSWER)
        return found

    def change(self, method: str, path: str, fields: Mapping[str, str] | None = None, key: str = "") -> dict[str, Any]:
        """Write as a form: not every server reads JSON."""
        return self._changed(self.http.request(method, self.url + path, headers=self._keyed(key), data=fields or None))

    def send(self, method: str, path: str, kind: str, body: bytes, key: str = "") -> dict[str, Any]:
        """Write a body of this type, as it is."""
        headers = {**self._keyed(key), "content-type": kind}
        return self._changed(self.http.request(method, self.url + path, headers=headers, content=body))

    def _keyed(self, key: str) -> dict[str, str]:
        return {**self.headers(), **({"idempotency-key": key} if key else {})}

    def _changed(self, answer: Answer) -> dict[str, Any]:
        self.judge(answer)
        try:
            found = answer.json()
        except BadPayload:
            found = None
        if not isinstance(found, dict):
            raise Unknown(texts.NO_WHOLE_ANSWER)
        return found

    def events(self, root: str, stop: Callable[[], bool], seconds: float) -> Iterator[bytes]:
        """The lines of the stream of all that concerns the account."""
        headers = {**self.headers(), "accept": "text/event-stream"}
        url = (root or self.url) + "/api/v1/streaming/user"
        return self.http.stream("GET", url, headers=headers, seconds=seconds, stop=stop, judge=self.judge)

    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"} if self.token else {}

    def judge(self, answer: Answer, *, is_read: bool = False) -> None:
        """Raises what a status means; nothing for a good one."""
        self.answered, status = answer.headers, answer.status
        if 200 <= status < 300:
            return
        words = self._words(answer)
        if status == 401:
            raise Reconnect(texts.ACCESS_ENDED)
        if status == 403 and "scope" in words.lower():
            raise Reconnect(texts.ACCESS_TOO_NARROW)
        if status == 429:
            raise Retry(texts.TOO_MANY, after=wait(answer.headers, datetime.now(UTC)))
        if status == 504 and not is_read:
            raise Unknown(texts.NO_WHOLE_ANSWER)
        if status >= 500:
            raise Retry(texts.SERVER_TROUBLE)
        if status in {404, 405, 410, 501}:
            raise Gone(texts.GONE) if words else Missing(texts.NOT_OFFERED)
        raise (Invalid if status == 422 else Refused)(f"{texts.REFUSED} {words}".strip())

    def _words(self, answer: Answer) -> str:
        """The server's own words for it, shortened and without our secrets; none when it isn't the API that speaks."""
        try:
            said = answer.json()
        except Outcome:
            return ""
        words = said.get("error_description") or said.get("error") if isinstance(said, dict) else ""
        words = " ".join(words.split()) if isinstance(words, str) else ""
        for secret in self._secrets:
            words = words.replace(secret, "…")
        return words[:200]


def root(setting: object) -> str:
    """`https://server` of whatever a person wrote. Raises `Refused` when that is nothing."""
    address = setting.strip().rstrip("/") if isinstance(setting, str) else ""
    if not address:
        raise Refused(texts.NO_SERVER)
    return address if "://" in address else f"https://{address}"


def wait(headers: Mapping[str, str], now: datetime) -> timedelta:
    """How long the server asks to wait: in seconds, or until a moment (in ISO 8601, or as GoToSocial in seconds)."""
    after, reset = headers.get("retry-after", "").strip(), headers.get("x-ratelimit-reset", "").strip()
    if after.isdecimal() and len(after) < 9:
        return min(timedelta(seconds=int(after)), MOST_WAIT)
    until = moment(reset)
    return min(max(until - now, timedelta(seconds=1)), MOST_WAIT) if until else timedelta(minutes=1)


def moment(text: object) -> datetime | None:
    """A time as servers write it, in UTC; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        if text.isdecimal() and len(text) < 12:
            return datetime.fromtimestamp(int(text), UTC)
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def lasting(id: str) -> str:
    """The part of an id that stays the same: snac puts the time of the last change in front."""
    found = SNAC_ID.fullmatch(id)
    return found[1].lower() if found else id


def in_path(id: str) -> str:
    """A lasting id as addresses want it. snac looks at the last 32 characters of 42."""
    return "0" * 10 + id if is_snac(id) else quote(id, safe="")


def is_snac(id: str) -> bool:
    """snac's ids, of people too, are MD5 sums; no other server's are."""
    return bool(re.fullmatch("[0-9a-f]{32}", id))


def order(id: str) -> tuple[int, str]:
    """Ids are texts, and of one kind the longer ones are newer."""
    return len(id), id
