"""What stands in for the platform: nothing. A person carries every answer there."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from tertulia.connectors.contract import Target
from tertulia.connectors.manual.connector import Manual

from .speaker import Speaker


@contextmanager
def running():
    yield SimpleNamespace(requests=[])


def account(_nothing: Any = None, **settings: Any) -> Any:
    profile = "https://www.tiktok.example/@hornocandela"
    return SimpleNamespace(id=1, settings={"platform": "TikTok", "profile": profile, **settings}, secrets={})


COMMENT = "https://www.tiktok.example/@hornocandela/video/7/comment/9"
SPEAKER = Speaker(
    Manual,
    running,
    account,
    Target("public  @marina", "note:1", "@marina", {}, kind="comment", url=COMMENT),
    (),
    by_hand=True,
)
