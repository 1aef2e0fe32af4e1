from importlib import import_module

from django.apps import AppConfig

from tertulia.core import sentences


class PublishingConfig(AppConfig):
    name = "tertulia.publishing"
    label = "publishing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("tertulia.publishing.activities")
        sentences.offer(import_module("tertulia.publishing.rights").sentences)
