"""The blog's REST API: where it is, who we are there, and what its answers mean."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from tertulia.connectors.contract import (
    Account,
    Answer,
    BadPayload,
    Http,
    Reconnect,
    Refused,
    Retry,
    Unknown,
    Unread,
)

from . import texts
from .comment import Comment

PER_PAGE = 100
"""The most WordPress gives at once."""
FIELDS = "id,author,author_name,author_email,author_user_agent,parent,post,date_gmt,content,link,status,_links.up"
_NOT_THE_HOME = re.compile(r"/(?:wp-json|wp-admin|wp-login\.php|wp-content|index\.php|xmlrpc\.php)(?:/.*)?$")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_MAY_HAVE_HAPPENED = {504, 520, 524}
"""What stands before the blog gave up: what was sent may be at work behind it."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of comments, by id upwards: those from `offset` on of `total`."""

    comments: Sequence[Comment]
    unread: Sequence[Unread]
    offset: int
    total: int

    @property
    def ends_at(self) -> int:
        return min(self.offset + PER_PAGE, self.total)

    @property
    def is_last(self) -> bool:
        return self.ends_at >= self.total


class Blog:
    """One account's blog. `?rest_route=` instead of /wp-json/: every WordPress knows it, pretty permalinks or not."""

    def __init__(self, http: Http, account: Account) -> None:
        self._http = http
        self._account = account

    def user(self) -> dict[str, Any]:
        """Who we are there. (A wrong password is told here and wherever the context is "edit"; elsewhere WordPress
        takes one for a visitor.)"""
        found = self.ask("GET", "users/me", context="edit")
        if not isinstance(found, dict) or not _is_id(found.get("id")):
            raise BadPayload(texts.NOT_READABLE)
        return found

    def me(self) -> int:
        known = self._account.settings.get("user_id")
        return known if isinstance(known, int) and _is_id(known) else int(self.user()["id"])

    def comment(self, id: str) -> dict[str, Any]:
        """One comment as it is now, with what only moderators see."""
        return _one(self.ask("GET", f"comments/{_path(id)}", context="edit"))

    def comments(self, *, with_posts: bool = False, **which: str) -> Listing:
        """Comments of every status, oldest id first. With their posts it costs the blog several times as much."""
        said = {"status": "any", "orderby": "id", "order": "asc", "per_page": str(PER_PAGE), **which}
        said |= {"_embed": "up"} if with_posts else {}
        answer = self._send("GET", "comments", {"context": "edit", "_fields": FIELDS, **said})
        items = _data(answer)
        if not isinstance(items, list):
            raise BadPayload(texts.NOT_READABLE)
        offset = int(said.get("offset", 0))
        total = answer.headers.get("x-wp-total", "")
        comments, unread = [], []
        for item in items:
            try:
                comments.append(Comment.read(item))
            except ValueError:
                unread.append(Unread(item, texts.NOT_READABLE))
        return Listing(comments, unread, offset, int(total) if total.isdecimal() else offset + len(items))

    def gone(self, ids: Collection[int]) -> set[int]:
        """Which of these no longer exist, or lie in the trash. One that isn't shown may only be hidden from us: the
        total, which counts those too, tells."""
        asked = sorted(ids)[:PER_PAGE]
        left = self.comments(include=",".join(map(str, asked)))
        if left.total != len(left.comments) or left.unread:
            return {one.id for one in left.comments if one.is_in_trash}
        return set(asked) - {one.id for one in left.comments if not one.is_in_trash}

    def delete(self, id: str, **how: str) -> None:
        """Into the trash, or for good. What is there already, or gone, is well."""
        try:
            self.ask("DELETE", f"comments/{_path(id)}", **how)
        except Refused as refused:
            if refused.why != texts.GONE and code_of(refused) != "rest_already_trashed":
                raise

    def trash_post(self, id: str) -> None:
        """Out of everybody's sight; who writes the blog can bring it back."""
        try:
            self.ask("DELETE", f"posts/{_path(id)}")
        except Refused as refused:
            if refused.why != texts.GONE and code_of(refused) != "rest_already_trashed":
                raise

    def upload(self, name: str, kind: str, content: bytes, alt: str) -> dict[str, Any]:
        """A picture or film into the blog's library, with what it shows. Nobody sees it before a post does."""
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "picture"
        told = {"content-type": kind, "content-disposition": f'attachment; filename="{name}"'}
        made = _picture(self._send("POST", "media", {}, content=content, headers=told))
        self.ask("POST", f"media/{made['id']}", {"alt_text": alt})
        return made

    def ask(self, method: str, path: str, body: Any = None, **params: str) -> Any:
        """The data of an answer. Raises an outcome for anything else."""
        answer = self._send(method, path, params, body)
        if method == "GET":
            return _data(answer)
        try:
            return answer.json()
        except BadPayload:
            raise Unknown(texts.NOT_READABLE) from None

    def total(self, path: str, **params: str) -> int | None:
        """How many there are of what is asked for; None when the answer doesn't say."""
        said = self._send("GET", path, params).headers.get("x-wp-total", "")
        return int(said) if said.isdecimal() and len(said) < 12 else None

    def _send(
        self, method: str, path: str, params: Mapping[str, str], body: Any = None, *, content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        settings, secrets = self._account.settings, self._account.secrets
        pair = f"{settings.get('user', '')}:{secrets.get('password', '')}".encode()
        answer = self._http.request(
            method,
            home(str(settings.get("url", ""))),
            headers={
                "authorization": "Basic " + base64.b64encode(pair).decode(),
                "accept": "application/json",
                **(headers or {}),
            },
            params={"rest_route": f"/wp/v2/{path}", **params},
            json=body,
            content=content,
        )
        _check(answer, is_reading=method == "GET")
        return answer


def count_of(blog: Blog, post: str) -> int | None:
    """How many comments everybody sees under a post; None when the blog doesn't say."""
    return blog.total("comments", post=post, status="approve", per_page="1", _fields="id")


def home(url: str) -> str:
    """The blog's own address, from whatever page of it was pasted. Raises `Refused`."""
    url = url.strip()
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        is_here = parts.hostname in _LOOPBACK
    except ValueError:
        raise Refused(texts.NO_WORDPRESS) from None
    if parts.scheme != "https" and not is_here:
        raise Refused(texts.NOT_SAFE)
    path = _NOT_THE_HOME.sub("", parts.path).rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}/"


