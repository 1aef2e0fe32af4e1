"""What people do with conversations. Each action is one transaction, takes who (`by`) and when (`at`), and leaves its
line in the activity feed; one that can't be done raises an error whose message says why."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from tertulia.channels import intake as facts
from tertulia.channels.forms import said
from tertulia.channels.models import Account, Delivery, Message
from tertulia.community import testimonials
from tertulia.core import activity, bulk
from tertulia.core import wake as wake_work
from tertulia.core.html import tidy
from tertulia.core.models import Activity
from tertulia.team.models import Membership, User

from . import activities, allowed, filing, promises, wording
from .models import (
    Assignment,
    Conversation,
    ConversationLabel,
    Draft,
    Label,
    Mention,
    Note,
    Presence,
    Promise,
    PromiseOutcome,
    Read,
)

PRESENCE_SECONDS = 30
"""How long somebody counts as looking after their page last said so."""
TYPING_SECONDS = 8
MAX_NOTE = 20_000
LABELS_AT_ONCE = 200
SOLVED = frozenset({Conversation.Reason.ANSWERED, Conversation.Reason.HANDED_ON})
"""Reasons to close that keep what was promised; with any other nothing was owed."""


class Problem(Exception):
    """Something that can't be done; the message is for the person who tried."""


class Empty(Problem):
    """There is nothing to send."""


class TooLong(Problem):
    """Longer than the channel takes: `limit` characters."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            _("This channel takes {limit} characters at most. Shorten it or send it in two parts.").format(limit=limit)
        )
        self.limit = limit


class CannotReply(Problem):
    """The channel or its state doesn't allow an answer from here."""


class Answered(Problem):
    """Somebody else has answered since the writer last looked. Their words come first; nothing was sent."""

    def __init__(self, by_name: str, at: datetime) -> None:
        super().__init__(
            _("{name} has just answered. Read that first; what you wrote is still here.").format(name=by_name)
            if by_name
            else _("This was answered meanwhile. Read that first; what you wrote is still here.")
        )
        self.by_name, self.at = by_name, at


class TooLate(Problem):
    """The answer has already left."""


class NotAllowedHere(Problem):
    """The person or label belongs to another brand, or may not answer; or somebody is quoted who doesn't agree."""


# Answering


@transaction.atomic
def reply(
    *, conversation: Conversation, text: str, by: User, turn: int, at: datetime, seen: int | None = None,
    closes: bool = False,
) -> Delivery:  # fmt: skip
    """Write an answer and queue it; nothing leaves before the brand's undo window has passed.

    `turn` is the conversation's turn when its writer began; `seen`, where it is later, the last turn their page showed:
    what came after that still waits for an answer. The same words again from the same person (a double click, a
    repeated request) give the delivery that is already there. With `closes` the conversation is closed as answered,
    unless something waits that the page did not show.
    Raises `Empty`, `TooLong`, `CannotReply`, `NotAllowedHere`, `Answered`.
    """
    text = tidy(text).strip()
    conversation = lock(conversation)
    account = conversation.account
    _check_reply(conversation, text, at=at)
    if conversation.answered_turn > turn:
        return _same_again(conversation, text=text, by=by, at=at)
    key, ends = secrets.token_urlsafe(24), promises.outcome(conversation, promises.FIRST_RESPONSE, at=at)
    # Never before what it answers, whatever the network's clock says.
    sent_at = max(at, conversation.last_activity_at)
    message = Message.objects.create(
        account=account, remote_id=f"{facts.PENDING}{key}", thread_id=conversation.thread_id, author_id=by.id,
        author_name=by.name, direction=Message.Direction.OUT, kind=_kind(conversation), text=text,
        sent_at=sent_at, received_at=at,
    )  # fmt: skip
    testimonials.note_uses(texts=[text], brand=conversation.brand_id, by=by.pk, at=at, answer=message)
    _give_links(message, by=by, at=at)
    facts.index_message(message)
    if ends:
        ends.message_id = message.pk
        promises.keep_outcomes([ends])
    due_at = at + timedelta(seconds=conversation.brand.undo_seconds)
    delivery = Delivery.objects.create(
        account=account, thread_id=conversation.thread_id, message=message, key=key, to=_target(conversation),
        due_at=due_at, created_by_id=by.id, created_at=at,
        read_to=filing.newest_read(conversation, turn=max(turn, seen or 0)),
    )  # fmt: skip
    conversation.turn += 1
    conversation.answered_turn = conversation.turn
    if conversation.state == Conversation.State.SNOOZED:
        conversation.state, conversation.snoozed_until = Conversation.State.OPEN, None
    filing.recompute(conversation, at=at)
    if conversation.owner_id is None:
        _give(conversation, to=by, by=by, at=at, because={"answered": True})
    Draft.objects.filter(conversation=conversation, user=by, is_note=False).delete()
    mark_read(conversation=conversation, user=by)
    _record(activities.REPLIED, conversation, by=by, at=at, message=message.id)
    if closes and conversation.state == Conversation.State.OPEN and conversation.waiting_since is None:
        _close(
            conversation, reason=Conversation.Reason.ANSWERED, by=by, at=at,
            message=message.id, settled_before=conversation.settled_to,
        )  # fmt: skip
    wake_work.after_commit()
    return delivery


