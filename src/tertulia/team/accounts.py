"""How people sign in. Nobody signs up by themselves: they are invited, or join by their company's own sign-in."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import requests
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from requests.adapters import BaseAdapter

from tertulia.core import crypto, jobs
from tertulia.core.http import Door
from tertulia.core.outcomes import Outcome

from . import company, mail, signing, tries
from .models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": _("This account is closed. Ask whoever manages the desk to open it again."),
        "email_password_mismatch": _("The e-mail and the password don't match. Try again."),
        "enter_current_password": _("That is not your present password."),
        "incorrect_code": _("That code is not right. Codes change every 30 seconds: try the one shown now."),
        "incorrect_password": _("That is not your password."),
        "invalid_login": _("That did not work. Try again."),
        "invalid_or_expired_key": _("This link no longer works. Ask for another one."),
        "invalid_password_reset": _("This link no longer works. Ask for another one."),
        "too_many_login_attempts": _("Too many tries that failed. Wait five minutes and try again."),
        "rate_limited": _("Too many tries. Wait a few minutes and try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("team:profile")

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            signing.failed(request, email=str(credentials.get("email") or ""), what="too many tries, not looked at")
            raise

    def pre_login(self, request: HttpRequest, user: User, **more: Any) -> HttpResponse | None:
        """Every way of signing in begins here: what the company said belongs to this one, or to none."""
        login = (more.get("signal_kwargs") or {}).get("sociallogin")
        company.keep(request.session, company.said_of(login))
        response: HttpResponse | None = super().pre_login(request, user, **more)
        return response

    def login(self, request: HttpRequest, user: User) -> None:
        """After the second step, if there is one."""
        if company.has_ended(company.kept(request.session)):
            signing.failed(request, email=user.email, what="the company's sign-in has ended it meanwhile")
            raise ImmediateHttpResponse(render(request, "socialaccount/authentication_error.html", status=403))
        super().login(request, user)

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponseBase:
        signing.failed(request, email=user.email, what="the account is closed")
        answer: HttpResponseBase = super().respond_user_inactive(request, user)
        return answer

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        email = str(credentials.get("email") or "")
        signing.failed(request, email=email, what="the address and the password don't match")
        tries.note(email=email, address=self.get_client_ip(request))

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        names = {
            "reauthenticate": _("Use your password"),
            "mfa_reauthenticate": _("Use a code from your app"),
            "mfa_reauthenticate:webauthn": _("Use a passkey"),
        }
        methods = super().get_reauthentication_methods(user)
        return [{**method, "description": names.get(method["id"], method["description"])} for method in methods]

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Tell the person that something about their sign-in changed; the words are in our templates."""
        if not mail.is_set_up():
            return
        facts = {"ip": self.get_client_ip(self.request), "user": user, **(context or {})}
        with translation.override(user.language or settings.LANGUAGE_CODE):
            subject = render_to_string(f"{template_prefix}_subject.txt", facts).strip()
            text = render_to_string("account/email/about_you.txt", {**facts, "what": subject})
        jobs.enqueue(mail.send, to=user.email, subject=subject, text=text)


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def get_requests_session(self) -> requests.Session:
        """What the company's sign-in is asked with: through the house's door, along no redirect and no proxy."""
        session = requests.Session()
        session.trust_env = False
        session.max_redirects = 0
        for scheme in ("http://", "https://"):
            session.mount(scheme, _ThroughTheDoor())
        return session

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount: Any) -> str:
        return reverse("team:profile")

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Join the company's sign-in to the person of the same address, if the company vouches for the address.

        Our own addresses are given by a manager or at the console, never typed by whoever signs up; so the address
        proves who it is once the provider has verified it.
        """
        if sociallogin.state.get("process") != AuthProcess.LOGIN:
            raise PermissionDenied
        if company.names_another(sociallogin):
            raise PermissionDenied
        said = company.said_of(sociallogin)
        if company.is_too_weak(said):
            signing.failed(
                request, email=_address(sociallogin), what=f"too weakly at the company ({company.in_words(said)})"
            )
            raise ImmediateHttpResponse(render(request, "socialaccount/too_weak.html", status=403))
        if sociallogin.is_existing:
            return
        verified = [address.email.lower() for address in sociallogin.email_addresses if address.verified]
        user = User.objects.filter(email__in=verified, is_active=True).first()
        if user is not None:
            sociallogin.connect(request, user)


def _address(sociallogin: SocialLogin) -> str:
    return next((one.email for one in sociallogin.email_addresses), "")


class _ThroughTheDoor(BaseAdapter):
    """The company's server may stand in a private network, since its owner set it up here. What else its answers name
    has to be public: who takes over that server gets no further by us."""

    def send(self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any) -> requests.Response:
        body = request.body.encode() if isinstance(request.body, str) else request.body
        if not isinstance(body, bytes | None):
            raise requests.RequestException("A body in pieces is none of a sign-in's")
        headers = {name: str(value) for name, value in request.headers.items()}
        try:
            answer = _company_door().request(request.method or "", request.url or "", headers=headers, content=body)
        except Outcome as outcome:
            raise requests.ConnectionError(outcome.why) from None
        response = requests.Response()
        response.status_code, response.url, response.request = answer.status, request.url or "", request
        response.headers.update(answer.headers)
        response._content = answer.body
        return response

    def close(self) -> None:
        pass


def _company_door() -> Door:
    providers: dict[str, dict[str, Any]] = settings.SOCIALACCOUNT_PROVIDERS
    apps = providers.get("openid_connect", {}).get("APPS", [])
    return _door(frozenset(urlsplit(app["settings"]["server_url"]).hostname or "" for app in apps))


@lru_cache(maxsize=4)
def _door(named: frozenset[str]) -> Door:
    return Door(named=named)


ENCRYPTED = ("secret", "seed")
"""What of an app's or the recovery codes' data is encrypted."""


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"],
        "cannot_generate_recovery_codes": _("Recovery codes need a second step first: add an app or a passkey."),
    }

    def encrypt(self, text: str) -> str:
        return crypto.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return crypto.decrypt(encrypted_text)

    def _get_site_name(self) -> str:
        return "Tertulia"

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return gettext("Passkey {number}").format(number=count + 1)


def renew_second_factors() -> int:
    """Encrypt anew, with the first key, what the second steps of signing in keep. Returns how many."""
    count = 0
    for pk in Authenticator.objects.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            found = Authenticator.objects.select_for_update().filter(pk=pk).first()
            held = {name: found.data[name] for name in ENCRYPTED if name in found.data} if found else {}
            fresh = {name: crypto.renewed(token) for name, token in held.items()}
            if fresh != held:
                found.data = {**found.data, **fresh}
                found.save(update_fields=["data"])
                count += 1
    return count
