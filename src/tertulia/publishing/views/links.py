"""Links and what they earned: the list, one link, coupons, orders, and the settings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings as installation
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.channels.models import Message
from tertulia.core import clock
from tertulia.team.access import brand_required

from .. import addresses, conversions, figures, linking, order_files, qr, shortening
from ..access import RoomRequest
from ..conversions import Kind, Order
from ..link_forms import CouponForm, LinkForm, LinkSettingsForm, OrderFileForm, OrderForm
from ..models import Conversion, Coupon, Link, OrderFile
from ..problems import Problem

PAGE = 25
WRONG = 100
"""So many lines that can't be used are listed."""


@require_GET
@brand_required("publishing.read")
def show(request: RoomRequest, brand: Brand) -> HttpResponse:
    number = _number(request)
    rows = list(figures.links(brand)[(number - 1) * PAGE : number * PAGE + 1])
    found = figures.of_links(rows[:PAGE])
    listed = [(link, addresses.short(link.code), found[link.pk]) for link in rows[:PAGE]]
    return render(request, "publishing/links.html", _page("links", rows, number, links=listed))


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.write")
def make(request: RoomRequest, brand: Brand) -> HttpResponse:
    """A link made by hand; `?reply=7` for an answer to somebody."""
    is_sent = request.method == "POST"
    form = LinkForm(request.POST if is_sent else None, brand=brand, initial={"reply": _id(request.GET.get("reply"))})
    if is_sent and form.is_valid():
        told = dict(form.cleaned_data)
        try:
            link = linking.make(
                brand=brand, by=request.user, at=clock.now(), reply_id=told.pop("reply"), **told
            )  # fmt: skip
            return redirect("publishing:link", brand.slug, link.pk)
        except Problem as problem:
            form.add_error("target", str(problem))
    context = {"room": "publishing", "tab": "links", "form": form, "reply": _reply(form, brand)}
    return render(request, "publishing/new_link.html", context, status=422 if form.errors else 200)


def _reply(form: LinkForm, brand: Brand) -> Message | None:
    """The answer that the link is for, to be shown."""
    id = _id(str(form["reply"].value() or ""))
    return Message.objects.filter(pk=id, account__brand=brand, direction="out").first() if id else None


@require_GET
@brand_required("publishing.read")
def show_link(request: RoomRequest, brand: Brand, link_id: int) -> HttpResponse:
    link = get_object_or_404(figures.links(brand).select_related("brand"), pk=link_id)
    days = figures.days(link, at=clock.now())
    context = {
        "room": "publishing", "tab": "links", "link": link, "short": addresses.short(link.code), "days": days,
        "is_known_outside": addresses.is_known_outside(),
        "figures": figures.of_links([link])[link.pk], "highest": max(day.people for day in days),
        "coupons": Coupon.objects.filter(link=link).order_by("code"),
        "earned": figures.conversions(brand).filter(link=link)[:PAGE],
        "reply": Message.objects.filter(pk=link.reply_id, account__brand=brand).first() if link.reply_id else None,
    }  # fmt: skip
    return render(request, "publishing/link.html", context)


QR = {"svg": (qr.svg, "image/svg+xml"), "png": (qr.png, "image/png")}


@require_GET
@brand_required("publishing.read")
def show_qr(request: RoomRequest, brand: Brand, link_id: int, type: str) -> HttpResponse:
    """The link's QR code; `?download` to keep it as a file."""
    link = get_object_or_404(Link, pk=link_id, brand=brand)
    draw, media_type = QR[type]
    answer = HttpResponse(draw(addresses.short(link.code)), content_type=media_type)
    kept = "attachment" if "download" in request.GET else "inline"
    answer["Content-Disposition"] = f'{kept}; filename="qr-{link.code}.{type}"'
    return answer


