"""The way out: queued → sending → sent, or refused, or unknown; or queued again for later.

That it is being sent is written down before the network is called, the outcome behind the fence of that claim. What
was *sending* when a worker died, or when the network fell silent, is never simply repeated: it is looked for there;
where nobody can look it is repeated with the same key while the network knows it; else a person decides. What three
looks didn't find is sent again only where the network shows all it has, or still knows the key. A look that could not
be made found nothing out. What was due since a backup that was put back never leaves again unasked: that it isn't
there may also mean that somebody changed, cancelled or deleted it meanwhile. What that has planned is looked for before
it leaves.

A post goes the same way as an answer, with more that keeps it: it leaves in its time or is missed, the late ones of an
account leave one by one, none leaves once its brand is stopped, its pictures go ahead of it, and a further part waits
until the one before has arrived.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext_noop as _

from tertulia.channels import abilities, tokens
from tertulia.channels import actions as channel_actions
from tertulia.channels import intake as facts
from tertulia.channels.models import LETTER, POSTING, Account, Delivery, Message, RemotePost
from tertulia.connectors import registry
from tertulia.connectors.contract import (
    Act,
    BadPayload,
    ByHand,
    Capabilities,
    Connector,
    Draft,
    Outcome,
    Publishes,
    Receipt,
    Reconnect,
    Refused,
    Retry,
    StillAtIt,
    Target,
    Unknown,
    Unsupported,
)
from tertulia.core import bulk, clock, due, jobs
from tertulia.core.crypto import UnreadableSecret
from tertulia.core.redact import describe, redact
from tertulia.inbox import actions
from tertulia.publishing import actions as publishing
from tertulia.publishing import approval, library, looking, rights, saying
from tertulia.publishing import mailing as letters
from tertulia.publishing.models import Letter
from tertulia.publishing.queries import CATCH_UP, LATE

from . import mailing, news
from .slow import Slow

log = logging.getLogger(__name__)

NAME = "outbound"
NEXT = (
    "SELECT min(due_at) FROM tertulia_channels_delivery WHERE state = 'queued'",
    "SELECT min(lease_until) FROM tertulia_channels_delivery WHERE state = 'sending'",
)
LEASE = timedelta(seconds=60)
TRIES = 12
"""After so many tries a person is told; they may send it on its way for as many again."""
LOOK_FOR = timedelta(minutes=10)
"""How long it is looked for where the network doesn't say how soon it shows what was sent: they show it late."""
LOOK_AT = (5, 30, 70)
"""Each look's wait, in hundredths of that time. The last two make up all of it: after a crash the first comes late."""
LOOK_AGAIN = timedelta(minutes=5)
"""The longest until the next look, when one could not be made and the network names no time."""
FRUITLESS_LOOKS = 16
"""A person is told when looking itself keeps failing: after about an hour."""
REPEAT_AFTER = timedelta(seconds=10)
AFTER_SILENCE = timedelta(seconds=5)
"""An account whose network fell silent is left alone for a moment."""
PAUSED_AGAIN = timedelta(seconds=30)
MISSED_AFTER = timedelta(seconds=1)
"""From when on it is too late: at the last moment itself it may still leave."""
SAME_THREAD_AGAIN = timedelta(seconds=1)
HANGING_AGAIN = timedelta(seconds=5)
"""Until an answer on a network that hangs asks again for one of the few threads those have."""
TOLD_AFTER = timedelta(seconds=0.1)
"""So that in a rush a telling gathers what ends meanwhile: one for many costs little more than one for one."""
TOLD_AT_ONCE = 20
"""Batches of outcomes told in one transaction: on SQLite everybody who writes waits for it."""
AT_ONCE = 2
"""Deliveries of one account under way at the same time, in one process: a network that hangs holds up two threads."""

SEND = (
    "state = 'sending', fence = fence + 1, attempts = attempts + 1, looks = 0, absences = 0,"
    " in_doubt_since = COALESCE(in_doubt_since, %s), lease_until = %s"
)
LOOK = "fence = fence + 1, looks = looks + 1, lease_until = %s"
MAY_LEAVE = (
    "(late_at IS NULL OR late_at >= %s OR in_doubt_since IS NOT NULL) AND ("
    "SELECT account.state FROM tertulia_channels_account account"
    " WHERE account.id = tertulia_channels_delivery.account_id) = 'active' AND NOT EXISTS ("
    "SELECT 1 FROM publishing_stop stop JOIN tertulia_channels_account held ON held.brand_id = stop.brand_id"
    " WHERE held.id = tertulia_channels_delivery.account_id AND (tertulia_channels_delivery.act IN"
    " ('post', 'part', 'comment', 'letter') OR (stop.holds_answers AND tertulia_channels_delivery.act = 'reply')))"
)
"""In time, its brand not stopped and its channel not paused, as the very statement that claims it finds. What may be
out there already is no longer late: to repeat it is to find out."""

UPLOADS_LIVE = timedelta(hours=1)
"""A picture that was handed in longer ago is handed in again: networks throw away what nobody publishes."""

STOPPED = _("Background work was interrupted while this was being sent.")
RESTORED = _("A backup was restored. It may have been done since that was made.")
UNREADABLE = _("The channel's stored credentials can't be read. Enter them again.")
NO_CONNECTOR = _("The connector of this channel isn't installed.")
NO_PLACE = _("It isn't known what the network calls the part above it. Publish it there by hand, or cancel it.")
NO_NAME = _("It isn't known what the network calls it. Delete it there by hand, and tick it off here.")
UNAPPROVED = _("It came under a rule of approval after it was scheduled. Ask for approval, then send it again.")
LOST_PICTURE = _("A picture or film of it is no longer in the data folder.")


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery in the hands of this worker: to send, or (`is_look`) to find out what became of it."""

    id: int
    fence: int
    account_id: int
    is_look: bool
    at: datetime

    @property
    def group(self) -> int:
        return self.account_id


@dataclass(frozen=True, slots=True)
class Absent:
    """The network was asked and certainly doesn't have it."""


