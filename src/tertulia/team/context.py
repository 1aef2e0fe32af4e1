from typing import Any

from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """What the page shell needs on every page: the brand in the address and the brands to switch to."""
    return {"brand": getattr(request, "brand", None), "membership": getattr(request, "membership", None)}
