"""Makes a message of a mail: whose it is, which talk it belongs to, and whether anybody waits for an answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tertulia.connectors.contract import Account, Act, Author, Envelope, Outcome
from tertulia.core import sandbox

from . import ids, texts
from .fetching import Mail
from .imap import Imap, Literal, No, on
from .servers import address_of, is_address, word
from .writing import ANSWERED

READ = "tertulia.connectors.mail.reading:read"
LONGEST_DELAY = timedelta(days=7)
"""A mail is this late at most; one whose date says more has a wrong date."""
SAME_TALK = timedelta(days=60)
"""So far back an answer that names nothing is looked for under its subject."""
LOOKED_AT = 20
HEAD = 64 * 1024
_NAME = re.compile(rb"(?mi)^" + ids.HEADER.encode() + rb":[ \t]*([^\s]{1,200})")


@dataclass
class Sorter:
    """For the mails of one reading. With a `box` it may look for what came before, in the folder that is open there."""

    account: Account
    box: Imap | None = None
    _talks: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.address = address_of(self.account)
        self.domain = self.address.rpartition("@")[2].lower()
        self.own = {_bare(one) for one in (self.address, word(self.account.settings.get("user"))) if "@" in one}

    def envelope(self, mail: Mail, said: Mapping[str, Any], *, is_sent: bool) -> Envelope | None:
        """None for what we sent to nobody in particular."""
        ours = self._ours(mail, said) if is_sent else None
        author = Author(self.address, email=self.address) if is_sent else self._author(said)
        person = self._recipient(said) if is_sent else author.remote_id
        if is_sent and not person:
            return None
        bounce = said["bounce"] or {}
        returned = ids.recognised(self.account, bounce.get("message_id", "")) if bounce.get("permanent") else None
        return Envelope(
            remote_id=ours.id if ours else self._remote_id(said, is_sent),
            thread_id=ours.talk if ours else self._talk(mail, said, person),
            sent_at=_sent_at(said["date"], mail.arrived),
            author=author,
            person=Author(person, email=person) if is_sent else None,
            kind="email",
            verb="returned" if returned else "created",
            text=bounce["says"] if returned else _with_note(said["text"], mail),
            html="" if mail.cut_from or returned else said["html"],
            subject=said["subject"],
            in_reply_to=returned.id if returned else said["in_reply_to"][:255],
            is_ours=is_sent,
            key=ours.key if ours else "",
            attachments=_attachments(said, mail),
            raw={"folder": mail.folder, "automatic": said["automatic"], "size": mail.cut_from or len(mail.content)},
            quoted=said["quoted"],
            hints={} if is_sent else _hints(said),
            cannot={} if is_sent else _cannot(said, author),
            is_automatic=said["automatic"] == "reply" if is_sent else self._is_automatic(said, author),
            original=b"" if mail.cut_from else mail.content,
            to=said["to"],
        )

    # Who.

    def _ours(self, mail: Mail, said: Mapping[str, Any]) -> ids.Ours | None:
        named = _NAME.search(mail.content[:HEAD])
        return ids.first_of_ours(self.account, [named[1].decode(errors="replace") if named else "", said["message_id"]])

    def _author(self, said: Mapping[str, Any]) -> Author:
        """Its sender; of a mail from a form on one's own page, whoever filled it in."""
        who, reply_to = said["from"], said["reply_to"] or {}
        written, answered = who["address"], reply_to.get("address", "")
        if written.endswith(f"@{self.domain}") and answered and not answered.endswith(f"@{self.domain}"):
            who, written = reply_to, answered
        return Author(written[:255] or "?", name=who["name"], email=written if is_address(written) else "")

    def _recipient(self, said: Mapping[str, Any]) -> str:
        others: list[str] = [one for one in said["to"] if is_address(one) and _bare(one) not in self.own]
        return others[0] if others else ""

    def _is_automatic(self, said: Mapping[str, Any], author: Author) -> bool:
        """What one's own list or form passes on was written by people, whatever its headers say of machines."""
        by_own_list = said["list"].endswith(f"@{self.domain}")
        by_own_form = author.remote_id != said["from"]["address"]
        by_machine = said["automatic"] and not (said["automatic"] == "bulk" and (by_own_list or by_own_form))
        return bool(by_machine) or _bare(author.remote_id) in self.own

    def _remote_id(self, said: Mapping[str, Any], is_sent: bool) -> str:
        """Two mails of one name and different words are two; in our own Sent folder nobody else gives names."""
        id = said["message_id"] or said["fallback_id"]
        id = id if len(id) <= 200 else ids.talk_of(id)
        return id if is_sent else f"{id}#{said['body_hash'][:16]}"

    # Which talk.

    def _talk(self, mail: Mail, said: Mapping[str, Any], person: str) -> str:
        bounce = said["bounce"] or {}
        named = [bounce.get("message_id", ""), said["in_reply_to"], *reversed(said["references"])]
        if ours := ids.first_of_ours(self.account, named):
            return ours.talk
        if bounce.get("message_id") and bounce["recipient"]:
            return ids.talk_of(bounce["message_id"], bounce["recipient"].lower())
        if said["references"]:
            return ids.talk_of(said["references"][0], person)
        earlier = ""
        if said["in_reply_to"] or ANSWERED.match(said["subject"]):
            key = (said["in_reply_to"] or _plain(said["subject"]), person)
            if key not in self._talks:
                self._talks[key] = self._earlier(mail, said, person)
            earlier = self._talks[key]
        return earlier or ids.talk_of(said["in_reply_to"] or said["message_id"] or said["fallback_id"], person)

    def _earlier(self, mail: Mail, said: Mapping[str, Any], person: str) -> str:
        """The talk of what it answers, from the mailbox itself: by its name, else by person and subject."""
        if self.box is None:
            return ""
        try:
            if said["in_reply_to"]:
                found = self.box.search("HEADER MESSAGE-ID", Literal(said["in_reply_to"].encode(errors="replace")))
            else:
                since = on((mail.arrived or datetime.now(UTC)) - SAME_TALK)
                subject = Literal(_plain(said["subject"]).encode(errors="replace"))
                found = self.box.search(f"SINCE {since} FROM", Literal(person.encode()), "SUBJECT", subject)
            before = [uid for uid in found if uid < mail.uid][-LOOKED_AT:]
            heads = [one.body for one in self.box.fetch(before, "BODY.PEEK[HEADER]") if one.body]
        except (Outcome, No):
            return ""  # then it begins a talk of its own
        for head in reversed(sandbox.call_many(READ, heads)):
            if isinstance(head, dict) and (talk := self._certain_talk(head, said, person)):
                return talk
        return ""

    def _certain_talk(self, head: Mapping[str, Any], said: Mapping[str, Any], person: str) -> str:
        """Of an earlier mail, when that one says by itself where it belongs."""
        if not said["in_reply_to"] and _plain(head["subject"]) != _plain(said["subject"]):
            return ""
        if ours := ids.first_of_ours(self.account, [head["in_reply_to"], *reversed(head["references"])]):
            return ours.talk
        if not head["references"] and not head["in_reply_to"] and ANSWERED.match(head["subject"]):
            return ""
        root = (head["references"] or [head["in_reply_to"] or head["message_id"]])[0]
        return ids.talk_of(root, person) if root else ""


