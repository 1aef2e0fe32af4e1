"""The Jinja2 environment for rows drawn by the dozen, where Django's own templates cost more than the database."""

from typing import Any

from django.utils.translation import gettext, ngettext
from jinja2 import Environment


def environment(**options: Any) -> Environment:
    env = Environment(extensions=["jinja2.ext.i18n"], **{"autoescape": True, **options})  # noqa: S701 — always on
    env.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    return env
