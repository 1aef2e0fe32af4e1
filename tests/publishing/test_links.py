"""Own links: what becomes of the addresses of posts, who clicks, and that robots count apart."""

import re
from datetime import timedelta
from io import BytesIO

import pytest
import qrcode
from django.test import Client
from PIL import Image, ImageOps
from publishing_cast import *  # noqa: F403
from publishing_cast import ONE_O_CLOCK, deliveries
from time_machine import travel

from conftest import NOON
from tertulia.channels.models import Account, Delivery
from tertulia.publishing import actions, addresses, checks, clicks, figures, linking, qr, shortening, writing
from tertulia.publishing.models import Click, DayKey, Link, LinkSettings, Post
from tertulia.publishing.problems import Problem, Unfit
from tertulia.publishing.saying import Piece, Wanted
from tertulia.strategy import actions as strategy
from tertulia.strategy.models import Campaign

pytestmark = pytest.mark.django_db

SHOP = "https://tienda.example/pan"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"


@pytest.fixture(autouse=True)
def at_noon():
    with travel(NOON, tick=False):
        yield


@pytest.fixture
def link(brand, alba) -> Link:
    return linking.make(brand=brand, target=f"{SHOP}?utm_source=carta#hoy", by=alba, at=NOON, source="web", medium="m")


@pytest.fixture
def shortened(brand):
    LinkSettings.objects.create(brand=brand, shortens=True)


def follow(link: Link, browser: str = FIREFOX, *, method: str = "get", address: str = "198.51.100.7", **headers):
    call = getattr(Client(), method)
    return call(f"/l/{link.code}", headers={"user-agent": browser, **headers}, REMOTE_ADDR=address)


def texts(post: Post) -> list[str]:
    return [row.post.draft["text"] for row in deliveries(post)]


# The door.


def test_a_link_leads_on_with_its_utm_and_overrides_none(link):
    answer = follow(link)
    click = Click.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == f"{SHOP}?utm_source=carta&utm_medium=m&tt={clicks.token(click.pk)}#hoy"
    assert (answer["Cache-Control"], answer["Referrer-Policy"], len(answer.cookies)) == ("no-store", "no-referrer", 0)


def test_a_person_who_clicks_twice_is_one_and_robots_count_apart(link):
    for browser in (FIREFOX, FIREFOX, "Twitterbot/1.0", "facebookexternalhit/1.1", "curl/8.5.0", "WhatsApp/2.23", ""):
        follow(link, browser)
    follow(link, method="head")
    follow(link, sec_purpose="prefetch;prerender")
    follow(link, address="198.51.100.8")
    found = figures.of_links([link])[link.pk]
    assert (found.people, found.clicks, found.robots) == (2, 3, 7)


def test_robots_are_led_on_without_a_token(link):
    assert "tt=" not in follow(link, "Googlebot/2.1")["Location"]


@pytest.mark.parametrize("browser", ["Mozilla/5.0 (Linux; Android 13; CUBOT NOTE 21) Chrome/119.0", FIREFOX])
def test_people_are_no_robots(browser):
    assert not clicks.is_robot("GET", {"User-Agent": browser})


def test_nobody_can_be_told_again_once_the_day_is_over(link):
    follow(link)
    one = Click.objects.get()
    assert "198.51.100.7" not in str(Click.objects.values().get())
    with travel(NOON + timedelta(days=1), tick=False):
        follow(link)
    assert Click.objects.exclude(pk=one.pk).get().visitor != one.visitor
    assert [key.on.day for key in DayKey.objects.all()] == [24]
    clicks.forget_days(at=NOON + timedelta(days=3))
    assert not DayKey.objects.exists()


def test_an_unknown_link_and_one_that_has_ended_say_so(link, alba):
    linking.end(link=link, by=alba, at=NOON)
    ended, unknown = follow(link), Client().get("/l/zzzzzzz")
    assert (ended.status_code, unknown.status_code, Click.objects.count()) == (410, 404, 0)
    assert SHOP not in ended.content.decode()
    assert (len(ended.cookies), len(unknown.cookies)) == (0, 0)
    assert Client().get("/l/a%00b").status_code == 404
    with pytest.raises(Problem):
        linking.end(link=link, by=alba, at=NOON)


def test_whoever_clicks_is_let_through_when_nothing_can_be_written(link, monkeypatch):
    def broken(*_args, **_more):
        raise clicks.transaction.DatabaseError

    monkeypatch.setattr(clicks.Click.objects, "create", broken)
    assert follow(link)["Location"].startswith(SHOP)


