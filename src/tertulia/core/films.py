"""Which bytes are a film, told by themselves; how long and large it is; and what a camera noted in it, overwritten.

MP4 and QuickTime are boxes in boxes (ISO/IEC 14496-12), WebM is elements in elements (EBML, RFC 8794). Nothing is
decoded and nothing moves: a film says where each picture is by its place in the file, so what has to go is made empty
room of the same size. However large it is, little more than a table's piece of it is in memory at once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from struct import error, pack, unpack, unpack_from
from typing import BinaryIO

MOST_SIDE = 8_192
"""Points of a side: what is sold as 8K has 7,680."""
MOST_BOXES = 1_000_000
MOST_DEPTH = 12
MOST_EMPTIED = 200_000
MOST_ENTRIES = 8_000_000
"""Of all tables together: a day of pictures and sounds has fewer."""
HEAD = 64
"""So many bytes tell what a file is."""
_PIECE = 64 * 1024
COMMON = frozenset({"avc1", "avc3", "V_VP8", "V_VP9"})
"""How pictures are coded that every browser and phone of today plays."""
TYPES = frozenset({"video/mp4", "video/quicktime", "video/webm"})


class NotAFilm(ValueError):
    """Its bytes are none, whatever it is called."""


class CutOff(ValueError):
    """It ends before its end."""


class Damaged(ValueError):
    """It isn't put together as its type is."""


class NotCleaned(ValueError):
    """It holds what a camera noted at a place where it can't be taken out without moving the rest."""


@dataclass(frozen=True, slots=True)
class Film:
    """`width` and `height` as people see it, turned where it is to be turned; `seconds` 0 where it doesn't say.
    `codecs` as the file names them, the picture's first. `empty` is what is to become empty room: where, how long, and
    what it becomes: a "free" box, a "void" element, or "" for nothing but zeros."""

    type: str
    width: int
    height: int
    seconds: float
    codecs: tuple[str, ...]
    empty: tuple[tuple[int, int, str], ...] = field(repr=False)


def kind_of(head: bytes) -> str:
    """The type of what begins so; "" where it begins like no film."""
    if head[:4] == b"\x1aE\xdf\xa3":
        return "video/webm" if b"webm" in head[:HEAD] else ""
    name = head[4:8]
    if name == b"ftyp":
        brands = {head[8:12], *(head[at : at + 4] for at in range(16, min(len(head), HEAD), 4))}
        if brands & {b"heic", b"heix", b"mif1", b"avif", b"avis", b"jxl "}:
            return ""
        return "video/quicktime" if head[8:12] == b"qt  " else "video/mp4"
    return "video/quicktime" if name in {b"moov", b"mdat", b"wide", b"pnot", b"free", b"skip"} else ""


