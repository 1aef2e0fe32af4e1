"""News on the company's own page: published once, seen by everybody, gone when deleted."""

import io
import re
import xml.etree.ElementTree as ET

import pytest
from django.test import Client

from conftest import NOON
from film_cast import PAN
from publishing.publishing_cast import ONE_O_CLOCK, account_of, deliveries, go_on, network, picture, png, post_on, state  # noqa: F401
from tertulia.channels.models import Account, RemotePost
from tertulia.publishing import actions, library
from tertulia.publishing.saying import Piece, Shown, Wanted

pytestmark = pytest.mark.django_db


@pytest.fixture
def news_of(site, brand, alba, go_on, picture):  # noqa: F811
    """`news_of("Roscones", "Ya están")`: published and out; its address."""

    def publish(title: str, text: str, *, pictures=()) -> str:
        pieces = [Piece(text, pictures=tuple(Shown(one.pk) for one in pictures))]
        wanted = {site.pk: Wanted(hints=(("title", title),))}
        post = actions.create(brand=brand, by=alba, at=NOON, pieces=pieces, versions=wanted)
        actions.publish_now(post=post, by=alba, at=NOON)
        go_on(NOON, seconds=60)
        publish.post = post
        return RemotePost.objects.get(pk=deliveries(post)[0].post_id).url.removeprefix("http://localhost:8000")

    return publish


def test_a_post_is_news_on_page_and_feeds_once_and_without_cookies(site, news_of, picture):  # noqa: F811
    address = news_of("Roscones", "Ya <b>están</b>\n\nhttps://horno.example/r", pictures=[picture])
    client = Client()
    base = f"/s/{site.public_key}/news/"
    listed, item = client.get(base), client.get(address)
    rss, said = client.get(f"{base}rss.xml"), client.get(f"{base}feed.json").json()
    body = item.content.decode()
    assert "Ya &lt;b&gt;están&lt;/b&gt;" in body
    assert 'href="https://horno.example/r"' in body
    assert f'<link rel="canonical" href="http://localhost:8000{address}">' in body
    assert 'property="og:image:alt" content="Un pan de pueblo"' in body
    assert "23 de noviembre de 2026" in listed.content.decode()
    for page in (listed, item):
        assert re.search(
            r'<time [^>]*title="lunes, 23 de noviembre de 2026, \d\d:\d\d \(Europe/Madrid\)"', page.content.decode()
        )
    (entry,) = ET.fromstring(rss.content).iter("item")
    assert (entry.findtext("title"), entry.findtext("guid")) == ("Roscones", said["items"][0]["id"])
    assert [(one["title"], one["_alt"]) for one in said["items"]] == [("Roscones", "Un pan de pueblo")]
    shown = client.get(said["items"][0]["image"])
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/png")
    for answer in (listed, item, rss, shown):
        assert not answer.cookies
        assert "public" in answer["Cache-Control"]
        again = client.get(answer.wsgi_request.path, headers={"if-none-match": answer["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_a_film_is_played_from_anywhere_and_taken_down_with_its_item(site, brand, alba, news_of, go_on):  # noqa: F811
    film = library.take(brand=brand, name="a.mp4", file=io.BytesIO(PAN), by=alba, at=NOON, alt="Cómo se amasa")
    address, client = news_of("El obrador", "Así", pictures=[film]), Client()
    body = client.get(address).content.decode()
    assert f'<video src="http://localhost:8000{address}0/" controls' in body
    assert 'aria-label="Cómo se amasa"' in body
    assert "og:image" not in body
    some = client.get(f"{address}0/", headers={"range": "bytes=4-7"})
    assert (some.status_code, some["Content-Type"], b"".join(some.streaming_content)) == (206, "video/mp4", b"ftyp")
    assert (some["Cross-Origin-Resource-Policy"], some["Cache-Control"]) == ("cross-origin", "public, max-age=3600")
    listed, said = (client.get(f"/s/{site.public_key}/news/{one}") for one in ("", "feed.json"))
    assert "<img" not in listed.content.decode()
    assert "image" not in said.json()["items"][0]
    (enclosure,) = ET.fromstring(client.get(f"/s/{site.public_key}/news/rss.xml").content).iter("enclosure")
    assert (enclosure.get("type"), enclosure.get("length")) == ("video/mp4", str(film.size))
    actions.delete(post=news_of.post, by=alba, at=NOON)
    go_on(NOON, seconds=60)
    assert client.get(f"{address}0/").status_code == 410


def test_what_is_deleted_is_gone_from_everywhere(site, alba, news_of, go_on, picture):  # noqa: F811
    kept, address = news_of("Horario", "Abrimos"), news_of("Roscones", "Ya están", pictures=[picture])
    actions.delete(post=news_of.post, by=alba, at=NOON)
    go_on(NOON, seconds=60)
    client = Client()
    assert state(news_of.post) == "deleted"
    assert client.get(address).status_code == 410
    assert client.get(f"{address}0/").status_code == 410
    assert client.get(kept).status_code == 200
    said = client.get(f"/s/{site.public_key}/news/feed.json").json()
    assert [one["title"] for one in said["items"]] == ["Horario"]


def test_only_what_is_out_is_shown_and_only_under_its_own_key(site, brand, alba, post_on, news_of):  # noqa: F811
    planned = actions.create(
        brand=brand, by=alba, at=NOON, pieces=[Piece("Luego")], versions={site.pk: Wanted(hints=(("title", "L"),))}
    )
    actions.plan(post=planned, wall=ONE_O_CLOCK, by=alba, at=NOON)
    actions.schedule(post=planned, by=alba, at=NOON)
    waiting = deliveries(planned)[0].post_id
    address = news_of("Hoy", "Pan")
    other = Account.objects.create(brand=brand, kind="site", name="Otra", created_at=NOON)
    phone = Account.objects.create(brand=brand, kind="phone", name="Teléfono", created_at=NOON)
    client = Client()
    assert client.get(f"/s/{site.public_key}/news/{waiting}/").status_code == 404
    assert client.get(address.replace(site.public_key, other.public_key)).status_code == 404
    assert client.get(f"/s/{phone.public_key}/news/").status_code == 404
    assert client.get(f"{address}0/").status_code == 404
    assert "Luego" not in client.get(f"/s/{site.public_key}/news/").content.decode()


def test_the_page_speaks_the_brands_language_whoever_asks(site, brand, news_of):
    address = news_of("Hoy", "Pan")
    english = {"accept-language": "en"}
    assert 'lang="es"' in Client().get(address, headers=english).content.decode()
    brand.language = "en"
    brand.save()
    assert "All the news" in Client().get(address, headers={"accept-language": "es"}).content.decode()


def test_the_script_is_small_and_the_shop_embeds_it(site, brand, news_of):
    brand.is_sample = True
    brand.save()
    assert "news.js" not in Client().get(f"/shop/{brand.slug}/").content.decode()
    news_of("Hoy", "Pan")
    script = Client().get("/site/news.js")
    assert len(script.content) < 12_000
    assert b"innerHTML" not in script.content
    assert f'/site/news.js" data-account="{site.public_key}"' in Client().get(f"/shop/{brand.slug}/").content.decode()
