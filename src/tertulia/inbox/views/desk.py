"""The desk: the list, the conversation beside it, and what keeps them up to date."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from tertulia.brand.models import Brand
from tertulia.channels.drawings import channel_icon, channel_symbols
from tertulia.channels.forms import said
from tertulia.community import queries as community
from tertulia.community import testimonials
from tertulia.core import bulk, clock
from tertulia.team.access import brand_required
from tertulia.team.models import User
from tertulia.understanding import asked

from .. import actions, allowed, pages, queries
from ..access import DeskRequest
from ..forms import SavedViewForm
from ..models import Conversation, SavedReply, SavedView
from ..wording import filled

MOST_ROWS = 100


@require_GET
@brand_required("inbox.read")
def show_list(request: DeskRequest, brand: Brand) -> HttpResponse:
    """The list; asked by the page itself, only its rows and counters."""
    context = list_context(request, brand)
    if request.htmx.target == "rows":
        return render(request, "inbox/_rows_and_more.html", context)
    return render(request, "inbox/list.html", context)


@require_GET
@brand_required("inbox.read")
def show_conversation(request: DeskRequest, brand: Brand, conversation_id: int) -> HttpResponse:
    """A conversation in its place beside the list; with `before`, what was said earlier."""
    conversation = find(brand, conversation_id)
    before = request.GET.get("before", "")
    if request.htmx and before:
        return render(request, "inbox/_earlier.html", conversation_context(request, conversation, before=before))
    actions.mark_read(conversation=conversation, user=request.user)
    context = conversation_context(request, conversation, before=before)
    if request.htmx:
        return render(request, "inbox/_conversation.html", context)
    return render(request, "inbox/list.html", {**list_context(request, brand, conversation), **context})


@require_GET
@brand_required("inbox.read")
def show_news(request: DeskRequest, brand: Brand, conversation_id: int) -> HttpResponse:
    """The thread and its head anew, because something happened."""
    conversation = find(brand, conversation_id)
    actions.mark_read(conversation=conversation, user=request.user)
    return render(request, "inbox/_news.html", conversation_context(request, conversation))


@require_GET
@brand_required("inbox.reply")
def offer_saved_replies(request: DeskRequest, brand: Brand, conversation_id: int) -> HttpResponse:
    """The saved replies with their variables filled for this person: first those that say what was asked, then those in
    their language. And what people say of us."""
    conversation = find(brand, conversation_id)
    language = conversation.language[:2] or brand.language
    replies = sorted(
        SavedReply.objects.filter(brand=brand), key=lambda one: (one.language not in {"", language}, one.title.lower())
    )
    answers = [asked.Answer(one.title, one.text, one.language or language) for one in replies]
    fitting = asked.fitting("\n".join(queries.last_words(conversation)), answers, language=language)
    chosen = [(replies[n], True) for n in fitting]
    chosen += [(one, False) for n, one in enumerate(replies) if n not in fitting]
    choices = [
        {"reply": one, "text": _filled(one, conversation, request.user), "fits": fits} for one, fits in chosen
    ]  # fmt: skip
    template = "inbox/_saved_reply_choice.html" if request.htmx else "inbox/saved_reply_choice.html"
    context = {"conversation": conversation, "choices": choices, "room": "inbox"}
    context["testimonials"] = testimonials.offered(brand, clock.now())
    return render(request, template, context)


@require_POST
@brand_required("inbox.read")
def keep_view(request: DeskRequest, brand: Brand) -> HttpResponse:
    """Keep the filters of the address under a name."""
    filters = queries.Filters.read(request.GET)
    form = SavedViewForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Give the view a name."))
        return redirect(reverse("inbox:list", args=[brand.slug]) + pages.query_of(filters))
    is_shared = form.cleaned_data["is_shared"] and request.membership.may("inbox.settings")
    form.instance.brand, form.instance.filters = brand, filters.as_dict()
    form.instance.user = None if is_shared else request.user
    form.save()
    return redirect(reverse("inbox:list", args=[brand.slug]) + pages.query_of(filters))


@require_POST
@brand_required("inbox.read")
def forget_view(request: DeskRequest, brand: Brand, view_id: int) -> HttpResponse:
    """One's own, or the team's for whoever may arrange the inbox."""
    view = get_object_or_404(SavedView, pk=view_id, brand=brand)
    if view.user_id != request.user.pk and not (view.user_id is None and request.membership.may("inbox.settings")):
        raise Http404
    view.delete()
    return redirect("inbox:list", brand.slug)


def find(brand: Brand, conversation_id: int) -> Conversation:
    try:
        return queries.conversation_of(brand=brand, id=conversation_id)
    except Conversation.DoesNotExist:
        raise Http404 from None


def list_context(request: DeskRequest, brand: Brand, conversation: Conversation | None = None) -> dict[str, Any]:
    """Everything the list shows, in a constant number of queries; the counters are counted while the rows are drawn."""
    now, user = clock.now(), request.user
    filters = queries.Filters.read(request.GET)
    query = pages.query_of(filters)
    with bulk.ahead():
        names, views = queries.ask_names(brand), queries.ask_saved_views(brand, user)
        try:
            page = queries.page(brand=brand, user=user, filters=filters, after=_after(request), limit=_limit(request))
        except queries.BadCursor:
            page = queries.page(brand=brand, user=user, filters=filters)
        counted = queries.ask_counters(brand=brand, user=user)
        around, saved = pages.Around.of(brand, now=now, names=names()), views()
        drawn = pages.draw_rows(page.rows, around, query=query, current=conversation.pk if conversation else 0)
        counts = counted()
    return {
        "room": "inbox",
        "filters": filters,
        "query": query,
        "list_title": pages.title_of(filters, around),
        "view_title": pages.view_title(filters, around),
        "rows": drawn,
        "after": page.after,
        "next_query": pages.query_of(filters, after=page.after),
        "narrowings": pages.narrowings(filters, around),
        "topics": pages.topics(around),
        "rail": pages.rail(filters, around, counts=counts, saved=saved),
        "saved_view": _saved_view(saved, filters, request),
        "has_accounts": bool(around.accounts),
        # Asked only by an empty list.
        "is_untouched": SimpleLazyObject(lambda: not Conversation.objects.filter(brand=brand).exists()),
        "own_page": pages.own_page(around),
        "takes_notes": pages.takes_notes(around),
        "channel_symbols": channel_symbols(),
    }


def _after(request: DeskRequest) -> str:
    return "" if "limit" in request.GET else request.GET.get("after", "")


def _limit(request: DeskRequest) -> int:
    """As many rows as the page shows already, when it asks for them anew."""
    wanted = request.GET.get("limit", "")
    return min(MOST_ROWS, max(queries.PAGE, int(wanted))) if wanted.isdecimal() and len(wanted) < 5 else queries.PAGE


def _saved_view(saved: list[SavedView], filters: queries.Filters, request: DeskRequest) -> SavedView | None:
    """The saved view on show, if the reader may forget it."""
    mine = (
        view
        for view in saved
        if view.filters == filters.as_dict()
        and (view.user_id == request.user.pk or request.membership.may("inbox.settings"))
    )
    return next(mine, None)


def conversation_context(
    request: DeskRequest, conversation: Conversation, *, before: str = "", **more: Any
) -> dict[str, Any]:
    """Everything a conversation shows. `more`: what is being written, when it could not be sent."""
    now, user, brand = clock.now(), request.user, conversation.brand
    around = pages.Around.of(brand, now=now)
    try:
        thread = queries.thread(conversation, before=before)
    except queries.BadCursor:
        thread = queries.thread(conversation)
    whole = request.GET.get("whole", "")
    capabilities = conversation.account.capabilities
    answering = allowed.reply(conversation, at=now)
    can_reply = "reply" in capabilities.writes and (answering is None or answering.is_possible)
    return {
        "room": "inbox",
        "conversation": conversation,
        "entries": pages.entries(
            thread, conversation=conversation, people=around.people, user=user, now=now,
            whole=int(whole) if whole.isdecimal() and len(whole) < 19 else 0,
        ),
        "before": thread.before,
        "channel_icon": channel_icon(conversation.channel),
        "promise": pages.promise(conversation.promise_due_at, now=now, zone=brand.time_zone),
        "because": pages.because(conversation),
        "labels_on": [around.labels[id] for id in conversation.labels if id in around.labels],
        "all_labels": list(around.labels.values()),
        "answerers": pages.answerers(brand),
        "team": list(around.people.values()),
        "moments": pages.snooze_moments(now, brand.time_zone),
        "reasons": Conversation.Reason.choices,
        "looking": json.dumps(pages.looking(conversation, user=user, now=now)),
        "identities": pages.ways(community.identities(conversation.member)),
        "look_alikes": pages.look_alikes(conversation.member),
        "history": pages.history(conversation.member, around, without=conversation.pk),
        "query": pages.query_of(queries.Filters.read(request.GET)),
        "max_text": conversation.account.connector.longest_text(conversation.account),
        "is_aloud": capabilities.is_aloud,
        "is_posted": capabilities.is_posted,
        "can_reply_here": can_reply,
        "reply_until": answering.until if answering and answering.is_possible else None,
        "why_no_reply": said(answering.why_not) if answering and not answering.is_possible else "",
        **more,
        **_composing(request, conversation, can_reply=can_reply, **more),
    }  # fmt: skip


def _composing(
    request: DeskRequest, conversation: Conversation, *, can_reply: bool, kind: str = "", text: str | None = None,
    **_more: Any,
) -> dict[str, str]:  # fmt: skip
    """What stands in the composer, and what waits behind its other half.

    `text` of this `kind` could not be handed in, or was taken back; else a saved reply that the address names, else
    what was begun, with the testimonial behind it that the address names.
    """
    begun = queries.drafts_of(conversation, request.user)
    saved = request.GET.get("saved", "")
    if saved.isdecimal() and len(saved) < 19:
        reply = SavedReply.objects.filter(brand=conversation.brand_id, pk=saved).first()
        if reply:
            kind, begun["reply"] = "reply", _filled(reply, conversation, request.user)
    if quote := testimonials.chosen(
        conversation.brand, request.GET.get("testimonial", ""), with_source=request.GET.get("source") == "1",
        at=clock.now(),
    ):  # fmt: skip
        kind, begun["reply"] = "reply", f"{begun.get('reply', '')}\n\n{quote}".strip()
    if not can_reply or not request.membership.may("inbox.reply"):
        kind = "note"
    kind = kind or ("note" if "note" in begun and "reply" not in begun else "reply")
    other = begun.get("reply" if kind == "note" else "note", "")
    return {"kind": kind, "text": begun.get(kind, "") if text is None else text, "other_text": other}


def _filled(reply: SavedReply, conversation: Conversation, user: User) -> str:
    return filled(reply.text, conversation=conversation, agente=user.name, agent=user.name)


def changed(request: DeskRequest, conversation: Conversation) -> HttpResponse:
    """After an act on a conversation: the parts of the page it changes, or the page itself again."""
    if not request.htmx:
        return redirect("inbox:conversation", conversation.brand.slug, conversation.pk)
    fresh = find(conversation.brand, conversation.pk)
    return render(request, "inbox/_changed.html", conversation_context(request, fresh))


def written(request: DeskRequest, conversation: Conversation, *, status: int = 200, **more: Any) -> HttpResponse:
    """After something was written: the composer, the thread and the head."""
    fresh = find(conversation.brand, conversation.pk)
    if request.htmx:
        parts = conversation_context(request, fresh, wants_focus=True, **more)
        # 200 whatever happened: browsers log any other answer to a script as an error of the page.
        return render(request, "inbox/_written.html", parts)
    if status == 200:
        return redirect("inbox:conversation", conversation.brand.slug, conversation.pk)
    page = list_context(request, fresh.brand, fresh) | conversation_context(request, fresh, **more)
    return render(request, "inbox/list.html", page, status=status)
