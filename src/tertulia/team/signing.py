"""Who signed in, who tried to, and who left, in the log: with an address, never with what was typed as a secret."""

from __future__ import annotations

import logging
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from tertulia.core import clock
from tertulia.core.proxies import client_address

from . import company, sessions
from .models import User

log = logging.getLogger("tertulia.sign_ins")


@receiver(user_logged_in)
def signed_in(request: HttpRequest, user: User, **_more: Any) -> None:
    sessions.begin(request.session, clock.now())
    ways = [str(one["method"]) for one in get_authentication_records(request, user)]
    said = company.kept(request.session)
    how = f"{', '.join(ways) or 'unknown'}{f'; {company.in_words(said)}' if said else ''}"
    log.info("Signed in (%s)", how, extra=_told(request, f"user {user.pk}"))


@receiver(user_logged_out)
def signed_out(request: HttpRequest, user: User | None, **_more: Any) -> None:
    if user is not None:
        log.info("Signed out", extra=_told(request, f"user {user.pk}"))


def failed(request: HttpRequest, *, email: str, what: str) -> None:
    """Whoever tries may not tell by the time it takes whether there is such a person: the address stands as typed."""
    log.warning("Not signed in: %s", what, extra=_told(request, email))


def ended_by_company(request: HttpRequest, ended: company.Ended) -> None:
    who = ", ".join(f"user {pk}" for pk in ended.users)
    log.info("Signed out by the company's sign-in (sessions: %s)", ended.sessions, extra=_told(request, who))


def company_not_believed(request: HttpRequest, provider: str, why: str) -> None:
    log.warning("Nobody signed out by the company's sign-in: %s", why, extra=_told(request, f"provider {provider}"))


def _told(request: HttpRequest, who: str) -> dict[str, str]:
    return {"who": who, "address": client_address(request)}
