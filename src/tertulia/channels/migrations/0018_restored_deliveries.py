from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tertulia_channels", "0017_deleted_posts"),
    ]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="restored_at",
            field=models.DateTimeField(null=True),
        ),
    ]