def _check_reply(conversation: Conversation, text: str, *, at: datetime) -> None:
    if not text:
        raise Empty(_("Write the answer first."))
    account, connector = conversation.account, conversation.account.connector
    if "reply" not in connector.capabilities.writes:
        raise CannotReply(_("This channel can't be answered from here."))
    possible = allowed.reply(conversation, at=at)
    if possible and not possible.is_possible:
        raise CannotReply(said(possible.why_not))
    on = testimonials.today(conversation.brand, at)
    if found := testimonials.against([text], brand=conversation.brand_id, on=on, to=conversation.member_id):
        raise NotAllowedHere(" ".join(found))
    if account.state == Account.State.PAUSED:
        raise CannotReply(_("The channel is paused. Set it going again under Channels, then send."))


def _give_links(message: Message, *, by: User, at: datetime) -> None:
    """How long an answer is shows only once its links are there: one that is too long takes them back with it."""
    written, message.text = message.text, wording.with_links(message.text, answer=message, by=by.id, at=at)
    longest = message.account.connector.longest_text(message.account)
    if longest is not None and message.account.connector.text_length(message.account, message.text) > longest:
        raise TooLong(longest)
    if message.text != written:
        message.save(update_fields=["text"])


def _same_again(conversation: Conversation, *, text: str, by: User, at: datetime) -> Delivery:
    last = (
        Message.objects.filter(
            account_id=conversation.account_id,
            thread_id=conversation.thread_id,
            direction=Message.Direction.OUT,
            is_automatic=False,
        )
        .select_related("delivery")
        .order_by("-sent_at", "-id")
        .first()
    )
    delivery: Delivery | None = getattr(last, "delivery", None)  # what was said on the phone has none
    if last is None or (delivery and delivery.state == Delivery.State.CANCELLED):
        raise Answered("", at)  # taken back: to pass for sent it would have to be sent
    is_mine = last.author_id == by.id and at - last.sent_at < timedelta(minutes=5)
    # Links that this makes for other words go with what is raised.
    if (
        delivery
        and is_mine
        and (last.text == text or last.text == wording.with_links(text, answer=last, by=by.id, at=at))
    ):
        return delivery
    raise Answered(last.author_name, last.sent_at)


def _kind(conversation: Conversation) -> str:
    last = allowed.last_inbound(conversation)
    return last.kind if last else "direct"


def _target(conversation: Conversation) -> dict[str, Any]:
    last = allowed.last_inbound(conversation)
    return facts.target(last) if last else {"thread_id": conversation.thread_id}


