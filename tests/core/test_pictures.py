"""What is a picture is told by its bytes."""

import base64
import zlib
from struct import pack

import pytest

from tertulia.core.pictures import LARGEST, kind_of

GIF = base64.b64decode("R0lGODlhAQABAAAAACwAAAAAAQABAAA=")
JPEG_HEAD = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"


def png(width=2, height=3):
    def chunk(name, body):
        return pack(">I", len(body)) + name + body + pack(">I", zlib.crc32(name + body))

    head = pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 12)) + chunk(b"IEND", b"")


def jpeg(width=2, height=3, mark=0xC0):
    return JPEG_HEAD + pack(">BBHBHH", 0xFF, mark, 11, 8, height, width) + b"\x01\x01\x11\x00\xff\xd9"


def webp(form, body):
    return b"RIFF" + pack("<I", len(body) + 12) + b"WEBP" + form + pack("<I", len(body)) + body


SHOWN = {
    "image/png": [png()],
    "image/jpeg": [jpeg(), jpeg(mark=0xC2)],
    "image/gif": [GIF],
    "image/webp": [
        webp(b"VP8 ", b"\x30\x01\x00\x9d\x01\x2a" + pack("<HH", 2, 3)),
        webp(b"VP8L", b"\x2f" + pack("<I", 1 | 2 << 14)),
        webp(b"VP8X", b"\x10\0\0\0" + b"\x01\0\0\x02\0\0"),
    ],
}


@pytest.mark.parametrize(("kind", "content"), [(kind, one) for kind, all_ in SHOWN.items() for one in all_])
def test_the_four_that_are_made_of_points(kind, content):
    assert kind_of(content) == kind


@pytest.mark.parametrize("content", [one for all_ in SHOWN.values() for one in all_])
def test_a_beginning_alone_is_none(content):
    for length in range(10):
        assert kind_of(content[:length]) == ""


@pytest.mark.parametrize(
    "content",
    [
        b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<html>", b"%PDF-1.7", b"BM" + bytes(60),
        b"\xff\xd8\xff" + b"\0" * 60, b"\x89PNG\r\n\x1a\n<script>alert(1)</script>", webp(b"ALPH", bytes(40)),
        png(0, 3), b" " + png(), JPEG_HEAD + b"\xff\xc4\x00\x00" * 9,
    ],
)  # fmt: skip
def test_nothing_else(content):
    assert kind_of(content) == ""


def test_what_no_browser_has_the_memory_for():
    assert kind_of(png() + bytes(LARGEST)) == ""
    assert kind_of(png(60_000, 60_000)) == ""
    assert kind_of(jpeg(65_535, 65_535)) == ""
    assert kind_of(png(6_000, 6_000)) == "image/png"
