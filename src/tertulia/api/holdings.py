"""What this room holds of people (`core.personal`)."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from tertulia.core.models import Activity
from tertulia.core.personal import Person, deleted, held, named, none

from .models import Event, KeptAnswer, Token, Webhook


def _events(person: Person) -> QuerySet[Event]:
    """Those that tell of the person's conversations."""
    mine = Activity.objects.filter(brand_id=person.brand, on_kind="inbox.conversation", on_id__in=person.conversations)
    return Event.objects.filter(webhook__brand=person.brand, activity_id__in=mine.values("pk"))


held(Event, _("What was told to other programs"), rows=_events, erase=deleted, without=("key",))
named(
    Event,
    _("What was told to other programs"),
    "body",
    "answer",
    drops=True,
    within=lambda p: Event.objects.filter(webhook__brand=p.brand),
)
named(
    KeptAnswer,
    _("Answers to other programs"),
    "body",
    drops=True,
    within=lambda p: KeptAnswer.objects.filter(token__brand=p.brand),
)
named(Webhook, _("Webhooks"), "last_answer", within=lambda p: Webhook.objects.filter(brand=p.brand), names=False)
none("A program's key, and whose it is.", Token)
