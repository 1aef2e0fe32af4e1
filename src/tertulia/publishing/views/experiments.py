"""Experiments: which there are, one of them, beginning and closing."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.channels.models import Account
from tertulia.core import clock
from tertulia.team.access import brand_required
from tertulia.team.models import User

from .. import experiment_page, experiments, leaving, queries, sameness, saying
from ..access import RoomRequest
from ..checks import Checked
from ..dealing import Wording
from ..experiment_forms import ClosingForm, ExperimentForm, SlotForm
from ..models import Experiment, Post, Series
from ..problems import Problem, Unseen

SHOWN = 100


@require_GET
@brand_required("publishing.read")
def show_all(request: RoomRequest, brand: Brand) -> HttpResponse:
    now = clock.now()
    lines = experiment_page.listed(list(experiments.experiments(brand)[:SHOWN]), at=now)
    form = SlotForm(brand=brand, at=now) if request.membership.may("publishing.write") else None
    return render(request, "publishing/experiments.html", {"room": "publishing", "lines": lines, "slot_form": form})


@require_POST
@brand_required("publishing.write")
def hold_slot(request: RoomRequest, brand: Brand) -> HttpResponse:
    """Keep a free slot of the queue for something new, and go on to what is expected of it."""
    form = SlotForm(request.POST, brand=brand, at=clock.now())
    try:
        if not form.is_valid():
            raise Problem(_("That slot is no longer free."))
        account, wall = form.chosen
        post = experiments.hold(account=account, wall=wall, by=request.user, at=clock.now())
    except Problem as problem:
        messages.error(request, str(problem))
        return redirect("publishing:experiments", brand.slug)
    return redirect(f"{reverse('publishing:experiment_beginning', args=[brand.slug])}?post={post.pk}")


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.write")
def begin(request: RoomRequest, brand: Brand) -> HttpResponse:
    """Try something with a post, `?post=7`; something new on one of its accounts, `&account=3`."""
    post = get_object_or_404(Post, pk=_number(request, "post"), brand=brand)
    _check_right(request, post)
    some = [] if queries.is_model(post) else experiments.accounts(post)
    asked = next((one for one in some if one.pk == _number(request, "account")), None)
    account = asked or next((one for one in some if not experiments.why_not(post, one)), some[0] if some else None)
    if request.method != "POST":
        first = {"owner": request.user.pk, "title": post.title}
        return _form(request, post, account, ExperimentForm(initial=first, post=post, account=account))
    form = ExperimentForm(request.POST, post=post, account=account)
    if not form.is_valid():
        return _form(request, post, account, form, status=422)
    checked = _checked(request, brand, post, account, form)
    try:
        with transaction.atomic():
            made = experiments.begin(
                post=post, by=request.user, at=clock.now(), account=account, **form.cleaned_data
            )  # fmt: skip
            _only_seen(request, checked)
    except Problem as problem:
        form.add_error(None, str(problem))
        return _form(request, post, account, form, status=422, checked=checked)
    return redirect("publishing:experiment", brand.slug, made.pk)


def _checked(
    request: RoomRequest, brand: Brand, post: Post, account: Account | None, form: ExperimentForm
) -> Checked:  # fmt: skip
    """What is amiss with wording B. Of something new, nothing: what it says is looked at before it leaves."""
    said, kind = form.cleaned_data, experiments.kind_of(post, account)
    of = account.pk if account and kind == Experiment.Kind.LETTER else None
    wording = Wording(Experiment.Arm.B.label, said.get("text_b", ""), said.get("title_b", ""), of)
    wordings = [] if kind == Experiment.Kind.FORMAT else [wording]
    whole = queries.whole(brand).get(pk=post.pk)
    return leaving.of_post(request, brand, whole, wall=post.wall, wordings=wordings).of_wording(wording.sign)


def _only_seen(request: RoomRequest, checked: Checked) -> None:
    """Nobody changes wording B any more once it has begun. Raises `Problem`."""
    if checked.stops:
        raise Problem(_("Wording B can't leave as it is: put right what the list says."))
    if checked.warns and not checked.is_seen(request.POST.get("known", "")):
        raise Unseen


def _number(request: RoomRequest, name: str) -> int:
    said = request.GET.get(name, "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 19 else 0


def _check_right(request: RoomRequest, post: Post) -> None:
    if not request.membership.may(experiments.right_over(post)):
        raise PermissionDenied


def _form(
    request: RoomRequest, post: Post, account: Account | None, form: ExperimentForm, *, status: int = 200,
    checked: Checked | None = None,
) -> HttpResponse:  # fmt: skip
    kind, names = experiments.kind_of(post, account), sameness.formats()
    lately = sameness.lately(account, but=post) if account and kind == Experiment.Kind.FORMAT else {}
    version = post.versions.filter(account=account).first() if account else None
    context: dict[str, Any] = {
        "room": "publishing", "post": post, "account": account, "form": form, "checked": checked,
        "why_not": experiments.why_not(post, account),
        "kind": kind, "accounts": experiments.accounts(post), "title_a": version.hints.get("title") if version else "",
        "text_a": saying.parts_of(version)[0].text if version and version.post.parts.exists() else
        experiments.wording_of(post), "lately": [(names[name], n) for name, n in lately.items()],
    }  # fmt: skip
    return render(request, "publishing/experiment_new.html", context, status=status)


@require_GET
@brand_required("publishing.read")
def show(request: RoomRequest, brand: Brand, experiment_id: int) -> HttpResponse:
    one = get_object_or_404(experiments.experiments(brand), pk=experiment_id)
    return _page(request, one, ClosingForm(), status=200)


def _page(request: RoomRequest, one: Experiment, form: ClosingForm, *, status: int) -> HttpResponse:
    context = experiment_page.page(one, at=clock.now()) | {
        "room": "publishing", "experiment": one, "form": form,
        "format": experiment_page.format_label(one), "after": experiment_page.after(one),
        "begun_by": User.objects.filter(pk=one.begun_by_id).first(),
        "series": Series.objects.filter(model=one.post_id).first(),
    }  # fmt: skip
    return render(request, "publishing/experiment.html", context, status=status)


@require_POST
@brand_required("publishing.write")
def close(request: RoomRequest, brand: Brand, experiment_id: int) -> HttpResponse:
    """Keep how it came out, and what was learned."""
    one = get_object_or_404(experiments.experiments(brand), pk=experiment_id)
    _check_right(request, one.post)
    form = ClosingForm(request.POST)
    if not form.is_valid():
        return _page(request, one, form, status=422)
    try:
        experiments.close(experiment=one, learned=form.cleaned_data["learned"], by=request.user, at=clock.now())
    except Problem as problem:
        messages.error(request, str(problem))
    return redirect("publishing:experiment", brand.slug, one.pk)


@require_POST
@brand_required("publishing.write")
def go_on(request: RoomRequest, brand: Brand, experiment_id: int) -> HttpResponse:
    """Let what comes back say the wording that won."""
    one = get_object_or_404(experiments.experiments(brand), pk=experiment_id)
    _check_right(request, one.post)
    try:
        experiments.go_on(experiment=one, by=request.user, at=clock.now())
    except Problem as problem:
        messages.error(request, str(problem))
    return redirect("publishing:experiment", brand.slug, one.pk)