def _check(answer: Answer, *, is_reading: bool) -> None:
    status = answer.status
    if status < 300:
        return
    if status < 400:
        raise Reconnect(texts.MOVED)
    if status == 401:
        raise Reconnect(texts.WRONG_PAIR)
    if status in {408, 429}:
        raise Retry(texts.TOO_MANY, after=_wait(answer.headers.get("retry-after", "")))
    if status in _MAY_HAVE_HAPPENED and not is_reading:
        raise Unknown(texts.GAVE_UP)
    if status >= 500 and status != 501:  # 501: there is no trash
        raise Retry(texts.TROUBLE, after=_wait(answer.headers.get("retry-after", ""), or_else=None))
    code, words = _error(answer)
    if status == 403 and (is_reading or not code):
        raise Reconnect(texts.NOT_A_MODERATOR) if code else Reconnect(texts.SHUT_OUT)
    if code == "rest_comment_invalid_id":
        raise Refused(texts.GONE)
    if status == 404 and not (code and code != "rest_no_route"):
        raise Reconnect(texts.NO_WORDPRESS)
    raise _RefusedAs(code, words)


class _RefusedAs(Refused):
    """With WordPress's own code: its messages are translated, and only in part."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words or texts.REFUSED)
        self.code = code


def code_of(refused: Refused) -> str:
    return refused.code if isinstance(refused, _RefusedAs) else ""


def _error(answer: Answer) -> tuple[str, str]:
    try:
        said = answer.json()
    except BadPayload:
        return "", ""
    code, words = (said.get("code"), said.get("message")) if isinstance(said, dict) else ("", "")
    plain = unescape(re.sub(r"<[^>]*>", "", words)).strip()[:200] if isinstance(words, str) else ""
    return code if isinstance(code, str) else "", plain


def _wait(said: str, or_else: timedelta | None = timedelta(minutes=1)) -> timedelta | None:
    """How long `Retry-After` asks us to wait, in seconds or until a date."""
    if said.isdecimal():
        return timedelta(seconds=min(int(said[:9]), 86_400))
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return or_else
    left = until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)
    return max(timedelta(), min(left, timedelta(days=1)))


def _data(answer: Answer) -> Any:
    try:
        return answer.json()
    except BadPayload:
        raise Retry(texts.NO_DATA) from None


def _one(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict) or not _is_id(found.get("id")):
        raise BadPayload(texts.NOT_READABLE)
    return found


def _picture(answer: Answer) -> dict[str, Any]:
    try:
        made = answer.json()
    except BadPayload:
        raise Unknown(texts.NOT_READABLE) from None
    if not isinstance(made, dict) or not _is_id(made.get("id")) or not isinstance(made.get("source_url"), str):
        raise Unknown(texts.NOT_READABLE)
    return made


def _is_id(value: object) -> bool:
    return type(value) is int and value > 0


def _path(id: str) -> str:
    if not id.isdecimal():
        raise Refused(texts.GONE)
    return id
