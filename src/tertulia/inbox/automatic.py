"""The automatic answer of a channel: who writes hears at once that it arrived and when somebody will read it.

It answers nobody's question: the conversation waits as before, its promise runs on. So that two machines never talk to
each other (RFC 3834): none to a machine, at most one to an address a day and ten from a channel an hour, only to what
was written to us alone, just now and not as spam, and what leaves says that a machine wrote it.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from tertulia.brand import hours
from tertulia.brand.models import Brand
from tertulia.channels import intake as facts
from tertulia.channels.models import Account, Delivery, Message, Restriction
from tertulia.connectors import registry
from tertulia.connectors.contract import Capabilities
from tertulia.core import activity, dates
from tertulia.core import wake as wake_work
from tertulia.core.html import tidy
from tertulia.team.models import User
from tertulia.understanding.models import MessageReading

from . import actions, activities, allowed, filing
from .models import AutomaticAnswer, AutomaticReply, Conversation
from .wording import filled

FRESH = timedelta(hours=1)
"""What is older was fetched late, or comes from the time before the channel was connected."""
AGAIN = timedelta(days=1)
PER_HOUR = 10
KINDS = frozenset({"email", "direct", "chat"})
"""What is written to us alone. Where others read along, a machine's words would be a nuisance."""
LONGEST = 2_000
_WHEN = {
    "ca": ("avui a les {hour}", "demà a les {hour}", "el dia {on.day}/{on.month} a les {hour}", "tan aviat com puguem"),
    "de": (
        "heute um {hour} Uhr",
        "morgen um {hour} Uhr",
        "am {on.day}.{on.month}. um {hour} Uhr",
        "so bald wie möglich",
    ),
    "fr": ("aujourd’hui à {hour}", "demain à {hour}", "le {on.day}/{on.month} à {hour}", "dès que possible"),
    "it": ("oggi alle {hour}", "domani alle {hour}", "il giorno {on.day}/{on.month} alle {hour}", "appena possibile"),
    "pt": ("hoje às {hour}", "amanhã às {hour}", "no dia {on.day}/{on.month} às {hour}", "assim que pudermos"),
}
"""How {cuando} is said in the languages that the pages don't speak themselves."""


class NoText(actions.Problem):
    """It can't be switched on without words."""


def channels(brand: Brand) -> QuerySet[Account]:
    """Those that can answer by themselves: people write to us alone there, and we can write back."""
    able = [name for name, connector in registry.all_connectors().items() if _answers(connector.capabilities)]
    return Account.objects.filter(brand=brand, kind__in=able).select_related("brand").order_by("name", "pk")


def _answers(capabilities: Capabilities) -> bool:
    return "reply" in capabilities.writes and not capabilities.by_hand and not KINDS.isdisjoint(capabilities.reads)


@transaction.atomic
def set_reply(
    *, account: Account, is_on: bool, when: str, texts: Mapping[str, str], by: User, at: datetime
) -> AutomaticReply:
    """Keep what a channel answers by itself. `texts` by language, at least the brand's. Raises `NoText`."""
    kept = {language: said for language, text in texts.items() if (said := tidy(text).strip()[:LONGEST])}
    if is_on and not kept.get(account.brand.language):
        raise NoText(_("Write what it shall say, in the brand's own language."))
    before = AutomaticReply.objects.select_for_update().filter(account=account).first()
    since = before.since if before and before.is_on else at
    reply, _new = AutomaticReply.objects.update_or_create(
        account=account, defaults={"is_on": is_on, "when": when, "texts": kept, "since": since}
    )
    activity.record(
        activities.AUTOMATIC_REPLY_SET, on=account, brand=account.brand_id, by=by.pk, at=at, channel=account.name
    )
    return reply


def waiting(conversation_ids: Collection[int]) -> QuerySet[Conversation]:
    """Those of these conversations that are on a channel which answers by itself."""
    switched_on = AutomaticReply.objects.filter(is_on=True).values("account_id")
    found = Conversation.objects.filter(
        pk__in=conversation_ids, account_id__in=switched_on, waiting_since__isnull=False
    )
    return found.select_related("brand", "account")


