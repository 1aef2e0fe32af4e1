"""Mail for a platform without an API: the brand's own address with the account's tag behind a plus."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256

from django.utils.text import slugify

from tertulia.brand.models import Brand
from tertulia.connectors import registry

from .models import Account

_TAGGED = re.compile(r"[^@]+\+(?:[^@+]*-)?([0-9a-f]{8})@[^@]+")


def tag(account: Account) -> str:
    """Says in words where it leads, and by its end that nobody guesses, whatever the account is called later."""
    return f"{slugify(account.name)[:20].strip('-') or 'mail'}-{_end(account.public_key)}"


def addresses(account: Account) -> list[str]:
    """Where mail for this account is sent or forwarded to: one for each mailbox of the brand."""
    kinds = [key for key, one in registry.all_connectors().items() if "email" in one.capabilities.reads]
    mailboxes = Account.objects.filter(brand=account.brand_id, kind__in=kinds).order_by("pk")
    own = [str(each.settings.get("address", "")) for each in mailboxes.only("settings")]
    return [f"{name}+{tag(account)}@{domain}" for name, at, domain in (one.partition("@") for one in own) if at]


def account_of(brand: Brand | int, to: Iterable[str]) -> Account | None:
    """The account whose tag one of these addresses carries; None for mail that is just mail."""
    ends = {found[1] for one in to if (found := _TAGGED.fullmatch(one.strip().lower()))}
    if not ends:
        return None
    kinds = [key for key, one in registry.all_connectors().items() if one.capabilities.is_posted]
    there = Account.objects.filter(brand=brand, kind__in=kinds).select_related("brand").order_by("pk")
    return next((account for account in there if _end(account.public_key) in ends), None)


def _end(public_key: str) -> str:
    return sha256(public_key.encode()).hexdigest()[:8]
