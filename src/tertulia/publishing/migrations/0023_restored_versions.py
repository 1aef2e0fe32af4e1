from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("publishing", "0022_sharing"),
    ]

    operations = [
        migrations.AddField(
            model_name="version",
            name="restored_at",
            field=models.DateTimeField(null=True),
        ),
    ]
