from importlib import import_module

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "tertulia.api"
    label = "api"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        for module in ("activities", "tasks"):
            import_module(f"tertulia.api.{module}")
