"""The way out: queued → sending → sent, or refused, or unknown; or queued again for later.

That it is being sent is written down before the network is called, the outcome behind the fence of that claim. What
was *sending* when a worker died, or when the network fell silent, is never simply repeated: it is looked for there;
where nobody can look it is repeated with the same key if the network knows keys; else a person decides. What three
looks didn't find is sent again only where the network shows all it has, or knows keys.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from tertulia.channels import activities
from tertulia.channels import intake as facts
from tertulia.channels.models import Account, Delivery, Message
from tertulia.connectors import registry
from tertulia.connectors.contract import (
    Capabilities,
    Outcome,
    Receipt,
    Reconnect,
    Refused,
    Retry,
    Target,
    Unknown,
    Unsupported,
)
from tertulia.core import activity, due, jobs
from tertulia.core.crypto import UnreadableSecret
from tertulia.core.models import Activity
from tertulia.core.redact import describe, redact
from tertulia.inbox import actions
from tertulia.inbox.models import Conversation

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
"""Until the next look, when those that were due could not be taken."""
FRUITLESS_LOOKS = 12
REPEAT_AFTER = timedelta(seconds=10)
AFTER_SILENCE = timedelta(seconds=5)
"""An account whose network fell silent is left alone for a moment."""
PAUSED_AGAIN = timedelta(seconds=30)
SAME_THREAD_AGAIN = timedelta(seconds=1)
AT_ONCE = 2
"""Deliveries of one account under way at the same time, in one process: a network that hangs holds up two threads."""

STOPPED = _("Background work was interrupted while this was being sent.")
UNREADABLE = _("The channel's stored credentials can't be read. Enter them again.")
NO_CONNECTOR = _("The connector of this channel isn't installed.")


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery in the hands of this worker: to send, or (`is_look`) to find out what became of it."""

    id: int
    fence: int
    account_id: int
    is_look: bool

    @property
    def group(self) -> int:
        return self.account_id


@dataclass(frozen=True, slots=True)
class Absent:
    """The network was asked and certainly doesn't have it."""


@dataclass(frozen=True, slots=True)
class Result:
    claim: Claim
    ended: Receipt | Outcome | Absent
    delivery: Delivery | None = None
    """As it was when the network was called; only the fence decides whether it still counts."""


# ── claiming ───────────────────────────────────────────────────────────────


def claim(*, at: datetime, limit: int, busy: Mapping[int, int] = jobs.NOBODY) -> list[Claim]:
    """Write down that these are being sent now, the intent before the deed; and those whose sender died.

    `busy` says how many of each account this process sends already.
    """
    with transaction.atomic():
        looks = _claim_looks(at=at, limit=limit)
        sends = _claim_sends(_choose(at=at, limit=limit - len(looks), busy=busy, most=AT_ONCE), at=at)
    return looks + sends


def hold(*, at: datetime, limit: int) -> list[due.Ticket]:
    """As `claim`, for another process to begin: what is queued comes due again at the end of a lease."""
    with transaction.atomic():
        chosen = _choose(at=at, limit=limit, busy=jobs.NOBODY, most=limit)
        looks = _change_due("sending", "lease_until", "fence = fence + 1, lease_until = %s", at=at, limit=limit)
        sends = _change_chosen(chosen, "fence = fence + 1, due_at = %s", at=at)
    return [(id, fence) for id, fence, _ in [*looks, *sends]]


def take(ticket: due.Ticket, *, at: datetime) -> Claim | None:
    """Begin what was handed over; None when the ticket was used already, or the answer was taken back."""
    for state, assignments in (
        ("queued", "state = 'sending', fence = fence + 1, attempts = attempts + 1, looks = 0, lease_until = %s"),
        ("sending", "fence = fence + 1, looks = looks + 1, lease_until = %s"),
    ):
        found = due.change(
            "tertulia_channels_delivery",
            assignments,
            where=f"id = %s AND fence = %s AND state = '{state}'",
            params=[at + LEASE, *ticket],
            returning="id, fence, account_id",
        )
        if found:
            return _claims(found, is_look=state == "sending")[0]
    return None


