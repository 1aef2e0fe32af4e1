"""A mailbox: read by IMAP, answered by SMTP."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime, timedelta

from tertulia.connectors.contract import (
    Account,
    Can,
    Capabilities,
    Connector,
    Consent,
    Envelope,
    Field,
    Granted,
    Health,
    Letter,
    Outcome,
    Page,
    Receipt,
    Retry,
    Target,
    Unknown,
    Unread,
    Unsupported,
)
from tertulia.core import sandbox

from . import fetching, ids, oauth, reading, smtp, texts, writing
from .fetching import Mail
from .imap import SENT_NAMES, Imap, encoded, on
from .places import Folder, Place
from .servers import KEEPS_COPIES, access_of, address_of, imap_of, smtp_of, word
from .sorting import READ, Sorter

OPEN_PART = "tertulia.connectors.mail.reading:open_packed"
INBOX = "INBOX"
FIRST_DAYS = timedelta(days=7)
FIRST_MAILS = 200
SECONDS = 50.0
"""For one reading, from the first word to the last."""
MOST = 64 * 1024 * 1024
"""Bytes of one reading."""
LISTEN_SECONDS = 1500.0
"""Servers may hang up after half an hour."""
FIND_DAYS = timedelta(days=4)
FIND_AT_ONCE, FIND_MOST = 200, 4_000


class MailBox(Connector):
    """Any mailbox that speaks IMAP and SMTP."""

    key = "mail"
    name = {"en": "Mail", "es": "Correo"}
    about = {
        "en": "The mailbox your customers write to: Gmail, Microsoft 365 or your provider's.",
        "es": "El buzón al que escriben tus clientes: Gmail, Microsoft 365 o el de tu proveedor.",
    }
    fields = (
        Field("address", texts.ADDRESS, help=texts.ADDRESS_HELP),
        Field("sender", texts.SENDER, help=texts.SENDER_HELP, is_required=False, is_rare=True),
        Field(
            "access",
            texts.ACCESS,
            kind="choice",
            help=texts.ACCESS_HELP,
            default="password",
            choices=(
                ("password", texts.BY_PASSWORD),
                ("google", texts.BY_GOOGLE),
                ("microsoft", texts.BY_MICROSOFT),
            ),
        ),
        Field("password", texts.PASSWORD, kind="secret", help=texts.PASSWORD_HELP, is_required=False),
        Field("user", texts.USER, help=texts.USER_HELP, is_required=False, is_rare=True),
        Field("imap_server", texts.IMAP, help=texts.IMAP_HELP, is_required=False),
        Field("smtp_server", texts.SMTP, help=texts.SMTP_HELP, is_required=False),
        Field(
            "encryption",
            texts.ENCRYPTION,
            kind="choice",
            is_required=False,
            is_rare=True,
            choices=(
                ("", texts.BY_PORT),
                ("tls", {"en": "TLS", "es": "TLS"}),
                ("starttls", {"en": "STARTTLS", "es": "STARTTLS"}),
                ("none", texts.NONE),
            ),
        ),
        Field("folders", texts.FOLDERS, kind="lines", help=texts.FOLDERS_HELP, is_required=False, is_rare=True),
        Field("client_id", texts.CLIENT_ID, help=texts.CLIENT_HELP, is_required=False, is_rare=True),
        Field(
            "client_secret", texts.CLIENT_SECRET, kind="secret", help=texts.CLIENT_HELP, is_required=False, is_rare=True
        ),
        Field("tenant", texts.TENANT, help=texts.TENANT_HELP, is_required=False, is_rare=True),
        Field("signing", texts.SIGNING, kind="secret", is_generated=True),
    )
    capabilities = Capabilities(
        reads=frozenset({"email"}),
        can=(Can("reply"),),
        cannot=texts.CANNOT,
        polls=True,
        poll_seconds=120,
        finds=True,
        history=timedelta(days=30),
        listens=True,
        renews=True,
        consents=True,
        consents_rarely=True,
        letters=True,
    )
    reasons = {"returned": texts.RETURNED, "nobody": texts.NOBODY}
    sentences = {**texts.SENTENCES, **reading.SENTENCES}
    scopes = texts.SCOPES

    # The connection.

    def check(self, account: Account) -> Health:
        with self._open(account) as box:
            there = box.folders()
            sent = _sent_folder(there)
            missing = [one for one in _named(account) if encoded(one) not in there]
            tells = box.can(b"IDLE")
        smtp.look(self.http, smtp_of(account), access_of(account))
        says = texts.NO_FOLDER.format(missing[0]) if missing else "" if sent else texts.NO_SENT
        return Health(is_ok=not missing, says=says, facts={"sent": sent, "tells_at_once": tells})

    def renew(self, account: Account) -> Granted:
        return oauth.renew(self.http, account)

    def begin_consent(self, account: Account, back_to: str, state: str) -> Consent:
        return oauth.begin(account, back_to, state)

    def finish_consent(self, account: Account, back_to: str, kept: Mapping[str, str], code: str) -> Granted:
        return oauth.finish(self.http, account, back_to, kept, code)

    # The way in.

    def fetch(self, account: Account, cursor: str) -> Page:
        """What came into each folder after the last UID that was read there."""
        place = Place.read(cursor)
        with self._open(account) as box:
            place.sent = place.sent or _sent_folder(box.folders())
            for name in _folders(account, place.sent):
                if status := box.status(name):
                    page = self._read_on(account, box, place, name, *status)
                    if page:
                        return page
        return Page((), place.write())

    def _read_on(
        self, account: Account, box: Imap, place: Place, name: str, validity: int, next_uid: int
    ) -> Page | None:  # fmt: skip
        """A batch of what is new in a folder; None when nothing is."""
        folder = place.folders.get(name)
        if folder and folder.validity == validity and folder.uid + 1 == next_uid:
            return None
        box.examine(name)
        if folder is None or folder.validity != validity:
            folder = place.folders[name] = _begin(box, folder, validity, next_uid)
        uids = [uid for uid in box.search(f"UID {folder.uid + 1}:*") if uid > folder.uid]
        if not uids:
            folder.note(next_uid - 1, None)
            return None
        batch = fetching.take(box, name, uids, tries=folder.tries)
        if batch.last:
            folder.note(batch.last, batch.arrived)
        else:
            folder.tries += 1
        envelopes, unread = self._understood(account, box, batch.mails, is_sent=name == place.sent)
        return Page(envelopes, place.write(), more=not batch.broke_off, unread=[*batch.unread, *unread])

    def reread(self, account: Account, since: datetime, until: datetime, cursor: str) -> Page:
        """Folder after folder, what arrived or was written then. The cursor: the folder's name behind the last UID."""
        last, _, at = cursor.partition(" ")
        with self._open(account) as box:
            there = box.folders()
            sent = _sent_folder(there)
            names = [one for one in _folders(account, sent) if one in there or one == INBOX]
            name = at or INBOX
            box.examine(name)
            uids = [uid for uid in box.search(_within(since, until)) if uid > int(last or 0)]
            batch = fetching.take(box, name, uids)
            if uids and not batch.last:
                raise Retry(texts.MAIL_SILENT)
            envelopes, unread = self._understood(account, box, batch.mails, is_sent=name == sent)
        left, after = bool(uids) and batch.last < uids[-1], names[names.index(name) + 1 :] if name in names else []
        following = f"{batch.last} {name}" if left else f"0 {after[0]}" if after else ""
        of_then = [one for one in envelopes if since <= one.sent_at < until]
        return Page(of_then, following, more=bool(following), unread=[*batch.unread, *unread])

    def _understood(
        self, account: Account, box: Imap, mails: Sequence[Mail], *, is_sent: bool
    ) -> tuple[list[Envelope], list[Unread]]:
        """Read by a process that may die of them; what it can't read is kept as it came."""
        sorter = Sorter(account, box)
        envelopes, unread = [], []
        for mail, said in zip(mails, sandbox.call_many(READ, [mail.content for mail in mails]), strict=True):
            if isinstance(said, sandbox.Unreadable):
                unread.append(Unread(mail.content, said.why))
            elif envelope := sorter.envelope(mail, said, is_sent=is_sent):
                envelopes.append(envelope)
        return envelopes, unread

    def listen(self, account: Account, stop: Callable[[], bool]) -> Iterator[bool]:
        with self._open(account, within=LISTEN_SECONDS + SECONDS) as box:
            if not box.can(b"IDLE"):
                raise Unsupported(texts.NO_IDLE)
            box.examine(INBOX)
            yield from box.idle(stop, seconds=LISTEN_SECONDS)

    def read_original(self, account: Account, original: bytes) -> Envelope:
        said = sandbox.call(READ, original)
        envelope = Sorter(account).envelope(Mail("", 0, None, original), said, is_sent=False)
        assert envelope is not None  # noqa: S101 — only what we sent to nobody gives none
        return envelope

    def open_part(self, original: bytes, part: str) -> bytes:
        opened = sandbox.call(OPEN_PART, part.encode() + b"\n" + original, largest=2 * MOST)
        return base64.b64decode(opened)

    # The way out.

    def reply(self, account: Account, to: Target, text: str, key: str) -> Receipt:
        """Sent, then put into the Sent folder where the server doesn't do that by itself."""
        id, recipient, mail = writing.answer(account, to, text, key, at=datetime.now(UTC))
        server = smtp_of(account)
        smtp.send(self.http, server, access_of(account), sender=address_of(account), to=recipient, mail=mail)
        if server.host not in KEEPS_COPIES:
            with suppress(Outcome):  # it has been sent: a copy that can't be kept must not cast doubt on that
                self._keep_copy(account, mail)
        return Receipt(id)

    def letter(self, account: Account, letter: Letter, key: str) -> Receipt:
        """No copy is kept: a list's letters would bury the Sent folder."""
        id, recipient, mail = writing.letter(account, letter, key, at=datetime.now(UTC))
        server, access = smtp_of(account), access_of(account)
        smtp.send(self.http, server, access, sender=address_of(account), to=recipient, mail=mail)
        return Receipt(id)

    def _keep_copy(self, account: Account, mail: bytes) -> None:
        with self._open(account) as box:
            if sent := word(account.settings.get("sent")) or _sent_folder(box.folders()):
                box.append(sent, mail)

    def find(self, account: Account, key: str) -> Receipt | None:
        """Among what the Sent folder got of late. Names are compared here: not every server searches them well."""
        with self._open(account) as box:
            sent = _sent_folder(box.folders())
            if not sent:
                raise Unknown(texts.NO_SENT)
            box.examine(sent)
            uids = box.search(f"SINCE {on(datetime.now(UTC) - FIND_DAYS)}")[-FIND_MOST:]
            while uids:
                some, uids = uids[-FIND_AT_ONCE:], uids[:-FIND_AT_ONCE]
                for one in box.fetch(some, f"BODY.PEEK[HEADER.FIELDS (MESSAGE-ID {ids.HEADER.upper()})]"):
                    for name in (one.body or b"").decode(errors="replace").split():
                        ours = ids.recognised(account, name.strip("<>"))
                        if ours and ours.key == key:
                            return Receipt(ours.id)
        return None

    def _open(self, account: Account, *, within: float = SECONDS) -> AbstractContextManager[Imap]:
        server, access = imap_of(account), access_of(account)
        wire = server.dial(self.http, within=within, largest=MOST)
        return Imap.opened(wire, access, starts_tls=server.starts_tls)


