"""What we add around allauth's views."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.usersessions.internal.flows.sessions import end_other_sessions
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

View = Callable[..., HttpResponseBase]
FOUND = 302


def ends_other_sessions(view: View) -> View:
    """Once a second step is added, whoever is signed in elsewhere without it is signed out."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if request.method == "POST" and response.status_code == FOUND and request.user.is_authenticated:
            end_other_sessions(request, request.user)
        return response

    return guarded


def forgets(view: View) -> View:
    """Whoever has signed out leaves nothing in the browser: no page is stored, and what scripts kept goes too."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if request.method == "POST" and not request.user.is_authenticated:
            response["Clear-Site-Data"] = '"storage"'
        return response

    return guarded


def leave_by_page(view: View) -> View:
    """Go to the company's sign-in by way of a page.

    A form may post to us alone (form-action 'self'), and browsers hold its redirects to that too; a page that goes on
    by itself is no part of the form.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if request.method == "POST" and response.status_code == FOUND:
            return render(request, "socialaccount/leaving.html", {"url": response["Location"]})
        return response

    return guarded
