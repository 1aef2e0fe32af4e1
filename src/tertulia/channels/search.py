"""Full-text search over messages, the same on both databases.

Words are folded (case, accents) and stemmed here, once, so that SQLite's FTS5 and PostgreSQL's tsvector index the same
tokens and answer alike: "panadería" is found by "panaderias". Each message also carries its brand as a token, so that a
small brand's search never walks through a large one's.

Results come newest first and by keyset on the message id; ordering by rank would cost a thousand times more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import snowballstemmer
from django.db import connection
from django.db.models.functions import Left

from tertulia.brand.models import Brand
from tertulia.core import bulk
from tertulia.core.kept import Among, Kept, spread

from .models import Message

MAX_INDEXED = 20_000
"""Characters of a message that are indexed; what stands deeper in a longer one is not found."""
MAX_WORDS = 8
_BRAND = "qbrandq"
"""Begins our own tokens, of brands and stretches; words that begin so are not indexed, or a text could forge one."""
_WORD = re.compile(r"[^\W_]+")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")

WINDOW = 2_000
"""PostgreSQL: how many of the newest messages are read before the index is asked."""
STRETCHES = (15, 19)
"""PostgreSQL: each document names the stretches of 2^15 and of 2^19 messages it stands in, so that its index can be
asked for the newest matches alone. Without them it gives all matches there are, and each must be looked up."""
MOST_READ = 6_000
"""PostgreSQL: so many more are read one after another where they promise the rest: that costs less than the index."""
MOST_STRETCHES = 8
"""PostgreSQL: so many more of the small stretches are asked for where they promise the rest."""
MOST_LOOKED_UP = 1_000
"""PostgreSQL: if no more messages than this seem to match in all, all of them are looked up."""
ENOUGH = 60
"""With so many messages that hold the last word itself, those that hold one beginning so are not looked for."""
MOST_BEGUN = 100
"""SQLite: so many words that begin alike are looked for by name."""
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
    stem = snowballstemmer.stemmer("spanish").stemWord(folded)  # it keeps the word in itself: not one for all threads
    return folded if stem == folded else f"{folded} {stem}"


def tokens(text: str) -> str:
    """The text as the index sees it: each word folded, with its Spanish stem when that differs."""
    text = text[:MAX_INDEXED]
    if not text.isprintable():
        text = _INVISIBLE.sub("", text)
    return " ".join([_tokens_of(word) for word in _WORD.findall(text) if len(word) < 60])


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


MERGED = 500
"""Pages of the index that are written in one step."""


def settle() -> None:
    """SQLite: leave no word of what was forgotten in the index, in steps that hold up nobody for long.

    Its index only notes that a word is to be forgotten until the piece that holds it is merged with others.
    """
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        pages = -MERGED  # the first step takes up all pieces there are, those that follow go on
        while True:
            before = _changes(cursor)
            cursor.execute("INSERT INTO message_search(message_search, rank) VALUES ('merge', %s)", [pages])
            if pages > 0 and _changes(cursor) - before < 2:
                return
            pages = MERGED


def _changes(cursor: Any) -> int:
    cursor.execute("SELECT total_changes()")
    return int(cursor.fetchone()[0])


def find(brand_id: int, query: str, *, before: int | None = None, limit: int = 60) -> list[int]:
    """Ids of the brand's messages that hold every word of the query, newest first.

    While few hold the last word as it stands, it may be the beginning of one. `before` continues after the last id of
    the page before. An empty query finds nothing.
    """
    words = _asked(query)
    if not words:
        return []
    if connection.vendor != "sqlite":
        return _postgresql(brand_id, words, before, limit)
    # Where there is but one brand its token says nothing, and its list is the longest of all.
    brand = [_brand_token(brand_id)] if Brand.objects.exclude(pk=brand_id).exists() else []
    if len(words[-1][0]) < BEGINNING:
        return _sqlite(brand, words, False, before, limit)
    # All words that begin so are many lists to merge, so it is done only where the word itself leaves room; and asked
    # from the top, that every page of one search be of one kind.
    newest = _sqlite(brand, words, False, None, max(limit, ENOUGH))
    if len(newest) < ENOUGH:
        begun = _begun(words[-1])
        if begun is None:
            return _sqlite(brand, words, True, before, limit)
        if begun:
            return _sqlite(brand, [*words[:-1], [*words[-1], *begun]], False, before, limit)
    return newest[:limit] if before is None else _sqlite(brand, words, False, before, limit)


def _begun(forms: Sequence[str]) -> list[str] | None:
    """The indexed words that begin like a word, besides its own forms; None where they are too many.

    Asked for the beginning itself, SQLite merges the whole lists of all of them before it gives the newest. Asked for
    each by name, it walks the lists from their ends and stops when there are enough.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE VIRTUAL TABLE IF NOT EXISTS temp.message_words"
            " USING fts5vocab('main', 'message_search', 'instance')"
        )
        last = f"{forms[0]}\U0010ffff"
        cursor.execute(_BEGUN, [forms[0], last, last, MOST_BEGUN + 1])
        found = [word for (word,) in cursor.fetchall() if word]
    return [word for word in found if word not in forms] if len(found) <= MOST_BEGUN else None