@dataclass(frozen=True, slots=True)
class Held:
    """Its brand was stopped after it was claimed, or a picture of a letter may not be shown any more: the network was
    not called."""


@dataclass(frozen=True, slots=True)
class Result:
    claim: Claim
    ended: Receipt | Outcome | Absent | Held
    delivery: Delivery | None = None
    """As it was when the network was called; only the fence decides whether it still counts."""


slow = Slow()


# ── claiming ───────────────────────────────────────────────────────────────


def claim(*, at: datetime, limit: int, busy: Mapping[int, int] = jobs.NOBODY) -> list[Claim]:
    """Write down that these are being sent now, the intent before the deed; and those whose sender died.

    `busy` says how many of each account this process sends already.
    """
    candidates, is_look_due = _candidates(at=at, limit=limit, busy=busy, most=AT_ONCE)
    if not (candidates or is_look_due):
        return []
    with transaction.atomic():
        looks = _claim_looks(at=at, limit=limit) if is_look_due else []
        chosen = _choose(candidates, at=at, limit=limit - len(looks), busy=busy, most=AT_ONCE)
        sends = _claim_sends(chosen, at=at)
    return looks + sends


def hold(*, at: datetime, limit: int) -> list[due.Ticket]:
    """As `claim`, for another process to begin: what is queued comes due again at the end of a lease."""
    candidates, is_look_due = _candidates(at=at, limit=limit, busy=jobs.NOBODY, most=limit)
    if not (candidates or is_look_due):
        return []
    with transaction.atomic():
        chosen = _choose(candidates, at=at, limit=limit, busy=jobs.NOBODY, most=limit)
        looks = _change_due("sending", "lease_until", "fence = fence + 1, lease_until = %s", at=at, limit=limit)
        sends = _change_chosen(chosen, "fence = fence + 1, due_at = %s", [at + LEASE], at=at)
    return [(id, fence) for id, fence, _ in [*looks, *sends]]


def take(ticket: due.Ticket, *, at: datetime) -> Claim | None:
    """Begin what was handed over; None when the ticket was used already, or the answer was taken back."""
    for state, assignments, params in (("queued", SEND, [at, at + LEASE]), ("sending", LOOK, [at + LEASE])):
        is_first = state == "queued"
        found = due.change(
            "tertulia_channels_delivery",
            assignments,
            where=f"id = %s AND fence = %s AND state = '{state}'" + (f" AND {MAY_LEAVE}" if is_first else ""),
            params=[*params, *ticket, *([at] if is_first else [])],
            returning="id, fence, account_id",
        )
        if found:
            return _claims(found, is_look=state == "sending", at=at)[0]
    return None


def renew(tickets: Iterable[due.Ticket], *, at: datetime) -> None:
    if given := list(tickets):
        mine, whose = due.tickets(given)
        sending = due.one_of(f"SELECT id FROM tertulia_channels_delivery WHERE state = 'sending' AND {mine}")  # noqa: S608
        due.change("tertulia_channels_delivery", "lease_until = %s", where=sending, params=[at + LEASE, *whose])


def free_lost(*, at: datetime) -> int:
    """What a dead worker was sending is not put back; `claim` takes it in order to look."""
    return 0


@dataclass(frozen=True, slots=True)
class _Candidate:
    id: int
    account_id: int
    kind: str
    state: str
    next_send_at: datetime | None
    next_late_at: datetime | None
    act: str
    fence: int
    planned_at: datetime | None
    late_at: datetime | None
    in_doubt_since: datetime | None
    is_behind: bool
    """Its thread has an earlier answer still on its way: answers arrive in the order they were written."""
    holds_answers: bool | None
    """Of the stop of its brand; None while nobody has stopped it."""

    @property
    def is_stopped(self) -> bool:
        if self.holds_answers is None:
            return False
        return self.act in POSTING or self.act == LETTER or (self.act == "reply" and self.holds_answers)

    def is_missed(self, at: datetime) -> bool:
        return self.late_at is not None and self.late_at < at and self.in_doubt_since is None

    def is_late(self, at: datetime) -> bool:
        """A post that nobody has begun to send: what a dead worker had, or the network put off, goes on."""
        return self.planned_at is not None and self.planned_at + LATE < at and self.fence == 0

    def until(self, at: datetime) -> datetime:
        """To when it is put off that can't leave before `at`: its being missed is told as soon as it is."""
        return min(at, self.late_at + MISSED_AFTER) if self.late_at else at


