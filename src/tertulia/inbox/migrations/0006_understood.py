from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inbox", "0005_mention")]
    operations = [
        migrations.AddField("conversation", "kind", models.CharField(blank=True, default="", max_length=10)),
        migrations.AddField("conversation", "sentiment", models.CharField(blank=True, default="", max_length=8)),
        migrations.AddField("conversation", "urgency", models.PositiveSmallIntegerField(default=0)),
        migrations.AddField("conversation", "is_offensive", models.BooleanField(default=False)),
    ]
