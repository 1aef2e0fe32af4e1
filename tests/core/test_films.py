"""Films are told by their bytes, whole, and give away neither place nor device; nothing they say of themselves is
believed further than it fits."""

import time
import tracemalloc
from io import BytesIO
from struct import pack

import pytest

from film_cast import DRONE, MOV, PAN, PICTURES, PLACE, WEBM, box, film, track
from tertulia.core import films

BAD = (films.NotAFilm, films.CutOff, films.Damaged, films.NotCleaned)


def read(content: bytes) -> films.Film:
    return films.read(BytesIO(content))


def cleaned(content: bytes) -> bytes:
    file = BytesIO(content)
    films.clean(file, films.read(file))
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "kind", "codecs"),
    [
        (PAN, "video/mp4", ("avc1", "mp4a")), (MOV, "video/quicktime", ("avc1", "mp4a")),
        (WEBM, "video/webm", ("V_VP8", "A_OPUS")), (DRONE, "video/mp4", ("avc1", "mp4a")),
    ],
    ids=["mp4", "mov", "webm", "drone"],
)  # fmt: skip
def test_a_film_says_what_it_is_and_keeps_its_size_and_pictures_without_place_and_device(content, kind, codecs):
    told = read(content)
    assert (told.type, told.width, told.height, told.codecs) == (kind, 160, 90, codecs)
    assert 0.95 < told.seconds < 1.1
    clean = cleaned(content)
    assert len(clean) == len(content)
    for secret in (PLACE[:8], b"40.4461", b"GPS", b"Secreto", b"Lavf", b"SoundHandler", b"VideoHandler"):
        assert secret not in clean
    assert read(clean).codecs == codecs
    assert cleaned(clean) == clean
    same = sum(one == other for one, other in zip(content, clean, strict=True))
    assert same > 0.7 * len(content)  # what is seen and heard is untouched


def test_the_pictures_themselves_stay_bit_by_bit_where_they_were():
    at = PAN.index(b"mdat")
    size = int.from_bytes(PAN[at - 4 : at])
    assert cleaned(PAN)[at - 4 : at - 4 + size] == PAN[at - 4 : at - 4 + size]


def test_a_track_of_places_goes_with_all_it_holds():
    drone = film(tracks=1, moov_more=track(0, kind=b"meta"))
    at = drone.index(PICTURES)
    other = film(moov_more=track(len(drone) + 8, kind=b"meta"), behind=box(b"mdat", b"N40.4461 W3.7 " * 4))
    assert read(other).codecs == ("avc1",)
    clean = cleaned(other)
    assert clean[at : at + 40] == PICTURES
    assert clean[len(drone) + 8 : len(drone) + 48] == bytes(40)
    assert b"40.4461" not in clean[: len(drone) + 48]
    assert clean.count(b"trak") == 1


