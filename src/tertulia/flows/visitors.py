"""The public door: what a visitor of a company's page may ask of a hosted channel.

`docs/widget.md` describes the protocol. A visitor is known by the signed token in their hand and by nothing else; the
page they come from must be of an allowed origin. The live stream (`project`) asks here too: `recognise`,
`is_allowed` and `message` are all it needs.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from tertulia.brand import hours
from tertulia.brand.models import Brand
from tertulia.channels.models import Account, Delivery, Message
from tertulia.connectors import registry
from tertulia.connectors.contract import Inbound
from tertulia.core.models import Heartbeat

from . import inbound as inbound_flow
from . import limits

SHOWN = 100
"""Messages a visitor gets back: the newest of their thread."""
AT_THE_DESK = timedelta(seconds=60)
"""So long after its last sign of life somebody's open page still counts as somebody being there."""


class Closed(Exception):
    """The channel is paused, or isn't one that visitors come to."""


def account_of(public_key: str) -> Account:
    """The hosted account of this key. Raises `Account.DoesNotExist`, `Closed`."""
    account = Account.objects.select_related("brand").get(public_key=public_key)
    if not account.capabilities.hosted or account.state == Account.State.PAUSED:
        raise Closed
    return account


def is_allowed(account: Account, origin: str, *, own: str = "") -> bool:
    """Whether pages of this origin may talk to the account. `own` is the desk's own, as the request named it."""
    return origin in {own, settings.PUBLIC_URL} or origin in account.connector.origins(account)


def recognise(account: Account, token: str) -> str:
    """The thread this visitor may read. Raises `BadPayload` for a token that isn't ours."""
    return account.connector.recognise(account, token)


def greet(account: Account, *, token: str, language: str, address: str, at: datetime) -> dict[str, Any]:
    """Everything the widget needs to show itself. Raises `limits.TooMany`."""
    limits.count_look(address=address, at=at)
    visit = account.connector.welcome(account, token, at)
    brand = account.brand
    opens_at = None if hours.is_open(brand, at) else hours.next_opening(brand, at)
    return {
        "is_open": opens_at is None and is_somebody_there(brand, at),
        "opens_at": opens_at.isoformat() if opens_at else None,
        "visitor": visit.token,
        "ticket": visit.ticket,
        "brand": brand.name,
        "colour": brand.colour,
        "on_colour": readable_on(brand.colour),
        "texts": account.connector.widget_texts(language, is_formal=brand.treatment == Brand.Treatment.FORMAL),
        "greeting": str(account.settings.get("greeting") or ""),
        **_thread(account, visit.thread_id, seen=""),
    }


def is_somebody_there(brand: Brand, at: datetime) -> bool:
    """Whether anyone of the brand has the desk open: their live stream beats for it."""
    return Heartbeat.objects.filter(name=heartbeat_name(brand.pk), at__gt=at - AT_THE_DESK).exists()


def heartbeat_name(brand_id: int) -> str:
    """Written by the live stream while anyone of the brand is connected to it."""
    return f"desk:{brand_id}"


def readable_on(colour: str) -> str:
    """Black or white, whichever stands out more: at least 4.5 to 1 on any colour (WCAG's relative luminance)."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return "#000000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else "#ffffff"


def write(account: Account, inbound: Inbound) -> tuple[dict[str, Any], bool]:
    """Take one message of a visitor in; again with the same id changes nothing. Returns it, and whether it is new.

    Raises `BadPayload` and `TurnedAway` of the contract, and `limits.TooMany`.
    """
    (envelope,) = account.connector.receive(account, inbound)
    written = Message.objects.filter(account=account, remote_id=envelope.remote_id)
    is_new = not written.exists()
    if is_new:
        limits.count_message(account, thread_id=envelope.thread_id, address=inbound.remote_address, at=inbound.at)
        inbound_flow.intake(account, [envelope], at=inbound.at)
    return as_visitor_sees(written.get()), is_new


def read(account: Account, *, token: str, seen: str, address: str, at: datetime) -> dict[str, Any]:
    """The visitor's messages, or none when nothing has changed since the state named by `seen`.

    Raises `BadPayload`, `limits.TooMany`.
    """
    limits.count_look(address=address, at=at)
    return _thread(account, recognise(account, token), seen=seen)


def message(account: Account, *, thread_id: str, message_id: int) -> dict[str, Any] | None:
    """One message as the visitor of this thread sees it; None when it isn't theirs, or not yet."""
    found = _visible(account, thread_id).filter(pk=message_id).first()
    return as_visitor_sees(found) if found else None


def as_visitor_sees(message: Message) -> dict[str, Any]:
    is_theirs = message.direction == Message.Direction.IN
    return {
        "id": message.pk,
        "key": message.remote_id.rpartition(":")[2] if is_theirs else "",
        "from": "visitor" if is_theirs else "brand",
        "name": message.author_name,
        "text": "" if message.deleted_at else message.text,
        "at": message.sent_at.isoformat(),
        "deleted": message.deleted_at is not None,
    }


def widget() -> bytes:
    """The script that pages embed."""
    hosted = (connector for connector in registry.all_connectors().values() if connector.capabilities.hosted)
    return next(hosted).widget()


def _linear(channel: float) -> float:
    return float(((channel + 0.055) / 1.055) ** 2.4) if channel > 0.04045 else channel / 12.92


def _thread(account: Account, thread_id: str, *, seen: str) -> dict[str, Any]:
    """The newest messages and the name of this state.

    A place in the order of ids would not do as a cursor: an answer gets its id when it is written and is shown only
    once it can no longer be taken back, and edits and deletions move no id at all.
    """
    newest = _visible(account, thread_id).order_by("-sent_at", "-id")
    state = list(newest.values_list("id", "edited_at", "deleted_at")[:SHOWN])
    name = sha256(repr(state).encode()).hexdigest()[:16] if state else ""
    shown = [] if name == seen else [as_visitor_sees(row) for row in reversed(newest[:SHOWN])]
    return {"messages": shown, "after": name}


def _visible(account: Account, thread_id: str) -> QuerySet[Message]:
    """What the visitor wrote and what has reached them: an answer that may still be taken back has not."""
    reached = Q(delivery__isnull=True) | Q(delivery__state=Delivery.State.SENT)
    return Message.objects.filter(reached, account=account, thread_id=thread_id).defer("raw", "html")