@transaction.atomic
def withdraw(*, delivery: Delivery, by: User, at: datetime) -> str:
    """Take an answer back before it leaves; its text becomes the draft again and is returned. Raises `TooLate`.

    What the person had begun to answer meanwhile stays, behind it.
    """
    caught = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.QUEUED, attempts=0)
    if not caught.update(state=Delivery.State.CANCELLED, finished_at=at):
        raise TooLate(_("It has already left."))
    conversation = _conversation_of(delivery)
    was_closed = _open_what_it_closed(conversation, delivery)
    PromiseOutcome.objects.filter(conversation=conversation, message_id=delivery.message_id, is_kept=True).delete()
    filing.recompute(conversation, at=at)
    text = wording.as_written(delivery.subject)
    begun = Draft.objects.filter(conversation=conversation, user=by, is_note=False).first()
    if begun and begun.text.strip() != text:
        text = f"{text}\n\n{begun.text}"
    save_draft(conversation=conversation, user=by, text=text, at=at)
    _record(activities.WITHDRAWN, conversation, by=by, at=at, message=delivery.message_id)
    if was_closed:
        _record(activities.REOPENED, conversation, by=by, at=at)
    return text


def _open_what_it_closed(conversation: Conversation, delivery: Delivery) -> bool:
    """Undo the closing that came with an answer which is not given after all. Saves nothing."""
    if conversation.state != Conversation.State.CLOSED:
        return False
    closings = Activity.objects.filter(
        on_kind=conversation._meta.label_lower, on_id=conversation.pk, type=activities.CLOSED
    )
    last = closings.order_by("-id").first()
    if last is None or last.data.get("message") != delivery.message_id or last.at != conversation.closed_at:
        return False
    _unsettle(conversation)
    conversation.state, conversation.close_reason, conversation.closed_at = Conversation.State.OPEN, "", None
    conversation.settled_to = last.data["settled_before"]
    return True


def _unsettle(conversation: Conversation) -> None:
    """What its closing kept isn't kept yet."""
    if conversation.closed_at:
        mine = PromiseOutcome.objects.filter(conversation=conversation, which=promises.RESOLUTION, is_kept=True)
        mine.filter(ended_at=conversation.closed_at).delete()


@transaction.atomic
def decide_unknown(*, delivery: Delivery, was_sent: bool, by: User, at: datetime) -> None:
    """A person looked: it had arrived after all, or it is to be sent again. Raises `Problem` when already decided."""
    state = Delivery.State.SENT if was_sent else Delivery.State.QUEUED
    undecided = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.UNKNOWN)
    changes: dict[str, Any] = {
        "state": state,
        "why": "",
        "finished_at": at if was_sent else None,
        "due_at": at,
    }
    if not was_sent:
        changes["restored_at"] = None
    if not undecided.update(**changes, looks=0, in_doubt_since=None):
        raise Problem(_("Somebody has settled this already."))
    conversation = _conversation_of(delivery)
    if was_sent:
        facts.adopt_echo(delivery, at=at)
    filing.recompute(conversation, at=at)
    _record(activities.DECIDED, conversation, by=by, at=at, message=delivery.message_id, was_sent=was_sent)
    wake_work.after_commit()


@transaction.atomic
def retry_refused(*, delivery: Delivery, by: User, at: datetime) -> None:
    """Send a refused answer again, once its cause has been mended. Raises `Problem` when it isn't refused any more."""
    refused = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.REFUSED)
    if not refused.update(state=Delivery.State.QUEUED, why="", finished_at=None, due_at=at, in_doubt_since=None):
        raise Problem(_("Somebody has sent this again already."))
    conversation = _conversation_of(delivery)
    filing.recompute(conversation, at=at)
    _record(activities.RETRIED, conversation, by=by, at=at, message=delivery.message_id)
    wake_work.after_commit()


_ANSWERS = {
    Delivery.State.SENT: activities.SENT,
    Delivery.State.REFUSED: activities.REFUSED,
    Delivery.State.UNKNOWN: activities.UNKNOWN,
    Delivery.State.BY_HAND: activities.BY_HAND,
}
_ACTS = {
    Delivery.State.SENT: activities.ACT_DONE,
    Delivery.State.REFUSED: activities.ACT_REFUSED,
    Delivery.State.UNKNOWN: activities.ACT_UNKNOWN,
    Delivery.State.BY_HAND: activities.BY_HAND,
}
OUTCOMES = frozenset({*_ANSWERS.values(), *_ACTS.values()})
"""How a delivery can have ended, or stopped at somebody's hands."""


