from django.apps import AppConfig


class ChannelsConfig(AppConfig):
    name = "tertulia.channels"
    label = "tertulia_channels"  # the bare label belongs to Django Channels
    default_auto_field = "django.db.models.BigAutoField"
