"""The door of every page of a brand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Exists
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from tertulia.brand.models import Brand
from tertulia.core import clock, health, worker
from tertulia.core.kept import Kept, Slot, columns, moment, record
from tertulia.core.models import Heartbeat

from . import second_step
from .models import Membership, User
from .permissions import PERMISSIONS

P = ParamSpec("P")


class BrandRequest(HttpRequest):
    """A request that has passed `brand_required`."""

    brand: Brand
    membership: Membership
    memberships: list[Membership]


def brand_required(
    permission: str,
) -> Callable[
    [Callable[Concatenate[Any, Brand, P], HttpResponseBase]], Callable[Concatenate[Any, str, P], HttpResponseBase]
]:
    """Open a page to signed-in members of the brand in its address whose role has the permission.

    The view gets the Brand in place of the slug; `request.brand` and `request.membership` are set. Strangers see
    404, as if the brand did not exist; members without the right see 403. Who has to have a second step and has none
    is led to where it is added.
    """
    if permission not in PERMISSIONS:
        raise LookupError(permission)

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @login_required
        @wraps(view)
        def guarded(request: Any, brand: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
            memberships = memberships_of(request)
            membership = next((one for one in memberships if one.brand.slug == brand), None)
            if membership is None:
                raise Http404
            request.brand, request.membership = membership.brand, membership
            if not membership.may(permission):
                raise PermissionDenied
            if second_step.is_missing(membership):
                return redirect(f"{reverse('mfa_index')}?demanded")
            return view(request, membership.brand, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


def memberships_of(request: Any) -> list[Membership]:
    """Every membership of whoever asks, by the brand's name, read once a request.

    One query serves the door, the list of brands to switch to, the bell (`unread`) and the banner that says when
    background work is silent (`hears_work`): it runs on every page.
    """
    if not hasattr(request, "memberships"):
        rows = _memberships().ask(user=request.user.pk, since=clock.now() - health.SILENT)
        found = [_membership(row, request.user) for row in rows]
        request.memberships = sorted(found, key=lambda one: (one.brand.name.casefold(), one.brand_id))
    memberships: list[Membership] = request.memberships
    return memberships


@cache
def _memberships() -> Kept:
    beats = Heartbeat.objects.filter(name=worker.HEARTBEAT, at__gt=moment("since"))
    mine = Membership.objects.filter(user_id=Slot("user")).with_unread().annotate(hears_work=Exists(beats))
    brand = [f"brand__{name}" for name in columns(Brand)]
    return Kept(mine, "unread", "hears_work", *columns(Membership), *brand)


def _membership(row: Sequence[Any], user: User) -> Membership:
    unread, hears_work, *values = row
    end = len(columns(Membership))
    membership: Any = record(Membership, values[:end])
    membership.unread, membership.hears_work = unread, hears_work
    membership.brand, membership.user = record(Brand, values[end:]), user
    return cast("Membership", membership)