def _sent_at(said: str, arrived: datetime | None) -> datetime:
    """When it was written, where that is believable: never after it arrived, nor long before."""
    written = datetime.fromisoformat(said) if said else None
    if arrived is None:
        return written or datetime.now(UTC)
    return written if written and timedelta() <= arrived - written <= LONGEST_DELAY else arrived


def _with_note(text: str, mail: Mail) -> str:
    if not mail.cut_from:
        return text
    return f"{texts.CUT.format(size=round(mail.cut_from / 1_000_000))}\n\n{text}"


def _attachments(said: Mapping[str, Any], mail: Mail) -> Sequence[dict[str, Any]]:
    """Those of a mail that isn't here whole are named, and opened in the mailbox."""
    kept = ("name", "type", "size", "alt", "inline", "cid", "picture") + (() if mail.cut_from else ("part",))
    return [{name: each[name] for name in kept if each.get(name)} for each in said["attachments"]]


def _hints(said: Mapping[str, Any]) -> dict[str, str]:
    reply_to = (said["reply_to"] or {}).get("address", "") or said["from"]["address"]
    chain = [*said["references"], said["message_id"]]
    return {
        "reply_to": reply_to,
        "message_id": said["message_id"],
        "references": " ".join([chain[0], *chain[1:][-20:]]).strip(),
    }


def _cannot(said: Mapping[str, Any], author: Author) -> dict[Act, str]:
    if said["automatic"] == "bounce":
        return {"reply": "returned"}
    return {} if is_address(_hints(said)["reply_to"]) else {"reply": "nobody"}


def _plain(subject: str) -> str:
    """A subject without what answering put in front of it."""
    while found := ANSWERED.match(subject):
        subject = subject[found.end() :]
    return " ".join(subject.split())


def _bare(address: str) -> str:
    """An address without its plus."""
    name, _, domain = address.lower().rpartition("@")
    return f"{name.partition('+')[0]}@{domain}"
