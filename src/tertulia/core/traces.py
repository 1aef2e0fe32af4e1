"""What a camera or a program leaves in a picture (where it was taken, when, with what) is taken out, and what hangs
behind its end; its points stay as they are, bit by bit. Nothing is unpacked, so no picture is too large for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from struct import error, pack, unpack_from


class Broken(ValueError):
    """It ends before its end, or isn't put together as its type is."""


def without(content: bytes, kind: str) -> bytes:
    """The picture of this type (as `pictures.measure` tells it) without its traces. Raises `Broken`."""
    try:
        return _CLEANERS[kind](content)
    except (error, IndexError):
        raise Broken(kind) from None


# JPEG: segments, then scans. The way up is the one thing of a camera's notes that people would miss.

_KEPT_BY_JPEG = frozenset({0xE0, 0xE2, 0xEE})
"""JFIF, colour profile, Adobe's colour transform; of all other notes (0xE0 to 0xEF, 0xFE) none."""
_NEXT_MARK = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def _jpeg(content: bytes) -> bytes:
    kept, at, turn = [], 2, 1
    while (mark := _mark(content, at)) != 0xD9:
        end = at + 2 + unpack_from(">H", content, at + 2)[0]
        if end > len(content):
            raise Broken("jpeg")
        segment = content[at:end]
        if mark == 0xE1:
            turn = _turn(segment[4:]) or turn
        if mark == 0xDA:
            found = _NEXT_MARK.search(content, end)
            if found is None:
                raise Broken("jpeg")
            segment, end = content[at : found.start()], found.start()
        if not (0xE0 <= mark <= 0xEF or mark == 0xFE) or (mark in _KEPT_BY_JPEG and segment[4:8] != b"MPF\0"):
            kept.append(segment)
        at = end
    return b"".join([b"\xff\xd8", _turned(turn) if turn != 1 else b"", *kept, b"\xff\xd9"])


def _mark(content: bytes, at: int) -> int:
    if content[at] != 0xFF:
        raise Broken("jpeg")
    return content[at + 1]


def _turn(exif: bytes) -> int:
    """The way up, 2 to 8, as a camera noted it; 0 where it didn't."""
    if exif[:6] != b"Exif\0\0" or exif[6:8] not in (b"II", b"MM"):
        return 0
    order = "<" if exif[6:8] == b"II" else ">"
    try:
        (first,) = unpack_from(f"{order}I", exif, 10)
        (count,) = unpack_from(f"{order}H", exif, 6 + first)
        for number in range(count):
            tag, kind, _n, value = unpack_from(f"{order}HHIH", exif, 8 + first + 12 * number)
            if (tag, kind) == (0x0112, 3) and 2 <= value <= 8:
                return int(value)
    except error:
        return 0
    return 0


def _turned(turn: int) -> bytes:
    notes = b"Exif\0\0MM\0*" + pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, turn, 0, 0)
    return b"\xff\xe1" + pack(">H", len(notes) + 2) + notes


# PNG and WebP: chunks with names.

_KEPT_BY_PNG = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP sBIT pHYs bKGD acTL fcTL fdAT".split()
)  # fmt: skip


def _png(content: bytes) -> bytes:
    chunks, is_whole = [content[:8]], False
    at = 8
    while not is_whole:
        size, name = unpack_from(">I4s", content, at)
        end = at + 12 + size
        if end > len(content):
            raise Broken("png")
        if name in _KEPT_BY_PNG:
            chunks.append(content[at:end])
        at, is_whole = end, name == b"IEND"
    return b"".join(chunks)


_KEPT_BY_WEBP = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_HAS_NOTES = 0x08 | 0x04


def _webp(content: bytes) -> bytes:
    (size,) = unpack_from("<I", content, 4)
    if size + 8 > len(content):
        raise Broken("webp")
    chunks = b"".join(_webp_chunks(content[12 : size + 8]))
    return b"RIFF" + pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def _webp_chunks(content: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(content):
        name, size = unpack_from("<4sI", content, at)
        end = at + 8 + size + size % 2
        if at + 8 + size > len(content):
            raise Broken("webp")
        if name == b"VP8X":
            yield content[at : at + 8] + bytes([content[at + 8] & ~_HAS_NOTES]) + content[at + 9 : end]
        elif name in _KEPT_BY_WEBP:
            yield content[at:end].ljust(end - at, b"\0")
        at = end


# GIF: blocks.

_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def _gif(content: bytes) -> bytes:
    at = 13 + _table(content[10])
    kept = [content[:at]]
    while content[at] != 0x3B:
        begin = at
        if content[at] == 0x2C:
            at = _behind_blocks(content, at + 11 + _table(content[at + 9]))
            kept.append(content[begin:at])
        elif content[at] == 0x21:
            label, at = content[at + 1], _behind_blocks(content, at + 2)
            if label == 0xF9 or (label == 0xFF and content[begin + 3 : begin + 14] in _LOOPS):
                kept.append(content[begin:at])
        else:
            raise Broken("gif")
    return b"".join([*kept, b"\x3b"])


def _table(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _behind_blocks(content: bytes, at: int) -> int:
    while content[at]:
        at += content[at] + 1
    return at + 1


_CLEANERS: dict[str, Callable[[bytes], bytes]] = {
    "image/jpeg": _jpeg,
    "image/png": _png,
    "image/webp": _webp,
    "image/gif": _gif,
}
