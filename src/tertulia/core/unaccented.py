"""Looking for words in a column whatever their accents and capitals: `name__unaccented__contains=unaccented(words)`.

For lists that are gone through anyway; what has an index of its own (the messages' search) folds words by `folding`.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django.db.models import CharField, TextField, Transform
from django.db.models.sql.compiler import SQLCompiler

_MARKS = re.compile("[\u0300-\u036f]")


def unaccented(text: str) -> str:
    """In lower case and without the marks of Latin, Greek and Cyrillic letters; everything else stays, also what other
    writings put on theirs: there it makes other words."""
    if text.isascii():
        return text.lower()
    return _MARKS.sub("", unicodedata.normalize("NFKD", text)).lower()


@CharField.register_lookup
@TextField.register_lookup
class Unaccented(Transform):
    """SQLite's connections know the function (`sqlite3.base`); PostgreSQL takes the marks off by itself."""

    lookup_name = "unaccented"
    function = "unaccented"
    output_field = TextField()

    def as_postgresql(self, compiler: SQLCompiler, connection: Any, **context: Any) -> Any:
        template = r"lower(regexp_replace(normalize(%(expressions)s, NFKD), '[\u0300-\u036f]', '', 'g'))"
        return self.as_sql(compiler, connection, template=template, **context)