def record_outcome(*, delivery: Delivery, at: datetime) -> None:
    """As `record_outcomes`, for one."""
    record_outcomes(deliveries=[delivery], at=at)


@transaction.atomic
def record_outcomes(*, deliveries: Sequence[Delivery], at: datetime, only_news: bool = False) -> None:
    """Let conversations know how deliveries ended at this moment, in a handful of statements for any number of them;
    called once the outcomes stand in their rows. What belongs to no conversation is left out, and with `only_news` what
    its conversation knows already.

    One that was refused opens again what was closed with it: the person still waits.
    """
    conversations = _hold_threads({(each.account_id, each.thread_id) for each in deliveries})
    told = _told(conversations.values(), at=at) if only_news else set()
    before = filing.snapshot(conversations.values())
    lines: dict[int, list[tuple[str, Conversation, dict[str, Any]]]] = {}
    fresh: dict[int, Conversation] = {}
    for delivery in deliveries:
        conversation = conversations.get((delivery.account_id, delivery.thread_id))
        if conversation is None or delivery.pk in told:
            continue
        fresh[conversation.id] = conversation
        lines.setdefault(conversation.brand_id, []).extend(_outcome_lines(delivery, conversation))
    filing.recompute_many(list(fresh.values()), before, at=at)
    for brand_id, some in lines.items():
        activity.record_many(some, brand=brand_id, at=at)


def remind_by_hand(*, deliveries: Sequence[Delivery], at: datetime) -> int:
    """Let the feed say that these tasks still wait; whom it concerns is told from there."""
    conversations = _hold_threads({(each.account_id, each.thread_id) for each in deliveries})
    lines: dict[int, list[tuple[str, Conversation, dict[str, Any]]]] = {}
    for delivery in deliveries:
        if row := conversations.get((delivery.account_id, delivery.thread_id)):
            data = {"person": row.member_name, "delivery": delivery.pk, "author": delivery.created_by_id}
            lines.setdefault(row.brand_id, []).append((activities.REMINDED, row, data))
    for brand_id, some in lines.items():
        activity.record_many(some, brand=brand_id, at=at)
    return sum(len(some) for some in lines.values())


def _hold_threads(threads: Collection[tuple[int, str]]) -> dict[tuple[int, str], Conversation]:
    """The conversations of these threads, held in the order in which everybody holds several."""
    accounts, names = {account for account, _ in threads}, {name for _, name in threads}
    found = Conversation.objects.filter(account_id__in=accounts, thread_id__in=names)
    ids = [id for id, *thread in found.values_list("id", "account_id", "thread_id") if tuple(thread) in threads]
    return {(row.account_id, row.thread_id): row for row in bulk.find(Conversation, "id", ids, is_locked=True)}


def _told(conversations: Iterable[Conversation], *, at: datetime) -> set[int | None]:
    """Of which deliveries that ended at this moment there is a line already."""
    lines = Activity.objects.filter(
        on_kind=Conversation._meta.label_lower, on_id__in=[row.id for row in conversations], at=at,
        type__in=OUTCOMES,
    )  # fmt: skip
    return {data.get("delivery") for data in lines.values_list("data", flat=True)}


def _outcome_lines(
    delivery: Delivery, conversation: Conversation
) -> Iterator[tuple[str, Conversation, dict[str, Any]]]:
    was_closed = delivery.state == Delivery.State.REFUSED and _open_what_it_closed(conversation, delivery)
    person = {"person": conversation.member_name}
    name = (_ANSWERS if delivery.message_id else _ACTS)[Delivery.State(delivery.state)]
    subject = delivery.message_id or delivery.on_id
    data = {"account": delivery.account_id, "thread": conversation.thread_id, "message": subject}
    more = {"delivery": delivery.pk, "author": delivery.created_by_id, "act": delivery.act}
    yield name, conversation, {**person, **data, **more}
    if was_closed:
        yield activities.REOPENED, conversation, person


