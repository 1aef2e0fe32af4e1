"""The composer's page: what is typed survives, what is amiss is told before it leaves, and each account has its say."""

from datetime import datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from publishing_cast import *  # noqa: F403
from publishing_cast import DUE, png, state
from time_machine import travel

from conftest import NOON
from tertulia.core.models import Activity
from tertulia.publishing import checks, writing
from tertulia.publishing.models import Draft, Media, Post
from tertulia.publishing.writing import Writing

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(autouse=True)
def at_noon():
    with travel(NOON, tick=False):
        yield


@pytest.fixture
def home(brand) -> str:
    return f"/b/{brand.slug}/posts/"


def test_what_was_typed_is_there_again_for_its_writer_alone(network, account_of, as_alba, as_bruno, home):
    as_alba.post(f"{home}beginning/draft/", {"text": "Pan a medio escr", "on": "2026-11-24"}, **HTMX)
    page = as_alba.get(f"{home}beginning/").content.decode()
    assert "Pan a medio escr" in page
    assert 'value="2026-11-24"' in page
    assert "Pan a medio escr" not in as_bruno.get(f"{home}beginning/").content.decode()
    assert not Post.objects.exists()
    as_alba.post(f"{home}beginning/", {"text": "Pan escrito"})
    assert not Draft.objects.exists()


def test_a_blank_post_is_not_found_fault_with(network, account_of, as_alba, home):
    page = as_alba.get(f"{home}beginning/").content.decode()
    assert "Elige dónde se publica" not in page
    assert "Nada se interpone" not in page
    assert "aquí se dice qué falta" in page
    answer = as_alba.post(f"{home}beginning/draft/", {"text": "Pan"}, **HTMX).content.decode()
    assert "Elige dónde se publica" in answer
    refused = as_alba.post(f"{home}beginning/", {"text": "", "do": "schedule"})
    assert refused.status_code == 422


def test_a_draft_of_a_scheduled_post_changes_nothing_of_what_leaves(network, account_of, post_on, as_alba, home, go_on):
    post = post_on(account_of())
    before = Activity.objects.count()
    as_alba.post(f"{home}{post.pk}/draft/", {"text": "Otra cosa", "seen": post.revision}, **HTMX)
    assert Activity.objects.count() == before
    go_on(DUE, minutes=1)
    assert [one["text"] for one in network.posts] == ["Pan de pueblo"]


def test_whoever_is_overtaken_keeps_their_words_and_hears_of_it(network, account_of, as_alba, as_bruno, home):
    account = account_of()
    as_alba.post(f"{home}beginning/", {"text": "Pan", "accounts": [account.pk]})
    post = Post.objects.get()
    as_bruno.post(f"{home}{post.pk}/text/", {"text": "Pan de Bruno", "accounts": [account.pk], "seen": 1})
    answer = as_alba.post(f"{home}{post.pk}/text/", {"text": "Pan de Alba", "accounts": [account.pk], "seen": 1})
    assert answer.status_code == 409
    assert "Pan de Alba" in answer.content.decode()
    assert post.parts.get().text == "Pan de Bruno"
    assert "Pan de Alba" in as_alba.get(f"{home}{post.pk}/text/").content.decode()
    form = {"text": "Pan de Alba", "accounts": [account.pk], "seen": 1}
    page = as_alba.post(f"{home}{post.pk}/draft/", form | {"do": "over"}, **HTMX).content.decode()
    assert 'name="seen" value="2"' in page


def test_an_account_says_it_in_its_own_words_and_the_others_in_the_common_ones(
    network, account_of, as_alba, home, go_on
):
    one, other = account_of(name="Uno"), account_of(name="Otro")
    said = {
        "text": "Pan para todos", "accounts": [one.pk, other.pk], "own": [other.pk],
        f"text.{other.pk}": "Pan para otro", "on": "2026-11-23", "time": "13:00", "do": "schedule",
    }  # fmt: skip
    as_alba.post(f"{home}beginning/", said)
    go_on(DUE, minutes=1)
    assert sorted(post["text"] for post in network.posts) == ["Pan para otro", "Pan para todos"]


def test_parts_are_added_and_removed_without_javascript(network, account_of, as_alba, home):
    answer = as_alba.post(f"{home}beginning/draft/", {"text": ["Uno"], "do": "part"})
    assert answer.url == f"{home}beginning/"
    as_alba.post(f"{home}beginning/draft/", {"text": ["Uno", "Dos", "Tres"], "do": "drop-1"})
    assert [piece["text"] for piece in Draft.objects.get().written["sheets"]["0"]["pieces"]] == ["Uno", "Tres"]


def test_a_chosen_picture_hangs_on_its_part_and_its_description_is_asked_for(network, account_of, as_alba, home):
    account = account_of()
    file = SimpleUploadedFile("pan.png", png(), "image/png")
    form = {"text": "Pan", "accounts": [account.pk], "do": "attach", "file-0": file}
    page = as_alba.post(f"{home}beginning/draft/", form, **HTMX).content.decode()
    media = Media.objects.get()
    assert f'name="picture" value="0-{media.pk}"' in page
    assert "Di qué se ve en pan.png" in page
    form = {"text": "Pan", "accounts": [account.pk], "picture": f"0-{media.pk}", f"alt-0-{media.pk}": "Un pan"}
    as_alba.post(f"{home}beginning/", form)
    assert Post.objects.get().parts.get().attachments.get().alt == "Un pan"


