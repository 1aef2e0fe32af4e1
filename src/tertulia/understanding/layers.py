"""The layers of brands as each process holds them: whoever reads asks once which are in use."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from .learning import NOTHING, SHAPE, Layer, unpacked
from .model import shipped
from .models import BrandLayer

HELD = 32
"""Layers a process keeps at hand."""


def belongs_to() -> str:
    """What a layer is stored under: the shipped model it stands on, and its shape."""
    return f"{shipped().name}/{SHAPE}"


def of(brands: Collection[int]) -> dict[int, tuple[str, Layer]]:
    """By brand, its layer in use and what a reading by it says it was made by; one query, whatever their number."""
    found = BrandLayer.objects.filter(brand__in=brands, state=BrandLayer.State.LIVE, model=belongs_to())
    return {brand: (f"{shipped().name}+{pk}", _layer(pk)) for brand, pk in found.values_list("brand_id", "pk")}


def of_one(brand: int) -> Layer:
    """The layer of a brand; an empty one when none is in use."""
    return next((layer for _name, layer in of([brand]).values()), NOTHING)


@lru_cache(maxsize=HELD)
def _layer(pk: int) -> Layer:
    """A row's content never changes while it is in use."""
    return unpacked(bytes(BrandLayer.objects.values_list("content", flat=True).get(pk=pk)))


def forget() -> None:
    """Let this process hold none, as after its start."""
    _layer.cache_clear()
