"""Films in the library and in posts: taken in by what they are, shown piece by piece, sent before their post."""

import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from PIL import Image
from publishing_cast import *  # noqa: F403
from publishing_cast import DUE, png

from conftest import NOON
from fakes.connector import Blind
from film_cast import DRONE, MOV, PAN, PLACE, WEBM, film
from tertulia.channels.models import Delivery, RemotePost
from tertulia.connectors.contract import StillAtIt
from tertulia.publishing import actions, checks, library, saying, writing
from tertulia.publishing.models import Media
from tertulia.publishing.saying import Piece, Shown

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def add(brand, alba):
    def add(content: bytes = PAN, name: str = "horno.mp4", **more) -> Media:
        return library.take(brand=brand, name=name, file=io.BytesIO(content), by=alba, at=NOON, **more)

    return add


def upload(client, brand, content, name="horno.mp4", kind="video/mp4"):
    file = SimpleUploadedFile(name, content, content_type=kind)
    return client.post(f"/b/{brand.slug}/media/", {"file": file}, follow=True)


def body(answer) -> bytes:
    return b"".join(answer.streaming_content)


def test_a_film_comes_in_by_the_form_as_what_it_is(as_alba, as_carla, brand):
    upload(as_alba, brand, MOV, "horno.html", "text/html")
    media = Media.objects.get()
    assert (media.name, media.type, media.width, media.height) == ("horno.quicktime", "video/quicktime", 160, 90)
    assert (round(media.seconds), media.codecs, media.is_film, media.lasts) == (1, "avc1 mp4a", True, "0:01")
    kept = library.content(media)
    assert len(kept) == media.size == len(MOV)
    assert PLACE[:8] not in kept
    answer = as_alba.get(f"/b/{brand.slug}/media/{media.pk}/")
    assert (answer["Content-Type"], body(answer)) == ("video/quicktime", kept)
    assert "sandbox" in answer["Content-Security-Policy"]
    assert as_carla.get(f"/b/{brand.slug}/media/{media.pk}/").status_code == 404


def test_the_same_film_twice_is_one_and_nothing_half_is_left(add, settings):
    first, again = add(), add()
    assert first.pk == again.pk
    assert add(library.content(first)).pk == first.pk
    assert [one.name for one in settings.MEDIA_ROOT.rglob("*") if one.is_file()] == [first.digest]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (PAN[:5000], "cortado"), (film()[:100], "cortado"), (film(kind=b"soun"), "no hay ningún vídeo"),
        (film(side=(30_000, 36)), "demasiados puntos: 30000 × 36"), (b"GIF no, ni MP4", "ni una imagen ni un vídeo"),
        (b"\0\0\0\x18ftypmp42" + bytes(60), "dañado"),
    ],
    ids=["cut", "no table", "sound alone", "wide", "lie", "nothing inside"],
)  # fmt: skip
def test_what_is_amiss_is_said_on_the_spot_and_the_others_are_taken(as_alba, brand, settings, content, says):
    files = [SimpleUploadedFile("mal.mp4", content, content_type="video/mp4"), SimpleUploadedFile("pan.png", png())]
    page = as_alba.post(f"/b/{brand.slug}/media/", {"file": files}, follow=True).content.decode()
    assert "mal.mp4: " in page
    assert says in page
    assert [one.name for one in Media.objects.all()] == ["pan.png"]
    assert len([one for one in settings.MEDIA_ROOT.rglob("*") if one.is_file()]) == 1


def test_a_film_that_is_too_large_is_refused(add, settings, as_alba, brand):
    settings.LARGEST_FILM = len(PAN)
    assert add().is_film
    with pytest.raises(library.NotAFilm):
        add(MOV)
    assert "100 MB" not in upload(as_alba, brand, MOV).content.decode()


