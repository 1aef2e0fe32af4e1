"""What came in is looked at for malware within a minute, so that people know before they want its files."""

from __future__ import annotations

import logging

from tertulia.channels import screening
from tertulia.core import clock, jobs, malware

log = logging.getLogger(__name__)


@jobs.periodic("screening.look", seconds=60)
def look() -> None:
    """Where clamd is away it waits for the next minute; until then whoever wants a file is told so."""
    try:
        screening.look_at_new(at=clock.now)
    except malware.NotLooked as problem:
        log.warning("What came in can't be looked at for malware: %s", problem)
