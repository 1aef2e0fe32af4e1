"""allauth's forms in our words: one label a field, no placeholder that repeats it."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as account
from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.mfa.base import forms as second_factor
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from tertulia.core import jobs

from . import mail, signing, tries


class LoginForm(account.LoginForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        relabel(self, login=_("E-mail"), password=_("Password"))
        self.fields["login"].widget.attrs.update({"autocomplete": "username webauthn", "autofocus": True})


class ReauthenticateForm(account.ReauthenticateForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        relabel(self, password=_("Password"))


class ChangePasswordForm(account.ChangePasswordForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        relabel(self, oldpassword=_("Present password"), password1=_("New password"), password2=_("New password again"))


class SetPasswordForm(account.SetPasswordForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        relabel(self, password1=_("New password"), password2=_("New password again"))


class ResetPasswordKeyForm(account.ResetPasswordKeyForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        relabel(self, password1=_("New password"), password2=_("New password again"))


class ResetPasswordForm(forms.Form):
    """Does the same for an address we know and one we don't: it writes one job and looks nobody up."""

    email = forms.EmailField(label=_("E-mail"), widget=forms.EmailInput(attrs={"autocomplete": "username"}))

    @property
    def can_send(self) -> bool:
        return mail.is_set_up()

    def clean(self) -> None:
        if not self.can_send:
            raise forms.ValidationError(_("This desk sends no mail."))

    def save(self, request: HttpRequest, **_kwargs: Any) -> str:
        email: str = self.cleaned_data["email"].lower()
        jobs.enqueue(mail.send_reset_link, email=email, language=get_language())
        return email


class SecondFactorForm(second_factor.AuthenticateForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ask_for_code(self, _("Code from your app, or a recovery code"))

    def clean_code(self) -> str:
        try:
            return str(super().clean_code())
        except forms.ValidationError:
            signing.failed(context.request, email=self.user.email, what="the code of the second step is wrong")
            address = get_adapter().get_client_ip(context.request)
            tries.note(email=self.user.email, address=address, has_password=True)
            raise


class SecondFactorAgainForm(second_factor.ReauthenticateForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ask_for_code(self, _("Code from your app, or a recovery code"))


class ActivateAppForm(ActivateTOTPForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ask_for_code(self, _("The six digits the app shows"))


class AddKeyForm(AddWebAuthnForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        relabel(self, name=_("What you call it"), passwordless=_("Sign in with it alone, without a password"))
        self.fields["name"].required = True
        self.fields["name"].widget.attrs["maxlength"] = 60
        self.fields["passwordless"].initial = True


class RenameKeyForm(EditWebAuthnForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        relabel(self, name=_("What you call it"))


def ask_for_code(form: forms.Form, label: str | Promise) -> None:
    relabel(form, code=label)
    form.fields["code"].widget.attrs.update({"autofocus": True, "autocapitalize": "off", "spellcheck": "false"})


def relabel(form: forms.Form, **labels: str | Promise) -> None:
    for name, label in labels.items():
        field = form.fields[name]
        field.label, field.help_text = label, ""  # type: ignore[assignment]
        field.widget.attrs.pop("placeholder", None)
