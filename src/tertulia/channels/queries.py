"""Reading accounts."""

from __future__ import annotations

from django.db.models import Count, OuterRef, QuerySet, Subquery

from tertulia.brand.models import Brand
from tertulia.connectors import registry

from .forms import said
from .models import Account, Quarantine


def accounts(brand: Brand) -> QuerySet[Account]:
    """The accounts of a brand, without their secrets."""
    return Account.objects.filter(brand=brand).defer("secrets").order_by("name", "pk")


def quarantined(brand: Brand) -> QuerySet[Quarantine]:
    """What could not be read and nobody has dealt with, without the originals."""
    waiting = Quarantine.objects.filter(account__brand=brand, settled_at=None)
    return waiting.select_related("account").defer("body", "account__secrets").order_by("-id")


def readable_again(brand: Brand) -> QuerySet[Account]:
    """The accounts of which deliveries wait to be read again, each with how many (`waiting`)."""
    waiting = Quarantine.objects.filter(account__brand=brand, settled_at=None).exclude(headers={})
    counted = waiting.order_by().values("account").annotate(n=Count("pk"))
    mine = counted.filter(account=OuterRef("pk")).values("n")
    return accounts(brand).annotate(waiting=Subquery(mine)).filter(waiting__gt=0)


def channels_of(brand: Brand) -> list[tuple[str, str]]:
    """The channels a brand has accounts on, as (key, name): what somebody can be said to be good at."""
    kinds = Account.objects.filter(brand=brand).values_list("kind", flat=True).distinct()
    known = registry.all_connectors()
    return [(kind, said(known[kind].name) if kind in known else kind) for kind in sorted(set(kinds))]
