"""Reading campaigns."""

from __future__ import annotations

from django.db.models import F, Q, QuerySet

from tertulia.brand.models import Brand

from .models import Campaign


def campaigns(brand: Brand) -> QuerySet[Campaign]:
    """Those of a brand: what goes on first, what was closed last."""
    mine = Campaign.objects.filter(brand=brand).select_related("owner")
    return mine.order_by(F("closed_at").desc(nulls_first=True), F("starts_on").desc(nulls_last=True), "-pk")


def open_to(brand: Brand, chosen: int = 0) -> QuerySet[Campaign]:
    """Those something new can belong to, and the one it belongs to already."""
    return campaigns(brand).filter(Q(closed_at__isnull=True) | Q(pk=chosen))
