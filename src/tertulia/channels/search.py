"""Full-text search over messages, the same on both databases.

Words are folded (case, accents) and stemmed here, once, so that SQLite's FTS5 and PostgreSQL's tsvector index the same
tokens and answer alike: "panadería" is found by "panaderias". Each message also carries its brand as a token, so that a
small brand's search never walks through a large one's.

Results come newest first and by keyset on the message id; ordering by rank would cost a thousand times more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

import snowballstemmer
from django.db import connection
from django.db.models.functions import Left

from tertulia.brand.models import Brand
from tertulia.core import bulk

from .models import Message

MAX_INDEXED = 20_000
"""Characters of a message that are indexed; what stands deeper in a longer one is not found."""
MAX_WORDS = 8
_BRAND = "qbrandq"
"""Begins our own tokens, of brands and stretches; words that begin so are not indexed, or a text could forge one."""
_WORD = re.compile(r"[^\W_]+")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_stemmer = snowballstemmer.stemmer("spanish")

WINDOW = 2_000
"""PostgreSQL: how many of the newest messages are read before the index is asked."""
STRETCHES = (15, 19)
"""PostgreSQL: each document names the stretches of 2^15 and of 2^19 messages it stands in, so that its index can be
asked for the newest matches alone. Without them it gives all matches there are, and each must be looked up."""
ENOUGH = 60
"""With so many messages that hold the last word itself, those that hold one beginning so are not looked for."""
BEGINNING = 3
"""Fewer letters are no beginning of a word: half of all words would follow."""

LEAD = 32
"""Characters of a passage before the word that was found: so few that the word is seen in a narrow row."""
PASSAGE = 160
"""Characters of it after the word."""


@lru_cache(maxsize=50_000)
def _tokens_of(word: str) -> str:
    folded = "".join(c for c in unicodedata.normalize("NFKD", word.casefold()) if c.isalnum())
    if folded.startswith(_BRAND):
        return ""
    if not folded.isalpha():
        return folded  # an order's number has no stem, and there are millions of them
    stem = _stemmer.stemWord(folded)
    return folded if stem == folded else f"{folded} {stem}"


def tokens(text: str) -> str:
    """The text as the index sees it: each word folded, with its Spanish stem when that differs."""
    return " ".join(
        _tokens_of(word) for word in _WORD.findall(_INVISIBLE.sub("", text[:MAX_INDEXED])) if len(word) < 60
    )


def _brand_token(brand_id: int) -> str:
    return f"{_BRAND}{brand_id}"


def document(brand_id: int, *texts: str) -> str:
    return " ".join([_brand_token(brand_id), *(tokens(text) for text in texts if text)])


def index(rows: Iterable[tuple[int, str]]) -> None:
    """Add documents: (message id, `document(…)`)."""
    if connection.vendor == "sqlite":
        bulk.copy("message_search", ["rowid", "words"], rows)
    else:
        # Where a word stands is never asked for, so PostgreSQL is given the bare words: half the room, no parsing.
        placed = ((id, f"{words} {' '.join(_stretch(id, bits) for bits in STRETCHES)}") for id, words in rows)
        bulk.copy("message_search", ["message_id", "words"], placed)


def _stretch(message_id: int, bits: int) -> str:
    return f"{_BRAND}s{bits}n{message_id >> bits}"


def reindex(message_id: int, *, before: str, after: str) -> None:
    """Replace a document."""
    forget(message_id, before)
    index([(message_id, after)])


def forget(message_id: int, document: str) -> None:
    """Take a document out. The index of SQLite keeps no texts, so it must be told the one it is to forget."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "INSERT INTO message_search(message_search, rowid, words) VALUES ('delete', %s, %s)",
                [message_id, document],
            )
        else:
            cursor.execute("DELETE FROM message_search WHERE message_id = %s", [message_id])


def find(brand_id: int, query: str, *, before: int | None = None, limit: int = 60) -> list[int]:
    """Ids of the brand's messages that hold every word of the query, newest first.

    While few hold the last word as it stands, it may be the beginning of one. `before` continues after the last id of
    the page before. An empty query finds nothing.
    """
    words = _asked(query)
    if not words:
        return []
    run = _sqlite if connection.vendor == "sqlite" else _postgresql
    # Where there is but one brand its token says nothing, and its list is the longest of all.
    brand = [_brand_token(brand_id)] if Brand.objects.exclude(pk=brand_id).exists() else []
    if len(words[-1][0]) < BEGINNING:
        return run(brand, words, False, before, limit)
    # All words that begin so are many lists to merge, so it is done only where the word itself leaves room; and asked
    # from the top, that every page of one search be of one kind.
    newest = run(brand, words, False, None, max(limit, ENOUGH))
    if len(newest) < ENOUGH:
        return run(brand, words, True, before, limit)
    return newest[:limit] if before is None else run(brand, words, False, before, limit)


