"""How many calls a token has per minute, counted across all processes.

Each process takes calls from the token's row in small lots and spends them from memory, so the limit is never
exceeded anywhere while only one call in `LOT` costs a write. What a process took and did not spend is lost to the
others for the rest of the minute: at most `LOT - 1` calls each.
"""

from __future__ import annotations

from datetime import datetime
from threading import Lock

from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Greatest

from .models import Token

CALLS_PER_MINUTE = 600
LOT = 20

_lots: dict[int, tuple[int, int]] = {}
"""By token: the minute, and the calls left of what this process took for it."""
_lock = Lock()


def take(token: Token, *, at: datetime) -> int:
    """Spend one call; 0, or how many seconds to wait for the next minute when none is left."""
    minute = int(at.timestamp()) // 60
    if _spend(token.pk, minute):
        return 0
    if not _take_lot(token, minute, at=at):
        return 60 - int(at.timestamp()) % 60
    _keep(token.pk, minute)
    return 0


def forget() -> None:
    """Give up what this process took. For tests, whose rows vanish behind our back."""
    with _lock:
        _lots.clear()


def _spend(token_id: int, minute: int) -> bool:
    with _lock:
        of, left = _lots.get(token_id, (0, 0))
        if of != minute or not left:
            return False
        _lots[token_id] = (of, left - 1)
        return True


def _keep(token_id: int, minute: int) -> None:
    """Put a lot aside, less the call it was taken for."""
    with _lock:
        of, left = _lots.get(token_id, (0, 0))
        _lots[token_id] = (minute, LOT - 1 + (left if of == minute else 0))
        for other in [id for id, (of, _left) in _lots.items() if of < minute]:
            del _lots[other]


def _take_lot(token: Token, minute: int, *, at: datetime) -> bool:
    has_room = Q(minute__lt=minute) | Q(calls__lte=CALLS_PER_MINUTE - LOT)
    return bool(
        Token.objects.filter(has_room, pk=token.pk).update(
            calls=Case(When(minute__lt=minute, then=Value(LOT)), default=F("calls") + LOT),
            minute=Greatest("minute", Value(minute)),
            last_used_at=at,
        )
    )
