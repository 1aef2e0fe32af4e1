"""Whom texts name: `@{Obrador Lola}` becomes, on each account, the name that its network knows her by; where she has
none there, her plain name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.channels.forms import said as told
from tertulia.channels.models import Account
from tertulia.connectors.contract import Names
from tertulia.core import activity
from tertulia.core.html import tidy
from tertulia.team.models import User

from . import activities, queries
from .models import Handle
from .problems import Problem

LONGEST = 120
LONGEST_ADDRESS = 255
MOST = 2_000
_NAMED = re.compile(rf"@\{{([^{{}}\n]{{1,{LONGEST}}})\}}")

Known = Mapping[str, Mapping[str, str]]
"""By folded name, the addresses by network."""


def handles(brand: Brand) -> QuerySet[Handle]:
    """The people and companies that a brand's texts may name, in their order."""
    return Handle.objects.filter(brand=brand).order_by("folded")


def network_of(account: Account) -> str:
    return account.connector.network(account).casefold()[:80]


def network_name(account: Account) -> str:
    """As people call it."""
    connector = account.connector
    return told(connector.name) if network_of(account) == connector.key else connector.network(account)


def folded(name: str) -> str:
    return " ".join(name.split()).casefold()


# In a text.


def known(brand_id: int, texts: Iterable[str]) -> Known:
    """Those whom these texts name; asks nothing of the database where they name nobody."""
    wanted = {folded(name) for text in texts for name in named(text)}
    if not wanted:
        return {}
    return dict(Handle.objects.filter(brand=brand_id, folded__in=wanted).values_list("folded", "addresses"))


def named(text: str) -> list[str]:
    return list(dict.fromkeys(_NAMED.findall(text)))


def plain(text: str) -> str:
    """With the bare names."""
    return _NAMED.sub(lambda match: match[1].strip(), text)


def on_account(account: Account, known: Known) -> Callable[[str], str]:
    """How a text names people on an account."""

    def replace(match: re.Match[str]) -> str:
        address = address_of(match[1], account, known)
        return f"@{address}" if address else match[1].strip()

    return lambda text: _NAMED.sub(replace, text)


def address_of(name: str, account: Account, known: Known) -> str:
    """What the account's network calls somebody; "" where it doesn't, or nobody can be named there."""
    rule = account.capabilities.publishes
    if rule is None or rule.names is None:
        return ""
    return known.get(folded(name), {}).get(network_of(account), "")


# What is known of them.


@dataclass(frozen=True, slots=True)
class Network:
    """Where the brand publishes and people can be named."""

    key: str
    name: str
    rule: Names


def networks(brand: Brand) -> list[Network]:
    found: dict[str, Network] = {}
    for account in queries.accounts(brand):
        rule = account.capabilities.publishes
        if rule and rule.names:
            key = network_of(account)
            found.setdefault(key, Network(key, network_name(account), rule.names))
    return sorted(found.values(), key=lambda one: one.name.casefold())


def tidied(address: str, rule: Names) -> str:
    """An address as it is kept, "" for nothing. Raises `Problem` for what isn't one there."""
    address = tidy(address).strip().removeprefix("@")
    if address and (len(address) > LONGEST_ADDRESS or not re.fullmatch(rule.form, address, re.IGNORECASE)):
        raise Problem(_("Write it as in {example}.").format(example=rule.such_as))
    return address


@transaction.atomic
def keep(
    *, brand: Brand, handle: Handle | None, name: str, addresses: Mapping[str, str], by: User, at: datetime
) -> Handle:  # fmt: skip
    """Take somebody down, or change what is known of them; an empty address is taken away, one that isn't named stays.
    What is scheduled already keeps the names it was laid out with. Raises `Problem`."""
    name = " ".join(tidy(name).split())
    if not name or len(name) > LONGEST or set(name) & set("{}"):
        raise Problem(_("Write a name of up to {limit} characters, without braces.").format(limit=LONGEST))
    if handle is None and Handle.objects.filter(brand=brand).count() >= MOST:
        raise Problem(_("There are {limit} names already. Remove those that nobody uses.").format(limit=MOST))
    handle = handle or Handle(brand=brand)
    handle.name, handle.folded = name, folded(name)[:LONGEST]
    handle.addresses = {key: address for key, address in {**handle.addresses, **addresses}.items() if address}
    try:
        with transaction.atomic():
            handle.save()
    except IntegrityError:
        raise Problem(_("There is somebody of this name already.")) from None
    activity.record(activities.NAMED, on=handle, brand=brand.pk, by=by.pk, at=at, whom=handle.name)
    return handle


@transaction.atomic
def remove(*, handle: Handle, by: User, at: datetime) -> None:
    """Texts that name them say the plain name from now on."""
    activity.record(activities.UNNAMED, on=handle, brand=handle.brand_id, by=by.pk, at=at, whom=handle.name)
    handle.delete()
