"""Somebody is asked whether what they made may be shared, where they wrote it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.inbox import actions as inbox
from tertulia.inbox.access import DeskRequest
from tertulia.inbox.models import Conversation, Draft
from tertulia.publishing import sharing
from tertulia.team.access import brand_required


@require_POST
@brand_required("inbox.reply")
def ask(request: DeskRequest, brand: Brand, share_id: int) -> HttpResponse:
    """Have the answer that asks lie ready in their conversation, below what somebody had begun to write there. A person
    sends it."""
    share, at = get_object_or_404(sharing.shares(brand), pk=share_id), clock.now()
    conversation = None
    if made := share.message:
        theirs = Conversation.objects.filter(brand=brand, account=made.account_id, thread_id=made.thread_id)
        conversation = theirs.first()
    if conversation is None:
        messages.error(request, _("There is no conversation to ask in. Ask them elsewhere, and note it here."))
        return redirect("publishing:share", brand.slug, share.pk)
    question = sharing.question_for(share, language=_language(conversation, brand))
    begun = Draft.objects.filter(conversation=conversation, user=request.user, is_note=False).first()
    text = question if begun is None else begun.text if question in begun.text else f"{begun.text}\n\n{question}"
    sharing.prepare(share=share, question=question, at=at)
    inbox.save_draft(conversation=conversation, user=request.user, text=text, at=at)
    return redirect("inbox:conversation", brand.slug, conversation.pk)


def _language(conversation: Conversation, brand: Brand) -> str:
    """Theirs where this house speaks it, else the brand's."""
    theirs = conversation.language[:2]
    return theirs if theirs in Brand.Language.values else brand.language