def _choose(
    candidates: Sequence[_Candidate], *, at: datetime, limit: int, busy: Mapping[int, int], most: int
) -> list[int]:
    """Which of the due deliveries may leave now; those that may not are put off, so that they hold up nobody, and those
    whose time is over are missed."""
    slots: dict[int, datetime] = {}
    late_slots: dict[int, datetime] = {}
    left = {each.account_id: most - busy.get(each.account_id, 0) for each in candidates}
    hanging, room = slow.accounts(), slow.room(busy)
    chosen: list[int] = []
    missed: list[int] = []
    put_off: dict[int, datetime] = {}
    for each in candidates:
        can = abilities.capabilities(each.kind)
        gap = timedelta(seconds=can.send_gap)
        free_at = slots.get(each.account_id) or each.next_send_at
        is_late = each.is_late(at) and not can.by_hand  # a person sees to it that there is no burst
        next_late = (late_slots.get(each.account_id) or each.next_late_at) if is_late else None
        if each.is_stopped:
            put_off[each.id] = at + PAUSED_AGAIN
        elif each.is_missed(at):
            missed.append(each.id)
        elif each.state != Account.State.ACTIVE:
            put_off[each.id] = at + PAUSED_AGAIN
        elif each.is_behind:
            put_off[each.id] = at + SAME_THREAD_AGAIN
        elif next_late and next_late > at:
            put_off[each.id] = each.until(next_late)
        elif free_at and free_at > at:
            put_off[each.id] = free_at
            slots[each.account_id] = free_at + gap
        elif each.account_id in hanging and room <= 0:
            put_off[each.id] = at + HANGING_AGAIN
        elif len(chosen) < limit and left[each.account_id] > 0:
            if gap and not _reserve(each.account_id, "next_send_at", at=at, gap=gap):
                continue
            if is_late and not _reserve(each.account_id, "next_late_at", at=at, gap=CATCH_UP):
                continue
            chosen.append(each.id)
            left[each.account_id] -= 1
            room -= each.account_id in hanging
            if gap:
                slots[each.account_id] = at + gap
            if is_late:
                late_slots[each.account_id] = at + CATCH_UP
    _put_off(put_off)
    _miss(missed, at=at)
    return chosen


_CANDIDATES = """
SELECT look.is_due, candidate.* FROM (
    SELECT EXISTS (
        SELECT 1 FROM tertulia_channels_delivery WHERE state = 'sending' AND lease_until <= %s
    ) AS is_due
) look LEFT JOIN (
    SELECT mine.id, mine.account_id, account.kind, account.state, account.next_send_at, account.next_late_at, mine.act,
        mine.fence, mine.planned_at, mine.late_at, mine.in_doubt_since,
        EXISTS (
            SELECT 1 FROM tertulia_channels_delivery earlier WHERE earlier.account_id = mine.account_id
            AND earlier.thread_id = mine.thread_id AND earlier.id < mine.id AND earlier.state IN ('queued', 'sending')
        ) AS is_behind,
        stop.holds_answers, mine.due_at
    FROM tertulia_channels_delivery mine JOIN tertulia_channels_account account ON account.id = mine.account_id
    LEFT JOIN publishing_stop stop ON stop.brand_id = account.brand_id
    WHERE mine.state = 'queued' AND mine.due_at <= %s AND {} ORDER BY mine.due_at, mine.id LIMIT %s
) candidate ON 1 = 1 ORDER BY candidate.due_at, candidate.id
"""
"""Asked before each claim, mostly of a few rows: the ORM takes longer to ask it than databases to answer."""


def _candidates(*, at: datetime, limit: int, busy: Mapping[int, int], most: int) -> tuple[list[_Candidate], bool]:
    """What is due to be sent, and whether anything is due to be looked for. Asked outside of the transaction that
    claims, which asks again whatever may have changed: whoever only looks holds up nobody who writes."""
    read = due.read_moment
    others, full = due.outside("mine.account_id", [account_id for account_id, count in busy.items() if count >= most])
    found = due.rows(_CANDIDATES.format(others), [at, at, *full, max(limit, 0) * 2])
    candidates = [
        _Candidate(
            id, account, kind, state, read(send), read(late), act, fence, read(planned), read(end), read(doubt), *rest
        )
        for _, id, account, kind, state, send, late, act, fence, planned, end, doubt, *rest, _ in found
        if id is not None
    ]
    return candidates, bool(found[0][0])


def _miss(missed: Sequence[int], *, at: datetime) -> None:
    """Their time is over: people are asked, nothing is made up for."""
    if missed:
        among, ids = due.among("id", missed)
        ended = due.change(
            "tertulia_channels_delivery",
            "state = 'missed', finished_at = %s",
            where=f"{among} AND state = 'queued' AND in_doubt_since IS NULL AND late_at < %s",
            params=[at, *ids, at],
        )
        _tell_later([id for (id,) in ended])


def _memory(delivery: Delivery) -> Capabilities | Publishes:
    return abilities.memory(delivery.account.kind, delivery.act)


def _reserve(account_id: int, slot: str, *, at: datetime, gap: timedelta) -> bool:
    """Take the account's next slot, unless another worker has just done so."""
    free = Q(**{f"{slot}__isnull": True}) | Q(**{f"{slot}__lte": at})
    return bool(Account.objects.filter(free, pk=account_id).update(**{slot: at + gap}))


def _put_off(put_off: dict[int, datetime]) -> None:
    later: dict[datetime, list[int]] = {}
    for id, moment in put_off.items():
        later.setdefault(moment, []).append(id)
    for moment, ids in later.items():
        Delivery.objects.filter(pk__in=ids, state=Delivery.State.QUEUED).update(due_at=moment)


def _claim_sends(chosen: Sequence[int], *, at: datetime) -> list[Claim]:
    return _claims(_change_chosen(chosen, SEND, [at, at + LEASE], at=at), is_look=False, at=at)


def _claim_looks(*, at: datetime, limit: int) -> list[Claim]:
    return _claims(_change_due("sending", "lease_until", LOOK, at=at, limit=limit), is_look=True, at=at)


def _claims(found: Iterable[tuple[Any, ...]], *, is_look: bool, at: datetime) -> list[Claim]:
    return [Claim(id, fence, account_id, is_look, at) for id, fence, account_id in found]