def renew(tickets: Iterable[due.Ticket], *, at: datetime) -> None:
    if given := list(tickets):
        sending = "state = 'sending' AND " + due.tickets(given)
        due.change("tertulia_channels_delivery", "lease_until = %s", where=sending, params=[at + LEASE])


def free_lost(*, at: datetime) -> int:
    """What a dead worker was sending is not put back; `claim` takes it in order to look."""
    return 0


@dataclass(frozen=True, slots=True)
class _Candidate:
    id: int
    account_id: int
    thread_id: str
    kind: str
    state: str
    next_send_at: datetime | None


def _choose(*, at: datetime, limit: int, busy: Mapping[int, int], most: int) -> list[int]:
    """Which of the due deliveries may leave now; those that may not are put off, so that they hold up nobody."""
    full = [account_id for account_id, count in busy.items() if count >= most]
    candidates = _candidates(full, at=at, limit=limit * 2) if limit > 0 else []
    behind = _behind_another(candidates)
    slots: dict[int, datetime] = {}
    left = {each.account_id: most - busy.get(each.account_id, 0) for each in candidates}
    chosen: list[int] = []
    put_off: dict[int, datetime] = {}
    for each in candidates:
        gap = timedelta(seconds=_capabilities(each.kind).send_gap)
        free_at = slots.get(each.account_id) or each.next_send_at
        if each.state != Account.State.ACTIVE:
            put_off[each.id] = at + PAUSED_AGAIN
        elif each.id in behind:
            put_off[each.id] = at + SAME_THREAD_AGAIN
        elif free_at and free_at > at:
            put_off[each.id] = free_at
            slots[each.account_id] = free_at + gap
        elif len(chosen) < limit and left[each.account_id] > 0:
            if gap and not _reserve(each.account_id, at=at, gap=gap):
                continue
            chosen.append(each.id)
            left[each.account_id] -= 1
            if gap:
                slots[each.account_id] = at + gap
    _put_off(put_off)
    return chosen


def _candidates(full: Sequence[int], *, at: datetime, limit: int) -> list[_Candidate]:
    queued = Delivery.objects.filter(state=Delivery.State.QUEUED, due_at__lte=at).exclude(account_id__in=full)
    fields = ("id", "account_id", "message__thread_id", "account__kind", "account__state", "account__next_send_at")
    return [_Candidate(*row) for row in queued.order_by("due_at", "id").values_list(*fields)[:limit]]


def _behind_another(candidates: Sequence[_Candidate]) -> set[int]:
    """Those whose thread has an earlier answer still on its way: answers arrive in the order they were written."""
    if not candidates:
        return set()
    threads = {(each.account_id, each.thread_id) for each in candidates}
    unfinished = Delivery.objects.filter(
        account_id__in={account for account, _ in threads},
        message__thread_id__in={thread for _, thread in threads},
        state__in=[Delivery.State.QUEUED, Delivery.State.SENDING],
    )
    first: dict[tuple[int, str], int] = {}
    for id, account_id, thread_id in unfinished.order_by("id").values_list("id", "account_id", "message__thread_id"):
        first.setdefault((account_id, thread_id), id)
    return {each.id for each in candidates if first.get((each.account_id, each.thread_id), each.id) < each.id}


def _capabilities(kind: str) -> Capabilities:
    try:
        return registry.get(kind).capabilities
    except registry.UnknownConnector:
        return Capabilities()


def _reserve(account_id: int, *, at: datetime, gap: timedelta) -> bool:
    """Take the account's next slot, unless another worker has just done so."""
    free = Q(next_send_at__isnull=True) | Q(next_send_at__lte=at)
    return bool(Account.objects.filter(free, pk=account_id).update(next_send_at=at + gap))


def _put_off(put_off: dict[int, datetime]) -> None:
    later: dict[datetime, list[int]] = {}
    for id, moment in put_off.items():
        later.setdefault(moment, []).append(id)
    for moment, ids in later.items():
        Delivery.objects.filter(pk__in=ids, state=Delivery.State.QUEUED).update(due_at=moment)


def _claim_sends(chosen: Sequence[int], *, at: datetime) -> list[Claim]:
    sending = "state = 'sending', fence = fence + 1, attempts = attempts + 1, looks = 0, lease_until = %s"
    return _claims(_change_chosen(chosen, sending, at=at), is_look=False)


