"""What employees share: a page for colleagues without an account, with texts, pictures and links ready to be used.

It shows what is out and may be shown, at the moment at which it is opened, and nothing else of the brand. Nothing is
loaded from the networks it leads to.
"""

from __future__ import annotations

import re
import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.channels.models import RemotePost
from tertulia.core import activity
from tertulia.core.html import tidy
from tertulia.strategy.models import Campaign
from tertulia.team.models import User

from . import activities, addresses, figures, handles, linking, mailing, queries, rights, saying
from .figures import Figures
from .models import Kit, KitLink, Part, Post, Sending, Version
from .problems import Problem

MOST_POSTS, MOST_NAMES, MOST_TARGETS = 20, 40, 5
LONGEST_NAME = 60
SOURCE, MEDIUM = "employees", "social"
"""What its links carry as UTM."""
_SERVER = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]", re.ASCII)


# What people do with them.


@transaction.atomic
def begin(
    *, brand: Brand, of: Post | Campaign, by: User, at: datetime, disclosure: str, last_on: date, intro: str = "",
    names: Sequence[str] = (), counts: bool = True,
) -> tuple[Kit, str]:  # fmt: skip
    """A new kit and its address, which nobody can be told again. Raises `Problem` where nothing of it is out yet."""
    token = secrets.token_urlsafe(32)
    kit = Kit(
        brand=brand, post=of if isinstance(of, Post) else None, campaign=of if isinstance(of, Campaign) else None,
        token_hash=_hash(token), created_by_id=by.pk, created_at=at,
    )  # fmt: skip
    if not _out(kit):
        raise Problem(_("Nothing of it is published yet."))
    _take(kit, disclosure=disclosure, last_on=last_on, intro=intro, names=names, counts=counts, by=by, at=at)
    _record(activities.KIT_BEGUN, kit, by=by, at=at)
    return kit, _address(token)


@transaction.atomic
def change(
    *, kit: Kit, by: User, at: datetime, disclosure: str, last_on: date, intro: str = "", names: Sequence[str] = (),
    counts: bool = True,
) -> None:  # fmt: skip
    """Say it anew; what was published since has its links from now on, too. Whoever is taken off keeps their
    figures."""
    kit = _lock(kit)
    _take(kit, disclosure=disclosure, last_on=last_on, intro=intro, names=names, counts=counts, by=by, at=at)
    _record(activities.KIT_CHANGED, kit, by=by, at=at)


@transaction.atomic
def renew(*, kit: Kit, by: User, at: datetime) -> str:
    """A new address; the one before opens nothing any more."""
    kit, token = _lock(kit), secrets.token_urlsafe(32)
    kit.token_hash, kit.ended_at = _hash(token), None
    kit.save(update_fields=["token_hash", "ended_at"])
    _record(activities.KIT_RENEWED, kit, by=by, at=at)
    return _address(token)


@transaction.atomic
def end(*, kit: Kit, by: User, at: datetime) -> None:
    """Its address opens nothing any more. Its links, which stand elsewhere by now, go on leading where they lead."""
    if Kit.objects.filter(pk=kit.pk, ended_at__isnull=True).update(ended_at=at):
        _record(activities.KIT_ENDED, kit, by=by, at=at)


def _take(kit: Kit, *, names: Sequence[str], by: User, at: datetime, **said: Any) -> None:
    for field, value in said.items():
        setattr(kit, field, tidy(value).strip() if isinstance(value, str) else value)
    called = (" ".join(tidy(name).split())[:LONGEST_NAME] for name in names)
    kit.names = list(dict.fromkeys(filter(None, called)))[:MOST_NAMES]
    kit.save()
    if kit.counts:
        _make_links(kit, by=by, at=at)


def _make_links(kit: Kit, *, by: User, at: datetime) -> None:
    """One for everybody who says no name and one for each colleague, to each place that its texts lead to."""
    with translation.override(kit.brand.language):
        everybody = _("Share kit")
    there = set(KitLink.objects.filter(kit=kit).values_list("name", "target"))
    for post in _out(kit):
        targets = {one for text, url in _texts_of(post) for one in _targets(text, url)}
        for target in sorted(targets)[:MOST_TARGETS]:
            for name in ["", *kit.names]:
                if (name, target) not in there:
                    link = linking.make(
                        brand=kit.brand, target=target, by=by, at=at, name=f"{kit} · {name or everybody}",
                        source=SOURCE, medium=MEDIUM, content=name, post=post, campaign=kit.campaign,
                    )  # fmt: skip
                    KitLink.objects.create(kit=kit, link=link, name=name, target=target)
                    there.add((name, target))


