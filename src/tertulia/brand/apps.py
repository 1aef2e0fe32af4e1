from importlib import import_module

from django.apps import AppConfig

from .zones import prefer_our_own


class BrandConfig(AppConfig):
    name = "tertulia.brand"
    label = "brand"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        prefer_our_own()
        import_module("tertulia.brand.activities")
