"""Beside a conversation: which campaigns and actions run, those its person speaks of first."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.inbox import queries
from tertulia.inbox.access import DeskRequest
from tertulia.inbox.models import Conversation
from tertulia.publishing import spoken
from tertulia.team.access import brand_required


@require_GET
@brand_required("inbox.read")
def show(request: DeskRequest, brand: Brand, conversation_id: int) -> HttpResponse:
    """A page of its own; asked by the conversation's page, the part that stands there: nothing where nothing runs."""
    try:
        conversation = queries.conversation_of(brand=brand, id=conversation_id)
    except Conversation.DoesNotExist:
        raise Http404 from None
    running = spoken.beside(conversation.member, brand, at=clock.now())
    context = {"room": "inbox", "conversation": conversation, "running": running}
    return render(request, "flows/_running.html" if request.htmx else "flows/running.html", context)