def _folders(account: Account, sent: str) -> list[str]:
    return list(dict.fromkeys([INBOX, *map(encoded, _named(account)), *([sent] if sent else [])]))


def _named(account: Account) -> list[str]:
    lines = account.settings.get("folders")
    return [name for line in lines if (name := word(line))] if isinstance(lines, list) else []


def _sent_folder(there: Mapping[str, set[str]]) -> str:
    """The one the server marks as such, else one of a usual name."""
    marked = [name for name, attributes in there.items() if "\\sent" in attributes]
    by_name = {name.lower(): name for name in there}
    usual = [by_name[name.lower()] for name in SENT_NAMES if name.lower() in by_name]
    return next(iter([*marked, *usual]), "")


def _begin(box: Imap, before: Folder | None, validity: int, next_uid: int) -> Folder:
    """Where to read on from in a folder that is new, or whose numbers are: by the days, as these stay the same."""
    if before and before.arrived:
        uids = box.search(f"SINCE {on(datetime.fromisoformat(before.arrived) - timedelta(days=1))}")
        return Folder(validity, uids[0] - 1 if uids else max(next_uid - 1, 0), before.arrived)
    uids = box.search(f"SINCE {on(datetime.now(UTC) - FIRST_DAYS)}")[-FIRST_MAILS:]
    return Folder(validity, uids[0] - 1 if uids else max(next_uid - 1, 0))


def _within(since: datetime, until: datetime) -> str:
    """A day to spare on either side, as the server counts days in its own time zone."""
    first, last = on(since - timedelta(days=1)), on(until + timedelta(days=2))
    return f"OR (SINCE {first} BEFORE {last}) (SENTSINCE {first} SENTBEFORE {last})"


connector = MailBox
