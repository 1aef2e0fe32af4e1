from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

SQLITE = """
CREATE VIRTUAL TABLE message_search USING fts5(words, content='', detail='none', tokenize="unicode61 remove_diacritics 0")
"""
# No foreign key: like SQLite's, the index may name messages that are gone, and whoever searches leaves them out.
POSTGRESQL = """
CREATE TABLE message_search (
    message_id bigint PRIMARY KEY,
    words tsvector NOT NULL
)
"""


def create(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "sqlite":
        editor.execute(SQLITE)
    else:
        editor.execute(POSTGRESQL)
        editor.execute("CREATE INDEX message_search_words ON message_search USING gin (words)")


def drop(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    editor.execute("DROP TABLE message_search")


class Migration(migrations.Migration):
    dependencies = [("tertulia_channels", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