# From word to word: each step looks up the first one behind the last, whatever the length of their lists.
_BEGUN = """
WITH RECURSIVE begun(word) AS (
    SELECT (SELECT term FROM temp.message_words WHERE term >= %s AND term <= %s LIMIT 1)
    UNION ALL SELECT (SELECT term FROM temp.message_words WHERE term >= begun.word || char(1) AND term <= %s LIMIT 1)
    FROM begun WHERE begun.word IS NOT NULL LIMIT %s
) SELECT word FROM begun
"""


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


def _postgresql(brand_id: int, words: Sequence[Sequence[str]], before: int | None, limit: int) -> list[int]:
    with connection.cursor() as cursor:
        if len(words[-1][0]) < BEGINNING:
            return _Newest(cursor, brand_id, words, before, limit).holding(EXACT, limit)
        # As in SQLite the word itself decides, asked from the top, whether its beginnings are looked for. But where all
        # messages with one are few, so are those with the word, and nothing else need be asked.
        top = _Newest(cursor, brand_id, words, None, max(limit, ENOUGH))
        if not top.found[BEGUN] and (few := top.all_if_few(BEGUN)) is not None and len(few) < ENOUGH:
            return [id for id in few if before is None or id < before][:limit]
        newest = top.holding(EXACT, max(limit, ENOUGH))
        kind = EXACT if len(newest) >= ENOUGH else BEGUN
        if before is not None:
            return _Newest(cursor, brand_id, words, before, limit).holding(kind, limit)
        return newest[:limit] if kind == EXACT else top.holding(kind, limit)


EXACT, BEGUN = 0, 1
"""The last word as it stands; or any that begins so."""


