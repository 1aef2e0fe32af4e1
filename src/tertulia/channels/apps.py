from importlib import import_module

from django.apps import AppConfig

from tertulia.core import sentences


class ChannelsConfig(AppConfig):
    name = "tertulia.channels"
    label = "tertulia_channels"  # the bare label belongs to Django Channels
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("tertulia.channels.activities")
        queries = import_module("tertulia.channels.queries")
        import_module("tertulia.team.skills").offer("channel", queries.channels_of)
        sentences.offer(import_module("tertulia.connectors.registry").sentences)