def test_a_large_one_is_read_from_the_disk(brand, alba):
    file = TemporaryUploadedFile("pan.webm", "video/webm", len(WEBM), None)
    file.write(WEBM)
    media = library.take(brand=brand, name="pan.webm", file=library.file_of(file), by=alba, at=NOON)
    assert (media.type, media.name, media.codecs) == ("video/webm", "pan.webm", "V_VP8 A_OPUS")
    file.close()


@pytest.mark.parametrize(
    ("asked", "status", "given", "shown"),
    [
        ("bytes=0-9", 206, slice(0, 10), "bytes 0-9/{}"), ("bytes=100-", 206, slice(100, None), "bytes 100-{last}/{}"),
        ("bytes=-7", 206, slice(-7, None), "bytes {seventh}-{last}/{}"),
        ("bytes=5-999999999", 206, slice(5, None), "bytes 5-{last}/{}"),
        ("bytes=999999999-", 416, slice(0, 0), "bytes */{}"), ("bytes=9-5", 416, slice(0, 0), "bytes */{}"),
        ("bytes=-0", 416, slice(0, 0), "bytes */{}"), ("bytes=0-1,5-6", 200, slice(None), None),
        ("bytes=-", 200, slice(None), None), ("lines=1-2", 200, slice(None), None), ("", 200, slice(None), None),
    ],
)  # fmt: skip
def test_a_player_may_go_on_from_anywhere(as_alba, brand, add, asked, status, given, shown):
    media = add()
    kept = library.content(media)
    answer = as_alba.get(f"/b/{brand.slug}/media/{media.pk}/", headers={"range": asked} if asked else {})
    assert answer.status_code == status
    assert (body(answer) if answer.streaming else answer.content) == kept[given]
    size = len(kept)
    expected = shown and shown.format(size, last=size - 1, seventh=size - 7)
    assert (answer["Accept-Ranges"], answer.get("Content-Range")) == ("bytes", expected)
    if status != 416:
        assert int(answer["Content-Length"]) == len(kept[given])


def test_whoever_goes_on_with_another_file_gets_all_of_this_one(as_alba, brand, add):
    media = add()
    address = f"/b/{brand.slug}/media/{media.pk}/"
    whole = as_alba.get(address)
    assert body(whole) == library.content(media)
    for tag, length in ((whole["ETag"], 2), ('"old"', media.size)):
        answer = as_alba.get(address, headers={"range": "bytes=0-1", "if-range": tag})
        assert len(body(answer)) == length


def test_a_browser_gives_it_a_picture_and_until_then_a_sign_stands_there(as_alba, brand, alba, add):
    media = add()
    small, poster = f"/b/{brand.slug}/media/{media.pk}/small/", f"/b/{brand.slug}/media/{media.pk}/poster/"
    assert as_alba.get(small)["Content-Type"] == "image/svg+xml"
    page = as_alba.get(f"/b/{brand.slug}/media/{media.pk}/details/").content.decode()
    assert "data-wanted" in page
    assert "<video" in page
    out = io.BytesIO()
    Image.new("RGB", (320, 180), "red").save(out, "JPEG")
    assert as_alba.post(poster, {"poster": SimpleUploadedFile("a.jpeg", b"<html>")}).status_code == 422
    assert as_alba.post(poster, {"poster": SimpleUploadedFile("a.jpeg", out.getvalue())}).status_code == 204
    assert as_alba.get(small)["Content-Type"] == "image/webp"
    assert "data-wanted" not in as_alba.get(f"/b/{brand.slug}/media/{media.pk}/details/").content.decode()
    picture = library.add(brand=brand, name="a.png", content=png(), by=alba, at=NOON)
    other = f"/b/{brand.slug}/media/{picture.pk}/poster/"
    assert as_alba.post(other, {"poster": SimpleUploadedFile("a.jpeg", out.getvalue())}).status_code == 404
    library.remove(media=media, by=alba, at=NOON)