def _claim_looks(*, at: datetime, limit: int) -> list[Claim]:
    looking = "fence = fence + 1, looks = looks + 1, lease_until = %s"
    return _claims(_change_due("sending", "lease_until", looking, at=at, limit=limit), is_look=True)


def _claims(found: Iterable[tuple[Any, ...]], *, is_look: bool) -> list[Claim]:
    return [Claim(id, fence, account_id, is_look) for id, fence, account_id in found]


def _change_chosen(chosen: Sequence[int], assignments: str, *, at: datetime) -> list[tuple[Any, ...]]:
    if not chosen:
        return []
    ids = ", ".join(str(int(id)) for id in chosen)
    return sorted(
        due.change(
            "tertulia_channels_delivery",
            assignments,
            where=due.one_of(
                f"SELECT id FROM tertulia_channels_delivery WHERE id IN ({ids})"  # noqa: S608 — our own numbers
                " AND state = 'queued' AND due_at <= %s"
            ),
            params=[at + LEASE, at],
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
        delivery = Delivery.objects.select_related("account", "message").defer("message__raw").get(pk=claimed.id)
        ended = _call(claimed, delivery)
    except registry.UnknownConnector:
        ended = Refused(NO_CONNECTOR)
    except UnreadableSecret:
        ended = Reconnect(UNREADABLE)
    except (DatabaseError, Delivery.DoesNotExist) as error:
        ended = Retry(describe(error))
    return Result(claimed, ended, delivery)


def _call(claimed: Claim, delivery: Delivery) -> Receipt | Outcome | Absent:
    account, key = delivery.account, delivery.key
    connector = account.connector
    if claimed.is_look:
        if not connector.capabilities.finds:
            return Unknown(delivery.why or STOPPED)
        return _outcome_of(lambda: connector.find(account, key) or Absent())
    return _outcome_of(lambda: connector.reply(account, Target(**delivery.to), delivery.message.text, key))


def _outcome_of(call: Callable[[], Receipt | Absent]) -> Receipt | Outcome | Absent:
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
    finished: list[int] = []
    written = 0
    with transaction.atomic():
        for result in sorted(results, key=lambda result: result.claim.id):
            delivery = _settle(result, at=at)
            written += delivery is not None
            if delivery and delivery.finished_at:
                finished.append(delivery.pk)
        if finished:
            (tell or _tell_later)(finished)
    _tell_accounts(results, at=at)
    return len(results) - written


def _tell_later(finished: list[int]) -> None:
    jobs.enqueue(tell_inbox, delivery_ids=finished)


@jobs.task("outbound.tell_inbox")
def tell_inbox(*, delivery_ids: list[int]) -> None:
    """Let conversations know how deliveries ended; those that know already are left out."""
    for delivery in Delivery.objects.select_related("message").filter(pk__in=delivery_ids).order_by("pk"):
        if delivery.finished_at:
            _tell_inbox(delivery, at=delivery.finished_at)


@transaction.atomic
def _tell_inbox(delivery: Delivery, *, at: datetime) -> None:
    thread = Conversation.objects.filter(account_id=delivery.account_id, thread_id=delivery.message.thread_id)
    conversation = thread.select_for_update().only("pk").first()
    if conversation is None:
        return
    told = Activity.objects.filter(on_kind=Conversation._meta.label_lower, on_id=conversation.pk, at=at)
    if not told.filter(type__startswith="delivery.", data__message=delivery.message_id).exists():
        actions.record_outcome(delivery=delivery, at=at)


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
        _note_receipt(delivery.message, result.ended, at=at)
    return delivery


def _next_state(delivery: Delivery, result: Result, *, at: datetime) -> dict[str, Any]:
    ended = result.ended
    if isinstance(ended, Receipt):
        return _final(Delivery.State.SENT, "", at=at)
    if isinstance(ended, Absent):
        return _after_absence(delivery, at=at)
    if result.claim.is_look and not isinstance(ended, Unknown):
        ended = Unknown(ended.why)  # whatever looking came to, it says nothing about the sending
    if isinstance(ended, Retry):
        return _again(delivery, ended.why, at=at, due_at=at + max(ended.after or timedelta(), _backoff(delivery)))
    if isinstance(ended, Refused | Reconnect | Unsupported):
        return _final(Delivery.State.REFUSED, ended.why, at=at)
    return _after_silence(delivery, ended.why, at=at)


def _after_absence(delivery: Delivery, *, at: datetime) -> dict[str, Any]:
    """Not there yet, or never sent: only a network that shows all it has lets a machine tell the two apart."""
    capabilities = _capabilities(delivery.account.kind)
    if delivery.looks < len(LOOK_AT):
        return _look_later(delivery, delivery.why, at=at)
    if capabilities.shows_own_within is not None or capabilities.repeats_safely:
        return _again(delivery, delivery.why, at=at, due_at=at)
    return _final(Delivery.State.UNKNOWN, delivery.why or STOPPED, at=at)


def _after_silence(delivery: Delivery, why: str, *, at: datetime) -> dict[str, Any]:
    capabilities = _capabilities(delivery.account.kind)
    if capabilities.finds and delivery.looks < FRUITLESS_LOOKS:
        return _look_later(delivery, why, at=at)
    if not capabilities.finds and capabilities.repeats_safely and delivery.attempts % TRIES:
        return _again(delivery, why, at=at, due_at=at + max(REPEAT_AFTER, _backoff(delivery)))
    return _final(Delivery.State.UNKNOWN, why, at=at)


def _look_later(delivery: Delivery, why: str, *, at: datetime) -> dict[str, Any]:
    wait = LOOK_AGAIN
    if delivery.looks < len(LOOK_AT):
        within = _capabilities(delivery.account.kind).shows_own_within
        whole = LOOK_FOR if within is None else timedelta(seconds=within)
        wait = whole * LOOK_AT[delivery.looks] / 100
    return {"lease_until": at + wait, "why": _short(why)}


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


def _note_receipt(message: Message, receipt: Receipt, *, at: datetime) -> None:
    """Give our message the network's name for it. When its echo came first and stands beside it, one row stays."""
    echo = Message.objects.filter(account_id=message.account_id, remote_id=receipt.remote_id).exclude(pk=message.pk)
    for other in echo.select_related("account", "delivery"):
        if hasattr(other, "delivery"):
            return  # the network took two of our answers for one
        facts.forget_message(other)
    message.remote_id = receipt.remote_id
    message.url = receipt.url[:500] or message.url
    message.sent_at = max(receipt.at or at, message.sent_at)
    message.save(update_fields=["remote_id", "url", "sent_at"])


_successes: dict[int, datetime] = {}
"""When this process last wrote down that an account works: once in a while is enough."""


def _tell_accounts(results: Sequence[Result], *, at: datetime) -> None:
    """Rests, successes and troubles, one account after the other in the same order everywhere."""
    for result in sorted(results, key=lambda result: result.claim.account_id):
        account = Account.objects.filter(pk=result.claim.account_id)
        if rest := _rest(result):
            until = at + rest
            account.filter(Q(next_send_at__isnull=True) | Q(next_send_at__lt=until)).update(next_send_at=until)
        if isinstance(result.ended, Reconnect):
            ask_for_attention(result.claim.account_id, result.ended.why, at=at)
        elif isinstance(result.ended, Receipt) and _is_worth_noting(result.claim.account_id, at):
            account.update(last_success_at=at)


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


@transaction.atomic
def ask_for_attention(account_id: int, why: str, *, at: datetime) -> None:
    """Stop an account whose credentials no longer work and tell people, once. Its answers wait."""
    trouble = _short(why)
    active = Account.objects.filter(pk=account_id, state=Account.State.ACTIVE)
    if active.update(state=Account.State.ATTENTION, trouble=trouble):
        account = Account.objects.defer("secrets").get(pk=account_id)
        activity.record(
            activities.ATTENTION,
            on=account,
            brand=account.brand_id,
            at=at,
            account=account.name,
            trouble=gettext(trouble),
        )


def run_due(at: datetime) -> int:
    """Send all that is due, in the calling thread; returns how much was begun. For tests."""
    begun = 0
    while claims := due.begin(claim, hold, take, at=at, limit=20):
        settle([run(claimed) for claimed in claims], at=at, tell=lambda finished: tell_inbox(delivery_ids=finished))
        begun += len(claims)
    return begun
