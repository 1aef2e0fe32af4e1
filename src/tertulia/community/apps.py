from importlib import import_module

from django.apps import AppConfig


class CommunityConfig(AppConfig):
    name = "tertulia.community"
    label = "community"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("tertulia.community.activities")
