"""Mail to the team. Without an SMTP server nothing is sent, and pages say how to do without."""

from __future__ import annotations

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from tertulia.core import jobs

from .models import User


def is_set_up() -> bool:
    return bool(settings.EMAIL_HOST)


@jobs.task("team.mail", attempts=6)
def send(*, to: str, subject: str, text: str, html: str = "") -> None:
    """One mail. It says that a machine wrote it, so that no holiday notice answers (RFC 3834)."""
    message = EmailMultiAlternatives(
        subject=" ".join(subject.split()),
        body=text,
        to=[to],
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
    )
    if html:
        message.attach_alternative(html, "text/html")
    message.send()


@jobs.task("team.reset_password", attempts=6)
def send_reset_link(*, email: str, language: str) -> None:
    """Mail a link to set a new password, if the address is somebody's. The link is made here: it is stored nowhere."""
    user = User.objects.filter(email=email, is_active=True).first()
    if user is None:
        return
    key = default_token_generator.make_token(user)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})
    with translation.override(user.language or language):
        text = render_to_string("account/email/reset.txt", {"user": user, "url": f"{settings.PUBLIC_URL}{path}"})
        send(to=user.email, subject=gettext("A new password for Tertulia"), text=text)
