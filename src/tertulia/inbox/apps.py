from importlib import import_module

from django.apps import AppConfig


class InboxConfig(AppConfig):
    name = "tertulia.inbox"
    label = "inbox"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("tertulia.inbox.activities")
        queries = import_module("tertulia.inbox.queries")
        import_module("tertulia.team.skills").offer("topic", queries.topics)
