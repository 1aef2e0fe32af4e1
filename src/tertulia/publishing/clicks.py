"""Clicks on our links, counted without cookies, robots apart.

A visitor is HMAC-SHA256 of address and browser under a key of the brand's day. The key is made with the day's first
click and deleted when the day is over; address and browser are never stored. So one person on one day is one, two days
can't be joined, and later nobody can try who it was.

A click's token (`tt` on the address it led to) is its number, enciphered: it says nothing to whoever reads it, can't be
made up, and lets an order be attributed by the shop's own handing on of it.
"""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from hashlib import sha256
from hmac import digest
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.db import transaction

from tertulia.core import crypto

from . import addresses
from .models import Click, DayKey, Link

TOKEN = "tt"  # noqa: S105 — the name of a parameter
_ROBOT = re.compile(
    r"(?<!cu)bot\b|bot[/;]|crawl|spider|slurp|preview|facebookexternalhit|facebookcatalog|meta-external|whatsapp/|"
    r"embedly|vkshare|skypeuri|mastodon|pleroma|akkoma|gotosocial|misskey|friendica|lemmy|snac/|http\.rb|okhttp|"
    r"go-http-client|python|curl/|wget|^java|node-fetch|axios|libwww|^perl|^ruby|^php|guzzle|headless|phantomjs|"
    r"lighthouse|pingdom|uptime|statuscake|validator|archiver|feedfetcher|feedly|rss|ahrefs|semrush|scrapy|"
    r"bitlybot|urlscan|virustotal|safebrowsing|proofpoint|mimecast|barracuda|google-read-aloud|mediapartners",
    re.IGNORECASE,
)  # fmt: skip
_FETCHED_AHEAD = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


def is_robot(method: str, headers: Mapping[str, str]) -> bool:
    """By its own word: what calls itself one, what fetches ahead, and what asks for the head alone. One that passes for
    a browser is counted as somebody."""
    browser = headers.get("User-Agent", "").strip()
    ahead = " ".join(headers.get(name, "") for name in _FETCHED_AHEAD).lower()
    is_ahead = any(word in ahead for word in ("prefetch", "preview", "prerender"))
    return method != "GET" or not browser or is_ahead or _ROBOT.search(browser) is not None


@transaction.atomic
def record(link: Link, *, method: str, headers: Mapping[str, str], address: str, at: datetime) -> Click:
    """Write down one request. `link` with its brand."""
    on, robot = at.astimezone(ZoneInfo(link.brand.time_zone)).date(), is_robot(method, headers)
    who = "" if robot else _visitor(link.brand_id, on, address, headers.get("User-Agent", ""))
    host = _host(headers.get("Referer", ""))
    return Click.objects.create(link=link, at=at, on=on, visitor=who, is_robot=robot, referrer=host)


def _visitor(brand_id: int, on: date, address: str, browser: str) -> str:
    mac = digest(_day_key(brand_id, on), f"{address}\n{browser}".encode(), "sha256")
    return urlsafe_b64encode(mac[:16]).rstrip(b"=").decode()


def _day_key(brand_id: int, on: date) -> bytes:
    keys = DayKey.objects.filter(brand=brand_id, on=on).values_list("key", flat=True)
    if found := keys.first():
        return bytes(found)
    DayKey.objects.filter(brand=brand_id, on__lt=on).delete()
    fresh = DayKey(brand_id=brand_id, on=on, key=secrets.token_bytes(32))
    DayKey.objects.bulk_create([fresh], ignore_conflicts=True)  # another process may have been quicker
    return bytes(keys.get())


def forget_days(*, at: datetime) -> int:
    """Delete the keys of days that are over everywhere on earth. Returns how many."""
    return DayKey.objects.filter(on__lt=(at - timedelta(hours=12)).date()).delete()[0]


def _host(referrer: str) -> str:
    try:
        return (urlsplit(referrer).hostname or "")[:100]
    except ValueError:
        return ""


def destination(link: Link, click: Click | None) -> str:
    """Where a link leads: its own address with its UTM, and for somebody the token of their click."""
    carried = {
        "utm_source": link.source, "utm_medium": link.medium, "utm_campaign": link.utm_campaign,
        "utm_content": link.content, TOKEN: token(click.pk) if click and not click.is_robot else "",
    }  # fmt: skip
    return addresses.tagged(link.target, carried)


# The token of a click: one block of AES, of which half is nought. What deciphers to anything else is none of ours.


def token(click_id: int) -> str:
    cipher = _cipher(crypto.key_ring()[0]).encryptor()
    block = cipher.update(bytes(8) + click_id.to_bytes(8, "big")) + cipher.finalize()
    return urlsafe_b64encode(block).rstrip(b"=").decode()


def click_of(text: str) -> int | None:
    """The number of a click; None for what is no token of ours, or was made with a key that is gone."""
    if len(text) != 22:
        return None
    try:
        block = urlsafe_b64decode(f"{text}==")
    except (NotBase64, ValueError):
        return None
    for key in crypto.key_ring():
        cipher = _cipher(key).decryptor()
        plain = cipher.update(block) + cipher.finalize()
        if plain[:8] == bytes(8):
            number = int.from_bytes(plain[8:], "big")
            return number if number < 2**63 else None
    return None


def _cipher(key: str) -> Cipher[modes.ECB]:
    # A single block of its own number is all that is ever enciphered: nothing for a mode to chain.
    return Cipher(algorithms.AES(sha256(b"publishing.click:" + key.encode()).digest()[:16]), modes.ECB())  # noqa: S305
