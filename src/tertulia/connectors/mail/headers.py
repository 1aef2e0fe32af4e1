"""Headers and charsets as programs really write them: everything gives something, nothing raises."""

from __future__ import annotations

import codecs
import re
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import mktime_tz, parseaddr, parsedate_tz
from functools import cache
from quopri import decodestring

LONGEST = 20_000
"""Characters of one header that are read."""
LONGEST_ID = 500
MOST_IDS = 100
MOST_ADDRESSES = 200
MOST_RECIPIENTS = 20
"""So many headers of one name, where several count."""
# C1 controls, direction marks that turn a text around and lone surrogates too: none of them was written by somebody.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_ENCODED = re.compile(r"=\?([^?\s]{1,40})\?([bq])\?([^?]*)\?=", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>()\[\]\\,;:@\"']{1,128}@[^\s<>()\[\]\\,;:@\"']{1,255}")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_ID = re.compile(r"<([^<>\s][^<>]*)>")
_CLOSEST = {
    "iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252",
    "iso-8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "x-sjis": "cp932",
    "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "utf8": "utf-8", "unicode-1-1-utf-7": "utf-7",
    "iso-2022-jp": "iso2022_jp_ext", "iso-8859-8-i": "iso-8859-8", "": "utf-8",
}  # fmt: skip
"""What programs mean by a name, where Python takes it more narrowly."""
_NOT_TEXT = frozenset(("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"))


def tidy(text: str) -> str:
    """Without controls, with \\n as the end of a line."""
    if text.isascii() and text.isprintable():
        return text
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    return " ".join(tidy(text.replace("\n", " ").replace("\r", " ").replace("\t", " ")).split())


def decode(said: bytes, charset: str) -> str:
    """Bytes as text: as they call it, or as what they are when that can't be, with replacement characters at worst."""
    if said.isascii() and b"\x1b" not in said and not charset.lower().startswith(("utf-7", "utf-16", "utf-32", "hz")):
        return said.decode("ascii")
    codec = _codec(charset)
    if codec.startswith("cp125"):  # UTF-8 that is called Latin-1: by chance Latin-1 never looks so
        try:
            return said.decode("utf-8")
        except UnicodeDecodeError:
            return said.decode(codec, "replace")
    try:
        return said.decode(codec)
    except (UnicodeError, ValueError):
        pass
    try:
        return said.decode("utf-8")
    except UnicodeDecodeError:
        text = said.decode(codec, "replace")
    if codec == "utf-8" and text.count("\ufffd") * 3 > sum(byte > 127 for byte in said[:LONGEST]):
        return said.decode("cp1252", "replace")
    return text


@cache
def _codec(charset: str) -> str:
    name = charset.strip().strip("\"'").lower()
    name = _CLOSEST.get(name, name)
    try:
        found = codecs.lookup(name)
        b"".decode(name)  # refuses those that aren't about text
    except (LookupError, ValueError, TypeError):
        return "utf-8"
    return "utf-8" if found.name in _NOT_TEXT else name


def words(value: str) -> str:
    """A header's text: on one line, encoded words decoded, raw bytes guessed."""
    value = value[:LONGEST]
    return one_line(_decoded(value) if "=?" in value else _unescaped(value))


def _decoded(value: str) -> str:
    """Encoded words side by side are one text, even when a letter's bytes are split between them."""
    parts: list[str] = []
    run, charset, end = b"", "", 0
    for word in _ENCODED.finditer(value):
        between, named = value[end : word.start()], word[1].partition("*")[0].lower()
        if run and (between.strip() or named != charset):
            parts.append(decode(run, charset))
            run = b""
        if between.strip() or not end:
            parts.append(_unescaped(between))
        run, charset, end = run + _bytes_of(word[2], word[3]), named, word.end()
    return "".join((*parts, decode(run, charset), _unescaped(value[end:])))


def _bytes_of(how: str, said: str) -> bytes:
    raw = said.encode("utf-8", "surrogateescape")
    return decodestring(raw.replace(b"_", b"=20")) if how in "qQ" else _base64(raw)


def _base64(said: bytes) -> bytes:
    """What can be made of it, whatever is missing or too much."""
    said = _NOT_BASE64.sub(b"", said)
    return b64decode(said[: len(said) - (len(said) % 4 == 1)] + b"=" * (-len(said) % 4))


def _unescaped(value: str) -> str:
    """8-bit characters in a header came in as lone surrogates."""
    if value.isascii():
        return value
    return decode(value.encode("utf-8", "surrogateescape"), "utf-8")


class Heads:
    """The headers of a mail, each found once."""

    def __init__(self, mail: Message) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in mail.raw_items():
            kept = self._values.setdefault(name.lower(), [])
            if len(kept) < MOST_RECIPIENTS:
                kept.append(str(value))

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def first(self, name: str) -> str:
        """As it came, unfolded but not decoded; at most `LONGEST` characters."""
        found = self._values.get(name)
        return found[0][:LONGEST].replace("\r", "").replace("\n", "").strip() if found else ""

    def words(self, name: str) -> str:
        return words(self.first(name))

    def person(self, name: str) -> dict[str, str] | None:
        """{"name", "address"} of the first address; None without one."""
        return person(self.first(name))

    def addresses(self, *names: str) -> list[str]:
        """All of several headers, in lower case, each once."""
        found: dict[str, None] = {}
        for name in names:
            for value in self._values.get(name, ()):
                for address in _ADDRESS.finditer(value[:LONGEST]):
                    found.setdefault(tidy(address[0]).lower())
                    if len(found) == MOST_ADDRESSES:
                        return list(found)
        return list(found)


def person(said: str) -> dict[str, str] | None:
    if not said:
        return None
    try:
        name, address = parseaddr(said[:1_000])
    except (RecursionError, ValueError, IndexError, TypeError):
        name = address = ""
    if not _ADDRESS.fullmatch(address):
        found = _ADDRESS.search(_decoded(said))
        if not found:
            return None
        address, name = found[0], name or said.partition("<")[0].strip(" \"'")
    return {"name": words(name)[:200], "address": tidy(address).lower()}


def ids(said: str) -> list[str]:
    """Message-IDs without their brackets, the last `MOST_IDS`."""
    found = _ID.findall(said) or ([said.split()[0]] if said.split() else [])
    return [one_line(one)[:LONGEST_ID] for one in found][-MOST_IDS:]


def moment(said: str) -> str:
    """ISO-8601 in UTC; "" when there is none or it is no year of mail."""
    try:
        parsed = parsedate_tz(said[:200])
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=mktime_tz(parsed)) if parsed else None
    except (ValueError, OverflowError, TypeError, IndexError):
        return ""
    return at.isoformat() if at and 1990 <= at.year < 2100 else ""
