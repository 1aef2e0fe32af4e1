"""What employees share: a page without sign-in that shows what is out, and nothing else of the brand."""

from __future__ import annotations

import re
from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from publishing_cast import *  # noqa: F403 — its fixtures

from conftest import NOON
from tertulia.channels.models import RemotePost
from tertulia.core import clock
from tertulia.flows import limits
from tertulia.publishing import actions, kits, library
from tertulia.publishing.models import Kit, KitLink, Link, Post
from tertulia.publishing.problems import Problem
from tertulia.publishing.saying import Shown

pytestmark = pytest.mark.django_db
LAST = date(2026, 12, 20)


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(hours=2))
    limits.looks.forget()


@pytest.fixture
def out(network, account_of, post_on, picture, go_on, monkeypatch):
    """A post with a link and a picture, published."""
    post = post_on(account_of(), texts=("Pan nuevo: https://horno.example/centeno",), pictures=[Shown(picture.pk)])
    go_on(DUE, minutes=1)  # noqa: F405
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(hours=2))
    return post


@pytest.fixture
def kit_of(brand, alba):
    def make(of, **said):
        said = {"disclosure": "Trabajo en el Horno.", "last_on": LAST, **said}
        kit, address = kits.begin(brand=brand, of=of, by=alba, at=NOON, **said)
        return kit, urlsplit(address).path

    return make


def test_colleagues_see_the_text_with_the_disclosure_the_picture_and_the_doors(out, kit_of, picture):
    _kit, address = kit_of(out, counts=False, intro="Gracias por contarlo")
    answer = Client().get(address)
    page = answer.content.decode()
    text = "Pan nuevo: https://horno.example/centeno\n\nTrabajo en el Horno."
    assert text in page
    assert "Gracias por contarlo" in page
    assert picture.alt in page
    assert out.title not in page or out.title in text
    doors = dict(kits.doors(text, "https://horno.example/centeno"))
    assert set(doors) == {"LinkedIn", "X", "Facebook", "WhatsApp", "Telegram", "Bluesky"}
    assert parse_qs(urlsplit(doors["X"]).query)["text"] == [text]
    assert parse_qs(urlsplit(doors["Facebook"]).query) == {"u": ["https://horno.example/centeno"]}
    assert [answer[name] for name in ("X-Robots-Tag", "Referrer-Policy", "Cache-Control")] == [
        "noindex, nofollow", "no-referrer", "no-store"]  # fmt: skip
    assert set(answer.cookies) <= {"csrf"}


def test_nothing_is_loaded_from_anywhere_else(out, kit_of):
    _kit, address = kit_of(out)
    page = Client().get(address, {"server": "mastodon.social"}).content.decode()
    loaded = re.findall(r"<(?:img|script|link|video|iframe)[^>]+(?:src|href)=\"([^\"]+)\"", page)
    assert loaded
    assert all(one.startswith("/") for one in loaded)


def test_mastodon_opens_on_the_server_somebody_names_and_on_no_other_kind_of_address(out, kit_of):
    _kit, address = kit_of(out)
    page = Client().get(address, {"server": "@ana@Mastodon.Social"}).content.decode()
    assert "https://mastodon.social/share?text=Pan" in page
    for odd in ("evil.example/x?", "a b.example", "localhost", "javascript:alert(1)", '"><b>', "x" * 400):
        assert (kits.server_of(odd), odd) in {("", odd), ("evil.example", odd)}
        assert Client().get(address, {"server": odd}).status_code == 200
    assert kits.server_of("evil.example:80") == ""


def test_each_colleague_has_links_of_their_own_and_they_are_counted_together(out, kit_of, brand, as_alba):
    kit, address = kit_of(out, names=["Noa", " ", "Leo", "Noa"])
    assert (kit.names, KitLink.objects.count()) == (["Noa", "Leo"], 3)
    noa = Link.objects.get(pk=KitLink.objects.get(name="Noa").link_id)
    assert (noa.target, noa.post, noa.source) == ("https://horno.example/centeno", out, "employees")
    page = Client().get(address, {"who": "1"}).content.decode()
    assert f"/l/{noa.code}" in page
    assert "https://horno.example/centeno" not in page
    for odd in ("9", "0", "-1", "٣", "9" * 30, "x"):
        assert f"/l/{noa.code}" not in Client().get(address, {"who": odd}).content.decode()
    Client().get(f"/l/{noa.code}", headers={"User-Agent": "Mozilla/5.0 Firefox/130"})
    by_name, total = kits.earned(kit)
    assert ([(name, one.clicks) for name, one in by_name], total.clicks) == ([("Noa", 1), ("Leo", 0), ("", 0)], 1)
    told = as_alba.get(reverse("publishing:post", args=[brand.slug, out.pk])).content.decode()
    assert "1 clic" in told


