"""The Bot API, through the connector: everything of its table. The server is `fakes/telegram.py`, written from the
documentation and held against aiogram's types: Telegram itself can't be run on one's own machine.

Runs with TERTULIA_LAB=1 and prints a line for each operation.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from conftest import NOON
from fakes import telegram as fake
from lab.lines import Lines
from tertulia.connectors.contract import Inbound, Target, Unknown
from tertulia.connectors.telegram.connector import Telegram
from tertulia.core.http import Door

pytestmark = pytest.mark.skipif(os.environ.get("TERTULIA_LAB") != "1", reason="needs TERTULIA_LAB=1")
CHANNEL = "telegram"


def test_the_whole_round_trip(lines):
    if fake.AIOGRAM is None:
        pytest.skip("aiogram isn't installed: make install-dev")
    with fake.running(fake.Bots()) as bots:
        round_trip(bots, lines)
    lines.check()


def round_trip(bots: fake.Bots, lines: Lines) -> None:
    account, connector, here = fake.account(bots), Telegram(Door(total=1.5)), {"cursor": ""}
    came: list[Any] = []

    def read() -> list[Any]:
        page = connector.fetch(account, here["cursor"])
        here["cursor"] = page.cursor
        assert not page.unread
        return list(page.envelopes)

    def target(one: Any) -> Target:
        return Target(one.thread_id, one.remote_id, one.author.remote_id, one.hints, kind=one.kind)

    def comes_in() -> None:
        bots.write("En el grupo")
        bots.write("En privado", chat=fake.ANA)
        bots.write("A vosotros", reply_to_message={**bots.messages[fake.GROUP, 11], "from": fake.user(fake.BOT)})
        came.extend(read())
        assert [one.text for one in came] == ["En el grupo", "En privado", "A vosotros"]

    def kinds() -> None:
        assert [one.kind for one in came] == ["mention", "direct", "comment"]

    def edited() -> None:
        bots.edit(fake.GROUP, 11, "Corregido")
        [one] = read()
        assert (one.verb, one.remote_id, one.text) == ("edited", f"{fake.GROUP}:11", "Corregido")

    def replies() -> None:
        for chat in (fake.GROUP, fake.ANA):
            bots.write("¿Abrís?", chat=chat)
            [one] = read()
            receipt = connector.reply(account, target(one), "Sí", "key")
            assert receipt.remote_id.startswith(f"{chat}:")
        assert len(bots.posts) == 2

    def silence() -> None:
        bots.faults.append("accept_then_cut")
        with pytest.raises(Unknown):
            connector.reply(account, fake.target(), "Sí", "key-2")

    def called() -> None:
        update = bots.write("Por webhook", chat=fake.ANA)
        headers = {"x-telegram-bot-api-secret-token": fake.SECRET}
        [one] = connector.receive(account, Inbound(headers, {}, json.dumps(update).encode(), NOON))
        assert one.remote_id == read()[0].remote_id

    def moved() -> None:
        bots.write("uno", chat=fake.BASIC)
        bots.grow(fake.BASIC, -1009990001112)
        bots.write("dos", chat=-1009990001112)
        assert len({one.thread_id for one in read()}) == 1

    def health() -> None:
        assert connector.check(account).facts["bot"]

    lines.line("server", "a stand-in, written from the documentation: Telegram can't be run here", "ok")
    lines.tries("access", "health, and what the bot may do in its groups", health)
    lines.tries("in", "in a group, in private, and under our own message", comes_in)
    lines.tries("kind", "mention, direct, comment", kinds)
    lines.tries("in", "by webhook with its secret, and the same by asking", called)
    lines.tries("in", "a group that becomes a supergroup keeps its talk", moved)
    lines.tries("edited there", "in a group", edited)
    lines.tries("answered", "in a group and in private", replies)
    lines.tries("answered", "a line cut after sending leaves it unknown", silence)
    lines.lacks("answered", "sent twice with one key", "the Bot API knows no keys and gives nothing back to read")
    ours = next(iter(bots.posts))["message_id"]
    for can in connector.capabilities.can:
        if can.act != "reply" and (can.act, False) not in bots.acts:
            on = fake.target(ours if can.whose == "ours" else 11)
            for undo in (False, True) if can.undoes else (False,):

                def acts(act: Any = can.act, on: Target = on, undo: bool = undo) -> None:
                    connector.act(account, act, on, "key", undo=undo)
                    assert bots.acts[-1] == (act, undo)

                lines.tries("moderated", f"{can.act} taken back" if undo else can.act, acts)
    for act, why in connector.capabilities.cannot.items():
        lines.lacks("moderated", act, why["en"])
    lines.lacks("deleted there", "by its writer", "Telegram tells a bot of no deletion")