def test_a_film_is_not_cut_nor_replaced_by_a_picture(add, alba):
    media = add()
    with pytest.raises(library.NotChanged):
        library.reshape(media=media, turn=90, by=alba, at=NOON)
    with pytest.raises(library.NotChanged):
        library.replace(media=media, name="a.png", file=io.BytesIO(png()), by=alba, at=NOON)
    made, _posts = library.replace(media=media, name="b.webm", file=io.BytesIO(WEBM), by=alba, at=NOON)
    assert made.type == "video/webm"


def lines(brand, account, *media: Media) -> list[str]:
    written = writing.Writing(
        sheets={0: writing.Sheet([Piece("Pan", pictures=tuple(Shown(one.pk) for one in media))])},
        accounts=[account.pk],
    )
    return [line.says for line in checks.check(written, brand=brand, post=None, at=NOON).lines]


def test_the_list_before_leaving_knows_films(account_of, brand, alba, add, network):
    account, media = account_of(), add(alt="Cómo se amasa")
    assert not [one for one in lines(brand, account, media) if "horno" in one]
    picture = library.add(brand=brand, name="pan.png", content=png(), by=alba, at=NOON, alt="Pan")
    Media.objects.filter(pk=media.pk).update(seconds=61, size=2_000_000, alt="", codecs="hvc1 mp4a")
    media.refresh_from_db()
    said = "\n".join(lines(brand, account, media, picture))
    for part in (
        "Un vídeo dura demasiado, 1:01 de 1:00: horno.mp4",
        "pesa demasiado, 2 de 1 MB",
        "solo cabe una",
        "horno.mp4",
        "H.264",
    ):
        assert part in said, part


def test_a_film_is_handed_in_and_its_post_goes_last(account_of, post_on, add, network, go_on):
    media = add(alt="Cómo se amasa")
    post_on(account_of(), pictures=[Shown(media.pk)])
    go_on(DUE, minutes=2)
    (one,) = network.posts
    assert [alt for _id, alt in one["pictures"]] == ["Cómo se amasa"]
    (row,) = RemotePost.objects.all()
    assert row.draft["pictures"][0]["seconds"] == media.seconds
    assert Delivery.objects.get().state == Delivery.State.SENT


def test_what_the_network_still_works_at_is_asked_for_and_not_handed_in_again(
    account_of, post_on, add, network, go_on, monkeypatch
):
    real, asked = Blind.attach, []

    def attach(self, account, picture, key):
        asked.append(picture.id)
        if not picture.id:
            raise StillAtIt("Wait.", real(self, account, picture, key), after=timedelta(seconds=10))
        if len(asked) < 4:
            raise StillAtIt("Wait.", picture.id, after=timedelta(seconds=10))
        return picture.id

    monkeypatch.setattr(Blind, "attach", attach)
    post_on(account_of(), pictures=[Shown(add().pk)])
    go_on(DUE, minutes=10)
    assert len(asked) == 4
    assert asked[0] == ""
    assert len(set(asked[1:])) == 1
    assert len(network.posts) == 1
    assert Delivery.objects.get().state == Delivery.State.SENT


def test_a_lost_film_is_told_and_nothing_leaves(account_of, post_on, add, network, go_on):
    media = add()
    post_on(account_of(), pictures=[Shown(media.pk)])
    library._path(media.brand_id, media.digest).unlink()
    go_on(DUE, minutes=2)
    assert (network.posts, Delivery.objects.get().state) == ([], Delivery.State.REFUSED)


def test_rights_count_for_films_too(brand, alba, add, account_of, network):
    media = add(DRONE)
    library.describe(media=media, by=alba, at=NOON, rights_until=NOON.date() - timedelta(days=1))
    media.refresh_from_db()
    assert any("hasta el" in one or "solo" in one for one in lines(brand, account_of(), media))
    post = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece("Pan", pictures=(Shown(media.pk),))])
    with pytest.raises(library.InUse):
        library.remove(media=media, by=alba, at=NOON)
    assert saying.pieces_of(post.parts.all())[0].pictures[0].media == media.pk
