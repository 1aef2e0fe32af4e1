"""Choices as people read them."""

from __future__ import annotations

from typing import Any

from django import forms

LONGEST_NUMBER = 18
"""Digits that any database's row number has at most."""


class SeveralRows(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Django's own asks the database even for numbers that it has no room for, which ends in an accident."""

    def clean(self, value: Any) -> Any:
        for one in value or ():
            if len(str(one)) > LONGEST_NUMBER:
                raise forms.ValidationError(self.error_messages["invalid_choice"], "invalid_choice", {"value": one})
        return super().clean(value)


def name_empty(field: Any, words: Any) -> None:
    """Let the empty choice of a select say what it means, in place of Django's dashes."""
    field.choices = [(value, words if value in {"", None} else name) for value, name in field.choices]
