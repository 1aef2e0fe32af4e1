"""A connector for the network of the tests, in the three kinds that real ones come in: those that know our keys, those
that can be looked into, and those that do neither. It goes through the ordinary door out."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from tertulia.connectors.contract import (
    REPLY,
    Account,
    Act,
    Answer,
    Author,
    BadPayload,
    Capabilities,
    Connector,
    Draft,
    Envelope,
    Field,
    Films,
    Health,
    Inbound,
    Page,
    Picture,
    Pictures,
    Publishes,
    Receipt,
    Reconnect,
    Refused,
    Retry,
    Target,
    Unknown,
    Unsupported,
)
from tertulia.core.counting import graphemes

MAX_TEXT = 2000
EVERYBODY = "everybody"
PUBLISHES = Publishes(
    kinds=frozenset({"post", "part", "comment"}),
    counted="graphemes",
    longest=300,
    pictures=Pictures(most=4, largest=1_000_000, alt=100),
    films=Films(largest=1_000_000, longest=60, alt=100),
    hints=frozenset({"title", "warning"}),
    deletes=True,
)
VERBS = {"created", "edited", "deleted"}


class Blind(Connector):
    """Publishes and forgets: after silence nobody can know."""

    key = "fake-blind"
    name = {"en": "Fake, blind", "es": "De prueba, ciega"}
    fields = (
        Field("url", {"en": "Address", "es": "Dirección"}, kind="url"),
        Field("token", {"en": "Token", "es": "Credencial"}, kind="secret"),
        Field("signing", {"en": "Signing key", "es": "Clave de firma"}, kind="secret"),
    )
    capabilities = Capabilities(
        reads=frozenset({"direct"}),
        can=(REPLY,),
        max_text=MAX_TEXT,
        webhook=True,
        polls=True,
        publishes=PUBLISHES,
    )

    def check(self, account: Account) -> Health:
        self._ask(account, "GET", "/messages", params={"limit": "1"})
        return Health(is_ok=True)

    def fetch(self, account: Account, cursor: str) -> Page:
        found = self._ask(account, "GET", "/messages", params={"after": cursor, "limit": "500"})
        items = [self._envelope("deleted" if item["deleted"] else "edited", item) for item in found["items"]]
        return Page(items, found["cursor"], more=found["more"])

    def receive(self, account: Account, inbound: Inbound) -> list[Envelope]:
        secret = account.secrets.get("signing", "")
        mark = hmac.new(secret.encode(), inbound.body, sha256).hexdigest()
        given = inbound.headers.get("x-signature", "")
        if not secret or not hmac.compare_digest(mark.encode(), given.encode(errors="replace")):
            raise BadPayload("The signature does not fit.", forged=True)
        try:
            events = json.loads(inbound.body)["events"]
            return [self._envelope(event["verb"], event["message"]) for event in events]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise BadPayload("The delivery can't be read.") from None

    def reply(self, account: Account, to: Target, text: str, key: str) -> Receipt:
        if len(text) > MAX_TEXT:
            raise Unsupported(f"Longer than {MAX_TEXT} characters.")
        made = self._ask(account, "POST", "/posts", json={"thread": to.thread_id, "text": text, "key": key})
        return Receipt(remote_id=made["id"])

    def publish(self, account: Account, draft: Draft, key: str) -> Receipt:
        self.check_fit(account, draft)
        said = {
            "thread": EVERYBODY, "by": self.key, "key": key,
            "kind": draft.kind, "text": draft.text, "title": draft.title,
            "pictures": [[one.id, one.alt] for one in draft.pictures],
            "above": draft.above.remote_id if draft.above else "", "top": _top(draft),
        }  # fmt: skip
        made = self._ask(account, "POST", "/posts", json=said)
        return self._receipt(made)

    def attach(self, account: Account, picture: Picture, key: str) -> str:
        said = {"size": len(picture.content), "type": picture.type}
        return str(self._ask(account, "POST", "/pictures", json=said)["id"])

    def _receipt(self, made: dict[str, Any]) -> Receipt:
        return Receipt(made["id"], url=f"https://fake.example/{made['id']}", hints={"top": made["top"] or made["id"]})

    def named(self, account: Account, url: str) -> Receipt | None:
        found = re.fullmatch(r"https://fake\.example/(p\d+)", url)
        return Receipt(found[1], url=url, hints={"top": found[1]}) if found else None

    def post_length(self, account: Account, draft: Draft) -> int:
        return graphemes(draft.text)

    def act(
        self, account: Account, act: Act, on: Target, key: str, *, undo: bool = False, because: str = ""
    ) -> Receipt:
        if act != "delete" or on.kind != "post":
            raise Unsupported(act)
        self._ask(account, "POST", "/deletions", json={"id": on.remote_id})
        return Receipt(on.remote_id)

    def reread(self, account: Account, since: datetime, until: datetime, cursor: str) -> Page:
        if self.capabilities.history is None:
            return super().reread(account, since, until, cursor)
        found = self._ask(account, "GET", "/messages", params={"after": cursor, "limit": "500"})
        items = [self._envelope("edited", item) for item in found["items"] if not item["deleted"]]
        return Page([one for one in items if since <= one.sent_at < until], found["cursor"], more=found["more"])

    def gone(self, account: Account, missing: Sequence[Target]) -> Iterator[str]:
        wanted, found = {one.remote_id for one in missing}, {"cursor": "", "more": True}
        while found["more"]:
            found = self._ask(account, "GET", "/messages", params={"after": found["cursor"], "limit": "500"})
            yield from (item["id"] for item in found["items"] if item["deleted"] and item["id"] in wanted)

    def _envelope(self, verb: str, message: dict[str, Any]) -> Envelope:
        texts = [message[name] for name in ("id", "thread", "text", "sent_at", "changed_at")]
        if verb not in VERBS or not all(isinstance(text, str) for text in texts) or not texts[0] or not texts[1]:
            raise ValueError(verb)
        return Envelope(
            remote_id=message["id"],
            thread_id=message["thread"],
            sent_at=_moment(message["sent_at"]),
            changed_at=_moment(message["changed_at"]),
            author=Author(message["thread"], name=message["thread"]),
            verb=verb,  # type: ignore[arg-type]
            text=message["text"],
            raw=message,
        )

    def _ask(self, account: Account, method: str, path: str, **said: Any) -> Any:
        headers = {"authorization": f"Bearer {account.secrets['token']}"}
        answer = self.http.request(method, account.settings["url"] + path, headers=headers, **said)
        self._check_answer(answer)
        try:
            return answer.json()
        except BadPayload:
            raise Unknown("The answer can't be read.") from None

    def _check_answer(self, answer: Answer) -> None:
        status = answer.status
        if status == 401:
            raise Reconnect("The token no longer works.")
        if status == 429:
            seconds = answer.headers.get("retry-after", "60")
            raise Retry("Too many requests.", after=timedelta(seconds=int(seconds) if seconds.isdecimal() else 60))
        if status == 504:
            raise Unknown("A gateway gave up waiting.")
        if status >= 500:
            raise Retry(f"The network answered {status}.")
        if status >= 400:
            raise Refused(f"The network answered {status}.")


class Keyed(Blind):
    key = "fake-keyed"
    name = {"en": "Fake, keyed", "es": "De prueba, con clave"}
    capabilities = Capabilities(
        reads=frozenset({"direct"}),
        can=(REPLY,),
        max_text=MAX_TEXT,
        webhook=True,
        polls=True,
        repeats_safely=True,
        publishes=replace(PUBLISHES, repeats_safely=True),
    )


class Looking(Blind):
    key = "fake-looking"
    name = {"en": "Fake, readable", "es": "De prueba, legible"}
    capabilities = Capabilities(
        reads=frozenset({"direct"}),
        can=(REPLY,),
        max_text=MAX_TEXT,
        webhook=True,
        polls=True,
        finds=True,
        shows_own_within=5,
        history=timedelta(days=30),
        publishes=replace(PUBLISHES, finds=True, shows_own_within=5),
    )

    def find(self, account: Account, key: str) -> Receipt | None:
        found = self._ask(account, "GET", "/posts", params={"key": key})["posts"]
        return Receipt(remote_id=found[0]["id"]) if found else None

    def find_post(self, account: Account, draft: Draft, key: str) -> Receipt | None:
        found = self._ask(account, "GET", "/posts", params={"key": key})["posts"]
        return self._receipt(found[0]) if found else None


def _top(draft: Draft) -> str:
    return draft.above.hints["top"] if draft.above else ""


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(UTC)


KINDS: dict[str, type[Connector]] = {connector.key: connector for connector in (Blind, Keyed, Looking)}
