from django.apps import AppConfig


class BrandConfig(AppConfig):
    name = "tertulia.brand"
    label = "brand"
    default_auto_field = "django.db.models.BigAutoField"