@pytest.mark.parametrize(
    "target",
    ["http://tienda.example", "javascript:alert(1)", "https://ana:x@tienda.example", "https://localhost/x",
     "//a.example", "https://tienda.example/a b",
     "https://" + "a" * 2001 + ".example", "http://localhost:8000/l/abc2345", "https://[x"],
)  # fmt: skip
def test_a_link_leads_to_whole_https_addresses_only(brand, alba, target):
    with pytest.raises(Problem):
        linking.make(brand=brand, target=target, by=alba, at=NOON)
    assert not Link.objects.exists()


def test_a_token_cannot_be_made_up():
    assert clicks.click_of(clicks.token(7)) == 7
    assert [clicks.click_of(text) for text in ("", "7", "A" * 22, "ñ" * 22, clicks.token(7)[::-1])] == [None] * 5
    assert clicks.token(7)[:6] != clicks.token(8)[:6]


# In posts.


def test_the_addresses_of_a_post_are_its_own_short_links_and_stay(network, account_of, post_on, shortened, alba):
    one, other = account_of(name="Una"), account_of("fake-blind", name="Otra")
    post = post_on(one, other, texts=(f"Pan ({SHOP}), {SHOP} y http://viejo.example.", f"Más: {SHOP}/2"))
    first = texts(post)
    mine = {(link.version.account_id, link.target): addresses.short(link.code) for link in Link.objects.all()}
    assert len(mine) == 4
    short = mine[one.pk, SHOP]
    assert first[0] == f"Pan ({short}), {short} y http://viejo.example."
    actions.plan(post=post, wall=ONE_O_CLOCK + timedelta(hours=1), by=alba, at=NOON)
    actions.cancel(post=Post.objects.get(), by=alba, at=NOON)
    actions.schedule(post=post, by=alba, at=NOON)
    assert (sorted(texts(post)), Link.objects.count()) == (sorted(first), 4)
    assert post.parts.get(number=0).text.startswith(f"Pan ({SHOP})")


def test_who_follows_two_links_of_a_post_is_one_person(network, account_of, post_on, shortened):
    post = post_on(account_of(), texts=(f"{SHOP}/1 {SHOP}/2",))
    for link in Link.objects.all():
        follow(link)
    links, total = figures.of_post(post)
    assert ([found.people for _link, found in links], total.people, total.clicks) == ([1, 1], 1, 2)


def test_a_link_that_was_ended_is_not_used_again(network, account_of, post_on, shortened, alba):
    post = post_on(account_of(), texts=(SHOP,))
    ended = Link.objects.get()
    linking.end(link=ended, by=alba, at=NOON)
    actions.plan(post=post, wall=ONE_O_CLOCK + timedelta(hours=1), by=alba, at=NOON)
    assert texts(post) == [addresses.short(Link.objects.get(ended_at=None).code)]


@pytest.mark.parametrize(
    ("kind", "said", "carried"),
    [
        ("manual", {"platform": "Instagram"}, ("instagram", "social")),
        ("manual", {"platform": "Reseñas de Google"}, ("reseñas de google", "social")),
        ("manual", {}, ("manual", "social")),
        ("newsletter", {}, ("newsletter", "email")),
    ],
)
def test_what_addresses_carry_names_the_network_and_how_it_reaches_people(brand, kind, said, carried):
    account = Account(brand=brand, kind=kind, settings=said)
    tags = shortening.utm(LinkSettings(brand=brand, adds_utm=True), post=None, account=account)
    assert (tags["utm_source"], tags["utm_medium"]) == carried


def test_every_link_of_a_campaign_carries_its_tag(network, account_of, brand, alba):
    campaign = Campaign.objects.create(brand=brand, name="Otoño", tag="otono", created_by_id=alba.pk, created_at=NOON)
    post = actions.create(
        brand=brand, by=alba, at=NOON, pieces=[Piece(f"{SHOP}?utm_source=x y http://viejo.example/a")],
        versions={account_of().pk: Wanted()},
    )  # fmt: skip
    Post.objects.update(campaign=campaign)
    actions.plan(post=post, wall=ONE_O_CLOCK, by=alba, at=NOON)
    actions.schedule(post=post, by=alba, at=NOON)
    carried = f"utm_medium=social&utm_campaign=otono&utm_content={post.pk}"
    assert texts(post) == [
        f"{SHOP}?utm_source=x&{carried} y http://viejo.example/a?utm_source=fake-keyed&{carried}"
    ]  # fmt: skip
    LinkSettings.objects.create(brand=brand, shortens=True)
    actions.plan(post=post, wall=ONE_O_CLOCK + timedelta(hours=1), by=alba, at=NOON)
    link = Link.objects.get()
    assert (link.utm_campaign, link.content, link.campaign) == ("otono", str(post.pk), campaign)


@pytest.fixture
def campaigns(brand, alba):
    return [strategy.begin(brand=brand, by=alba, at=NOON, name=name) for name in ("Otoño", "Invierno")]


