"""Which bytes are a picture that a page may show: told by themselves, never by what somebody calls them."""

from __future__ import annotations

from struct import error, unpack_from

LARGEST = 5_000_000
"""Bytes."""
MOST_PIXELS = 40_000_000
"""A few bytes can claim to be a picture that no browser has the memory for."""
_BEFORE_SIZE = frozenset((0xC4, 0xC8, 0xCC))
"""The marks of JPEG among those of its frames (0xC0 to 0xCF) that begin something else."""


def kind_of(content: bytes) -> str:
    """The type of a picture made of points, of a size that can be shown; "" for anything else, drawings included."""
    if len(content) > LARGEST:
        return ""
    kind, width, height = measure(content)
    return kind if width * height <= MOST_PIXELS else ""


def measure(content: bytes) -> tuple[str, int, int]:
    """Type, width and height of a picture made of points, of whatever size it says it is; ("", 0, 0) for anything
    else."""
    for kind, read in _KINDS.items():
        try:
            width, height = read(content)
        except error:
            continue
        if width * height > 0:
            return kind, width, height
    return "", 0, 0


def _png(content: bytes) -> tuple[int, int]:
    is_one = content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR"
    return unpack_from(">II", content, 16) if is_one else (0, 0)


def _gif(content: bytes) -> tuple[int, int]:
    return unpack_from("<HH", content, 6) if content[:6] in {b"GIF87a", b"GIF89a"} else (0, 0)


def _jpeg(content: bytes) -> tuple[int, int]:
    at = 2 if content.startswith(b"\xff\xd8\xff") else len(content)
    while True:
        sign, mark, length = unpack_from(">BBH", content, at)
        if sign != 0xFF or length < 2:
            return 0, 0
        if 0xC0 <= mark <= 0xCF and mark not in _BEFORE_SIZE:
            height, width = unpack_from(">HH", content, at + 5)
            return width, height
        at += 2 + length


def _webp(content: bytes) -> tuple[int, int]:
    form = content[12:16] if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else b""
    if form == b"VP8 ":
        width, height = unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    if form == b"VP8L":
        (both,) = unpack_from("<I", content, 21)
        return (both & 0x3FFF) + 1, (both >> 14 & 0x3FFF) + 1
    if form == b"VP8X":
        (both,) = unpack_from("<Q", content[24:30] + b"\0\0")
        return (both & 0xFFFFFF) + 1, (both >> 24) + 1
    return 0, 0


_KINDS = {"image/png": _png, "image/jpeg": _jpeg, "image/gif": _gif, "image/webp": _webp}
