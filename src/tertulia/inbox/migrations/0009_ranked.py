from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import migrations, models
from django.db.models import F

URGENT_ONES = ((50, 84, timedelta(hours=4)), (84, 101, timedelta(hours=24)))


def rank(apps: Any, schema_editor: Any) -> None:
    """All rows in two statements; what is urgent and waits, of which there is little, in one each."""
    conversations = apps.get_model("inbox", "Conversation").objects
    conversations.update(listed_at=F("last_activity_at"))
    waiting = conversations.filter(state="open", waiting_since__isnull=False)
    waiting.update(ranked_at=F("waiting_since"))
    for least, below, ahead in URGENT_ONES:
        urgent = list(waiting.filter(urgency__gte=least, urgency__lt=below).only("last_activity_at", "waiting_since"))
        for row in urgent:
            row.listed_at, row.ranked_at = row.last_activity_at + ahead, row.waiting_since - ahead
        conversations.bulk_update(urgent, ["listed_at", "ranked_at"], batch_size=200)


NAMES = ("state", "owner", "account", "waiting", "kind", "sentiment", "urgent")


def index(name: str, *fields: str, condition: models.Q | None = None) -> migrations.AddIndex:
    made = models.Index(fields=[*fields], name=f"conversation_{name}", condition=condition)
    return migrations.AddIndex("conversation", made)


class Migration(migrations.Migration):
    dependencies = [("inbox", "0008_automatic_answers")]
    operations = [
        *(migrations.RemoveIndex("conversation", f"conversation_{name}") for name in NAMES),
        migrations.AddField("conversation", "ranked_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "conversation",
            "listed_at",
            models.DateTimeField(default=datetime(1970, 1, 1, tzinfo=UTC)),
            preserve_default=False,
        ),
        migrations.RunPython(rank, migrations.RunPython.noop),
        index("state", "brand", "state", "-listed_at", "-id"),
        index("owner", "brand", "owner", "state", "-listed_at", "-id"),
        index("account", "account", "state", "-listed_at", "-id"),
        index("waiting", "brand", "ranked_at", "id", condition=models.Q(ranked_at__isnull=False)),
        index("kind", "brand", "kind", "state", "-listed_at", "-id", condition=~models.Q(kind="")),
        index(
            "sentiment", "brand", "sentiment", "state", "-listed_at", "-id",
            condition=models.Q(sentiment__in=["negative", "positive"]),
        ),
        index("urgent", "brand", "state", "-listed_at", "-id", condition=models.Q(urgency__gte=50)),
    ]  # fmt: skip