@pytest.fixture
def planned_in(brand, alba):
    """`planned_in(campaign, account, …)`: a post that links to the shop, scheduled for one o'clock."""

    def write(campaign, *accounts) -> Post:
        versions = {account.pk: Wanted() for account in accounts}
        post = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece(SHOP)], versions=versions)
        actions.count_for(post=post, campaign=campaign, by=alba, at=NOON)
        actions.plan(post=post, wall=ONE_O_CLOCK, by=alba, at=NOON)
        return actions.schedule(post=post, by=alba, at=NOON)

    return write


def test_a_scheduled_post_that_moves_to_another_campaign_carries_its_tag_at_its_moment(
    network, account_of, planned_in, campaigns, alba
):
    post = planned_in(campaigns[0], account_of())
    [before] = deliveries(post)
    actions.count_for(post=post, campaign=campaigns[1], by=alba, at=NOON + timedelta(minutes=1))
    [after] = deliveries(post)
    assert "utm_campaign=invierno&" in after.post.draft["text"]
    kept = ("due_at", "late_at", "key", "state", "created_by_id")
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
    actions.count_for(post=post, campaign=None, by=alba, at=NOON + timedelta(minutes=2))
    assert texts(post) == [SHOP]


def test_what_was_sent_stays_and_an_account_that_was_never_scheduled_stays_a_draft(
    network, account_of, planned_in, campaigns, alba, shortened
):
    sent, waiting, later = (account_of(name=name) for name in ("Una", "Otra", "Más"))
    post = planned_in(campaigns[0], sent, waiting)
    Delivery.objects.filter(account=sent).update(state="sent")
    post.versions.create(account=later)
    codes = dict(Link.objects.values_list("version__account", "code"))
    actions.count_for(post=post, campaign=campaigns[1], by=alba, at=NOON)
    tags = dict(Link.objects.values_list("version__account", "utm_campaign"))
    assert tags == {sent.pk: "otono", waiting.pk: "invierno"}
    assert dict(Link.objects.values_list("version__account", "code")) == codes
    assert Delivery.objects.count() == 2


def test_a_missed_one_stays_missed_under_another_campaign(network, account_of, planned_in, campaigns, alba):
    post = planned_in(campaigns[0], account_of())
    Delivery.objects.update(state="missed", finished_at=NOON)
    actions.count_for(post=post, campaign=campaigns[1], by=alba, at=NOON)
    [row] = deliveries(post)
    assert (row.state, row.finished_at, "invierno" in row.post.draft["text"]) == ("missed", NOON, True)


def test_a_campaigns_tag_follows_its_name_until_something_of_it_is_out(
    network, account_of, planned_in, campaigns, as_alba, alba, brand
):
    account = account_of()
    post, other = planned_in(campaigns[0], account), planned_in(campaigns[1], account)
    page = f"/b/{brand.slug}/campaigns/{campaigns[0].pk}/details/"
    assert as_alba.post(page, {"name": "Setas de otoño", "currency": "EUR"}).status_code == 302
    assert "utm_campaign=setas-de-otono&" in texts(post)[0]
    assert "utm_campaign=invierno&" in texts(other)[0]
    Delivery.objects.filter(pk=deliveries(post)[0].pk).update(state="sent")
    actions.change_campaign(campaign=campaigns[0], by=alba, at=NOON, name="Castañas")
    assert "utm_campaign=setas-de-otono&" in texts(post)[0]
    linking.make(brand=brand, target=SHOP, by=alba, at=NOON, campaign=campaigns[1])
    actions.change_campaign(campaign=campaigns[1], by=alba, at=NOON, name="Nieve")
    tags = list(Campaign.objects.order_by("pk").values_list("name", "tag"))
    assert tags == [("Castañas", "setas-de-otono"), ("Nieve", "invierno")]


def test_a_change_that_would_make_a_post_too_long_is_refused_whole(network, account_of, campaigns, alba, brand):
    text = f"{'x' * 270} {SHOP}"
    versions = {account_of().pk: Wanted()}
    post = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece(text)], versions=versions)
    actions.plan(post=post, wall=ONE_O_CLOCK, by=alba, at=NOON)
    actions.schedule(post=post, by=alba, at=NOON)
    with pytest.raises(Unfit):
        actions.count_for(post=post, campaign=campaigns[0], by=alba, at=NOON)
    assert (Post.objects.get().campaign, texts(post)) == (None, [text])


