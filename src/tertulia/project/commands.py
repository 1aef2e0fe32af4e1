"""Loads Django for the commands that need it, and turns what goes wrong into a sentence and an exit code."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import django
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management import execute_from_command_line
from django.db import DatabaseError, InterfaceError
from django.utils import translation

from . import console, memory
from .console import _
from .sorry import Sorry

NOT_POSSIBLE = 1
# By name, because models can be imported only once Django is set up.
_COMMANDS = {
    "setup": "tertulia.project.installing:setup",
    "start": "tertulia.project.starting:start",
    "web": "tertulia.project.serve:web",
    "work": "tertulia.project.working:work",
    "backup": "tertulia.project.saving:backup",
    "restore": "tertulia.project.restoring:restore",
    "move": "tertulia.project.moving:move",
    "check": "tertulia.project.doctor:check",
    "demo": "tertulia.project.administering:demo",
    "user": "tertulia.project.administering:user",
    "token": "tertulia.project.administering:token",
    "keys": "tertulia.project.administering:keys",
    "understand": "tertulia.project.administering:understand_stored",
    "channel": "tertulia.project.administering:channel",
    "erasures": "tertulia.project.administering:list_of_erasures",
    "learning": "tertulia.project.administering:learning",
}
_RUNNING = {"start", "web", "work"}


def run(command: str, options: Any) -> int:
    """Run the command and return its exit code."""
    os.umask(0o077)
    try:
        if command == "manage":
            execute_from_command_line(["tertulia manage", *options])
            return 0
        if command in _RUNNING:
            memory.keep_little()
        django.setup()
        translation.activate(console.language())
        if command != "restore":
            import_module("tertulia.project.unfinished").refuse()
        module, _colon, function = _COMMANDS[command].partition(":")
        return int(getattr(import_module(module), function)(options) or 0)
    except (Sorry, ImproperlyConfigured) as error:
        return _fail(str(error))
    except ValidationError as error:
        return _fail(" ".join(error.messages))
    except PermissionError as error:
        says = _(
            "{file} can't be written: {why}. Give it to the person who runs Tertulia, or choose another folder: "
            "TERTULIA_HOME=…"
        )
        return _fail(says.format(file=error.filename, why=error.strerror))
    except (OSError, MemoryError) as error:
        if command in _RUNNING:
            raise  # not a person's command: who runs it wants the whole story
        says = _("The machine refused: {why}. Look at its disk and its memory, then run the command again.")
        return _fail(says.format(why=error))
    except (DatabaseError, InterfaceError) as error:
        says = _("The database doesn't answer as it should: {why}. Run: tertulia check")
        return _fail(says.format(why=str(error).strip()))


def _fail(sentence: str) -> int:
    sys.stderr.write(sentence + "\n")
    return NOT_POSSIBLE
