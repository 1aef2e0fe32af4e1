"""What became of what was published: the overview, figures by hand and by file, and an account's best hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.channels import figures
from tertulia.channels import reactions as facts
from tertulia.channels.models import POSTING, Delivery, PostMetric
from tertulia.core import activity, clock
from tertulia.team.access import brand_required

from .. import activities, best_hours, figures_file, hours_page, queries, reactions
from ..access import RoomRequest
from ..problems import Problem
from ..reaction_forms import BringForm, FiguresForm, FileForm, LookForm


@require_GET
@brand_required("publishing.read")
def show(request: RoomRequest, brand: Brand) -> HttpResponse:
    """The posts of a period, those first that did best against what is usual."""
    form, since, until = _looked_at(request, brand)
    rows, is_cut = reactions.overview(brand, since=since, until=until, account=form.cleaned_data.get("account"))
    context = {
        "room": "publishing", "form": form, "rows": rows, "is_cut": is_cut, "troubles": reactions.troubles(brand),
        "accounts": queries.accounts(brand), "figure_names": [facts.called(name) for name in facts.NAMES],
        "least": reactions.LEAST, "query": request.GET.urlencode(),
    }  # fmt: skip
    return render(request, "publishing/reactions.html", context)


@require_GET
@brand_required("publishing.read")
def take_away(request: RoomRequest, brand: Brand) -> HttpResponse:
    """All figures of the posts that the overview shows, as a file."""
    form, since, until = _looked_at(request, brand)
    table = figures_file.written(brand, since=since, until=until, account=form.cleaned_data.get("account"))
    answer = HttpResponse(table, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="reactions.csv"'
    return answer


def _looked_at(request: RoomRequest, brand: Brand) -> tuple[LookForm, datetime, datetime]:
    form = LookForm(request.GET, accounts=queries.of_brand(brand))
    if not form.is_valid():  # an address somebody changed by hand
        form = LookForm({}, accounts=queries.of_brand(brand))
        form.is_valid()
    now = clock.now()
    return form, now - timedelta(days=form.cleaned_data["days"]), now


@require_POST
@brand_required("publishing.write")
def write_down(request: RoomRequest, brand: Brand, posting_id: int) -> HttpResponse:
    """Figures that somebody saw under a post."""
    mine = Delivery.objects.filter(account__brand=brand, post__isnull=False, act__in=POSTING)
    delivery = get_object_or_404(mine.select_related("post__account"), pk=posting_id)
    found, remote, now = queries.post_of(delivery), delivery.post, clock.now()
    if found is None or remote is None or remote.published_at is None:
        raise Http404
    post, version = found
    form = FiguresForm(request.POST, remote=remote, zone=brand.time_zone, now=now)
    if form.is_valid():
        with transaction.atomic():
            how, at = PostMetric.How.HAND, form.cleaned_data["at"]
            if facts.keep(post=remote, values=form.values, at=at, how=how, by=request.user.pk):
                activity.record(
                    activities.FIGURES_TYPED, on=post, brand=brand.pk, by=request.user.pk, at=now, title=post.title,
                    account=version.account.name,
                )  # fmt: skip
        messages.success(request, _("The figures are kept."))
    else:
        for name, problems in form.errors.items():
            label = "" if name == "__all__" else f"{form.fields[name].label}: "
            messages.error(request, f"{label}{problems[0]}")
    return redirect("publishing:post", brand.slug, post.pk)


@require_http_methods(["GET", "POST"])
@brand_required("publishing.write")
def look_through(request: RoomRequest, brand: Brand) -> HttpResponse:
    """What a file would do, row by row. Nothing is kept yet."""
    form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
    context = {"room": "publishing", "form": form, "names": facts.NAMES, "file": None, "status": 200}
    if request.method == "POST" and form.is_valid():
        try:
            text = figures_file.text_of(form.cleaned_data["file"].read(figures_file.LARGEST + 1))
            context |= {"file": figures_file.read(text, brand=brand, now=clock.now()), "text": text}
        except Problem as problem:
            form.add_error("file", str(problem))
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "publishing/reactions_file.html", context, status=status)


@require_POST
@brand_required("publishing.write")
def bring(request: RoomRequest, brand: Brand) -> HttpResponse:
    """Keep the rows of a file that somebody has looked through."""
    form = BringForm(request.POST)
    if not form.is_valid():
        return redirect("publishing:reactions_file", brand.slug)
    try:
        file = figures_file.read(form.cleaned_data["text"], brand=brand, now=clock.now())
    except Problem as problem:
        messages.error(request, str(problem))
        return redirect("publishing:reactions_file", brand.slug)
    kept = figures_file.bring(file=file, brand=brand, by=request.user, at=clock.now())
    told = ngettext("{n} row is kept.", "{n} rows are kept.", kept).format(n=kept)
    messages.success(request, told if kept else _("There was nothing new in it."))
    return redirect("publishing:reactions", brand.slug)


@require_GET
@brand_required("publishing.read")
def show_account(request: RoomRequest, brand: Brand, account_id: int) -> HttpResponse:
    """An account's followers, and the hours at which it is reacted to most."""
    account = get_object_or_404(queries.of_brand(brand).select_related("brand"), pk=account_id)
    now = clock.now()
    found = best_hours.of(account, now)
    context = {
        "room": "publishing", "account": account, "found": found, "map": hours_page.drawn(found),
        "best": [hours_page.told(hour) for hour in found.best[: hours_page.NAMED]],
        "after": hours_page.age(found.age),
        "least": best_hours.LEAST_POSTS, "least_in_slot": best_hours.LEAST_IN_SLOT,
        "charts": figures.charts(account, today=now.astimezone(ZoneInfo(brand.time_zone)).date()),
    }  # fmt: skip
    return render(request, "publishing/best_hours.html", context)
