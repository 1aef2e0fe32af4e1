"""Mail sent or forwarded to the tag of a platform without an API belongs to that platform, not to the mailbox."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from tertulia.channels import tagging
from tertulia.channels.models import Account
from tertulia.connectors.contract import Envelope, Noted

from .names import called, person_id

_MARK = re.compile(
    r"^[ \t>]*(?:-{2,}[ \t]*(?:Forwarded message|Mensaje reenviado|Original Message|Mensaje original)[ \t]*-{2,}"
    r"|Begin forwarded message:|Inicio del mensaje reenviado:)[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_PREFIX = re.compile(r"^\s*(?:fwd?|rv|wg|tr)\s*:", re.IGNORECASE)
_HEAD = re.compile(r"^[ \t>]*\**(?P<name>[\w-]+(?: [\w-]+)?)\**:\**[ \t]+(?P<said>.+)")
_FROM, _OTHER = (
    {"de", "from"},
    {"enviado", "sent", "fecha", "date", "para", "to", "asunto", "subject", "cc", "enviado el"},
)
_PERSON = re.compile(
    r'^"?(?P<name>[^"<\[]*+)"?\s*+[<\[](?:mailto:)?(?P<email>[^<>\[\]\s][^<>\[\]\s@]*+@[^<>\[\]\s]++)[>\]]'
)
LONGEST_HEAD = 12
"""Lines."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a forwarded mail says, as far as it can be known: who wrote it, and what."""

    name: str
    email: str
    text: str


def sort_out(account: Account, envelopes: Sequence[Envelope]) -> tuple[list[Envelope], list[tuple[Account, Envelope]]]:
    """What stays with this account, and what is written down elsewhere: there as a message, here as a mail of no talk.

    That the mail itself stays known keeps the daily count with the mailbox right.
    """
    here: list[Envelope] = []
    elsewhere: list[tuple[Account, Envelope]] = []
    for envelope in envelopes:
        there = tagging.account_of(account.brand_id, envelope.to) if envelope.kind == "email" else None
        if there is None or envelope.verb != "created":
            here.append(envelope)
            continue
        here.append(replace(envelope, thread_id="", original=b"", attachments=()))
        if not envelope.is_ours:  # the copy in the Sent folder of what comes in as well
            elsewhere.append((there, write_down(there, envelope)))
    return here, elsewhere


def write_down(account: Account, mail: Envelope) -> Envelope:
    """A mail as a message of the platform. The whole mail is kept as its original."""
    said = read(mail)
    kinds = account.connector.noted_kinds(account)
    person = said.email.casefold() if said.email else person_id(*called(said.name))
    noted = Noted(
        key=f"mail:{sha256(mail.remote_id.encode()).hexdigest()[:32]}",
        person_id=person[:255],
        kind="direct" if "direct" in kinds else kinds[0],  # type: ignore[arg-type]
        text=said.text,
        happened_at=mail.sent_at,
        name=said.name or said.email,
        email=said.email,
    )
    files = [{name: value for name, value in each.items() if name != "part"} for each in mail.attachments]
    envelope = account.connector.write_down(account, noted)
    return replace(envelope, subject=mail.subject, original=mail.original, attachments=files, raw=mail.raw)


def read(mail: Envelope) -> Said:
    """The forwarded message in a mail; of one that was not forwarded, the mail itself."""
    whole = "\n\n".join(part for part in (mail.text, mail.quoted) if part).replace("\r\n", "\n")
    mark = _MARK.search(whole)
    lines = whole[mark.end() :].split("\n") if mark else whole.split("\n") if _PREFIX.match(mail.subject) else []
    start = next((number for number, line in enumerate(lines) if _heading(line) in _FROM), None)
    if start is None:
        return Said(mail.author.name, mail.author.email, mail.text.strip() or whole.strip())
    end = start + 1
    while end < min(len(lines), start + LONGEST_HEAD) and (_heading(lines[end]) in _OTHER or lines[end][:1] in " \t"):
        if not lines[end].strip():
            break
        end += 1
    name, email = _person(_HEAD.match(lines[start]))
    text = "\n".join(re.sub(r"^> ?", "", line) for line in lines[end:]).strip()
    return Said(name, email, text or whole.strip())


def _heading(line: str) -> str:
    found = _HEAD.match(line)
    return found["name"].casefold() if found else ""


def _person(head: re.Match[str] | None) -> tuple[str, str]:
    said = head["said"].rstrip(" \t") if head else ""
    if found := _PERSON.match(said):
        return found["name"].strip(), found["email"]
    return ("", said.strip("<>")) if "@" in said and " " not in said.strip() else (said.strip(), "")
