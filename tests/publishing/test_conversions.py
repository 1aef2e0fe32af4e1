"""What visits became: the right post earns it, once, and what nothing tells of is shown as such."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from publishing_cast import *  # noqa: F403
from time_machine import travel

from conftest import NOON
from tertulia.channels.models import Account
from tertulia.core.models import Activity
from tertulia.publishing import actions, clicks, conversions, figures, linking, order_files
from tertulia.publishing.conversions import Kind, Order
from tertulia.publishing.models import Conversion, Link, LinkSettings, OrderFile
from tertulia.publishing.problems import Problem
from tertulia.publishing.saying import Piece, Wanted

pytestmark = pytest.mark.django_db

FIREFOX = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"}
SHOP = "https://tienda.example/pan"


@pytest.fixture(autouse=True)
def at_noon():
    with travel(NOON, tick=False):
        yield


@pytest.fixture
def posts(brand, alba):
    """Two posts on an account, with their links."""
    LinkSettings.objects.create(brand=brand, shortens=True, adds_utm=True, pixel_key="k" * 22)
    account = Account.objects.create(brand=brand, kind="manual", name="Tablón", created_at=NOON)
    made = []
    for text in ("Pan", "Tarta"):
        post = actions.create(
            brand=brand, by=alba, at=NOON, pieces=[Piece(f"{text} {SHOP}")], versions={account.pk: Wanted()}
        )
        made.append(actions.publish_now(post=post, by=alba, at=NOON))
    return made


def click(post) -> str:
    """The token somebody comes to the shop with."""
    Client().get(f"/l/{Link.objects.get(post=post).code}", headers=FIREFOX)
    return clicks.token(clicks.Click.objects.latest("pk").pk)


def order(reference: str, **more) -> Order:
    return Order(reference, more.pop("cents", 1000), "EUR", more.pop("at", NOON), **more)


def record(brand, one: Order, kind: Kind = Kind.API):
    return conversions.record(brand=brand, order=one, kind=kind, by=None, at=NOON)[0]


def test_fifty_orders_are_attributed_to_the_right_post_or_to_none(brand, alba, posts):
    pan, tarta = posts
    linking.add_coupon(brand=brand, code="pan10", by=alba, at=NOON, post=pan)
    token = click(tarta)
    told = {
        "click": (tarta, {"token": token, "coupon": "PAN10"}),
        "coupon": (pan, {"coupon": " Pan10 "}),
        "utm": (tarta, {"utm": f"{SHOP}?utm_source=manual&utm_medium=social&utm_content={tarta.pk}"}),
        "utm of a post": (pan, {"utm": f"utm_source=manual&utm_medium=social&utm_campaign=x&utm_content={pan.pk}"}),
        "nothing": (None, {"coupon": "NADIE", "utm": f"utm_source=google&utm_medium=cpc&utm_content={pan.pk}"}),
    }
    cases = [told[name] for name in told for _ in range(10)]
    orders = [order(f"P{number}", cents=100 + number, **more) for number, (_post, more) in enumerate(cases)]
    taken = conversions.take_over(brand=brand, orders=orders, by=alba, at=NOON)
    assert [one.post for one in taken.fresh] == [post for post, _more in cases]
    assert taken.models == {"click": 10, "coupon": 10, "utm": 20, "": 10}
    for post in posts:
        wanted = [one.cents for one, (earned, _more) in zip(orders, cases, strict=True) if earned == post]
        found = figures.of_post(post)[1]
        assert (found.conversions, found.cents) == (20, {"EUR": sum(wanted)})
    assert dict(figures.by_model(brand))[""].cents == {"EUR": sum(one.cents for one in orders[40:])}


def test_an_order_is_traced_by_the_network_and_by_what_addresses_said_of_it_before(brand, posts):
    Account.objects.update(settings={"platform": "Instagram"})
    tags = {"instagram": posts[0], "manual": posts[0], "facebook": None}
    for source, earned in tags.items():
        utm = f"utm_source={source}&utm_medium=social&utm_campaign=x&utm_content={posts[0].pk}"
        assert record(brand, order(source, utm=utm)).post == earned


def test_an_order_told_twice_is_one(brand, posts):
    first = record(brand, order("A1"))
    before = Activity.objects.count()
    assert record(brand, order("A1", cents=5, token=click(posts[0]))) == first
    assert (Conversion.objects.get().cents, Activity.objects.count()) == (1000, before)


def test_what_a_pixel_said_gives_way_to_who_may_say_it(brand, posts):
    record(brand, order("A1", cents=99_999_999), Kind.PIXEL)
    record(brand, order("A1", token=click(posts[0])), Kind.CSV)
    record(brand, order("A1", cents=5), Kind.PIXEL)
    one = Conversion.objects.get()
    assert (one.cents, one.kind, one.post) == (1000, "csv", posts[0])


def test_a_click_earns_only_so_long_and_never_what_was_before(brand, posts):
    token = click(posts[0])
    late, early = NOON + timedelta(days=31), NOON - timedelta(hours=1)
    assert [record(brand, order(f"{at}", token=token, at=at)).model for at in (NOON, late, early)] == ["click", "", ""]


def test_nothing_of_another_brand_earns(brand, other_brand, alba, posts):
    linking.add_coupon(brand=brand, code="PAN10", by=alba, at=NOON, post=posts[0])
    utm = f"utm_source=manual&utm_medium=social&utm_content={posts[0].pk}"
    assert record(other_brand, order("A1", token=click(posts[0]), coupon="PAN10", utm=utm)).model == ""


# The pixel.


def pixel(**told):
    return Client().get("/l/pixel.gif", {"k": "k" * 22, "ref": "A1", "value": "12,50", **told}, headers=FIREFOX)


def test_the_pixel_reports_an_order_without_a_cookie(brand, posts):
    answer = pixel(tt=click(posts[1]))
    one = Conversion.objects.get()
    assert (answer.status_code, answer["Content-Type"], len(answer.cookies)) == (200, "image/gif", 0)
    assert (one.post, one.cents, one.kind, one.model) == (posts[1], 1250, "pixel", "click")


@pytest.mark.parametrize(
    "wrong", [{"k": "x"}, {"k": ""}, {"ref": ""}, {"value": "-1"}, {"value": "1.234"}, {"k": "a\0"}]
)
def test_what_a_pixel_cannot_say_is_not_taken_down(posts, wrong):
    answer = pixel(**wrong)
    assert (answer.status_code, answer["Content-Type"], Conversion.objects.count()) == (400, "image/gif", 0)


def test_more_pixels_than_a_day_can_have_are_not_taken_down(posts, monkeypatch):
    monkeypatch.setattr(conversions, "PIXELS_A_DAY", 1)
    assert [pixel(ref=ref).status_code for ref in ("A1", "A2")] == [200, 400]


def test_odd_tokens_tags_and_coupons_are_attributed_to_nothing(brand, posts):
    for number, odd in enumerate(["\0", "%00", "a=%00&utm_content=%00", "=" * 300, "://[", "٣" * 22, "9" * 40]):
        assert record(brand, order(str(number), token=odd, coupon=odd, utm=odd)).model == ""


# Lists.


@pytest.mark.parametrize(
    ("text", "cents"),
    [("12", 1200), ("12,5", 1250), ("12.50", 1250), ("1.234,50 €", 123450), ("1,234.50", 123450), ("0", 0)],
)
def test_amounts_are_read_as_people_write_them(text, cents):
    assert conversions.cents(text) == cents


@pytest.mark.parametrize(
    "text", ["", "-1", "1.234", "1,234", "1,234,50", "1.23.4", "12,", "=1+1", "1e3", "٣", "9" * 20]
)
def test_what_is_no_amount_or_two_is_refused(text):
    with pytest.raises(Problem):
        conversions.cents(text)


@pytest.mark.parametrize(
    ("told", "hour"),
    [("2026-11-22", "22 22:59"), ("22/11/2026", "22 22:59"), ("22/11/2026 09:30", "22 08:30"),
     ("23-11-2026", "23 11:00"), ("2026-11-22T09:30Z", "22 09:30"), ("", "23 11:00")],
)  # fmt: skip
def test_a_day_is_read_in_every_way_and_ends_at_the_brand(brand, told, hour):
    found = order_files.read(f"ref;value;date\nA1;1;{told}", brand=brand, at=NOON)
    assert f"{found.orders[0].at.astimezone(NOON.tzinfo):%d %H:%M}" == hour


@pytest.mark.parametrize("told", ["31/02/2026", "2027-01-01", "ayer", "0001-01-01", "9999-12-31T23:59-12:00"])
def test_what_is_no_day_or_still_to_come_is_a_wrong_line(brand, told):
    found = order_files.read(f"ref;value;date\nA1;1;{told}", brand=brand, at=NOON)
    assert ([row.number for row in found.wrong], found.orders) == ([2], [])


def hand_in(client, brand, content: bytes):
    url = f"/b/{brand.slug}/conversions/files/"
    return client.post(url, {"file": SimpleUploadedFile("pedidos.csv", content)}, follow=True).content.decode()


def test_a_list_is_looked_at_first_and_taken_over_once(as_alba, brand, alba, posts):
    linking.add_coupon(brand=brand, code="PAN10", by=alba, at=NOON, post=posts[0])
    rows = [
        "Pedido;Importe;Fecha;Cupón", "A1;12,50;22/11/2026;pan10", "A2;1.234;;", ";3;;", "A4;5;31/02/2026;", "A1;7;;",
        '"=HYPERLINK(""http://x"")";9;2026-11-23T10:00;Ñoño',
    ]  # fmt: skip
    page = hand_in(as_alba, brand, "\r\n".join(rows).encode("cp1252"))
    assert not Conversion.objects.exists()
    assert [f"Línea {number}" in page or f"Line {number}" in page for number in (3, 4, 5, 2)] == [True] * 3 + [False]
    file = OrderFile.objects.get()
    as_alba.post(f"/b/{brand.slug}/conversions/files/{file.pk}/import/")
    first, formula = Conversion.objects.order_by("cents")[::-1]
    assert (first.reference, first.cents, first.post, first.model) == ("A1", 1250, posts[0], "coupon")
    assert (formula.reference, formula.said) == ('=HYPERLINK("http://x")', {"coupon": "Ñoño"})
    assert not OrderFile.objects.exists()
    assert "&quot;http://x" in as_alba.get(f"/b/{brand.slug}/conversions/?only=unattributed").content.decode()


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01\x02", b"a,b\n1,2\n", b"ref,value\n", b"ref,value\n" + b"A,1\n" * 10_001,
     b'ref,value\n"A,1'],
    ids=["nothing", "no text", "no columns", "no rows", "too many", "open quote"],
)  # fmt: skip
def test_what_is_no_list_is_refused_whole(as_alba, brand, content):
    hand_in(as_alba, brand, content)
    if content.endswith(b'"A,1'):  # the csv reader takes the rest of the file for one cell: a line that can't be used
        assert not Conversion.objects.exists()
    else:
        assert not OrderFile.objects.exists()


def test_ten_thousand_orders_are_told_and_attributed_in_some_statements(
    brand, alba, posts, django_assert_max_num_queries
):
    text = "ref,value,tt\n" + "".join(f"A{number},1,{clicks.token(number + 1)}\n" for number in range(10_000))
    found = order_files.read(text, brand=brand, at=NOON)
    with django_assert_max_num_queries(200):
        conversions.take_over(brand=brand, orders=found.orders, by=alba, at=NOON)
    assert Conversion.objects.filter(model="").count() == 10_000


def test_an_order_is_noted_by_hand(as_alba, as_bruno, brand, alba, posts):
    linking.add_coupon(brand=brand, code="PAN10", by=alba, at=NOON, post=posts[0])
    form = {"reference": "Mostrador 1", "value": "3,20", "on": "2026-11-22", "coupon": "pan10"}
    for _twice in range(2):
        as_bruno.post(f"/b/{brand.slug}/conversions/new/", form)
    one = Conversion.objects.get()
    assert (one.kind, one.post, one.recorded_by_id != alba.pk) == ("coupon", posts[0], True)
    page = as_alba.get(f"/b/{brand.slug}/posts/{posts[0].pk}/").content.decode()
    assert "3,20" in page or "3.20" in page


def test_settings_are_kept_and_the_pixel_keeps_its_key(as_alba, as_bruno, brand):
    url = f"/b/{brand.slug}/links/settings/"
    form = {"shortens": "on", "shortens_answers": "on", "click_days": 7, "currency": "usd", "has_pixel": "on"}
    assert as_bruno.post(url, form).status_code == 403
    as_alba.post(url, form)
    one = LinkSettings.objects.get()
    as_alba.post(url, {**form, "click_days": 8})
    again = LinkSettings.objects.get()
    assert (again.shortens, again.adds_utm, again.currency, again.pixel_key) == (True, False, "USD", one.pixel_key)
    assert again.shortens_answers
    assert as_alba.post(url, {**form, "currency": "€"}).status_code == 422
    as_alba.post(url, {"click_days": 7, "currency": "EUR"})
    off = LinkSettings.objects.get()
    assert (off.pixel_key, off.shortens_answers) == ("", False)
