"""The contract suite of Tertulia, asked of this package's connector."""

from tertulia_guestbook.connector import Guestbook

from connectors.test_contract import *  # noqa: F403

CONNECTORS = {"guestbook": Guestbook}
SPEAKERS = {}
