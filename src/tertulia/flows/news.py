"""What the company says on its own page: the posts of a hosted channel, for everybody to read.

A news item is a `RemotePost` that has its receipt: nothing is copied, so publishing it twice is not possible, and what
is deleted is gone from page and feeds at once. Its number is that row's, its lasting name (`guid`) the receipt's.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from tertulia.channels.models import Account, Delivery, RemotePost
from tertulia.core import dates, films
from tertulia.core.html import render

IN_FEED = 30
LONGEST_SUMMARY = 200
ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
ET.register_namespace("atom", ATOM)
ET.register_namespace("content", CONTENT)


class Gone(Exception):
    """It was there and has been deleted."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture or film of an item and where it is."""

    url: str
    alt: str
    type: str
    size: int
    width: int
    height: int

    @property
    def is_film(self) -> bool:
        return self.type in films.TYPES


@dataclass(frozen=True, slots=True)
class Item:
    account: Account
    id: int
    guid: str
    title: str
    text: str
    at: datetime
    media: Sequence[Shown]

    @property
    def pictures(self) -> list[Shown]:
        return [one for one in self.media if not one.is_film]

    @property
    def url(self) -> str:
        return whole(reverse("news_item", args=[self.account.public_key, self.id]))

    @property
    def html(self) -> SafeString:
        return render(self.text)

    @property
    def summary(self) -> str:
        """How it begins, in whole words."""
        words = " ".join(self.text.split())
        if len(words) <= LONGEST_SUMMARY:
            return words
        return words[: LONGEST_SUMMARY + 1].rpartition(" ")[0].rstrip(" ,.;:") + "…"

    @property
    def on(self) -> datetime:
        """On the brand's clock."""
        return self.at.astimezone(ZoneInfo(self.account.brand.time_zone))

    @property
    def whole(self) -> str:
        return dates.full(self.at, zone=self.account.brand.time_zone)


def account_of(public_key: str) -> Account:
    """The channel of this key. One that is paused still shows what was published. Raises `Account.DoesNotExist`."""
    account = Account.objects.select_related("brand").defer("secrets").get(public_key=public_key)
    if not account.capabilities.hosted or account.capabilities.publishes is None:
        raise Account.DoesNotExist
    return account


def published(account: Account) -> QuerySet[RemotePost]:
    """What stands there, the newest first."""
    posts = RemotePost.objects.filter(account=account, published_at__isnull=False).exclude(remote_id="")
    return posts.filter(deleted_at__isnull=True).order_by("-published_at", "-pk")


def items(account: Account, posts: Sequence[RemotePost]) -> list[Item]:
    return [_item(account, post) for post in posts]


def item(account: Account, id: int) -> Item:
    """Raises `Gone`, `RemotePost.DoesNotExist`."""
    post = RemotePost.objects.exclude(remote_id="").get(account=account, pk=id, published_at__isnull=False)
    if post.deleted_at:
        raise Gone
    return _item(account, post)


def picture(account: Account, id: int, number: int) -> dict[str, Any]:
    """What is known of a picture or film of it. Raises as `item`, and `FileNotFoundError`."""
    item(account, id)
    said = RemotePost.objects.values_list("draft", flat=True).get(account=account, pk=id).get("pictures", [])
    if number >= len(said):
        raise FileNotFoundError
    found: dict[str, Any] = said[number]
    return found


def address_of(delivery: Delivery) -> str:
    """Where everybody sees what this delivery published; "" where another network shows it."""
    can = delivery.account.capabilities
    if not can.hosted or can.publishes is None or delivery.post_id is None:
        return ""
    return whole(reverse("news_item", args=[delivery.account.public_key, delivery.post_id]))


def whole(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}"


def home(account: Account) -> str:
    """The company's own page, as far as the channel knows it."""
    return min(account.connector.origins(account), default="")


def rss(account: Account, found: Sequence[Item]) -> bytes:
    """RSS 2.0, whole texts in it. An item keeps its `guid` wherever the desk moves to."""
    root = ET.Element("rss", version="2.0")
    channel = ET.SubElement(root, "channel")
    brand, list_url = account.brand, whole(reverse("news", args=[account.public_key]))
    own = whole(reverse("news_rss", args=[account.public_key]))
    ET.SubElement(channel, f"{{{ATOM}}}link", href=own, rel="self", type="application/rss+xml")
    for name, said in (
        ("title", _title(account)),
        ("link", list_url),
        ("description", _("What {brand} has to tell.").format(brand=brand.name)),
        ("language", brand.language),
        *([("lastBuildDate", format_datetime(found[0].at))] if found else []),
    ):
        ET.SubElement(channel, name).text = said
    for one in found:
        entry = ET.SubElement(channel, "item")
        ET.SubElement(entry, "title").text = one.title
        ET.SubElement(entry, "link").text = one.url
        ET.SubElement(entry, "guid", isPermaLink="false").text = one.guid
        ET.SubElement(entry, "pubDate").text = format_datetime(one.at)
        ET.SubElement(entry, "description").text = one.summary
        ET.SubElement(entry, f"{{{CONTENT}}}encoded").text = one.html
        for shown in one.media[:1]:
            ET.SubElement(entry, "enclosure", url=shown.url, length=str(shown.size), type=shown.type)
    body: bytes = ET.tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + body


def json_feed(account: Account, found: Sequence[Item]) -> dict[str, Any]:
    """JSON Feed 1.1: what the script of the company's page reads, and whoever else likes."""
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": _title(account),
        "home_page_url": whole(reverse("news", args=[account.public_key])),
        "feed_url": whole(reverse("news_json", args=[account.public_key])),
        "language": account.brand.language,
        "_tertulia": {"all": _("All the news"), "title": _("News")},
        "items": [
            {
                "id": one.guid,
                "url": one.url,
                "title": one.title,
                "summary": one.summary,
                "content_html": one.html,
                "date_published": one.on.isoformat(timespec="seconds"),
                **({"image": one.pictures[0].url, "_alt": one.pictures[0].alt} if one.pictures else {}),
            }
            for one in found
        ],
    }


def _title(account: Account) -> str:
    return _("News of {brand}").format(brand=account.brand.name)


def _item(account: Account, post: RemotePost) -> Item:
    said, at = post.draft, post.published_at
    assert at is not None  # noqa: S101 — asked for
    media = [
        Shown(
            whole(reverse("news_picture", args=[account.public_key, post.pk, number])), one["alt"], one["type"],
            one["size"], one["width"], one["height"],
        )
        for number, one in enumerate(said.get("pictures", []))
    ]  # fmt: skip
    return Item(account, post.pk, post.remote_id, said.get("title", ""), said.get("text", ""), at, media)
