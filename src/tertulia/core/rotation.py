"""A new key for the secrets at rest. It may be killed at any moment: at each of them every secret can be read.

The new key is put in front of the old one first, and whoever runs encrypts with it from then on. Then every stored
secret is encrypted anew. Only when nothing is left under the old key does that leave the file.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.fernet import Fernet
from django.apps import apps
from django.db.models import Model, TextField, Value
from django.db.models.functions import Cast

from . import crypto

AT_ONCE = 200

_others: list[Callable[[], int]] = []


class Busy(Exception):
    """Another rotation is under way."""


def also(renew: Callable[[], int]) -> None:
    """Offer what encrypts anew the secrets that stand in no `SecretsField`, and returns how many."""
    _others.append(renew)


def rotate(file: Path, *, wait: float) -> int:
    """Put a new key into the file and encrypt all with it, or end a rotation that was begun; returns how many secrets.

    `wait` seconds are given to whoever was just writing with the old key. Raises `Busy`, `UnreadableSecret`.
    """
    with _alone(file):
        if len(old := file.read_text().split()) == 1:
            _write(file, [Fernet.generate_key().decode(), *old])
        count = renew_all(wait=wait)
        _write(file, file.read_text().split()[:1])
    return count


def renew_all(*, wait: float) -> int:
    """Until nothing is under another key than the first, also `wait` seconds later. Returns how many secrets were."""
    count = 0
    while True:
        while found := _pass():
            count += found
        time.sleep(wait)
        if not (found := _pass()):
            return count
        count += found


def _pass() -> int:
    columns = [(model, field.name) for model in apps.get_models() for field in model._meta.concrete_fields
               if isinstance(field, crypto.SecretsField)]  # fmt: skip
    return sum(_column(model, name) for model, name in columns) + sum(renew() for renew in _others)


def _column(model: type[Model], name: str) -> int:
    """Row by row, so that nobody waits for it. What somebody else changes meanwhile comes again in the next pass."""
    rows = model._default_manager.annotate(raw=Cast(name, TextField())).exclude(raw="").order_by("pk")
    count, last = 0, None
    while page := list((rows.filter(pk__gt=last) if last else rows).values_list("pk", "raw")[:AT_ONCE]):
        for pk, raw in page:
            if (fresh := crypto.renewed(raw)) != raw:
                rows.filter(pk=pk, raw=raw).update(**{name: Value(fresh, TextField())})
                count += 1
        last = page[-1][0]
    return count


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    with file.with_name("rotation.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy from None
        yield


def _write(file: Path, keys: list[str]) -> None:
    """In one step, and on the disk when it returns."""
    fresh = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as writing:
        writing.write("\n".join(keys) + "\n")
        writing.flush()
        os.fsync(writing.fileno())
    fresh.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
