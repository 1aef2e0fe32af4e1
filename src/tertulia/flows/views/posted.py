"""The page on which messages of a platform without an API are written down, one or several at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from tertulia.brand.models import Brand
from tertulia.channels.models import Account
from tertulia.connectors.contract import About
from tertulia.core import clock
from tertulia.flows import posted
from tertulia.flows.forms import PostedForm, WherePostedForm
from tertulia.team.access import BrandRequest, brand_required

Block = dict[str, Any]
FIELDS = ("key", "who", "happened_at", "url", "text")
MOST = 50


@require_http_methods(["GET", "POST"])
@brand_required("inbox.reply")
def note(request: BrandRequest, brand: Brand) -> HttpResponse:
    """The form. Messages pasted together are first laid out one by one; nothing is taken before all can be."""
    accounts, at = posted.accounts(brand), clock.now()
    if not accounts:
        return render(request, "flows/posted_nowhere.html", {"room": "inbox"})
    if request.method == "GET":
        where = WherePostedForm(initial=_initial(request, accounts), accounts=accounts)
        return _page(request, brand, where, [_block(brand, at)], at)
    blocks = _handed_in(request.POST, brand, at)
    if "more" in request.POST or "split" in request.POST:
        blocks = [*blocks, _block(brand, at)] if "more" in request.POST else _laid_out(blocks)
        where = WherePostedForm(initial=request.POST.dict(), accounts=accounts)
        return _page(request, brand, where, blocks[:MOST], at)
    where = WherePostedForm(request.POST, accounts=accounts)
    forms = [_form(block, number, brand, at, is_bound=True) for number, block in enumerate(blocks)]
    if not all([where.is_valid(), *(form.is_valid() for form in forms)]):
        return _page(request, brand, where, forms, at, status=422)
    try:
        return _take_in(request, brand, where.cleaned_data, [form.cleaned_data for form in forms], accounts, at)
    except posted.KeptOut as problem:
        where.add_error(None, str(problem))
        return _page(request, brand, where, forms, at, status=422)


def _take_in(
    request: BrandRequest, brand: Brand, where: Mapping[str, Any], written: Sequence[Mapping[str, Any]],
    accounts: Sequence[Account], at: datetime,
) -> HttpResponse:  # fmt: skip
    account = next(account for account in accounts if account.pk == where["account"])
    title, url = where["post_title"].strip(), where["post_url"]
    taken = posted.note(
        account=account, by=request.membership.user, at=at, kind=where["kind"],
        messages=[posted.Posted(**{**each, "key": str(each["key"])}) for each in written],
        about=About(remote_id=(url or title)[:255], title=title, url=url) if title or url else None,
    )  # fmt: skip
    if len(taken) == 1:
        return redirect("inbox:conversation", brand.slug, taken[0].pk)
    said = ngettext("{n} message written down.", "{n} messages written down.", len(written))
    messages.success(request, said.format(n=len(written)))
    return redirect(f"{reverse('inbox:list', args=[brand.slug])}?account={account.pk}")


def _handed_in(data: QueryDict, brand: Brand, at: datetime) -> list[Block]:
    """Those with something in them; one is left in any case."""
    blocks: list[Block] = []
    for number in range(MOST):
        if f"m{number}-text" not in data:
            break
        blocks.append({name: data.get(f"m{number}-{name}", "") for name in FIELDS})
    return [block for block in blocks if any(block[name].strip() for name in ("who", "url", "text"))] or (
        blocks[:1] or [_block(brand, at)]
    )


def _laid_out(blocks: Sequence[Block]) -> list[Block]:
    laid_out: list[Block] = []
    for block in blocks:
        for number, (who, text) in enumerate(posted.split(block["text"]) or [("", "")]):
            is_first = number == 0
            own = {"key": block["key"] if is_first else uuid4(), "url": block["url"] if is_first else ""}
            laid_out.append({**block, **own, "who": who or (block["who"] if is_first else ""), "text": text})
    return laid_out


def _page(
    request: BrandRequest, brand: Brand, where: WherePostedForm, blocks: Sequence[Block | PostedForm], at: datetime,
    *, status: int = 200,
) -> HttpResponse:  # fmt: skip
    forms = [
        each if isinstance(each, PostedForm) else _form(each, number, brand, at) for number, each in enumerate(blocks)
    ]
    context = {"room": "inbox", "where": where, "forms": forms, "has_room": len(forms) < MOST}
    return render(request, "flows/posted.html", context, status=status)


def _form(block: Block, number: int, brand: Brand, at: datetime, *, is_bound: bool = False) -> PostedForm:
    prefix = f"m{number}"
    if is_bound:
        data = {f"{prefix}-{name}": block[name] for name in FIELDS}
        return PostedForm(data, prefix=prefix, brand=brand, at=at)
    form = PostedForm(initial=block, prefix=prefix, brand=brand, at=at)
    if not block["who"]:
        form.fields["who"].widget.attrs["autofocus"] = True
    return form


def _block(brand: Brand, at: datetime) -> Block:
    here = at.astimezone(ZoneInfo(brand.time_zone)).replace(second=0, microsecond=0, tzinfo=None)
    return {"key": uuid4(), "who": "", "happened_at": here, "url": "", "text": ""}


def _initial(request: BrandRequest, accounts: Sequence[Account]) -> dict[str, Any]:
    asked = request.GET.get("account", "")
    chosen = next((account for account in accounts if str(account.pk) == asked), accounts[0])
    return {"account": chosen.pk, "kind": chosen.connector.noted_kinds(chosen)[0]}