def _change_chosen(
    chosen: Sequence[int], assignments: str, values: Sequence[datetime], *, at: datetime
) -> list[tuple[Any, ...]]:
    if not chosen:
        return []
    among, ids = due.among("id", chosen)
    # The ids alone lead to the rows: without figures of the table PostgreSQL would walk all that an account has queued.
    return sorted(
        due.change(
            "tertulia_channels_delivery",
            assignments,
            where=due.one_of(
                f"SELECT id FROM tertulia_channels_delivery WHERE {among}"  # noqa: S608 — no value stands in it
                f" AND (state = 'queued') IS TRUE AND (due_at <= %s) IS TRUE AND {MAY_LEAVE}"
            ),
            params=[*values, *ids, at, at],
            returning="id, fence, account_id",
        )
    )


def _change_due(state: str, moment: str, assignments: str, *, at: datetime, limit: int) -> list[tuple[Any, ...]]:
    return sorted(
        due.change(
            "tertulia_channels_delivery",
            assignments,
            where=due.one_of(
                f"SELECT id FROM tertulia_channels_delivery WHERE state = '{state}'"  # noqa: S608
                f" AND {moment} <= %s ORDER BY {moment} LIMIT %s"
            ),
            params=[at + LEASE, at, limit],
            returning="id, fence, account_id",
        )
    )


# ── sending ────────────────────────────────────────────────────────────────


def run(claimed: Claim) -> Result:
    """Send, or look; the network is called here, outside of any transaction. Raises nothing."""
    delivery = None
    try:
        delivery = _read(claimed.id)
        with slow.timed(claimed.account_id):
            ended = _call(claimed, delivery)
    except registry.UnknownConnector:
        ended = Refused(NO_CONNECTOR)
    except UnreadableSecret:
        ended = Reconnect(UNREADABLE)
    except (DatabaseError, Delivery.DoesNotExist) as error:
        ended = Retry(describe(error))
    return Result(claimed, ended, delivery)


def _read(id: int) -> Delivery:
    """With all that it takes to send it, row by row: one statement of six tables takes the ORM twice as long. Raises
    `Delivery.DoesNotExist`, also when any of it is deleted meanwhile."""
    delivery = _one(Delivery, id)
    if delivery is None:
        raise Delivery.DoesNotExist
    account, post = _one(Account, delivery.account_id), _one(RemotePost, delivery.post_id)
    message, on = (_one(Message, each, without=("raw",)) for each in (delivery.message_id, delivery.on_id))
    there = (account, post, message, on)
    ids = (delivery.account_id, delivery.post_id, delivery.message_id, delivery.on_id)
    if any(id and not row for id, row in zip(ids, there, strict=True)):
        raise Delivery.DoesNotExist
    if post:
        bulk.relate(post, above=_one(RemotePost, post.above_id))
    bulk.relate(delivery, account=account, message=message, on=on, post=post)
    return delivery


def _one(model: type[bulk.Row], id: int | None, *, without: Sequence[str] = ()) -> bulk.Row | None:
    return next(iter(bulk.find(model, "id", [id] if id else (), without=without)), None)


def _call(claimed: Claim, delivery: Delivery) -> Receipt | Outcome | Absent | Held:
    account, memory = delivery.account, _memory(delivery)
    connector = account.connector
    if claimed.is_look:
        if not memory.finds or not _can_be_found(delivery):
            return Unknown(delivery.why or STOPPED)
        return _outcome_of(lambda: tokens.use(account, lambda: _find(delivery, connector)) or Absent())
    if _can_be_found(delivery) and not _is_key_known(delivery, memory, at=claimed.at):
        return Unknown(delivery.why or STOPPED)
    if _may_be_out(delivery):
        if not memory.finds:
            return Unknown(RESTORED)
        there = _outcome_of(lambda: tokens.use(account, lambda: _find(delivery, connector)) or Absent())
        if isinstance(there, Receipt | Retry | Reconnect):
            return there
        if isinstance(there, Outcome):
            return Unknown(there.why)
    return _outcome_of(lambda: tokens.use(account, lambda: _send(delivery, connector, at=claimed.at)))


def _may_be_out(delivery: Delivery) -> bool:
    """Whether it may have left since the backup was made that brought it back."""
    if not delivery.restored_at or delivery.act == LETTER or not _can_be_found(delivery):
        return False
    return abilities.once_restored(delivery.account.kind, delivery.act) != "leaves"


def _can_be_found(delivery: Delivery) -> bool:
    return delivery.act in {"reply", LETTER} or delivery.act in POSTING


def _find(delivery: Delivery, connector: Connector) -> Receipt | None:
    account, key = delivery.account, delivery.key
    if delivery.post is None or delivery.act == LETTER:
        return connector.find(account, key)
    return connector.find_post(account, _draft(delivery.post), key)


def _send(delivery: Delivery, connector: Connector, *, at: datetime) -> Receipt | Held:
    account, to = delivery.account, target_of(delivery)
    if delivery.act == "reply":
        return connector.reply(account, to, delivery.subject.text, delivery.key)
    if delivery.act in POSTING and delivery.post:
        return _publish(delivery, delivery.post, connector, at=at)
    if delivery.act == LETTER:
        letter = mailing.letter_of(delivery, _content_of(delivery))
        is_held = _is_held(delivery) or (letter.pictures and delivery.post and rights.against(delivery.post, at=at))
        return Held() if is_held else connector.letter(account, letter, delivery.key)
    if delivery.post and not to.remote_id and not connector.capabilities.by_hand:
        raise Refused(NO_NAME)
    act = cast(Act, delivery.act)
    return connector.act(account, act, to, delivery.key, undo=delivery.is_undo, because=delivery.because)


