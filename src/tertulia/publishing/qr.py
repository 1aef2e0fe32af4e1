"""The QR code of an own link: who points a telephone at a poster or a receipt is counted as whoever clicks."""

from __future__ import annotations

from io import BytesIO

import qrcode
from qrcode.constants import ERROR_CORRECT_M
from qrcode.image.pil import PilImage
from qrcode.image.svg import SvgPathFillImage

QUIET = 4
"""Light modules around it that ISO/IEC 18004 asks for: without them telephones don't find it on dark ground."""
DOTS = 24
"""A module of the PNG is so many dots wide: at 300 dots an inch the code of a short link is 7.5 cm wide."""


def svg(text: str) -> bytes:
    """For print, of any size; on a white ground."""
    drawn: bytes = _code(text).make_image(image_factory=SvgPathFillImage).to_string()
    return drawn


def png(text: str) -> bytes:
    """For whatever takes no SVG."""
    kept = BytesIO()
    _code(text).make_image(image_factory=PilImage).save(kept, "PNG")
    return kept.getvalue()


def _code(text: str) -> qrcode.QRCode:
    """With a seventh of it hidden or worn off it can still be read (level M)."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=QUIET, box_size=DOTS)
    code.add_data(text)
    code.make(fit=True)
    return code
