"""The page of the guarantees."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.team.access import brand_required

from .. import proofs, queries

PERIODS = (7, 30, 90)


@require_GET
@brand_required("inbox.read")
def show_guarantees(request: HttpRequest, brand: Brand) -> HttpResponse:
    """Nothing unanswered, nothing lost: how every message stands, and each day counted against its source."""
    at = clock.now()
    wanted = request.GET.get("days", "")
    period = int(wanted) if wanted in {str(days) for days in PERIODS} else PERIODS[1]
    ends = queries.ends(brand, since=at - timedelta(days=period))
    days, balances = queries.balances(brand, at=at)
    context = {
        "room": "guarantees",
        "period": period,
        "periods": PERIODS,
        "total": sum(ends.values()),
        "bars": _bars(ends),
        "ownerless": queries.ownerless(brand, at=at),
        "outgoing": _outgoing(queries.outgoing(brand, since=at - timedelta(days=period))),
        "days": days,
        "balances": balances,
        "runs": proofs.read(),
    }
    return render(request, "insight/guarantees.html", context)


def _bars(ends: dict[queries.End, int]) -> list[dict[str, Any]]:
    """Each way a message can stand, with its share of all, placed one behind the other."""
    total, offset, bars = sum(ends.values()), 0.0, []
    for end, (name, tone) in _names().items():
        share = 100 * ends[end] / total if total else 0.0
        bars.append({"end": end, "name": name, "tone": tone, "n": ends[end], "share": share, "offset": offset})
        offset += share
    return bars


def _names() -> dict[queries.End, tuple[str, str]]:
    return {
        "answered": (_("Answered"), "good"),
        "no_answer": (_("Needed no answer"), "calm"),
        "handed_on": (_("Handed on outside"), "calm"),
        "moderated": (_("Moderated, with the reason"), "calm"),
        "spam": (_("Spam"), "calm"),
        "duplicate": (_("Said twice"), "calm"),
        "withdrawn": (_("Withdrawn by whoever wrote it"), "calm"),
        "waiting": (_("Waiting, with somebody in charge"), "soon"),
        "ownerless": (_("Waiting for somebody to be in charge"), "late"),
    }


def _outgoing(states: dict[str, int]) -> list[tuple[str, int, bool]]:
    """What became of what we sent: name, how much, and whether somebody should look."""
    shown = [
        (_("Sent, once"), "sent", False),
        (_("On their way"), "queued", False),
        (_("To be done by hand"), "by_hand", True),
        (_("Refused by the channel"), "refused", True),
        (_("Not known whether it arrived: a person decides"), "unknown", True),
        (_("Taken back before leaving"), "cancelled", False),
    ]
    counts = {**states, "queued": states.get("queued", 0) + states.get("sending", 0)}
    return [(name, counts.get(state, 0), asks and counts.get(state, 0) > 0) for name, state, asks in shown]
