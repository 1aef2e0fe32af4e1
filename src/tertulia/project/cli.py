"""The one command (the engine completes it)."""
import os, sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tertulia.project.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(["tertulia manage", *sys.argv[2:]])
