"""Secrets at rest: a field whose content is encrypted with the installation's own key file.

The key is not SECRET_KEY: rotating sessions must not destroy tokens. Several keys may stand in the file, one a line;
the first encrypts, all decrypt. The file is read again when it has changed, so that whoever runs follows a rotation
(`core.rotation`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_noop as _


class UnreadableSecret(Exception):
    """The stored secret was written with a key that is no longer in the key file."""


@cache
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def key_ring() -> tuple[str, ...]:
    """Those of the environment, else those of the file as it is now."""
    if settings.ENCRYPTION_KEYS:
        return tuple(settings.ENCRYPTION_KEYS)
    stands = settings.ENCRYPTION_KEY_FILE.stat()
    return _in_file(settings.ENCRYPTION_KEY_FILE, (stands.st_ino, stands.st_mtime_ns, stands.st_size))


@lru_cache(maxsize=4)
def _in_file(path: Path, _as_it_stands: tuple[int, int, int]) -> tuple[str, ...]:
    return tuple(path.read_text().split())


def encrypt(text: str) -> str:
    return _box(key_ring()).encrypt(text.encode()).decode()


def renewed(token: str) -> str:
    """The same under the first key; itself where it is so already. Raises `UnreadableSecret`."""
    try:
        Fernet(key_ring()[0]).decrypt(token.encode())
    except InvalidToken:
        return encrypt(decrypt(token))
    return token


def decrypt(token: str) -> str:
    """Raises `UnreadableSecret`."""
    try:
        return _box(key_ring()).decrypt(token.encode()).decode()
    except InvalidToken:
        raise UnreadableSecret(
            _(
                "A stored secret can't be read with the keys in keys/encryption.key. "
                "Put the old key back as its last line."
            )
        ) from None


class Secrets(dict[str, str]):
    """A mapping of secrets that never shows its values by accident."""

    def __repr__(self) -> str:
        return f"<Secrets {', '.join(sorted(self))}>"

    __str__ = __repr__


if TYPE_CHECKING:
    _Text = models.TextField[Mapping[str, str], "Secrets"]
else:
    _Text = models.TextField


class SecretsField(_Text):
    """A mapping of names to secrets, encrypted in the database."""

    def from_db_value(self, value: str | None, *_: Any) -> Secrets:
        return Secrets(json.loads(decrypt(value)) if value else {})

    def pre_save(self, model_instance: models.Model, add: bool) -> Secrets:
        """What was given as an ordinary mapping shows its values no longer, once it is stored."""
        value = self.to_python(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value

    def to_python(self, value: Any) -> Secrets:
        return value if isinstance(value, Secrets) else Secrets(value or {})

    def get_prep_value(self, value: Any) -> str:
        return encrypt(json.dumps(dict(value))) if value else ""
