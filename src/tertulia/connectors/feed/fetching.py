"""Fetches a feed only when it has changed, along its redirects, each through the house's door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

from tertulia.connectors.contract import Answer, Http, Reconnect, Refused, Retry, Unknown

from . import texts

MOST_HOPS = 5
LONGEST_REST = timedelta(hours=1)
"""A feed that wants to be left alone for longer is asked all the same."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """`url` where it stands for good, `came_from` where it came from this time; no body when nothing has changed."""

    url: str
    came_from: str
    body: bytes | None
    media_type: str = ""
    etag: str = ""
    modified: str = ""
    rest: timedelta = timedelta()


def fetch(http: Http, url: str, *, etag: str = "", modified: str = "") -> Fetched:
    known = {"if-none-match": etag} if etag else {}
    known |= {"if-modified-since": modified} if modified else {}
    asked, stands_at, is_lasting = url, url, True
    for _hop in range(MOST_HOPS + 1):
        answer = _ask(http, asked, {"accept": texts.ACCEPT, **known})
        if answer.status not in {301, 302, 303, 307, 308}:
            return _fetched(answer, stands_at, asked)
        asked = urljoin(asked, answer.headers.get("location", ""))
        is_lasting = is_lasting and answer.status in {301, 308}
        stands_at = asked if is_lasting else stands_at
    raise Refused(texts.TOO_MANY_REDIRECTS)


def _ask(http: Http, url: str, headers: Mapping[str, str]) -> Answer:
    try:
        return http.request("GET", url, headers=headers)
    except Unknown as silence:
        raise Retry(silence.why) from None  # nothing was done that could be done twice


def _fetched(answer: Answer, url: str, came_from: str) -> Fetched:
    _check(answer)
    given = answer.headers
    body = None if answer.status == 304 else answer.body
    etag, modified = given.get("etag", "")[:500], given.get("last-modified", "")[:100]
    return Fetched(url, came_from, body, given.get("content-type", "")[:200], etag, modified, _rest(given))


def _check(answer: Answer) -> None:
    status = answer.status
    if status in {200, 304}:
        return
    if status == 410:
        raise Reconnect(texts.GONE)
    if status in {401, 403}:
        raise Refused(texts.CLOSED)
    if status == 404:
        raise Retry(texts.NOT_FOUND)
    if status == 429 or status >= 500:
        raise Retry(texts.IN_TROUBLE, after=_wait(answer.headers.get("retry-after", "")))
    raise Refused(texts.ODD_ANSWER)


def _wait(given: str) -> timedelta | None:
    """Seconds, or a date."""
    if given.isdecimal() and len(given) < 8:
        return timedelta(seconds=int(given))
    try:
        moment = parsedate_to_datetime(given)
    except (ValueError, TypeError):
        return None
    wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime.now(UTC)
    return max(wait, timedelta())


def _rest(headers: Mapping[str, str]) -> timedelta:
    """How long it says that asking again is no use."""
    for part in headers.get("cache-control", "").split(","):
        name, _, seconds = part.strip().partition("=")
        if name.lower() == "max-age" and seconds.isdecimal() and len(seconds) < 9:
            return min(timedelta(seconds=int(seconds)), LONGEST_REST)
    return timedelta()
