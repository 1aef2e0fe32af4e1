"""Choices as people read them."""

from __future__ import annotations

from typing import Any


def name_empty(field: Any, words: Any) -> None:
    """Let the empty choice of a select say what it means, in place of Django's dashes."""
    field.choices = [(value, words if value in {"", None} else name) for value, name in field.choices]
