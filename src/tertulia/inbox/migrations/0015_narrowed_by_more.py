from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inbox", "0014_replies_in_any_language")]
    operations = [
        migrations.RemoveIndex("conversation", "conversation_sentiment"),
        migrations.AddIndex(
            "conversation",
            models.Index(
                fields=["brand", "sentiment", "state", "-listed_at", "-id"],
                name="conversation_sentiment",
                condition=~models.Q(sentiment=""),
            ),
        ),
        migrations.AddIndex(
            "conversation",
            models.Index(
                fields=["brand", "state", "-listed_at", "-id"],
                name="conversation_offensive",
                condition=models.Q(is_offensive=True),
            ),
        ),
        migrations.AddIndex(
            "conversation",
            models.Index(
                "brand",
                models.Func("language", template="SUBSTR(%(expressions)s, 1, 2)", output_field=models.TextField()),
                "state", models.F("listed_at").desc(), models.F("id").desc(),
                name="conversation_language",
                condition=~models.Q(language=""),
            ),
        ),
    ]  # fmt: skip
