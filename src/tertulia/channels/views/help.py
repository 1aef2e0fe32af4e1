"""What can be done on a channel: for everybody who reads what comes in there."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from tertulia.brand.models import Brand
from tertulia.channels import abilities
from tertulia.channels.forms import said
from tertulia.channels.models import Account
from tertulia.connectors import registry
from tertulia.team.access import brand_required


@require_GET
@brand_required("inbox.read")
def show(request: Any, brand: Brand, account_id: int) -> HttpResponse:
    account = get_object_or_404(Account.objects.filter(brand=brand), pk=account_id)
    connector = registry.all_connectors().get(account.kind)
    if connector is None:
        raise Http404
    can, shown = connector.capabilities, abilities.kinds(account)
    return render(
        request,
        "channels/help.html",
        {
            "account": account,
            "channel": said(connector.name),
            "capabilities": can,
            "kinds": [abilities.KINDS[kind] for kind in shown],
            "theirs": abilities.table([line for line in can.can if line.whose == "theirs"], shown),
            "ours": abilities.table([line for line in can.can if line.whose == "ours"], shown),
            "impossible": abilities.impossible(connector),
            "poll_minutes": -(-can.poll_seconds // 60),
            "max_text": account.connector.longest_text(account),
        },
    )
