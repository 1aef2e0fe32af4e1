"""What strangers sent is looked at for malware before anybody gets it: when it has come, and again when it is handed
out later, since signatures learn. What is found stays where it is, is given to nobody, and the team is told.
"""

from __future__ import annotations

import io
import logging
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from tertulia.core import activity, malware

from . import activities
from .models import Original

log = logging.getLogger(__name__)

FRESH = timedelta(days=1)
"""So long a look at it is good."""
AT_ONCE = 200


def check(original: Original, *, at: datetime) -> bytes:
    """The message as it arrived. Raises `malware.Found`, `malware.NotLooked`."""
    content = zlib.decompress(original.content)
    is_due = original.malware is None or original.looked_at is None or at - original.looked_at >= FRESH
    if malware.is_set_up() and is_due and not original.malware:
        original.malware = malware.look(io.BytesIO(content))
        _note(original, at=at)
    if original.malware:
        raise malware.Found(original.malware)
    return content


@transaction.atomic
def _note(original: Original, *, at: datetime) -> None:
    unknown = Original.objects.filter(pk=original.pk).exclude(malware__gt="")
    if unknown.update(looked_at=at, malware=original.malware) and original.malware:
        message = original.message
        log.warning("Malware came with message %s: %s", message.pk, original.malware)
        activity.record(
            activities.MALWARE, on=message, brand=message.account.brand_id, at=at,
            found=original.malware, account=message.account.name,
        )  # fmt: skip


def look_at_new(*, at: Callable[[], datetime], most: int = AT_ONCE) -> int:
    """Look at what nobody has looked at yet, newest first. Returns how many. Raises `malware.NotLooked`."""
    if not malware.is_set_up():
        return 0
    waiting = list(Original.objects.filter(looked_at=None).order_by("-pk").values_list("pk", flat=True)[:most])
    for pk in waiting:
        original = Original.objects.select_related("message__account").filter(pk=pk).first()
        if original:
            try:
                check(original, at=at())
            except malware.Found:
                continue
            except malware.NoVerdict as problem:  # asked again only when somebody wants it
                log.error("Clamd gives no verdict on message %s: %s", pk, problem)
                Original.objects.filter(pk=pk).update(looked_at=at())
    return len(waiting)


def guarded(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Of a view that hands out what strangers sent: where it may not, a page says why."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except malware.Found as found:
            return render(request, "channels/not_handed_out.html", {"name": str(found)}, status=403)
        except malware.NotLooked as problem:
            log.error("A file can't be looked at for malware: %s", problem)
            return render(request, "channels/not_handed_out.html", status=503)

    return answer


def check_bytes(content: bytes) -> bytes:
    """As `check`, for what is kept without a memory of it."""
    if found := malware.look(io.BytesIO(content)):
        raise malware.Found(found)
    return content