def test_what_is_too_long_fits_once_its_link_is_short(network, account_of, post_on, shortened, brand):
    account = account_of()
    long = f"{SHOP}/{'x' * 300}"
    assert len(texts(post_on(account, texts=(long,)))[0]) < 60
    written = writing.Writing(accounts=[account.pk], zone=brand.time_zone)
    written.sheets[writing.COMMON].pieces = [Piece(long)]
    found = checks.check(written, brand=brand, post=None, at=NOON)
    assert (found.previews[0].parts[0].is_long, found.links) == (False, [(long, True)])
    written.links = {long: False}
    found = checks.check(written, brand=brand, post=None, at=NOON)
    assert (found.previews[0].parts[0].is_long, found.stops) == (True, True)


def test_a_single_link_is_shortened_or_left_by_a_tick(network, account_of, as_alba, brand):
    home, account = f"/b/{brand.slug}/posts/", account_of()
    form = {
        "text": f"{SHOP}/1 {SHOP}/2",
        "accounts": [account.pk],
        "link": [f"{SHOP}/1", f"{SHOP}/2"],
        "short": f"{SHOP}/2",
    }
    as_alba.post(f"{home}beginning/", {**form, "on": "2026-11-23", "time": "13:00", "do": "schedule"})
    post = Post.objects.get()
    assert texts(post) == [f"{SHOP}/1 {addresses.short(Link.objects.get().code)}"]
    as_alba.post(
        f"{home}{post.pk}/text/", {**form, "seen": 1, "short": f"{SHOP}/1", "on": "2026-11-23", "time": "13:00"}
    )
    assert (Post.objects.get().revision, texts(post)[0].endswith(f"{SHOP}/2")) == (2, True)


# Pages.


def test_a_link_is_made_looked_at_and_ended_on_its_pages(as_alba, as_carla, brand):
    home = f"/b/{brand.slug}/links/"
    assert as_alba.post(f"{home}new/", {"target": "ftp://x"}).status_code == 422
    as_alba.post(f"{home}new/", {"target": SHOP, "name": "Pan de hoy"})
    link = Link.objects.get()
    follow(link)
    page = as_alba.get(f"{home}{link.pk}/").content.decode()
    assert addresses.short(link.code) in page
    assert as_carla.get(f"{home}{link.pk}/").status_code == 404
    as_alba.post(f"{home}{link.pk}/ending/")
    assert Link.objects.get().ended_at == NOON
    assert "Pan de hoy" in as_alba.get(home).content.decode()


def test_a_link_belongs_to_nothing_of_another_brand(as_carla, other_brand, brand, alba, link):
    campaign = Campaign.objects.create(brand=brand, name="Otoño", tag="otono", created_by_id=alba.pk, created_at=NOON)
    answer = as_carla.post(f"/b/{other_brand.slug}/links/new/", {"target": SHOP, "campaign": campaign.pk})
    assert answer.status_code == 422
    as_carla.post(f"/b/{other_brand.slug}/coupons/new/", {"code": "PAN", "link": link.pk})
    assert Link.objects.count() == 1


def test_the_qr_code_of_a_link_is_a_picture_with_its_quiet_margin(link, brand, as_alba, settings):
    page = f"/b/{brand.slug}/links/{link.pk}/"
    shown = as_alba.get(page).content.decode()
    assert f"{page}qr.svg" in shown
    assert "TERTULIA_URL" in shown  # the tests' desk is localhost: nobody should print that
    settings.PUBLIC_URL = "https://desk.horno.example"
    assert "TERTULIA_URL" not in as_alba.get(page).content.decode()

    drawn, kept = as_alba.get(f"{page}qr.svg"), as_alba.get(f"{page}qr.png?download")

    assert (drawn["Content-Type"], kept["Content-Type"]) == ("image/svg+xml", "image/png")
    assert kept["Content-Disposition"] == f'attachment; filename="qr-{link.code}.png"'
    picture = Image.open(BytesIO(kept.content)).convert("L")
    side, margin = picture.width // qr.DOTS, qr.QUIET * qr.DOTS
    inside = ImageOps.invert(picture).getbbox()
    assert inside == (margin, margin, picture.width - margin, picture.width - margin)
    black = [
        (x, y)
        for x in range(side)
        for y in range(side)
        if not picture.getpixel(((x + 0.5) * qr.DOTS, (y + 0.5) * qr.DOTS))
    ]
    assert sorted(black) == sorted(squares(drawn.content.decode(), side))
    says = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=qr.QUIET)
    says.add_data(f"https://desk.horno.example/l/{link.code}")
    assert set(black) == {(x, y) for y, row in enumerate(says.get_matrix()) for x, dark in enumerate(row) if dark}


def squares(svg: str, side: int) -> list[tuple[int, int]]:
    """The dark modules of the drawing."""
    whole = float(re.search(r'viewBox="0 0 ([\d.]+)', svg)[1])
    corners = re.findall(r"M([\d.]+),([\d.]+)H", svg)
    return [(round(float(x) * side / whole), round(float(y) * side / whole)) for x, y in corners]