def read(file: BinaryIO) -> Film:
    """What a file is. Raises `NotAFilm`, `CutOff`, `Damaged`, `NotCleaned`."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    kind = kind_of(file.read(HEAD))
    if not kind:
        raise NotAFilm
    try:
        film = _Webm(file, size).film() if kind == "video/webm" else _Boxes(file, size).film(kind)
    except (error, IndexError, OverflowError):
        raise Damaged from None
    if film.width < 1 or film.height < 1:
        raise Damaged
    return film


def clean(file: BinaryIO, film: Film) -> None:
    """Overwrite what a camera noted; its size and every place in it stay. `file` is open for writing."""
    for at, length, name in film.empty:
        file.seek(at)
        length -= file.write(_ROOM[name](length))
        while length > 0:
            length -= file.write(bytes(min(length, _PIECE)))


_ROOM: dict[str, Callable[[int], bytes]] = {
    "": lambda length: b"",
    "free": lambda length: pack(">I4s", length, b"free") if length < 1 << 32 else pack(">I4sQ", 1, b"free", length),
    "void": lambda length: pack(">BQ", 0xEC, 1 << 56 | length - 9) if length > 8 else bytes([0xEC, 0x80 | length - 2]),
}
"""How empty room begins."""


# ── boxes ──────────────────────────────────────────────────────────────────

_KEPT = {
    b"": frozenset((b"ftyp", b"moov", b"mdat", b"moof", b"mfra", b"sidx", b"ssix", b"styp")),
    b"moov": frozenset((b"mvhd", b"trak", b"mvex", b"iods")),
    b"trak": frozenset((b"tkhd", b"edts", b"mdia", b"tref", b"tapt", b"clip", b"matt", b"load")),
    b"mdia": frozenset((b"mdhd", b"hdlr", b"minf", b"elng")),
    b"minf": frozenset((b"vmhd", b"smhd", b"gmhd", b"nmhd", b"hdlr", b"dinf", b"stbl")),
}
"""What is needed to show it. All else of these becomes empty room: what cameras and programs note is among it under
more names than anybody knows (©xyz, loci, the keys of Apple, XMP, the boxes of single makers)."""
_INTO = frozenset((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex"))
_SEEN_OR_HEARD = frozenset((b"vide", b"soun"))


@dataclass(frozen=True, slots=True)
class _Box:
    name: bytes
    at: int
    body: int
    end: int


@dataclass(slots=True)
class _Track:
    kind: bytes = b""
    width: int = 0
    height: int = 0
    codec: str = ""
    box: _Box | None = None
    tables: dict[bytes, _Box] = field(default_factory=dict)


class _Boxes:
    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size = file, size
        self.boxes = self.entries = self.emptied = 0
        self.empty: list[tuple[int, int, str]] = []
        self.tracks: list[_Track] = []
        self.seconds, self.scale = 0.0, 0
        self.is_in_pieces = False

    def film(self, kind: str) -> Film:
        names = []
        for box in self._in(0, self.size, depth=0):
            names.append(box.name)
            if box.name == b"moov":
                self._walk(box, depth=1)
            elif box.name not in _KEPT[b""]:
                self._free(box)
        if b"moov" not in names:
            raise CutOff if b"mdat" in names or names in ([], [b"ftyp"]) else Damaged
        if names.count(b"moov") > 1:
            raise Damaged
        seen = [one for one in self.tracks if one.kind == b"vide"]
        if not seen:
            raise NotAFilm
        for track in self.tracks:
            self._check(track)
            if track.kind not in _SEEN_OR_HEARD:
                self._take_out(track)
        heard = [one.codec for one in self.tracks if one.kind == b"soun"]
        first = next((one for one in seen if one.width and one.height), seen[0])
        return Film(kind, first.width, first.height, self.seconds, (first.codec, *heard[:1]), tuple(self.empty))

    def _in(self, at: int, end: int, *, depth: int) -> Iterator[_Box]:
        """The boxes that lie there, each of them whole."""
        while at < end:
            if self.boxes >= MOST_BOXES or depth > MOST_DEPTH:
                raise Damaged
            self.boxes += 1
            if end - at < 8:
                if depth and not any(self._bytes(at, end - at)):  # QuickTime ends some lists with a zero
                    return
                raise Damaged if depth else CutOff
            size, name = unpack(">I4s", self._bytes(at, 8))
            body = at + 8
            if size == 1:
                if end - at < 16:
                    raise Damaged if depth else CutOff
                (size,), body = unpack(">Q", self._bytes(body, 8)), at + 16
            elif size == 0:
                size = end - at
            if size < body - at:
                raise Damaged
            if at + size > end:
                raise Damaged if depth else CutOff
            if not depth and name.strip(b"\0") and not re.fullmatch(rb"[\xa9 -~]{4}", name):
                raise Damaged
            yield _Box(name, at, body, at + size)
            at += size

    def _walk(self, parent: _Box, *, depth: int) -> None:
        for box in self._in(parent.body, parent.end, depth=depth):
            if parent.name in _KEPT and box.name not in _KEPT[parent.name]:
                if box.name == b"cmov":  # folded together: nobody writes that any more
                    raise Damaged
                self._free(box)
                continue
            if box.name == b"trak":
                self.tracks.append(_Track(box=box))
            if parent.name == b"stbl" and self.tracks:
                if box.name in self.tracks[-1].tables:
                    raise Damaged
                self.tracks[-1].tables[box.name] = box
            if read := getattr(self, f"_{box.name.decode('latin-1')}", None) if box.name in _READ else None:
                read(box)
            if box.name in _INTO:
                self._walk(box, depth=depth + 1)

    def _mvhd(self, box: _Box) -> None:
        scale, length = self._times(box)
        self.scale, self.seconds = scale, length / scale if scale else 0.0

    def _mehd(self, box: _Box) -> None:
        """How long it is, where its pictures come in pieces that say it for themselves."""
        head = self._bytes(box.body, box.end - box.body)
        [length] = unpack_from(">Q" if head[0] == 1 else ">I", head, 4)
        self.seconds = self.seconds or (length / self.scale if self.scale else 0.0)

    def _trex(self, box: _Box) -> None:
        self.is_in_pieces = True

    def _mdhd(self, box: _Box) -> None:
        scale, length = self._times(box)
        track = self.tracks[-1]
        if track.kind in (b"", b"vide"):
            self.seconds = self.seconds or (length / scale if scale else 0.0)

    def _times(self, box: _Box) -> tuple[int, int]:
        """Scale and length; when it was made is overwritten."""
        head = self._bytes(box.body, min(box.end - box.body, 36))
        if head[0] == 1:
            self.empty.append((box.body + 4, 16, ""))
            scale, length = unpack_from(">IQ", head, 20)
            return scale, 0 if length == 2**64 - 1 else length
        self.empty.append((box.body + 4, 8, ""))
        scale, length = unpack_from(">II", head, 12)
        return scale, 0 if length == 2**32 - 1 else length

    def _tkhd(self, box: _Box) -> None:
        head = self._bytes(box.body, min(box.end - box.body, 96))
        times = 16 if head[0] == 1 else 8
        self.empty.append((box.body + 4, times, ""))
        matrix = 52 if head[0] == 1 else 40
        a, b, _u, c, d = unpack_from(">iiiii", head, matrix)
        width, height = unpack_from(">II", head, matrix + 36)
        track = self.tracks[-1]
        track.width, track.height = width >> 16, height >> 16
        if abs(b) > abs(a) and abs(c) > abs(d):
            track.width, track.height = track.height, track.width

    def _hdlr(self, box: _Box) -> None:
        head = self._bytes(box.body, 24)
        track = self.tracks[-1]
        if head[4:8] != b"dhlr":  # QuickTime has a second one, for how its data come
            track.kind = track.kind or head[8:12]
        if box.end > box.body + 24:
            self.empty.append((box.body + 24, box.end - box.body - 24, ""))  # often the camera's name

    def _stsd(self, box: _Box) -> None:
        head = self._bytes(box.body, min(box.end - box.body, 102))
        track = self.tracks[-1]
        track.codec = re.sub(r"[^ -~]", "?", head[12:16].decode("latin-1"))
        if track.kind == b"vide" and len(head) >= 94:
            wide, high = unpack_from(">HH", head, 40)
            track.width, track.height = track.width or wide, track.height or high
            self.empty.append((box.body + 58, 32, ""))  # the coder's name

    def _free(self, box: _Box) -> None:
        if len(self.empty) >= MOST_EMPTIED:
            raise Damaged
        self.empty.append((box.at, box.end - box.at, "free"))

    # Tables: where the pictures and sounds are.

    def _check(self, track: _Track) -> None:
        """All of it lies inside the file."""
        if max(self._places(track), default=0) >= self.size:
            raise CutOff

    def _places(self, track: _Track) -> Iterator[int]:
        """Where each of its chunks begins."""
        for name, form in ((b"stco", "I"), (b"co64", "Q")):
            if box := track.tables.get(name):
                yield from self._numbers(box, form, 4)

    def _sizes(self, track: _Track) -> tuple[int, int]:
        """How many samples, and the size of each where all are alike."""
        box = track.tables.get(b"stsz")
        if box is None:
            return 0, 0
        size, many = unpack(">II", self._bytes(box.body + 4, 8))
        return many, size

    def _numbers(self, box: _Box, form: str, skipped: int, *, at_once: int = 1) -> Iterator[int]:
        """The numbers of a table, piece by piece; it says itself how many, and they have to fit in."""
        width = 8 if form == "Q" else 4
        (many,) = unpack(">I", self._bytes(box.body + skipped, 4))
        many *= at_once
        at = box.body + skipped + 4
        self.entries += many
        if at + many * width > box.end or self.entries > MOST_ENTRIES:
            raise Damaged
        while many:
            some = min(many, _PIECE // width)
            yield from unpack(f">{some}{form}", self._bytes(at, some * width))
            at, many = at + some * width, many - some

    def _take_out(self, track: _Track) -> None:
        """Cameras write where they are, second by second, into tracks of their own: those go with all they hold."""
        assert track.box is not None  # noqa: S101 — every track has one
        if self.is_in_pieces:
            raise NotCleaned
        self._free(track.box)
        if b"stsz" not in track.tables and any(True for _place in self._places(track)):
            raise NotCleaned
        many, size = self._sizes(track)
        if not many:
            return
        sizes = iter(()) if size else self._numbers(track.tables[b"stsz"], "I", 8)
        steps, taken = self._steps(track), 0
        for number, place in enumerate(self._places(track), 1):
            held = min(steps(number), many - taken)
            taken += held
            length = held * size if size else sum(next(sizes) for _sample in range(held))
            self.emptied += length
            if place + length > self.size or self.emptied > self.size:
                raise Damaged
            if len(self.empty) >= MOST_EMPTIED:
                raise NotCleaned
            self.empty.append((place, length, ""))

    def _steps(self, track: _Track) -> Callable[[int], int]:
        """How many samples each chunk holds: runs that begin at a chunk and go on until the next."""
        box = track.tables.get(b"stsc")
        if box is None:
            raise NotCleaned
        numbers = self._numbers(box, "I", 4, at_once=3)
        runs = list(zip(numbers, numbers, numbers, strict=True))

        def steps(number: int) -> int:
            while len(runs) > 1 and runs[1][0] <= number:
                runs.pop(0)
            return runs[0][1] if runs and runs[0][0] <= number else 0

        return steps

    def _bytes(self, at: int, length: int) -> bytes:
        self.file.seek(at)
        found = self.file.read(length)
        if len(found) < length:
            raise Damaged
        return found


_READ = frozenset((b"mvhd", b"mehd", b"trex", b"mdhd", b"tkhd", b"hdlr", b"stsd"))


# ── elements ───────────────────────────────────────────────────────────────

_SEGMENT, _INFO, _TRACKS, _CLUSTER = 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675
_KEPT_OF_SEGMENT = frozenset((0x114D9B74, _INFO, _TRACKS, _CLUSTER, 0x1C53BB6B))
"""Where things are, what they are, and they themselves; no tags, chapters or files along."""
_OF_CLUSTER = frozenset((0xE7, 0xA3, 0xA0, 0xAB, 0xA7))
_SCALE, _LENGTH = 0x2AD7B1, 0x4489
_PROGRAMS = frozenset((0x4D80, 0x5741))
_NAME, _DIGEST = 0x536E, 0xBF


@dataclass(frozen=True, slots=True)
class _Element:
    id: int
    at: int
    body: int
    end: int
    is_open: bool
    """It doesn't say where it ends."""