@pytest.mark.parametrize(
    "more",
    [
        box(b"udta", box(b"\xa9xyz", pack(">HH", len(PLACE), 0x15C7), PLACE), box(b"\xa9mak", b"\0\5\0\0Canon")),
        box(b"udta", box(b"loci", bytes(4), b"\0\0\0", PLACE)),
        box(b"meta", box(b"keys", bytes(8), box(b"mdta", b"com.apple.quicktime.location")), box(b"ilst", PLACE)),
        box(b"uuid", b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac", PLACE),
        box(b"free", PLACE), box(b"gps ", PLACE), box(b"udta", PLACE[:8], bytes(4)),
    ],
    ids=["xyz", "loci", "apple", "xmp", "free", "dashcam", "odd"],
)  # fmt: skip
@pytest.mark.parametrize("where", ["moov_more", "behind", "more"])
def test_a_place_is_gone_wherever_cameras_write_it(more, where):
    given = film(**{where: more})
    clean = cleaned(given)
    assert PLACE[:8] in given
    assert PLACE[:8] not in clean
    assert b"Canon" not in clean
    assert b"GoPro" not in clean
    assert len(clean) == len(given)
    assert clean[clean.index(b"mdat") + 4 :][:40] == PICTURES


def test_sizes_of_eight_bytes_the_way_up_and_a_length_are_read():
    told = read(film(long=True, turned=True))
    assert (told.width, told.height, told.seconds) == (36, 64, 4.0)


def test_a_box_without_size_goes_to_the_end():
    head, at = box(b"ftyp", b"isom\0\0\2\0isom"), 0
    moov_first = film()
    moov = moov_first[moov_first.index(b"moov") - 4 :]
    at = len(head) + len(moov) + 8
    moov = moov.replace(
        pack(">III", 0, 1, len(box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41")) + 8), pack(">III", 0, 1, at)
    )
    assert read(head + moov + pack(">I4s", 0, b"mdat") + PICTURES).seconds == 4.0
    with pytest.raises(films.CutOff):  # nothing of its pictures has come
        read(head + moov + pack(">I4s", 0, b"mdat"))


@pytest.mark.parametrize("content", [PAN, MOV, WEBM, DRONE, film()], ids=["mp4", "mov", "webm", "drone", "built"])
def test_a_film_that_ends_before_its_end_is_refused_wherever_it_was_cut(content):
    for length in [*range(0, len(content), 37), len(content) - 1]:
        with pytest.raises(BAD):
            read(content[:length])
    with pytest.raises(films.CutOff):
        read(content[: len(content) // 2])


def test_without_its_table_it_is_cut_off():
    whole = film()
    with pytest.raises(films.CutOff):
        read(whole[: whole.index(b"moov") - 4])


@pytest.mark.parametrize(
    "content",
    [
        b"", b"hola", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x89PNG\r\n\x1a\n" + bytes(60),
        b"%PDF-1.7" + bytes(60),
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(60), b"RIFF\0\0\1\0AVI LIST" + bytes(60),
        b"\x1aE\xdf\xa3matroska" + bytes(60),
        film(kind=b"soun"),
    ],
    ids=["nothing", "text", "drawing", "picture", "document", "heic", "avi", "mkv", "sound alone"],
)  # fmt: skip
def test_what_is_no_film_is_told_by_its_bytes(content):
    with pytest.raises(films.NotAFilm):
        read(content)


def nested(depth: int) -> bytes:
    inner = b""
    for _one in range(depth):
        inner = box(b"trak", inner)
    return box(b"ftyp", b"isom\0\0\2\0isom") + box(b"moov", inner)


HEAD = box(b"ftyp", b"isom\0\0\2\0isom")
OPEN_WEBM = b"\x1aE\xdf\xa3\x87B\x82\x84webm\x18S\x80g\x01\xff\xff\xff\xff\xff\xff\xff"
BOMBS = {
    "deep": nested(5_000),
    "many": HEAD + box(b"free") * 1_100_000,
    "smaller than itself": HEAD + pack(">I4s", 4, b"moov") + bytes(100),
    "larger than all": HEAD + pack(">I4sQ", 1, b"moov", 2**63) + bytes(100),
    "64 bits of nothing": HEAD + pack(">I4sQ", 1, b"moov", 3) + bytes(100),
    "larger than its parent": HEAD + box(b"moov", pack(">I4s", 9_000, b"trak"), bytes(100)),
    "a table of four billion": film().replace(pack(">III", 0, 10, 4), pack(">III", 0, 0, 2**32 - 1)).replace(
        b"stco" + pack(">II", 0, 1), b"stco" + pack(">II", 0, 2**32 - 1)
    ),
    "two tables": HEAD + film()[film().index(b"mdat") - 4 :] + film()[film().index(b"moov") - 4 :],
    "all at one place": film(
        moov_more=track(0, kind=b"meta").replace(pack(">III", 0, 10, 4), pack(">III", 0, 2**20, 2**32 - 1))
    ),
    "empty": HEAD + box(b"moov"),
    "no mvhd": HEAD + box(b"moov", box(b"mvhd")),
    "webm of nothing": OPEN_WEBM + b"\xec\x80" * 1_100_000,
    "webm without names": OPEN_WEBM + b"\0" * 99,
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_of_boxes_is_refused_soon_and_with_little_memory(name):
    began = time.monotonic()
    tracemalloc.start()
    with pytest.raises(BAD):
        read(BOMBS[name])
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.monotonic() - began < 20
    assert peak < 40_000_000 + len(BOMBS[name])


def test_however_long_it_is_little_of_it_is_in_memory(tmp_path):
    path, size = tmp_path / "long.mp4", 600 * 1024 * 1024
    whole = film()
    at = whole.index(b"mdat") - 4
    moov = whole[at + 48 :]
    with path.open("wb") as file:
        file.write(whole[:at] + pack(">I4sQ", 1, b"mdat", size))
        file.seek(at + size)
        file.write(moov)
    tracemalloc.start()
    with path.open("r+b") as file:
        told = films.read(file)
        films.clean(file, told)
        assert films.read(file).seconds == 4.0
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000
