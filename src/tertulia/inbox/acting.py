"""What is done with a message or its writer on their own network: thank, hide, remove, report, ban. Each is a delivery.

The network's table of what it allows (`Capabilities.can`) decides; nothing here knows one network from another.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from tertulia.channels import intake as facts
from tertulia.channels.forms import said
from tertulia.channels.models import Account, Delivery, Message
from tertulia.connectors.contract import Possibility
from tertulia.core import activity
from tertulia.core import wake as wake_work
from tertulia.core.html import tidy
from tertulia.team.models import User

from . import actions, activities, allowed
from .models import Conversation

AGAINST = frozenset({"remove", "hide", "report", "block", "kick", "ban", "restrict"})
"""Acts against somebody: never without a reason, which is kept with it."""
SETTLING = frozenset({"remove", "hide", "spam"})
"""After them nobody waits for an answer."""
LONGEST_REASON = 300

_DEAD = (Delivery.State.CANCELLED, Delivery.State.REFUSED)


LINES = frozenset({activities.ACTED, activities.ACT_UNDONE, activities.ACT_REFUSED, activities.ACT_UNKNOWN})


class CannotAct(actions.Problem):
    """The network, the message or the account doesn't allow it."""


class NeedsReason(actions.Problem):
    """What is done against somebody needs a reason."""


def standing(acts: Sequence[Delivery]) -> dict[str, Delivery]:
    """By act, the newest delivery that counts: it holds, or is on its way, unless it is an undo."""
    return {delivery.act: delivery for delivery in sorted(acts, key=lambda one: one.pk) if delivery.state not in _DEAD}


@transaction.atomic
def act(
    *, message: Message, act: str, by: User, at: datetime, undo: bool = False, because: str = ""
) -> Delivery:  # fmt: skip
    """Do something with a message, or take it back. What can't be taken back leaves after the brand's undo window.

    The same again while it holds gives the delivery that is already there. Raises `CannotAct`, `NeedsReason`.
    """
    because = tidy(because).strip()[:LONGEST_REASON]
    conversation = actions.lock(
        Conversation.objects.get(account_id=message.account_id, thread_id=message.thread_id)
    )  # fmt: skip
    possible = _possible(message, conversation, act, at=at)
    before = standing(list(message.acts.filter(act=act))).get(act)
    if undo and (before is None or not possible.can.undoes):
        raise CannotAct(_("There is nothing to take back here."))
    if before and before.is_undo == undo:
        return before
    if not undo:
        _check(possible, act, because)
    if conversation.account.state == Account.State.PAUSED:
        raise CannotAct(_("The channel is paused. Set it going again under Channels, then try again."))
    window = timedelta() if possible.can.undoes else timedelta(seconds=conversation.brand.undo_seconds)
    delivery = Delivery.objects.create(
        account=conversation.account, thread_id=message.thread_id, on=message, act=act, is_undo=undo, because=because,
        key=secrets.token_urlsafe(24), to=facts.target(message), due_at=at + window, created_by_id=by.pk, created_at=at,
    )  # fmt: skip
    name = activities.ACT_UNDONE if undo else activities.ACTED
    activity.record(
        name, on=conversation, brand=conversation.brand_id, by=by.pk, at=at, act=act, message=message.pk, reason=because
    )
    if act in SETTLING:
        _settle(conversation, message, undo=undo, by=by, at=at)
    wake_work.after_commit()
    return delivery


def _possible(message: Message, conversation: Conversation, act: str, *, at: datetime) -> Possibility:
    found = [one for one in allowed.possibilities(message, conversation, at=at) if one.can.act == act]
    if not found or act == "reply":
        raise CannotAct(_("This can't be done on this channel."))
    return found[0]


def _check(possible: Possibility, act: str, because: str) -> None:
    if not possible.is_possible:
        raise CannotAct(said(possible.why_not))
    if act in AGAINST and not because:
        raise NeedsReason(_("Say why: which rule, what happened. It is kept with it."))


def _settle(conversation: Conversation, message: Message, *, undo: bool, by: User, at: datetime) -> None:
    """Close what waits only for this message; open it again when that is taken back."""
    if undo:
        if conversation.close_reason == Conversation.Reason.MODERATED:
            actions.reopen(conversation=conversation, by=by, at=at)
    elif conversation.waiting_since and conversation.waiting_since >= message.sent_at:
        actions.close(conversation=conversation, reason=Conversation.Reason.MODERATED, by=by, at=at)


@transaction.atomic
def withdraw(*, delivery: Delivery, by: User, at: datetime) -> None:
    """Take an act back before it leaves. Raises `TooLate`."""
    caught = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.QUEUED, attempts=0)
    if not caught.update(state=Delivery.State.CANCELLED, finished_at=at):
        raise actions.TooLate(_("It has already left."))
    conversation = actions.lock(Conversation.objects.get(account_id=delivery.account_id, thread_id=delivery.thread_id))
    activity.record(
        activities.ACT_UNDONE, on=conversation, brand=conversation.brand_id, by=by.pk, at=at, act=delivery.act,
        message=delivery.on_id, reason="",
    )  # fmt: skip
    if delivery.act in SETTLING:
        _settle(conversation, delivery.subject, undo=True, by=by, at=at)


@transaction.atomic
def finish_by_hand(*, delivery: Delivery, by: User, at: datetime, url: str = "") -> None:
    """Somebody did by hand what no program may, and says where it can be seen. Raises `Problem` when already ticked."""
    waiting = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.BY_HAND)
    if not waiting.update(state=Delivery.State.SENT, finished_at=at, why=""):
        raise actions.Problem(_("Somebody has ticked this off already."))
    if url and delivery.message:
        Message.objects.filter(pk=delivery.message.pk).update(url=url[:500])
    delivery.refresh_from_db()
    actions.record_outcome(delivery=delivery, at=at)
    conversation = Conversation.objects.get(account_id=delivery.account_id, thread_id=delivery.thread_id)
    activity.record(activities.DONE_BY_HAND, on=conversation, brand=conversation.brand_id, by=by.pk, at=at, url=url)


@transaction.atomic
def give_up_by_hand(*, delivery: Delivery, by: User, at: datetime) -> str:
    """It is not going to be done: an answer becomes the draft again, and is returned. Raises `Problem`."""
    waiting = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.BY_HAND)
    if not waiting.update(state=Delivery.State.QUEUED, attempts=0):
        raise actions.Problem(_("Somebody has ticked this off already."))
    if delivery.act == "reply":
        return actions.withdraw(delivery=delivery, by=by, at=at)
    withdraw(delivery=delivery, by=by, at=at)
    return ""
