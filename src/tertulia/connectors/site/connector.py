from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from tertulia.connectors.contract import (
    REPLY,
    Account,
    Act,
    Author,
    BadPayload,
    Can,
    Capabilities,
    Connector,
    Draft,
    Envelope,
    Field,
    Films,
    Health,
    Inbound,
    Kind,
    Look,
    Pictures,
    Publishes,
    Receipt,
    Target,
    TurnedAway,
    Unsupported,
    Visit,
)

from . import origins, payload, signing, texts

TOO_SOON = timedelta(seconds=2)
"""Nobody reads the greeting and writes a sentence faster; programs do."""
TOO_LATE = timedelta(hours=12)
"""After that the widget asks for a new ticket before it sends: one that leaked is no use for ever."""
MAX_TEXT = 10_000
PUBLISHES = Publishes(
    longest=50_000,
    pictures=Pictures(most=20, largest=8 * 1024 * 1024, alt=1_500, uploads=False),
    films=Films(most=5, types=frozenset({"video/mp4", "video/quicktime", "video/webm"}), alt=1_500, mixes=True),
    hints=frozenset({"title"}),
    needs=frozenset({"title"}),
    deletes=True,
    look=Look("page", grid="column"),
    repeats_safely=True,
)
NEWS: frozenset[Kind] = frozenset({"article"})


class Site(Connector):
    """A chat on the company's own page, and its news. The desk itself is the network: a row that is written is a
    message sent, or news published."""

    key = "site"
    name = {"en": "Your website", "es": "Tu página web"}
    about = {
        "en": "A chat and a form on your page, and a corner for your news.",
        "es": "Un chat y un formulario en tu página, y un rincón para tus novedades.",
    }
    fields = (
        Field(
            "origins",
            {"en": "Pages that carry the chat", "es": "Páginas que llevan el chat"},
            kind="lines",
            help=texts.ORIGINS_HELP,
            is_required=False,
        ),
        Field(
            "greeting",
            {"en": "Greeting", "es": "Saludo"},
            help=texts.GREETING_HELP,
            is_required=False,
        ),
        Field("signing", {"en": "Signing key", "es": "Clave de firma"}, kind="secret", is_generated=True),
    )
    capabilities = Capabilities(
        reads=frozenset({"chat"}),
        can=(REPLY, Can("delete", on=NEWS, whose="ours", note=texts.DELETE)),
        max_text=MAX_TEXT,
        repeats_safely=True,
        hosted=True,
        publishes=PUBLISHES,
    )
    sentences = texts.SENTENCES

    def check(self, account: Account) -> Health:
        if not account.secrets.get("signing"):
            return Health(is_ok=False, says="The signing key is missing: make a new one in the channel's settings.")
        return Health(is_ok=True)

    def receive(self, account: Account, inbound: Inbound) -> list[Envelope]:
        """One message of a visitor. Raises `TurnedAway` for what the visitor can mend, `BadPayload` for the rest."""
        message = payload.read(inbound.body)
        visitor = self.recognise(account, message.visitor)
        if not message.text:
            raise TurnedAway("empty", texts.EMPTY)
        if len(message.text) > MAX_TEXT:
            raise TurnedAway("too_long", texts.too_long(MAX_TEXT))
        if message.honeypot:
            raise TurnedAway("robot", texts.ROBOT)
        self._check_ticket(account, visitor, message.ticket, inbound.at)
        return [_envelope(visitor, message, inbound.at)]

    def reply(self, account: Account, to: Target, text: str, key: str) -> Receipt:
        """The visitor fetches the answer from our own table, so nothing has to leave."""
        if len(text) > MAX_TEXT:
            raise Unsupported(f"The answer is longer than {MAX_TEXT} characters.")
        return Receipt(remote_id=f"reply:{key}")

    def publish(self, account: Account, draft: Draft, key: str) -> Receipt:
        """The house shows what it has a receipt for (`flows.news`), so nothing has to leave."""
        self.check_fit(account, draft)
        return Receipt(remote_id=f"news:{key}")

    def act(
        self, account: Account, act: Act, on: Target, key: str, *, undo: bool = False, because: str = ""
    ) -> Receipt:
        if act != "delete":
            raise Unsupported(act)
        return Receipt(remote_id=on.remote_id)

    def welcome(self, account: Account, token: str, at: datetime) -> Visit:
        secret = account.secrets.get("signing", "")
        if not secret:
            raise BadPayload("This chat has no signing key.", forged=True)
        visitor = signing.unseal(secret, "visitor", token)
        if visitor is None:
            token = signing.new_visitor(secret)
            visitor = token.rpartition(".")[0]
        return Visit(token=token, thread_id=visitor, ticket=signing.ticket(secret, visitor, at))

    def recognise(self, account: Account, token: str) -> str:
        visitor = signing.unseal(account.secrets.get("signing", ""), "visitor", token)
        if visitor is None:
            raise BadPayload("The visitor's token isn't ours.", forged=True)
        return visitor

    def origins(self, account: Account) -> frozenset[str]:
        return origins.allowed(account.settings.get("origins"))

    @classmethod
    def widget(cls) -> bytes:
        return Path(__file__).with_name("widget.js").read_bytes()

    @classmethod
    def widget_texts(cls, language: str, *, is_formal: bool) -> Mapping[str, str]:
        return texts.widget(language, is_formal=is_formal)

    def _check_ticket(self, account: Account, visitor: str, ticket: str, at: datetime) -> None:
        came = signing.ticket_time(account.secrets.get("signing", ""), visitor, ticket)
        if came is None or at - came > TOO_LATE or came - at > TOO_LATE:
            raise TurnedAway("too_late", texts.TOO_LATE)
        if at - came < TOO_SOON:
            raise TurnedAway("too_soon", texts.TOO_SOON)


def _envelope(visitor: str, message: payload.VisitorMessage, at: datetime) -> Envelope:
    return Envelope(
        remote_id=f"{visitor}:{message.id}",
        thread_id=visitor,
        sent_at=at,
        author=Author(remote_id=visitor, name=message.name, email=message.email, language=message.language),
        kind="chat",
        text=message.text,
        url=message.page,
        raw=_without_tokens(message.raw),
    )


def _without_tokens(raw: Mapping[str, object]) -> dict[str, object]:
    """What arrived, less what would let its reader pass for the visitor."""
    return {name: value for name, value in raw.items() if name not in {"visitor", "ticket"}}


connector = Site
