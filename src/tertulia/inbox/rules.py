"""A brand's rules: «if … then …» over what was read of a message, in their order, until one says "stop here".

They run in the job that reads, after the labels and before the routing, on what arrived since they were switched on.
Each acts once on a message, which a row remembers (`RuleAct`), and none ever answers. Run twice, nothing happens twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, Min

from tertulia.brand.models import Brand
from tertulia.channels.models import Message
from tertulia.core import activity
from tertulia.team.models import User
from tertulia.understanding.learning import TOPIC
from tertulia.understanding.models import MessageReading, Topic

from . import actions, activities, labelling
from .models import Conversation, Label, Rule, RuleAct

log = logging.getLogger(__name__)

LOOKS_BACK = timedelta(days=2)
"""What was understood later than this after it came is left to people."""
TRIED = 500
COUNTED = timedelta(days=30)
MAY_BE_SPAM: Final = ("spam", "other")
"""Kinds of message a rule may close as spam; whatever else a message is, somebody looks at it first."""


@dataclass(frozen=True, slots=True)
class Case:
    """A message that was read, in its conversation."""

    message: Message
    reading: MessageReading
    conversation: Conversation
    known_since: datetime
    """When the person's first conversation began."""
    topics: Collection[str]
    """What was read, without topics that were removed since."""


def _person(case: Case, wanted: str) -> bool:
    return (case.known_since < case.message.sent_at) == (wanted == "known")


def _known_since(conversations: Collection[Conversation]) -> dict[int, datetime]:
    """By the person."""
    theirs = Conversation.objects.filter(member__in={row.member_id for row in conversations})
    return dict(theirs.values_list("member").annotate(Min("created_at")))


def _removed(rules: Collection[Rule]) -> dict[int, set[str]]:
    """By their brand, the removed topics, where rules ask for topics at all."""
    brands = {rule.brand_id for rule in rules if "topic" in rule.conditions}
    found: dict[int, set[str]] = {}
    for brand, slug in Topic.objects.filter(brand__in=brands, removed_at__isnull=False).values_list("brand", "slug"):
        found.setdefault(brand, set()).add(slug)
    return found


CONDITIONS: dict[str, Callable[[Case, Any], bool]] = {
    "account": lambda case, wanted: case.message.account_id == wanted,
    "channel": lambda case, wanted: case.conversation.channel == wanted,
    "kind": lambda case, wanted: case.reading.kind == wanted,
    "sentiment": lambda case, wanted: case.reading.sentiment == wanted,
    "urgency": lambda case, wanted: case.reading.urgency >= wanted,
    "offensive": lambda case, wanted: case.reading.offensive == wanted,
    "language": lambda case, wanted: case.reading.language == wanted,
    "topic": lambda case, wanted: wanted in case.topics,
    "subject": lambda case, wanted: case.message.subject.strip().casefold().startswith(wanted.casefold()),
    "words": lambda case, wanted: labelling.holds_any(f"{case.message.subject}\n{case.message.text}", wanted),
    "person": _person,
}
"""Each alone; a rule without any holds for every message. `confidence` asks how sure those that were read are."""

READ = {"kind", "sentiment", "urgency", "offensive", "language", "topic"}


def holds(rule: Rule, case: Case) -> bool:
    """Whether all conditions of the rule are met. A condition nobody knows is not."""
    wanted = {name: value for name, value in rule.conditions.items() if name != "confidence"}
    if not all(name in CONDITIONS and CONDITIONS[name](case, value) for name, value in wanted.items()):
        return False
    least = rule.conditions.get("confidence", 0) / 100
    return all(_sure(case.reading, name, wanted[name]) >= least for name in READ & wanted.keys())


def _sure(reading: MessageReading, name: str, wanted: Any) -> float:
    return reading.sure_of(f"{TOPIC}{wanted}" if name == "topic" else name)


# Acting


