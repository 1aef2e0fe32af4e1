"""The sample company's own page, as a customer sees it: somewhere to try the chat from the other side."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from tertulia.brand.models import Brand
from tertulia.channels.models import Account
from tertulia.flows import news

LANGUAGES = ("es", "en")


@require_safe
def shop(request: HttpRequest, brand: str) -> HttpResponse:
    """Only sample companies have one. The page speaks the visitor's language, or the one they choose on it."""
    sample = get_object_or_404(Brand, slug=brand, is_sample=True)
    asked = request.GET.get("language", "")
    chat = _chat_of(sample)
    has_news = chat is not None and news.published(chat).exists()
    with translation.override(asked if asked in LANGUAGES else translation.get_language()):
        said = {"shop": sample, "chat": chat, "has_news": has_news, "products": _products()}
        response = render(request, "flows/shop.html", said)
    response["Vary"] = "Accept-Language, Cookie"
    return response


def _chat_of(brand: Brand) -> Account | None:
    accounts = Account.objects.filter(brand=brand, state=Account.State.ACTIVE).order_by("id")
    return next((account for account in accounts if account.capabilities.hosted), None)


def _products() -> list[dict[str, str]]:
    rows = [
        ("hogaza", _("Country loaf"), _("Stone-ground wheat, 24 hours of rest. 1 kg."), "4,80 €"),
        ("barra", _("Candela baguette"), _("Baked five times a day. The crust sings."), "1,35 €"),
        ("centeno", _("Whole rye"), _("With its own sourdough, dark and moist. 700 g."), "4,20 €"),
        ("molde", _("Milk sandwich loaf"), _("For toast and for the school bag. Sliced on request."), "3,60 €"),
        ("cruasan", _("Butter croissant"), _("Three days of folding, one minute of eating."), "1,90 €"),
        ("ensaimada", _("Ensaimada"), _("The recipe of Grandmother Candela, from Inca."), "2,40 €"),
        ("magdalena", _("Olive oil muffins"), _("Half a dozen, with a cap of sugar."), "3,90 €"),
        ("roscon", _("Kings’ ring"), _("From Advent until the sixth of January. To order."), "22,00 €"),
    ]
    return [
        {"picture": f"flows/shop/{picture}.svg", "name": name, "about": about, "price": price}
        for picture, name, about, price in rows
    ]