def _publish(delivery: Delivery, post: RemotePost, connector: Connector, *, at: datetime) -> Receipt | Held:
    """What can be done again first, picture by picture; then the one call that can't be taken back, unless somebody has
    said stop meanwhile."""
    if post.above and not post.above.remote_id and not connector.capabilities.by_hand:
        raise Refused(NO_PLACE)
    _check_rights(post, at=at)
    if delivery.act == "post" and approval.holds(post, delivery.account.brand_id):
        raise Refused(UNAPPROVED)
    if letters.is_list(delivery.account):
        mailing.check(delivery.account)
    pictures = connector.pictures_taken(delivery.account)
    if pictures and pictures.uploads:
        if post.draft.get("pictures") and _is_held(delivery):
            return Held()
        _upload(delivery, post, connector)
    content = _content_of(delivery) if pictures and not pictures.uploads else None
    if connector.capabilities.by_hand or connector.capabilities.hosted:  # nothing travels: that it is there will do
        content = _kept_of(delivery)
    draft = _draft(post, content=content)
    if connector.capabilities.publishes and connector.capabilities.publishes.cards and not draft.pictures:
        draft = replace(draft, card=looking.card_of(draft.text, delivery.account.brand_id))
    return Held() if _is_held(delivery) else connector.publish(delivery.account, draft, delivery.key)


def _check_rights(post: RemotePost, *, at: datetime) -> None:
    """They may have been shortened since it was scheduled, or it is late."""
    with translation.override("en"):  # as every outcome is stored
        if found := rights.against(post, at=at):
            raise Refused(found[0])


def _is_held(delivery: Delivery) -> bool:
    return bool(due.rows("SELECT 1 FROM publishing_stop WHERE brand_id = %s", [delivery.account.brand_id]))


def _upload(delivery: Delivery, post: RemotePost, connector: Connector) -> None:
    account, content = delivery.account, _content_of(delivery)
    connector.check_fit(account, _draft(post))
    since = clock.now() - UPLOADS_LIVE
    fresh = {digest: one for digest, one in post.uploads.items() if datetime.fromisoformat(one["at"]) > since}
    for said, picture in zip(post.draft.get("pictures", []), _draft(post, content=content).pictures, strict=True):
        if (one := fresh.get(said["digest"])) and not one.get("waits"):
            continue
        still: StillAtIt | None = None
        try:
            id = connector.attach(account, picture, f"{delivery.key}-{said['digest'][:8]}")
        except StillAtIt as later:
            id, still = later.id, later
        except Unknown as silence:  # nobody sees what was handed in: it is handed in again
            raise Retry(silence.why) from None
        fresh[said["digest"]] = {"id": id, "at": clock.now().isoformat(), **({"waits": True} if still else {})}
        RemotePost.objects.filter(pk=post.pk).update(uploads=fresh)
        if still:
            raise still
    post.uploads = fresh


def _draft(post: RemotePost, *, content: Callable[[Mapping[str, Any]], bytes] | None = None) -> Draft:
    above = Target(**post.above.target) if post.above else None
    ids = {digest: one["id"] for digest, one in post.uploads.items()}
    return saying.draft_of(post.draft, above=above, ids=ids, content=content or (lambda picture: b""))


def _content_of(delivery: Delivery) -> Callable[[Mapping[str, Any]], bytes]:
    def read(picture: Mapping[str, Any]) -> bytes:
        try:
            return library.to_send(delivery.account.brand_id, picture)
        except FileNotFoundError:
            raise Refused(LOST_PICTURE) from None
        except BadPayload as bad:
            raise Refused(bad.why) from None

    return read


def _kept_of(delivery: Delivery) -> Callable[[Mapping[str, Any]], bytes]:
    def look(picture: Mapping[str, Any]) -> bytes:
        if not library.is_kept(delivery.account.brand_id, picture["digest"]):
            raise Refused(LOST_PICTURE)
        return b""

    return look


def target_of(delivery: Delivery) -> Target:
    """What the connector is told of the message it answers or acts on."""
    return Target(**{"thread_id": delivery.thread_id, **delivery.to})


def _outcome_of(call: Callable[[], Receipt | Absent | Held]) -> Receipt | Outcome | Absent | Held:
    try:
        return call()
    except Outcome as outcome:
        return outcome
    except Exception as error:  # noqa: BLE001 — a mistake after it may have been sent: nobody knows
        log.error("A connector failed: %s", describe(error))
        return Unknown(describe(error))


# ── writing down ───────────────────────────────────────────────────────────


def settle(results: Sequence[Result], *, at: datetime, tell: Callable[[list[int]], None] | None = None) -> int:
    """Write the outcomes down; returns how many came too late, their delivery being in other hands.

    The inbox is told afterwards, by a job written in the same transaction: what follows from an outcome takes longer
    than the outcome itself, and must neither delay the next nor be lost.
    """
    with transaction.atomic():
        in_order = sorted(results, key=lambda result: result.claim.id)
        settled = _settle_sent([each for each in in_order if _has_arrived(each)], at=at)
        settled += [row for each in in_order if not _has_arrived(each) and (row := _settle(each, at=at))]
        finished = [delivery.pk for delivery in settled if _ended_at(delivery)]
        if finished:
            (tell or _tell_later)(finished)
    _tell_accounts(results, at=at)
    return len(results) - len(settled)


def _tell_later(finished: list[int]) -> None:
    jobs.enqueue(tell_inbox, due_at=clock.now() + TOLD_AFTER, delivery_ids=finished)