def test_what_is_no_picture_is_said_and_the_text_stays(network, as_alba, home):
    file = SimpleUploadedFile("pan.png", b"no", "image/png")
    page = as_alba.post(f"{home}beginning/draft/", {"text": "Pan", "do": "attach", "file-0": file}, **HTMX)
    assert "pan.png: Esto no es ni una imagen ni un vídeo" in page.content.decode()
    assert "Pan" in page.content.decode()


def test_another_brands_picture_and_account_are_left_out(network, account_of, picture, as_carla, other_brand):
    account, place = account_of(), f"/b/{other_brand.slug}/posts/beginning/"
    form = {"text": "Pan", "accounts": [account.pk], "picture": f"0-{picture.pk}"}
    page = as_carla.post(f"{place}draft/", form | {"do": f"use-0-{picture.pk}"}, **HTMX).content.decode()
    assert picture.alt not in page
    as_carla.post(place, form)
    post = Post.objects.get()
    assert (post.versions.count(), post.parts.get().attachments.count()) == (0, 0)


def test_nothing_is_scheduled_before_its_warnings_were_seen(network, account_of, picture, as_alba, home):
    account = account_of()
    form = {
        "text": "Pan en https://horno", "accounts": [account.pk], "on": "2026-11-23", "time": "13:00", "do": "schedule",
    }  # fmt: skip
    answer = as_alba.post(f"{home}beginning/", form)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Este enlace parece roto: https://horno" in page
    assert not Post.objects.exists()
    known = page.split('name="known" value="')[1].split('"')[0]
    as_alba.post(f"{home}beginning/", form | {"known": known})
    assert state(Post.objects.get()) == "scheduled"


def test_who_may_only_write_keeps_but_does_not_schedule(network, account_of, as_bruno, home):
    form = {"text": "Pan", "accounts": [account_of().pk], "on": "2026-11-23", "time": "13:00"}
    assert as_bruno.post(f"{home}beginning/", form | {"do": "schedule"}).status_code == 403
    assert as_bruno.post(f"{home}beginning/", form).status_code == 302
    assert (state(Post.objects.get()), Post.objects.get().publish_at) == ("draft", DUE)


def test_the_count_is_the_networks_own(network, account_of, brand, alba):
    account = account_of()
    family = "👨‍👩‍👧‍👦"
    said = writing.Sheet([writing.Piece(family * 2)])
    found = checks.check(Writing(accounts=[account.pk], sheets={0: said}), brand=brand, post=None, at=NOON)
    assert found.previews[0].parts[0].length == 2
    assert not found.stops


def test_what_stands_in_the_way_is_told_at_once(network, account_of, brand):
    account = account_of()
    late = Writing(accounts=[], on="2026-11-23", time="11:59", zone="Europe/Madrid")
    late.add("Pan")
    says = [line.says for line in checks.check(late, brand=brand, post=None, at=NOON).lines]
    assert says == [
        "Elige dónde se publica.",
        "Ya se le pasó la hora. Elige otra o publícala ahora.",
    ]
    long = Writing(accounts=[account.pk], sheets={0: writing.Sheet([writing.Piece("n" * 301)])}, on="2026-11-24")
    says = " ".join(line.says for line in checks.check(long, brand=brand, post=None, at=NOON).lines)
    assert "301" in says
    assert "Di qué día y a qué hora." in says


def test_nearly_the_same_within_thirty_days_is_told(network, account_of, post_on, go_on, brand):
    text = "Mañana hay pan de centeno con nueces, solo veinte piezas"
    post_on(account_of(), texts=(text,))
    go_on(DUE, minutes=1)
    again = "¡Mañana hay pan de centeno con nueces! Solo veinte piezas."
    seen = {"brand": brand, "other_than": None}
    assert checks.published_like(again, at=DUE + timedelta(days=29), **seen)[1] == DUE
    assert checks.published_like(again, at=DUE + timedelta(days=31), **seen) is None
    assert checks.published_like("Mañana cerramos por descanso", at=DUE + timedelta(days=1), **seen) is None


@pytest.mark.parametrize(
    ("address", "is_broken"),
    [
        ("https://horno.example/pan", False),
        ("www.horno.example", False),
        ("https://es.wikipedia.org/wiki/Pan_(alimento)", False),
        ("https://peña.example/año", False),
        ("htps://horno.example", True),
        ("https//horno.example", True),
        ("https://horno", True),
        ("https://https://horno.example", True),
        ("https://horno.example/pan…", True),
        ("https://[horno.example", True),
    ],
)
def test_a_link_is_judged_by_its_form(address, is_broken):
    assert checks.looks_broken(address) is is_broken


def test_a_kept_post_opens_as_it_was_written(network, account_of, picture, as_alba, home):
    account = account_of()
    form = {
        "text": ["Uno", "Dos"], "comment": "Y esto", "accounts": [account.pk], "picture": f"1-{picture.pk}",
        "own": [account.pk], f"text.{account.pk}": "Solo aquí", "on": "2026-11-24", "time": "10:00",
        "zone": "Asia/Tokyo",
    }  # fmt: skip
    as_alba.post(f"{home}beginning/", form)
    post = Post.objects.get()
    assert post.wall == datetime(2026, 11, 24, 10)
    as_alba.post(f"{home}{post.pk}/text/", form | {"seen": 1})
    post.refresh_from_db()
    assert post.revision == 1
    page = as_alba.get(f"{home}{post.pk}/text/").content.decode()
    for words in ("Uno", "Dos", "Y esto", "Solo aquí", "<option selected>Asia/Tokyo"):
        assert words in page, words
