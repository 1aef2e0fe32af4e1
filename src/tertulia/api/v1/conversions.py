"""What visits became, as a shop reports it."""

from __future__ import annotations

from ninja import Router, Status

from tertulia.core import clock
from tertulia.publishing import conversions, shortening
from tertulia.publishing.conversions import Kind, Order

from ..access import Call, door
from .shapes import ConversionBody, ConversionShape

router = Router(tags=["Conversions"])


@router.post(
    "/conversions", response={201: ConversionShape, 200: ConversionShape},
    **door("conversions:write", "publishing.write"),
)  # fmt: skip
def record_conversion(request: Call, body: ConversionBody) -> Status[ConversionShape]:
    """Report an order. 201 when it is new; told again, 200 and the one that is there, unchanged.

    It is attributed to one cause at most: the click that `tt` names, else its coupon, else its UTM. Where none of them
    tells, `attributed_by` is empty and nothing is made up.
    """
    brand, at = request.auth.brand, clock.now()
    order = Order(
        conversions.reference(body.reference), body.cents,
        conversions.currency(body.currency, shortening.settings_of(brand.pk).currency), body.at or at, body.tt,
        body.coupon, body.utm,
    )  # fmt: skip
    found, is_new = conversions.record(brand=brand, order=order, kind=Kind.API, by=request.auth.user, at=at)
    shape = ConversionShape(
        id=found.pk, reference=found.reference, cents=found.cents, currency=found.currency, at=found.at,
        attributed_by=found.model, link_id=found.link_id, post_id=found.post_id, campaign_id=found.campaign_id,
    )  # fmt: skip
    return Status(201 if is_new else 200, shape)
