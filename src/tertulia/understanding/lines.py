"""`tertulia understand`: a text a line in, a reading a line out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import IO

from .reading import read

LONGEST = 4 * 1024 * 1024
"""Bytes of a line that are kept; a longer one is read by its beginning."""
_AT_ONCE = 1 << 16


def understand(source: IO[bytes] | None = None, target: IO[str] | None = None) -> int:
    """Read lines of UTF-8 until the end and print the reading of each as one JSON object; 0.

    What has arrived is answered before more is waited for, so that another program may ask line by line. An empty line
    is a text as well.
    """
    answers = target or sys.stdout
    for lines in _arriving(source or sys.stdin.buffer):
        for reading in read([line.decode(errors="replace").removesuffix("\r") for line in lines]):
            answers.write(json.dumps(reading.as_dict(), ensure_ascii=False) + "\n")
        answers.flush()
    return 0


def _arriving(source: IO[bytes]) -> Iterator[list[bytes]]:
    rest = b""
    while some := os.read(source.fileno(), _AT_ONCE):
        *lines, rest = (rest[:LONGEST] + some).split(b"\n")
        if lines:
            yield lines
    if rest:
        yield [rest]