@require_POST
@brand_required("publishing.write")
def end(request: RoomRequest, brand: Brand, link_id: int) -> HttpResponse:
    link = get_object_or_404(Link, pk=link_id, brand=brand)
    _try(request, lambda: linking.end(link=link, by=request.user, at=clock.now()))
    return redirect("publishing:link", brand.slug, link.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.settings")
def settle(request: RoomRequest, brand: Brand) -> HttpResponse:
    now = shortening.settings_of(brand.pk)
    is_sent = request.method == "POST"
    stands = {"has_pixel": bool(now.pixel_key), **{name: getattr(now, name) for name in linking.SETTINGS}}
    form = LinkSettingsForm(request.POST if is_sent else None, initial=stands)
    if is_sent and form.is_valid():
        try:
            linking.settle(brand=brand, by=request.user, at=clock.now(), **form.cleaned_data)
            messages.info(request, _("Kept."))
            return redirect("publishing:link_settings", brand.slug)
        except ValidationError as error:
            form.add_error(None, error)
    dot = installation.PUBLIC_URL + reverse("pixel")
    context = {
        "room": "publishing", "tab": "settings", "form": form, "example": addresses.short("abc2345"),
        "pixel": f"{dot}?k={now.pixel_key}&tt=…&ref=…&value=…" if now.pixel_key else "",
    }  # fmt: skip
    return render(request, "publishing/link_settings.html", context, status=422 if form.errors else 200)


# Coupons.


@require_GET
@brand_required("publishing.read")
def coupons(request: RoomRequest, brand: Brand) -> HttpResponse:
    rows = Coupon.objects.filter(brand=brand).select_related("link", "post", "campaign").order_by("code")
    found = figures.of_coupons(brand)
    listed = [(coupon, found[coupon.pk]) for coupon in rows]
    context = {"room": "publishing", "tab": "coupons", "coupons": listed, "form": CouponForm(brand=brand)}
    return render(request, "publishing/coupons.html", context)


@require_POST
@brand_required("publishing.write")
def add_coupon(request: RoomRequest, brand: Brand) -> HttpResponse:
    form = CouponForm(request.POST, brand=brand)

    def add() -> None:
        if not form.is_valid():
            raise Problem(_("Something was missing. Try it again."))
        linking.add_coupon(brand=brand, by=request.user, at=clock.now(), **form.cleaned_data)

    _try(request, add)
    return redirect("publishing:coupons", brand.slug)


@require_POST
@brand_required("publishing.write")
def remove_coupon(request: RoomRequest, brand: Brand, coupon_id: int) -> HttpResponse:
    coupon = get_object_or_404(Coupon, pk=coupon_id, brand=brand)
    linking.remove_coupon(coupon=coupon, by=request.user, at=clock.now())
    return redirect("publishing:coupons", brand.slug)


# Orders.


@require_GET
@brand_required("publishing.read")
def orders(request: RoomRequest, brand: Brand) -> HttpResponse:
    """What links, coupons and campaigns became, and apart from it what nothing can be said of."""
    number, only = _number(request), request.GET.get("only", "")
    rows = figures.conversions(brand)
    if only in {"attributed", "unattributed"}:
        rows = rows.filter(model="") if only == "unattributed" else rows.exclude(model="")
    page = list(rows[(number - 1) * PAGE : number * PAGE + 1])
    models = [(Conversion.Model(model).label, model, one) for model, one in figures.by_model(brand)]
    context = _page(
        "orders", page, number, conversions=page[:PAGE], models=models, only=only, order_form=OrderForm(),
        file_form=OrderFileForm(), click_days=shortening.settings_of(brand.pk).click_days,
    )  # fmt: skip
    return render(request, "publishing/conversions.html", context)


@require_POST
@brand_required("publishing.write")
def note_order(request: RoomRequest, brand: Brand) -> HttpResponse:
    """An order that somebody saw with their own eyes: in the shop, on the phone."""
    form, at = OrderForm(request.POST), clock.now()

    def note() -> None:
        if not form.is_valid():
            raise Problem(_("Something was missing. Try it again."))
        told, zone = form.cleaned_data, ZoneInfo(brand.time_zone)
        moment = min(datetime.combine(told["on"], time(23, 59), zone), at) if told["on"] else at
        order = Order(
            conversions.reference(told["reference"]), conversions.cents(told["value"]),
            shortening.settings_of(brand.pk).currency, moment, coupon=told["coupon"],
        )  # fmt: skip
        _one, is_new = conversions.record(brand=brand, order=order, kind=Kind.COUPON, by=request.user, at=at)
        if not is_new:
            raise Problem(_("There is an order with this number already."))

    _try(request, note)
    return redirect("publishing:conversions", brand.slug)


@require_POST
@brand_required("publishing.publish")
def hand_in_file(request: RoomRequest, brand: Brand) -> HttpResponse:
    form = OrderFileForm(request.POST, request.FILES)
    try:
        if not form.is_valid():
            raise Problem(_("Choose a CSV file."))
        file = form.cleaned_data["file"]
        if (file.size or 0) > order_files.LARGEST:
            raise Problem(_("The file is too large: 5 MB at most."))
        kept = order_files.keep(brand=brand, name=file.name, content=file.read(), by=request.user, at=clock.now())
    except Problem as problem:
        messages.error(request, str(problem))
        return redirect("publishing:conversions", brand.slug)
    return redirect("publishing:order_file", brand.slug, kept.pk)


@require_GET
@brand_required("publishing.publish")
def show_file(request: RoomRequest, brand: Brand, order_file_id: int) -> HttpResponse:
    """What taking the list over would do. Nothing is done yet."""
    file = get_object_or_404(OrderFile.objects.select_related("brand"), pk=order_file_id, brand=brand)
    try:
        found, taken = order_files.look_at(file, by=request.user, at=clock.now())
    except Problem as problem:  # the settings, or the program, have changed since it was handed in
        messages.error(request, str(problem))
        return redirect("publishing:conversions", brand.slug)
    models = [(label, taken.models[value]) for value, label in Conversion.Model.choices if taken.models[value]]
    context = {
        "room": "publishing", "tab": "orders", "file": file, "taken": taken, "models": models,
        "wrong": found.wrong[:WRONG], "wrong_count": len(found.wrong), "shown": taken.fresh[:10],
        "new": len(taken.fresh) + len(taken.bettered), "known": len(taken.known),
    }  # fmt: skip
    return render(request, "publishing/order_file.html", context)


@require_POST
@brand_required("publishing.publish")
def take_over_file(request: RoomRequest, brand: Brand, order_file_id: int) -> HttpResponse:
    file = get_object_or_404(OrderFile.objects.select_related("brand"), pk=order_file_id, brand=brand)

    def take() -> None:
        _found, taken = order_files.take_over(file=file, by=request.user, at=clock.now())
        count = len(taken.fresh) + len(taken.bettered)
        messages.info(request, ngettext("{n} order imported.", "{n} orders imported.", count).format(n=count))

    _try(request, take)
    return redirect("publishing:conversions", brand.slug)


@require_POST
@brand_required("publishing.publish")
def drop_file(request: RoomRequest, brand: Brand, order_file_id: int) -> HttpResponse:
    get_object_or_404(OrderFile, pk=order_file_id, brand=brand).delete()
    return redirect("publishing:conversions", brand.slug)


def _page(tab: str, rows: list[Any], number: int, **more: Any) -> dict[str, Any]:
    return {
        "room": "publishing", "tab": tab, "newer": number - 1, "older": number + 1 if len(rows) > PAGE else 0, **more
    }  # fmt: skip


def _number(request: RoomRequest) -> int:
    asked = request.GET.get("page", "")
    return max(1, int(asked)) if asked.isascii() and asked.isdecimal() and len(asked) < 7 else 1


def _id(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None


def _try(request: RoomRequest, act: Callable[[], object]) -> None:
    try:
        act()
    except Problem as problem:
        messages.error(request, str(problem))
