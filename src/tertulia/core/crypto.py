"""Secrets at rest: a field whose content is encrypted with the installation's own key file.

The key is not SECRET_KEY: rotating sessions must not destroy tokens. Several keys may stand in the file, one a line;
the first encrypts, all decrypt, so a key is rotated by putting a new one on top.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class UnreadableSecret(Exception):
    """The stored secret was written with a key that is no longer in the key file."""


@cache
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(text: str) -> str:
    return _box(tuple(settings.ENCRYPTION_KEYS)).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Raises `UnreadableSecret`."""
    try:
        return _box(tuple(settings.ENCRYPTION_KEYS)).decrypt(token.encode()).decode()
    except InvalidToken:
        raise UnreadableSecret(
            "A stored secret can't be read with the keys in keys/encryption.key. Put the old key back as its last line."
        ) from None


class Secrets(dict[str, str]):
    """A mapping of secrets that never shows its values by accident."""

    def __repr__(self) -> str:
        return f"<Secrets {', '.join(sorted(self))}>"

    __str__ = __repr__


class SecretsField(models.TextField):  # type: ignore[type-arg]
    """A mapping of names to secrets, encrypted in the database."""

    def from_db_value(self, value: str | None, *_: Any) -> Secrets:
        return Secrets(json.loads(decrypt(value)) if value else {})

    def to_python(self, value: Any) -> Secrets:
        return value if isinstance(value, Secrets) else Secrets(value or {})

    def get_prep_value(self, value: Any) -> str:
        return encrypt(json.dumps(dict(value))) if value else ""
