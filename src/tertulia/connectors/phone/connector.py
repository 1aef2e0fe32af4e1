from __future__ import annotations

from tertulia.connectors.contract import (
    REPLY,
    Account,
    Author,
    Capabilities,
    Connector,
    Envelope,
    Health,
    Noted,
    Receipt,
    Target,
    Unsupported,
)

KINDS = frozenset({"call", "visit"})


class Phone(Connector):
    """What is said aloud: somebody of the team writes it down, and an answer means that somebody called back."""

    key = "phone"
    name = {"en": "Phone and shop", "es": "Teléfono y tienda"}
    about = {
        "en": "Calls and talks in the shop, noted in the same inbox.",
        "es": "Llamadas y visitas a la tienda, anotadas en la misma bandeja.",
    }
    capabilities = Capabilities(
        reads=KINDS,
        can=(REPLY,),
        repeats_safely=True,
        by_hand=True,
    )
    sentences = {"A note can't be of the kind “{}”.": "Una nota no puede ser del tipo «{}»."}

    def check(self, account: Account) -> Health:
        return Health(is_ok=True)

    def write_down(self, account: Account, noted: Noted) -> Envelope:
        if noted.kind not in KINDS:
            raise Unsupported(f"A note can't be of the kind “{noted.kind}”.")
        return Envelope(
            remote_id=f"note:{noted.key}",
            thread_id=noted.person_id,
            sent_at=noted.happened_at,
            author=Author(noted.person_id, name=noted.name, email=noted.email, phone=noted.phone),
            kind=noted.kind,
            text=noted.text,
            is_ours=noted.is_ours,
            raw={
                "kind": noted.kind,
                "name": noted.name,
                "phone": noted.phone,
                "email": noted.email,
                "text": noted.text,
            },
        )

    def reply(self, account: Account, to: Target, text: str, key: str) -> Receipt:
        """The person who writes it has already called: the row is the record of it."""
        return Receipt(remote_id=f"called:{key}")


connector = Phone
