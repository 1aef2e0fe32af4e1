"""How much a stranger may send before the door asks for patience.

What one visitor wrote is counted from the messages themselves: exact for any number of web processes, and it costs an
index read. Addresses and accounts are counted in the memory of each process. With two processes their true ceiling is
up to twice the figure here, which is no harm for a limit that only has to stop floods. The alternative, a table,
would turn every refused request into a durable write, so that the flood itself would be the damage; and a visitor's
address, which is personal data, is never stored.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from threading import Lock

from tertulia.channels.models import Account, Message


class TooMany(Exception):
    """Come back in `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Limit:
    count: int
    per: timedelta


VISITOR = (Limit(12, timedelta(minutes=1)), Limit(150, timedelta(hours=1)))
ADDRESS = (Limit(30, timedelta(minutes=1)), Limit(400, timedelta(hours=1)))
"""An office or a mobile network shares one address."""
ACCOUNT = (Limit(900, timedelta(minutes=1)),)
LOOKS = (Limit(600, timedelta(minutes=1)),)
"""Greetings and polls of one address: they write nothing."""


class Counter:
    """Moments of the last while, by whom. Holds at most `size` names; the longest silent are forgotten first."""

    def __init__(self, size: int = 20_000) -> None:
        self._moments: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._size = size
        self._lock = Lock()

    def count(self, name: str, limits: tuple[Limit, ...], at: datetime) -> None:
        """Count one more. Raises `TooMany`, and then it isn't counted: patience is never punished."""
        with self._lock:
            moments = self._moments.setdefault(name, deque())
            self._moments.move_to_end(name)
            while moments and moments[0] <= at - max(limit.per for limit in limits):
                moments.popleft()
            for limit in limits:
                _check(moments, limit, at)
            moments.append(at)
            while len(self._moments) > self._size:
                self._moments.popitem(last=False)

    def forget(self) -> None:
        with self._lock:
            self._moments.clear()


writes = Counter()
looks = Counter()


def count_message(account: Account, *, thread_id: str, address: str, at: datetime) -> None:
    """Raises `TooMany`."""
    _check_visitor(account, thread_id, at)
    writes.count(f"address:{network(address)}", ADDRESS, at)
    writes.count(f"account:{account.pk}", ACCOUNT, at)


def count_look(*, address: str, at: datetime) -> None:
    """Raises `TooMany`."""
    looks.count(network(address), LOOKS, at)


def network(address: str) -> str:
    """What one household has: an IPv4 address, or the first half of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if parsed.version == 4:
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))


def _check_visitor(account: Account, thread_id: str, at: datetime) -> None:
    for limit in VISITOR:
        sent = Message.objects.filter(
            account=account, thread_id=thread_id, direction=Message.Direction.IN, sent_at__gt=at - limit.per
        ).order_by("-sent_at")
        newest = list(sent.values_list("sent_at", flat=True)[: limit.count])
        _check(deque(reversed(newest)), limit, at)


def _check(moments: deque[datetime], limit: Limit, at: datetime) -> None:
    recent = [moment for moment in moments if moment > at - limit.per]
    if len(recent) >= limit.count:
        oldest = recent[-limit.count]
        raise TooMany(max(1, ceil((oldest + limit.per - at).total_seconds())))
