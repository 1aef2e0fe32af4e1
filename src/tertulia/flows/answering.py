"""The addresses in an answer become links of the brand's own that know it: what one room asks for, the one beside it
offers here."""

from __future__ import annotations

from tertulia.inbox import wording
from tertulia.publishing import shortening

wording.offer(shortening)
