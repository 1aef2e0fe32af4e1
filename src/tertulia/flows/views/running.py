"""Beside a conversation: what of it is shared; which campaigns and actions run, those its person speaks of first."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from tertulia.brand.models import Brand
from tertulia.core import clock, dates
from tertulia.inbox import queries
from tertulia.inbox.access import DeskRequest
from tertulia.inbox.models import Conversation
from tertulia.publishing import sharing, spoken
from tertulia.publishing.models import Initiative
from tertulia.strategy.models import Campaign
from tertulia.team.access import brand_required


@require_GET
@brand_required("inbox.read")
def show(request: DeskRequest, brand: Brand, conversation_id: int) -> HttpResponse:
    """A page of its own; asked by the conversation's page, the part that stands there: nothing where nothing runs."""
    try:
        conversation = queries.conversation_of(brand=brand, id=conversation_id)
    except Conversation.DoesNotExist:
        raise Http404 from None
    beside = spoken.beside(conversation.member, brand, at=clock.now())
    running = [(one, is_theirs, _days(one.of)) for one, is_theirs in beside]
    shares = sharing.of_talk(brand, account_id=conversation.account_id, thread_id=conversation.thread_id)
    context = {"room": "inbox", "conversation": conversation, "running": running, "shares": shares}
    return render(request, "flows/_running.html" if request.htmx else "flows/running.html", context)


def _days(of: Initiative | Campaign) -> str:
    days = sorted({day for day in (of.starts_on, of.ends_on) if day})
    return dates.days(days[0], days[1]) if len(days) == 2 else "".join(map(dates.day, days))