def _asked(query: str) -> list[list[str]]:
    """The forms of each word of a query."""
    words = [_tokens_of(word).split() for word in _WORD.findall(_INVISIBLE.sub("", query))[:MAX_WORDS]]
    return [forms for forms in words if forms]


def passage(text: str, query: str) -> tuple[str, str, str] | None:
    """The text around the first word asked for, in one line: before it, the word, after it; none if it has none."""
    words = _asked(query)
    if not words:
        return None
    forms = {form for word in words for form in word}
    beginning = words[-1][0] if len(words[-1][0]) >= BEGINNING else None
    line = " ".join(_INVISIBLE.sub("", text[:MAX_INDEXED]).split())
    begun = None
    for word in _WORD.finditer(line):
        found = _tokens_of(word[0]) if len(word[0]) < 60 else ""
        if not forms.isdisjoint(found.split()):
            return _around(line, word)
        if begun is None and beginning and found.startswith(beginning):
            begun = word
    return _around(line, begun) if begun else None


def _around(line: str, word: re.Match[str]) -> tuple[str, str, str]:
    start = 0
    if word.start() > LEAD:
        start = line.find(" ", word.start() - LEAD, word.start()) + 1 or word.start()
    before = ("…" if start else "") + line[start : word.start()]
    return before, word[0], line[word.end() : word.end() + PASSAGE]


def _sqlite(
    brand: Sequence[str], words: Sequence[Sequence[str]], may_go_on: bool, before: int | None, limit: int
) -> list[int]:
    terms = ["(" + " OR ".join(f'"{form}"' for form in forms) + ")" for forms in words]
    if may_go_on:
        terms[-1] = f'({terms[-1]} OR "{words[-1][0]}"*)'
    match = " AND ".join([*(f'"{token}"' for token in brand), *terms])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rowid FROM message_search WHERE message_search MATCH %s AND rowid < %s"
            " ORDER BY rowid DESC LIMIT %s",
            [match, before or 2**62, limit],
        )
        return [row[0] for row in cursor.fetchall()]


def _postgresql(
    brand: Sequence[str], words: Sequence[Sequence[str]], may_go_on: bool, before: int | None, limit: int
) -> list[int]:
    terms = ["(" + " | ".join(forms) + ")" for forms in words]
    if may_go_on:
        terms[-1] = f"({terms[-1]} | {words[-1][0]}:*)"
    query = " & ".join([*brand, *terms])
    with connection.cursor() as cursor:
        # Left to itself the planner walks the primary key until it has found enough: seconds for a rare word. And what
        # the index finds must each be looked up: a second for a frequent one. So the newest are read in any case; then
        # the index is asked for the newest stretches, and only then for all there is.
        cursor.execute("SELECT max(message_id) FROM message_search")
        top = min(before or 2**62, (cursor.fetchone()[0] or 0) + 1)
        cursor.execute(
            "WITH newest AS MATERIALIZED (SELECT message_id, words FROM message_search WHERE message_id < %s"
            " ORDER BY message_id DESC LIMIT %s)"
            " SELECT message_id FROM newest WHERE words @@ %s::tsquery ORDER BY message_id DESC LIMIT %s",
            [top, WINDOW, query, limit],
        )
        found = [row[0] for row in cursor.fetchall()]
        for stretches in (*(_newest_two(top - 1, bits) for bits in STRETCHES), ""):
            if len(found) == limit:
                break
            cursor.execute(
                "WITH hits AS MATERIALIZED (SELECT message_id FROM message_search"
                " WHERE words @@ %s::tsquery AND message_id < %s)"
                " SELECT message_id FROM hits ORDER BY message_id DESC LIMIT %s",
                [query + stretches, top, limit],
            )
            found = [row[0] for row in cursor.fetchall()]
        return found


def _newest_two(message_id: int, bits: int) -> str:
    """The stretch of a message or the one before, as part of a query; the newest one alone may have only just begun."""
    return f" & ({_stretch(message_id, bits)} | {_stretch(max(0, message_id - 2**bits), bits)})"


def threads(message_ids: Sequence[int]) -> list[tuple[int, int, str]]:
    """(message id, account id, thread id) of these messages, in their order."""
    rows = {
        row[0]: row for row in Message.objects.filter(id__in=message_ids).values_list("id", "account_id", "thread_id")
    }
    return [rows[id] for id in message_ids if id in rows]


def texts(message_ids: Sequence[int]) -> dict[int, str]:
    """As much of each message as is indexed."""
    return dict(Message.objects.filter(id__in=message_ids).values_list("id", Left("text", MAX_INDEXED)))