def test_it_ends_by_hand_on_its_last_day_and_with_a_new_address(out, kit_of, alba, monkeypatch):
    kit, address = kit_of(out)
    again = urlsplit(kits.renew(kit=kit, by=alba, at=NOON)).path
    assert (Client().get(address).status_code, Client().get(again).status_code) == (404, 200)
    monkeypatch.setattr(clock, "now", lambda: NOON.replace(year=2026, month=12, day=20, hour=22))
    assert Client().get(again).status_code == 200
    monkeypatch.setattr(clock, "now", lambda: NOON.replace(year=2026, month=12, day=20, hour=23))  # midnight in Madrid
    assert Client().get(again).status_code == 404
    monkeypatch.setattr(clock, "now", lambda: NOON)
    kits.end(kit=kit, by=alba, at=NOON)
    assert Client().get(again).status_code == 404


def test_it_gives_its_own_pictures_and_no_others(out, kit_of, brand, alba, picture):
    _kit, address = kit_of(out)
    other = library.add(brand=brand, name="b.png", content=png(7), by=alba, at=NOON)  # noqa: F405
    answer = Client().get(f"{address}pictures/{picture.digest}/")
    assert b"".join(answer.streaming_content) == library.content(picture)
    assert (answer["Content-Type"], answer["X-Robots-Tag"]) == ("image/png", "noindex, nofollow")
    assert Client().get(f"{address}pictures/{other.digest}/").status_code == 404


def test_what_may_not_be_shown_any_more_or_was_deleted_is_gone_from_it(out, kit_of, alba, picture):
    _kit, address = kit_of(out)
    library.describe(media=picture, by=alba, at=NOON, rights_until=date(2026, 11, 22))
    page = Client().get(address)
    assert "Pan nuevo" not in page.content.decode()
    assert Client().get(f"{address}pictures/{picture.digest}/").status_code == 404
    library.describe(media=picture, by=alba, at=NOON)
    assert "Pan nuevo" in Client().get(address).content.decode()
    RemotePost.objects.update(deleted_at=NOON)
    assert "Pan nuevo" not in Client().get(address).content.decode()


def test_of_a_campaign_it_shows_what_is_out_and_nothing_that_is_not(out, kit_of, brand, alba, account_of, post_on):
    campaign = actions.begin_campaign(brand=brand, by=alba, at=NOON, name="Centeno", goal="Más", owner=alba)
    with pytest.raises(Problem):
        kit_of(campaign)
    draft = post_on(account_of("fake-looking"), texts=("Todavía es secreto",))
    for post in (out, draft):
        actions.count_for(post=Post.objects.get(pk=post.pk), campaign=campaign, by=alba, at=NOON)
    _kit, address = kit_of(campaign)
    page = Client().get(address).content.decode()
    assert "Pan nuevo" in page
    assert "secreto" not in page


def test_asked_too_often_it_rests(out, kit_of, monkeypatch):
    _kit, address = kit_of(out)
    monkeypatch.setattr(limits, "LOOKS", (limits.Limit(3, timedelta(minutes=1)),))
    assert [Client().get(address).status_code for _n in range(4)] == [200, 200, 200, 429]


def test_a_manager_makes_it_and_its_address_is_shown_once(out, as_alba, brand):
    new = reverse("publishing:new_kit", args=[brand.slug])
    given = {"post": out.pk, "disclosure": "#trabajoaquí", "last_on": "2026-12-20", "counts": "on", "names": "Noa\nLeo"}
    wrong = as_alba.post(new, {**given, "last_on": "2031-01-01", "disclosure": ""})
    assert (wrong.status_code, Kit.objects.count()) == (422, 0)
    page = as_alba.post(new, given).content.decode()
    [address] = re.findall(r"http://[^<\"]+/k/[\w-]{43}/", page)
    kit = Kit.objects.get()
    assert Client().get(urlsplit(address).path).status_code == 200
    mine = reverse("publishing:kit", args=[brand.slug, kit.pk])
    assert "/k/" not in as_alba.get(mine).content.decode()
    as_alba.post(mine, {**given, "names": "Leo"})
    kit.refresh_from_db()
    assert kit.names == ["Leo"]


def test_the_same_text_on_two_networks_stands_there_once(kit_of, network, account_of, post_on, go_on, monkeypatch):
    post = post_on(account_of(), account_of("fake-looking"), texts=("Un pan sin enlace",))
    go_on(DUE, minutes=2)  # noqa: F405
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(hours=2))
    RemotePost.objects.filter(account__kind="fake-looking").update(url="https://red.example/p/1")
    kit, _address = kit_of(post)
    [text] = kits.texts(kit, at=clock.now())
    assert "/l/" in text.link
