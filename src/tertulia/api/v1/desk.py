"""The brand, its team, its channels, and whether all is well."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib.metadata import version

from ninja import Path, Router

from tertulia.brand.models import Brand
from tertulia.channels.models import Account
from tertulia.core import clock
from tertulia.core.models import Heartbeat
from tertulia.inbox import queries
from tertulia.inbox.models import SavedReply
from tertulia.team.models import Membership

from ..access import Call, Caller, door
from ..errors import not_found
from .shapes import (
    BrandShape,
    ChannelShape,
    ColleagueShape,
    HealthShape,
    Id,
    LabelShape,
    Page,
    SavedReplyShape,
    TokenShape,
    WorkShape,
)

router = Router(tags=["Desk"])
SILENT_AFTER = timedelta(minutes=2)


@router.get("/token", response=TokenShape, **door())
def token(request: Call) -> TokenShape:
    """What this token is and may do. Needs no scope: a way to try a new token."""
    return _token(request.auth)


def _token(caller: Caller) -> TokenShape:
    token = caller.token
    return TokenShape(
        name=token.name, prefix=token.prefix, scopes=token.scopes, expires_at=token.expires_at,
        brand_id=caller.brand.id, user_id=caller.user.id, user_name=caller.user.name, role=caller.membership.role,
    )  # fmt: skip


@router.get("/brands", response=Page[BrandShape], **door("brand:read", "inbox.read"))
def brands(request: Call) -> Page[BrandShape]:
    """The brands this token opens: the one it was made in."""
    return Page[BrandShape](items=[_brand(request.auth.brand)], next=None)


@router.get("/brands/{int:brand_id}", response=BrandShape, **door("brand:read", "inbox.read"))
def brand(request: Call, brand_id: Path[Id]) -> BrandShape:
    """One brand. 404 for any but the token's own."""
    if brand_id != request.auth.brand.id:
        raise not_found()
    return _brand(request.auth.brand)


def _brand(brand: Brand) -> BrandShape:
    return BrandShape(
        id=brand.id, slug=brand.slug, name=brand.name, language=brand.language, time_zone=brand.time_zone,
        country=brand.country, region=brand.region,
    )  # fmt: skip


@router.get("/team", response=Page[ColleagueShape], **door("brand:read", "team.read"))
def team(request: Call) -> Page[ColleagueShape]:
    """The brand's people who can sign in, by name: whom conversations can be assigned to."""
    rows = Membership.objects.filter(brand=request.auth.brand, user__is_active=True).select_related("user")
    people = [
        ColleagueShape(id=row.user_id, name=row.user.name, role=row.role, can_reply=row.may("inbox.reply"))
        for row in rows.order_by("user__name", "user_id")
    ]
    return Page[ColleagueShape](items=people, next=None)


@router.get("/channels", response=Page[ChannelShape], **door("channels:read", "inbox.read"))
def channels(request: Call) -> Page[ChannelShape]:
    """The connected channels, by name. Their settings and secrets never leave the desk."""
    return Page[ChannelShape](items=_channels(request.auth.brand), next=None)


@router.get("/channels/{int:channel_id}", response=ChannelShape, **door("channels:read", "inbox.read"))
def channel(request: Call, channel_id: Path[Id]) -> ChannelShape:
    """One channel. 404 for another brand's."""
    account = queries.accounts(request.auth.brand).get(channel_id)
    if account is None:
        raise not_found()
    return _channel(account)


def _channels(brand: Brand) -> list[ChannelShape]:
    return [_channel(account) for account in queries.accounts(brand).values()]


def _channel(account: Account) -> ChannelShape:
    capabilities = account.capabilities
    return ChannelShape(
        id=account.id, kind=account.kind, name=account.name, state=account.state, trouble=account.trouble,
        can_reply="reply" in capabilities.writes, max_text=capabilities.max_text,
        last_success_at=account.last_success_at,
    )  # fmt: skip


@router.get("/health", response=HealthShape, **door("channels:read", "inbox.read"))
def health(request: Call) -> HealthShape:
    """Whether the brand's channels and the background work are well.

    `status` is `attention` when a channel has trouble or the background work is silent. For a probe without a token
    there are `/healthz` and `/readyz`.
    """
    at = clock.now()
    work, channels = _work(at), _channels(request.auth.brand)
    is_well = work.is_running and all(channel.state != Account.State.ATTENTION for channel in channels)
    status = "ok" if is_well else "attention"
    return HealthShape(status=status, at=at, version=version("tertulia"), channels=channels, work=work)  # type: ignore[arg-type]


def _work(at: datetime) -> WorkShape:
    last = Heartbeat.objects.filter(name__startswith="work").order_by("-at").first()
    return WorkShape(is_running=bool(last and last.at > at - SILENT_AFTER), last_sign_at=last.at if last else None)


@router.get("/labels", response=Page[LabelShape], **door("conversations:read", "inbox.read"))
def labels(request: Call) -> Page[LabelShape]:
    """The brand's labels, by name."""
    rows = queries.labels(request.auth.brand).values()
    return Page[LabelShape](items=[LabelShape(id=row.id, name=row.name, hue=row.hue) for row in rows], next=None)


@router.get("/saved-replies", response=Page[SavedReplyShape], **door("conversations:read", "inbox.read"))
def saved_replies(request: Call) -> Page[SavedReplyShape]:
    """The brand's saved replies, by title, with their variables unfilled."""
    rows = SavedReply.objects.filter(brand=request.auth.brand).order_by("title")
    items = [SavedReplyShape(id=row.id, title=row.title, text=row.text, language=row.language) for row in rows]
    return Page[SavedReplyShape](items=items, next=None)
