"""What the brand's corrections have taught: how well it reads since, and everything undone, taken out or brought in."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.team.access import brand_required
from tertulia.understanding import lessons, teaching
from tertulia.understanding.actions import NotUnderstood
from tertulia.understanding.models import BrandLayer, Correction, Import, Topic

from .. import taught, understood
from ..access import DeskRequest
from ..forms import ImportForm


@require_GET
@brand_required("inbox.read")
def show(request: DeskRequest, brand: Brand) -> HttpResponse:
    return _page(request, brand)


def _page(request: DeskRequest, brand: Brand, problems: list[str] | None = None) -> HttpResponse:
    before = request.GET.get("before", "")
    context = {
        "room": "settings", "section": "learning", "form": ImportForm(), "problems": problems or [],
        "taught": taught.shown(brand, before=int(before) if before.isdecimal() and len(before) < 19 else None),
    }  # fmt: skip
    return render(request, "inbox/learning.html", context, status=422 if problems else 200)


@require_POST
@brand_required("inbox.settings")
def switch(request: DeskRequest, brand: Brand) -> HttpResponse:
    """Let what was learnt read, or the shipped model alone."""
    teaching.switch(brand=brand.pk, is_on=request.POST.get("is_on") == "1", by=request.user.pk, at=clock.now())
    return redirect("inbox:learning", brand.slug)


@require_POST
@brand_required("inbox.settings")
def decide(request: DeskRequest, brand: Brand) -> HttpResponse:
    """Use what reads worse all the same, or leave it."""
    held = BrandLayer.objects.filter(brand=brand, state=BrandLayer.State.HELD).first()
    if held is None or str(held.pk) != request.POST.get("layer"):
        messages.error(request, _("There is something newer to decide about. Look at it again."))
    else:
        what = teaching.accept if request.POST.get("use") == "1" else teaching.refuse
        what(held=held, by=request.user.pk, at=clock.now())
    return redirect("inbox:learning", brand.slug)


@require_POST
@brand_required("inbox.settings")
def forget(request: DeskRequest, brand: Brand) -> HttpResponse:
    """Forget all that was learnt, when the box beside it is ticked."""
    if request.POST.get("sure") != "1":
        messages.error(request, _("Tick the box to say that you mean it."))
    else:
        teaching.forget(brand=brand, by=request.user.pk, at=clock.now())
        messages.info(request, _("All that was learnt is forgotten."))
    return redirect("inbox:learning", brand.slug)


@require_POST
@brand_required("inbox.settings")
def add_topic(request: DeskRequest, brand: Brand) -> HttpResponse:
    try:
        lessons.add_topic(brand=brand, name=request.POST.get("name", ""), by=request.user.pk, at=clock.now())
    except lessons.NoTopic as problem:
        messages.error(request, str(problem))
    return redirect("inbox:learning", brand.slug)


@require_POST
@brand_required("inbox.settings")
def rename_topic(request: DeskRequest, brand: Brand, topic_id: int) -> HttpResponse:
    topic = get_object_or_404(Topic, pk=topic_id, brand=brand)
    try:
        lessons.rename_topic(topic=topic, name=request.POST.get("name", ""), by=request.user.pk, at=clock.now())
    except lessons.NoTopic as problem:
        messages.error(request, str(problem))
    return redirect("inbox:learning", brand.slug)


@require_POST
@brand_required("inbox.settings")
def remove_topic(request: DeskRequest, brand: Brand, topic_id: int) -> HttpResponse:
    topic = get_object_or_404(Topic, pk=topic_id, brand=brand)
    lessons.remove_topic(topic=topic, by=request.user.pk, at=clock.now())
    said = _("The topic “{name}” is removed. It can be brought back below.")
    messages.info(request, said.format(name=topic.name))
    return redirect("inbox:learning", brand.slug)


@require_POST
@brand_required("inbox.settings")
def restore_topic(request: DeskRequest, brand: Brand, topic_id: int) -> HttpResponse:
    """Bring back a removed topic with what was said of it."""
    topic = get_object_or_404(Topic, pk=topic_id, brand=brand)
    try:
        lessons.restore_topic(topic=topic, by=request.user.pk, at=clock.now())
    except lessons.NoTopic as problem:
        messages.error(request, str(problem))
    return redirect("inbox:learning", brand.slug)


@require_POST
@brand_required("inbox.settings")
def undo(request: DeskRequest, brand: Brand, correction_id: int) -> HttpResponse:
    """Let what was read of a message stand again."""
    said = get_object_or_404(Correction.objects.select_related("message"), pk=correction_id, brand=brand)
    try:
        understood.undo_of_message(message=said.message, field=said.field, by=request.user, at=clock.now())
    except NotUnderstood as problem:
        messages.error(request, str(problem))
    return redirect("inbox:learning", brand.slug)


@require_http_methods(["GET", "POST"])
@brand_required("inbox.settings")
def examples(request: DeskRequest, brand: Brand) -> HttpResponse:
    """What was taught as a file; or a file of it to learn from."""
    if request.method == "GET":
        answer = HttpResponse("".join(lessons.exported(brand)), content_type="application/jsonl; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{brand.slug}.jsonl"'
        return answer
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, brand, [_("Choose a file.")])
    file = form.cleaned_data["file"]
    try:
        source = lessons.import_lines(
            brand=brand, content=file.read(lessons.LARGEST + 1), name=file.name, by=request.user.pk, at=clock.now()
        )
    except lessons.NotReadable as problem:
        return _page(request, brand, problem.problems)
    said = ngettext("{n} example is being learnt from.", "{n} examples are being learnt from.", source.size)
    messages.info(request, said.format(n=source.size))
    return redirect("inbox:learning", brand.slug)


@require_POST
@brand_required("inbox.settings")
def undo_import(request: DeskRequest, brand: Brand, import_id: int) -> HttpResponse:
    source = get_object_or_404(Import, pk=import_id, brand=brand)
    lessons.undo_import(source=source, by=request.user.pk, at=clock.now())
    return redirect("inbox:learning", brand.slug)
