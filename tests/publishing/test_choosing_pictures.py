"""Any picture of the library gets onto a post: looked for beside the text, from its own page, and cut on the way."""

import re

import pytest
from publishing_cast import *  # noqa: F403
from publishing_cast import png
from time_machine import travel

from conftest import NOON
from tertulia.publishing import actions, library
from tertulia.publishing.composer import OFFERED
from tertulia.publishing.models import Media
from tertulia.publishing.saying import Piece, Shown

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(autouse=True)
def at_noon(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    with travel(NOON, tick=False):
        yield


@pytest.fixture
def home(brand) -> str:
    return f"/b/{brand.slug}/"


@pytest.fixture
def shelf(brand, alba) -> list[Media]:
    """More than the composer offers at once, the oldest first."""
    said = {"brand": brand, "type": "image/png", "size": 1, "width": 1, "height": 1, "created_by_id": alba.pk}
    return [
        Media.objects.create(digest=f"{number:064}", name=f"pan-{number}.png", alt="", created_at=NOON, **said)
        for number in range(OFFERED + 5)
    ]


def offered(page: str) -> list[int]:
    return [int(id) for id in re.findall(r'value="use-0-(\d+)"', page)]


def hung(page) -> list[int]:
    """Which pictures hang on the common text of the composer's page."""
    return [one.media.pk for part in page.context["sheet"].parts for one in part.pictures]


def test_older_pictures_are_offered_one_page_after_the_other(shelf, as_alba, home):
    page = as_alba.get(f"{home}posts/beginning/").content.decode()
    found = offered(page)
    assert len(found) == OFFERED
    [older] = re.findall(r'hx-get="([^"]+&amp;before=[^"]+)"', page)
    found += offered(as_alba.get(older.replace("&amp;", "&"), **HTMX).content.decode())
    assert found == [one.pk for one in reversed(shelf)]


def test_what_is_looked_for_is_offered_for_its_part(shelf, as_alba, home):
    page = as_alba.get(f"{home}media/choice/?post=&place=.7-1&q=pan-3.png", **HTMX).content.decode()
    assert re.findall(r'value="(use[^"]+)"', page) == [f"use.7-1-{shelf[3].pk}"]
    assert f'hx-post="{home}posts/beginning/draft/"' in page
    assert "No hay nada así" in as_alba.get(f"{home}media/choice/?q=nadie", **HTMX).content.decode()


def test_without_scripts_a_page_of_pictures_leads_back_with_the_chosen_one(shelf, as_alba, home, brand, alba):
    post = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece("Pan"), Piece("Más", "part")])
    page = as_alba.get(f"{home}media/choice/?post={post.pk}&place=-1&q=pan-3.png").content.decode()
    [address] = re.findall(r'class="pictures__one" href="([^"]+)"', page)
    back = as_alba.get(address.replace("&amp;", "&"))
    assert [[one.media.pk for one in part.pictures] for part in back.context["sheet"].parts] == [[], [shelf[3].pk]]
    assert not post.parts.filter(attachments__isnull=False).exists()


def test_the_page_of_a_picture_begins_a_post_with_it(shelf, as_alba, home):
    address = f"{home}posts/beginning/?media={shelf[0].pk}"
    assert f'href="{address}"' in as_alba.get(f"{home}media/{shelf[0].pk}/details/").content.decode()
    assert hung(as_alba.get(address)) == [shelf[0].pk]


def test_a_picture_cut_on_the_way_comes_back_in_its_place(brand, alba, as_alba, home):
    media = library.add(brand=brand, name="horno.png", content=png(40, 30), by=alba, at=NOON, alt="El horno")
    post = actions.create(
        brand=brand, by=alba, at=NOON, pieces=[Piece("Pan", pictures=(Shown(media.pk, "De noche"),))]
    )  # fmt: skip
    cutting = f"{home}media/{media.pk}/details/?back={post.pk}"
    assert f'href="{cutting}"' in as_alba.get(f"{home}posts/{post.pk}/text/").content.decode()
    assert f'name="back" value="{post.pk}"' in as_alba.get(cutting).content.decode()
    refused = as_alba.post(f"{home}media/{media.pk}/shape/", {"back": post.pk})
    assert refused["Location"] == cutting
    answer = as_alba.post(f"{home}media/{media.pk}/shape/", {"shape": "1:1", "back": post.pk})
    made = Media.objects.get(made_from=media)
    page = as_alba.get(answer["Location"])
    assert answer["Location"].startswith(f"{home}posts/{post.pk}/text/")
    assert hung(page) == [made.pk]
    assert "De noche" in page.content.decode()


@pytest.mark.parametrize("back", ["https://elsewhere.example/", "//elsewhere.example", "7/../../", "٧", "9" * 30])
def test_nobody_is_led_anywhere_else(shelf, as_alba, home, back):
    assert as_alba.get(f"{home}media/{shelf[0].pk}/details/?back={back}").context["back_url"] == ""


def test_another_brands_pictures_are_neither_offered_nor_hung(shelf, as_carla, other_brand, brand, alba):
    elsewhere = f"/b/{other_brand.slug}/"
    assert offered(as_carla.get(f"{elsewhere}media/choice/", **HTMX).content.decode()) == []
    for asked in (f"media={shelf[0].pk}", f"media={shelf[0].pk}&instead={shelf[1].pk}", "media=x", "media=" + "9" * 30):
        assert hung(as_carla.get(f"{elsewhere}posts/beginning/?{asked}")) == []
    post = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece("Pan")])
    assert as_carla.get(f"{elsewhere}media/choice/?post={post.pk}", **HTMX).status_code == 404