def apply(conversation_ids: Collection[int], *, at: datetime) -> list[tuple[Rule, Case]]:
    """Let the rules of these conversations' brands act on what arrived since they were switched on. Returns what is to
    become an idea, the same when it is run twice: ideas are made elsewhere."""
    conversations = list(Conversation.objects.filter(pk__in=conversation_ids).select_related("brand", "account"))
    rules: dict[int, list[Rule]] = {}
    brands = {row.brand_id for row in conversations}
    for rule in Rule.objects.filter(brand__in=brands, on_at__isnull=False).order_by("position", "id"):
        rules.setdefault(rule.brand_id, []).append(rule)
    removed = _removed([rule for of_brand in rules.values() for rule in of_brand])
    cases = list(_cases([row for row in conversations if row.brand_id in rules], removed, at=at))
    done: dict[int, set[int]] = {}
    acts = RuleAct.objects.filter(message__in=[case.message.pk for case in cases])
    for message_id, rule_id in acts.values_list("message", "rule"):
        done.setdefault(message_id, set()).add(rule_id)
    return [
        (rule, case)
        for case in cases
        for rule in _apply_to(case, rules[case.conversation.brand_id], done.get(case.message.pk, set()), at=at)
        if rule.acts.get("idea")
    ]


def _cases(
    conversations: Sequence[Conversation], removed: Mapping[int, Collection[str]], *, at: datetime
) -> Iterator[Case]:
    threads = {(row.account_id, row.thread_id): row for row in conversations}
    if not threads:
        return
    found = MessageReading.objects.select_related("message").filter(
        message__account_id__in={account for account, _ in threads},
        message__thread_id__in={thread for _, thread in threads},
        message__direction=Message.Direction.IN, message__is_automatic=False, message__deleted_at__isnull=True,
        message__received_at__gte=at - LOOKS_BACK, message__identity__restriction__isnull=True,
    ).defer("message__raw")  # fmt: skip
    since = _known_since(conversations)
    for reading in found.order_by("pk"):
        thread = reading.message.account_id, reading.message.thread_id
        if thread in threads:
            row = threads[thread]
            yield _case(reading, row, since, removed)


def _case(
    reading: MessageReading, row: Conversation, since: Mapping[int, datetime], removed: Mapping[int, Collection[str]]
) -> Case:
    topics = set(reading.topics).difference(removed.get(row.brand_id, ()))
    return Case(reading.message, reading, row, since[row.member_id], topics)


def _apply_to(case: Case, rules: Sequence[Rule], done: Collection[int], *, at: datetime) -> list[Rule]:
    """The rules that hold for it, each of which has acted on it by now."""
    met = []
    for rule in rules:
        if rule.on_at is None or case.message.received_at < rule.on_at:
            continue
        is_met = rule.pk in done or holds(rule, case)
        if is_met and rule.pk not in done:
            _act(rule, case, at=at)
        if is_met:
            met.append(rule)
        if is_met and rule.stops:
            break
    return met


@transaction.atomic
def _act(rule: Rule, case: Case, *, at: datetime) -> None:
    """Do what the rule says and write down that it was done, in one transaction; nothing when another was quicker."""
    conversation = actions.lock(case.conversation)
    act, is_first = RuleAct.objects.get_or_create(rule=rule, message=case.message, defaults={"at": at})
    if not is_first:
        return
    activity.record(
        activities.RULED, on=conversation, brand=conversation.brand_id, at=at, person=conversation.member_name,
        rule=rule.name, rule_id=rule.pk, message=case.message.pk, tell=rule.acts.get("tell", []),
        managers=bool(rule.acts.get("managers")),
    )  # fmt: skip
    act.did = [name for name in rule.acts if name in ACTS and _does(name, rule, conversation, case, at=at)]
    act.save(update_fields=["did"])


def _does(name: str, rule: Rule, conversation: Conversation, case: Case, *, at: datetime) -> bool:
    """Whether it was done; one that can't be done keeps none of the others."""
    try:
        return ACTS[name](conversation, case, rule.acts[name], at)
    except actions.Problem as problem:
        log.warning("Rule %s can't do its “%s”: %s", rule.pk, name, problem)
        return False


def _label(conversation: Conversation, _case: Case, ids: list[int], at: datetime) -> bool:
    labels = list(Label.objects.filter(brand=conversation.brand_id, pk__in=ids))
    actions.put_on_labels(conversation=conversation, labels=labels, at=at)
    return bool(labels)


def _give(conversation: Conversation, _case: Case, id: int, at: datetime) -> bool:
    to = User.objects.filter(pk=id, is_active=True).first()
    if to is not None:
        actions.assign(conversation=conversation, to=to, by=None, at=at)
    return to is not None