def _lock(kit: Kit) -> Kit:
    return Kit.objects.select_for_update(of=("self",)).select_related("brand", "post", "campaign").get(pk=kit.pk)


def _record(name: str, kit: Kit, *, by: User, at: datetime) -> None:
    activity.record(name, on=kit, brand=kit.brand_id, by=by.pk, at=at, title=str(kit))


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _address(token: str) -> str:
    return settings.PUBLIC_URL + reverse("kit", args=[token])


# What stands on its page.


@dataclass(frozen=True, slots=True)
class Picture:
    """To be downloaded; `said` as `saying.pictured` speaks of it."""

    digest: str
    name: str
    alt: str
    is_film: bool
    said: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Text:
    """What was said on these networks, as somebody of the company may say it; `doors` lead there with it filled in."""

    networks: str
    text: str
    link: str
    pictures: Sequence[Picture]
    doors: Sequence[tuple[str, str]]


def found(token: str, *, at: datetime) -> Kit | None:
    """The kit of an address that still opens."""
    kit = Kit.objects.filter(token_hash=_hash(token)).select_related("brand", "post", "campaign").first()
    return kit if kit and is_open(kit, at=at) else None


def is_open(kit: Kit, *, at: datetime) -> bool:
    return kit.ended_at is None and at.astimezone(ZoneInfo(kit.brand.time_zone)).date() <= kit.last_on


def texts(kit: Kit, *, at: datetime, name: str = "", server: str = "", digest: str = "") -> list[Text]:
    """All that may be shared now, the newest first, with the links of this colleague; `server`: their Mastodon's.
    With `digest` of the posts with this picture alone."""
    mine = {one.target: addresses.short(one.link.code) for one in _links(kit, name)} if kit.counts else {}
    shown: list[Text] = []
    for post in _out(kit, digest=digest):
        by_text, urls, pictures = defaultdict[str, list[str]](list), dict[str, str](), dict[str, Picture]()
        for version, url in _versions(post):
            if _is_allowed(version, kit.brand, at=at):
                drafts = saying.spoken(version)
                text = _joined(drafts)
                by_text[text].append(_network(version))
                urls[text] = _best(urls.get(text, ""), url)
                pictures |= {one.digest: one for said in drafts for one in map(_picture, said["pictures"])}
        for text, networks in by_text.items():
            url = "" if addresses.listed(text) else urls[text]
            shown.append(_text(text, url, networks, list(pictures.values()), kit, mine, server))
    return shown


def picture(kit: Kit, digest: str, *, at: datetime) -> Mapping[str, Any] | None:
    """A picture or film of what its page shows now, and of nothing else."""
    all_of = (one for text in texts(kit, at=at, digest=digest) for one in text.pictures)
    return next((one.said for one in all_of if one.digest == digest), None)


def _text(
    text: str, url: str, networks: Sequence[str], pictures: Sequence[Picture], kit: Kit, mine: Mapping[str, str],
    server: str,
) -> Text:  # fmt: skip
    said = "\n\n".join(filter(None, [text, url]))
    said = addresses.replaced(
        said, lambda one: mine.get(addresses.plain(one), one) if addresses.may_lead_to(one) else one
    )
    link = next(iter(addresses.listed(said)), "")
    said = f"{said}\n\n{kit.disclosure}".strip()
    return Text(", ".join(dict.fromkeys(networks)), said, link, pictures, doors(said, link, server))


def doors(text: str, link: str, server: str = "") -> list[tuple[str, str]]:
    """By the name of each network, the address at which its own page for writing opens with this filled in."""
    said = quote(text, safe="")
    bare = quote(text.replace(link, "").strip() if link else text, safe="")
    some = [
        ("LinkedIn", f"https://www.linkedin.com/feed/?shareActive=true&text={said}"),
        ("X", f"https://x.com/intent/post?text={said}"),
        ("Facebook", f"https://www.facebook.com/sharer/sharer.php?u={quote(link, safe='')}" if link else ""),
        ("WhatsApp", f"https://wa.me/?text={said}"),
        ("Telegram", f"https://t.me/share/url?url={quote(link, safe='')}&text={bare}" if link else ""),
        ("Bluesky", f"https://bsky.app/intent/compose?text={said}"),
        ("Mastodon", f"https://{server}/share?{urlencode({'text': text}, quote_via=quote)}" if server else ""),
    ]
    return [(name, address) for name, address in some if address]