def _conversation_of(delivery: Delivery) -> Conversation:
    return (
        Conversation.objects.select_for_update(of=("self",))
        .select_related("account", "brand")
        .defer("account__secrets")  # the end of a delivery is told even when they can't be read
        .get(account_id=delivery.account_id, thread_id=delivery.thread_id)
    )


# Whose it is


@transaction.atomic
def assign(
    *, conversation: Conversation, to: User | None, by: User | None, at: datetime,
    because: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Give the conversation to a teammate, or to nobody; `by` is None when the routing chose.

    Raises `NotAllowedHere` when they may not answer in this brand.
    """
    conversation = lock(conversation)
    if to is not None:
        membership = Membership.objects.filter(brand_id=conversation.brand_id, user=to).select_related("user").first()
        if membership is None or not membership.may("inbox.reply"):
            raise NotAllowedHere(_("{name} can't answer in this brand.").format(name=to))
    if conversation.owner_id == (to.id if to else None):
        return
    _give(conversation, to=to, by=by, at=at, because=because or {})


def _give(
    conversation: Conversation, *, to: User | None, by: User | None, at: datetime, because: Mapping[str, Any]
) -> None:
    conversation.owner, conversation.because = to, dict(because)
    conversation.save(update_fields=["owner", "because"])
    Assignment.objects.create(
        conversation=conversation, to=to, by_id=by.id if by else None, at=at, because=dict(because)
    )
    if to is None:
        _record(activities.UNASSIGNED, conversation, by=by, at=at)
    else:
        name = activities.ASSIGNED if by else activities.ROUTED
        _record(name, conversation, by=by, at=at, to=to.id, to_name=to.name)


# Labels


@transaction.atomic
def add_label(*, conversation: Conversation, label: Label, by: User | None, at: datetime) -> None:
    """Raises `NotAllowedHere` for another brand's label. Putting it on twice changes nothing."""
    put_on_labels(conversation=conversation, labels=[label], by=by, at=at)


@transaction.atomic
def put_on_labels(*, conversation: Conversation, labels: Sequence[Label], at: datetime, by: User | None = None) -> None:
    """Put on those that aren't on yet; one that somebody took off by hand is not put back by its words."""
    if any(label.brand_id != conversation.brand_id for label in labels):
        raise NotAllowedHere(_("That label belongs to another brand."))
    if not labels:
        return
    conversation = lock(conversation)
    kept_off = set() if by else _taken_off(conversation)
    fresh = [label for label in labels if label.id not in conversation.labels and label.id not in kept_off]
    if not fresh:
        return
    ConversationLabel.objects.bulk_create(
        [
            ConversationLabel(
                conversation=conversation, label=label, state=conversation.state,
                last_activity_at=conversation.last_activity_at,
            )
            for label in fresh
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    conversation.labels = [*conversation.labels, *(label.id for label in fresh)]
    _relabelled(conversation, at=at)
    for label in fresh:
        _record(activities.LABELLED, conversation, by=by, at=at, label=label.name, label_id=label.id)


@transaction.atomic
def remove_label(*, conversation: Conversation, label: Label, by: User, at: datetime) -> None:
    conversation = lock(conversation)
    if label.id not in conversation.labels:
        return
    ConversationLabel.objects.filter(conversation=conversation, label=label).delete()
    conversation.labels = [id for id in conversation.labels if id != label.id]
    _relabelled(conversation, at=at)
    _record(activities.UNLABELLED, conversation, by=by, at=at, label=label.name, label_id=label.id)


def delete_label(*, label: Label, at: datetime) -> None:
    """Do away with a label, and with what was promised for it.

    It comes off its conversations first, some at a time in transactions of their own, so that nobody's work waits long;
    cut short, it is still on the rest. Only promises for this very label make clocks change.
    """
    clocks = promises.clocks_for(label.brand) if Promise.objects.filter(label=label).exists() else None
    while _take_off_some(label, clocks, at=at):
        pass
    with transaction.atomic():
        Label.objects.select_for_update().filter(pk=label.pk).first()  # nobody puts it on any more
        while _take_off_some(label, clocks, at=at):
            pass
        label.delete()


@transaction.atomic
def _take_off_some(label: Label, clocks: promises.Clocks | None, *, at: datetime) -> int:
    links = ConversationLabel.objects.filter(label=label).order_by("conversation_id")
    ids = list(links.values_list("conversation_id", flat=True)[:LABELS_AT_ONCE])
    rows = list(Conversation.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    for conversation in rows:
        conversation.labels = [id for id in conversation.labels if id != label.id]
        if clocks and conversation.state != Conversation.State.CLOSED:
            promises.recompute(conversation, at=at, clocks=clocks)
    Conversation.objects.bulk_update(rows, ["labels", *promises.FIELDS] if clocks else ["labels"])
    links.filter(conversation__in=ids).delete()
    return len(ids)


def _taken_off(conversation: Conversation) -> set[int]:
    lines = Activity.objects.filter(
        on_kind=conversation._meta.label_lower, on_id=conversation.id, type=activities.UNLABELLED
    )
    return {line.data["label_id"] for line in lines}


def _relabelled(conversation: Conversation, *, at: datetime) -> None:
    promises.recompute(conversation, at=at)
    conversation.save(update_fields=["labels", *promises.FIELDS])


# Notes


@transaction.atomic
def add_note(*, conversation: Conversation, text: str, by: User | None, at: datetime) -> Note:
    """Write for the team's eyes, `by` nobody when a rule does; those named with @ are told.

    Raises `Empty`, `Problem` when it is too long.
    """
    text = tidy(text).strip()
    if not text:
        raise Empty(_("Write the note first."))
    if len(text) > MAX_NOTE:
        raise Problem(_("A note takes {limit} characters at most.").format(limit=MAX_NOTE))
    mentions = mentioned(text, conversation.brand_id)
    note = Note.objects.create(conversation=conversation, by=by, text=text, mentions=mentions, at=at)
    for id in mentions:
        if by is None or id != by.id:
            call = {"brand_id": conversation.brand_id, "at": at, "is_unread": True}
            Mention.objects.update_or_create(conversation=conversation, user_id=id, defaults=call)
    _record(activities.NOTED, conversation, by=by, at=at, note=note.id, mentions=mentions)
    return note


def mentioned(text: str, brand_id: int) -> list[int]:
    """Ids of the brand's people whose name, or first name when only one has it, follows an @ in the text; of names that
    begin alike the longest that stands there."""
    if "@" not in text:
        return []
    people = [membership.user for membership in Membership.objects.filter(brand_id=brand_id).select_related("user")]
    firsts = [person.name.split(" ")[0].casefold() for person in people if person.name]
    names: dict[str, set[int]] = {}
    for person in people:
        names.setdefault(person.name.casefold(), set()).add(person.id)
        if firsts.count(first := person.name.split(" ")[0].casefold()) == 1:
            names.setdefault(first, set()).add(person.id)
    names.pop("", None)
    longest = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    called = re.findall(rf"(?<!\w)@({longest})(?!\w)", text.casefold()) if names else []
    return sorted({id for name in called for id in names[name]})


# State


@transaction.atomic
def snooze(*, conversation: Conversation, until: datetime, by: User, at: datetime) -> None:
    """Put aside until a moment, or until the person writes again. Raises `Problem` for a moment that has passed."""
    if until <= at:
        raise Problem(_("Choose a moment that is still to come."))
    conversation = lock(conversation)
    conversation.state, conversation.snoozed_until = Conversation.State.SNOOZED, until
    conversation.snoozed_by_id, conversation.close_reason, conversation.closed_at = by.id, "", None
    _changed_state(conversation, at=at)
    _record(activities.SNOOZED, conversation, by=by, at=at, until=until.isoformat())


@transaction.atomic
def wake(*, conversation: Conversation, at: datetime, until: datetime | None = None, by: User | None = None) -> None:
    """Bring back what was put aside, with `until` only if it was until then; does nothing when it is back already."""
    conversation = lock(conversation)
    if conversation.state != Conversation.State.SNOOZED or until not in {None, conversation.snoozed_until}:
        return
    conversation.state, conversation.snoozed_until = Conversation.State.OPEN, None
    _changed_state(conversation, at=at)
    _record(activities.WOKEN, conversation, by=by, at=at, snoozed_by=conversation.snoozed_by_id)


@transaction.atomic
def close(*, conversation: Conversation, reason: str, by: User | None, at: datetime) -> None:
    """End it with a reason; a new message of the person opens it again. Raises `Problem` for an unknown reason."""
    if reason not in Conversation.Reason.values:
        raise Problem(_("Choose why it is closed."))
    conversation = lock(conversation)
    if conversation.state != Conversation.State.CLOSED:
        _close(conversation, reason=reason, by=by, at=at)


def _close(conversation: Conversation, *, reason: str, by: User | None, at: datetime, **facts: Any) -> None:
    if reason in SOLVED:
        promises.keep_outcomes([promises.outcome(conversation, promises.RESOLUTION, at=at)])
    conversation.state, conversation.close_reason = Conversation.State.CLOSED, reason
    conversation.closed_at, conversation.settled_to = at, filing.newest_read(conversation, turn=conversation.turn)
    conversation.snoozed_until = None
    promises.on_close(conversation, at=at)
    _changed_state(conversation, at=at)
    _record(activities.CLOSED, conversation, by=by, at=at, reason=reason, **facts)


@transaction.atomic
def reopen(*, conversation: Conversation, by: User, at: datetime) -> None:
    conversation = lock(conversation)
    if conversation.state == Conversation.State.OPEN:
        return
    _unsettle(conversation)
    conversation.state, conversation.close_reason, conversation.closed_at = Conversation.State.OPEN, "", None
    conversation.snoozed_until = conversation.settled_to = None
    promises.on_reopen(conversation, at=at)
    _changed_state(conversation, at=at)
    _record(activities.REOPENED, conversation, by=by, at=at)


def _changed_state(conversation: Conversation, *, at: datetime) -> None:
    filing.recompute(conversation, at=at)


# What one person sees


def save_draft(*, conversation: Conversation, user: User, text: str, at: datetime, is_note: bool = False) -> None:
    """Keep what somebody is writing, an answer and a note apart; an empty text forgets it."""
    if not text.strip():
        Draft.objects.filter(conversation=conversation, user=user, is_note=is_note).delete()
        return
    kept = {"text": tidy(text), "at": at}
    Draft.objects.update_or_create(conversation=conversation, user=user, is_note=is_note, defaults=kept)


def look(*, conversation: Conversation, user: User, is_typing: bool, at: datetime) -> None:
    """Say that somebody has the conversation before them, and whether they write."""
    Presence.objects.update_or_create(
        conversation=conversation, user=user, defaults={"seen_at": at, "typing_at": at if is_typing else None}
    )


def leave(*, conversation: Conversation, user: User) -> None:
    Presence.objects.filter(conversation=conversation, user=user).delete()


def mark_read(*, conversation: Conversation, user: User) -> None:
    Mention.objects.filter(conversation=conversation, user=user, is_unread=True).update(is_unread=False)
    Read.objects.update_or_create(conversation=conversation, user=user, defaults={"turn": conversation.turn})


def lock(conversation: Conversation) -> Conversation:
    """The conversation as it stands now, with its row held until the transaction ends."""
    return (
        Conversation.objects.select_for_update(of=("self",))
        .select_related("account", "brand", "owner")
        .get(pk=conversation.pk)
    )


def _record(name: str, conversation: Conversation, *, by: User | None, at: datetime, **data: Any) -> None:
    activity.record(
        name, on=conversation, brand=conversation.brand_id, by=by.id if by else None, at=at,
        person=conversation.member_name, **data,
    )  # fmt: skip
