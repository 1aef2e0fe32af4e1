"""What servers of the Mastodon API have in common for the live test: people who write, and a page to sign in at."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Lab:
    """`url` is the company's server, where `tienda` is; `homes` the servers of people elsewhere. `lacks` names what the
    server can't do, and why; `seconds` is how long a message takes to arrive at most."""

    name: str
    url: str
    company: str
    sign_in: Callable[[str, str], str]
    """Somebody allows us in on the page at this address; gives back where they are sent."""
    tokens: dict[str, str] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    lacks: dict[str, str] = field(default_factory=dict)
    seconds: float = 5.0

    def call(self, who: str, method: str, path: str, **form: str) -> Any:
        url = self.homes.get(who, self.url) + path
        data = urllib.parse.urlencode({name.replace("__", "[]"): value for name, value in form.items()}).encode()
        request = urllib.request.Request(url, data if form else None, method=method)
        request.add_header("Authorization", f"Bearer {self.tokens[who]}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def write(self, who: str, text: str, **form: str) -> dict[str, Any]:
        made: dict[str, Any] = self.call(who, "POST", "/api/v1/statuses", status=text, **form)
        return made


class Staying(urllib.request.HTTPRedirectHandler):
    """Tells of a redirect instead of following it."""

    def redirect_request(self, *_: Any) -> None:
        return None


def sent_to(request: urllib.request.Request) -> str:
    """Where a form sends the browser."""
    try:
        urllib.request.build_opener(Staying).open(request, timeout=30).close()
    except urllib.error.HTTPError as answer:
        if "location" in answer.headers:
            return str(answer.headers["location"])
        raise
    raise AssertionError("the page sends nobody anywhere")
