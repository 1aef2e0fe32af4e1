"""A form for any connector, made from what it says it needs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.core.validators import URLValidator
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from tertulia.connectors.contract import Connector, Field, Text

from . import figures
from .models import Account

MAX_LENGTH = 2000
MOST = 2**53
"""The largest figure that can be typed in: the last that every program counts exactly."""


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
        self.named_by = connector.named_by
        self.rare = {f"field_{field.name}" for field in self.typed if field.is_rare}
        if self.named_by:
            self.fields["name"].required = False
            self.rare.add("name")

    @property
    def common_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name not in self.rare]

    @property
    def rare_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name in self.rare]

    @property
    def shows_rare(self) -> bool:
        """Whether what few need was wrong, or has been filled in."""
        own = self.rare - {"name"}
        return any(name in self.errors for name in self.rare) or any(
            self[name].value() not in (None, "", self.fields[name].initial) for name in own
        )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if self.named_by and not given.get("name"):
            given["name"] = str(given.get(f"field_{self.named_by}", ""))[:100]
        return given

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
        name = "" if connector.named_by else said(connector.name)
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
        "initial": field.default,
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


class FiguresForm(forms.Form):
    """The figures of one day; what is left empty is not known, and changes nothing."""

    on = forms.DateField(label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    other_name = forms.CharField(label=_("Another figure"), max_length=40, required=False)
    other_value = forms.IntegerField(label=_("How many"), min_value=0, max_value=MOST, required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, account: Account, today: date) -> None:
        super().__init__(data, initial={"on": today})
        self.today, self.names = today, figures.names(account)
        for number, name in enumerate(self.names):
            self.fields[f"figure_{number}"] = forms.IntegerField(
                label=figures.called(name), min_value=0, max_value=MOST, required=False
            )
        self.order_fields(["on", *(f"figure_{number}" for number in range(len(self.names)))])

    def clean_on(self) -> date:
        on: date = self.cleaned_data["on"]
        if on > self.today:
            raise forms.ValidationError(_("That day is still to come."))
        return on

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        name, value = " ".join(said.get("other_name", "").split()), said.get("other_value")
        if name and value is None and "other_value" not in self.errors:
            self.add_error("other_value", _("Write how many."))
        if value is not None and not name and "other_name" not in self.errors:
            self.add_error("other_name", _("Write what it is."))
        if not self.errors and not self.values:
            raise forms.ValidationError(_("Write at least one figure."))
        return said

    @property
    def values(self) -> dict[str, int]:
        """Those that were typed, by name."""
        typed = {name: self.cleaned_data.get(f"figure_{number}") for number, name in enumerate(self.names)}
        other = " ".join(self.cleaned_data.get("other_name", "").split())
        known = {figures.called(name).casefold(): name for name in self.names}
        typed |= {known.get(other.casefold(), other): self.cleaned_data.get("other_value")} if other else {}
        return {name: value for name, value in typed.items() if value is not None}
