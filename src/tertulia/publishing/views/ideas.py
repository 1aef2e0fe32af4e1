"""The board of ideas, one idea, and the pillars they stand on."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from tertulia.brand.models import Brand
from tertulia.channels.models import Message
from tertulia.core import clock
from tertulia.team.access import brand_required
from tertulia.team.models import User

from .. import experiments, ideas
from ..access import RoomRequest
from ..forms import IdeaForm, PillarForm
from ..models import Idea, Pillar
from ..problems import Problem

SOURCES = {Idea.Source.QUESTION, Idea.Source.TOPIC}
"""What an address may say an idea comes from; the others follow from what it brings along."""


@require_GET
@brand_required("publishing.read")
def show(request: RoomRequest, brand: Brand) -> HttpResponse:
    """The board; `?stage=published&page=2` for one of its columns by itself."""
    filters, stage, page = ideas.Filters.read(request.GET), request.GET.get("stage", ""), request.GET.get("page", "")
    if stage not in ideas.COLUMNS:
        return render(request, "publishing/ideas.html", _board(request, brand, filters))
    number = int(page) if page.isdecimal() and page.isascii() and 0 < int(page[:6]) < 10_000 else 1
    column, has_more = ideas.column(brand, filters, stage, page=number, now=clock.now())
    context = _board(request, brand, filters, columns=[column])
    context |= {"stage": stage, "page": number, "next_page": number + 1 if has_more else 0}
    return render(request, "publishing/ideas.html", context)


def _board(
    request: RoomRequest, brand: Brand, filters: ideas.Filters, *, columns: list[ideas.Column] | None = None
) -> dict[str, Any]:  # fmt: skip
    return {
        "room": "publishing", "tab": "ideas", "filters": filters, "pillars": ideas.pillars(brand),
        "people": User.objects.filter(memberships__brand=brand, is_active=True).order_by("name", "pk"),
        "columns": columns or ideas.board(brand, filters, now=clock.now()),
        "is_empty": not Idea.objects.filter(brand=brand).exists(),
        "can_move": request.membership.may("publishing.write"),
        "today": clock.now().astimezone(ZoneInfo(brand.time_zone)).date(),
        "door": request.build_absolute_uri(reverse("publishing:new_idea", args=[brand.slug])),
    }  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.write")
def begin(request: RoomRequest, brand: Brand) -> HttpResponse:
    """A new idea. `?title=&url=&text=` is what a page shares, `&message=7` a message or an article, and `&source=topic`
    says where it comes from."""
    given = request.POST if request.method == "POST" else request.GET
    message, source = _message(brand, given.get("message", "")), given.get("source", "")
    if message:
        source = Idea.Source.ARTICLE if message.kind == "article" else Idea.Source.MESSAGE
    context: dict[str, Any] = {
        "room": "publishing", "tab": "ideas", "message": message, "given_source": source if source in SOURCES else "",
        "known": ideas.of_message(message) if message else None,
    }  # fmt: skip
    if request.method != "POST":
        title = " ".join(given.get("title", "").split()) or (_first_words(message) if message else "")
        url = given.get("url", "") or (message.url if message and message.kind == "article" else "")
        said = {"title": title[:200], "url": url[:2000], "brief": given.get("text", "")[:10_000]}
        form = IdeaForm(brand=brand, initial={**said, "owner": request.user.pk})
        return render(request, "publishing/idea_new.html", context | {"form": form})
    form = IdeaForm(request.POST, brand=brand)
    if not form.is_valid():
        return render(request, "publishing/idea_new.html", context | {"form": form}, status=422)
    if not message and source not in SOURCES:
        source = Idea.Source.LINK if form.cleaned_data["url"] else Idea.Source.HAND
    idea = ideas.add(
        brand=brand, source=source, message=message, by=request.user, at=clock.now(), **form.cleaned_data
    )  # fmt: skip
    if request.POST.get("then") == "post":
        post = ideas.write(idea=idea, by=request.user, at=clock.now())
        return redirect("publishing:text", brand.slug, post.pk)
    return redirect("publishing:idea", brand.slug, idea.pk)


def _message(brand: Brand, id: str) -> Message | None:
    if not (id.isdecimal() and id.isascii() and len(id) < 19):
        return None
    mine = Message.objects.filter(account__brand=brand, deleted_at__isnull=True)
    return mine.select_related("account").defer("raw", "account__secrets").filter(pk=int(id)).first()


def _first_words(message: Message) -> str:
    return " ".join((message.subject or message.text[:400]).split())[:120]


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.read")
def change(request: RoomRequest, brand: Brand, idea_id: int) -> HttpResponse:
    idea = get_object_or_404(_whole(brand), pk=idea_id)
    if request.method != "POST":
        return _page(request, idea, IdeaForm(instance=idea, brand=brand))
    if not request.membership.may("publishing.write"):
        raise PermissionDenied
    form = IdeaForm(request.POST, instance=Idea.objects.get(pk=idea.pk), brand=brand)
    if not form.is_valid():
        return _page(request, idea, form, status=422)
    if ideas.change(idea=idea, by=request.user, at=clock.now(), **form.cleaned_data):
        says = _("Its post has come under a rule of approval and doesn't leave by itself any more. Ask for it there.")
        messages.info(request, says)
    return redirect("publishing:idea", brand.slug, idea.pk)


def _whole(brand: Brand) -> Any:
    return ideas.ideas(brand).select_related("message__account").defer("message__raw", "message__account__secrets")


def _page(
    request: RoomRequest, idea: Idea, form: IdeaForm, *, status: int = 200, problem: str = "", because: str = ""
) -> HttpResponse:  # fmt: skip
    card = ideas.card_of(idea)
    context = {
        "room": "publishing", "tab": "ideas", "idea": idea, "form": form, "card": card, "problem": problem,
        "stage": next(label for name, label, _why in ideas.named() if name == card.column), "message": idea.message,
        "has_post": card.column in {"post", "published"}, "because": because or idea.because,
        "by": User.objects.filter(pk=idea.created_by_id).first() if idea.created_by_id else None,
        "experiments": experiments.of_post(idea.post),
    }  # fmt: skip
    return render(request, "publishing/idea.html", context, status=status)


@require_POST
@brand_required("publishing.write")
def put(request: RoomRequest, brand: Brand, idea_id: int) -> HttpResponse:
    """Move it on the board: `to` another column, where a post is begun with `post`; `because` where it is set aside."""
    idea, to, because = (
        get_object_or_404(_whole(brand), pk=idea_id),
        request.POST.get("to", ""),
        request.POST.get("because", ""),
    )
    is_board = "board" in request.POST
    try:
        if to == "post":
            post = ideas.write(idea=idea, by=request.user, at=clock.now())
            return _go(request, reverse("publishing:text", args=[brand.slug, post.pk]))
        if to == Idea.State.ASIDE and is_board and not because.strip() and not ideas.post_of(idea):
            return _go(request, reverse("publishing:idea", args=[brand.slug, idea.pk]) + "#aside")
        if to in Idea.State.values:
            ideas.put(idea=idea, to=to, because=because, by=request.user, at=clock.now())
    except Problem as problem:
        if not is_board:
            return _page(
                request, idea, IdeaForm(instance=idea, brand=brand), status=422, problem=str(problem), because=because
            )
        messages.error(request, str(problem))
    if not is_board:
        return redirect("publishing:idea", brand.slug, idea.pk)
    filters = ideas.Filters.read(request.GET)
    if request.htmx:
        return render(request, "publishing/_ideas_moved.html", _board(request, brand, filters))
    return redirect(f"{reverse('publishing:ideas', args=[brand.slug])}?{filters.query}")


def _go(request: RoomRequest, address: str) -> HttpResponse:
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


@require_GET
@brand_required("publishing.read")
def export(request: RoomRequest, brand: Brand) -> HttpResponse:
    content = ideas.table(brand, zone=ZoneInfo(brand.time_zone))
    name = f"{brand.slug}-ideas.csv"
    return HttpResponse(
        content,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.settings")
def show_pillars(request: RoomRequest, brand: Brand) -> HttpResponse:
    return _pillars(request, brand, PillarForm(request.POST or None, brand=brand), None)


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.settings")
def change_pillar(request: RoomRequest, brand: Brand, pillar_id: int) -> HttpResponse:
    pillar = get_object_or_404(Pillar, pk=pillar_id, brand=brand)
    return _pillars(request, brand, PillarForm(request.POST or None, instance=pillar, brand=brand), pillar)


def _pillars(request: RoomRequest, brand: Brand, form: PillarForm, pillar: Pillar | None) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        ideas.keep_pillar(pillar=form.save(commit=False), by=request.user, at=clock.now())
        return redirect("publishing:pillars", brand.slug)
    context = {"room": "publishing", "tab": "ideas", "form": form, "pillar": pillar, "pillars": ideas.pillars(brand)}
    return render(request, "publishing/pillars.html", context, status=422 if form.errors else 200)


@require_POST
@brand_required("publishing.settings")
def remove_pillar(request: RoomRequest, brand: Brand, pillar_id: int) -> HttpResponse:
    pillar = get_object_or_404(Pillar, pk=pillar_id, brand=brand)
    try:
        ideas.remove_pillar(pillar=pillar, by=request.user, at=clock.now())
    except Problem as problem:
        messages.error(request, str(problem))
    return redirect("publishing:pillars", brand.slug)
