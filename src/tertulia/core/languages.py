"""What is said again and again, said once a language: looking a word up costs a page more than the word is worth."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from types import MappingProxyType
from typing import TypeVar

from django.utils.translation import get_language

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def once_a_language(make: Callable[[], dict[_Key, _Value]]) -> Callable[[], MappingProxyType[_Key, _Value]]:
    """A function whose words depend on the language alone, and are kept for each."""

    @cache
    def kept(_language: str | None) -> MappingProxyType[_Key, _Value]:
        return MappingProxyType(make())

    @wraps(make)
    def asked() -> MappingProxyType[_Key, _Value]:
        return kept(get_language())

    return asked
