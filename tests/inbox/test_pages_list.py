"""The list of the desk: what a row says, what it costs, who sees it."""

import re
from datetime import timedelta

import pytest
from django.db import connection

from conftest import NOON, envelope
from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.flows import inbound
from tertulia.inbox import actions, pages
from tertulia.inbox.models import Conversation, Label, SavedView
from tertulia.team.models import Membership

pytestmark = pytest.mark.django_db
LIST = "/b/horno-candela/inbox/"
QUERIES = 7
"""Session, user, memberships (with what is unread and the sign of life of background work); rows and which of them are
read; counters; labels, people and accounts; saved views."""


@pytest.fixture(autouse=True)
def _noon(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(minutes=30))


def write(account, count):
    for n in range(count):
        inbound.intake(account, [envelope(f"Pregunta {n}", remote_id=f"m{n}", thread=f"p{n}", minutes=n)], at=NOON)


def page(client, address=LIST, **headers):
    return client.get(address, headers=headers).content.decode()


def names(html):
    return re.findall(r'class="row__link"[^>]*><bdi>(.*?)</bdi>', html)


def test_a_row_says_who_when_and_what(as_alba, site, alba):
    inbound.intake(site, [envelope("¿Abrís el domingo?")], at=NOON)
    html = page(as_alba)
    assert names(html) == ["Diego"]
    assert "¿Abrís el domingo?" in html
    assert re.search(
        r'<time class="row__time" datetime="2026-11-23T11:00:00\+00:00" title="[^"]*Europe/Madrid\)">12:00<', html
    )


@pytest.mark.parametrize("count", [1, 25])
def test_a_page_costs_the_same_however_many_rows(as_alba, site, count, django_assert_max_num_queries):
    write(site, count)
    with django_assert_max_num_queries(QUERIES):
        html = page(as_alba)
    assert len(names(html)) == count


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite counts in this process")
def test_rows_are_drawn_while_the_database_counts(as_alba, site, monkeypatch):
    drawn = []

    def draw_rows(*_args, **_more):
        drawn.append(connection.connection.info.pipeline_status.name)
        return ""

    monkeypatch.setattr(pages, "draw_rows", draw_rows)
    write(site, 1)
    page(as_alba)
    assert drawn == ["ON"]


def test_an_inbox_nobody_has_written_to_says_what_to_do_next(as_alba, alba, site, other_brand):
    Brand.objects.filter(pk=other_brand.pk).update(is_sample=True)
    Membership.objects.create(user=alba, brand=other_brand, role="manager", created_at=NOON)
    html = page(as_alba)
    for address in (
        f"/b/horno-candela/channels/{site.pk}/",
        "/b/horno-candela/phone/new/",
        "/b/ferreteria-ruiz/inbox/",
    ):
        assert f'href="{address}">' in html.split("Nadie ha escrito todavía")[1]
    assert "Elige una conversación" not in html
    write(site, 1)
    html = page(as_alba)
    assert "Elige una conversación" in html
    assert "Nadie ha escrito todavía" not in html


def test_newest_first_and_the_rest_behind_a_link(as_alba, site):
    write(site, 30)
    html = page(as_alba)
    assert names(html)[:2] == ["P29", "P28"]
    after = re.search(r'href="(\?after=[^"]+)"', html)[1]
    assert names(page(as_alba, LIST + after)) == ["P4", "P3", "P2", "P1", "P0"]


def test_the_page_asks_for_as_many_rows_as_it_shows(as_alba, site):
    write(site, 30)
    part = page(as_alba, f"{LIST}?limit=30", **{"HX-Request": "true", "HX-Target": "rows"})
    assert len(names(part)) == 30
    assert 'id="rail" hx-swap-oob="true"' in part
    assert "<html" not in part


@pytest.mark.parametrize("limit", ["-1", "0", "99999999", "x", "٣"])
def test_an_odd_limit_is_no_harm(as_alba, site, limit):
    write(site, 2)
    assert names(page(as_alba, f"{LIST}?limit={limit}")) == ["P1", "P0"]


@pytest.mark.parametrize("query", ["view=x", "label=x", "after=x", "after=1-", "label=99999999999999999999", "q=%00"])
def test_an_odd_address_shows_a_list_all_the_same(as_alba, site, query):
    write(site, 1)
    assert as_alba.get(f"{LIST}?{query}").status_code == 200


def test_what_strangers_write_stays_text(as_alba, site, brand):
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
    inbound.intake(site, [envelope(evil, thread=evil)], at=NOON)
    label = Label.objects.create(brand=brand, name=evil[:40])
    actions.add_label(conversation=Conversation.objects.get(), label=label, by=None, at=NOON)
    html = page(as_alba)
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_no_page_carries_scripts_or_styles_of_its_own(as_alba, site):
    write(site, 1)
    html = page(as_alba, f"{LIST}{Conversation.objects.get().pk}/")
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert not re.search(r'\s(style|on\w+)="', html)
    assert not re.search(r'(src|href)="(https?:)?//', html)


def test_reading_a_conversation_takes_its_mark_away(as_alba, site):
    write(site, 1)
    assert "data-unread" in page(as_alba)
    page(as_alba, f"{LIST}{Conversation.objects.get().pk}/")
    assert "data-unread" not in page(as_alba)


def test_another_brands_people_see_nothing(as_carla, site, other_brand):
    write(site, 1)
    assert as_carla.get(LIST).status_code == 404
    assert names(page(as_carla, f"/b/{other_brand.slug}/inbox/")) == []


def test_search_finds_without_accents_whatever_the_state(as_alba, site, alba):
    inbound.intake(site, [envelope("Mañana recojo el roscón")], at=NOON)
    actions.close(conversation=Conversation.objects.get(), reason="answered", by=alba, at=NOON)
    assert names(page(as_alba, f"{LIST}?q=roscon")) == ["Diego"]
    assert names(page(as_alba, f"{LIST}?q=empanada")) == []


def test_a_row_that_was_searched_for_shows_what_was_found(as_alba, site):
    inbound.intake(site, [envelope("<b>Mañana</b> recojo\nlos roscones & el pan")], at=NOON)
    inbound.intake(site, [envelope("Gracias", remote_id="m2", minutes=1)], at=NOON)
    html = page(as_alba, f"{LIST}?q=roscon")
    assert "<bdi>&lt;b&gt;Mañana&lt;/b&gt; recojo los <mark>roscones</mark> &amp; el pan</bdi>" in html
    assert "<bdi>Gracias</bdi>" in page(as_alba)


def test_a_view_is_kept_for_oneself_and_forgotten(as_alba, as_bruno, brand):
    label = Label.objects.create(brand=brand, name="Pan")
    as_alba.post(f"{LIST}views/?label={label.pk}", {"name": "Lo del pan"})
    assert SavedView.objects.get().filters == {"label": label.pk}
    assert "Lo del pan" in page(as_alba)
    assert "Lo del pan" not in page(as_bruno)
    address = f"{LIST}views/{SavedView.objects.get().pk}/removal/"
    assert as_bruno.post(address).status_code == 404
    assert as_alba.post(address).status_code == 302
    assert not SavedView.objects.exists()


def test_only_who_arranges_the_inbox_keeps_views_for_all(as_alba, as_bruno):
    as_bruno.post(f"{LIST}views/?view=mine", {"name": "De Bruno", "is_shared": "on"})
    as_alba.post(f"{LIST}views/?view=nobody", {"name": "Para todos", "is_shared": "on"})
    assert [(view.name, view.user_id is None) for view in SavedView.objects.order_by("name")] == [
        ("De Bruno", False),
        ("Para todos", True),
    ]
