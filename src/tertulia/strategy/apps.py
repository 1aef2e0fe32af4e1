from importlib import import_module

from django.apps import AppConfig


class StrategyConfig(AppConfig):
    name = "tertulia.strategy"
    label = "strategy"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("tertulia.strategy.activities")
