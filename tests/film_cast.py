"""Films to try things with: those of `tests/films`, and some put together byte by byte."""

from pathlib import Path
from struct import pack

FILMS = Path(__file__).parent / "films"
PAN, MOV, WEBM, DRONE = (
    (FILMS / name).read_bytes() for name in ("pan.mp4", "pan.mov", "pan.webm", "dron.mp4")
)  # fmt: skip
PLACE = b"+40.4461-003.7003/"
PICTURES = b"\x12" * 40


def box(name: bytes, *parts: bytes, long: bool = False) -> bytes:
    body = b"".join(parts)
    return pack(">I4sQ", 1, name, len(body) + 16) + body if long else pack(">I4s", len(body) + 8, name) + body


def track(
    at: int, *, kind: bytes = b"vide", side: tuple[int, int] = (64, 36), turned: bool = False, more: bytes = b""
) -> bytes:
    """One of four samples of ten bytes, which lie together at `at`."""
    matrix = (0, 1 << 16, 0, -1 << 16, 0, 0) if turned else (1 << 16, 0, 0, 0, 1 << 16, 0)
    size = pack(">II", side[0] << 16, side[1] << 16) if kind == b"vide" else bytes(8)
    head = box(
        b"tkhd",
        pack(">IIIIII", 7, 5, 5, 1, 0, 4000),
        bytes(16),
        pack(">iiiiii", *matrix),
        bytes(8),
        pack(">I", 1 << 30),
        size,
    )
    codec = b"avc1" + bytes(24) + pack(">HH", *side) + bytes(50) if kind == b"vide" else b"text" + bytes(8)
    tables = box(
        b"stbl",
        box(b"stsd", pack(">II", 0, 1), pack(">I", len(codec) + 4), codec),
        box(b"stsc", pack(">IIIII", 0, 1, 1, 4, 1)),
        box(b"stsz", pack(">III", 0, 10, 4)),
        box(b"stco", pack(">III", 0, 1, at)),
    )
    media = box(
        b"mdia",
        box(b"mdhd", pack(">IIIII", 0, 5, 5, 1000, 4000), bytes(4)),
        box(b"hdlr", bytes(8), kind, bytes(12), b"GoPro AVC\0"),
        box(b"minf", tables),
    )
    return box(b"trak", head, media, more)


def film(*, long: bool = False, moov_more: bytes = b"", behind: bytes = b"", tracks: int = 1, **how) -> bytes:
    """An MP4 of four seconds whose pictures come first."""
    head = box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41")
    pictures = box(b"mdat", PICTURES, long=long)
    at = len(head) + (16 if long else 8)
    moov = box(
        b"moov", box(b"mvhd", pack(">IIIII", 0, 5, 5, 1000, 4000), bytes(80)), *[track(at, **how)] * tracks, moov_more
    )
    return head + pictures + moov + behind
