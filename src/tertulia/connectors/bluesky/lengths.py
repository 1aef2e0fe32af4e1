"""How the network counts a text: 300 signs as people see them, and 3,000 bytes."""

from __future__ import annotations

from tertulia.core.counting import graphemes, utf8

BYTES_A_SIGN = 10
"""3,000 bytes for 300 signs, 10,000 for 1,000: one number can stand for both limits."""


def length(text: str) -> int:
    """The larger of both counts, bytes ten to a sign: not above the limit in signs means that both limits hold."""
    return max(graphemes(text), -(-utf8(text) // BYTES_A_SIGN))
