from importlib import import_module

from django.apps import AppConfig

from tertulia.core import rotation


class TeamConfig(AppConfig):
    name = "tertulia.team"
    label = "team"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("tertulia.team.activities")
        import_module("tertulia.team.mail")
        import_module("tertulia.team.notices")
        import_module("tertulia.team.signing")
        rotation.also(import_module("tertulia.team.accounts").renew_second_factors)
