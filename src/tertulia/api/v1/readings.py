"""What texts say, as the inbox understands them."""

from __future__ import annotations

from ninja import Router

from tertulia.understanding import layers, reading

from ..access import Call, door
from .shapes import Page, ReadingShape, TextsBody

router = Router(tags=["Understanding"])


@router.post("/readings", response=Page[ReadingShape], **door("readings:create", "inbox.read"))
def create_readings(request: Call, body: TextsBody) -> Page[ReadingShape]:
    """Have texts read, in their order, by what the brand has taught. Nothing of them is kept, and nothing leaves the
    machine."""
    found = reading.read(body.texts, layers.of_one(request.auth.brand.pk))
    return Page[ReadingShape](items=[ReadingShape(**each.as_dict()) for each in found], next=None)
