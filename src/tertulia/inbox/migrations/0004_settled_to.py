from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import Max, OuterRef, Subquery
from django.db.models.functions import Coalesce


def tell_by_the_clock(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    Message = apps.get_model("tertulia_channels", "Message")
    settled = (
        Message.objects.filter(
            account_id=OuterRef("account_id"),
            thread_id=OuterRef("thread_id"),
            direction="in",
            received_at__lte=OuterRef("settled_at"),
        )
        .order_by()
        .values("account_id")
        .annotate(last=Max("id"))
        .values("last")
    )
    closed = apps.get_model("inbox", "Conversation").objects.filter(settled_at__isnull=False)
    closed.update(settled_to=Coalesce(Subquery(settled), 0))


class Migration(migrations.Migration):
    dependencies = [("inbox", "0003_moderated"), ("tertulia_channels", "0004_read_to")]
    operations = [
        migrations.AddField("conversation", "settled_to", models.BigIntegerField(null=True)),
        migrations.RunPython(tell_by_the_clock, migrations.RunPython.noop),
        migrations.RemoveField("conversation", "settled_at"),
    ]
