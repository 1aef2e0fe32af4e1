from django.core.management import call_command
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def create_table(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    call_command("createcachetable", database=editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    """The table of the cache: the counts behind the limits on signing in."""

    dependencies = [("team", "0001_initial")]
    operations = [migrations.RunPython(create_table, migrations.RunPython.noop)]
