from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tertulia_channels", "0016_deliveries_under_way"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="remotepost",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", False)),
                fields=["id"],
                name="remote_post_gone",
            ),
        ),
    ]
