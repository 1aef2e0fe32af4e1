"""What this room holds of people (`core.personal`)."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from tertulia.channels.models import Message
from tertulia.core.personal import Person, blanked, deleted, held, named, none

from . import teaching
from .models import (
    Brain,
    BrainCall,
    BrainMonth,
    BrandLayer,
    Correction,
    Example,
    Import,
    MessageReading,
    Topic,
    Translation,
)  # fmt: skip


def _unlearnt(rows: QuerySet[Correction], person: Person) -> None:
    if rows.exists():
        rows.delete()
        teaching.unlearn(brand=person.brand, at=person.at)


def _calls(person: Person) -> QuerySet[BrainCall]:
    mine = set(person.messages)
    rows = BrainCall.objects.filter(brain__brand=person.brand).values_list("pk", "messages").iterator()
    return BrainCall.objects.filter(pk__in=[pk for pk, messages in rows if not mine.isdisjoint(messages)])


def _examples(person: Person) -> QuerySet[Example]:
    """Examples that came in a file have no writer; those that say word for word what the person wrote are theirs."""
    texts = [text for text in Message.objects.filter(pk__in=person.messages).values_list("text", flat=True) if text]
    return Example.objects.filter(source__brand=person.brand, text__in=texts)


def _forget_examples(rows: QuerySet[Example], person: Person) -> None:
    if rows.exists():
        rows.delete()
        teaching.unlearn(brand=person.brand, at=person.at)


held(
    Correction,
    _("Corrections of what was understood"),
    erase=_unlearnt,
    rows=lambda p: Correction.objects.filter(message__in=p.messages),
)
held(Example, _("Examples that a model learnt from"), rows=_examples, erase=_forget_examples)
held(
    MessageReading,
    _("What was understood of their messages"),
    erase=blanked(questions=[], why={}),
    rows=lambda p: MessageReading.objects.filter(message__in=p.messages),
)
held(BrainCall, _("What left for another model"), rows=_calls, erase=deleted)
held(
    Translation,
    _("Translations of their messages"),
    erase=deleted,
    rows=lambda p: Translation.objects.filter(message__in=p.messages),
)
named(
    Example,
    _("Examples that a model learnt from"),
    "text",
    drops=True,
    within=lambda p: Example.objects.filter(source__brand=p.brand),
)
named(
    BrainCall,
    _("What left for another model"),
    "sent",
    "got",
    drops=True,
    within=lambda p: BrainCall.objects.filter(brain__brand=p.brand),
)
named(
    Translation,
    _("Translations of their messages"),
    "text",
    drops=True,
    within=lambda p: Translation.objects.filter(brand=p.brand),
)
named(Topic, _("The brand's own topics"), "name", names=False, within=lambda p: Topic.objects.filter(brand=p.brand))
none("Weights without words; learnt anew once a correction it came from is gone.", BrandLayer)
none("Settings of the brand, and figures.", Brain, BrainMonth, Import)
