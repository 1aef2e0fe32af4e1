"""The sandbox's side of `core.pdf`: it alone loads the typesetter."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import typst

HERE = Path(__file__).resolve().parent


def typeset(payload: bytes) -> str:
    """The PDF in base64. The document's values arrive as `sys.inputs`, where Typst reads JSON and no markup."""
    order = json.loads(payload)
    pdf = typst.compile(
        HERE / "document.typ", root=HERE, font_paths=[HERE], ignore_system_fonts=True, timestamp=order["at"],
        sys_inputs={"document": json.dumps(order["document"])},
    )  # fmt: skip
    return b64encode(pdf).decode()