class _Webm:
    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size = file, size
        self.elements = 0
        self.empty: list[tuple[int, int, str]] = []
        self.width = self.height = 0
        self.codecs: dict[int, str] = {}
        self.scale, self.length, self.last = 1_000_000, 0.0, 0

    def film(self) -> Film:
        head = self._next(0, self.size)
        segment = self._next(head.end, self.size)
        if segment.id != _SEGMENT:
            raise Damaged
        clusters = self._segment(segment)
        if not clusters:
            raise CutOff
        if 1 not in self.codecs:
            raise NotAFilm
        if segment.end < self.size:
            self._void(segment.end, self.size)
        seconds = (self.length or self.last) * self.scale / 1_000_000_000
        codecs = (self.codecs[1], *filter(None, [self.codecs.get(2)]))
        return Film("video/webm", self.width, self.height, seconds, codecs, tuple(self.empty))

    def _segment(self, segment: _Element) -> int:
        at, clusters, is_inside = segment.body, 0, False
        while at < segment.end:
            one = self._next(at, segment.end)
            at = one.end
            if one.id == _CLUSTER:
                clusters += 1
                is_inside = one.is_open
                at = one.body if one.is_open else one.end
                if not one.is_open:
                    self._cluster(one)
            elif is_inside and one.id in _OF_CLUSTER:
                self._moment(one)
            elif one.id not in _KEPT_OF_SEGMENT:
                self._void(one.at, one.end)
            elif one.is_open:
                raise Damaged
            elif one.id == _INFO:
                self._info(one)
            elif one.id == _TRACKS:
                self._tracks(one)
        return clusters

    def _cluster(self, cluster: _Element) -> None:
        for one in self._in(cluster):
            if one.id == 0xE7:
                return self._moment(one)
            if one.id not in {0xEC, _DIGEST}:
                return None
        return None

    def _moment(self, one: _Element) -> None:
        if one.id == 0xE7:
            self.last = max(self.last, self._number(one))

    def _info(self, info: _Element) -> None:
        for one in self._in(info):
            if one.id == _SCALE:
                self.scale = self._number(one)
            elif one.id == _LENGTH and one.end - one.body in {4, 8}:
                [length] = unpack(">f" if one.end - one.body == 4 else ">d", self._bytes(one.body, one.end - one.body))
                self.length = length if 0 <= length < 1e15 else 0.0
            elif one.id in _PROGRAMS:  # they have to be there, and may be empty
                self.empty.append((one.body, one.end - one.body, ""))
            else:
                self._void(one.at, one.end)

    def _tracks(self, tracks: _Element) -> None:
        for track in self._in(tracks):
            if track.id != 0xAE:
                self._void(track.at, track.end)
                continue
            kind, codec, wide, high = 0, "", 0, 0
            for one in self._in(track):
                if one.id == 0x83:
                    kind = self._number(one)
                elif one.id == 0x86:
                    said = self._bytes(one.body, min(one.end - one.body, 40)).decode("latin-1")
                    codec = re.sub(r"[^ -~]", "", said)
                elif one.id == 0xE0:
                    sides = {each.id: self._number(each) for each in self._in(one) if each.id in {0xB0, 0xBA}}
                    wide, high = sides.get(0xB0, 0), sides.get(0xBA, 0)
                elif one.id in {_NAME, _DIGEST}:
                    self._void(one.at, one.end)
            if kind not in {1, 2}:
                raise NotCleaned
            if kind not in self.codecs:
                self.codecs[kind] = codec
                if kind == 1:
                    self.width, self.height = wide, high

    def _in(self, parent: _Element) -> Iterator[_Element]:
        at = parent.body
        while at < parent.end:
            one = self._next(at, parent.end)
            if one.is_open:
                raise Damaged
            yield one
            at = one.end

    def _next(self, at: int, end: int) -> _Element:
        self.elements += 1
        if self.elements > MOST_BOXES:
            raise Damaged
        self.file.seek(at)
        head = self.file.read(min(12, end - at))
        if not head or not head[0]:
            raise Damaged if head else CutOff
        names = 9 - head[0].bit_length()
        if names > 4:
            raise Damaged
        if len(head) <= names:
            raise CutOff
        sizes = 9 - head[names].bit_length()
        if sizes > 8:
            raise Damaged
        if len(head) < names + sizes:
            raise CutOff
        size = int.from_bytes(head[names : names + sizes]) & ~(1 << 7 * sizes)
        is_open = size == (1 << 7 * sizes) - 1
        body = at + names + sizes
        if not is_open and body + size > end:
            raise CutOff if end == self.size else Damaged
        return _Element(int.from_bytes(head[:names]), at, body, end if is_open else body + size, is_open)

    def _void(self, at: int, end: int) -> None:
        if len(self.empty) >= MOST_EMPTIED or end - at < 2:
            raise Damaged
        self.empty.append((at, end - at, "void"))

    def _number(self, one: _Element) -> int:
        if one.end - one.body > 8:
            raise Damaged
        return int.from_bytes(self._bytes(one.body, one.end - one.body))

    def _bytes(self, at: int, length: int) -> bytes:
        self.file.seek(at)
        return self.file.read(length)