def server_of(typed: str) -> str:
    """The host of a Mastodon server as somebody types it, also as @ana@server or an address; "" for none."""
    host = typed.strip().lower().removeprefix("https://").removeprefix("http://").rpartition("@")[2].partition("/")[0]
    return host if _SERVER.fullmatch(host) else ""


def _out(kit: Kit, *, digest: str = "") -> list[Post]:
    """Its posts of which something is out, the newest first."""
    mine = queries.whole(kit.brand).filter(pk=kit.post_id) if kit.post_id else queries.whole(kit.brand).filter(
        campaign=kit.campaign_id)  # fmt: skip
    out = RemotePost.objects.filter(published_at__isnull=False, deleted_at__isnull=True)
    if digest:
        mine = mine.filter(parts__attachments__media__digest=digest)
    mine = mine.filter(versions__sendings__remote__in=out).distinct()
    return list(mine.order_by("-publish_at", "-pk")[:MOST_POSTS])


def _versions(post: Post) -> list[tuple[Version, str]]:
    """Where it is out, with the address at which it stands there. Newsletters are for those who asked for them."""
    firsts = Sending.objects.filter(
        version__post=post, number=0, remote__published_at__isnull=False, remote__deleted_at__isnull=True
    )
    rows = firsts.select_related("version__post", "version__account", "remote").defer("version__account__secrets")
    return [(one.version, one.remote.url) for one in rows.order_by("pk") if not mailing.is_list(one.version.account)]


def _best(one: str, other: str) -> str:
    """Of two addresses of a text without any, the one that a link of ours may lead to."""
    return other if not one or not addresses.may_lead_to(one) and addresses.may_lead_to(other) else one


def _texts_of(post: Post) -> list[tuple[str, str]]:
    return [(_joined(saying.spoken(version)), url) for version, url in _versions(post)]


def _joined(drafts: Sequence[Mapping[str, Any]]) -> str:
    """A thread is one text here; the first comment isn't said again."""
    return "\n\n".join(said["text"] for said in drafts if said["kind"] != Part.Kind.COMMENT and said["text"])


def _targets(text: str, url: str) -> list[str]:
    listed = addresses.listed(text) or ([url] if url else [])
    return [addresses.plain(one) for one in listed if addresses.may_lead_to(one)]


def _network(version: Version) -> str:
    account = version.account
    return account.name if account.capabilities.hosted else handles.network_name(account)


def _is_allowed(version: Version, brand: Brand, *, at: datetime) -> bool:
    try:
        rights.check([version], brand=brand, leaves_at=at)
    except rights.Unallowed:
        return False
    return True


def _picture(said: Mapping[str, Any]) -> Picture:
    return Picture(said["digest"], said["name"], said["alt"], said.get("seconds") is not None, said)


def _links(kit: Kit, name: str) -> QuerySet[KitLink]:
    return KitLink.objects.filter(kit=kit, name=name if name in kit.names else "").select_related("link")


# Reading.


def kits(brand: Brand) -> QuerySet[Kit]:
    return Kit.objects.filter(brand=brand).select_related("brand", "post", "campaign").order_by("-pk")


def earned(kit: Kit) -> tuple[list[tuple[str, Figures]], Figures]:
    """By colleague, those of whoever said no name last, and together."""
    rows = list(KitLink.objects.filter(kit=kit).select_related("link"))
    found = figures.of_links([one.link for one in rows])
    by_name, total = defaultdict[str, Figures](Figures), Figures()
    for one in rows:
        by_name[one.name].add(found[one.link_id])
        total.add(found[one.link_id])
    return sorted(by_name.items(), key=lambda pair: (not pair[0], -pair[1].people, pair[0])), total


def beside(brand: Brand, *, of: Post | Campaign) -> list[tuple[Kit, Figures]]:
    """The kits of a post or a campaign, with what they earned."""
    mine = kits(brand).filter(post=of) if isinstance(of, Post) else kits(brand).filter(campaign=of)
    return [(kit, earned(kit)[1]) for kit in mine]
