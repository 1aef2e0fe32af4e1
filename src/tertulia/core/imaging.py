"""Pictures made from pictures: turned, cut, smaller. Unpacking happens in the sandbox alone, so that what a picture
does to its decoder is done to nobody else; the same picture and wish give the same bytes.

`made` is this side; `shape` the other one (`core.sandbox`).
"""

from __future__ import annotations

import json
import struct
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Any

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from . import sandbox
from .outcomes import BadPayload

SECONDS = 20.0
MEMORY = 1_536 * 1024 * 1024
LARGEST = 48 * 1024 * 1024
_HEAD = struct.Struct("!I")


def _(sentence: str) -> str:
    """Marks it for the catalogue; the children know no Django."""
    return sentence


MOVES = _("A picture that moves can't be changed without losing its movement.")
DAMAGED = _("The picture is damaged or not complete.")
TOO_SMALL = _("There would be nothing left of the picture.")
SENTENCES = (MOVES, DAMAGED, TOO_SMALL)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a picture is to become: first turned clockwise by `turn` degrees, then cut to `crop` (left, top, width and
    height as shares of what it is by then, None for the middle) and within that to a `shape`, then no longer than
    `side` points, and of `most` bytes at most (0: as it comes). `type` is what it is kept as, "" for its own."""

    turn: int = 0
    crop: tuple[float | None, float | None, float, float] | None = None
    shape: tuple[int, int] | None = None
    side: int = 0
    most: int = 0
    most_pixels: int = 0
    type: str = ""
    is_still: bool = False
    """Of what moves the first picture will do."""


def made(content: bytes, wish: Wish) -> tuple[str, int, int, bytes]:
    """Type, width, height and bytes. Raises `BadPayload` with a sentence of `SENTENCES` or the sandbox's."""
    order = json.dumps(asdict(wish)).encode()
    payload = _HEAD.pack(len(order)) + order + content
    said = sandbox.call(
        "tertulia.core.imaging:shape", payload, seconds=SECONDS, memory=MEMORY, largest=LARGEST
    )  # fmt: skip
    return said["type"], said["width"], said["height"], b64decode(said["content"])


# ── the other side ─────────────────────────────────────────────────────────

Image.MAX_IMAGE_PIXELS = None  # how many points are allowed is asked before (`core.pictures`); here memory is the limit
ImageFile.LOAD_TRUNCATED_IMAGES = False
_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP"}
_TYPES = {format: type for type, format in _FORMATS.items()}
QUALITY = 90
_QUALITIES = (88, 82, 76, 70)
_SMALLER = 0.85
_SMALLEST = 64


def shape(payload: bytes) -> dict[str, Any]:
    [length] = _HEAD.unpack_from(payload)
    wish = Wish(**json.loads(payload[_HEAD.size : _HEAD.size + length]))
    try:
        image: Image.Image = Image.open(BytesIO(payload[_HEAD.size + length :]), formats=list(_TYPES))
        if getattr(image, "is_animated", False) and not wish.is_still:
            raise BadPayload(MOVES)
        kind = _TYPES[image.format or ""]
        if wish.side and not wish.crop and not wish.shape:
            image.draft("RGB", (wish.side, wish.side))  # a JPEG is unpacked no larger than is needed
        image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, IndexError, EOFError):
        raise BadPayload(DAMAGED) from None
    profile = image.info.get("icc_profile")
    image = _cut(_turned(_upright(image), wish.turn), wish.crop, wish.shape)
    if wish.side:
        image.thumbnail((wish.side, wish.side), Image.Resampling.LANCZOS)
    if wish.most_pixels and image.width * image.height > wish.most_pixels:
        image = _scaled(image, (wish.most_pixels / (image.width * image.height)) ** 0.5)
    kind = wish.type or kind
    image, content = _within(image, kind, wish.most, profile)
    return {"type": kind, "width": image.width, "height": image.height, "content": b64encode(content).decode()}


def _upright(image: Image.Image) -> Image.Image:
    """As people see it: the way up that a camera noted is done to the points. No palettes, which can't be smoothed."""
    image = ImageOps.exif_transpose(image)
    if image.mode in {"P", "PA"} or (image.mode in {"1", "L", "RGB"} and "transparency" in image.info):
        return image.convert("RGBA")
    return image if image.mode in {"L", "RGB", "RGBA"} else image.convert("RGBA" if "A" in image.mode else "RGB")


def _turned(image: Image.Image, turn: int) -> Image.Image:
    turns = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}
    return image.transpose(turns[turn]) if turn in turns else image


def _cut(image: Image.Image, crop: Any, shape: Any) -> Image.Image:
    if not crop and not shape:
        return image
    left, top, width, height = crop or (None, None, 1.0, 1.0)
    width, height = width * image.width, height * image.height
    if shape:
        scale = min(width / shape[0], height / shape[1])
        width, height = shape[0] * scale, shape[1] * scale
    wide, high = round(width), round(height)
    if not wide or not high:
        raise BadPayload(TOO_SMALL)
    x = _within_side(left, image.width, wide)
    y = _within_side(top, image.height, high)
    return image.crop((x, y, x + wide, y + high))


def _within_side(share: float | None, side: int, length: int) -> int:
    return (side - length) // 2 if share is None else min(round(share * side), side - length)


def _within(image: Image.Image, kind: str, most: int, profile: Any) -> tuple[Image.Image, bytes]:
    """Of `most` bytes at most: first with less quality where its type knows one, then with fewer points."""
    content = _packed(image, kind, QUALITY, profile)
    qualities = _QUALITIES if kind in {"image/jpeg", "image/webp"} else ()
    while most and len(content) > most:
        for quality in qualities:
            content = _packed(image, kind, quality, profile)
            if len(content) <= most:
                return image, content
        if min(image.size) <= _SMALLEST:
            raise BadPayload(TOO_SMALL)
        image = _scaled(image, _SMALLER)
        content = _packed(image, kind, qualities[-1] if qualities else QUALITY, profile)
    return image, content


def _scaled(image: Image.Image, share: float) -> Image.Image:
    size = (max(int(image.width * share), 1), max(int(image.height * share), 1))
    return image.resize(size, Image.Resampling.LANCZOS)


def _packed(image: Image.Image, kind: str, quality: int, profile: Any) -> bytes:
    """Its points, its colour profile and nothing else of what it came with."""
    out = BytesIO()
    if kind == "image/jpeg" and image.mode == "RGBA":
        ground = Image.new("RGB", image.size, "white")
        ground.paste(image, mask=image.getchannel("A"))
        image = ground
    more = {"icc_profile": profile} if profile and image.mode in {"RGB", "RGBA"} else {}
    if kind in {"image/jpeg", "image/webp"}:
        more["quality"] = quality
    image.info.clear()
    image.save(out, _FORMATS[kind], **more)
    return out.getvalue()
