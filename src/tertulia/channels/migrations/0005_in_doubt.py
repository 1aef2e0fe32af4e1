from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tertulia_channels", "0004_read_to")]
    operations = [
        migrations.AddField("delivery", "in_doubt_since", models.DateTimeField(null=True)),
        migrations.AddField("delivery", "absences", models.PositiveSmallIntegerField(default=0)),
    ]
