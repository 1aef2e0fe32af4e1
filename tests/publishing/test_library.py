"""Pictures: told by their bytes, whole, without traces; and what isn't one is refused on the spot."""

import base64
import re
from struct import pack
from zlib import crc32

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.translation import override
from publishing_cast import *  # noqa: F403
from publishing_cast import png

from conftest import NOON
from tertulia.core import pictures, traces
from tertulia.publishing import actions, library
from tertulia.publishing.models import Media
from tertulia.publishing.saying import Piece, Shown

pytestmark = pytest.mark.django_db

GIF = base64.b64decode("R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs=")
PLACE = b"40 26 46 N, 3 42 1 W"


def segment(mark: int, body: bytes) -> bytes:
    return pack(">BBH", 0xFF, mark, len(body) + 2) + body


def exif(turn: int, order: str = ">") -> bytes:
    head = b"MM\0*" if order == ">" else b"II*\0"
    entries = pack(f"{order}HHIHH", 0x0112, 3, 1, turn, 0) + pack(f"{order}HHII", 0x8825, 4, 1, 38)
    return b"Exif\0\0" + head + pack(f"{order}I", 8) + pack(f"{order}H", 2) + entries + pack(f"{order}I", 0) + PLACE


def jpeg(*segments: bytes, behind: bytes = b"") -> bytes:
    frame = segment(0xC0, pack(">BHHB", 8, 3, 2, 1) + b"\x01\x11\x00")
    scan = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x12\xff\x00\x34\xff\xd0\x56"
    jfif = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
    return b"\xff\xd8" + jfif + b"".join(segments) + frame + scan + b"\xff\xd9" + behind


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(name + pack("<I", len(one)) + one + b"\0" * (len(one) % 2) for name, one in chunks)
    return b"RIFF" + pack("<I", len(body) + 4) + b"WEBP" + body


LOSSLESS = (b"VP8L", b"\x2f" + pack("<I", 1 | 2 << 14) + b"\0")
WITH_TRACES = {
    "png": png(2, 3, (b"tEXt", b"Comment\0" + PLACE), (b"eXIf", exif(1)[6:]), (b"gAMA", pack(">I", 45455))) + PLACE,
    "jpeg": jpeg(
        segment(0xE1, exif(1)), segment(0xED, PLACE), segment(0xFE, PLACE), behind=jpeg(segment(0xE1, exif(1)))
    ),
    "webp": webp((b"VP8X", b"\x0c\0\0\0\1\0\0\2\0\0"), LOSSLESS, (b"EXIF", exif(1)), (b"XMP ", PLACE)),
    "gif": GIF[:13]
    + b"\x21\xfe\x14"
    + PLACE
    + b"\0"
    + b"\x21\xff\x0bXMP DataXMP\x14"
    + PLACE
    + b"\0"
    + GIF[13:]
    + PLACE,
}


@pytest.mark.parametrize("name", WITH_TRACES)
def test_what_tells_where_it_was_taken_is_gone_and_the_points_stay(name):
    content = WITH_TRACES[name]
    kind, width, height = pictures.measure(content)
    clean = traces.without(content, kind)
    assert PLACE not in clean
    assert pictures.measure(clean) == (kind, width, height)
    assert traces.without(clean, kind) == clean
    points = {"png": b"IDAT", "jpeg": b"\x12\xff\x00\x34\xff\xd0\x56", "webp": LOSSLESS[1], "gif": GIF[13:]}[name]
    assert points in clean


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_way_up_is_all_that_stays_of_a_cameras_notes(order):
    clean = traces.without(jpeg(segment(0xE1, exif(6, order))), "image/jpeg")
    assert PLACE not in clean
    assert traces._turn(clean[clean.index(b"Exif") :]) == 6
    assert pictures.measure(clean) == ("image/jpeg", 2, 3)


@pytest.mark.parametrize("name", WITH_TRACES)
def test_a_picture_that_ends_before_its_end_is_refused_wherever_it_was_cut(name, brand, alba):
    clean = traces.without(WITH_TRACES[name], pictures.measure(WITH_TRACES[name])[0])
    for length in range(len(clean)):
        with pytest.raises(library.NotAPicture):
            library.add(brand=brand, name="pan", content=clean[:length], by=alba, at=NOON)
    assert Media.objects.count() == 0


@pytest.mark.parametrize(
    "content",
    [
        b"", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", b"<html>hola</html>", b"%PDF-1.7",
        b"\0\0\0\x18ftypmp42" + bytes(60),
    ],
    ids=["nothing", "drawing", "page", "document", "film"],
)  # fmt: skip
def test_what_is_no_picture_leaves_nothing(content, brand, alba, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    with pytest.raises(library.NotAPicture):
        library.add(brand=brand, name="pan.png", content=content, by=alba, at=NOON)
    assert (Media.objects.count(), list(tmp_path.rglob("*"))) == (0, [])


def saying(side: int) -> bytes:
    """A whole picture of six points that says it is a square of this side."""
    picture = png()
    head = picture[12:16] + pack(">II", side, side) + picture[24:29]
    return picture[:12] + head + pack(">I", crc32(head)) + picture[33:]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (saying(30_000), "The picture has too many points: 30000 × 30000. 40 million are allowed."),
        (png() + bytes(library.LARGEST), "The file is too large: 16 MB at most."),
    ],
    ids=["bomb", "heavy"],
)
def test_too_large_a_picture_leaves_nothing_however_whole_it_is(content, why, brand, alba, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    assert traces.without(content, "image/png")  # nothing else is wrong with it
    with override("en"), pytest.raises(library.NotAPicture, match=re.escape(why)):
        library.add(brand=brand, name="pan.png", content=content, by=alba, at=NOON)
    assert (Media.objects.count(), list(tmp_path.rglob("*"))) == (0, [])


def test_the_name_is_only_a_name_and_its_ending_is_what_the_bytes_say(brand, alba, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    media = library.add(brand=brand, name="../../etc/\u200b.htaccess.php", content=GIF, by=alba, at=NOON)
    assert media.name.endswith(".gif")
    assert "/" not in media.name
    (file,) = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert file.name == media.digest


def test_the_same_picture_twice_is_one_and_one_in_use_stays(network, brand, alba):
    first = library.add(brand=brand, name="a.png", content=WITH_TRACES["png"], by=alba, at=NOON)
    again = library.add(brand=brand, name="b.png", content=library.content(first), by=alba, at=NOON)
    assert first.pk == again.pk
    post = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece("Pan", pictures=(Shown(first.pk),))])
    with pytest.raises(library.InUse):
        library.remove(media=first, by=alba, at=NOON)
    actions.save(post=post, seen=1, by=alba, at=NOON, pieces=[Piece("Pan")])
    library.remove(media=first, by=alba, at=NOON)
    assert Media.objects.count() == 0


def test_a_picture_comes_in_by_the_form_and_is_shown_as_what_it_is(as_alba, as_carla, brand, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    file = SimpleUploadedFile("pan.html", WITH_TRACES["jpeg"], content_type="text/html")
    as_alba.post(f"/b/{brand.slug}/media/", {"file": file, "alt": "Una hogaza"})
    media = Media.objects.get()
    answer = as_alba.get(f"/b/{brand.slug}/media/{media.pk}/")
    assert (answer["Content-Type"], media.alt, media.name) == ("image/jpeg", "Una hogaza", "pan.jpeg")
    assert PLACE not in b"".join(answer.streaming_content)
    assert as_carla.get(f"/b/{brand.slug}/media/{media.pk}/").status_code == 404
