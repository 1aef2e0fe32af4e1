from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import Max, OuterRef, Subquery
from django.db.models.functions import Coalesce


def tell_by_the_clock(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """What was answered before is told as it was until now: by when each message got here."""
    Message = apps.get_model("tertulia_channels", "Message")
    answered = (
        Message.objects.filter(
            account_id=OuterRef("account_id"),
            thread_id=OuterRef("thread_id"),
            direction="in",
            received_at__lte=OuterRef("created_at"),
        )
        .order_by()
        .values("account_id")
        .annotate(last=Max("id"))
        .values("last")
    )
    replies = apps.get_model("tertulia_channels", "Delivery").objects.filter(message__isnull=False)
    replies.update(read_to=Coalesce(Subquery(answered), 0))


class Migration(migrations.Migration):
    dependencies = [("tertulia_channels", "0003_channels_of_all_kinds")]
    operations = [
        migrations.AddField("delivery", "read_to", models.BigIntegerField(null=True)),
        migrations.RunPython(tell_by_the_clock, migrations.RunPython.noop),
    ]
