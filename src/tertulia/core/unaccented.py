"""Looking for words in a column whatever their accents and capitals: `name__unaccented__contains=unaccented(words)`.

For lists that are gone through anyway; what has an index of its own (the messages' search) folds words by `folding`.
"""

from __future__ import annotations

import unicodedata
from typing import Any

from django.db.models import CharField, TextField, Transform
from django.db.models.sql.compiler import SQLCompiler


def unaccented(text: str) -> str:
    """In lower case and without marks on letters; everything else stays, so that addresses can be compared, too."""
    if text.isascii():
        return text.lower()
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if unicodedata.category(sign) != "Mn").lower()


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
