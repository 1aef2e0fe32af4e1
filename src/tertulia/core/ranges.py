"""A file given out whole or from where somebody wants to go on (RFC 9110, 14): players jump, and load what they
show."""

from __future__ import annotations

import os
import re
from typing import BinaryIO

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class _Span:
    """The bytes of a file from `first` on, so many."""

    def __init__(self, file: BinaryIO, first: int, length: int) -> None:
        self._file, self._left = file, length
        file.seek(first)

    def read(self, size: int) -> bytes:
        piece = self._file.read(min(size, self._left))
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        self._file.close()


def answer(request: HttpRequest, file: BinaryIO, *, kind: str, name: str, tag: str) -> HttpResponseBase:
    """`tag` names these very bytes: whoever goes on with others gets all of them; so does who asks for several
    ranges at once."""
    size, etag = file.seek(0, os.SEEK_END), f'"{tag}"'
    asked = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    is_same = request.headers.get("if-range", etag) == etag
    found: HttpResponseBase
    if not asked or asked[0] == "bytes=-" or not is_same:
        file.seek(0)
        found = FileResponse(file, filename=name, content_type=kind)
    else:
        first, last = _span(asked[1], asked[2], size)
        if first > last:
            file.close()
            found = HttpResponse(status=416, content_type=kind)
            found["Content-Range"] = f"bytes */{size}"
        else:
            span = _Span(file, first, last - first + 1)
            found = FileResponse(span, status=206, filename=name, content_type=kind)
            found["Content-Range"] = f"bytes {first}-{last}/{size}"
            found["Content-Length"] = str(last - first + 1)
    found["Accept-Ranges"], found["ETag"] = "bytes", etag
    found["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return found


def _span(first: str, last: str, size: int) -> tuple[int, int]:
    """From which byte to which; the other way round where there is none of it."""
    if not first:
        return (max(size - int(last), 0), size - 1) if int(last) else (1, 0)
    return int(first), min(int(last) if last else size - 1, size - 1)
