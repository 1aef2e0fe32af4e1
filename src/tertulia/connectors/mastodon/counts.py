"""What a server counts under statuses of ours, and of the account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tertulia.connectors.contract import Figure, Refused, Tells, Unsupported, counts, poll_counts

from .client import Gone, Missing, Server, in_path, is_snac
from .reading import id_of

TELLS = Tells(
    of_posts=frozenset({"likes", "reposts", "replies", "quotes"}),
    of_account=frozenset({"followers"}),
    at_once=20,
    polls=True,
)
"""A server answers for twenty statuses at once (Mastodon 4.3; before, one by one). Quotes are counted since 4.5."""
NAMES: Mapping[str, Figure] = {
    "favourites_count": "likes",
    "reblogs_count": "reposts",
    "replies_count": "replies",
    "quotes_count": "quotes",
}
OF_ACCOUNT: Mapping[str, Figure] = {"followers_count": "followers"}


def of_posts(server: Server, ids: Sequence[str]) -> dict[str, Mapping[str, int]]:
    return {id: {**counts(status, NAMES), **_poll(status.get("poll"))} for id, status in _statuses(server, ids)}


def of_account(said: Mapping[str, Any]) -> dict[str, int]:
    """snac says zero of everybody who hasn't asked it to publish that figure."""
    told = counts(said, OF_ACCOUNT)
    return {} if is_snac(id_of(said.get("id"))) and not any(told.values()) else told


def _poll(said: object) -> dict[str, int]:
    """Votes are null while a poll hides them, voters where the server doesn't tell them from votes."""
    options = said.get("options") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(options, list):
        return {}
    votes = [one.get("votes_count") if isinstance(one, dict) else None for one in options]
    return poll_counts(votes, said.get("voters_count"))


def _statuses(server: Server, ids: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        told = server.listed("/api/v1/statuses", [("id[]", in_path(id)) for id in ids])
    except (Refused, Unsupported):
        told = []
    known = {id_of(one.get("id")): one for one in told if isinstance(one, dict)}
    for id in ids:
        status = known.get(id) or _status(server, id)
        if status is not None:
            yield id, status


def _status(server: Server, id: str) -> Mapping[str, Any] | None:
    """One alone, for servers that don't tell of many; None for what isn't there any more."""
    try:
        found = server.get(f"/api/v1/statuses/{in_path(id)}")
    except (Gone, Missing):
        return None
    return found if isinstance(found, dict) and id_of(found.get("id")) == id else None
