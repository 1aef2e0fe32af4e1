"""When something fails that nobody foresaw: a plain page with what to do, and no inside of ours on it."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.utils.translation import gettext as _

TRY_AGAIN_SECONDS = 10


def server_error(request: HttpRequest) -> HttpResponse:
    """The last resort. It may not touch the database, which may be what failed, nor the session in it.

    A part of a page that asked gets the advice alone, as plain text, and shows it where it stands.
    """
    error = sys.exc_info()[1]
    status, heading, advice = 500, _("Something failed here"), _("Nothing was changed. Go back and try again.")
    if isinstance(error, OperationalError | InterfaceError):
        status, heading, advice = 503, _("The desk can't reach its data"), storage_trouble(error)
    if "HX-Request" in request.headers:
        response = HttpResponse(advice, status=status, content_type="text/plain; charset=utf-8")
    else:
        page = loader.get_template("500.html").render({"heading": heading, "advice": advice})
        response = HttpResponse(page, status=status)
    if status == 503:
        response["Retry-After"] = str(TRY_AGAIN_SECONDS)
    return response


def storage_trouble(error: Exception) -> str:
    """What is wrong with the database, for the person before the page."""
    if "full" in str(error).lower() or "no space left" in str(error).lower():
        return _("The disk is full: nothing can be stored until there is room. What you wrote is still on your page.")
    return _("The database doesn't answer. What you wrote is still on your page; send it again in a moment.")
