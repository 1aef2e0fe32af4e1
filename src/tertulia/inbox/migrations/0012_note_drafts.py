from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inbox", "0011_rereading"),
    ]

    operations = [
        migrations.AddField(
            model_name="draft",
            name="is_note",
            field=models.BooleanField(default=False),
        ),
    ]
