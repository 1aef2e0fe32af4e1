"""A form for any connector, made from what it says it needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.validators import URLValidator
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from tertulia.connectors.contract import Connector, Field, Text

from .models import Account

MAX_LENGTH = 2000


def said(text: Text) -> str:
    """A connector's text in the present language."""
    return text.get((get_language() or "en")[:2]) or text.get("en", "")


class AccountForm(forms.Form):
    """Name and settings of an account. A secret is never shown again; left empty, the present one stays."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("What your team calls it."))

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, connector: type[Connector], account: Account | None = None
    ) -> None:
        super().__init__(data, initial=_initial(connector, account))
        self.typed = [field for field in connector.fields if not field.is_generated]
        for field in self.typed:
            has_secret = account is not None and bool(account.secrets.get(field.name))
            self.fields[f"field_{field.name}"] = _form_field(field, has_secret=has_secret)

    @property
    def settings(self) -> dict[str, Any]:
        return {field.name: self._value(field) for field in self.typed if field.kind != "secret"}

    @property
    def secrets(self) -> dict[str, str]:
        """Those that were typed."""
        given = {field.name: self._value(field) for field in self.typed if field.kind == "secret"}
        return {name: value for name, value in given.items() if value}

    def _value(self, field: Field) -> Any:
        value = self.cleaned_data[f"field_{field.name}"]
        if field.kind == "lines":
            return [line.strip() for line in value.splitlines() if line.strip()]
        return value


def _initial(connector: type[Connector], account: Account | None) -> dict[str, Any]:
    if account is None:
        given = {field.name: field.default for field in connector.fields}
        name = said(connector.name)
    else:
        given, name = account.settings, account.name
    shown = {field.name: given.get(field.name, field.default) for field in connector.fields if field.kind != "secret"}
    lines = {name: "\n".join(value) if isinstance(value, list) else value for name, value in shown.items()}
    return {"name": name, **{f"field_{name}": value for name, value in lines.items()}}


def _form_field(field: Field, *, has_secret: bool) -> forms.Field:
    common: dict[str, Any] = {
        "label": said(field.label),
        "help_text": said(field.help),
        "required": field.is_required,
    }
    match field.kind:
        case "secret":
            common["required"] = field.is_required and not has_secret
            if has_secret:
                common["help_text"] = _("One is kept. Leave this empty to go on with it.")
            widget = forms.PasswordInput(attrs={"autocomplete": "off"})
            return forms.CharField(max_length=MAX_LENGTH, strip=True, widget=widget, **common)
        case "url":
            return forms.URLField(
                max_length=MAX_LENGTH, assume_scheme="https", validators=[URLValidator(["http", "https"])], **common
            )
        case "number":
            return forms.IntegerField(**common)
        case "flag":
            return forms.BooleanField(**{**common, "required": False})
        case "choice":
            return forms.ChoiceField(choices=[(value, said(name)) for value, name in field.choices], **common)
        case "lines":
            return forms.CharField(max_length=20_000, widget=forms.Textarea(attrs={"rows": 3}), **common)
        case _:
            return forms.CharField(max_length=MAX_LENGTH, **common)
