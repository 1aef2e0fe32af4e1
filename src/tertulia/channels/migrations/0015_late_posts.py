from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tertulia_channels", "0014_malware"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="next_late_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="delivery",
            name="planned_at",
            field=models.DateTimeField(null=True),
        ),
    ]
