from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from tertulia.connectors.contract import (
    Account,
    Author,
    BadPayload,
    Capabilities,
    Connector,
    Envelope,
    Field,
    Inbound,
)

LONGEST = 10_000


class Guestbook(Connector):
    """Entries of a guest book, told by its webhook. They are read here and answered nowhere."""

    key = "guestbook"
    name = {"en": "Guest book", "es": "Libro de visitas"}
    fields = (
        Field(
            "signing",
            {"en": "Signing key", "es": "Clave de firma"},
            kind="secret",
            help={"en": "The same as in the guest book.", "es": "La misma que en el libro de visitas."},
        ),
    )
    capabilities = Capabilities(
        reads=frozenset({"comment"}),
        cannot={
            "reply": {"en": "A guest book has no place for answers.", "es": "Un libro de visitas no admite respuestas."}
        },
        webhook=True,
    )
    sentences = {
        "The entry can't be read.": "La entrada no se entiende.",
        "The signature does not fit.": "La firma no coincide.",
    }

    def receive(self, account: Account, inbound: Inbound) -> list[Envelope]:
        _verify(account.secrets.get("signing", ""), inbound)
        try:
            entry = json.loads(inbound.body)
            return [_envelope(entry)]
        except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
            raise BadPayload("The entry can't be read.") from None


def _verify(secret: str, inbound: Inbound) -> None:
    mark = hmac.new(secret.encode(), inbound.body, sha256).hexdigest()
    given = inbound.headers.get("x-guestbook-signature", "")
    if not secret or not hmac.compare_digest(mark.encode(), given.encode(errors="replace")):
        raise BadPayload("The signature does not fit.", forged=True)


def _envelope(entry: Any) -> Envelope:
    texts = [entry[name] for name in ("id", "name", "text", "at")]
    if not all(isinstance(text, str) and len(text) <= LONGEST and "\x00" not in text for text in texts):
        raise ValueError("an entry is made of texts")
    id, name, text, at = texts
    for part in texts:
        part.encode()  # a lone surrogate is no text
    moment = datetime.fromisoformat(at)
    if not id or len(id) > 200 or moment.tzinfo is None:
        raise ValueError("an entry has an id and a moment")
    return Envelope(
        remote_id=id, thread_id=id, sent_at=moment.astimezone(UTC), author=Author(id, name=name), kind="comment",
        text=text, raw=entry,
    )  # fmt: skip


connector = Guestbook
