from importlib import import_module

from django.apps import AppConfig


class FlowsConfig(AppConfig):
    name = "tertulia.flows"
    label = "flows"

    def ready(self) -> None:
        for journey in (
            "activities",
            "answering",
            "backups",
            "brains",
            "connections",
            "inbound",
            "learning",
            "mailing",
            "notify",
            "outbound",
            "personal",
            "planning",
            "polling",
            "reactions",
            "reconcile",
            "schedule",
            "screening",
            "testimonials",
            "ticks",
        ):
            import_module(f"tertulia.flows.{journey}")
