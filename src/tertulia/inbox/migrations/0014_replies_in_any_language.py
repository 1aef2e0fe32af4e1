from django.db import migrations, models

import tertulia.team.skills


class Migration(migrations.Migration):
    dependencies = [
        ("inbox", "0013_two_drafts"),
    ]

    operations = [
        migrations.AlterField(
            model_name="savedreply",
            name="language",
            field=models.CharField(
                blank=True,
                choices=tertulia.team.skills.languages,
                default="",
                max_length=2,
                verbose_name="language",
            ),
        ),
    ]