@jobs.task("outbound.tell_inbox", at_once=1)
def tell_inbox(*, delivery_ids: list[int]) -> None:
    """Let conversations know how deliveries ended, and along with these all that wait for it; those that know already
    are left out."""
    try:
        with transaction.atomic():
            others = jobs.take_along(tell_inbox, at=clock.now(), limit=TOLD_AT_ONCE)
            _tell_inbox([*delivery_ids, *(id for each in others for id in each["delivery_ids"])])
    except DatabaseError:
        raise  # passes by itself
    except Exception as error:  # noqa: BLE001 — whatever it is, it is raised again for the one it belongs to
        log.error("Outcomes can't be told together: %s", describe(error))
        for id in delivery_ids:  # one that can't be told must not keep the others
            _tell_inbox([id])


def _tell_inbox(delivery_ids: Collection[int]) -> None:
    at_once: dict[datetime, list[Delivery]] = {}
    for delivery in bulk.find(Delivery, "id", set(delivery_ids), without=("to", "task")):
        if at := _ended_at(delivery):
            at_once.setdefault(at, []).append(delivery)
    for at, deliveries in at_once.items():
        if answers := [each for each in deliveries if each.post_id is None]:
            actions.record_outcomes(deliveries=answers, at=at, only_news=True)
        if carried := [each for each in deliveries if each.act == LETTER]:
            letters.record_outcomes(deliveries=carried, at=at)
        if posts := [each for each in deliveries if each.post_id is not None and each.act != LETTER]:
            publishing.record_outcomes(deliveries=posts, at=at)


def _ended_at(delivery: Delivery) -> datetime | None:
    """When it was out of our hands: it ended, or a person has to do it."""
    return delivery.due_at if delivery.state == Delivery.State.BY_HAND else delivery.finished_at


def _has_arrived(result: Result) -> bool:
    """An answer's receipt, or that of a post; other acts have consequences of their own."""
    row = result.delivery
    if row is None or not isinstance(result.ended, Receipt):
        return False
    return row.message_id is not None or (row.post is not None and row.act in POSTING)


def _settle_sent(results: Sequence[Result], *, at: datetime) -> list[Delivery]:
    """As `_settle`, for all answers and posts that arrived, in a few statements."""
    if not results:
        return []
    final = _final(Delivery.State.SENT, "", at=at)
    _lock_in_order([each.claim.id for each in results])
    held, whose = due.tickets((each.claim.id, each.claim.fence) for each in results)
    written = due.change(
        "tertulia_channels_delivery",
        "state = 'sent', finished_at = %s, lease_until = NULL, why = ''",
        where=f"state = 'sending' AND {held}",
        params=[at, *whose],
    )
    mine = {id for (id,) in written}
    deliveries = []
    receipts: list[tuple[Message, Receipt]] = []
    posts: list[tuple[Delivery, RemotePost, Receipt]] = []
    for result in results:
        if result.claim.id not in mine or result.delivery is None:
            continue
        for name, value in final.items():
            setattr(result.delivery, name, value)
        deliveries.append(result.delivery)
        if not isinstance(result.ended, Receipt):
            continue
        if result.delivery.message:
            receipts.append((result.delivery.message, result.ended))
        elif result.delivery.post:
            posts.append((result.delivery, result.delivery.post, result.ended))
    _note_receipts(receipts, at=at)
    _note_posts(posts, at=at)
    return deliveries


def _lock_in_order(ids: Sequence[int]) -> None:
    """PostgreSQL: whoever deletes or changes a post locks its deliveries in this order too, so that neither waits for
    the other. SQLite has one writer."""
    if connection.vendor == "postgresql" and len(ids) > 1:
        among, params = due.among("id", ids)
        due.rows(f"SELECT id FROM tertulia_channels_delivery WHERE {among} ORDER BY id FOR UPDATE", params)  # noqa: S608


def _settle(result: Result, *, at: datetime) -> Delivery | None:
    mine = Delivery.objects.filter(pk=result.claim.id, fence=result.claim.fence, state=Delivery.State.SENDING)
    delivery = result.delivery or mine.select_related("account", "message").defer("account__secrets").first()
    if delivery is None:
        return None
    changes = _next_state(delivery, result, at=at)
    if not mine.update(**changes):
        return None
    for name, value in changes.items():
        setattr(delivery, name, value)
    if isinstance(result.ended, Receipt):
        if delivery.message:
            _note_receipt(delivery.message, result.ended, at=at)
        elif delivery.post:
            _note_other(delivery, delivery.post, result.ended, at=at)
        else:
            facts.note_act(delivery, result.ended, at=at)
    return delivery


def _note_other(delivery: Delivery, post: RemotePost, receipt: Receipt, *, at: datetime) -> None:
    """That a post is gone, or a letter out."""
    if delivery.act == LETTER:
        Letter.objects.filter(delivery=delivery).update(remote_id=receipt.remote_id, released_at=at)
    elif delivery.act == "delete":
        RemotePost.objects.filter(pk=post.pk).update(deleted_at=at)


def _note_posts(arrived: Sequence[tuple[Delivery, RemotePost, Receipt]], *, at: datetime) -> None:
    """What the network calls these posts; what waited for them may leave."""
    if not arrived:
        return
    names = {(account, name): id for account, name, id in due.rows(*_known_posts(arrived))}
    for delivery, post, receipt in arrived:
        whose = names.setdefault((delivery.account_id, receipt.remote_id), post.pk)
        post.remote_id = receipt.remote_id if whose == post.pk else ""  # the network took two of ours for one
        post.url = (receipt.url or news.address_of(delivery))[:500]
        post.hints, post.published_at = dict(receipt.hints), receipt.at or at
    bulk.update([post for _, post, _ in arrived], ("remote_id", "url", "hints", "published_at"))
    publishing.release(deliveries=[delivery for delivery, _, _ in arrived], at=at)
    for delivery, _post, _receipt in arrived:
        mailing.begin(delivery)


