"""Connectors for an invented network, one for each way a network can remember (or not) what it was sent.

`Memory` lives in the test's own process; `Served` speaks HTTP to the server of `fake_server.py`, whose own list is the
judge when processes are killed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar

from tertulia.connectors import registry
from tertulia.connectors.contract import (
    REPLY,
    Account,
    Author,
    Capabilities,
    Connector,
    Draft,
    Envelope,
    Page,
    Publishes,
    Receipt,
    Reconnect,
    Refused,
    Retry,
    Target,
    Unknown,
)

CAN = (REPLY,)
PUBLISHES = Publishes(kinds=frozenset({"post"}), counted="graphemes", longest=300)


class Memory(Connector):
    """Does what the test tells it: each call takes the next of `script`, or succeeds."""

    key = "tests-memory"
    name: ClassVar = {"en": "Memory", "es": "Memoria"}
    capabilities = Capabilities(reads=frozenset({"direct"}), can=CAN, polls=True)

    sent: ClassVar[list[tuple[str, str]]] = []
    script: ClassVar[list[Exception | Callable[[], None]]] = []
    pages: ClassVar[list[Page | Exception]] = []
    found: ClassVar[list[Receipt | None | Exception]] = []

    def reply(self, account: Account, to: Target, text: str, key: str) -> Receipt:
        act = self.script.pop(0) if self.script else None
        if isinstance(act, Exception) and not isinstance(act, Unknown):
            raise act
        self.sent.append((key, text))
        if isinstance(act, Exception):
            raise act
        if act:
            act()
        return Receipt(remote_id=f"remote-{len(self.sent)}", at=datetime(2026, 11, 23, 11, 0, 9, tzinfo=UTC))

    def find(self, account: Account, key: str) -> Receipt | None:
        answer = self.found.pop(0) if self.found else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def fetch(self, account: Account, cursor: str) -> Page:
        page = self.pages.pop(0) if self.pages else Page((), cursor)
        if isinstance(page, Exception):
            raise page
        return page


class Finding(Memory):
    key = "tests-finding"
    capabilities = Capabilities(can=CAN, finds=True)


class FindingAtOnce(Memory):
    key = "tests-finding-at-once"
    capabilities = Capabilities(can=CAN, finds=True, shows_own_within=100)


class Repeating(Memory):
    key = "tests-repeating"
    capabilities = Capabilities(can=CAN, repeats_safely=True)


class Forgetful(Memory):
    key = "tests-forgetful"
    capabilities = Capabilities(can=CAN, repeats_safely=True, keys_live=3600)


class FindingForgetful(Memory):
    key = "tests-finding-forgetful"
    capabilities = Capabilities(can=CAN, finds=True, repeats_safely=True, keys_live=3600)


class Slow(Memory):
    key = "tests-slow"
    capabilities = Capabilities(can=CAN, send_gap=2.0)


class Served(Connector):
    """Over HTTP. It remembers keys, or can be read back, or neither: see the three below."""

    def reply(self, account: Account, to: Target, text: str, key: str) -> Receipt:
        return self._send(account, {"thread": to.thread_id, "text": text, "key": key})

    def publish(self, account: Account, draft: Draft, key: str) -> Receipt:
        return self._send(account, {"thread": "", "text": draft.text, "key": key})

    def _send(self, account: Account, sent: dict[str, str]) -> Receipt:
        headers = {"idempotency-key": sent["key"]} if self.capabilities.repeats_safely else {}
        answer = self.http.request("POST", f"{account.settings['server']}/posts", headers=headers, json=sent)
        if answer.status == 429:
            raise Retry("The network asks for patience.")
        if answer.status >= 500:
            raise Unknown("The network stumbled.")
        if answer.status == 401:
            raise Reconnect("The token is no longer valid.")
        if answer.status >= 400:
            raise Refused("The network said no.")
        return Receipt(remote_id=str(answer.json()["id"]))

    def find(self, account: Account, key: str) -> Receipt | None:
        answer = self.http.request("GET", f"{account.settings['server']}/posts", params={"key": key})
        if answer.status != 200:
            raise Retry("The network can't be read now.")
        posts = answer.json()
        return Receipt(remote_id=str(posts[0]["id"])) if posts else None

    def fetch(self, account: Account, cursor: str) -> Page:
        answer = self.http.request("GET", f"{account.settings['server']}/inbox", params={"after": cursor or "0"})
        items = answer.json()
        envelopes = [
            Envelope(
                remote_id=f"in-{item['id']}",  # posts have numbers of their own
                thread_id=item["thread"],
                sent_at=datetime.fromtimestamp(item["at"], UTC),
                author=Author(remote_id=item["thread"], name=item["thread"]),
                text=item["text"],
            )
            for item in items
        ]
        return Page(envelopes, str(items[-1]["id"]) if items else cursor)


class ServedKeyed(Served):
    key = "tests-keyed"
    name: ClassVar = {"en": "Keyed", "es": "Con clave"}
    capabilities = Capabilities(can=CAN, repeats_safely=True, publishes=replace(PUBLISHES, repeats_safely=True))


class ServedReadable(Served):
    key = "tests-readable"
    name: ClassVar = {"en": "Readable", "es": "Legible"}
    capabilities = Capabilities(
        can=CAN,
        finds=True,
        shows_own_within=1,
        polls=True,
        poll_seconds=1,
        publishes=replace(PUBLISHES, finds=True, shows_own_within=1),
    )


class ServedBlind(Served):
    key = "tests-blind"
    name: ClassVar = {"en": "Blind", "es": "Ciega"}
    capabilities = Capabilities(can=CAN, publishes=PUBLISHES)


EVERY = (
    Memory,
    Finding,
    FindingAtOnce,
    Repeating,
    Forgetful,
    FindingForgetful,
    Slow,
    ServedKeyed,
    ServedReadable,
    ServedBlind,
)


def install() -> None:
    """Make them known to this process."""
    for connector in EVERY:
        registry.all_connectors()[connector.key] = connector


def remove() -> None:
    for connector in EVERY:
        registry.all_connectors().pop(connector.key, None)
