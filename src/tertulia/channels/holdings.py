"""What this room holds of people (`core.personal`)."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from tertulia.connectors.contract import Outcome
from tertulia.core import clock, malware
from tertulia.core.personal import Person, deleted, held, named, none

from . import erasures, intake, screening, search
from .models import (
    Account,
    AccountWatch,
    Admission,
    Delivery,
    Erased,
    ErasureKey,
    Identity,
    Message,
    MessageVersion,
    Metric,
    Original,
    PostMetric,
    PostWatch,
    Quarantine,
    Reconciliation,
    RemotePost,
    Restriction,
    Retention,
)

_IN = Message.Direction.IN


def _messages(person: Person) -> QuerySet[Message]:
    return Message.objects.filter(pk__in=person.messages)


def _deliveries(person: Person) -> QuerySet[Delivery]:
    mine = Q(message__in=person.messages) | Q(on__in=person.messages)
    return Delivery.objects.filter(mine, account__brand=person.brand)


def _erase_messages(rows: QuerySet[Message], person: Person) -> None:
    """The row stays for what is counted: when it came and went, and on which channel. What it said is gone."""
    rows = rows.select_related("account", "identity").defer("account__secrets")
    alone = {thread for thread in rows.values_list("account", "thread_id").distinct() if _is_alone(thread, person)}
    for message in list(rows):
        if message.remote_id.startswith(erasures.ERASED):
            continue
        intake.unindex_message(message)
        account = message.account
        if (account.pk, message.thread_id) in alone and message.thread_id:
            message.thread_id = erasures.stand_in(account, message.thread_id)
        if message.direction == _IN:
            message.author_name = ""
        message.remote_id = erasures.stand_in(account, message.remote_id)
        message.identity, message.raw = None, None
        message.subject = message.text = message.html = message.quoted = message.url = message.in_reply_to = ""
        message.attachments, message.hints, message.about = [], {}, {}
        message.save()
        intake.index_message(message)


def _is_alone(thread: tuple[int, str], person: Person) -> bool:
    """Whether nobody else wrote in it: then it may be called by what the person is called."""
    account, name = thread
    return not Message.objects.filter(account=account, thread_id=name).exclude(pk__in=person.messages).exists()


def _erase_deliveries(rows: QuerySet[Delivery], person: Person) -> None:
    """After the messages, whose threads are called otherwise by then."""
    for delivery in rows.select_related("message", "on"):
        subject = delivery.message or delivery.on
        delivery.thread_id = subject.thread_id if subject else delivery.thread_id
        delivery.to, delivery.task, delivery.because, delivery.why = {}, {}, "", ""
        delivery.save(update_fields=["thread_id", "to", "task", "because", "why"])


def _files(original: Original) -> Iterator[tuple[str, bytes]]:
    """The message as it arrived, and each file that came with it. Malware is given to nobody."""
    message = original.message
    try:
        content = screening.check(original, at=clock.now())
    except malware.Found as found:
        yield f"{message.pk}-left-out.txt", f"{message.pk}.eml: {found}\n".encode()
        return
    yield f"{message.pk}.eml", content
    for number, attached in enumerate(message.attachments):
        if "part" in attached:
            try:
                inner = message.account.connector.open_part(content, attached["part"])
            except Outcome:
                continue  # it is in the whole message beside it
            yield f"{message.pk}-{number}-{attached.get('name') or number}", inner


def _others_messages(person: Person) -> QuerySet[Message]:
    """Where the person took part, and what the index finds."""
    found: set[int] = set()
    for mark in (*person.marks, *person.names):
        found.update(search.find(person.brand, mark, limit=1_000))
    threads = Q(pk__in=[])
    rows = Message.objects.filter(pk__in=person.messages).exclude(thread_id="")
    for account, thread in rows.values_list("account", "thread_id").distinct():
        threads |= Q(account=account, thread_id=thread)
    rows = Message.objects.filter(Q(pk__in=found) | threads, account__brand=person.brand)
    return rows.exclude(pk__in=person.messages).select_related("account").defer("account__secrets")


def _save_masked(message: Message, changed: list[str]) -> None:
    before = Message.objects.select_related("account").get(pk=message.pk)
    intake.unindex_message(before)
    message.save(update_fields=changed)
    intake.index_message(message)


held(Message, _("Messages"), rows=_messages, erase=_erase_messages)
held(
    Original, _("Messages as they arrived, and their files"), rows=lambda p: Original.objects.filter(
        message__in=p.messages).select_related("message__account"),
    erase=deleted, files=_files, without=("content", "looked_at"),
)  # fmt: skip
held(
    MessageVersion,
    _("Earlier texts of messages that were edited"),
    erase=deleted,
    rows=lambda p: MessageVersion.objects.filter(message__in=p.messages),
)
held(Delivery, _("How our answers left"), rows=_deliveries, erase=_erase_deliveries, without=("key",))
held(
    Restriction,
    _("That their data is restricted"),
    erase=deleted,
    rows=lambda p: Restriction.objects.filter(identity__in=p.identities),
)
held(Identity, _("What channels call them"), erase=deleted, rows=lambda p: Identity.objects.filter(pk__in=p.identities))
named(
    Message, _("Messages of others"), "subject", "text", "html", "quoted", "author_name", "about", "raw",
    "attachments", "url", within=_others_messages, save=_save_masked,
)  # fmt: skip
named(
    MessageVersion,
    _("Earlier texts of others' messages"),
    "text",
    "html",
    within=lambda p: MessageVersion.objects.filter(message__in=_others_messages(p).values("pk")),
)
named(
    Delivery, _("Answers to others, and letters"), "to", "task", "because", "why", "thread_id",
    within=lambda p: Delivery.objects.filter(account__brand=p.brand).exclude(state="sending"), names=False,
)  # fmt: skip
named(
    Quarantine,
    _("What could not be read"),
    "body",
    "headers",
    "why",
    drops=True,
    within=lambda p: Quarantine.objects.filter(account__brand=p.brand),
)
named(
    RemotePost,
    _("What we published"),
    "draft",
    names=False,
    within=lambda p: RemotePost.objects.filter(account__brand=p.brand),
)
named(Account, _("Channels"), "trouble", "health", within=lambda p: Account.objects.filter(brand=p.brand), names=False)
none("What stands here is of an account that the brand itself connects.", Admission, AccountWatch)
none("Figures, and no people.", Reconciliation, Metric, PostMetric, PostWatch)
none("A digest that tells nobody who it was; it keeps them erased.", Erased, ErasureKey)
none("How long a channel keeps what was written.", Retention)