def _known_posts(arrived: Sequence[tuple[Delivery, RemotePost, Receipt]]) -> tuple[str, list[Any]]:
    """Asks who has these names already; the last condition is that of the index, which a param can't show to hold."""
    theirs, accounts = due.among("account_id", sorted({delivery.account_id for delivery, _, _ in arrived}))
    called, names = due.among("remote_id", sorted({receipt.remote_id for _, _, receipt in arrived}), of="text")
    among = f"{theirs} AND {called} AND NOT (remote_id = '')"
    return (
        f"SELECT account_id, remote_id, id FROM tertulia_channels_remotepost WHERE {among}",  # noqa: S608
        [*accounts, *names],
    )


def _next_state(delivery: Delivery, result: Result, *, at: datetime) -> dict[str, Any]:
    """A refusal, or too many tries, ends only what is certain: of an earlier try something may have come."""
    changes = _after_try(delivery, result, at=at)
    if changes.get("state") == Delivery.State.REFUSED and changes.get("in_doubt_since", delivery.in_doubt_since):
        changes["state"] = Delivery.State.UNKNOWN
    return changes


def _after_try(delivery: Delivery, result: Result, *, at: datetime) -> dict[str, Any]:
    ended = result.ended
    if isinstance(ended, Receipt):
        return _final(Delivery.State.SENT, "", at=at)
    if isinstance(ended, Absent):
        return _after_absence(delivery, at=at)
    if isinstance(ended, ByHand):
        text = ended.text or (delivery.post.draft["text"] if delivery.post else delivery.subject.text)
        task = {"text": text, "url": ended.url}
        return {"state": Delivery.State.BY_HAND, "lease_until": None, "why": _short(ended.why), "task": task}
    if isinstance(ended, Held):
        return _waits(delivery, "", at=at) | _without_doubt(delivery, result.claim)
    if result.claim.is_look:  # whatever looking came to, it says nothing about the sending
        return _after_silence(delivery, ended, at=at)
    if isinstance(ended, Retry):
        due_at = at + max(ended.after or timedelta(), _backoff(delivery))
        return _again(delivery, ended.why, at=at, due_at=due_at) | _without_doubt(delivery, result.claim)
    if isinstance(ended, Reconnect):  # it waits with its account until somebody has connected that again
        return _waits(delivery, ended.why, at=at) | _without_doubt(delivery, result.claim)
    if isinstance(ended, Refused | Unsupported):
        return _final(Delivery.State.REFUSED, ended.why, at=at) | _without_doubt(delivery, result.claim)
    return _after_silence(delivery, ended, at=at)


def _waits(delivery: Delivery, why: str, *, at: datetime) -> dict[str, Any]:
    """As if it had not been tried."""
    waits = {"state": Delivery.State.QUEUED, "attempts": max(delivery.attempts - 1, 0), "lease_until": None}
    return waits | {"due_at": at + PAUSED_AGAIN, "why": _short(why)}


def _without_doubt(delivery: Delivery, claimed: Claim) -> dict[str, Any]:
    """Certainly nothing came of this try; of an earlier one something may have."""
    return {"in_doubt_since": None} if delivery.in_doubt_since == claimed.at else {}


def _after_absence(delivery: Delivery, *, at: datetime) -> dict[str, Any]:
    """Not there yet, or never sent: only a network that shows all it has lets a machine tell the two apart."""
    memory = _memory(delivery)
    delivery.absences += 1
    if delivery.absences < len(LOOK_AT):
        return _look_later(delivery, delivery.why, at=at)
    if _is_of_a_backup(delivery):
        return _final(Delivery.State.UNKNOWN, delivery.why or STOPPED, at=at)
    if memory.shows_own_within is not None:
        return _again(delivery, delivery.why, at=at, due_at=at) | {"in_doubt_since": None}
    if memory.repeats_safely and _is_key_known(delivery, memory, at=at):
        return _again(delivery, delivery.why, at=at, due_at=at)
    return _final(Delivery.State.UNKNOWN, delivery.why or STOPPED, at=at)


def _after_silence(delivery: Delivery, ended: Outcome, *, at: datetime) -> dict[str, Any]:
    """The sending ended in silence, or a look could not be made."""
    memory, why = _memory(delivery), ended.why
    if not _can_be_found(delivery):
        return _repeat_act(delivery, why, abilities.capabilities(delivery.account.kind), at=at)
    if memory.finds and delivery.looks < FRUITLESS_LOOKS:
        return _look_later(delivery, why, at=at, after=ended.after if isinstance(ended, Retry) else None)
    due_at = at + max(REPEAT_AFTER, _backoff(delivery))
    can_repeat = memory.repeats_safely and not memory.finds and delivery.attempts % TRIES
    if (
        delivery.restored_at and not abilities.capabilities(delivery.account.kind).hosted
    ):  # our own page was restored, too
        can_repeat = False
    if can_repeat and _is_key_known(delivery, memory, at=due_at):
        return _again(delivery, why, at=at, due_at=due_at)
    return _final(Delivery.State.UNKNOWN, why, at=at)


def _is_of_a_backup(delivery: Delivery) -> bool:
    """Whether it may have left since the backup was made that it was restored from, and nobody has decided yet."""
    since, restored_at = delivery.in_doubt_since, delivery.restored_at
    return since is not None and restored_at is not None and since <= restored_at