def acknowledge(conversation: Conversation, *, at: datetime) -> Delivery | None:
    """Answer by itself what the person wrote last, if that is due; None when it isn't. May be repeated."""
    reply = AutomaticReply.objects.filter(account_id=conversation.account_id, is_on=True).first()
    last = allowed.last_inbound(conversation) if reply else None
    if reply is None or last is None or not _is_due(reply, conversation, last, at=at):
        return None
    with transaction.atomic():
        conversation = actions.lock(conversation)
        if conversation.waiting_since is None:  # somebody was quicker
            return None
        AutomaticReply.objects.select_for_update().get(account_id=conversation.account_id)  # one at a time
        if not _is_first_today(conversation.account_id, _address(last), at=at):
            return None
        return _send(conversation, last, text=_text(reply, conversation, at=at), at=at)


def _is_due(reply: AutomaticReply, conversation: Conversation, last: Message, *, at: datetime) -> bool:
    if last.is_automatic or last.deleted_at or last.kind not in KINDS or not _address(last):
        return False
    if Restriction.objects.filter(identity=last.identity_id).exists():
        return False
    if last.sent_at < max(reply.since, at - FRESH) or conversation.waiting_since is None:
        return False
    if reply.when == AutomaticReply.When.CLOSED and hours.of(conversation.brand).is_open(at):
        return False
    if MessageReading.objects.filter(message=last, spam=True).exists():
        return False
    possible = allowed.reply(conversation, at=at)
    return possible is not None and possible.is_possible and conversation.account.state == Account.State.ACTIVE


def _address(message: Message) -> str:
    who = message.identity
    return (who.email or who.remote_id).lower() if who else ""


def _is_first_today(account_id: int, address: str, *, at: datetime) -> bool:
    sent = AutomaticAnswer.objects.filter(account_id=account_id)
    if sent.filter(address=address, at__gt=at - AGAIN).exists():
        return False
    if sent.filter(at__gt=at - timedelta(hours=1)).count() >= PER_HOUR:
        return False
    AutomaticAnswer.objects.update_or_create(account_id=account_id, address=address, defaults={"at": at})
    return True


def _text(reply: AutomaticReply, conversation: Conversation, *, at: datetime) -> str:
    brand = conversation.brand
    language = conversation.language.partition("-")[0]
    # The brand may speak another language by now than when the words were written.
    language = next(each for each in (language, brand.language, *reply.texts) if reply.texts.get(each))
    with translation.override(language):
        when = _when(hours.of(brand).next_opening(at), at=at, zone=brand.time_zone, language=language)
    return filled(reply.texts[language], conversation=conversation, cuando=when, when=when)


def _when(opening: datetime | None, *, at: datetime, zone: str, language: str) -> str:
    """As one says it: «hoy a las 9:00», «mañana a las 9:00», «el lunes, 30 de noviembre, a las 9:00»."""
    today, tomorrow, on_day, soon = _WHEN.get(language) or (
        _("today at {hour}"), _("tomorrow at {hour}"), _("on {day} at {hour}"), _("as soon as we can"),
    )  # fmt: skip
    if opening is None or opening <= at:
        return soon
    local = opening.astimezone(ZoneInfo(zone))
    on = local.date()
    said = {0: today, 1: tomorrow}.get((on - at.astimezone(ZoneInfo(zone)).date()).days, on_day)
    return said.format(hour=f"{local.hour}:{local:%M}", day=dates.day(on), on=on)


def _send(conversation: Conversation, last: Message, *, text: str, at: datetime) -> Delivery:
    key = secrets.token_urlsafe(24)
    message = Message.objects.create(
        account=conversation.account, remote_id=f"{facts.PENDING}{key}", thread_id=conversation.thread_id,
        author_name=conversation.brand.name, direction=Message.Direction.OUT, kind=last.kind, text=text,
        sent_at=max(at, conversation.last_activity_at), received_at=at, is_automatic=True,
    )  # fmt: skip
    facts.index_message(message)
    delivery = Delivery.objects.create(
        account=conversation.account, thread_id=conversation.thread_id, message=message, key=key,
        to={**facts.target(last), "is_automatic": True}, due_at=at, created_at=at,
    )  # fmt: skip
    filing.recompute(conversation, at=at)
    activity.record(
        activities.ACKNOWLEDGED, on=conversation, brand=conversation.brand_id, by=None, at=at, message=message.pk
    )
    wake_work.after_commit()
    return delivery
