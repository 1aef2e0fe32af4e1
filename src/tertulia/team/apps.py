from django.apps import AppConfig


class TeamConfig(AppConfig):
    name = "tertulia.team"
    label = "team"
    default_auto_field = "django.db.models.BigAutoField"
