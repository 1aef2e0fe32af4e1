"""Takes mails out of a folder, in batches that one transaction and one process can hold.

One that the server doesn't hand out, or breaks off at every time, costs itself and none of the others: after some tries
only its beginning is asked for, and after some more it is set aside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile

from tertulia.connectors.contract import Retry, Unread

from . import texts
from .imap import Fetched, Imap, No

AT_ONCE = 100
TOGETHER = 12 * 1024 * 1024
"""Bytes of a batch."""
LARGEST = 40 * 1024 * 1024
"""Of larger mails the beginning is read."""
BEGINNING = 512 * 1024
WHOLE_TRIES, TRIES = 3, 6
WHOLE, PART = "BODY.PEEK[]", f"BODY.PEEK[]<0.{BEGINNING}>"


@dataclass(frozen=True, slots=True)
class Mail:
    """`cut_from` the bytes it has in all, where only its beginning is here."""

    folder: str
    uid: int
    arrived: datetime | None
    content: bytes
    cut_from: int = 0


@dataclass(slots=True)
class Batch:
    """`last` the UID up to which all is dealt with, 0 when nothing is; `broke_off` when the server fell silent."""

    mails: list[Mail] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    dealt_with: set[int] = field(default_factory=set)
    last: int = 0
    broke_off: bool = False

    @property
    def arrived(self) -> datetime | None:
        return max((mail.arrived for mail in self.mails if mail.arrived), default=None)


def take(box: Imap, folder: str, uids: Sequence[int], *, tries: int = 0) -> Batch:
    """The first of these mails, as many as make a batch."""
    batch = Batch()
    facts = {one.uid: one for one in box.fetch(uids[:AT_ONCE], "RFC822.SIZE INTERNALDATE")}
    try:
        if tries >= TRIES:
            _set_aside(batch, folder, facts.get(uids[0], Fetched(uids[0])))
        else:
            for group, what in _groups(uids[:AT_ONCE], facts, is_hard=tries >= WHOLE_TRIES):
                _take_group(box, batch, folder, group, what, facts)
    except Retry:
        batch.broke_off = True
    for uid in takewhile(batch.dealt_with.__contains__, uids):
        batch.last = uid
    return batch


def _groups(uids: Sequence[int], facts: dict[int, Fetched], *, is_hard: bool) -> Iterator[tuple[list[int], str]]:
    group: list[int] = []
    total = 0
    for number, uid in enumerate(uids):
        size = facts[uid].size if uid in facts else 0
        is_cut = size > LARGEST or (is_hard and number == 0)
        if total + (BEGINNING if is_cut else size) > TOGETHER and total:
            break
        total += BEGINNING if is_cut else size
        if not is_cut:
            group.append(uid)
            continue
        if group:
            yield group, WHOLE
            group = []
        yield [uid], PART
    if group:
        yield group, WHOLE


def _take_group(
    box: Imap, batch: Batch, folder: str, group: list[int], what: str, facts: dict[int, Fetched]
) -> None:  # fmt: skip
    try:
        for got in box.fetch(group, what):
            known = facts.get(got.uid)
            if known is None or got.uid not in group:
                continue  # news of flags
            if got.body is None:
                _set_aside(batch, folder, known)
            else:
                cut_from = known.size if what == PART and known.size > len(got.body) else 0
                batch.mails.append(Mail(folder, got.uid, known.arrived, got.body, cut_from))
                batch.dealt_with.add(got.uid)
    except No as no:
        if no.passes:
            raise Retry(texts.MAIL_TROUBLE) from None
        if len(group) == 1:
            _set_aside(batch, folder, facts.get(group[0], Fetched(group[0])))
        for uid in group if len(group) > 1 else ():
            if uid not in batch.dealt_with:
                _take_group(box, batch, folder, [uid], what, facts)
    batch.dealt_with.update(group)


def _set_aside(batch: Batch, folder: str, mail: Fetched) -> None:
    arrived = mail.arrived.isoformat() if mail.arrived else ""
    raw = {"folder": folder, "uid": mail.uid, "size": mail.size, "arrived": arrived}
    batch.unread.append(Unread(raw, texts.NOT_GIVEN))
    batch.dealt_with.add(mail.uid)
