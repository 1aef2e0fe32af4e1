"""A newsletter: what is published goes to everybody on the list, to each in a mail of their own.

The desk itself is the network: publishing is a row, and the letters that follow from it are written by the house and
carried by one of the brand's mailboxes (`Capabilities.letters`).
"""

from __future__ import annotations

from tertulia.connectors.contract import (
    Account,
    Capabilities,
    Connector,
    Draft,
    Field,
    Health,
    Misfit,
    Pictures,
    Publishes,
    Receipt,
)

from . import texts

LARGEST = 5 * 1024 * 1024
"""Bytes of all pictures of a letter: with what coding adds to them it stays below the 10 MB that every server takes."""
PER_HOUR = 300


class Newsletter(Connector):
    key = "newsletter"
    name = {"en": "Newsletter", "es": "Boletín de novedades"}
    about = {
        "en": "Your posts by mail to whoever signs up on your page.",
        "es": "Tus publicaciones por correo a quien se apunte en tu página.",
    }
    fields = (
        Field("mailbox", texts.MAILBOX, help=texts.MAILBOX_HELP, is_required=False),
        Field("sender", texts.SENDER, help=texts.SENDER_HELP, is_required=False),
        Field("footer", texts.FOOTER, kind="lines", help=texts.FOOTER_HELP),
        Field("per_hour", texts.PER_HOUR, kind="number", help=texts.PER_HOUR_HELP, default=str(PER_HOUR)),
        Field("signing", texts.SIGNING, kind="secret", is_generated=True),
    )
    capabilities = Capabilities(
        cannot={"delete": texts.NO_DELETE},
        publishes=Publishes(
            longest=50_000,
            pictures=Pictures(most=10, largest=2 * 1024 * 1024, alt=1_500, uploads=False),
            hints=frozenset({"title"}),
            needs=frozenset({"title"}),
            repeats_safely=True,
            by_letter=True,
        ),
    )
    sentences = texts.SENTENCES

    def check(self, account: Account) -> Health:
        footer = account.settings.get("footer")
        if not (isinstance(footer, list) and any(isinstance(line, str) and line.strip() for line in footer)):
            return Health(is_ok=False, says=texts.NO_FOOTER)
        return Health(is_ok=True)

    def publish(self, account: Account, draft: Draft, key: str) -> Receipt:
        self.check_fit(account, draft)
        return Receipt(remote_id=f"mailing:{key}")

    def misfits(self, account: Account, draft: Draft) -> list[Misfit]:
        found = super().misfits(account, draft)
        if sum(picture.size for picture in draft.pictures) > LARGEST and not any(one.code == "large" for one in found):
            found.append(Misfit("large", texts.TOO_HEAVY))
        return found


connector = Newsletter
