from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inbox", "0012_note_drafts"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="draft",
            name="draft_unique",
        ),
        migrations.AddConstraint(
            model_name="draft",
            constraint=models.UniqueConstraint(fields=("conversation", "user", "is_note"), name="draft_unique"),
        ),
    ]
