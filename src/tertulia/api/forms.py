"""What people may send to the settings of tokens and webhooks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from . import webhooks
from .models import Webhook
from .scopes import SCOPES

LASTS = [("30", _("30 days")), ("90", _("90 days")), ("365", _("one year")), ("0", _("until it is revoked"))]


class TokenForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=60, help_text=_("What it is for, so that you know it again."))
    lasts = forms.ChoiceField(label=_("It lasts"), choices=LASTS, initial="365")
    scopes = forms.MultipleChoiceField(
        label=_("It may"),
        choices=list(SCOPES.items()),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose what the token may do.")},
    )

    def expires_at(self, at: datetime) -> datetime | None:
        days = int(self.cleaned_data["lasts"])
        return at + timedelta(days=days) if days else None


class WebhookForm(forms.Form):
    url = forms.URLField(
        label=_("Address"),
        max_length=webhooks.MAX_URL,
        assume_scheme="https",
        help_text=_("Events are sent there as POST requests. It must be reachable on the public internet."),
    )
    types = forms.MultipleChoiceField(
        label=_("It hears of"), required=False, widget=forms.CheckboxSelectMultiple, help_text=_("None: of everything.")
    )

    def __init__(self, data: Any = None, *, webhook: Webhook | None = None) -> None:
        super().__init__(data, initial={"url": webhook.url, "types": webhook.types} if webhook else None)
        self.fields["types"].choices = [(name, name) for name in webhooks.offered_types()]  # type: ignore[attr-defined]

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            webhooks.check_address(url)
        except webhooks.BadAddress as error:
            raise forms.ValidationError(str(error)) from None
        return url
