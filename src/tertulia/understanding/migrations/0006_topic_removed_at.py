from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("understanding", "0005_translations"),
    ]

    operations = [
        migrations.AddField(
            model_name="topic",
            name="removed_at",
            field=models.DateTimeField(null=True),
        ),
    ]
