from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tertulia_channels", "0015_late_posts"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state__in", ["queued", "sending"])),
                fields=["account", "thread_id"],
                name="delivery_under_way",
            ),
        ),
    ]