def _is_key_known(delivery: Delivery, memory: Capabilities | Publishes, *, at: datetime) -> bool:
    """Whether what may have been sent is sure to be recognised by its key, in a try that takes as long as a lease."""
    if delivery.in_doubt_since is None or memory.keys_live is None:
        return True
    return at + LEASE < delivery.in_doubt_since + timedelta(seconds=memory.keys_live)


def _repeat_act(delivery: Delivery, why: str, capabilities: Capabilities, *, at: datetime) -> dict[str, Any]:
    """Most acts set a state, and setting it again changes nothing; of the others nobody knows."""
    is_once = any(line.is_once for line in capabilities.can if line.act == delivery.act)
    if is_once or delivery.attempts % TRIES == 0:
        return _final(Delivery.State.UNKNOWN, why, at=at)
    return _again(delivery, why, at=at, due_at=at + max(REPEAT_AFTER, _backoff(delivery)))


def _look_later(delivery: Delivery, why: str, *, at: datetime, after: timedelta | None = None) -> dict[str, Any]:
    within = _memory(delivery).shows_own_within
    whole = LOOK_FOR if within is None else timedelta(seconds=within)
    wait = whole * LOOK_AT[delivery.absences] / 100
    if failed := delivery.looks - delivery.absences:
        wait = max(wait, after or min(jobs.backoff(failed), LOOK_AGAIN))
    return {"lease_until": at + wait, "why": _short(why), "absences": delivery.absences}


def _again(delivery: Delivery, why: str, *, at: datetime, due_at: datetime) -> dict[str, Any]:
    if delivery.attempts % TRIES == 0:
        return _final(Delivery.State.REFUSED, why, at=at)
    return {"state": Delivery.State.QUEUED, "due_at": due_at, "lease_until": None, "why": _short(why)}


def _final(state: Delivery.State, why: str, *, at: datetime) -> dict[str, Any]:
    return {"state": state, "finished_at": at, "lease_until": None, "why": _short(why)}


def _backoff(delivery: Delivery) -> timedelta:
    return jobs.backoff(delivery.attempts % TRIES)


def _short(why: str) -> str:
    return redact(why, longest=300)


def _note_receipts(receipts: Sequence[tuple[Message, Receipt]], *, at: datetime) -> None:
    """Give our messages the network's names for them."""
    if not receipts:
        return
    known = Message.objects.filter(
        account_id__in={message.account_id for message, _ in receipts},
        remote_id__in={receipt.remote_id for _, receipt in receipts},
    )
    names = {(account, name): id for account, name, id in known.values_list("account_id", "remote_id", "id")}
    plain: list[Message] = []
    for message, receipt in receipts:
        if names.setdefault((message.account_id, receipt.remote_id), message.pk) == message.pk:
            _name(message, receipt, at=at)
            plain.append(message)
    bulk.update(plain, _NAMED)
    for message, receipt in receipts:
        if names[message.account_id, receipt.remote_id] != message.pk:
            _note_receipt(message, receipt, at=at)


def _note_receipt(message: Message, receipt: Receipt, *, at: datetime) -> None:
    """Give our message the network's name for it. When its echo came first and stands beside it, one row stays."""
    echo = Message.objects.filter(account_id=message.account_id, remote_id=receipt.remote_id).exclude(pk=message.pk)
    for other in echo.select_related("account", "delivery"):
        if hasattr(other, "delivery"):
            return  # the network took two of our answers for one
        facts.forget_message(other)
    _name(message, receipt, at=at)
    message.save(update_fields=_NAMED)


_NAMED = ("remote_id", "url", "sent_at")


def _name(message: Message, receipt: Receipt, *, at: datetime) -> None:
    message.remote_id = receipt.remote_id
    message.url = receipt.url[:500] or message.url
    message.sent_at = max(receipt.at or at, message.sent_at)


_successes: dict[int, datetime] = {}
"""When this process last wrote down that an account works: once in a while is enough."""


def _tell_accounts(results: Sequence[Result], *, at: datetime) -> None:
    """Rests, successes and troubles, one account after the other in the same order everywhere."""
    for result in sorted(results, key=lambda result: result.claim.account_id):
        account_id = result.claim.account_id
        if rest := _rest(result):
            until = at + rest
            Account.objects.filter(pk=account_id).filter(
                Q(next_send_at__isnull=True) | Q(next_send_at__lt=until), pk=account_id
            ).update(next_send_at=until)
        if isinstance(result.ended, Reconnect):
            channel_actions.ask_for_attention(account_id=account_id, why=result.ended.why, at=at)
        elif isinstance(result.ended, Receipt) and _is_worth_noting(account_id, at):
            Account.objects.filter(pk=account_id).update(last_success_at=at)


def _is_worth_noting(account_id: int, at: datetime) -> bool:
    last = _successes.get(account_id)
    if last and abs(at - last) < timedelta(seconds=30):
        return False
    _successes[account_id] = at
    return True


def _rest(result: Result) -> timedelta | None:
    if isinstance(result.ended, Retry):
        return result.ended.after
    return AFTER_SILENCE if isinstance(result.ended, Unknown) and not result.claim.is_look else None


def run_due(at: datetime) -> int:
    """Send all that is due, in the calling thread; returns how much was begun. For tests."""
    begun = 0
    while claims := due.begin(claim, hold, take, at=at, limit=20):
        settle([run(claimed) for claimed in claims], at=at, tell=lambda finished: tell_inbox(delivery_ids=finished))
        begun += len(claims)
    return begun