class _Newest:
    """The newest messages below a place, read one after the other, and the index to be asked for more.

    Left to itself the planner walks the primary key until it has found enough: seconds for a rare word. And what the
    index finds must each be looked up: a second for a frequent one. So the newest are read in any case, as many more as
    promise the rest; then the index is asked for the newest stretches, and only then for all.
    """

    def __init__(
        self, cursor: Any, brand_id: int, words: Sequence[Sequence[str]], before: int | None, limit: int
    ) -> None:
        terms = ["(" + " | ".join(forms) + ")" for forms in words]
        exact, begun = " & ".join(terms), " & ".join([*terms[:-1], f"({terms[-1]} | {words[-1][0]}:*)"])
        own = _brand_token(brand_id)
        cursor.execute(
            f"{_NEWEST} SELECT {_HOLDING}, {_HOLDING}, (SELECT min(message_id) FROM newest),"  # noqa: S608 — our own words
            " (SELECT max(message_id) FROM newest), EXISTS (SELECT FROM brand_brand WHERE id <> %s)",
            [before or 2**62, WINDOW, f"{exact} & {own}", limit, f"{begun} & {own}", limit, brand_id],
        )
        *self.found, self._bottom, last, is_one_of_several = cursor.fetchone()
        self._top = (last or 0) + 1
        # Where there is but one brand its token says nothing, and its list is the longest of all.
        self._queries = [f"{own} & {query}" if is_one_of_several else query for query in (exact, begun)]
        self._cursor = cursor

    def holding(self, kind: int, limit: int) -> list[int]:
        """The newest that hold all the words."""
        found = list(self.found[kind][:limit])
        more = _in_proportion(WINDOW, len(found), limit - len(found))
        if 0 < more <= MOST_READ and self._bottom is not None:
            found += self._read(kind, self._bottom, more, limit - len(found))
        if len(found) == limit:
            return found
        near, far = STRETCHES
        newest = (self._top - 1) >> near
        found = self._looked_up(kind, range(max(0, newest - 1), newest + 1), near, limit)
        older = _in_proportion(2, len(found), limit - len(found))
        if 0 < older <= MOST_STRETCHES:
            stretches = range(max(0, newest - 1 - older), max(0, newest - 1))
            found += self._looked_up(kind, stretches, near, limit - len(found))
        if len(found) == limit:
            return found
        if not self._are_few(len(found)):
            newest = (self._top - 1) >> far
            found = self._looked_up(kind, range(max(0, newest - 1), newest + 1), far, limit)
        return found if len(found) == limit else self._looked_up(kind, range(0), near, limit)

    def all_if_few(self, kind: int) -> list[int] | None:
        """All of them, up to `ENOUGH`; None where the newest stretches promise too many to look up."""
        near, _far = STRETCHES
        newest = (self._top - 1) >> near
        found = self._looked_up(kind, range(max(0, newest - 1), newest + 1), near, ENOUGH)
        return self._looked_up(kind, range(0), near, ENOUGH) if self._are_few(len(found)) else None

    def _are_few(self, found: int) -> bool:
        """Whether all can be looked up, if they are as many everywhere as in the two newest of the small stretches."""
        return found * self._top <= MOST_LOOKED_UP << (STRETCHES[0] + 1)

    def _read(self, kind: int, top: int, count: int, limit: int) -> list[int]:
        """What so many messages below `top` hold of the query."""
        self._cursor.execute(f"{_NEWEST} SELECT {_HOLDING}", [top, count, self._queries[kind], limit])
        found: list[int] = self._cursor.fetchone()[0]
        return found

    def _looked_up(self, kind: int, stretches: range, bits: int, limit: int) -> list[int]:
        """What the index finds below the top, in some stretches or in all there are."""
        query = self._queries[kind]
        if stretches:
            query += f" & ({' | '.join(_stretch(number << bits, bits) for number in stretches)})"
        self._cursor.execute(
            "WITH hits AS MATERIALIZED (SELECT message_id FROM message_search"
            " WHERE words @@ %s::tsquery AND message_id < %s)"
            " SELECT message_id FROM hits ORDER BY message_id DESC LIMIT %s",
            [query, self._top, limit],
        )
        return [row[0] for row in self._cursor.fetchall()]


_NEWEST = (
    "WITH newest AS MATERIALIZED"
    " (SELECT message_id, words FROM message_search WHERE message_id < %s ORDER BY message_id DESC LIMIT %s)"
)
_HOLDING = "array(SELECT message_id FROM newest WHERE words @@ %s::tsquery ORDER BY message_id DESC LIMIT %s)"


def _in_proportion(read: int, found: int, missing: int) -> int:
    """How much more to read, and a quarter on top, if the rest is spread like what was found; 0 if nothing was."""
    return -(-read * missing * 5 // (found * 4)) if found else 0


def ask_texts(message_ids: Sequence[int]) -> Callable[[], dict[int, str]]:
    """As much of each message as is indexed, by id; see `bulk.ahead`."""
    if not message_ids:
        return dict
    read = _texts(len(message_ids)).sent(**spread("id", message_ids))
    return lambda: dict(read())


@lru_cache(maxsize=200)
def _texts(count: int) -> Kept:
    rows = Message.objects.filter(Among("id", "id", count)).annotate(start=Left("text", MAX_INDEXED))
    return Kept(rows, "id", "start")
