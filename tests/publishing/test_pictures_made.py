"""Pictures cut, turned and made smaller; the library's pages; rights that end and permissions that are missing."""

from datetime import date, timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from publishing_cast import *  # noqa: F403
from publishing_cast import ONE_O_CLOCK, png

from conftest import NOON
from tertulia.channels.models import Account, Delivery
from tertulia.core import imaging
from tertulia.core.imaging import Wish
from tertulia.core.outcomes import BadPayload
from tertulia.publishing import actions, checks, library, rights, saying
from tertulia.publishing.models import Attachment, Media
from tertulia.publishing.saying import Piece, Shown, Wanted
from tertulia.publishing.writing import Sheet, Writing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


def photo(width=400, height=300, kind="JPEG", **more) -> bytes:
    """Noise, so that it doesn't shrink to nothing."""
    image, out = Image.effect_noise((width, height), 90).convert("RGB"), BytesIO()
    image.paste((255, 0, 0), (0, 0, width // 2, height // 2))  # red is above on the left
    image.save(out, kind, **more)
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


@pytest.fixture
def kept(brand, alba):
    return library.add(brand=brand, name="horno.jpg", content=photo(), by=alba, at=NOON, alt="El horno")


def is_red(pixel) -> bool:
    return pixel[0] > 200 and pixel[1] < 60


def test_a_turned_picture_is_a_new_one_and_the_first_stays(kept, alba):
    before = library.content(kept)
    made = library.reshape(media=kept, turn=90, by=alba, at=NOON)
    assert (made.width, made.height, made.made_from_id, made.alt) == (300, 400, kept.pk, "El horno")
    assert is_red(opened(library.content(made)).getpixel((290, 10)))  # above on the right now
    assert library.content(kept) == before


@pytest.mark.parametrize(("shape", "size"), [((1, 1), (300, 300)), ((4, 5), (240, 300)), ((16, 9), (400, 225))])
def test_a_shape_is_cut_from_the_middle(kept, alba, shape, size):
    made = library.reshape(media=kept, shape=shape, by=alba, at=NOON)
    assert (made.width, made.height) == size


def test_what_is_cut_is_what_was_framed_as_people_see_it(brand, alba):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned to the right: what is above on the left is seen above on the right
    media = library.add(brand=brand, name="a.jpg", content=photo(exif=exif), by=alba, at=NOON)
    made = library.reshape(media=media, crop=(0.5, 0.0, 0.5, 0.5), by=alba, at=NOON)
    picture = opened(library.content(made))
    assert (picture.size, picture.getexif().get(0x0112)) == ((150, 200), None)
    assert is_red(picture.getpixel((75, 100)))


def test_what_moves_or_is_damaged_is_said_and_makes_nothing(brand, alba):
    frames, out = [Image.new("RGB", (9, 9), n) for n in ("red", "blue")], BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    moving = library.add(brand=brand, name="a.gif", content=out.getvalue(), by=alba, at=NOON)
    with pytest.raises(library.NotChanged, match="mueve"):
        library.reshape(media=moving, turn=90, by=alba, at=NOON)
    half = library.add(brand=brand, name="b.png", content=png(30, 30)[:33] + png(2, 2)[33:], by=alba, at=NOON)
    with pytest.raises(library.NotChanged):
        library.reshape(media=half, turn=90, by=alba, at=NOON)
    assert Media.objects.count() == 2


def test_a_picture_becomes_as_small_as_a_network_takes_and_always_the_same():
    content = photo(1200, 900, quality=98)
    assert len(content) > 300_000
    once, again = (imaging.made(content, Wish(type="image/jpeg", most=100_000)) for _ in range(2))
    assert once == again
    assert len(once[3]) <= 100_000
    with pytest.raises(BadPayload):
        imaging.made(content, Wish(most=10))


def test_a_post_for_bluesky_carries_a_picture_that_it_takes(brand, alba):
    account = Account.objects.create(brand=brand, kind="bluesky", name="Cielo", created_at=NOON)
    media = library.add(brand=brand, name="a.png", content=photo(1400, 1100, "PNG"), by=alba, at=NOON, alt="Ruido")
    assert media.size > 2_000_000
    written = Writing(accounts=[account.pk], sheets={0: Sheet([Piece("Pan", pictures=(Shown(media.pk),))])})
    found = checks.check(written, brand=brand, post=None, at=NOON)
    (line,) = [line for line in found.lines if line.tone == "note"]
    assert "a.png" in line.says
    assert not found.stops
    (picture,) = found.previews[0].parts[0].said["pictures"]
    sent = library.to_send(brand.pk, picture)
    assert len(sent) <= 2_000_000
    assert opened(sent).format == "PNG"
    draft = saying.draft_of({"kind": "post", "text": "", "pictures": [picture]}, content=lambda one: sent)
    assert draft.pictures[0].size == len(sent)


# Rights.


@pytest.fixture
def planned(brand, alba, kept):
    """For one o'clock of the 23rd, with the picture."""
    account = Account.objects.create(brand=brand, kind="manual", name="Tablón", created_at=NOON)
    post = actions.create(
        brand=brand,
        by=alba,
        at=NOON,
        pieces=[Piece("Pan", pictures=(Shown(kept.pk),))],
        versions={account.pk: Wanted()},
    )
    actions.plan(post=post, wall=ONE_O_CLOCK, by=alba, at=NOON)
    return post


def describe(media, alba, **said):
    library.describe(media=media, by=alba, at=NOON, alt=media.alt, **said)


def test_nothing_is_scheduled_for_a_day_after_the_rights_end(planned, kept, alba):
    describe(kept, alba, rights_until=ONE_O_CLOCK.date() - timedelta(days=1))
    with pytest.raises(rights.Unallowed, match="22/11/2026"):
        actions.schedule(post=planned, by=alba, at=NOON)
    assert not Delivery.objects.exists()
    describe(kept, alba, rights_until=ONE_O_CLOCK.date())
    actions.schedule(post=planned, by=alba, at=NOON)
    with pytest.raises(rights.Unallowed):
        actions.plan(post=planned, wall=ONE_O_CLOCK + timedelta(days=1), by=alba, at=NOON)
    assert Delivery.objects.get().due_at.date() == date(2026, 11, 23)


def test_a_customers_picture_needs_their_permission(planned, kept, alba):
    describe(kept, alba, is_customers=True)
    with pytest.raises(rights.Unallowed):
        actions.schedule(post=planned, by=alba, at=NOON)
    with pytest.raises(rights.Unallowed):
        actions.publish_now(post=planned, by=alba, at=NOON)
    describe(kept, alba, is_customers=True, permission="Lucía, por mensaje, el 3 de mayo")
    actions.schedule(post=planned, by=alba, at=NOON)
    assert Delivery.objects.count() == 1


def test_a_cut_of_a_customers_picture_is_a_customers_too(kept, alba):
    describe(kept, alba, is_customers=True, rights_until=date(2026, 12, 1))
    made = library.reshape(media=kept, turn=180, by=alba, at=NOON)
    assert (made.is_customers, made.permission, made.rights_until) == (True, "", date(2026, 12, 1))


def test_the_composer_says_what_rights_forbid_and_what_ends_soon(brand, kept, alba):
    written = Writing(sheets={0: Sheet([Piece("Pan", pictures=(Shown(kept.pk),))])}, zone="Europe/Madrid")
    written.on, written.time = "2026-11-30", "10:00"

    def tones():
        found = checks.check(written, brand=brand, post=None, at=NOON)
        return {line.tone for line in found.lines if "horno" in line.says}

    describe(kept, alba, rights_until=date(2026, 11, 29))
    assert tones() == {"late"}
    describe(kept, alba, rights_until=date(2026, 12, 5))
    assert tones() == {"soon"}
    describe(kept, alba, rights_until=date(2027, 12, 5))
    assert tones() == set()


def test_another_file_takes_its_place_where_nothing_has_left(planned, kept, alba):
    actions.schedule(post=planned, by=alba, at=NOON)
    made, posts = library.replace(media=kept, name="otro.png", file=BytesIO(photo(50, 50, "PNG")), by=alba, at=NOON)
    assert posts == [planned]
    assert Attachment.objects.get().media == made
    assert Delivery.objects.get().post.draft["pictures"][0]["media"] == made.pk
    assert Media.objects.filter(pk=kept.pk).exists()
    Delivery.objects.update(state="sent")
    _again, posts = library.replace(media=made, name="mas.png", file=BytesIO(photo(60, 60, "PNG")), by=alba, at=NOON)
    assert posts == []
    assert Attachment.objects.get().media == made


# Its pages.


def test_several_files_come_at_once_and_a_bad_one_is_named(as_alba, brand):
    files = [
        SimpleUploadedFile("uno.jpg", photo(30, 30)), SimpleUploadedFile("dos.png", b"no soy una imagen"),
        SimpleUploadedFile("tres.png", photo(40, 30, "PNG")),
    ]  # fmt: skip
    page = as_alba.post(f"/b/{brand.slug}/media/", {"file": files}, follow=True).content.decode()
    assert Media.objects.count() == 2
    assert "dos.png" in page


def test_the_library_finds_what_is_looked_for(as_alba, brand, kept, alba, planned):
    other = library.add(brand=brand, name="plaza.png", content=photo(30, 30, "PNG"), by=alba, at=NOON)
    url = f"/b/{brand.slug}/media/"

    def found(**asked):
        return {media.pk for media in as_alba.get(url, asked).context["shelf"].media}

    assert found() == {kept.pk, other.pk}
    assert found(q="HORNO") == {kept.pk}
    assert found(which="unused") == {other.pk}
    assert found(which="undescribed") == {other.pk}
    describe(other, alba, rights_until=date(2020, 1, 1), is_customers=True)
    assert found(which="ended") == found(which="customers") == {other.pk}
    assert found(which="<b>") == {kept.pk, other.pk}


def test_the_page_of_a_picture_says_and_changes_what_is_known(as_alba, as_carla, brand, kept, planned):
    url = f"/b/{brand.slug}/media/{kept.pk}/"
    assert "Pan" in as_alba.get(f"{url}details/").content.decode()
    said = {"alt": "Nuevo", "credit": "Lucía", "rights_until": "2027-01-31", "is_customers": "on", "permission": "sí"}
    as_alba.post(f"{url}details/", said)
    kept.refresh_from_db()
    assert (kept.alt, kept.credit, kept.rights_until, kept.is_customers) == ("Nuevo", "Lucía", date(2027, 1, 31), True)
    assert as_alba.post(f"{url}details/", {"rights_until": "nunca"}).status_code == 422
    as_alba.post(f"{url}shape/", {"shape": "1:1"})
    assert Media.objects.get(made_from=kept).width == 300
    as_alba.post(f"{url}shape/", {})
    as_alba.post(f"{url}removal/")
    assert Media.objects.count() == 2
    for address in ("details/", "small/", "shape/", "replacement/", "removal/"):
        assert as_carla.post(url + address).status_code in {404, 405}


def test_lists_show_small_pictures(as_alba, brand, alba):
    media = library.add(brand=brand, name="a.jpg", content=photo(2000, 1500, quality=97), by=alba, at=NOON)
    answer = as_alba.get(f"/b/{brand.slug}/media/{media.pk}/small/")
    small = b"".join(answer.streaming_content)
    assert answer["Content-Type"] == "image/webp"
    assert len(small) <= 60_000 < media.size
    assert max(opened(small).size) <= library.SMALL_SIDE