def _note(conversation: Conversation, _case: Case, text: str, at: datetime) -> bool:
    actions.add_note(conversation=conversation, text=text, by=None, at=at)
    return True


def _close(conversation: Conversation, case: Case, reason: str, at: datetime) -> bool:
    """As spam only what was read as such or as nothing in particular; and nothing behind which more has come."""
    reasons = Conversation.Reason
    is_newest = conversation.last_inbound_at is None or conversation.last_inbound_at <= case.message.sent_at
    may = reason == reasons.NO_ANSWER_NEEDED or (reason == reasons.SPAM and case.reading.kind in MAY_BE_SPAM)
    if may and is_newest:
        actions.close(conversation=conversation, reason=reason, by=None, at=at)
    return may and is_newest


ACTS: dict[str, Callable[[Conversation, Case, Any, datetime], bool]] = {
    "labels": _label,
    "owner": _give,
    "tell": lambda *_: True,
    "managers": lambda *_: True,
    "note": _note,
    "idea": lambda *_: True,
    "close": _close,
}
"""Each says whether it was done. Whom to tell stands in the feed's line, from where everybody is told; of what is to
become an idea `apply` tells."""


# Before and after


def tried(rule: Rule, *, most: int = TRIED) -> tuple[int, list[Case]]:
    """How many of the brand's newest messages were looked at, and on which of them the rule would have acted."""
    newest = MessageReading.objects.filter(
        brand=rule.brand_id, message__is_automatic=False, message__deleted_at__isnull=True
    )
    readings = list(newest.select_related("message").defer("message__raw").order_by("-pk")[:most])
    accounts, threads = {r.message.account_id for r in readings}, {r.message.thread_id for r in readings}
    found = Conversation.objects.filter(brand=rule.brand_id, account__in=accounts, thread_id__in=threads)
    conversations = {(row.account_id, row.thread_id): row for row in found}
    since, removed = _known_since(conversations.values()), _removed([rule])
    cases = [
        _case(reading, row, since, removed)
        for reading in readings
        if (row := conversations.get((reading.message.account_id, reading.message.thread_id)))
    ]
    return len(cases), [case for case in cases if holds(rule, case)]


def counts(brand: Brand, *, at: datetime) -> dict[int, int]:
    """On how many messages each rule has acted in the last 30 days."""
    acted = RuleAct.objects.filter(rule__brand=brand, at__gte=at - COUNTED).values_list("rule").annotate(Count("pk"))
    return dict.fromkeys(Rule.objects.filter(brand=brand).values_list("pk", flat=True), 0) | dict(acted)


# Keeping them


@transaction.atomic
def keep(*, rule: Rule, by: User, at: datetime) -> None:
    """Keep a new rule, behind the others and switched off, or a changed one where it stands."""
    if rule.pk is None:
        last = Rule.objects.filter(brand=rule.brand_id).order_by("-position").first()
        rule.position = last.position + 1 if last else 1
    rule.save()
    _record(activities.RULE_KEPT, rule, by=by, at=at)


@transaction.atomic
def switch(*, rule: Rule, is_on: bool, by: User, at: datetime) -> None:
    """On, for what arrives from now on; or off."""
    rule.on_at = at if is_on else None
    rule.save(update_fields=["on_at"])
    _record(activities.RULE_ON if is_on else activities.RULE_OFF, rule, by=by, at=at)


@transaction.atomic
def move_up(*, rule: Rule, by: User, at: datetime) -> None:
    """Before the one it stands behind."""
    rows = list(Rule.objects.select_for_update().filter(brand=rule.brand_id).order_by("position", "id"))
    place = next(n for n, each in enumerate(rows) if each.pk == rule.pk)
    if place:
        rows[place - 1], rows[place] = rows[place], rows[place - 1]
        for position, each in enumerate(rows, 1):
            each.position = position
        Rule.objects.bulk_update(rows, ["position"])
        _record(activities.RULE_KEPT, rule, by=by, at=at)


@transaction.atomic
def remove(*, rule: Rule, by: User, at: datetime) -> None:
    _record(activities.RULE_GONE, rule, by=by, at=at)
    rule.delete()


def _record(name: str, rule: Rule, *, by: User, at: datetime) -> None:
    activity.record(name, on=rule, brand=rule.brand_id, by=by.pk, at=at, rule=rule.name, person="")
