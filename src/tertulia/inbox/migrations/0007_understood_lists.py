from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inbox", "0006_understood")]
    operations = [
        migrations.AddIndex(
            "conversation",
            models.Index(
                fields=["brand", "kind", "state", "-last_activity_at", "-id"],
                name="conversation_kind",
                condition=~models.Q(kind=""),
            ),
        ),
        migrations.AddIndex(
            "conversation",
            models.Index(
                fields=["brand", "sentiment", "state", "-last_activity_at", "-id"],
                name="conversation_sentiment",
                condition=models.Q(sentiment__in=["negative", "positive"]),
            ),
        ),
        migrations.AddIndex(
            "conversation",
            models.Index(
                fields=["brand", "state", "-last_activity_at", "-id"],
                name="conversation_urgent",
                condition=models.Q(urgency__gte=50),
            ),
        ),
    ]
