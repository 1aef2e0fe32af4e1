"""Repeating a call is harmless: the same key and the same content give the answer that was given the first time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from .access import Call
from .errors import ApiError, dumps
from .models import KeptAnswer, Token


def once(call: Call, content: dict[str, Any], act: Callable[[], dict[str, Any]], *, at: datetime) -> dict[str, Any]:
    """Run `act` under the call's Idempotency-Key and keep its answer in the same transaction.

    What fails is not kept: the same key may be tried again; keys are remembered for a week. Raises `ApiError` 400
    without a key, 409 when the key was used for something else.
    """
    key = _key(call)
    digest = hashlib.sha256(dumps([call.method, call.path, content]).encode()).hexdigest()
    token = call.auth.token
    try:
        with transaction.atomic():
            if kept := _kept(token, key):
                return _repeat(kept, digest)
            answer = act()
            KeptAnswer.objects.create(token=token, key=key, digest=digest, body=answer, at=at)
            return answer
    except IntegrityError:
        # Another process was given the same key in this very moment and was quicker; ours was undone as a whole.
        if kept := _kept(token, key):
            return _repeat(kept, digest)
        raise


def _key(call: Call) -> str:
    key = call.headers.get("Idempotency-Key", "")
    if not key:
        raise ApiError(
            400, "no_idempotency_key", _("This call needs the header Idempotency-Key."),
            what_to_do=_("Send a new random value with each answer, and the same value when you repeat a call."),
        )  # fmt: skip
    if len(key) > 255 or not key.isascii() or not key.isprintable():
        raise ApiError(400, "bad_idempotency_key", _("The Idempotency-Key must be 1 to 255 plain characters."))
    return key


def _kept(token: Token, key: str) -> KeptAnswer | None:
    return KeptAnswer.objects.filter(token=token, key=key).first()


def _repeat(kept: KeptAnswer, digest: str) -> dict[str, Any]:
    if kept.digest != digest:
        raise ApiError(
            409, "idempotency_key_reused", _("This Idempotency-Key was used for something else."),
            what_to_do=_("Use a new key for each new answer."),
        )  # fmt: skip
    answer: dict[str, Any] = kept.body
    return answer
