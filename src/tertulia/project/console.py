"""In which language the console speaks, also before Django is there: its help must not wait for that.

The texts stand in the same catalogue as all others; what is argparse's own stands there too.
"""

from __future__ import annotations

import gettext
import os
from gettext import gettext as _
from pathlib import Path

__all__ = ["OF_ARGPARSE", "_", "language", "speak"]

DOMAIN = "django"
CATALOGUES = Path(__file__).resolve().parent.parent / "locale"
VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""In the order that gettext asks them."""


def language() -> str:
    """ "es" or "en", as the environment says."""
    said = next((os.environ[name] for name in VARIABLES if os.environ.get(name)), "")
    return next((one[:2] for one in said.split(":") if one[:2] in {"es", "en"}), "en")


def speak() -> None:
    """Let `_`, and argparse with its own words, find ours."""
    gettext.bindtextdomain(DOMAIN, str(CATALOGUES))
    gettext.textdomain(DOMAIN)


def gettext_noop(text: str) -> str:
    """Marks a text for the catalogue."""
    return text


OF_ARGPARSE = (
    gettext_noop("usage: "),
    gettext_noop("positional arguments"),
    gettext_noop("options"),
    gettext_noop("show this help message and exit"),
    gettext_noop("%(prog)s: error: %(message)s\n"),
    gettext_noop("argument %(argument_name)s: %(message)s"),
    gettext_noop("the following arguments are required: %s"),
    gettext_noop("unrecognized arguments: %s"),
    gettext_noop("invalid choice: %(value)r (choose from %(choices)s)"),
    gettext_noop("invalid %(type)s value: %(value)r"),
    gettext_noop("expected one argument"),
    gettext_noop("expected at least one argument"),
)
"""What argparse says by itself, in its own words."""
