"""Reading again what could not be read, once its connector was mended."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from tertulia.brand.models import Brand
from tertulia.channels.models import Account, Quarantine
from tertulia.core import clock
from tertulia.core.sentences import told
from tertulia.flows import inbound
from tertulia.team.access import BrandRequest, brand_required


@require_POST
@brand_required("channels.manage")
def read(request: BrandRequest, brand: Brand, quarantine_id: int) -> HttpResponse:
    found = get_object_or_404(Quarantine.objects.filter(account__brand=brand, settled_at=None), pk=quarantine_id)
    try:
        inbound.read_again(found, by=request.membership.user_id, at=clock.now())
    except inbound.NotReadable as problem:
        messages.error(request, _("It still can't be read: {why}").format(why=told(str(problem))))
    else:
        messages.success(request, _("It was read and is in the inbox."))
    return redirect("channels:quarantine", brand.slug)


@require_POST
@brand_required("channels.manage")
def read_all(request: BrandRequest, brand: Brand, account_id: int) -> HttpResponse:
    account = get_object_or_404(Account.objects.filter(brand=brand), pk=account_id)
    read, kept = inbound.read_all_again(account, by=request.membership.user_id, at=clock.now())
    if read:
        text = ngettext("{n} delivery was read.", "{n} deliveries were read.", read)
        messages.success(request, text.format(n=read))
    if kept:
        text = ngettext("{n} delivery still can't be read.", "{n} deliveries still can't be read.", kept)
        messages.error(request, text.format(n=kept))
    if read + kept == inbound.READ_AT_ONCE:
        messages.info(request, _("If there are more, they are being read in the background."))
    return redirect("channels:quarantine", brand.slug)
