from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("understanding", "0006_topic_removed_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="topic",
            name="read_since",
            field=models.DateTimeField(null=True),
        ),
    ]
