"""Finds connectors: the folders of this package, and packages that offer the entry point `tertulia.connectors`."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

import tertulia.connectors

from .contract import SENTENCES, Connector


class UnknownConnector(LookupError):
    """No connector of this kind is installed."""


@cache
def all_connectors() -> dict[str, type[Connector]]:
    """Every installed connector by its key."""
    found: dict[str, type[Connector]] = {}
    for module in pkgutil.iter_modules(tertulia.connectors.__path__):
        if module.ispkg:
            connector = import_module(f"{tertulia.connectors.__name__}.{module.name}.connector").connector
            found[connector.key] = connector
    for entry in entry_points(group="tertulia.connectors"):
        connector = entry.load()
        found[connector.key] = connector
    return dict(sorted(found.items()))


def sentences() -> dict[str, str]:
    """What every connector may say, in Spanish by the English."""
    own = {english: spanish for one in all_connectors().values() for english, spanish in one.sentences.items()}
    return {**SENTENCES, **own}


def get(key: str) -> type[Connector]:
    """The connector class of this key. Raises `UnknownConnector`."""
    try:
        return all_connectors()[key]
    except KeyError:
        raise UnknownConnector(key) from None
